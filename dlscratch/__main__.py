"""python -m dlscratch: list | run 05 -p depth=100 | claims | verify | exercises 05 | benchmark."""

import argparse
import ast
import importlib
import json
import sys
from pathlib import Path

import numpy as np

from .lab import notebooks

__all__ = ["main"]


def main(argv=None):
    """Run one command; returns the exit code: 0, 1 when a claim failed, 2 for a request that cannot be carried out."""
    args = _parser().parse_args(argv)
    try:
        return _COMMANDS[args.command](args)
    except (ValueError, FileNotFoundError, RuntimeError) as error:
        print(f"dlscratch: {error}", file=sys.stderr)
        return 2


def _parser():
    parser = argparse.ArgumentParser(prog="python -m dlscratch", description="Deep learning from first principles.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="the notebooks and their questions")
    run = commands.add_parser("run", help="execute a copy of a notebook, with other parameters if given")
    run.add_argument(
        "-p", "--parameter", nargs="+", action="append", default=[], metavar="NAME", help="NAME VALUE or NAME=VALUE"
    )
    blank = commands.add_parser("exercises", help="write a copy of a notebook without its solutions")
    for sub in (run, blank):
        sub.add_argument("number", help="the notebook's number, such as 05")
        sub.add_argument("-o", "--out", default="build/notebooks", help="the folder to write to")
    commands.add_parser("claims", help="every claim of the committed notebooks")
    commands.add_parser("verify", help="check every derivative rule against finite differences")
    race = commands.add_parser("benchmark", help="race training steps against PyTorch, which must be installed")
    race.add_argument("workloads", nargs="*", help="beginnings of their names, such as W1 W6 or F, the further rows; all unless given")
    race.add_argument("--rounds", type=int, default=5)
    race.add_argument("--threads", type=int, help="of each library; all cores unless given")
    race.add_argument("--seconds", type=float, default=1.0, help="of each measurement")
    race.add_argument("--json", help="a file to write the measurements to")
    race.add_argument("--picture", help="a PNG file to draw the ratios in")
    return parser


def _list(args):
    for path in notebooks.find():
        book = notebooks.read(path)
        print(f"{path.name[:2]}  {notebooks.title(book)}: {notebooks.question(book)}")
    return 0


def _values(pairs):
    """{"depth": 100} from ["depth", "100"] or ["depth=100"]; what is no Python literal is text."""
    values = {}
    for pair in pairs:
        name, _, value = "=".join(pair).partition("=")
        if not value:
            raise ValueError(f"-p {' '.join(pair)}: want a name and a value, such as -p depth 100")
        try:
            values[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            values[name] = value
    return values


def _run(args):
    """With the defaults every claim must hold; with other parameters one that flips is a lesson, not a failure."""
    (path,) = notebooks.find(args.number)
    values, out = _values(args.parameter), Path(args.out) / path.name
    results = notebooks.claims(notebooks.run(path, out, values))
    print(*(line for _, line in results), sep="\n")
    held = sum(held for held, _ in results)
    print(f"\n{held} of {len(results)} claims hold. Executed page: {notebooks.to_html(out).resolve()}")
    return 0 if values or held == len(results) else 1


def _claims(args):
    for path in notebooks.find():
        print(path.stem, *(f"  {line}" for _, line in notebooks.claims(notebooks.read(path))), sep="\n")
    return 0


def _exercises(args):
    (path,) = notebooks.find(args.number)
    print(notebooks.blank_exercises(path, Path(args.out) / f"{path.stem}_exercises.ipynb").resolve())
    return 0


def _tests(module):
    """A module of the clone's folder tests/, where what proves and races the package stands."""
    root = notebooks.folder().parent
    if not (root / "tests" / "samples").is_dir():
        raise FileNotFoundError(f"this needs a clone of the repository, with its folder tests/, and {root} is none; run it inside one")
    sys.path.insert(0, str(root))
    return importlib.import_module(f"tests.{module}")


def _verify(args):
    from .lab.verify import gradcheck

    SAMPLES = _tests("samples").SAMPLES
    errors = [[gradcheck(s.f, *s.draw(np.random.default_rng(0)), order=order) for s in SAMPLES] for order in (1, 2)]
    worst = [max(one) for one in errors]
    print(f"{len(SAMPLES)} samples: worst relative error {worst[0]:.1e} at order 1, {worst[1]:.1e} at order 2")
    return 0 if max(worst) < 1e-5 else 1


def _benchmark(args):
    benchmark = _tests("benchmarks.benchmark")
    results = benchmark.race(args.workloads, args.rounds, args.threads, args.seconds)
    print(benchmark.table(results, benchmark.gemm_rate(args.threads)))
    if args.json:
        Path(args.json).write_text(json.dumps(results, indent=1), encoding="utf-8")
    if args.picture:
        benchmark.picture(results, args.picture)
    return 0


_COMMANDS = dict(list=_list, run=_run, claims=_claims, exercises=_exercises, verify=_verify, benchmark=_benchmark)

if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")  # a pipe on Windows has no ✓
    sys.exit(main())
