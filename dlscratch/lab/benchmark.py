"""A race with PyTorch: every workload in fresh processes, the libraries taking turns, several rounds; ratios, not times."""

import json
import math
import os
import statistics
import subprocess
import sys
import time

import numpy as np

from .workloads import LIBRARIES, WORKLOADS

__all__ = ["measure", "race", "table"]


def measure(library, workload, seconds=1.0):
    """{"ms": the median step, "mb": the peak of memory above that before the model was built}, in this process.

    Three steps to warm up, then as many as `seconds` allow, at least five.
    """
    lib = LIBRARIES[library]()
    before = _peak()
    _, step = WORKLOADS[workload](lib)
    for _ in range(3):
        step()
    times, end = [], time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < end:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return {"ms": 1000 * statistics.median(times), "mb": _peak() - before}


def _peak():
    """The largest resident size so far, in MB; NaN where the system does not tell (Windows)."""
    try:
        from resource import RUSAGE_SELF, getrusage
    except ImportError:
        return math.nan
    return getrusage(RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def race(names=None, rounds=5, threads=None, seconds=1.0, progress=print):
    """{workload: {library: [measure of each round]}}; each measurement has a process of its own with `threads` threads.

    names: beginnings of the workloads' names; all unless given. Raises ValueError for a name that fits none.
    """
    chosen = [w for w in WORKLOADS if any(w.startswith(n) for n in names or [""])]
    if not chosen or rounds < 1:
        raise ValueError(f"race: names={names}, rounds={rounds}; want at least one round, and names from {list(WORKLOADS)}")
    threads = str(threads or os.cpu_count())
    environment = os.environ | {"OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
    results = {w: {library: [] for library in LIBRARIES} for w in chosen}
    for i in range(rounds):
        for workload in chosen:
            for library in LIBRARIES:
                call = f"benchmark.measure({library!r}, {workload!r}, {seconds})"
                code = f"import json; from dlscratch.lab import benchmark; print(json.dumps({call}))"
                done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
                if done.returncode:
                    raise RuntimeError(f"{workload} with {library} failed:\n{done.stderr[-800:]}")
                results[workload][library].append(json.loads(done.stdout))
        progress(f"round {i + 1} of {rounds} done")
    return results


def table(results):
    """The results as text: median times, the median and the range of the rounds' ratios, memory; last, the geometric mean."""
    gemm = _gemm_rate()
    lines = [f"{'one training step':28} {'PyTorch':>10} {'dlscratch':>10} {'ratio':>6} {'from':>6} {'to':>6} {'MB':>10}"]
    ratios = []
    for workload, by in results.items():
        ours, theirs = by["dlscratch"], by["PyTorch"]
        each = [a["ms"] / b["ms"] for a, b in zip(ours, theirs, strict=True)]
        ratios.append(statistics.median(each))
        times = [f"{statistics.median(r['ms'] for r in rs):7.2f} ms" for rs in (theirs, ours)]
        memory = " / ".join(f"{statistics.median(r['mb'] for r in rs):.0f}" for rs in (ours, theirs))
        lines.append(f"{workload:28} {times[0]:>10} {times[1]:>10} {ratios[-1]:6.2f} {min(each):6.2f} {max(each):6.2f} {memory:>10}")
    mean = math.exp(statistics.fmean(map(math.log, ratios)))
    return "\n".join([*lines, f"{'geometric mean':28} {'':>21} {mean:6.2f}", f"NumPy multiplies matrices at {gemm:.0f} GFLOP/s here."])


def _gemm_rate(n=1024):
    """GFLOP/s of a float32 matrix product: the best of ten."""
    A, times = np.ones((n, n), "float32"), []
    for _ in range(10):
        start = time.perf_counter()
        A @ A
        times.append(time.perf_counter() - start)
    return 2e-9 * n**3 / min(times)
