"""Padding: with zeros a scatter into a larger array; every other mode is an index."""

import numpy as np

from ..operation import composed
from .indexing import along, scatter

__all__ = []


@composed(np.pad)
def pad(x, pad_width, mode="constant", *, constant_values=0):
    """Mode 'constant' scatters; the others repeat entries, and a padded index says which."""
    width = np.broadcast_to(pad_width, (x.ndim, 2)).tolist()
    if np.min(width, initial=0) < 0:
        raise ValueError(
            f"np.pad on a Tensor: expected widths >= 0, got {width}; to cut off you want "
            "a slice, or functional.pad with a negative width"
        )
    if mode == "constant":
        inside = tuple(slice(a, a + n) for n, (a, _) in zip(x.shape, width, strict=True))
        shape = tuple(a + n + b for n, (a, b) in zip(x.shape, width, strict=True))
        padded = scatter(x, inside, shape)
        if np.any(constant_values):
            padded = padded + np.pad(
                np.zeros(x.shape, x.dtype), width, constant_values=constant_values
            )
        return padded
    if np.any(constant_values):
        raise ValueError(
            "np.pad on a Tensor: constant_values goes with mode 'constant', expected none, got "
            f"{constant_values} with mode {mode!r}; leave them out"
        )
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise ValueError(
            f"np.pad on a Tensor: expected a mode with a derivative, got mode {mode!r}; "
            "want constant, edge, reflect, symmetric or wrap"
        )
    for axis, (n, w) in enumerate(zip(x.shape, width, strict=True)):
        if w != [0, 0]:
            x = along(x, np.pad(np.arange(n), w, mode=mode), axis)
    return x
