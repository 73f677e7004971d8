"""Execute a copy of a notebook, with other parameters if given; write it as a page, too.

examples:
  python -m dlscratch run 05
  python -m dlscratch run 05 -p depth 50 -p hidden 8
  python -m dlscratch run 11 -p dataset=digits -o /tmp/digits
  python -m dlscratch run somewhere/05_autograd.ipynb    a file needs no clone

With the defaults every claim must hold, or the exit code is 1. With other parameters a claim that
fails is a lesson, and the code is 0. Ctrl-C leaves the files of an earlier run as they were.
DLSCRATCH_PROGRESS=0 hides the bar.
"""

import argparse
import os
from pathlib import Path

from . import notebooks

__all__ = ["arguments", "run", "pairs"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """The notebook, its parameters, and where to write."""
    parser.add_argument("number", help="the notebook's number, such as 05, or its file")
    parser.add_argument(
        "-p",
        "--parameter",
        nargs="+",
        action="append",
        default=[],
        metavar="NAME",
        help="NAME VALUE, or NAME=VALUE",
    )
    parser.add_argument(
        "-o", "--out", default="build/notebooks", help="the folder to write to (%(default)s)"
    )


def run(args: argparse.Namespace) -> int:
    """Prints the claims and where the page is."""
    (path,) = notebooks.find(args.number)
    values = pairs(args.parameter)
    out = Path(args.out) / path.name
    page = out.with_suffix(".html")
    progress = os.environ.get("DLSCRATCH_PROGRESS") != "0"
    results = notebooks.claims(notebooks.run(path, out, values, progress, page))
    print(*(line for _, line in results), sep="\n")
    held = sum(held for held, _ in results)
    print(f"\n{held} of {len(results)} claims hold. Executed page: {page.resolve()}")
    return 0 if values or held == len(results) else 1


def pairs(given: list[list[str]]) -> dict[str, str]:
    """{name: text} of what -p gave.

    Raises ValueError for a name that came twice.
    """
    named = [_pair(words) for words in given]
    values = dict(named)
    if len(values) < len(named):
        raise ValueError(
            f"-p {' -p '.join(' '.join(pair) for pair in named)}: want each name once (sweep takes "
            "-p depth 10,20)"
        )
    return values


def _pair(words):
    """("depth", "50") of ["depth", "50"] or ["depth=50"]."""
    name, *value = words if len(words) > 1 else words[0].split("=", 1)
    if len(value) != 1:
        raise ValueError(f"-p {' '.join(words)}: want a name and a value, such as -p depth 50")
    return name, value[0]
