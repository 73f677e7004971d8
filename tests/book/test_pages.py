"""The built pages as files: claims, the figures' words, links, and the parts of the reference."""

import importlib
import pkgutil
import re
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag

import pytest

import dlscratch
from dlscratch import lab
from dlscratch.cli import notebooks as nb
from tools.book import api, docstrings, figures, ledger


class Page(HTMLParser):
    """The images, links and anchors of a page."""

    def __init__(self, path):
        super().__init__()
        self.images, self.links, self.anchors = [], [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.anchors.add(given.get("id"))
        if tag == "img":
            self.images.append(given)
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])


@pytest.fixture(scope="module")
def pages(book):
    return {path: Page(path) for path in book.rglob("*.html") if "_static" not in path.parts}


def test_every_figure_has_words(pages):
    ours = [
        (path.name, image)
        for path, page in pages.items()
        for image in page.images
        if re.search("_images|gallery", image["src"])
    ]
    told = [(name, image.get("alt")) for name, image in ours]
    assert len(told) > 100
    assert [
        one for one in told if len(one[1] or "") < 20 or re.search(r"[$\\{}]|\.png|None", one[1])
    ] == []


def test_every_link_leads_somewhere(pages):
    lost = []
    for path, page in pages.items():
        for link in page.links:
            where, anchor = urldefrag(re.sub(r"\?[^#]*", "", link))
            if re.match(r"[a-z]+:", where):
                continue
            target = (path.parent / unquote(where)).resolve() if where else path
            if (
                not target.is_file()
                or anchor
                and target in pages
                and unquote(anchor) not in pages[target].anchors
            ):
                lost.append((path.name, link))
    assert lost == []


def test_every_claim_stands_in_the_ledger():
    books = {f"notebooks/{p.parent.name}/{p.name}": nb.read(p) for p in nb.find()}
    rows = [row for row in ledger.rows(books) if row.kind == "claim"]
    assert [row.holds for row in rows] == [
        held for book in books.values() for held, _ in nb.claims(book)
    ]
    line = "{} {} [measured {}; wanted {}]"
    written = [line.format("✓" if r.holds else "✗", r.text, r.measured, r.wanted) for r in rows]
    assert written == [said for book in books.values() for _, said in nb.claims(book)]


def test_every_public_name_stands_in_the_reference(pages):
    ends = {
        a.rpartition(".")[2]
        for path, page in pages.items()
        if path.parent.name == "api"
        for a in page.anchors
        if a
    }
    for name in api.MODULES:
        module = importlib.import_module(name)
        ours = {n: getattr(module, n) for n in module.__all__}
        public = [
            n
            for n, it in ours.items()
            if callable(it) and str(getattr(it, "__module__", "")).startswith("dlscratch")
        ]
        assert set(public) <= ends, name


def test_every_module_has_a_page_in_the_reference():
    """All of floor 2 and the laboratory, except what other modules show or use."""
    inner = {"dlscratch.cli", "dlscratch.lab", "dlscratch.lab.graph"}
    found = {
        f"{package.__name__}.{m.name}"
        for package in (dlscratch, lab)
        for m in pkgutil.iter_modules(package.__path__)
    }
    assert {name for name in found if not name.endswith("__main__")} - inner <= api.MODULES.keys()


def test_words_of_a_figure_come_from_its_code():
    source = 'ax.set(title=f"After {n} layers, $x$ {y}", xlabel="layer")\n'
    source += 'ax.set_title("Two")\nfig.suptitle(other)'
    assert figures.labels(source, {"n": 50}) == {
        "title": ["After 50 layers, $x$ …", "Two"],
        "xlabel": ["layer"],
        "ylabel": [],
    }
    assert figures.plain(r"$\mathrm{rank}$  of `W`") == "rank of W"


def test_a_docstring_is_shown_as_it_stands():
    text = ["y = W*x_ + |b|, so `x` is code.", "", "    x: (N, D)", ""]
    assert docstrings.readable(text) == [
        r"y = W\*x\_ + \|b\|, so \ ``x``\  is code.",
        "",
        "x: (N, D)",
        "",
    ]


def test_the_sections_of_a_docstring_are_shown_as_such():
    text = ["One.", "", "- a, and", "  more", "- b", "and on", "", "Parameters", "----------"]
    text += ["x : (N, D)", "    The *input*.", "y : int", "", "Examples", "--------"]
    text += [">>> a * b_", "3", "", "The end."]
    wanted = ["One.", "", "", "- a, and", "  more", "- b", "", "and on", ""]
    wanted += ["", ".. rubric:: Parameters", "", "", "x : (N, D)", r"    The \*input\*."]
    wanted += ["", "y : int", "", "", ".. rubric:: Examples", "", ">>> a * b_", "3", "", "The end."]
    assert docstrings.readable(text) == wanted


@pytest.mark.parametrize(
    "text, source",
    [
        ("The scale of (Poole et al., 2016; section 3)", "Poole et al., 2016"),
        ("what De and Smith (2020) found", "De and Smith (2020)"),
        ("equation (7) of 2020", ""),
        ("Gradients (10), Hessians (11) and O(10) loops in PyTorch", "(10), (11), PyTorch"),
        ("Cover (1965) counts as (10) does", "Cover (1965), (10)"),
    ],
)
def test_what_a_claim_names(text, source):
    class Cell:
        source, cell_type = "", "code"

    class Prose:
        source, cell_type = r"$$a = b \tag{10}$$ $$c \tag{11}$$", "markdown"

    class Book:
        cells = [Cell, Prose]

    assert ledger.cited(Book, 0, text) == source
