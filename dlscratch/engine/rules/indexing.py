"""Indexing and its adjoint, scatter: each is the other's rule. Whatever picks entries of an array is an index."""

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..custom import primitive
from ..operation import composed, rule
from ..tensor import getitem, unwrap

__all__ = ["scatter"]


def scatter(g, index, shape):
    """The adjoint of x[index]: zeros of `shape` with g added at `index`, as often as an entry was picked."""
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
    elif (
        z.size < 16 * g.size
    ):  # numbering the entries is worth it: adding in one dimension is five times as fast
        np.add.at(
            z.reshape(-1), np.arange(z.size).reshape(z.shape)[index].reshape(-1), g.reshape(-1)
        )
    else:
        np.add.at(z, index, g)


def _add_rows(z, g, rows):
    """z[rows] += g for rows that may repeat. Sorted, equal ones are neighbours and one reduceat sums them, much faster than np.add.at."""
    rows = np.where(rows < 0, rows + len(z), rows)
    order = np.argsort(rows, kind="stable")
    rows = rows[order]
    first = np.flatnonzero(np.diff(rows, prepend=-1))
    z[rows[first]] += np.add.reduceat(g.reshape(len(rows), *z.shape[1:])[order], first, axis=0)


def _picks_once(index):
    """Slices and masks do; so does one integer an axis. Arrays of integers may name an entry twice."""
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


def _along(x, index, axis):
    """x[..., index, ...] with the index at `axis`."""
    return x[(slice(None),) * axis + (index,)]


@composed(np.take)
def take(x, indices, axis=None, *, mode="raise"):
    x, axis = _flat(x, axis)
    return _along(x, np.take(np.arange(x.shape[axis]), unwrap(indices), mode=mode), axis)


@composed(np.take_along_axis)
def take_along_axis(x, indices, axis=-1):
    if axis is None:
        return np.ravel(x)[unwrap(indices)]
    index = list(np.ogrid[tuple(map(slice, x.shape))])
    index[axis] = unwrap(indices)
    return x[tuple(index)]


@composed(np.sort)
def sort(x, axis=-1):
    return np.take_along_axis(x, np.argsort(x, axis=axis, kind="stable"), axis=axis)


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
        x = _along(x, np.roll(np.arange(x.shape[a]), s), a)
    return x


@composed(np.repeat)
def repeat(x, repeats, axis=None):
    x, axis = _flat(x, axis)
    return _along(x, np.repeat(np.arange(x.shape[axis]), repeats), axis)


@composed(np.compress)
def compress(condition, x, axis=None):
    x, axis = _flat(x, axis)
    return _along(x, np.flatnonzero(unwrap(condition)), axis)


@composed(np.delete)
def delete(x, obj, axis=None):
    x, axis = _flat(x, axis)
    return _along(x, np.delete(np.arange(x.shape[axis]), obj), axis)


@composed(np.pad)
def pad(x, pad_width, mode="constant", *, constant_values=0):
    """Constant: scatter into a larger array. Every other mode repeats entries, so padding an index says which."""
    width = np.broadcast_to(pad_width, (x.ndim, 2)).tolist()
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
            f"np.pad on a Tensor: constant_values goes with mode 'constant', not {mode!r}"
        )
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise ValueError(
            f"np.pad on a Tensor: mode {mode!r}; want constant, edge, reflect, symmetric or wrap"
        )
    for axis, (n, w) in enumerate(zip(x.shape, width, strict=True)):
        if w != [0, 0]:
            x = _along(x, np.pad(np.arange(n), w, mode=mode), axis)
    return x


@composed(np.tril)
def tril(x, k=0):
    return np.where(np.tri(*x.shape[-2:], k=k, dtype=bool), x, 0)


@composed(np.triu)
def triu(x, k=0):
    return np.where(np.tri(*x.shape[-2:], k=k - 1, dtype=bool), 0, x)


@composed(np.diagonal)
def diagonal(x, offset=0, axis1=0, axis2=1):
    x = np.moveaxis(x, (axis1, axis2), (-2, -1))
    rows = np.arange(max(0, min(x.shape[-2] + min(offset, 0), x.shape[-1] - max(offset, 0))))
    return x[..., rows - min(offset, 0), rows + max(offset, 0)]


@composed(np.diag)
def diag(x, k=0):
    if x.ndim == 2:
        return np.diagonal(x, k)
    n, rows = len(x) + abs(k), np.arange(len(x))
    return scatter(x, (rows - min(k, 0), rows + max(k, 0)), (n, n))


@composed(np.trace)
def trace(x, offset=0, axis1=0, axis2=1):
    return np.sum(np.diagonal(x, offset, axis1, axis2), axis=-1)


# Windows and their adjoint, fold: each is the other's rule -------------------------------------------------------------


def windows(x, sizes, axes):
    """Every window of x along `axes`, a view; the places within a window are the last axes."""
    return np.lib.stride_tricks.sliding_window_view(x, sizes, axes)


def fold(w, sizes, axes, shape):
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
