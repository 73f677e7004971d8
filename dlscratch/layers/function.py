"""What layers that learn nothing share: a function and its options."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine import Array
from .module import Module

__all__ = ["Function"]


class Function(Module):
    """y = function(*inputs, **options): a layer that learns nothing.

    A subclass names the function, and those of its options that the layer takes, in the order of
    PyTorch's layer. Defaults are the function's, so that they stand in one place.

    Raises TypeError for an option that is unknown, or is missing and has no default.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch.layers.function import Function
    >>> def shifted(x, by, scale=2.0):
    ...     return scale * (x - by)
    >>> class Shift(Function):
    ...     function = shifted
    ...     options = "by scale"
    >>> layer = Shift(1.0)
    >>> layer
    Shift(by=1.0)
    >>> layer(np.array([1.0, 2.0]))
    array([0., 2.])
    >>> Shift.__signature__
    <Signature (by, scale=2.0)>
    """

    function: Callable = None
    options: str = ""  # their names, with spaces between

    def __init_subclass__(cls, **arguments):
        """The signature of the layer, which `help` shows: its options, as the function has them."""
        super().__init_subclass__(**arguments)
        names = cls.options.split()
        parameters = inspect.signature(cls.function).parameters if names else {}
        cls.__signature__ = inspect.Signature([parameters[name] for name in names])

    def __init__(self, *args: Any, **options: Any):
        signature = type(self).__signature__
        try:
            given = signature.bind(*args, **options)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}: {error}; want {signature}") from None
        given.apply_defaults()
        for name, value in given.arguments.items():
            # a NumPy number would turn float32 inputs into float64
            setattr(self, name, value.item() if isinstance(value, np.generic) else value)

    def _options(self):
        """{name: value} of the options."""
        return {name: getattr(self, name) for name in type(self).__signature__.parameters}

    def forward(self, *inputs: Array, **named: Array) -> Array:
        function = type(self).function  # self.function would be a method, with self as its input
        return function(*inputs, **named, **self._options())

    def __repr__(self):
        defaults = type(self).__signature__.parameters
        shown = [
            f"{name}={value}"
            for name, value in self._options().items()
            if value is not defaults[name].default
        ]
        return f"{type(self).__name__}({', '.join(shown)})"
