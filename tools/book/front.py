"""The front page: the figure that answers each notebook's question, and the sidebar's contents."""

import re
from html import escape
from itertools import groupby
from pathlib import Path

from dlscratch.cli import notebooks as nb
from tools.notebooks import map as chart

from . import figures

__all__ = [
    "PARTS",
    "EVIDENCE",
    "values",
    "contents",
    "part_of",
    "page_of",
    "tag",
    "words",
    "open_questions",
]

PARTS = [
    "Foundations",
    "Signal propagation",
    "Optimization",
    "Generalization",
    "Architectures and inductive bias",
]
PARTS += ["Representation and generation", "Decisions", "Systems", "Self-improving systems"]
EVIDENCE = ["claims", "concepts", "errata", "performance"]


def values(books):
    """What docs/index.md leaves open."""
    return {
        "gallery": "\n".join(
            f"## {name}\n\n{gallery(paths, books)}\n" for name, paths in parts(books)
        )
    }


def to_come():
    """The titles of the notebooks that are still to come, a line a part."""
    there = chart.landed()
    lines = []
    for number, part in enumerate(chart.parts()):
        names = [f"{e.number} {e.title}" for e in part.entries if e.number not in there]
        if names:
            lines.append(f"- **Part {number} · {part.name}**: {' · '.join(names)}")
    return "\n".join(lines)


def contents(books, guides):
    """Hidden tables of contents, one a part: they make the sidebar and what is next."""
    trees = [
        *parts(books),
        ("Evidence", EVIDENCE),
        ("Guides", guides),
        ("Reference", ["api/index"]),
    ]
    trees = [(name, paths) for name, paths in trees if paths]
    return "\n".join(
        f"```{{toctree}}\n:caption: {name}\n:hidden:\n\n{chr(10).join(map(stem_of, paths))}\n```\n"
        for name, paths in trees
    )


def parts(books):
    return [(name, list(paths)) for name, paths in groupby(books, part_of)]


def part_of(path):
    """ "Part 1 · Signal propagation" of "notebooks/part1_signal/08_initialization.ipynb"."""
    number = int(re.search(r"/part(\d+)_", path)[1])
    return f"Part {number} · {PARTS[number]}"


def stem_of(path):
    return path.removesuffix(".ipynb")


def page_of(path):
    """The page of a notebook in the book."""
    return f"{stem_of(path)}.html"


def gallery(paths, books):
    return tag("ul", "".join(card(path, books[path]) for path in paths), Class="gallery")


def card(path, book):
    """One notebook: its answer, its title and its question, all one link."""
    stem = Path(path).stem
    _, width, height = figures.thumbnail(figures.answer_picture(book))
    size = f'width="{width}" height="{height}" loading="lazy"'
    picture = (
        f'<img src="_static/gallery/{stem}.png" alt="{escape(figures.answer_text(book))}" {size}>'
    )
    title = tag("span", f"{stem[:2]} · {words(nb.title(book))}", Class="card-title")
    question = tag("span", words(nb.question(book)), Class="card-question")
    return tag("li", tag("a", picture + title + question, href=page_of(path)))


def tag(name, inside, /, **attributes):
    """HTML: tag("a", "text", href="x") is <a href="x">text</a>.

    An attribute that Python reserves begins with a capital.

    A line ends after each element, since Sphinx's search would take the words of two neighbours for
    one.
    """
    given = "".join(f' {key.lower()}="{escape(value)}"' for key, value in attributes.items())
    return f"<{name}{given}>{inside}</{name}>\n"


def words(text):
    """Markdown of one line as HTML: only `code` is marked."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def open_questions(books):
    """The question that each notebook leaves to a later one, as a list in markdown."""
    lines = []
    for path, book in books.items():
        found = re.search(
            r"^Open question for the next notebook: (.+)", book.cells[-1].source, re.M
        )
        lines += (
            [f"- [{Path(path).name[:2]} · {nb.title(book)}]({path}): {found[1]}"] if found else []
        )
    return "\n".join(lines)
