"""python -m tools.notebooks.breaks [NUMBER | all] [SAMPLE]: break notebooks on purpose.

Which claims notice?

A break is a small edit of one cell that stands in the notebook's metadata: its name, the cell's
id, what is replaced by what, and the claims that must then fail, all others staying. A claim that
no honest break can flip is no claim.
"""

import copy
import datetime
import random
import sys
import time
from typing import NamedTuple

import nbformat

from dlscratch.cli import notebooks as nb

from . import ledger


class Break(NamedTuple):
    """In the cell `cell`, `old`, which stands there once, becomes `new`; then `flips` fail."""

    name: str
    cell: str
    old: str
    new: str
    flips: list


def of(book):
    """The breaks of a notebook."""
    return [Break(**fields) for fields in book.metadata.get("breaks", [])]


def faults(book, texts):
    """What is wrong with the list of breaks, given the claims' texts; nothing is run."""
    known = {text for b in of(book) for text in b.flips}
    yield from (f"no break flips the claim: {text}" for text in texts if text not in known)
    yield from (f"a break flips a claim that is not made: {t}" for t in sorted(known - set(texts)))
    for b in of(book):
        try:
            broken(book, b)
        except ValueError as error:
            yield str(error)


def broken(book, b):
    """A copy of the notebook with the break in it. Raises ValueError where it does not fit."""
    made = copy.deepcopy(book)
    cells = [c for c in made.cells if c.get("id") == b.cell]
    if len(cells) != 1:
        raise ValueError(f"the break {b.name!r} names the cell {b.cell!r}, which is not there")
    count = cells[0].source.count(b.old)
    if count != 1:
        raise ValueError(f"the break {b.name!r} replaces {b.old!r}, which stands {count} times")
    cells[0].source = cells[0].source.replace(b.old, b.new)
    return made


def run(path, b):
    """Faults of one break: claims that should have failed and did not, and the reverse."""
    folder = ledger.BUILD / "breaks"
    folder.mkdir(parents=True, exist_ok=True)
    edited = path.parent / f".broken_{path.name}"  # beside the original, whose links it shares
    try:
        edited.write_text(nbformat.writes(broken(nb.read(path), b)), encoding="utf-8")
        book = nb.run(edited, folder / path.name, progress=False)
    except RuntimeError as error:
        return [str(error)]
    finally:
        edited.unlink(missing_ok=True)
    failed = {nb.text_of(line) for held, line in nb.claims(book) if not held}
    stayed = [f"still ✓: {text}" for text in b.flips if text not in failed]
    return stayed + [f"✗ unasked: {text}" for text in sorted(failed - set(b.flips))]


def campaign(number="all", sample=None):
    """Run every break that was not seen to work yet, or a sample; returns how many have faults."""
    paths = nb.find(None if number == "all" else number)
    pairs = [(path, b) for path in paths for b in of(nb.read(path))]
    if sample:
        today = random.Random(datetime.date.today().toordinal())
        pairs = today.sample(pairs, min(int(sample), len(pairs)))
    left = [(path, b) for path, b in pairs if not ledger.done(path, f"break {b}")]
    print(f"breaks: {len(pairs)}, of which {len(pairs) - len(left)} were seen to work already")
    return sum(not one(path, b) for path, b in left)


def one(path, b):
    start = time.perf_counter()
    found = run(path, b)
    seconds = time.perf_counter() - start
    print(
        "✗" if found else "✓",
        path.stem,
        f"{b.name} ({seconds:.0f} s)",
        *found,
        sep="  ",
        flush=True,
    )
    if not found:
        ledger.record(path, f"break {b}")
    return not found


if __name__ == "__main__":
    sys.exit(campaign(*sys.argv[1:]) > 0)
