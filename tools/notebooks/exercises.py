"""python -m tools.notebooks.exercises [NUMBER | all]: feed right and wrong answers to each check.

The answers stand in the metadata of the check's cell, as code that defines what the learner would:
"exercise": {"right": [...], "wrong": [...]}. A check says "Yes" to the first kind and "Not yet" to
the second, in a session in which the whole notebook has run, and never raises.
"""

import copy
import sys

from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

from dlscratch.cli import notebooks as nb


def of(book):
    """[(check's source, {"right": [...], "wrong": [...]})] of all exercises that have answers."""
    cells = (c for c in book.cells if c.cell_type == "code" and "exercise" in c.metadata)
    return [(c.source, c.metadata["exercise"]) for c in cells]


def tried(path, book):
    """[(kind, answer, what the check printed)] for every answer of a notebook."""
    trial, asked = copy.deepcopy(book), []
    for check, answers in of(book):
        for kind in ("right", "wrong"):
            for answer in answers[kind]:
                asked.append((kind, answer))
                trial.cells.append(new_code_cell(answer))
                trial.cells.append(new_code_cell(check))
    resources = {"metadata": {"path": str(path.parent)}}
    arguments = ["--log-level=ERROR"]
    client = NotebookClient(
        trial,
        timeout=900,
        kernel_name="python3",
        resources=resources,
        extra_arguments=arguments,
        allow_errors=True,
    )
    client.execute()
    checks = trial.cells[len(book.cells) + 1 :: 2]
    return [(kind, answer, _said(cell)) for (kind, answer), cell in zip(asked, checks, strict=True)]


def _said(cell):
    lines = [o.get("text", "") or f"{o.get('ename')}: {o.get('evalue')}" for o in cell.outputs]
    return "".join(lines).strip()


def faults(path, book):
    """Answers that a check took for the other kind, or at which it raised."""
    for kind, answer, said in tried(path, book):
        last = said.splitlines()[-1] if said else ""
        if not last.startswith("Yes" if kind == "right" else "Not yet"):
            yield f"a {kind} answer, {answer!r}, is told {last!r}"


def main(number="all"):
    """Print what is wrong; returns how many faults there are."""
    count = 0
    for path in nb.find(None if number == "all" else number):
        book = nb.read(path)
        found = list(faults(path, book))
        count += len(found)
        asked = sum(len(a["right"]) + len(a["wrong"]) for _, a in of(book))
        print("✗" if found else "✓", path.stem, f"{asked} answers", *found, sep="  ", flush=True)
    return count


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) > 0)
