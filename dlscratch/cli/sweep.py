"""Run a notebook at several values of its parameters, and tell which claims held where.

examples:
  python -m dlscratch sweep 08 -p depth 10,20,40
  python -m dlscratch sweep 08 -p depth 10,20,40 -p units 64,128 --seeds 5
  python -m dlscratch sweep 08 -p depth 10,20,40 --engine dask --address tcp://scheduler:8786

It uses all cores, or a Dask cluster. Every combination is a run, which is stored as soon as it is
finished, in a line of build/sweeps/08_..._depth.jsonl. The same command again does only what is
missing or has failed. A claim that fails is a result; the exit code is 1 if a run could not be
finished.
"""

import argparse
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..files import whole
from ..lab.claim import Claim
from ..sweep import sweep
from . import notebooks
from .run import pairs

__all__ = ["arguments", "run", "claims_of"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """The notebook, the values of its parameters, and where to run."""
    parser.add_argument("number", help="the notebook's number, such as 08, or its file")
    parser.add_argument(
        "-p",
        "--parameter",
        nargs="+",
        action="append",
        required=True,
        metavar="NAME",
        help="NAME VALUE,VALUE,...",
    )
    parser.add_argument(
        "--seeds",
        type=int,
        default=1,
        help="run each setting with the seeds 0, 1, ... (%(default)s)",
    )
    parser.add_argument(
        "--engine",
        choices=["joblib", "dask"],
        default="joblib",
        help="processes, or a cluster (%(default)s)",
    )
    parser.add_argument(
        "--address", help="of a Dask scheduler; a cluster on this machine unless given"
    )
    parser.add_argument("--jobs", type=int, help="runs at a time; one a core unless given")
    parser.add_argument(
        "-o",
        "--out",
        help="the file of runs (build/sweeps/NOTEBOOK_PARAMETERS.jsonl); more values may follow",
    )


def run(args: argparse.Namespace) -> int:
    """Prints how often each claim held at each setting, and where runs and picture are."""
    (path,) = notebooks.find(args.number)
    book = notebooks.read(path)
    grid = {name: _values(path, book, name, texts) for name, texts in pairs(args.parameter).items()}
    if "seed" in grid:
        raise ValueError("-p seed: the seeds are 0, 1, ...; say how many, such as --seeds 5")
    notebooks.fitted(path.name, notebooks.parameters(book), {"seed": 0})
    out = Path(args.out or Path("build", "sweeps", f"{'_'.join([path.stem, *grid])}.jsonl"))
    fn = partial(claims_of, str(path), _code(book))
    frame = sweep(fn, grid, args.seeds, args.engine, args.address, args.jobs, out)
    failed = frame[frame.error.notna()]
    for _, row in failed.iterrows():
        print(f"failed at {_setting(row, [*grid, 'seed'])}: {row.error.strip().splitlines()[-1]}")
    if len(failed) < len(frame):
        _report(frame[frame.error.isna()], list(grid), out.with_suffix(".png"))
    print(f"Runs: {out.resolve()}")
    return 1 if len(failed) else 0


def _values(path, book, name, texts):
    """The values of one parameter, which came as text with commas between."""
    known = notebooks.parameters(book)
    return [notebooks.fitted(path.name, known, {name: text})[name] for text in texts.split(",")]


def _code(book):
    """What a claim depends on, the notebook's code and the package's.

    A file of runs of other code is refused.
    """
    from joblib import hash

    package = sorted(Path(__file__).parents[1].rglob("*.py"))
    cells = [cell.source for cell in book.cells if cell.cell_type == "code"]
    return hash(cells + [file.read_bytes() for file in package])


def claims_of(path: str, code: str, **values: Any) -> dict[str, Any]:
    """{"claim 1": its text, "held 1": whether it holds, ...} of one execution.

    "measured 1" and "wanted 1" are beside them. `code` only makes runs of other code differ.
    """
    with TemporaryDirectory() as folder:
        book = notebooks.run(Path(path), Path(folder, "run.ipynb"), values, progress=False)
    columns = {}
    for i, (_, line) in enumerate(notebooks.claims(book), 1):
        made = Claim.read(line)
        columns[f"claim {i}"] = made.text
        columns[f"held {i}"] = made.holds
        columns[f"measured {i}"] = made.measured
        columns[f"wanted {i}"] = made.wanted
    return columns


def _setting(row, names):
    return ", ".join(f"{name} {row[name]}" for name in names)


def _report(frame, names, picture):
    """Print the shares of seeds at which each claim held, one column a setting, and draw them."""
    from ..lab import plot

    numbers = [int(column.split()[1]) for column in frame if column.startswith("held ")]
    settings = [_setting(row, names) for _, row in frame.iterrows()]
    groups = frame.assign(setting=settings).groupby("setting", sort=False)
    held = groups[[f"held {i}" for i in numbers]]
    table = held.agg(lambda column: column.astype(float).mean()).T
    table.index = [f"{i:2} {frame[f'claim {i}'].dropna().iloc[0]}" for i in numbers]
    print(f"Held, as a share of {frame.seed.nunique()} seeds:")
    print(table.to_string(float_format="{:.2f}".format, max_colwidth=70))
    if numbers:
        table.index = numbers
        with whole(picture) as (draft,):
            words = {"ylabel": "claim", "title": "Claims that held", "label": "share of seeds"}
            ax = plot.layers(table, xlabel="", **words)
            ax.collections[0].set_clim(0, 1)
            ax.figure.savefig(draft)
        print(f"Picture: {picture.resolve()}")
