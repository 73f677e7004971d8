"""Derivatives of reductions: one number a row comes out, so one gradient a row is spread over what went in."""

import math

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..operation import composed, rule
from ..tensor import unwrap

__all__ = ["root"]


def spread(g, x, axis, keepdims):
    """Undo a reduction's shape: repeat g along the axes of x that were reduced."""
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.broadcast_to(g, x.shape)


def _of_extreme(g, y, x, axis=None, *, keepdims=False):
    """To the winner of each row; winners that tie share equally."""
    won = np.equal(x, spread(y, x, axis, keepdims))
    return np.where(
        won, spread(g, x, axis, keepdims) / won.sum(axis=axis, keepdims=True).astype(g.dtype), 0
    )


def _of_cumsum(g, y, x, axis=None):
    if axis is None:
        return np.reshape(np.flip(np.cumsum(np.flip(g))), x.shape)
    return np.flip(np.cumsum(np.flip(g, axis), axis=axis), axis)


rule(np.sum, lambda g, y, x, axis=None, *, keepdims=False: spread(g, x, axis, keepdims))
rule(np.max, _of_extreme)
rule(np.min, _of_extreme)
rule(np.amax, _of_extreme)
rule(np.amin, _of_extreme)
rule(np.cumsum, _of_cumsum)


def _axes(x, axis):
    return tuple(range(x.ndim)) if axis is None else normalize_axis_tuple(axis, x.ndim)


def _count(x, axis):
    return math.prod(x.shape[a] for a in _axes(x, axis))


@composed(np.mean)
def mean(x, axis=None, *, keepdims=False):
    return np.sum(x, axis=axis, keepdims=keepdims) / _count(x, axis)


@composed(np.average)
def average(x, axis=None, weights=None, *, keepdims=False):
    if weights is None:
        return np.mean(x, axis=axis, keepdims=keepdims)
    if np.shape(weights) != np.shape(x):
        raise ValueError(
            f"np.average on a Tensor: weights {np.shape(weights)} must have the shape of x {np.shape(x)}"
        )
    total = np.sum(x * weights, axis=axis, keepdims=keepdims)
    return total / np.sum(weights, axis=axis, keepdims=keepdims)


@composed(np.var)
def var(x, axis=None, *, ddof=0, keepdims=False):
    deviation = x - np.mean(x, axis=axis, keepdims=True)
    return np.sum(np.square(deviation), axis=axis, keepdims=keepdims) / (_count(x, axis) - ddof)


@composed(np.std)
def std(x, axis=None, *, ddof=0, keepdims=False):
    return root(np.var(x, axis=axis, ddof=ddof, keepdims=keepdims), 2)


def root(x, p):
    """x ** (1 / p) for x >= 0, with derivative zero instead of NaN at x = 0: what a norm or a deviation wants there."""
    zero = np.equal(x, 0)
    return np.where(zero, 0, np.where(zero, 1, x) ** (1 / p))


@composed(np.ptp)
def ptp(x, axis=None, *, keepdims=False):
    return np.max(x, axis=axis, keepdims=keepdims) - np.min(x, axis=axis, keepdims=keepdims)


@composed(np.prod)
def prod(x, axis=None, *, keepdims=False):
    """Halve by multiplying pairs: log2(n) products, whose derivative, unlike y / x, is right where x has zeros."""
    axes = _axes(x, axis)
    kept = [a for a in range(x.ndim) if a not in axes]
    y = np.reshape(np.transpose(x, [*kept, *axes]), [x.shape[a] for a in kept] + [_count(x, axes)])
    while y.shape[-1] > 1:
        half = y.shape[-1] // 2
        pairs = y[..., :half] * y[..., half : 2 * half]
        y = np.concatenate([pairs, y[..., 2 * half :]], axis=-1) if y.shape[-1] % 2 else pairs
    y = y[..., 0] if y.shape[-1] else np.sum(y, axis=-1) + 1  # of none it is 1
    return np.expand_dims(y, axes) if keepdims else y


@composed(np.cumprod)
def cumprod(x, axis=None):
    """Doubling scan: after step k each entry is the product of the 2^k before it. Right at zeros, like `prod`."""
    x, axis = (np.ravel(x), 0) if axis is None else (x, axis)
    y, step = np.moveaxis(x, axis, 0), 1
    while step < len(y):
        y = np.concatenate([y[:step], y[step:] * y[:-step]])
        step *= 2
    return np.moveaxis(y, 0, axis)


# Methods of ufuncs ----------------------------------------------------------------------------------------------------


def _same_along_first_axis(function):
    return lambda x, axis=0, *, keepdims=False: function(x, axis=axis, keepdims=keepdims)


for _ufunc, _function in (
    (np.add, np.sum),
    (np.multiply, np.prod),
    (np.maximum, np.max),
    (np.minimum, np.min),
):
    composed(_ufunc.reduce)(_same_along_first_axis(_function))
composed(np.add.accumulate)(lambda x, axis=0: np.cumsum(x, axis=axis))
composed(np.multiply.accumulate)(lambda x, axis=0: np.cumprod(x, axis=axis))


@composed(np.logaddexp.reduce)
def logsumexp(x, axis=0, *, keepdims=False):
    """log sum exp x, shifted by the largest entry, which drops out of the derivative."""
    largest = np.max(unwrap(x), axis=axis, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0)  # a row of -inf stays -inf
    y = np.log(np.sum(np.exp(x - largest), axis=axis, keepdims=True)) + largest
    return y if keepdims else np.squeeze(y, axis=axis)
