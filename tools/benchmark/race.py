"""A race with PyTorch: every workload in fresh processes, by turns, in several rounds."""

import json
import math
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from . import peers
from .further import ROWS
from .work import work
from .workloads import LIBRARIES

__all__ = ["measure", "race", "gemm_rate", "table", "picture"]


def measure(library, row, seconds=1.0):
    """{"ms": the median step, "mb": the peak of memory above that before the model was built}.

    Three steps to warm up, then as many as `seconds` allow, at least five.
    """
    build = _builder(library, row)
    before = _peak()
    step = build()
    for _ in range(3):
        step()
    times, end = [], time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < end:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return {"ms": 1000 * statistics.median(times), "mb": _peak() - before}


def _builder(library, row):
    """A function that builds the row's step; what it imports is imported already."""
    lib = LIBRARIES.get(library, LIBRARIES["dlscratch"])()
    if library in LIBRARIES:
        return lambda: ROWS[row](lib)[1]
    peers.load(library)
    return lambda: peers.peer(library, row, ROWS[row](lib)[0])


def _peak():
    """The largest resident size so far, in MB; NaN where the system does not tell (Windows)."""
    if Path(
        "/proc/self/status"
    ).exists():  # Linux: getrusage would begin at the size of the process that started this one
        return (
            int(re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())[1]) / 2**10
        )
    try:
        from resource import RUSAGE_SELF, getrusage
    except ImportError:
        return math.nan
    return getrusage(RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def race(names=None, rounds=5, threads=None, seconds=1.0, progress=print):
    """{row: {library: [measure of each round]}}.

    Each measurement has a process of its own with `threads` threads.

    names: beginnings of the rows' names; all unless given. Peers that are installed take part where
    they can. Raises ValueError for a name that fits none, and for no rounds or threads.
    """
    chosen = [r for r in ROWS if any(r.startswith(n) for n in names or [""])]
    if rounds < 1 or threads is not None and threads < 1:
        raise ValueError(f"race: rounds={rounds}, threads={threads}; want at least one of each")
    if lost := [n for n in names or () if not any(r.startswith(n) for r in ROWS)]:
        raise ValueError(
            f"race: no row begins with {', '.join(lost)}; want names from {list(ROWS)}"
        )
    results = {r: {library: [] for library in (*LIBRARIES, *peers.installed(r))} for r in chosen}
    for i in range(rounds):
        for row, by in results.items():
            for library, found in by.items():
                found.append(
                    _fresh(
                        f"measure({library!r}, {row!r}, {seconds})",
                        threads,
                        f"{row} with {library}",
                    )
                )
        progress(f"round {i + 1} of {rounds} done")
    return results


def _fresh(call, threads, what):
    """What a call of a function of this file gives in a new process, with so many threads."""
    threads = str(threads or os.cpu_count())
    environment = os.environ | {"OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
    code = f"import json; from tools.benchmark import race; print(json.dumps(race.{call}))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{what} failed:\n{done.stderr[-800:]}")
    return json.loads(done.stdout)


def gemm_rate(threads=None):
    """GFLOP/s of a float32 matrix product of 1024×1024, the best of ten, with so many threads."""
    return _fresh("_multiply(1024)", threads, "a matrix product")


def _multiply(n):
    A, times = np.ones((n, n), "float32"), []
    for _ in range(10):
        start = time.perf_counter()
        A @ A
        times.append(time.perf_counter() - start)
    return 2e-9 * n**3 / min(times)


# What it says ------------------------------------------------------------------------------------


def _ratios(by, library="dlscratch"):
    """PyTorch's share in time, round by round; none if this library did not run."""
    return [a["ms"] / b["ms"] for a, b in zip(by.get(library, []), by["PyTorch"])]


def _median(by, library, key):
    return statistics.median(r[key] for r in by[library])


def table(results, rate):
    """The results as text: median times, the rounds' ratios, memory, GFLOP/s, the peers' ratios.

    rate: the machine's GFLOP/s, of which each row's share is said; the FLOPs are those of the
    matrix products, counted.
    """
    others = [name for name in peers.PEERS if any(name in by for by in results.values())]
    widths = {
        "PyTorch": 10,
        "dlscratch": 10,
        "ratio": 6,
        "from": 6,
        "to": 6,
        "MB": 10,
        "GFLOP/s": 10,
    }
    columns = " ".join(f"{name:>{width}}" for name, width in widths.items())
    lines = [f"{'one step':28} {columns}" + "".join(f"{name:>9}" for name in others)]
    lines += [
        f"{row:28} {_line(row, by, rate)}" + _peers_line(by, others) for row, by in results.items()
    ]
    for what, rows in {"W": [r for r in results if r[0] == "W"], "all": list(results)}.items():
        if rows:
            mean = statistics.geometric_mean(statistics.median(_ratios(results[r])) for r in rows)
            lines.append(f"{f'geometric mean, {what} ({len(rows)})':50} {mean:6.2f}")
    note = (
        "MB: dlscratch / PyTorch. GFLOP/s: dlscratch's matrix products, and of the rate at which "
    )
    note += "NumPy multiplies here"
    return "\n".join(
        [*lines, f"{note}, {rate:.0f} GFLOP/s.", *(["Peers: ratio to PyTorch."] if others else [])]
    )


def _line(row, by, rate):
    each, (theirs, ours) = (
        _ratios(by),
        (_median(by, library, "ms") for library in ("PyTorch", "dlscratch")),
    )
    memory = " / ".join(f"{_median(by, library, 'mb'):.0f}" for library in ("dlscratch", "PyTorch"))
    speed = work(row).flops / ours / 1e6
    said = f"{speed:.0f} ({speed / rate:.0%})" if speed else "–"
    ratios = f"{statistics.median(each):6.2f} {min(each):6.2f} {max(each):6.2f}"
    times = f"{theirs:7.2f} ms {ours:7.2f} ms {ratios}"
    return f"{times} {memory:>10} {said:>10}"


def _peers_line(by, others):
    return "".join(
        f"{statistics.median(_ratios(by, name)):9.2f}" if name in by else f"{'–':>9}"
        for name in others
    )


def picture(results, file):
    """The ratios as a PNG: a dot for the median, a line for the range; peers are small dots."""
    from dlscratch.lab import plot  # Matplotlib would count as memory of what is measured

    plot.style()
    figure, ax = plot.plt.subplots(figsize=(7.0, 1.4 + 0.3 * len(results)))
    for color, name in zip(plot.COLORS, ("dlscratch", *peers.PEERS)):
        rows = [(i, _ratios(by, name)) for i, by in enumerate(results.values()) if name in by]
        if rows:
            at, middle = [i for i, _ in rows], [statistics.median(each) for _, each in rows]
            ax.hlines(
                at,
                [min(each) for _, each in rows],
                [max(each) for _, each in rows],
                color=color,
                linewidth=1.8,
            )
            ax.plot(
                middle, at, "o", color=color, label=name, markersize=7 if name == "dlscratch" else 4
            )
    ax.axvline(1.0, color=plot.INK, linestyle="--", linewidth=1.4)
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
    ax.xaxis.set_minor_formatter(lambda x, _: f"{x:g}" if f"{x:e}"[0] in "25" else "")
    ax.set_yticks(range(len(results)), list(results))
    ax.set(xlabel="time of one step, as a share of PyTorch's", ylim=(len(results) - 0.5, -0.5))
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4)
    figure.savefig(file, dpi=150)
    plot.plt.close(figure)
