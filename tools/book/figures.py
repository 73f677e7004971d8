"""The figures of a notebook: what each says in words, its anchor, the pictures of the gallery."""

import ast
import base64
import io
import re

from PIL import Image

from dlscratch.cli import notebooks as nb

__all__ = ["alt", "answer_text", "describe", "anchor_cells", "answer_picture", "thumbnail", "WIDTH"]

WIDTH = 640
AXES = {"xlabel": "horizontal axis", "ylabel": "vertical axis"}
CALLS = {
    "set_title": "title",
    "suptitle": "title",
    "set_xlabel": "xlabel",
    "set_ylabel": "ylabel",
    "title": "title",
}


def describe(book):
    """Give cells with a figure its words, and code cells an anchor, in myst-nb's metadata."""
    values = nb.parameters(book)
    for i, cell in enumerate(book.cells):
        if cell.cell_type == "code":
            cell.metadata["anchor"] = f"cell-{cell.id}"
            if any("image/png" in out.get("data", {}) for out in cell.outputs):
                cell.metadata["mystnb"] = {"image": {"alt": alt(book, i, values)}}


def alt(book, i, values):
    """What a reader who cannot see the figure of cell i is told: its titles, then its axes.

    Where the code states none, or one that only a run knows, the first sentence below it; of the
    answer, the author's own words.
    """
    cell = book.cells[i]
    if "answer" in cell.metadata.get("tags", []) and answer_text(book):
        return f"Figure: {answer_text(book)}"
    said = labels(cell.source, values)
    titles = [t for t in dict.fromkeys(said["title"]) if t.count("…") < 2] or [
        _first_sentence(book, i)
    ]
    axes = [
        f"{words}: {', '.join(dict.fromkeys(said[key]))}"
        for key, words in AXES.items()
        if said[key]
    ]
    return plain("Figure: " + ". ".join([" / ".join(titles), *axes]))


def answer_text(book):
    """The words that the author gave to the figure on top."""
    shown = r"!\[([^\]]*)\]\(data:image/png"
    found = re.search(shown, book.cells[0].source)
    return plain(found[1]) if found else ""


def labels(source, values):
    """{"title": [...], "xlabel": [...], "ylabel": [...]}: the texts of a cell's figure."""
    found = {"title": [], "xlabel": [], "ylabel": []}
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        given = [(CALLS[name], call.args[0])] if name in CALLS and call.args else []
        given += [(k.arg, k.value) for k in call.keywords if k.arg in found]
        for kind, node in given:
            found[kind] += [text for text in [_text(node, values)] if text.strip("… ")]
    return found


def _text(node, values):
    """A string literal.

    In an f-string, a parameter's default stands for its name, and … for what only a run knows.
    """
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part, values) for part in node.values)
    inner = getattr(node, "value", None)
    return str(values.get(inner.id, "…")) if isinstance(inner, ast.Name) else "…"


def _first_sentence(book, i):
    below = next((c.source for c in book.cells[i + 1 :] if c.cell_type == "markdown"), "")
    text = re.sub(
        r"^#.*$|\*\*Predict.*|<details.*?</details>", "", below, flags=re.M | re.S
    ).strip()
    return re.split(r"(?<=[.:?])\s", text)[0].rstrip(".:")


def plain(text):
    """Text without the marks of LaTeX and markdown, on one line."""
    text = re.sub(r"\\(?:mathrm|mathbf|mathcal|text)\b", "", text)
    return re.sub(r"\s+", " ", re.sub(r"[$`*{}\\]", "", text)).strip()


def anchor_cells(app, doctree):
    """Sphinx's hook: a code cell can be linked to by its identity in the notebook's file."""
    for node in doctree.findall(
        lambda n: n.get("nb_element") == "cell_code" if hasattr(n, "get") else False
    ):
        node["ids"].append(node["cell_metadata"]["anchor"])


def answer_picture(book):
    """The PNG of the figure that answers the notebook's question."""
    shown = re.search(r"\]\(data:image/png;base64,([^)]+)\)", book.cells[0].source)
    return base64.b64decode(shown[1])


def thumbnail(png):
    """(a small PNG, its width, its height) for the gallery: WIDTH pixels, 64 colours at most."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.thumbnail((WIDTH, WIDTH), Image.Resampling.LANCZOS)
    small = io.BytesIO()
    picture.quantize(64).save(small, "PNG", optimize=True)
    return small.getvalue(), *picture.size
