"""Reductions that pass over NaN: a missing entry counts nothing, in value and gradient."""

import math
import warnings

import numpy as np

from ..operation import composed
from .powers import root
from .precision import accumulated, restored

__all__ = []


def _filled(x, value):
    """x with `value` for NaN; the gradient of a missing entry is 0."""
    missing = np.isnan(x)
    return np.where(missing, value, x) if missing.any() else x


def _present(x, axis, keepdims):
    """How many entries of each row are numbers, in the dtype of x."""
    return np.sum(~np.isnan(x), axis=axis, keepdims=keepdims).astype(x.dtype)


def _divided(total, n, warning):
    """total / n, NaN with a warning where n <= 0."""
    none = np.less_equal(n, 0)
    if not none.any():
        return total / n
    warnings.warn(warning, RuntimeWarning, stacklevel=4)
    return np.where(none, math.nan, total / np.where(none, 1, n).astype(total.dtype))


@composed(np.nansum)
def nansum(x, axis=None, *, keepdims=False):
    return np.sum(_filled(x, 0), axis=axis, keepdims=keepdims)


@composed(np.nanprod)
def nanprod(x, axis=None, *, keepdims=False):
    return np.prod(_filled(x, 1), axis=axis, keepdims=keepdims)


@composed(np.nancumsum)
def nancumsum(x, axis=None):
    return np.cumsum(_filled(x, 0), axis=axis)


@composed(np.nancumprod)
def nancumprod(x, axis=None):
    return np.cumprod(_filled(x, 1), axis=axis)


@composed(np.nanmean)
def nanmean(x, axis=None, *, keepdims=False):
    """The mean of the numbers in each row; of none it is NaN, with NumPy's warning."""
    if not np.isnan(x).any():
        return np.mean(x, axis=axis, keepdims=keepdims)
    wide = accumulated(x)
    n = _present(wide, axis, keepdims)
    total = np.nansum(wide, axis=axis, keepdims=keepdims)
    return restored(_divided(total, n, "Mean of empty slice"), x)


@composed(np.nanvar)
def nanvar(x, axis=None, *, ddof=0, keepdims=False):
    """The variance of the numbers in each row."""
    if not np.isnan(x).any():
        return np.var(x, axis=axis, ddof=ddof, keepdims=keepdims)
    missing = np.isnan(x)
    wide = accumulated(x)
    n = np.maximum(_present(wide, axis, True), 1)
    mean = np.nansum(wide, axis=axis, keepdims=True) / n
    squares = np.square(np.where(missing, 0, wide - mean))
    freedom = _present(wide, axis, keepdims) - float(ddof)
    total = np.sum(squares, axis=axis, keepdims=keepdims)
    return restored(_divided(total, freedom, "Degrees of freedom <= 0 for slice."), x)


@composed(np.nanstd)
def nanstd(x, axis=None, *, ddof=0, keepdims=False):
    variance = np.nanvar(accumulated(x), axis=axis, ddof=ddof, keepdims=keepdims)
    return restored(root(variance, p=2), x)


def _nan_extreme(extreme, beyond):
    def function(x, axis=None, *, keepdims=False):
        y = extreme(_filled(x, beyond), axis=axis, keepdims=keepdims)
        none = np.isnan(x).all(axis=axis, keepdims=keepdims)
        if not none.any():
            return y
        warnings.warn("All-NaN slice encountered", RuntimeWarning, stacklevel=3)
        return np.where(none, math.nan, y)

    return function


composed(np.nanmax)(_nan_extreme(np.max, -math.inf))
composed(np.nanmin)(_nan_extreme(np.min, math.inf))
