"""Indexing and its adjoint, scatter: each is the other's rule.

Whatever picks entries of an array is an index: take, flip, roll, repeat, ...
"""

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..custom import primitive
from ..operation import composed, rule
from ..tensor import Array, getitem, unwrap

__all__ = ["along", "scatter"]


def scatter(g: Array, index: Any, shape: tuple) -> Array:
    """The adjoint of x[index]: zeros of `shape` with g added at `index`, once for each pick."""
    z = np.zeros(shape, g.dtype)
    if _picks_once(index):
        z[index] = g
    else:
        _add_at(z, g, index)
    return z


def _add_at(z, g, index):
    """z[index] += g, in place, which also adds where `index` names an entry twice."""
    if _picks_once(index):
        z[index] += g
    elif isinstance(index, np.ndarray) and z.ndim > 1 and g.size:
        _add_rows(z, g, index.ravel())
    elif z.size < 16 * g.size:  # numbering the entries pays: one dimension is five times as fast
        places = np.arange(z.size).reshape(z.shape)[index]
        np.add.at(z.reshape(-1), places.reshape(-1), g.reshape(-1))
    else:
        np.add.at(z, index, g)


def _add_rows(z, g, rows):
    """z[rows] += g for rows that may repeat.

    Sorted, equal rows are neighbours and one reduceat sums them, much faster than np.add.at.
    """
    rows = rows.astype(np.intp, copy=False)  # uint8 has no room for rows + len(z)
    rows = np.where(rows < 0, rows + len(z), rows)
    order = np.argsort(rows, kind="stable")
    rows = rows[order]
    first = np.flatnonzero(np.diff(rows, prepend=-1))
    z[rows[first]] += np.add.reduceat(g.reshape(len(rows), *z.shape[1:])[order], first, axis=0)


def _picks_once(index):
    """Whether no entry can be named twice: slices, masks and single integers never do it."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        p is None
        or p is Ellipsis
        or isinstance(p, slice)
        or np.ndim(p) == 0
        or np.asarray(p).dtype == bool
        for p in parts
    )


scatter = primitive(scatter, lambda g, y, x, index, shape: g[index])
rule(getitem, lambda g, y, x, index: scatter(g, index, x.shape), accumulate=_add_at)


def _flat(x, axis):
    """What NumPy means by axis=None: all entries in one row."""
    return (np.ravel(x), 0) if axis is None else (x, normalize_axis_index(axis, x.ndim))


def along(x: Array, index: np.ndarray, axis: int) -> Array:
    """x[..., index, ...] with the index at `axis`."""
    return x[(slice(None),) * axis + (index,)]


@composed(np.take)
def take(x, indices, axis=None, *, mode="raise"):
    x, axis = _flat(x, axis)
    return along(x, np.take(np.arange(x.shape[axis]), unwrap(indices), mode=mode), axis)


@composed(np.take_along_axis)
def take_along_axis(x, indices, axis=-1):
    if axis is None:
        return np.ravel(x)[unwrap(indices)]
    index = list(np.ogrid[tuple(map(slice, x.shape))])
    index[axis] = unwrap(indices)
    return x[tuple(index)]


@composed(np.flip)
def flip(x, axis=None):
    axes = range(x.ndim) if axis is None else normalize_axis_tuple(axis, x.ndim)
    return x[tuple(slice(None, None, -1) if a in axes else slice(None) for a in range(x.ndim))]


@composed(np.flipud)
def flipud(x):
    return np.flip(x, 0)


@composed(np.fliplr)
def fliplr(x):
    return np.flip(x, 1)


@composed(np.rot90)
def rot90(x, k=1, axes=(0, 1)):
    """A quarter turn is a transposition and a flip."""
    for _ in range(k % 4):
        x = np.flip(np.swapaxes(x, *axes), axes[0])
    return x


@composed(np.roll)
def roll(x, shift, axis=None):
    if axis is None:
        return np.reshape(roll(np.ravel(x), shift, 0), x.shape)
    for s, a in np.broadcast(shift, normalize_axis_tuple(axis, x.ndim, allow_duplicate=True)):
        x = along(x, np.roll(np.arange(x.shape[a]), s), a)
    return x


@composed(np.repeat)
def repeat(x, repeats, axis=None):
    x, axis = _flat(x, axis)
    return along(x, np.repeat(np.arange(x.shape[axis]), repeats), axis)


@composed(np.compress)
def compress(condition, x, axis=None):
    x, axis = _flat(x, axis)
    return along(x, np.flatnonzero(unwrap(condition)), axis)


@composed(np.delete)
def delete(x, obj, axis=None):
    x, axis = _flat(x, axis)
    return along(x, np.delete(np.arange(x.shape[axis]), obj), axis)
