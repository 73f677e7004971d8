"""In which dtype numbers are added up: float16 overflows at 65504, and small integers wrap."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..tensor import Array, Tensor, unwrap

__all__ = ["accumulated", "by_numpy", "restored", "whole"]


def accumulated(x: Array) -> Array:
    """x as it is added up: float16 as float32, as in NumPy's mean, integers as float64."""
    if x.dtype.kind != "f":
        return x.astype("float64")
    return x.astype("float32") if x.dtype == np.float16 else x


def restored(y: Array, x: Array) -> Array:
    """The result y for an x that was `accumulated`: float16 again if x was."""
    return y.astype("float16") if x.dtype == np.float16 else y


def whole(*inputs: Any) -> bool:
    """Whether no input holds floats: then there is no gradient to care for."""
    return all(np.asarray(unwrap(x)).dtype.kind != "f" for x in inputs)


def by_numpy(function: Callable, *inputs: Any, **options: Any) -> Tensor:
    """The Tensor of what NumPy gives for the numbers inside `inputs`."""
    return Tensor(function(*unwrap(inputs), **options))
