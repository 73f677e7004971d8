"""The switches: are operations recorded, are they checked for NaN, in which dtype are things made?

`mode` holds the state that the other files of this folder ask for at every operation; the functions
below set it for the length of a `with` block, or of a decorated function. `default_dtype` is read
by layers and data, not here, and is common to all threads.
"""

import functools
import inspect
import threading
import types
from contextlib import ContextDecorator

import numpy as np

__all__ = ["mode", "no_grad", "recording", "nesting", "detect_anomaly", "default_dtype"]


class _Mode(threading.local):
    """Each thread has switches of its own: one's `no_grad` cannot stop another's training."""

    record = True  # do operations leave a graph behind?
    nested = False  # do we run inside a function that a transform differentiates?
    anomaly = False  # is every result checked for NaN and infinity?


mode = _Mode()


class _Switch(ContextDecorator):
    """Sets one field of `mode` for a `with` block or a decorated function, and puts it back."""

    def __init__(self, field, value):
        self.field = field
        self.value = value
        self.before = []

    def __enter__(self):
        self.before.append(getattr(mode, self.field))
        setattr(mode, self.field, self.value)

    def __exit__(self, *_):
        setattr(mode, self.field, self.before.pop())

    def _recreate_cm(self):
        """As a decorator, one for each call: calls in several threads must not share `before`."""
        return _Switch(self.field, self.value)

    def __call__(self, function):
        return _decorated(function, self._recreate_cm)


def _decorated(function, switched):
    """The function, run inside of what `switched()` makes: a new context manager for each call.

    The body of a generator or coroutine runs later than its call, so that there each step has one.
    """
    if inspect.isasyncgenfunction(function):
        raise TypeError(
            f"{function.__name__}: expected a function, generator function or coroutine function, "
            "got an asynchronous generator function; write the `with` inside of it"
        )
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def decorated(*args, **kwargs):
            return (yield from _steps(function(*args, **kwargs), switched))

    elif inspect.iscoroutinefunction(function):
        steps = types.coroutine(_steps)

        @functools.wraps(function)
        async def decorated(*args, **kwargs):
            return await steps(function(*args, **kwargs), switched)

    else:

        @functools.wraps(function)
        def decorated(*args, **kwargs):
            with switched():
                return function(*args, **kwargs)

    return decorated


def _steps(running, switched):
    """Drive a generator or coroutine: its steps are inside the switch, its pauses outside."""
    resume = running.send
    value = None
    while True:
        try:
            with switched():
                came = resume(value)
        except StopIteration as end:
            return end.value
        try:
            value = yield came
            resume = running.send
        except GeneratorExit:
            with switched():
                running.close()
            raise
        except BaseException as error:
            value = error
            resume = running.throw


def no_grad() -> ContextDecorator:
    """Inside `with no_grad():` operations leave no graph behind; also usable as a decorator.

    There, and only there, a leaf that requires a gradient can be changed in place:
    `w -= lr * w.grad`.

    Examples
    --------
    >>> from dlscratch import Tensor, no_grad
    >>> w = Tensor([1.0, 2.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> with no_grad():
    ...     w -= 0.1 * w.grad
    >>> w
    Tensor([0.8, 1.6], requires_grad=True)
    """
    return _Switch("record", False)


def recording() -> ContextDecorator:
    """The opposite of `no_grad`: transforms record their function even where nobody else does."""
    return _Switch("record", True)


def nesting(nested: bool = True) -> ContextDecorator:
    """Inside a transform's function: a gradient taken here must itself be differentiable."""
    return _Switch("nested", nested)


def detect_anomaly() -> ContextDecorator:
    """Inside `with detect_anomaly():` the first operation to produce NaN or infinity raises.

    The FloatingPointError names the operation, or the one whose gradient it was. NaN always raises;
    infinity only where all inputs of the operation were finite, so that masks of -inf pass.
    """
    return _Switch("anomaly", True)


class default_dtype:  # noqa: N801 - a function to its users, a class so that `with` can restore
    """The dtype of new parameters and data; it starts as float32.

    `default_dtype()` reads it, `default_dtype("float64")` sets it, and after
    `with default_dtype("float64"):` the old value returns.
    Raises ValueError for anything but float32 and float64.

    Examples
    --------
    >>> from dlscratch import default_dtype
    >>> with default_dtype("float64"):
    ...     default_dtype()
    dtype('float64')
    >>> default_dtype()
    dtype('float32')
    """

    _current = np.dtype("float32")

    def __new__(cls, dtype=None):
        if dtype is None:
            return cls._current
        if dtype not in ("float32", "float64", np.float32, np.float64):
            raise ValueError(
                f"default_dtype({dtype!r}): want 'float32' or 'float64'; "
                "float16 is for storage only"
            )
        switch = super().__new__(cls)
        switch.before = cls._current
        switch.dtype = np.dtype(dtype)
        cls._current = switch.dtype
        return switch

    def __enter__(self):
        return default_dtype._current

    def __exit__(self, *_):
        default_dtype._current = self.before

    def __call__(self, function):
        """As a decorator: this dtype inside of each call, and the old one again outside."""
        default_dtype._current = self.before
        return _decorated(function, lambda: default_dtype(self.dtype))

    def __repr__(self):
        return f"default_dtype({str(default_dtype._current)!r})"
