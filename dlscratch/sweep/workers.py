"""The processes that do the runs of a sweep, here or on a cluster; what happens when one dies."""

import multiprocessing
import os
import sys
import threading
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from contextlib import ExitStack
from typing import Any

__all__ = ["COLUMNS", "ENGINES", "Workers", "attempt", "outcomes", "plain"]

COLUMNS = ["seconds", "error"]  # beside the parameters and the results


# One run, in a worker ----------------------------------------------------------------------------


def attempt(fn: Callable, run: dict) -> dict:
    """The outcome of fn(**run): {"result": ..., "seconds": ..., "error": traceback or None}."""
    start = time.perf_counter()
    try:
        result = _columns(fn(**run), run)
        error = None
    except (Exception, SystemExit):  # whatever a run raises is its own affair
        result = {}
        error = traceback.format_exc()
    seconds = round(time.perf_counter() - start, 3)
    return {"result": result, "seconds": seconds, "error": error}


def _columns(value, run):
    """What a run gave, as {column: plain value}."""
    named = value if isinstance(value, dict) else {"value": value}
    taken = named.keys() & {*run, *COLUMNS}
    if taken:
        raise ValueError(
            f"the result has {', '.join(taken)}, which is a parameter or a column of its own; "
            "rename it"
        )
    return {name: plain(one) for name, one in named.items()}


def plain(value: Any) -> int | float | str | bool | None:
    """A number, text, bool or None as Python has it, also from NumPy's scalars and 0-d arrays."""
    if getattr(value, "ndim", None) == 0:
        value = value.item()
    if value is not None and not isinstance(value, int | float | str):
        raise TypeError(f"{value!r} is {type(value).__name__}; want a number, text, bool or None")
    return value


# All runs ----------------------------------------------------------------------------------------


def outcomes(
    start_workers: Callable[[], "Workers"], fn: Callable, runs: dict[str, dict]
) -> Iterator[tuple[str, dict]]:
    """Yield (key, outcome) of each run as it finishes, in any order.

    The death of one worker can fail every run that was under way with it. All of them are tried
    again; one that has died twice is a suspect, and from then on runs alone, so that it can bring
    down no other. After `attempts` deaths its outcome is that error.

    start_workers: makes new Workers, the first ones and those after a death that broke the last.
    runs: {key: {parameter: value}}.
    """
    waiting = deque(runs)
    deaths = Counter()
    while waiting:
        with start_workers() as workers:
            yield from _until_broken(workers, fn, runs, waiting, deaths)


def _until_broken(workers, fn, runs, waiting, deaths):
    """The outcomes that these workers give; what is still `waiting` then needs new ones."""
    running = {}
    while True:
        _submit(workers, fn, runs, waiting, running, deaths)
        if not running:
            return
        failure = None
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            key = running.pop(future)
            if isinstance(future.exception(), workers.killed):
                failure = future.exception()
                yield from _after_death(key, failure, workers, waiting, deaths)
            else:
                yield key, future.result()
        del future  # what is still referred to, Dask would do again when its worker dies
        if failure and workers.one_fate:
            for key in running.values():
                yield from _after_death(key, failure, workers, waiting, deaths)
            return


def _submit(workers, fn, runs, waiting, running, deaths):
    """Start what is waiting while there is room and the workers still take something."""
    while waiting and len(running) < workers.at_once:
        suspected = any(deaths[key] > 1 for key in (waiting[0], *running.values()))
        if running and suspected:
            return
        key = waiting.popleft()
        try:
            future = workers.submit(attempt, fn, runs[key])
        except BrokenExecutor:  # a worker has died since the last look
            waiting.appendleft(key)
            return
        running[future] = key


def _after_death(key, failure, workers, waiting, deaths):
    """Let the run wait for another attempt; its outcome, when it has had them all."""
    deaths[key] += 1
    if deaths[key] < workers.attempts:
        waiting.appendleft(key)
    else:
        error = f"its worker was killed each time: {failure}"
        yield key, {"result": {}, "seconds": None, "error": error}


# Where they run ----------------------------------------------------------------------------------


class Workers:
    """Processes that call functions, while a `with` block lasts; leaving it ends them.

    at_once: how many calls may be under way. killed: the exception in the future of a call whose
    worker died. attempts: how often a call is begun whose worker dies each time. one_fate: whether
    the death of one is the end of all, so that new ones must be started.
    """

    at_once: int
    killed: type[Exception]
    attempts: int
    one_fate: bool

    def submit(self, function: Callable, *args: Any) -> Future:
        """Begin function(*args) in some worker; a future of its result."""
        raise NotImplementedError

    def close(self) -> None:
        """End the processes."""
        raise NotImplementedError

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class ProcessesHere(Workers):
    """Processes of this machine by loky, with one BLAS thread each.

    They are joblib's own, but as futures: joblib.Parallel loses finished runs when a worker dies.
    """

    attempts = 4
    one_fate = True

    def __init__(self, jobs: int | None, address: str | None):
        from joblib import cpu_count
        from joblib.externals.loky import ProcessPoolExecutor
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        if address:
            raise ValueError(f'address={address!r} is for engine="dask"')
        libraries = ("OMP", "OPENBLAS", "MKL")
        one_thread = {f"{library}_NUM_THREADS": "1" for library in libraries}
        one_thread["VECLIB_MAXIMUM_THREADS"] = "1"
        self.at_once = jobs or cpu_count()
        self.killed = TerminatedWorkerError
        self._executor = ProcessPoolExecutor(
            self.at_once, env=one_thread, initializer=_end_with_parent, initargs=(os.getpid(),)
        )

    def submit(self, function: Callable, *args: Any) -> Future:
        """Begin function(*args) in some worker; a future of its result."""
        return self._executor.submit(function, *args)

    def close(self) -> None:
        """End the processes, whatever they are doing."""
        self._executor.shutdown(kill_workers=True)


def _end_with_parent(parent):
    """End this worker when the sweep is killed, else it would work on.

    On Windows a parent's death does not show.
    """

    def watch():
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class DaskCluster(Workers):
    """A Dask cluster: the one at an address (or a cluster object), or processes of this machine.

    The scheduler behind an address redoes a killed worker's runs by its own rules, and the workers
    come back. A cluster here leaves both to us: now and then, Dask's own way of starting a worker
    again hangs, or cannot be closed, when the next death comes too soon (seen with Dask 2026.8).
    """

    def __init__(self, jobs: int | None, address: str | None):
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
                'a script starts a sweep under `if __name__ == "__main__":`, '
                "since the workers import the script"
            )
        self.killed = KilledWorker
        self.attempts = 1 if address else 4
        self.one_fate = not address
        self.at_once = jobs or (sys.maxsize if address else joblib.cpu_count())
        rules = {
            "distributed.scheduler.allowed-failures": 0,
            # a LocalCluster by address would else forget a worker that is killed twice within 15 s
            "distributed.deploy.lost-worker-timeout": "1000 days",
        }
        with ExitStack() as stack:
            stack.enter_context(dask.config.set(rules))
            if address:
                cluster = address
            else:
                cluster = stack.enter_context(
                    LocalCluster(
                        n_workers=self.at_once, threads_per_worker=1, dashboard_address=":0"
                    )
                )
                for nanny in cluster.workers.values():
                    nanny.close_gracefully()  # that is, do not start a dead worker again
            client = stack.enter_context(Client(cluster))
            self._executor = client.get_executor(pure=False)
            self._open = stack.pop_all()

    def submit(self, function: Callable, *args: Any) -> Future:
        """Begin function(*args) in some worker; a future of its result."""
        return self._executor.submit(function, *args)

    def close(self) -> None:
        """Leave the cluster, and end it if it was made here."""
        self._open.close()


ENGINES = {"joblib": ProcessesHere, "dask": DaskCluster}
