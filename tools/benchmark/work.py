"""Work that is counted, not timed: the same number on a busy machine, so a test can hold it."""

import math
import tracemalloc
from unittest import mock

import numpy as np

from dlscratch.engine.graph import creation_order

from .further import ROWS
from .workloads import LIBRARIES

__all__ = ["Work", "work", "nodes", "peak", "faults"]

_MAKERS = (
    "empty",
    "zeros",
    "ones",
    "full",
    "arange",
    "tri",
    "array",
    "asarray",
    "ascontiguousarray",
    "frombuffer",
)
_COPIERS = {np.concatenate, np.stack, np.where, np.copyto, np.take_along_axis, np.einsum, np.pad}


class Work:
    """Inside `with Work() as w:` arrays count what is done to them: passes, elements, flops.

    A pass is one call of a ufunc (its largest array counts; a matrix times a vector is one too) or
    a copy: an assigned slice, fancy indexing, astype, np.concatenate and the like. `elements` are
    those in the passes, `flops` those of np.matmul on matrices. What is not seen: arrays made
    earlier, scalars, and what NumPy does in C without asking the array (`.copy()`, a `.reshape`
    that must copy, `.argmax`, sorting).
    """

    def __init__(self):
        self.passes = self.elements = self.flops = 0

    def __enter__(self):
        _Counted.work, makers = self, {name: _counting(getattr(np, name)) for name in _MAKERS}
        self._patch = mock.patch.multiple(np, **makers)
        self._patch.start()
        return self

    def __exit__(self, *_):
        self._patch.stop()
        _Counted.work = None

    def add(self, elements):
        """One more pass."""
        self.passes += 1
        self.elements += int(elements)


class _Counted(np.ndarray):
    """An array that reports to the `Work` in progress, as do all arrays that come out of it."""

    work = None

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **kwargs):
        plain = [_plain(x) for x in inputs]
        if out is not None:
            kwargs["out"] = tuple(map(_plain, out))
        y = getattr(ufunc, method)(*plain, **kwargs)
        if self.work is not None:
            self._report(ufunc, method, plain, y)
        return _counted(y) if out is None else out[0] if len(out) == 1 else out

    def _report(self, ufunc, method, inputs, y):
        if ufunc is np.matmul and min(map(np.ndim, inputs)) > 1:
            self.work.flops += 2 * y.size * inputs[0].shape[-1]
        else:
            self.work.add(max(getattr(x, "size", 1) for x in (*inputs, y)))

    def __array_function__(self, function, types, args, kwargs):
        y = super().__array_function__(function, types, args, kwargs)
        if self.work is not None and function in _COPIERS:
            self.work.add(np.size(args[0] if y is None else y))
        return _counted(y)

    def __getitem__(self, key):
        y = super().__getitem__(key)
        if (
            self.work is not None
            and isinstance(y, np.ndarray)
            and not np.may_share_memory(_plain(self), _plain(y))
        ):
            self.work.add(y.size)
        return y

    def __setitem__(self, key, value):
        super().__setitem__(key, _plain(value))
        if self.work is not None:
            self.work.add(np.size(_plain(self)[key]))

    def astype(self, *args, **kwargs):
        y = super().astype(*args, **kwargs)
        if self.work is not None:
            self.work.add(y.size)
        return y


def _plain(x):
    return x.view(np.ndarray) if isinstance(x, _Counted) else x


def _counted(x):
    return x.view(_Counted) if type(x) is np.ndarray else x


def _counting(make):
    """`make`, so that its arrays count; one that holds a copy of another array is a pass."""

    def made(*args, **kwargs):
        y = make(*args, **kwargs)
        source = args[0] if args and isinstance(args[0], _Counted) else None
        if (
            source is not None
            and _Counted.work is not None
            and not np.may_share_memory(_plain(source), y)
        ):
            _Counted.work.add(y.size)
        return source if y is source else _counted(y)

    return made


def work(row):
    """The `Work` of a step of this row with this package, after one to warm up."""
    with Work() as counted:
        _, step = ROWS[row](LIBRARIES["dlscratch"]())
        step()
        before = vars(counted).copy()
        step()
    for name in ("passes", "elements", "flops"):
        setattr(counted, name, getattr(counted, name) - before[name])
    return counted


def nodes(step):
    """Ticks of the engine's clock in step(): operations recorded, and parameters written."""
    start = next(creation_order)
    step()
    return next(creation_order) - start - 1


def peak(step):
    """The most that step() holds at once beyond what was there before, in bytes."""
    tracemalloc.start()
    step()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    step()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most - before


def faults(step, steps=5):
    """Pages of memory that the system had to map during step(): the least of some.

    NaN where it does not tell (Windows).
    """
    try:
        from resource import RUSAGE_SELF, getrusage
    except ImportError:
        return math.nan
    counts = []
    for _ in range(steps):
        before = getrusage(RUSAGE_SELF).ru_minflt
        step()
        counts.append(getrusage(RUSAGE_SELF).ru_minflt - before)
    return min(counts)
