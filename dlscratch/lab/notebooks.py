"""The notebooks as files: finding them, running them with other parameters, and reading their claims."""

import ast
import os
import re
from pathlib import Path

__all__ = [
    "folder", "find", "read", "source_of", "title", "question", "cost", "parameters", "claims", "run", "to_html",
    "blank_exercises",
]  # fmt: skip


def folder():
    """The folder notebooks/ of the clone that this package was installed from, or of the working directory.

    Raises FileNotFoundError where there is neither.
    """
    for place in (Path(__file__).parents[2], Path.cwd()):
        if (place / "notebooks").is_dir():
            return place / "notebooks"
    raise FileNotFoundError("no folder notebooks/ here; run this inside a clone of the project")


def find(number=None):
    """All notebooks in order, or the one whose number is given; "5" and "05" are the same.

    Raises ValueError if there is none.
    """
    every = sorted(folder().glob("part*/[0-9][0-9]_*.ipynb"), key=lambda p: p.name)
    if number is None:
        return every
    found = [p for p in every if p.name[:2] == str(number).zfill(2)]
    if not found:
        raise ValueError(f"no notebook {number}; there are {', '.join(p.name[:2] for p in every)}")
    return found


def read(path):
    """The notebook as nbformat has it."""
    import nbformat

    return nbformat.read(path, as_version=4)


def source_of(book, tag):
    """The source of the first code cell with this tag, or "" if there is none."""
    return next((c.source for c in book.cells if c.cell_type == "code" and tag in c.metadata.get("tags", [])), "")


def title(book):
    """The title without the number: "Start here" of "# 00 · Start here"."""
    return re.sub(r"^#\s*(\d+\s*·)?\s*", "", book.cells[0].source.split("\n")[0])


def question(book):
    """The question of the notebook in one sentence, from the line **Question.** of its first cell."""
    return _first(r"\*\*Question\.?\*\*:?\s*(.+)", book.cells[0].source)


def cost(book):
    """The stamp of `make cost`: "about 12 s on one core, 310 MB"."""
    return _first(r"<!-- cost -->(.*?)<!-- /cost -->", book.cells[0].source)


def _first(pattern, text):
    found = re.search(pattern, text)
    return found[1].strip() if found else ""


def parameters(book):
    """{name: default} of the cell tagged `parameters`, which holds plain literals only."""
    tree = ast.parse(source_of(book, "parameters"))
    return {node.targets[0].id: ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign)}


def claims(book):
    """[(held, line)] for each line that a claim printed."""
    said = [o.text for c in book.cells if c.cell_type == "code" for o in c.outputs if o.get("name") == "stdout"]
    return [(line[0] == "✓", line) for line in "\n".join(said).splitlines() if re.match("[✓✗] ", line)]


def run(path, out, values=None, progress=True):
    """Execute a copy with other parameters into `out`; returns the executed notebook. The original stays as it is.

    Raises ValueError for a parameter that the notebook does not have, and RuntimeError where a cell fails.
    """
    import papermill

    known = parameters(read(path))
    if unknown := sorted((values or {}).keys() - known.keys()):
        raise ValueError(f"{path.name} has no parameter {', '.join(unknown)}; it has {', '.join(known)}")
    os.environ.setdefault("DLSCRATCH_PROGRESS", "0")
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    options = dict(cwd=str(path.parent), kernel_name="python3", progress_bar=progress)
    options["extra_arguments"] = ["--log-level=ERROR"]  # a local kernel needs no advice on encrypting its connection
    try:
        papermill.execute_notebook(str(path), str(out), values or {}, **options)
    except papermill.PapermillExecutionError as error:
        what = f"{path.name}, executed cell {error.exec_count}: {error.ename}: {error.evalue}"
        raise RuntimeError(f"{what}; the copy up to there is {out}") from error
    return read(out)


def to_html(path):
    """Write the page beside the notebook; returns its path."""
    from nbconvert import HTMLExporter

    page = Path(path).with_suffix(".html")
    page.write_text(HTMLExporter().from_filename(str(path))[0], encoding="utf-8")
    return page


def blank_exercises(path, out):
    """Copy a notebook with its solutions cut out and all outputs removed, for a reader who wants to try first."""
    import nbformat

    book = read(path)
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            if "solution" in cell.metadata.get("tags", []):
                cell.source = _stub(cell.source)
                cell.metadata.pop("jupyter", None)
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(book, out)
    return Path(out)


def _stub(source):
    """A solution's imports, and the names that it defines, each set to None: its check then says "not yet"."""
    kept, names = ["# Your turn."], []
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            kept.append(ast.unparse(node))
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign):
            inside = [n for target in node.targets for n in ast.walk(target)]
            names += [n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    return "\n".join([*kept, *(f"{name} = None" for name in dict.fromkeys(names))])
