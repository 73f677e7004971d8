"""The map of one hundred: which notebooks there are, which are to come, and what stands on what."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from dlscratch.cli import notebooks as nb

from . import address

__all__ = ["Entry", "Part", "entries", "parts", "landed", "linked_needs", "readme", "faults"]

FILE = address.ROOT / "notebooks" / "map.toml"


class Entry(NamedTuple):
    """One of the hundred."""

    number: str
    slug: str
    title: str
    question: str
    needs: list  # numbers, as in "04"


class Part(NamedTuple):
    """A part of the book, with its entries in order."""

    name: str
    folder: str
    entries: list


@cache
def _read():
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


@cache
def entries():
    """{number: Entry} of all one hundred."""
    found = {}
    for number, fields in _read()["notebook"].items():
        needs = [f"{n:02d}" for n in fields["needs"]]
        found[number] = Entry(number, fields["slug"], fields["title"], fields["question"], needs)
    return found


def parts():
    """The parts, in order."""
    found = []
    for fields in _read()["part"]:
        first, last = fields["notebooks"]
        own = [entries()[f"{n:02d}"] for n in range(first, last + 1)]
        found.append(Part(fields["name"], fields["folder"], own))
    return found


def landed():
    """{number: path} of the notebooks that exist."""
    return {path.name[:2]: path for path in nb.find()}


def linked_needs(book):
    """The numbers of the notebooks to which "Before this" links."""
    before = re.search(r"\*Before this\*(.*?)(\*After this\*|\n\n|$)", book.cells[0].source, re.S)
    return sorted(re.findall(r"\]\([^)]*?(\d\d)_\w+\.ipynb", before[1])) if before else []


def faults():
    """Where the map and the notebooks disagree, as sentences."""
    for number, path in landed().items():
        entry, book = entries()[number], nb.read(path)
        if path.stem != f"{number}_{entry.slug}":
            yield f"{path.stem} is called {entry.slug} in the map"
        if nb.title(book) != entry.title:
            yield f"{number}: its title is {nb.title(book)!r}, in the map {entry.title!r}"
        if nb.question(book) != entry.question:
            yield f"{number}: its question is {nb.question(book)!r}, in the map another"
        if linked_needs(book) != entry.needs:
            yield f"{number}: Before this links to {linked_needs(book)}, the map says {entry.needs}"
    for number, entry in entries().items():
        if late := [n for n in entry.needs if n >= number]:
            yield f"{number} needs {late}, which come after it"


def readme():
    """The README's map: a table of the notebooks of each part, and the titles to come."""
    there = landed()
    lines = []
    for number, part in enumerate(parts()):
        lines += ["", f"**Part {number} · {part.name}**", ""]
        made = [e for e in part.entries if e.number in there]
        if made:
            lines += [
                "| | notebook | question | time | needs | |",
                "| --- | --- | --- | --- | --- | --- |",
            ]
            lines += [_row(e, there[e.number]) for e in made]
        to_come = [e for e in part.entries if e.number not in there]
        if to_come:
            names = " · ".join(f"{e.number} {e.title}" for e in to_come)
            lines += ["", f"*To come:* {names}"] if made else [f"*To come:* {names}"]
    return "\n".join(lines).strip()


def _row(entry, path):
    book, where = nb.read(path), path.relative_to(address.ROOT).as_posix()
    needs = ", ".join(entry.needs) or "none"
    cells = (
        entry.number,
        f"[{entry.title}]({where})",
        entry.question,
        nb.cost(book),
        needs,
        address.badge(path),
    )
    return f"| {' | '.join(cells)} |"


def order(numbers):
    """{number: how many pages lie below it on the longest way}: the columns of the drawing."""
    depth = {}
    for number in sorted(numbers):
        below = [depth[n] for n in entries()[number].needs if n in depth]
        depth[number] = 1 + max(below, default=-1)
    return depth


def folder_of(number):
    """notebooks/partN_topic of a number, whether the notebook is there or not."""
    for part in parts():
        if number in {e.number for e in part.entries}:
            return Path("notebooks") / part.folder
    raise ValueError(f"no notebook {number} among the hundred; want 00 to 99")
