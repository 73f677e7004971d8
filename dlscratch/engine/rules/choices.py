"""Choices between arguments: the gradient goes to the one that was chosen.

The choice itself is a constant. Where two arguments tie each gets half. NaN is chosen like a
number: of maximum(NaN, 1) = NaN the NaN gets the gradient, of fmax(NaN, 1) = 1 the 1 does.
(PyTorch gives all of it to both in the first case.)
"""

import numpy as np

from ..operation import composed, rule
from ..tensor import Array, apply, unwrap

__all__ = ["chosen"]


def chosen(x: Array, y: Array) -> np.ndarray:
    """Where x is the number that became y; NaN equals NaN."""
    same = np.equal(x, y)
    nan = np.isnan(y)
    return same | (nan & np.isnan(x)) if nan.any() else same


def _to_chosen(g, y, mine, other):
    return np.where(chosen(mine, y), np.where(chosen(other, y), 0.5 * g, g), 0)


for _choice in (np.maximum, np.minimum, np.fmax, np.fmin):
    rule(
        _choice,
        lambda g, y, a, b: _to_chosen(g, y, a, b),
        lambda g, y, a, b: _to_chosen(g, y, b, a),
    )

rule(
    np.nan_to_num,
    lambda g, y, x, *, nan=0.0, posinf=None, neginf=None: np.where(np.isfinite(x), g, 0),
)
rule(
    np.where,
    lambda g, y, c, a, b: None,
    lambda g, y, c, a, b: np.where(c, g, 0),
    lambda g, y, c, a, b: np.where(c, 0, g),
)


@composed(np.where)
def where(condition, *choices):
    condition = unwrap(condition)
    return apply(np.where, condition, *choices) if choices else np.nonzero(condition)


@composed(np.select)
def select(conditions, choices, default=0):
    y = default
    for c, x in reversed(list(zip(conditions, choices, strict=True))):
        y = np.where(c, x, y)
    return y


@composed(np.clip)
def clip(x, a_min=None, a_max=None, *, min=None, max=None):  # noqa: A002 - NumPy's names
    """x between its bounds.

    On a bound x has the gradient; of crossed bounds the upper one wins; a NaN in x has none.
    """
    low = a_min if min is None else min
    high = a_max if max is None else max
    if np.isnan(x).any():
        x = np.where(np.isnan(x), np.nan, x)
    if low is not None:
        x = np.where(np.less(x, low) | np.isnan(low), low, x)
    if high is not None:
        x = np.where(np.greater(x, high) | np.isnan(high), high, x)
    return x
