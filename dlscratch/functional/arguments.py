"""What public functions ask of their arguments: floats, plain numbers as options, one shape."""

from typing import Any

import numpy as np

from ..engine import Array, Tensor

__all__ = ["as_floats", "number", "cast_like", "same_shape"]


def as_floats(name: str, x: Array) -> Array:
    """x, if it holds floats.

    Raises TypeError for integers, booleans and strings.
    """
    if not hasattr(x, "dtype"):
        x = np.asarray(x)
    if x.dtype.kind != "f":
        raise TypeError(
            f"{name}: expected floats, got {x.dtype}; "
            "if numbers are what you want: x.astype('float32')"
        )
    return x


def number(option: Any) -> Any:
    """A NumPy scalar as Python's number, which passes on no dtype; anything else as it is."""
    is_scalar = isinstance(option, (np.generic, np.ndarray)) and option.ndim == 0
    return option.item() if is_scalar else option


def cast_like(target: Array, input: Array) -> Array:
    """target in the dtype of input: a loss computes in the dtype of what is trained."""
    if not isinstance(target, Tensor) and not hasattr(target, "dtype"):
        target = np.asarray(target)
    dtype = getattr(input, "dtype", None)
    if dtype is None or target.dtype == dtype:
        return target
    return np.astype(target, dtype)


def same_shape(name: str, input: Array, target: Array) -> None:
    """Raise ValueError unless both have one shape: (N, 1) with (N,) would compare all pairs."""
    if np.shape(input) != np.shape(target):
        raise ValueError(
            f"{name}: input {np.shape(input)} and target {np.shape(target)} must have one shape; "
            "reshape one"
        )
