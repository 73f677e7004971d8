"""python -m tools.book.stage: write build/source, the tree that Sphinx reads.

It is made of the committed notebooks and pages.
"""

import copy
import re
import shutil
from importlib import metadata
from pathlib import Path
from string import Template

import nbformat

from dlscratch.cli import notebooks as nb
from tools.notebooks import address

from . import api, figures, front, ledger, prerequisites, ratios

__all__ = ["ROOT", "OUT", "main"]

ROOT = Path(__file__).parents[2]
OUT = ROOT / "build" / "source"
FOLDED = {"solution": "Solution", "setup": "Imports"}
MATHJAX = ("tex-chtml.js", "output/chtml/", "input/tex/")  # of the 24 MB of its package


def main():
    """Write everything anew."""
    books = {path.relative_to(ROOT).as_posix(): nb.read(path) for path in nb.find()}
    texts = (
        pages(books)
        | api.pages()
        | {path: nbformat.writes(staged(book, path)) for path, book in books.items()}
    )
    files = {name: text.encode() for name, text in texts.items()} | pictures(books) | mathjax()
    shutil.rmtree(OUT, ignore_errors=True)
    for name, data in files.items():
        (OUT / name).parent.mkdir(parents=True, exist_ok=True)
        (OUT / name).write_bytes(data)


def pages(books):
    """The pages of docs/, with what they leave open filled in."""
    rows = ledger.rows(books)
    guides = guide_names()
    return {
        "index.md": page("index", front.values(books) | late()) + front.contents(books, guides),
        "claims.md": page("claims", ledger.claims_values(rows, books)),
        "concepts.md": page("concepts", ledger.concepts_values(rows)),
        "errata.md": page("errata", {"open_questions": front.open_questions(books)}),
        "performance.md": with_picture(read("performance")),
        **{f"{name}.md": read(name) for name in guides},
    }


def late():
    """What the front page says of the whole plan."""
    return {"prerequisites": prerequisites.drawing(), "to_come": front.to_come()}


def guide_names():
    """The other pages of docs/, which stand as they are."""
    return sorted({f.stem for f in (ROOT / "docs").glob("*.md")} - {"index", *front.EVIDENCE})


def read(name):
    """A page of docs/.

    In the book notebooks/ lies beside it; what else it links to lies in the repository.
    """
    text = (
        (ROOT / "docs" / f"{name}.md")
        .read_text(encoding="utf-8")
        .replace("](../notebooks/", "](notebooks/")
    )
    return text.replace("](../", f"](https://github.com/{address.repository()}/blob/main/")


def page(name, values):
    return Template(read(name)).substitute(values)


def with_picture(text):
    """The page on performance, with its ratios drawn above their table."""
    words = "Figure: the ratio of step times, dlscratch over PyTorch, for eight workloads and two "
    words += "runs; the table below has the numbers"
    return re.sub(
        r"(?<=\n\n)(?=\| workload \|)", f"![{words}](/figures/ratios.png)\n\n", text, count=1
    )


def staged(book, path):
    """The notebook as the book shows it: figures with words, set-up and solutions folded.

    No picture comes from elsewhere.
    """
    book = copy.deepcopy(book)
    figures.describe(book)
    head = book.cells[0]
    number = Path(path).name[:2]
    page = f"../../claims.html?notebook={number}"
    claims = f'<a href="{page}">{len(nb.claims(book))} claims</a>'
    head.source = re.sub(
        r"\[!\[Open in Colab\]\([^)]*\)\]\((.*?)\)", rf"[Open in Colab](\1) · {claims}", head.source
    )
    shown = r"\]\(data:image/png;base64,[^)]*\)"
    head.source = re.sub(shown, f"](/figures/{Path(path).stem}.png)", head.source)
    for cell in (c for c in book.cells if c.cell_type == "markdown"):
        cell.source = re.sub(r"(?<=\]\(#)[^)]+", _heading_anchor, cell.source)
    fold(next(c for c in book.cells if c.cell_type == "code"), "setup", "hide-input")
    for cell in (c for c in book.cells if "solution" in c.metadata.get("tags", [])):
        fold(cell, "solution", "hide-cell")
    return book


def fold(cell, what, tag):
    cell.metadata["tags"] = [*cell.metadata.get("tags", []), tag]
    prompts = {"code_prompt_show": FOLDED[what], "code_prompt_hide": FOLDED[what]}
    cell.metadata["mystnb"] = cell.metadata.get("mystnb", {}) | prompts


def _heading_anchor(found):
    """Jupyter links to "#One-layer:-so"; the book's anchor of that heading is "one-layer-so"."""
    return re.sub(r"[^\w-]", "", found[0]).lower()


def pictures(books):
    """Each notebook's answer, in full and as a small one for the gallery.

    And the ratios of the page on performance.
    """
    found = {"figures/ratios.png": ratios.picture(read("performance"))}
    for path, book in books.items():
        png, stem = figures.answer_picture(book), Path(path).stem
        found |= {
            f"figures/{stem}.png": png,
            f"_static/gallery/{stem}.png": figures.thumbnail(png)[0],
        }
    return found


def mathjax():
    """The part of MathJax that formulas need: the program, its fonts, and rarer commands."""
    package = {
        f.as_posix().partition("/static/mathjax/")[2]: f
        for f in metadata.files("sphinx-mathjax-offline")
    }
    return {
        f"_static/mathjax/{name}": f.read_binary()
        for name, f in package.items()
        if name.startswith(MATHJAX)
    }


if __name__ == "__main__":
    main()
