"""The ledger: every claim of executed notebooks, its verdict, and the measured value beside the bound.

examples:
  python -m dlscratch claims                  the notebooks as they were committed
  python -m dlscratch claims 05 --json
  python -m dlscratch claims build/notebooks  what `run` has written

The exit code is 1 if a claim fails.
"""

import json
from pathlib import Path

from ..lab.claim import Claim
from . import notebooks

__all__ = ["arguments", "run"]


def arguments(parser):
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


def run(args):
    """Prints the claims, notebook by notebook."""
    ledger = {
        path.stem: [Claim.read(line) for _, line in notebooks.claims(notebooks.read(path))]
        for path in _paths(args.what)
    }
    made = [
        {"notebook": name} | claim._asdict() for name, claims in ledger.items() for claim in claims
    ]
    held = sum(claim["holds"] for claim in made)
    if args.json:
        print(json.dumps(made, indent=1, ensure_ascii=False))
    else:
        for name, claims in ledger.items():
            print(
                name, *(f"  {claim}" for claim in claims or ["no claims: not executed?"]), sep="\n"
            )
        print(f"\n{held} of {len(made)} claims hold")
    return 0 if held == len(made) else 1


def _paths(what):
    """The notebooks in a folder, the one in a file, or those of the clone. Raises ValueError for none."""
    if what is None or what.isdigit():
        return notebooks.find(what)
    place = Path(what)
    found = (
        [place]
        if place.is_file()
        else sorted(p for p in place.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
    )
    if not found:
        raise ValueError(
            f"{what} is no notebook's number, no file, and no folder with notebooks in it; give one of these, or none"
        )
    return found
