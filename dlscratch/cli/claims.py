"""The ledger: every claim of executed notebooks, and the measured value beside the bound.

examples:
  python -m dlscratch claims                  the notebooks as they were committed
  python -m dlscratch claims 05 --json
  python -m dlscratch claims build/notebooks  what `run` has written

The exit code is 1 if a claim fails.
"""

import argparse
import json
from pathlib import Path

from ..lab.claim import Claim
from . import notebooks

__all__ = ["arguments", "run"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Whose claims, and in which form."""
    parser.add_argument(
        "what",
        nargs="?",
        help="a number, a file, or a folder of executed notebooks; all committed ones unless given",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="as a list of objects: notebook, text, holds, measured, wanted",
    )


def run(args: argparse.Namespace) -> int:
    """Prints the claims, notebook by notebook."""
    ledger = {}
    for path in _paths(args.what):
        lines = [line for _, line in notebooks.claims(notebooks.read(path))]
        ledger[path.stem] = [Claim.read(line) for line in lines]
    every = [claim for claims in ledger.values() for claim in claims]
    held = sum(claim.holds for claim in every)
    if args.json:
        rows = [{"notebook": name} | c._asdict() for name, claims in ledger.items() for c in claims]
        print(json.dumps(rows, indent=1, ensure_ascii=False))
    else:
        for name, claims in ledger.items():
            print(name)
            for claim in claims or ["no claims: not executed?"]:
                print(f"  {claim}")
        print(f"\n{held} of {len(every)} claims hold")
    return 0 if held == len(every) else 1


def _paths(what):
    """The notebooks in a folder, the one in a file, or those of the clone.

    Raises ValueError for none.
    """
    if what is None or what.isdigit():
        return notebooks.find(what)
    place = Path(what)
    if place.is_file():
        return [place]
    found = sorted(p for p in place.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
    if not found:
        raise ValueError(
            f"{what} is no notebook's number, no file, and no folder with notebooks in it; give "
            "one of these, or none"
        )
    return found
