"""The pages Claims and Concepts: what notebooks measured, and a claim for each concept."""

import re
import tomllib
from html import escape
from pathlib import Path
from typing import NamedTuple

import nbformat

from dlscratch.cli import notebooks as nb
from dlscratch.lab.claim import Claim
from tools.notebooks import breaks, reach

from .front import page_of, tag, words

__all__ = ["Row", "rows", "claims_values", "concepts_values"]

NAME, YEAR = r"[A-Z][\w’'-]+", r"(?:1[6-9]|20)\d\d[a-z]?"
IN_BRACKETS = rf"\(([A-Z][^()\d]{{2,70}}? {YEAR})[^()]*\)"  # (Poole et al., 2016), (Cover 1965)
IN_THE_TEXT = rf"\b((?:{NAME}(?:, | and ))*{NAME}(?: et al\.)? \({YEAR}\))"  # De and Smith (2020)
CITED = re.compile(f"{IN_BRACKETS}|{IN_THE_TEXT}")
EQUATION, TAG = r"(?<![\w)\]])\((\d+\w?)\)", r"\\tag\{?(\w+)"
GROUPS = dict(
    zip(
        "ABCDEFGHIJKLMNOPQRSTU",
        [
            "Mathematics and automatic differentiation",
            "Losses and probability",
            "Activations, initialization, gradient flow",
            "Normalization",
            "Optimizers and schedules",
            "Convergence and landscapes",
            "Regularization and generalization",
            "Convolutional networks",
            "Recurrent networks",
            "Attention, transformers, language models",
            "State space models",
            "Graphs",
            "Equivariance",
            "Generative models",
            "Representation",
            "Information theory",
            "Interpretability",
            "Decisions",
            "Meta-learning and self-improvement",
            "Neuro-symbolic methods",
            "Systems",
        ],
    )
)


class Row(NamedTuple):
    """One claim or check: where it stands, what it says, whether it held, and what it names.

    `breaks` are the edits at which it was seen to fail, `reach` at how many neighbouring settings
    it still holds.
    """

    path: str
    cell: str
    text: str
    holds: bool
    measured: str
    wanted: str
    source: str
    kind: str = "claim"
    breaks: str = ""
    reach: str = ""

    @property
    def number(self):
        return Path(self.path).name[:2]

    @property
    def link(self):
        return tag("a", words(self.text), href=f"{page_of(self.path)}#cell-{self.cell}")


def rows(books):
    """Every claim and check of every notebook, in order, from the outputs that are committed."""
    return [
        row
        for path, book in books.items()
        for i in range(len(book.cells))
        for row in _of_cell(path, book, i)
    ]


def _of_cell(path, book, i):
    cell = nbformat.NotebookNode(cells=[book.cells[i]])
    id_ = book.cells[i].id
    for _, line in nb.claims(cell):
        made = Claim.read(line)
        named = cited(book, i, made.text)
        broken = "; ".join(b.name for b in breaks.of(book) if made.text in b.flips)
        yield Row(path, id_, *made, named, "claim", broken, _reach(path, made.text))
    for _, line in nb.checks(cell):
        yield Row(path, id_, *Claim.read(line), "", "check")


def _reach(path, text):
    """ "12 of 15" neighbouring settings, or "" where it was not measured."""
    measured = reach.known().get(Path(path).stem, {})
    held = measured.get("claims", {}).get(text)
    return "" if held is None else f"{held} of {measured['settings']}"


def cited(book, i, text):
    """The work that the claim or else the prose directly above its cell names last.

    The equations and PyTorch if the claim names them.
    """
    known = {
        tag
        for cell in book.cells
        if cell.cell_type == "markdown"
        for tag in re.findall(TAG, cell.source)
    }
    equations = [
        f"({number})" for number in dict.fromkeys(re.findall(EQUATION, text)) if number in known
    ]
    named = [_work(book, i, text), *equations, "PyTorch" if "PyTorch" in text else ""]
    return ", ".join(filter(None, named))


def _work(book, i, text):
    above = next((c.source for c in reversed(book.cells[:i]) if c.cell_type == "markdown"), "")
    for place in (text, re.sub(r"\s+", " ", above)):
        if names := [a or b for a, b in CITED.findall(place)]:
            return names[-1]
    return ""


def claims_values(rows, books):
    """What docs/claims.md leaves open."""
    titles = {Path(path).name[:2]: nb.title(book) for path, book in books.items()}
    choices = {number: f"{number} · {title}" for number, title in titles.items()}
    checks = [row for row in rows if row.kind == "check"]
    rows = [row for row in rows if row.kind == "claim"]
    return {
        "held": sum(row.holds for row in rows),
        "total": len(rows),
        "checks": len(checks),
        "checks_held": sum(row.holds for row in checks),
        "checks_table": table(
            "checks",
            "Every check: what could not have come out otherwise",
            CHECK_HEADS,
            map(_check, checks),
        ),
        "filters": filters(
            "claims", notebook=choices, verdict={"holds": "holds", "fails": "fails"}
        ),
        "table": table(
            "claims",
            "Every claim, its measured value and its bound",
            CLAIM_HEADS,
            map(_claim, rows),
        ),
    }


def _claim(row):
    verdict = ("holds", "✓ holds") if row.holds else ("fails", "✗ fails")
    cells = (
        words(row.measured),
        words(row.wanted),
        tag("span", verdict[1], Class=verdict[0]),
        words(row.source) or NOTHING,
        words(row.breaks) or NOTHING,
        row.reach or NOTHING,
    )
    labelled = "".join(
        tag("td", cell, **{"data-label": head})
        for head, cell in zip(CLAIM_HEADS[2:], cells, strict=True)
    )
    line = (
        tag("td", row.number, **{"data-label": "Notebook"})
        + tag("th", row.link, scope="row")
        + labelled
    )
    return tag("tr", line, **{"data-notebook": row.number, "data-verdict": verdict[0]})


CLAIM_HEADS = ["Notebook", "Claim", "Measured", "Wanted", "Verdict", "Named beside it"]
CLAIM_HEADS += ["Broken by", "Reach"]
CHECK_HEADS = ["Notebook", "Check", "Measured", "Wanted"]


def _check(row):
    cells = tag("td", row.number) + tag("th", row.link, scope="row")
    return tag("tr", cells + tag("td", words(row.measured)) + tag("td", words(row.wanted)))


NOTHING = tag("span", "–", Class="none")


def concepts_values(rows):
    """What docs/concepts.md leaves open."""
    concepts = tomllib.loads((nb.folder() / "concepts.toml").read_text(encoding="utf-8"))["concept"]
    where = {(row.number, row.text): row for row in rows}
    heads = ["Group", "Concept", "Notebook and claim"]
    return {
        "total": len(concepts),
        "covered": sum(bool(c.get("covered")) for c in concepts),
        "filters": filters("concepts", state={"covered": "covered", "open": "open"}),
        "table": table(
            "concepts",
            "Every concept, and the claims that cover it",
            heads,
            (_concept(c, where) for c in concepts),
        ),
    }


def _concept(concept, where):
    found = [where[place["notebook"], place["claim"]] for place in concept.get("covered", [])]
    links = "<br>".join(f"{row.number}: {row.link}" for row in found) or tag(
        "span", "open", Class="none"
    )
    line = (
        tag("td", GROUPS[concept["group"]])
        + tag("th", escape(concept["name"]), scope="row")
        + tag("td", links)
    )
    return tag("tr", line, **{"data-state": "covered" if found else "open"})


def filters(name, **choices):
    """A search box, a menu for each further column, and the line that counts.

    Hidden until the script book.js is there.
    """
    inside = '<label>Contains <input type="search" name="words" autocomplete="off"></label>'
    for column, options in choices.items():
        menu = '<option value="">all</option>' + "".join(
            tag("option", escape(text), value=value) for value, text in options.items()
        )
        inside += tag("label", f"{column.capitalize()} {tag('select', menu, name=column)}")
    attributes = {
        "Class": "filters",
        "data-table": f"table-{name}",
        "role": "search",
        "aria-label": "Filter the table",
    }
    return tag("form", inside + tag("output", "", **{"aria-live": "polite"}), **attributes)


def table(name, caption, heads, lines):
    """A table in a box of its own, which scrolls sideways where it does not fit."""
    head = tag("thead", tag("tr", "".join(tag("th", h, scope="col") for h in heads)))
    inside = tag("caption", caption) + head + tag("tbody", "".join(lines))
    return tag("div", tag("table", inside, Class="ledger", id=f"table-{name}"), Class="wide")
