"""The switches of the engine: whether operations are recorded, checked for NaN, and in which dtype things are made."""

import threading
from contextlib import ContextDecorator

import numpy as np

__all__ = ["mode", "no_grad", "recording", "nesting", "detect_anomaly", "default_dtype"]


class _Mode(threading.local):
    """Each thread has switches of its own, so that one thread's `no_grad` cannot stop another's training."""

    record = True
    nested = False
    anomaly = False


mode = _Mode()


class _Switch(ContextDecorator):
    """Sets one field of `mode` for the length of a `with` block (or a decorated function) and puts the old value back."""

    def __init__(self, field, value):
        self.field, self.value, self.before = field, value, []

    def __enter__(self):
        self.before.append(getattr(mode, self.field))
        setattr(mode, self.field, self.value)

    def __exit__(self, *_):
        setattr(mode, self.field, self.before.pop())

    def _recreate_cm(self):
        """As a decorator, one for each call: calls in several threads must not share `before`."""
        return _Switch(self.field, self.value)


def no_grad():
    """Inside `with no_grad():` operations leave no graph behind; also usable as a decorator."""
    return _Switch("record", False)


def recording():
    """The opposite of `no_grad`: transforms record their function even when their caller does not."""
    return _Switch("record", True)


def nesting(nested=True):
    """Inside a transform's function: a gradient taken here must itself be differentiable, closures and all."""
    return _Switch("nested", nested)


def detect_anomaly():
    """Inside `with detect_anomaly():` the first operation or rule to produce NaN or infinity raises and is named."""
    return _Switch("anomaly", True)


class default_dtype:  # noqa: N801 - a function to its users, a class so that `with` can restore
    """The dtype of new parameters and data: `default_dtype()` reads it, `default_dtype("float64")` sets it.

    Used as `with default_dtype("float64"):` the old value returns afterwards. It starts as float32.
    Raises ValueError for anything but float32 and float64.
    """

    _current = np.dtype("float32")

    def __new__(cls, dtype=None):
        if dtype is None:
            return cls._current
        if dtype not in ("float32", "float64", np.float32, np.float64):
            raise ValueError(
                f"default_dtype({dtype!r}): want 'float32' or 'float64'; float16 is for storage only"
            )
        wanted = np.dtype(dtype)
        switch = super().__new__(cls)
        switch.before, cls._current = cls._current, wanted
        return switch

    def __enter__(self):
        return default_dtype._current

    def __exit__(self, *_):
        default_dtype._current = self.before

    def __repr__(self):
        return f"default_dtype({str(default_dtype._current)!r})"
