"""Write a copy of a notebook without its solutions; its checks say "not yet" until you solve it.

examples:
  python -m dlscratch exercises 05
  python -m dlscratch exercises 05 -o my_work
"""

import argparse
from pathlib import Path

from . import notebooks

__all__ = ["arguments", "run"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """The notebook and where to write."""
    parser.add_argument("number", help="the notebook's number, such as 05, or its file")
    parser.add_argument(
        "-o", "--out", default="build/notebooks", help="the folder to write to (%(default)s)"
    )


def run(args: argparse.Namespace) -> int:
    """Prints the path of the copy.

    Raises FileExistsError for a copy from before, which may hold somebody's work.
    """
    (path,) = notebooks.find(args.number)
    out = Path(args.out) / f"{path.stem}_exercises.ipynb"
    if out.exists():
        raise FileExistsError(
            f"{out} is there already and may hold your work; name another folder with -o, or "
            "delete it"
        )
    print(notebooks.blank_exercises(path, out).resolve())
    return 0
