"""The rules of the house: floors, sizes, names, and what an import may cost."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "dlscratch"
FILES = sorted(PACKAGE.rglob("*.py"))
FLOORS = (
    "engine files filetypes progress functional initializers layers losses optimizers data models checkpoints training "
    "testing lab sweep onnx cli __main__"
).split()
ids = [str(f.relative_to(ROOT)) for f in FILES]


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path):
    """Absolute names of the modules of this package that a file imports, inside functions too."""
    package = (
        module_name(path).split(".")
        if path.name == "__init__.py"
        else module_name(path).split(".")[:-1]
    )
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
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


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_public_names_have_docstrings(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    exported = next(
        (
            ast.literal_eval(n.value)
            for n in tree.body
            if isinstance(n, ast.Assign) and n.targets[0].id == "__all__"
        ),
        [],
    )
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in exported:
            assert ast.get_docstring(node), f"{node.name} is public and has no docstring"


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
