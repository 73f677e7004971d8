"""Windows and their adjoint, fold: each is the other's rule."""

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..custom import primitive
from ..operation import composed
from ..tensor import Array

__all__ = ["fold", "windows"]


def windows(x: Array, sizes: tuple, axes: tuple) -> Array:
    """Every window of x along `axes`, a view; the places within a window are the last axes."""
    return np.lib.stride_tricks.sliding_window_view(x, sizes, axes)


def fold(w: Array, sizes: tuple, axes: tuple, shape: tuple) -> Array:
    """The adjoint of windows: entries that windows shared are sums of what the windows hold."""
    x = np.zeros(shape, w.dtype)
    for place in np.ndindex(*sizes):
        part = [slice(None)] * x.ndim
        for a, k in zip(axes, place, strict=True):
            part[a] = slice(k, k + w.shape[a])
        x[tuple(part)] += w[(..., *place)]
    return x


windows = primitive(windows, lambda g, y, x, sizes, axes: fold(g, sizes, axes, x.shape))
fold = primitive(fold, lambda g, y, w, sizes, axes, shape: windows(g, sizes, axes))


@composed(np.lib.stride_tricks.sliding_window_view)
def sliding_window_view(x, window_shape, axis=None):
    axes = range(x.ndim) if axis is None else axis
    return windows(
        x, tuple(np.atleast_1d(window_shape).tolist()), normalize_axis_tuple(axes, x.ndim)
    )
