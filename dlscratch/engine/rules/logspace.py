"""Sums of exponentials in log space, where -inf is the logarithm of 0 and takes no part."""

import math

import numpy as np

from ..custom import primitive
from ..operation import composed, rule
from ..tensor import Array, unwrap
from .guarded import settled
from .precision import accumulated, restored
from .reductions import Axis, spread

__all__ = ["logistic", "logsumexp"]


def _part(small, z):
    """e^z / (1 + e^z) from small = e^-|z|, which cannot overflow."""
    return np.where(np.greater(z, 0), 1, small) / (1 + small)


def logistic(z: Array) -> Array:
    """e^z / (1 + e^z), the part of e^a in e^a + e^b for z = a - b."""
    return _part(np.exp(-np.abs(z)), z)


def logistic2(z):
    """2^z / (1 + 2^z)."""
    return _part(np.exp2(-np.abs(z)), z)


logistic = primitive(logistic, lambda g, y, z: g * y * logistic(-z))
logistic2 = primitive(logistic2, lambda g, y, z: g * y * logistic2(-z) * math.log(2))


def _ahead(a, b):
    """a - b, of which the logistic function is the part of a.

    Of two +inf each has a half (difference 0); of two -inf, which add nothing, neither (-inf).
    """
    both = np.equal(a, b) & np.isinf(a)
    if not both.any():
        return a - b
    with np.errstate(invalid="ignore"):
        difference = np.where(both, 0, a - b)
    return np.where(both & np.less(a, 0), -math.inf, difference)


rule(
    np.logaddexp,
    lambda g, y, a, b: g * logistic(_ahead(a, b)),
    lambda g, y, a, b: g * logistic(_ahead(b, a)),
)
rule(
    np.logaddexp2,
    lambda g, y, a, b: g * logistic2(_ahead(a, b)),
    lambda g, y, a, b: g * logistic2(_ahead(b, a)),
)


def logsumexp(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """log sum exp x, shifted by the largest entry of each row; -inf of no entries."""
    wide = accumulated(x)
    shift = _largest(wide, axis)
    with np.errstate(divide="ignore", over="ignore"):
        y = np.log(np.sum(np.exp(wide - shift), axis=axis, keepdims=True)) + shift
    return restored(y if keepdims else np.squeeze(y, axis=axis), x)


def _largest(x, axis):
    """The largest entry of each row, or 0 where that is infinite: a shift, which drops out."""
    largest = np.max(unwrap(x), axis=axis, keepdims=True, initial=-math.inf)
    return np.where(np.isfinite(largest), largest, 0)


def _parts(x, axis):
    """exp x / sum exp x; entries of +inf share their row equally, a row of -inf has only 0."""
    infinite = np.equal(x, math.inf)
    if infinite.any():
        row = infinite.any(axis=axis, keepdims=True)
        x = np.where(row, np.where(infinite, 0, -math.inf), x)
    wide = accumulated(x)
    powers = np.exp(wide - _largest(wide, axis))
    total = np.sum(powers, axis=axis, keepdims=True)
    return powers / np.where(np.equal(total, 0), 1, total)


def _of_logsumexp(g, y, x, axis, keepdims):
    """g to each entry in proportion to its part."""
    g = spread(g, x, axis, keepdims)
    return settled(g * _parts(x, axis), g)


logsumexp = primitive(logsumexp, _of_logsumexp)


@composed(np.logaddexp.reduce)
def logaddexp_reduce(x, axis=0, *, keepdims=False):
    return logsumexp(x, axis=axis, keepdims=keepdims)
