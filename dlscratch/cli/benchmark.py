"""Race training steps against PyTorch, which must be installed, on a quiet machine; needs a clone.

examples:
  python -m dlscratch benchmark                            all rows
  python -m dlscratch benchmark W1 W6 --rounds 9
  python -m dlscratch benchmark W --threads 1 --json w.json --picture w.png
"""

import argparse
import contextlib
import importlib
import json
from pathlib import Path

from ..files import whole
from . import clone

__all__ = ["arguments", "run"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which rows, how often, and where to write."""
    parser.add_argument(
        "workloads",
        nargs="*",
        help="beginnings of their names, such as W1 W6, or F, the further rows; all unless given",
    )
    parser.add_argument(
        "--rounds", type=int, default=5, help="in which the libraries take turns (%(default)s)"
    )
    parser.add_argument("--threads", type=int, help="of each library; all cores unless given")
    parser.add_argument(
        "--seconds", type=float, default=1.0, help="of each measurement (%(default)s)"
    )
    parser.add_argument("--json", help="a file to write the measurements to")
    parser.add_argument("--picture", help="a PNG file to draw the ratios in")


def run(args: argparse.Namespace) -> int:
    """Prints the table."""
    race = clone.module("tools.benchmark.race")
    importlib.import_module("torch")  # rather now than after the first measurement
    with contextlib.ExitStack() as stack:
        drafts = {}
        for file in filter(None, (args.json, args.picture)):
            Path(file).parent.mkdir(parents=True, exist_ok=True)
            (drafts[file],) = stack.enter_context(whole(file))
        results = race.race(args.workloads, args.rounds, args.threads, args.seconds)
        print(race.table(results, race.gemm_rate(args.threads)))
        if args.json:
            drafts[args.json].write_text(json.dumps(results, indent=1), encoding="utf-8")
        if args.picture:
            race.picture(results, drafts[args.picture])
    return 0
