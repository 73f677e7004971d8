"""Order statistics: sorting moves entries, so the gradient moves back."""

import math
import warnings

import numpy as np

from ..operation import composed
from ..tensor import unwrap
from .precision import by_numpy, whole
from .reductions import axes_of, count, in_rows

__all__ = []


@composed(np.sort)
def sort(x, axis=-1):
    """Entries that tie keep their order, and so do their gradients."""
    return np.take_along_axis(x, np.argsort(x, axis=axis, kind="stable"), axis=axis)


@composed(np.quantile)
def quantile(x, q, axis=None, *, method="linear", keepdims=False):
    """The number below which the part q of each row lies, linear between its neighbours.

    Entries that tie are taken in their order in the row. A row with a NaN is NaN. Axes of q come
    first in the result.
    """
    if method != "linear":
        raise ValueError(
            f"np.quantile on a Tensor: expected method='linear', got {method!r}; "
            "other methods jump, so they have no slope: use the plain array t.data"
        )
    given = unwrap(q)
    q = np.asarray(given, dtype=float)
    if not np.all((q >= 0) & (q <= 1)):
        raise ValueError(
            "np.quantile: expected q from 0 to 1, got q outside; percentiles are q / 100"
        )
    if whole(x) or x.size == 0:  # of nothing NumPy has its own to say
        return by_numpy(np.quantile, x, given, axis=axis, keepdims=keepdims)
    rows = np.sort(in_rows(x, axis), axis=-1)
    levels = [_level(rows, p) for p in q.ravel().tolist()]
    if keepdims:
        levels = [np.expand_dims(y, axes_of(x, axis)) for y in levels]
    return levels[0] if q.ndim == 0 else np.reshape(np.stack(levels), (*q.shape, *levels[0].shape))


def _level(rows, q):
    """The quantile q of sorted rows."""
    place = q * (rows.shape[-1] - 1)
    below = math.floor(place)
    weight = place - below
    y = rows[..., below]
    if weight:
        y = (1 - weight) * y + weight * rows[..., below + 1]
    spoilt = np.isnan(rows[..., -1])  # NaN is sorted to the end
    return np.where(spoilt, rows[..., -1], y) if spoilt.any() else y


@composed(np.percentile)
def percentile(x, q, axis=None, *, method="linear", keepdims=False):
    """The quantile q / 100."""
    return np.quantile(x, np.asarray(unwrap(q)) / 100, axis, method=method, keepdims=keepdims)


@composed(np.median)
def median(x, axis=None, *, keepdims=False):
    """The middle entry of each row, or half of each of the two in the middle."""
    if count(x, axis) == 0:
        warnings.warn("Mean of empty slice.", RuntimeWarning, stacklevel=3)
        return np.sum(x, axis=axis, keepdims=keepdims) * math.nan
    return np.quantile(x, 0.5, axis, keepdims=keepdims)
