"""Derivatives of functions that only move numbers about: the gradient is moved back."""

import math

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..graph import sum_to
from ..operation import composed, rule
from ..tensor import apply

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
            f"np.ravel on a Tensor: order={order!r}; want 'C', row by row, or 'F', column by column"
        )
    return np.reshape(x if order == "C" else np.transpose(x), (-1,))


@composed(np.expand_dims)
def expand_dims(x, axis):
    return np.reshape(x, np.expand_dims(_shaped_like(x), axis).shape)


@composed(np.squeeze)
def squeeze(x, axis=None):
    return np.reshape(x, np.squeeze(_shaped_like(x), axis).shape)


def _shaped_like(x):
    """An array of x's shape without its size in memory: NumPy itself then says what a function does to the shape."""
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


# Joining and splitting ------------------------------------------------------------------------------------------------


def join(*arrays, axis=0):
    """np.concatenate with its arrays as separate arguments, so that each has its own gradient."""
    return np.concatenate(arrays, axis=axis)


def _of_join(g, y, needs, *arrays, axis=0):
    return np.split(g, np.cumsum([np.shape(a)[axis] for a in arrays])[:-1].tolist(), axis)


rule(join, _of_join, variadic=True)


@composed(np.concatenate)
def concatenate(arrays, axis=0):
    if axis is None:
        return apply(join, *(np.ravel(a) for a in arrays), axis=0)
    return apply(join, *arrays, axis=axis)


@composed(np.stack)
def stack(arrays, axis=0):
    return np.concatenate([np.expand_dims(a, axis) for a in arrays], axis=axis)


@composed(np.vstack)
def vstack(arrays):
    return np.concatenate([np.atleast_2d(a) for a in arrays], axis=0)


@composed(np.hstack)
def hstack(arrays):
    arrays = [np.atleast_1d(a) for a in arrays]
    return np.concatenate(arrays, axis=0 if arrays[0].ndim == 1 else 1)


@composed(np.column_stack)
def column_stack(arrays):
    return np.concatenate([np.expand_dims(a, 1) if np.ndim(a) == 1 else a for a in arrays], axis=1)


@composed(np.append)
def append(x, values, axis=None):
    return np.concatenate([x, values], axis=axis)


def _at_least(ndim):
    def widen(*arrays):
        wide = [np.reshape(a, (1,) * (ndim - np.ndim(a)) + np.shape(a)) for a in arrays]
        return wide[0] if len(wide) == 1 else tuple(wide)

    return widen


composed(np.atleast_1d)(_at_least(1))
composed(np.atleast_2d)(_at_least(2))


@composed(np.array_split)
def array_split(x, indices_or_sections, axis=0):
    axis = normalize_axis_index(axis, x.ndim)
    places = np.array_split(np.arange(x.shape[axis]), indices_or_sections)
    lead = (slice(None),) * axis
    return [x[(*lead, slice(p[0], p[-1] + 1) if len(p) else slice(0, 0))] for p in places]


@composed(np.split)
def split(x, indices_or_sections, axis=0):
    np.split(
        np.empty(x.shape[axis]), indices_or_sections
    )  # raises as NumPy does when the parts are unequal
    return array_split(x, indices_or_sections, axis)


@composed(np.vsplit)
def vsplit(x, indices_or_sections):
    return np.split(x, indices_or_sections, axis=0)


@composed(np.hsplit)
def hsplit(x, indices_or_sections):
    return np.split(x, indices_or_sections, axis=0 if x.ndim == 1 else 1)


def unstack(x, *, axis=0):
    return tuple(np.moveaxis(x, axis, 0))


if hasattr(np, "unstack"):  # NumPy 2.1
    composed(np.unstack)(unstack)


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
