"""What this machine brings: versions, cores, BLAS, memory, optional parts, data; and the repair for each lack.

example:
  python -m dlscratch doctor

The exit code is 1 if a package is missing or too old without which dlscratch does not work, and 0 if only optional ones are.
Works anywhere, clone or not.
"""

import os
import platform
import sys
from pathlib import Path

import dlscratch

from ..data import downloads
from . import notebooks
from .parts import parts, repair

__all__ = ["arguments", "run"]


def arguments(parser):
    """None."""


def run(args):
    """Prints the report."""
    for topic, line in dict(
        python=_python, machine=_machine, blas=_blas, notebooks=_notebooks, data=_data
    ).items():
        print(f"{topic:10} {line()}", flush=True)
    print()
    found = parts()
    for extra in dict.fromkeys(part.extra for part in found):
        _report(extra, [part for part in found if part.extra == extra])
    return int(any(part.cure for part in found if not part.extra))


def _report(extra, group):
    cures = dict.fromkeys(part.cure for part in group if part.cure)
    repairs = [
        f"  repair: {repair(*(part.name for part in group if part.cure == cure), cure=cure)}"
        for cure in cures
    ]
    mark = "✓" if not repairs else "–" if extra else "✗"
    print(
        f"{mark} {extra or 'needed'}: {', '.join(f'{part.name} {part.state}' for part in group)}",
        *repairs,
        sep="\n",
    )


def _python():
    return f"{platform.python_version()}, {sys.executable}; dlscratch of {Path(dlscratch.__file__).parent}"


def _machine():
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{platform.platform()}, {os.cpu_count()} cores, of which this process may use {usable}; memory {_memory()}"


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
        pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
        said += "".join(
            f", threads: {p['num_threads']}, kernels for {p.get('architecture', '?')}"
            for p in pools[:1]
        )
    variables = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
    set_ = ", ".join(f"{name}={os.environ[name]}" for name in variables if name in os.environ)
    return f"{said}; {set_ or 'no variable sets them; for several runs at once, OPENBLAS_NUM_THREADS=1 is faster'}"


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
    writable = (
        "writable"
        if os.access(existing, os.W_OK)
        else "NOT writable: set DLSCRATCH_DATA to a folder that is"
    )
    sizes = {
        name: sum(f.stat().st_size for f in (folder / name).glob("*"))
        for name in downloads.FILES
        if (folder / name).is_dir()
    }
    return f"{folder}, {writable}; in it: {', '.join(f'{n} ({s / 1e6:.1f} MB)' for n, s in sizes.items()) or 'no downloads yet'}"
