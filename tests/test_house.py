"""The rules of the house: floors, width, names, docstrings, hints, and what an import may cost."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "dlscratch"
FILES = sorted(PACKAGE.rglob("*.py"))
OURS = [
    *FILES,
    *(f for part in ("tests", "tools", "docs") for f in sorted((ROOT / part).rglob("*.py"))),
]
FLOORS = (
    "engine files filetypes progress functional initializers layers losses optimizers data models "
    "checkpoints training testing lab sweep onnx cli __main__"
).split()
ids = [str(f.relative_to(ROOT)) for f in FILES]


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_name(node, name="TYPE_CHECKING"):
    return isinstance(node, ast.Name) and node.id == name


def imported(path):
    """Absolute names of the modules of this package that a file imports, inside functions too."""
    package = (
        module_name(path).split(".")
        if path.name == "__init__.py"
        else module_name(path).split(".")[:-1]
    )
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = [n for n in tree.body if isinstance(n, ast.If) and is_name(n.test)]
    skipped = {id(inner) for block in typing_only for inner in ast.walk(block)}
    for node in ast.walk(tree):
        if id(node) in skipped:  # read by type checkers, and never run
            continue
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            base = ".".join(filter(None, [base, node.module]))
            yield base
            yield from (f"{base}.{a.name}" for a in node.names)


def test_imports_point_down():
    names = {module_name(f) for f in FILES}
    graph = {
        module_name(f): {i for i in imported(f) if i in names and i != module_name(f)}
        for f in FILES
    }
    for name, targets in graph.items():
        for target in targets:
            if "." in name and "." in target:
                mine, other = (FLOORS.index(n.split(".")[1]) for n in (name, target))
                assert other <= mine, f"{name} imports {target}, which stands above it"
    leaves = {n: {t for t in ts if not n.startswith(t + ".")} for n, ts in graph.items()}
    while leaves:
        free = {n for n, ts in leaves.items() if not ts & leaves.keys()}
        assert free, f"imports go in a circle among {sorted(leaves)}"
        leaves = {n: ts for n, ts in leaves.items() if n not in free}


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_files_say_what_they_are_and_what_they_export(path):
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    assert ast.get_docstring(tree), "a module says in its first line what it is"
    assert any(
        isinstance(n, ast.Assign) and getattr(n.targets[0], "id", "") == "__all__"
        for n in tree.body
    )
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert all(a.name != "*" for a in node.names), "no star imports"
        assert not isinstance(node, ast.Assert), (
            "an assert reaches a user as a riddle; raise a clear error"
        )


# Width, hints, docstrings ------------------------------------------------------------------------

COLUMNS, SENTENCE = 100, 88

# The kernels take bare arguments, as the lambdas of the derivative rules do: `custom_vjp` calls
# them with those of the textbook definition, which carries the types. Sentences are asked for.
BARE = PACKAGE / "functional" / "kernels"


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def exported(tree):
    """What `__all__` names, as far as it is written out."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def test_no_file_escapes_the_formatter():
    mark = "fmt:" + " skip"
    assert [name_of(f) for f in OURS if mark in f.read_text(encoding="utf-8")] == []


def test_no_line_is_wider_than_a_screen():
    wide = [
        f"{name_of(path)}:{number}"
        for path in OURS
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > COLUMNS
    ]
    assert wide == [], f"lines of more than {COLUMNS} columns"


def public_functions(tree):
    """(name, node) of every function of `__all__` and every public method of its classes."""
    names = exported(tree)
    for node in tree.body:
        if getattr(node, "name", None) not in names:
            continue
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_"):
                    yield f"{node.name}.{inner.name}", inner
                elif getattr(inner, "name", "") == "__init__":
                    yield node.name, inner


def unhinted(node):
    """The arguments of a function without a type, and "return"; none for an optimizer's formula.

    As the derivative rules, `update(self, theta, g, ...)` stays bare.
    """
    if [a.arg for a in node.args.args[:3]] in (["self", "theta", "g"], ["self", "W", "g"]):
        return []
    given = node.args
    arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    arguments += [a for a in (given.vararg, given.kwarg) if a is not None]
    missing = [a.arg for a in arguments if a.annotation is None and a.arg not in ("self", "cls")]
    if node.returns is None and node.name != "__init__":
        missing.append("return")
    return missing


def test_public_signatures_carry_type_hints():
    found = {}
    for path in FILES:
        if path.parent == BARE:
            continue
        for name, node in public_functions(ast.parse(path.read_text(encoding="utf-8"))):
            if missing := unhinted(node):
                found.setdefault(name_of(path), []).append(f"{name}: {', '.join(missing)}")
    assert found == {}


def sentence_fault(text):
    """What keeps the first line of a docstring from being one sentence of a line.

    None for a good one.
    """
    if not text:
        return "no docstring"
    first, *rest = inspect.cleandoc(text).split("\n")
    if len(first) > SENTENCE:
        return f"{len(first)} columns, more than {SENTENCE}"
    if rest and rest[0].strip():
        return "the first sentence is longer than its line, or no blank line follows"
    if not first.endswith("."):
        return "no full stop"
    # "f_n(... x)" is no end, "and so on ... Then" is one
    if re.search(r"(?<!\bal)(?<!\be\.g)([.!?] +[A-Z]|(?<!\.)[.!?] +\S)", first):
        return "two sentences"
    return None


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_public_names_have_a_sentence(path):
    if path.stem == "__main__":
        return
    module = importlib.import_module(module_name(path))
    faults = {}
    for name in module.__all__:
        value = getattr(module, name)
        if callable(value) and str(getattr(value, "__module__", "")).startswith("dlscratch"):
            if fault := sentence_fault(value.__doc__):
                faults[name] = fault
    assert faults == {}


@pytest.mark.parametrize(
    "text, fault",
    [
        ("", "no docstring"),
        ("One. Two.", "two sentences"),
        ("The sum.  x: (N, D).", "two sentences"),
        ("f_n(... f_1(x)).", None),
        ("And so on ... Then.", "two sentences"),
        ("No end", "no full stop"),
        ("It is long" + " very" * 20 + ".", "111 columns"),
        ("It goes on\nand on.", "longer than its line"),
        ("After He et al. Rows, say, and 1.5 of it.", None),
    ],
)
def test_a_sentence_is_told_from_what_is_none(text, fault):
    found = sentence_fault(text)
    assert found is None if fault is None else fault in found


# What an import costs ----------------------------------------------------------------------------


def test_import_needs_numpy_only():
    heavy = {
        "torch",
        "matplotlib",
        "pandas",
        "sklearn",
        "scipy",
        "seaborn",
        "tqdm",
        "safetensors",
        "IPython",
    }
    code = (
        "import sys, numpy, time; t = time.process_time(); import dlscratch; "
        f"print(time.process_time() - t, *({heavy!r} & set(m.split('.')[0] for m in sys.modules)))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(5)
    ]
    assert all(len(run) == 1 for run in runs), f"import dlscratch loads {runs}"
    assert min(float(run[0]) for run in runs) < 0.1


def test_matplotlib_stands_in_one_place():
    users = {
        module_name(f)
        for f in FILES
        if any(i.split(".")[0] in ("matplotlib", "seaborn") for i in imported(f))
    }
    assert users <= {"dlscratch.lab.plot", "dlscratch.lab.graph"}
