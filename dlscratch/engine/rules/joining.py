"""Joining and splitting: each is the other's adjoint."""

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..operation import composed, rule
from ..tensor import Array, apply

__all__ = ["join"]


def join(*arrays: Array, axis: int = 0) -> Array:
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
