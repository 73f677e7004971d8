"""What this machine brings: versions, cores, BLAS, memory, data; and the repair for each lack.

example:
  python -m dlscratch doctor

The exit code is 1 if a package is missing or too old without which dlscratch does not work, and 0
if only optional ones are.
Works anywhere, clone or not.
"""

import argparse
import os
import platform
import sys
from pathlib import Path

import dlscratch

from ..data import downloads
from . import notebooks
from .parts import parts, repair

__all__ = ["arguments", "run"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(args: argparse.Namespace) -> int:
    """Prints the report."""
    for topic, line in TOPICS.items():
        print(f"{topic:10} {line()}", flush=True)
    print()
    found = parts()
    for extra in dict.fromkeys(part.extra for part in found):
        _report(extra, [part for part in found if part.extra == extra])
    return int(any(part.cure for part in found if not part.extra))


def _report(extra, group):
    cures = dict.fromkeys(part.cure for part in group if part.cure)
    if not cures:
        mark = "✓"
    else:
        mark = "–" if extra else "✗"
    states = ", ".join(f"{part.name} {part.state}" for part in group)
    print(f"{mark} {extra or 'needed'}: {states}")
    for cure in cures:
        ill = [part.name for part in group if part.cure == cure]
        print(f"  repair: {repair(*ill, cure=cure)}")


def _python():
    home = Path(dlscratch.__file__).parent
    return f"{platform.python_version()}, {sys.executable}; dlscratch of {home}"


def _machine():
    cores = os.cpu_count()
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores
    cores = f"{cores} cores, of which this process may use {usable}"
    return f"{platform.platform()}, {cores}; memory {_memory()}"


def _memory():
    try:
        import psutil
    except ImportError:
        return "unknown (psutil would tell)"
    memory = psutil.virtual_memory()
    return f"{memory.total / 2**30:.1f} GB, {memory.available / 2**30:.1f} GB of it free"


def _blas():
    """NumPy's library for matrix products, its threads, and the variables that set them."""
    import numpy as np

    built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    said = f"{built['name']} {built['version']}"
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        said += ", threads unknown (threadpoolctl would tell)"
    else:
        for pool in [pool for pool in threadpool_info() if pool["user_api"] == "blas"][:1]:
            kernels = pool.get("architecture", "?")
            said += f", threads: {pool['num_threads']}, kernels for {kernels}"
    variables = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
    given = [f"{name}={os.environ[name]}" for name in variables if name in os.environ]
    advice = "no variable sets them; for several runs at once, OPENBLAS_NUM_THREADS=1 is faster"
    return f"{said}; {', '.join(given) or advice}"


def _notebooks():
    try:
        return f"{len(notebooks.find())} in {notebooks.folder()}"
    except FileNotFoundError as error:
        return f"none: {error}"


def _data():
    """The folder where downloads are kept, whether it can be written to, and what is in it."""
    folder = downloads.cache()
    if folder is None:
        return "downloads need pooch (below)"
    existing = next(p for p in (folder, *folder.parents) if p.exists())
    writable = "writable"
    if not os.access(existing, os.W_OK):
        writable = "NOT writable: set DLSCRATCH_DATA to a folder that is"
    kept = []
    for name in downloads.FILES:
        if (folder / name).is_dir():
            size = sum(file.stat().st_size for file in (folder / name).glob("*"))
            kept.append(f"{name} ({size / 1e6:.1f} MB)")
    return f"{folder}, {writable}; in it: {', '.join(kept) or 'no downloads yet'}"


TOPICS = {
    "python": _python,
    "machine": _machine,
    "blas": _blas,
    "notebooks": _notebooks,
    "data": _data,
}
