"""Derivatives of reductions: one number a row comes out, so one gradient a row is spread over what went in."""

import math

import numpy as np

from ..table import composed, rule

__all__ = []


def spread(g, x, axis, keepdims):
    """Undo a reduction's shape: repeat g along the axes of x that were reduced."""
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.broadcast_to(g, x.shape)


def _winners(g, y, x, axis, keepdims):
    """Share of each entry in its row's extreme value: ties share equally."""
    equal = np.equal(x, spread(y, x, axis, keepdims))
    return (equal / equal.sum(axis=axis, keepdims=True)).astype(g.dtype)


def _of_extreme(g, y, x, axis=None, *, keepdims=False):
    return spread(g, x, axis, keepdims) * _winners(g, y, x, axis, keepdims)


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


def _count(x, axis):
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return math.prod(x.shape[a] for a in axes)


@composed(np.mean)
def mean(x, axis=None, *, keepdims=False):
    return np.sum(x, axis=axis, keepdims=keepdims) * (1 / _count(x, axis))


@composed(np.average)
def average(x, axis=None, weights=None, *, keepdims=False):
    if weights is None:
        return np.mean(x, axis=axis, keepdims=keepdims)
    if np.shape(weights) != np.shape(x):
        raise ValueError(f"np.average on a Tensor: weights {np.shape(weights)} must have the shape of x {np.shape(x)}")
    total = np.sum(x * weights, axis=axis, keepdims=keepdims)
    return total / np.sum(weights, axis=axis, keepdims=keepdims)


@composed(np.var)
def var(x, axis=None, *, ddof=0, keepdims=False):
    deviation = x - np.mean(x, axis=axis, keepdims=True)
    return np.sum(np.square(deviation), axis=axis, keepdims=keepdims) * (1 / (_count(x, axis) - ddof))


@composed(np.std)
def std(x, axis=None, *, ddof=0, keepdims=False):
    return np.sqrt(np.var(x, axis=axis, ddof=ddof, keepdims=keepdims))


@composed(np.ptp)
def ptp(x, axis=None, *, keepdims=False):
    return np.max(x, axis=axis, keepdims=keepdims) - np.min(x, axis=axis, keepdims=keepdims)


@composed(np.prod)
def prod(x, axis=None, *, keepdims=False):
    """Halve by multiplying pairs: log2(n) products, whose derivative, unlike y / x, is right where x has zeros."""
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = tuple(a % x.ndim for a in axes)
    kept = [a for a in range(x.ndim) if a not in axes]
    y = np.reshape(np.transpose(x, kept + list(axes)), [x.shape[a] for a in kept] + [_count(x, axes)])
    while y.shape[-1] > 1:
        half = y.shape[-1] // 2
        pairs = y[..., :half] * y[..., half : 2 * half]
        y = np.concatenate([pairs, y[..., 2 * half :]], axis=-1) if y.shape[-1] % 2 else pairs
    shape = [1 if a in axes else n for a, n in enumerate(x.shape)]
    return np.reshape(y, shape if keepdims else [x.shape[a] for a in kept])


@composed(np.cumprod)
def cumprod(x, axis=None):
    """Doubling scan: after step k each entry is the product of the 2^k before it. Right at zeros, like `prod`."""
    x, axis = (np.ravel(x), 0) if axis is None else (x, axis)
    y, step = np.moveaxis(x, axis, 0), 1
    while step < len(y):
        y = np.concatenate([y[:step], y[step:] * y[:-step]])
        step *= 2
    return np.moveaxis(y, 0, axis)
