"""Sweeps: a function over a grid of parameters and seeds, on this machine or a cluster. A killed sweep goes on where it was."""

import inspect
import itertools
import json
import multiprocessing
import os
import sys
import threading
import time
import traceback
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, wait
from contextlib import contextmanager, nullcontext
from pathlib import Path

from ..progress import bar
from .fingerprint import fingerprint, name_of

__all__ = ["sweep"]

_OWN = ["seconds", "error"]  # columns beside the parameters and results
_START = b'{"code": "'  # of each line


def sweep(fn, grid, seeds, engine="joblib", address=None, jobs=None, out="sweep.jsonl"):
    """Call fn(**parameters, seed=seed) for every combination; returns a tidy DataFrame, one row a run.

    grid: {parameter: values}; seeds: how many, or which. fn returns a number or {column: number, text or bool}. A run that raises has its
    traceback in the column `error` and ends no other. engine: "joblib" (processes here) or "dask" (a cluster here, or that at `address`).
    Each finished run is at once a line of `out`; the same call again does what is missing or failed. Runs of a killed worker are redone,
    at most 3 times. Raises ValueError for an empty grid, and for a file of another sweep or of other code (see `fingerprint`).
    """
    from pandas import DataFrame

    if engine not in _POOLS:
        raise ValueError(f"engine={engine!r}; want {' or '.join(map(repr, _POOLS))}")
    if jobs is not None and jobs < 1:
        raise ValueError(
            f"jobs={jobs}; want how many runs at a time, from 1, or None for one a core"
        )
    runs, out, code = _runs(fn, grid, seeds), Path(out), fingerprint(fn)
    rows = _read(out, code, [*grid, "seed"])
    todo = {key: run for key, run in runs.items() if key not in rows or rows[key]["error"]}
    done = len(runs) - len(todo)
    with bar(None, "runs", total=len(runs), initial=done, leave=True) as shown:
        for key, outcome in _outcomes(lambda: _POOLS[engine](jobs, address), fn, todo):
            rows[key] = {"code": code, "run": runs[key]} | outcome
            _append(out, rows[key])
            shown.update()
            shown.set_postfix(failed=sum(bool(rows[k]["error"]) for k in runs if k in rows))
    frame = DataFrame(
        [
            run | rows[key]["result"] | {name: rows[key][name] for name in _OWN}
            for key, run in runs.items()
        ]
    )
    return frame[[name for name in frame if name not in _OWN] + _OWN]


def _runs(fn, grid, seeds):
    """{key: {parameter: value, ..., "seed": seed}} for every combination; raises what is wrong with the request."""
    if isinstance(seeds, int) and seeds < 1:
        raise ValueError(f"seeds={seeds}; want how many, from 1, or which, such as [0, 7]")
    axes = {name: list(values) for name, values in grid.items()} | {
        "seed": list(range(seeds) if isinstance(seeds, int) else seeds)
    }
    if taken := {"seed", *_OWN} & grid.keys():
        raise ValueError(
            f"grid has {', '.join(taken)}, which is a column of its own; rename it, and give seeds by seeds=5 or seeds=[0, 7]"
        )
    if not grid or (empty := [name for name, values in axes.items() if not values]):
        raise ValueError(
            f"no values for {', '.join(empty) if grid else 'grid'}; want grid={{'lr': [0.01, 0.1]}}, seeds=5"
        )
    runs = [dict(zip(axes, map(_scalar, values))) for values in itertools.product(*axes.values())]
    try:
        inspect.signature(fn).bind(**runs[0])
    except TypeError as error:
        raise TypeError(f"a run is {name_of(fn)}({', '.join(axes)}), but: {error}") from None
    if len(keyed := {_key(run): run for run in runs}) < len(runs):
        raise ValueError(f"a value stands twice in {axes}")
    return keyed


def _key(run):
    return json.dumps(run, sort_keys=True)


def _scalar(value):
    """A number, text, bool or None as Python has it, also from NumPy's scalars."""
    value = value.item() if getattr(value, "ndim", None) == 0 else value
    if value is not None and not isinstance(value, int | float | str):
        raise TypeError(f"{value!r} is {type(value).__name__}; want a number, text, bool or None")
    return value


def _attempt(fn, run):
    """The outcome of one run, in a worker; whatever it raises is its error."""
    start, result, error = time.perf_counter(), {}, None
    try:
        value = fn(**run)
        result = {
            name: _scalar(v)
            for name, v in (value if isinstance(value, dict) else {"value": value}).items()
        }
        if taken := result.keys() & {*run, *_OWN}:
            raise ValueError(
                f"the result has {', '.join(taken)}, which is a parameter or a column of its own; rename it"
            )
    except (Exception, SystemExit):
        result, error = {}, traceback.format_exc()
    return {"result": result, "seconds": round(time.perf_counter() - start, 3), "error": error}


def _outcomes(pool, fn, runs):
    """(key, outcome) as runs finish. A death may fail runs that are not to blame; what was in two goes on alone, to find the guilty."""
    waiting, deaths = list(runs), Counter()
    while waiting:
        with pool() as (submit, at_once, death, tries):
            running, broken = {}, False
            while running or waiting and not broken:
                while (
                    waiting
                    and not broken
                    and len(running) < at_once
                    and not (running and _twice(deaths, waiting[0], *running.values()))
                ):
                    key = waiting.pop(0)
                    running[submit(_attempt, fn, runs[key])] = key
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    key = running.pop(future)
                    if not isinstance(future.exception(), death):
                        yield key, future.result()
                        continue
                    deaths[key], broken = (
                        deaths[key] + 1,
                        isinstance(future.exception(), BrokenExecutor),
                    )
                    if deaths[key] < tries:
                        waiting.insert(0, key)
                    else:
                        yield (
                            key,
                            {
                                "result": {},
                                "seconds": None,
                                "error": f"its worker was killed each time: {future.exception()}",
                            },
                        )
                del future  # what is still referred to, Dask would do again when its worker dies


def _twice(deaths, *keys):
    return max(deaths[key] for key in keys) > 1


@contextmanager
def _joblib(jobs, address):
    """Processes of this machine, by loky, as joblib has them; as futures, since joblib.Parallel loses finished runs when a worker dies."""
    from joblib import cpu_count
    from joblib.externals.loky import ProcessPoolExecutor
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    if address:
        raise ValueError(f'address={address!r} is for engine="dask"')
    one_thread = dict.fromkeys(
        ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"],
        "1",
    )
    executor = ProcessPoolExecutor(
        jobs or cpu_count(), env=one_thread, initializer=_end_with, initargs=(os.getpid(),)
    )
    try:
        yield executor.submit, jobs or cpu_count(), TerminatedWorkerError, 4
    finally:
        executor.shutdown(kill_workers=True)


def _end_with(parent):
    """End this worker when the sweep is killed, else it would work on. (On Windows a parent's death does not show.)"""

    def watch():
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _dask(jobs, address):
    """The Dask cluster at an address (or a cluster object), or processes here. An address's scheduler redoes a killed worker's runs."""
    try:
        import dask
        import joblib
        from distributed import Client, KilledWorker, LocalCluster
    except ImportError as error:
        raise ImportError(
            'engine="dask" needs a package: python -m pip install distributed'
        ) from error
    if multiprocessing.parent_process():
        raise RuntimeError(
            'a script starts a sweep under `if __name__ == "__main__":`, since the workers import the script'
        )
    at_once = jobs or (sys.maxsize if address else joblib.cpu_count())
    here = dict(n_workers=at_once, threads_per_worker=1, dashboard_address=None)
    # The redoing is ours; and without the second, a worker that is killed twice within 15 s never comes back.
    rules = {
        "distributed.scheduler.allowed-failures": 0,
        "distributed.deploy.lost-worker-timeout": "1000 days",
    }
    with (
        dask.config.set(rules),
        nullcontext(address) if address else LocalCluster(**here) as cluster,
        Client(cluster) as client,
    ):
        yield client.get_executor(pure=False).submit, at_once, KilledWorker, 1 if address else 4


_POOLS = {"joblib": _joblib, "dask": _dask}


def _read(path, code, names):
    """{key: row} of the runs in the file, the newest of each; cuts off the half line that a kill has left."""
    whole, _, half = (path.read_bytes() if path.exists() else b"").rpartition(b"\n")
    rows = {}
    for number, line in enumerate(whole.splitlines(), 1):
        row = _row(line)
        if not row or row["run"].keys() != set(names):
            raise ValueError(
                f"{path}, line {number}: no run over {', '.join(names)}; name another file (out=, -o)"
            )
        if row["code"] != code:
            raise ValueError(
                f"{path}, line {number}: other code ({row['code']}, now {code}); move it or name another (out=, -o)"
            )
        rows[_key(row["run"])] = row
    if half and not _START.startswith(half[: len(_START)]):
        raise ValueError(f"{path} is no file of a sweep; name another (out=, -o)")
    if half:
        os.truncate(path, len(whole) + bool(whole))
    return rows


def _row(line):
    try:
        return json.loads(line) if line.startswith(_START) else None
    except ValueError:
        return None


def _append(path, row):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab") as file:
        file.write(json.dumps(row).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
