"""A function over a grid of parameters and seeds; a killed sweep goes on where it was."""

import inspect
import itertools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..progress import bar
from .fingerprint import fingerprint, name_of
from .store import append, key_of, read
from .workers import COLUMNS, ENGINES, outcomes, plain

if TYPE_CHECKING:
    import pandas

__all__ = ["sweep"]


def sweep(
    fn: Callable,
    grid: dict[str, Iterable],
    seeds: int | Iterable[int],
    engine: str = "joblib",
    address: str | None = None,
    jobs: int | None = None,
    out: str | Path = "sweep.jsonl",
) -> "pandas.DataFrame":
    """Call fn(**parameters, seed=seed) for every combination; a tidy DataFrame, one row a run.

    Each finished run is at once a line of the file `out`. The same call again does only what is
    missing or has failed. The runs of a killed worker are done again, at most three times.

    Parameters
    ----------
    fn : callable
        Returns a number, or {column: number, text or bool}. A run that raises ends no other: its
        traceback stands in the column `error`.
    grid : dict
        {parameter: its values}; values are numbers, texts, bools or None.
    seeds : int or iterable of int
        How many (0, 1, ...), or which.
    engine : {"joblib", "dask"}
        Processes of this machine, or a Dask cluster.
    address : str, optional
        Of a Dask scheduler; without it the cluster is made of this machine's cores.
    jobs : int, optional
        How many runs at a time; one a core unless given.
    out : path
        The file of finished runs, which belongs to this function and these parameters.

    Returns
    -------
    pandas.DataFrame
        The columns are the parameters, seed, what fn returned ("value" for a number), seconds and
        error, in the order of the grid.

    Raises
    ------
    ValueError
        For an empty grid, a value that stands twice, an unknown engine, and for a file of another
        sweep or of other code (see `fingerprint`).
    TypeError
        When fn does not take these parameters.

    Examples
    --------
    >>> def distance(step, seed):
    ...     return 10 * step + seed
    >>> frame = sweep(distance, {"step": [1, 2]}, seeds=2, jobs=1)
    >>> frame[["step", "seed", "value"]]
       step  seed  value
    0     1     0     10
    1     1     1     11
    2     2     0     20
    3     2     1     21
    """
    if engine not in ENGINES:
        raise ValueError(f"engine={engine!r}; want {' or '.join(map(repr, ENGINES))}")
    if jobs is not None and jobs < 1:
        raise ValueError(
            f"jobs={jobs}; want how many runs at a time, from 1, or None for one a core"
        )
    out = Path(out)
    runs = _runs(fn, grid, seeds)
    code = fingerprint(fn)
    rows = read(out, code, [*grid, "seed"])
    todo = {key: run for key, run in runs.items() if key not in rows or rows[key]["error"]}
    start_workers = lambda: ENGINES[engine](jobs, address)
    done = len(runs) - len(todo)
    with bar(None, "runs", total=len(runs), initial=done, leave=True) as shown:
        for key, outcome in outcomes(start_workers, fn, todo):
            rows[key] = {"code": code, "run": runs[key]} | outcome
            append(out, rows[key])
            shown.update()
            shown.set_postfix(failed=sum(bool(rows[k]["error"]) for k in runs if k in rows))
    return _frame(runs, rows)


def _runs(fn, grid, seeds):
    """{key: {parameter: value, ..., "seed": seed}} of every combination, if all is well with it."""
    axes = _axes(grid, seeds)
    combinations = itertools.product(*axes.values())
    runs = [dict(zip(axes, map(plain, values), strict=True)) for values in combinations]
    try:
        inspect.signature(fn).bind(**runs[0])
    except TypeError as error:
        raise TypeError(f"a run is {name_of(fn)}({', '.join(axes)}), but: {error}") from None
    keyed = {key_of(run): run for run in runs}
    if len(keyed) < len(runs):
        raise ValueError(f"a value stands twice in {axes}")
    return keyed


def _axes(grid, seeds):
    """{parameter: list of values}, the seeds last."""
    if isinstance(seeds, int):
        if seeds < 1:
            raise ValueError(f"seeds={seeds}; want how many, from 1, or which, such as [0, 7]")
        seeds = range(seeds)
    taken = {"seed", *COLUMNS} & grid.keys()
    if taken:
        raise ValueError(
            f"grid has {', '.join(taken)}, which is a column of its own; rename it, "
            "and give seeds by seeds=5 or seeds=[0, 7]"
        )
    axes = {name: list(values) for name, values in grid.items()} | {"seed": list(seeds)}
    empty = [name for name, values in axes.items() if not values] if grid else ["grid"]
    if empty:
        raise ValueError(
            f"no values for {', '.join(empty)}; want grid={{'lr': [0.01, 0.1]}}, seeds=5"
        )
    return axes


def _frame(runs, rows):
    """The rows of these runs, with the columns that every sweep has at the end."""
    from pandas import DataFrame

    table = []
    for key, run in runs.items():
        own = {name: rows[key][name] for name in COLUMNS}
        table.append(run | rows[key]["result"] | own)
    frame = DataFrame(table)
    return frame[[name for name in frame if name not in COLUMNS] + COLUMNS]
