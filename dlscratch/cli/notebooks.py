"""The notebooks as files: finding them, running them with other parameters, reading claims."""

import ast
import difflib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files import whole

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = [
    "folder",
    "find",
    "read",
    "source_of",
    "title",
    "question",
    "cost",
    "parameters",
    "fitted",
    "claims",
    "checks",
    "text_of",
    "run",
    "blank_exercises",
]


def folder() -> Path:
    """The folder notebooks/ of the clone that this package is of, or of the working directory.

    Raises FileNotFoundError where there is neither.
    """
    for place in (Path(__file__).parents[2], Path.cwd()):
        if (place / "notebooks").is_dir():
            return place / "notebooks"
    raise FileNotFoundError(
        "no folder notebooks/ here; run this inside a clone of the project, or give the file of a "
        "notebook (doctor needs none)"
    )


def find(number: str | int | None = None) -> list[Path]:
    """All notebooks in order, or the one whose number or file is given.

    "5" and "05" are the same; a file needs no clone. Raises ValueError if there is none.
    """
    if str(number).endswith(".ipynb"):
        if not Path(number).is_file():
            raise ValueError(f"no file {number}; give a notebook's number or its file")
        return [Path(number)]
    every = sorted(folder().glob("part*/[0-9][0-9]_*.ipynb"), key=lambda p: p.name)
    if number is None:
        return every
    found = [p for p in every if p.name[:2] == str(number).zfill(2)]
    if not found:
        raise ValueError(f"no notebook {number}; there are {', '.join(p.name[:2] for p in every)}")
    return found


def read(path: str | Path) -> "NotebookNode":
    """The notebook as nbformat has it.

    Raises ValueError for a file that is none.
    """
    import nbformat

    try:
        return nbformat.read(path, as_version=4)
    except _UNREADABLE as error:
        why = f"{type(error).__name__}: {str(error)[:80]}"
        raise ValueError(
            f"{path} is no notebook ({why}); give a file that Jupyter opens"
        ) from error


_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError)  # of converters of old formats, too


def source_of(book: "NotebookNode", tag: str) -> str:
    """The source of the first code cell with this tag, or "" if there is none."""
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    return next((cell.source for cell in code if tag in cell.metadata.get("tags", [])), "")


def title(book: "NotebookNode") -> str:
    """The title without the number: "Start here" of "# 00 · Start here"."""
    return re.sub(r"^#\s*(\d+\s*·)?\s*", "", book.cells[0].source.split("\n")[0])


def question(book: "NotebookNode") -> str:
    """The question of the notebook, from the line **Question.** of its first cell."""
    return _first(r"\*\*Question\.?\*\*:?\s*(.+)", book.cells[0].source)


def cost(book: "NotebookNode") -> str:
    """The stamp of `make cost`: "about 12 s on one core, 310 MB"."""
    return _first(r"<!-- cost -->(.*?)<!-- /cost -->", book.cells[0].source)


def _first(pattern, text):
    found = re.search(pattern, text)
    return found[1].strip() if found else ""


def parameters(book: "NotebookNode") -> dict[str, Any]:
    """{name: default} of the cell tagged `parameters`, which holds plain literals only."""
    tree = ast.parse(source_of(book, "parameters"))
    return {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
    }


def fitted(where: str, known: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """The values as the types of the defaults in `known`.

    Text is read as Python, unless the default is text. where: whose parameters they are. Raises
    ValueError for a name that is not among them, with the nearest, and for another type.

    Examples
    --------
    >>> fitted("05", {"depth": 3, "rate": 0.1}, {"depth": "50", "rate": 1})
    {'depth': 50, 'rate': 1.0}
    """
    for name in values.keys() - known.keys():
        near = "".join(f" (did you mean {n}?)" for n in difflib.get_close_matches(name, known, 1))
        defaults = ", ".join(f"{k}={v!r}" for k, v in known.items())
        raise ValueError(f"{where} has no parameter {name}{near}; it has {defaults or 'none'}")
    return {name: _fit(f"{where}: {name}", known[name], value) for name, value in values.items()}


_KINDS = {
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    str: "text",
    list: "a list",
}


def _fit(what, default, given):
    """One value as the type of its default. what: the name, for errors."""
    kind = type(default)
    value = _as_python(given, kind) if isinstance(given, str) else given
    if kind is float and type(value) is int:
        return float(value)
    if kind is list and isinstance(value, list | tuple):
        if not default:
            return list(value)
        return [_fit(f"{what}, one entry", default[0], one) for one in value]
    if type(value) is not kind:
        wanted = _KINDS.get(kind, kind.__name__)
        raise ValueError(f"{what} wants {wanted}, like its default {default!r}; came {given!r}")
    return value


def _as_python(text, kind):
    """What a text says in Python; the text itself if it says nothing, or if text is wanted."""
    try:
        value = ast.literal_eval(text.capitalize() if text in ("true", "false") else text)
    except (ValueError, SyntaxError):
        return text
    return text if kind is str and not isinstance(value, str) else value


VERDICT = r"[✓✗] .* \[measured .*; wanted .*\]"


def claims(book: "NotebookNode") -> list[tuple[bool, str]]:
    """[(held, line)] for each line that a claim printed."""
    return [(line[0] == "✓", line) for line in _printed(book) if re.fullmatch(VERDICT, line)]


def checks(book: "NotebookNode") -> list[tuple[bool, str]]:
    """[(held, line)] for each line that a check printed, without the word check."""
    lines = [line.removeprefix("check ") for line in _printed(book) if line.startswith("check ")]
    return [(line[0] == "✓", line) for line in lines if re.fullmatch(VERDICT, line)]


def text_of(line: str) -> str:
    """The sentence of a claim's or a check's line."""
    return re.fullmatch(r"[✓✗] (.*) \[measured .*\]", line)[1]


def _printed(book):
    """All lines of all cells' standard output."""
    outputs = [o for c in book.cells if c.cell_type == "code" for o in c.outputs]
    said = [o.text for o in outputs if o.get("name") == "stdout"]
    return "\n".join(said).splitlines()


def run(
    path: Path,
    out: str | Path,
    values: dict[str, Any] | None = None,
    progress: bool = True,
    page: str | Path | None = None,
) -> "NotebookNode":
    """Execute a copy of a notebook, with other parameters; the executed notebook.

    Parameters
    ----------
    path : Path
        The notebook, which stays as it is.
    out : path
        Where the copy goes.
    values : dict, optional
        Of parameters.
    progress : bool
        Whether there is a bar.
    page : path, optional
        Where the copy goes as HTML.

    Returns
    -------
    NotebookNode

    Raises
    ------
    ValueError
        For a parameter that the notebook does not have, or of another type.
    RuntimeError
        Where a cell fails; the copy up to there is kept beside `out`. Otherwise both files are
        written whole or not at all.
    """
    import papermill

    values = fitted(path.name, parameters(read(path)), values or {})
    os.environ.setdefault("DLSCRATCH_PROGRESS", "0")  # in the kernel; a bar is no output
    options = {"cwd": str(path.parent), "kernel_name": "python3", "progress_bar": progress}
    # a local kernel needs no advice on encrypting its connection
    options["extra_arguments"] = ["--log-level=ERROR"]
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    with whole(out, *([page] if page else [])) as drafts:
        try:
            papermill.execute_notebook(str(path), str(drafts[0]), values, **options)
        except papermill.PapermillExecutionError as error:
            kept = Path(out).with_stem(f"{Path(out).stem}_failed")
            os.replace(drafts[0], kept)
            what = f"{path.name}, executed cell {error.exec_count}: {error.ename}: {error.evalue}"
            raise RuntimeError(f"{what}; the copy up to there is {kept}") from error
        if page:
            drafts[1].write_text(_html(drafts[0]), encoding="utf-8")
    return read(out)


def _html(path):
    from nbconvert import HTMLExporter

    return HTMLExporter().from_filename(str(path))[0]


def blank_exercises(path: Path, out: str | Path) -> Path:
    """Copy a notebook without its solutions and outputs, for a reader who wants to try first."""
    import nbformat

    book = read(path)
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
            if "solution" in cell.metadata.get("tags", []):
                cell.source = _stub(cell.source)
                cell.metadata.pop("jupyter", None)
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    with whole(out) as (draft,):
        nbformat.write(book, draft)
    return Path(out)


def _stub(source):
    """What is left of a solution: imports, functions without their bodies, other names as None.

    Its check then says "not yet". A function keeps its signature and its docstring.
    """
    kept = ["# Your turn."]
    names = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            kept.append(ast.unparse(node))
        elif isinstance(node, ast.FunctionDef):
            text = ast.get_docstring(node)
            told = [ast.Expr(ast.Constant(text))] if text else []
            node.body = [*told, ast.Expr(ast.Constant(...))]
            kept.append(ast.unparse(node))
        elif isinstance(node, ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign):
            inside = [n for target in node.targets for n in ast.walk(target)]
            stored = [n for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
            names += [n.id for n in stored]
    return "\n".join([*kept, *(f"{name} = None" for name in dict.fromkeys(names))])
