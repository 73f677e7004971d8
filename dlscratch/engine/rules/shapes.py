"""Derivatives of functions that only move numbers about: the gradient is moved back."""

import math

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..graph import sum_to
from ..operation import composed, rule

__all__ = []


def _inverse(axes, ndim):
    return None if axes is None else np.argsort(normalize_axis_tuple(axes, ndim)).tolist()


rule(np.reshape, lambda g, y, x, shape: np.reshape(g, x.shape))
rule(np.transpose, lambda g, y, x, axes=None: np.transpose(g, _inverse(axes, g.ndim)))
rule(np.broadcast_to, lambda g, y, x, shape: sum_to(g, x.shape))


@composed(np.ravel)
def ravel(x, order="C"):
    if order not in ("C", "F"):
        raise ValueError(
            f"np.ravel on a Tensor: got order={order!r}; want 'C', row by row, or 'F', by columns"
        )
    return np.reshape(x if order == "C" else np.transpose(x), (-1,))


@composed(np.expand_dims)
def expand_dims(x, axis):
    return np.reshape(x, np.expand_dims(_shaped_like(x), axis).shape)


@composed(np.squeeze)
def squeeze(x, axis=None):
    return np.reshape(x, np.squeeze(_shaped_like(x), axis).shape)


def _shaped_like(x):
    """An array of x's shape that takes no memory: NumPy itself says what becomes of the shape."""
    return np.broadcast_to(False, x.shape)


@composed(np.swapaxes)
def swapaxes(x, axis1, axis2):
    axes = list(range(x.ndim))
    axes[axis1], axes[axis2] = axes[axis2], axes[axis1]
    return np.transpose(x, axes)


@composed(np.moveaxis)
def moveaxis(x, source, destination):
    source, destination = (normalize_axis_tuple(a, x.ndim) for a in (source, destination))
    order = [a for a in range(x.ndim) if a not in source]
    for place, axis in sorted(zip(destination, source, strict=True)):
        order.insert(place, axis)
    return np.transpose(x, order)


@composed(np.matrix_transpose, np.linalg.matrix_transpose)
def matrix_transpose(x):
    return np.swapaxes(x, -1, -2)


@composed(np.broadcast_arrays)
def broadcast_arrays(*arrays):
    shape = np.broadcast_shapes(*map(np.shape, arrays))
    return tuple(np.broadcast_to(a, shape) for a in arrays)


def _at_least(ndim):
    def widen(*arrays):
        wide = [np.reshape(a, (1,) * (ndim - np.ndim(a)) + np.shape(a)) for a in arrays]
        return wide[0] if len(wide) == 1 else tuple(wide)

    return widen


composed(np.atleast_1d)(_at_least(1))
composed(np.atleast_2d)(_at_least(2))


@composed(np.tile)
def tile(x, reps):
    reps = (reps,) if np.ndim(reps) == 0 else tuple(reps)
    shape = (1,) * (len(reps) - x.ndim) + x.shape
    reps = (1,) * (len(shape) - len(reps)) + reps
    paired = np.reshape(x, [m for n in shape for m in (1, n)])
    repeated = np.broadcast_to(
        paired, [m for r, n in zip(reps, shape, strict=True) for m in (r, n)]
    )
    return np.reshape(repeated, tuple(math.prod(p) for p in zip(reps, shape, strict=True)))
