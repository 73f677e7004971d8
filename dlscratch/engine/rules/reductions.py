"""Derivatives of reductions: one number a row comes out, one gradient a row is spread."""

import math
import warnings

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..operation import composed, rule
from ..tensor import Array
from .choices import chosen
from .powers import root
from .precision import accumulated, restored

__all__ = ["Axis", "axes_of", "count", "in_rows", "spread"]

Axis = int | tuple[int, ...] | None


def spread(g: Array, x: Array, axis: Axis, keepdims: bool) -> Array:
    """Undo a reduction's shape: repeat g along the axes of x that were reduced."""
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.broadcast_to(g, x.shape)


def axes_of(x: Array, axis: Axis) -> tuple[int, ...]:
    """The axes that `axis` names, counted from 0; None names all."""
    return tuple(range(x.ndim)) if axis is None else normalize_axis_tuple(axis, x.ndim)


def count(x: Array, axis: Axis) -> int:
    """How many entries of x make one entry of the result."""
    return math.prod(x.shape[a] for a in axes_of(x, axis))


def in_rows(x: Array, axis: Axis) -> Array:
    """x with the reduced axes as one, the last."""
    axes = axes_of(x, axis)
    kept = [a for a in range(x.ndim) if a not in axes]
    shape = [x.shape[a] for a in kept]
    return np.reshape(np.transpose(x, [*kept, *axes]), [*shape, count(x, axes)])


# Sums ---------------------------------------------------------------------------------------------

rule(np.sum, lambda g, y, x, axis=None, *, keepdims=False: spread(g, x, axis, keepdims))


@composed(np.mean)
def mean(x, axis=None, *, keepdims=False):
    """sum x / n. Of no entries it is NaN, with NumPy's warning."""
    total = np.sum(accumulated(x), axis=axis, keepdims=keepdims)
    n = count(x, axis)
    if n == 0:
        warnings.warn("Mean of empty slice.", RuntimeWarning, stacklevel=3)
        return restored(total * math.nan, x)
    return restored(total / n, x)


@composed(np.average)
def average(x, axis=None, weights=None, *, keepdims=False):
    """sum w x / sum w."""
    if weights is None:
        return np.mean(x, axis=axis, keepdims=keepdims)
    if np.shape(weights) != np.shape(x):
        raise ValueError(
            "np.average on a Tensor: weights must have the shape of x, expected "
            f"{np.shape(x)}, got {np.shape(weights)}; use np.broadcast_to(weights, x.shape)"
        )
    x = x if hasattr(x, "dtype") else np.asarray(x)
    weights = weights if hasattr(weights, "dtype") else np.asarray(weights)
    dtype = np.result_type(x.dtype, weights.dtype)
    wide = accumulated(weights)
    total = np.sum(accumulated(x) * wide, axis=axis, keepdims=keepdims)
    y = total / np.sum(wide, axis=axis, keepdims=keepdims)
    return y.astype(dtype) if dtype == np.float16 else y


@composed(np.var)
def var(x, axis=None, *, ddof=0, keepdims=False):
    """sum (x - mean)² / (n - ddof)."""
    wide = accumulated(x)
    freedom = max(float(count(x, axis) - ddof), 0.0)
    if freedom == 0:
        warnings.warn("Degrees of freedom <= 0 for slice.", RuntimeWarning, stacklevel=3)
    if x.size == 0:
        return restored(np.sum(wide, axis=axis, keepdims=keepdims) * math.nan, x)
    deviation = wide - np.mean(wide, axis=axis, keepdims=True)
    total = np.sum(np.square(deviation), axis=axis, keepdims=keepdims)
    return restored(total / freedom, x)


@composed(np.std)
def std(x, axis=None, *, ddof=0, keepdims=False):
    """The root of `var`. Of equal numbers it is 0, and so is its slope."""
    variance = np.var(accumulated(x), axis=axis, ddof=ddof, keepdims=keepdims)
    return restored(root(variance, p=2), x)


# Extremes -----------------------------------------------------------------------------------------


def _of_extreme(g, y, x, axis=None, *, keepdims=False):
    """To the winner of each row; winners that tie share equally. A NaN wins its row."""
    won = chosen(x, spread(y, x, axis, keepdims))
    share = spread(g, x, axis, keepdims) / won.sum(axis=axis, keepdims=True).astype(g.dtype)
    return np.where(won, share, 0)


rule(np.max, _of_extreme)
rule(np.min, _of_extreme)
rule(np.amax, _of_extreme)
rule(np.amin, _of_extreme)


@composed(np.ptp)
def ptp(x, axis=None, *, keepdims=False):
    return np.max(x, axis=axis, keepdims=keepdims) - np.min(x, axis=axis, keepdims=keepdims)


# Methods of ufuncs --------------------------------------------------------------------------------


def _along_first_axis(function):
    return lambda x, axis=0, *, keepdims=False: function(x, axis=axis, keepdims=keepdims)


composed(np.add.reduce)(_along_first_axis(np.sum))
composed(np.multiply.reduce)(_along_first_axis(np.prod))
composed(np.maximum.reduce)(_along_first_axis(np.max))
composed(np.minimum.reduce)(_along_first_axis(np.min))
