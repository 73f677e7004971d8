"""Derivatives of functions that only move numbers about: the gradient is moved back."""

import math

import numpy as np

from ..backward import sum_to
from ..table import composed, rule
from ..tensor import apply

__all__ = []

rule(np.reshape, lambda g, y, x, shape: np.reshape(g, x.shape))
rule(np.transpose, lambda g, y, x, axes=None: np.transpose(g, None if axes is None else list(np.argsort(axes))))
rule(np.broadcast_to, lambda g, y, x, shape: sum_to(g, x.shape))


@composed(np.ravel)
def ravel(x):
    return np.reshape(x, (-1,))


@composed(np.expand_dims)
def expand_dims(x, axis):
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    ndim = x.ndim + len(axes)
    axes, sizes = {a % ndim for a in axes}, iter(x.shape)
    return np.reshape(x, tuple(1 if a in axes else next(sizes) for a in range(ndim)))


@composed(np.squeeze)
def squeeze(x, axis=None):
    return np.reshape(x, np.empty(x.shape, bool).squeeze(axis).shape)


@composed(np.swapaxes)
def swapaxes(x, axis1, axis2):
    axes = list(range(x.ndim))
    axes[axis1], axes[axis2] = axes[axis2], axes[axis1]
    return np.transpose(x, axes)


@composed(np.moveaxis)
def moveaxis(x, source, destination):
    source, destination = (np.atleast_1d(a) % x.ndim for a in (source, destination))
    order = [a for a in range(x.ndim) if a not in source]
    for place, axis in sorted(zip(destination.tolist(), source.tolist(), strict=True)):
        order.insert(place, axis)
    return np.transpose(x, order)


@composed(np.matrix_transpose)
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


def _of_join(g, y, i, *arrays, axis=0):
    start = sum(np.shape(a)[axis] for a in arrays[:i])
    index = [slice(None)] * g.ndim
    index[axis] = slice(start, start + arrays[i].shape[axis])
    return g[tuple(index)]


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
    return np.concatenate([a[:, None] if a.ndim == 1 else a for a in arrays], axis=1)


@composed(np.append)
def append(x, values, axis=None):
    return np.concatenate([x, values], axis=axis)


def _at_least(ndim):
    def widen(*arrays):
        wide = [a if a.ndim >= ndim else np.reshape(a, (1,) * (ndim - a.ndim) + a.shape) for a in arrays]
        return wide[0] if len(wide) == 1 else tuple(wide)

    return widen


composed(np.atleast_1d)(_at_least(1))
composed(np.atleast_2d)(_at_least(2))


@composed(np.array_split)
def array_split(x, indices_or_sections, axis=0):
    places = np.array_split(np.arange(x.shape[axis]), indices_or_sections)
    lead = (slice(None),) * (axis % x.ndim)
    return [x[(*lead, slice(p[0], p[-1] + 1) if len(p) else slice(0, 0))] for p in places]


@composed(np.split)
def split(x, indices_or_sections, axis=0):
    np.split(np.empty(x.shape[axis]), indices_or_sections)  # raises as NumPy does when the parts are unequal
    return array_split(x, indices_or_sections, axis)


@composed(np.vsplit)
def vsplit(x, indices_or_sections):
    return np.split(x, indices_or_sections, axis=0)


@composed(np.hsplit)
def hsplit(x, indices_or_sections):
    return np.split(x, indices_or_sections, axis=0 if x.ndim == 1 else 1)


@composed(np.tile)
def tile(x, reps):
    reps = (reps,) if np.ndim(reps) == 0 else tuple(reps)
    shape = (1,) * (len(reps) - x.ndim) + x.shape
    reps = (1,) * (len(shape) - len(reps)) + reps
    paired = np.reshape(x, [m for n in shape for m in (1, n)])
    repeated = np.broadcast_to(paired, [m for r, n in zip(reps, shape, strict=True) for m in (r, n)])
    return np.reshape(repeated, tuple(math.prod(p) for p in zip(reps, shape, strict=True)))
