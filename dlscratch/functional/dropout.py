"""Dropout: noise that multiplies.

Nothing is drawn from `rng`, and y = x, when p = 0 or not training.
"""

import math

import numpy as np

from ..engine import Array

__all__ = ["dropout", "alpha_dropout", "drop_path"]

_LOW = -1.7580993408473766  # -λ α of selu: what it tends to for large negative inputs


def _acts(name, p, training):
    if not 0 <= p <= 1:
        raise ValueError(f"{name}: p={p}; want 0 <= p <= 1")
    return training and p > 0


def _kept(shape, p, rng):
    """Where numbers stay; with p = 1 nowhere."""
    return np.random.default_rng(rng).random(shape, dtype=np.float32) >= p


def _rescaled(x, kept, p):
    """x m / (1 - p), as x times one factor, which is 0 for p = 1."""
    return x * kept * (1 / (1 - float(p)) if p < 1 else 0.0)


def dropout(
    x: Array,
    p: float = 0.5,
    training: bool = True,
    *,
    rng: np.random.Generator | int | None = None,
) -> Array:
    """x with a share p of its entries set to 0, and the others scaled so that the mean stays.

    y = x m / (1 - p), with m = 0 with probability p, else 1.

    x: any shape → same. With p = 1 all is 0, and so is the gradient. Raises ValueError for p
    outside 0 .. 1. Source: Srivastava et al. 2014.

    Examples
    --------
    >>> import numpy as np
    >>> dropout(np.ones(6), 0.5, rng=0)
    array([2., 2., 2., 0., 0., 0.])
    """
    return _rescaled(x, _kept(x.shape, p, rng), p) if _acts("dropout", p, training) else x


def alpha_dropout(
    x: Array,
    p: float = 0.5,
    training: bool = False,
    *,
    rng: np.random.Generator | int | None = None,
) -> Array:
    """Dropout to selu's lowest value α' instead of 0, which keeps mean and variance.

    y = a (x m + α' (1 - m)) + b, with a = ((1 - p) (1 + p α'²))^-½, b = -a p α'.

    x: any shape → same; with p = 1 all is 0. Not in training unless told, as in PyTorch. Raises
    ValueError for p outside 0 .. 1. Source: Klambauer et al. 2017.
    """
    if not _acts("alpha_dropout", p, training):
        return x
    p = float(p)
    if p == 1:
        return x * 0.0
    a = 1 / math.sqrt((1 - p) * (1 + p * _LOW**2))
    return a * np.where(_kept(x.shape, p, rng), x, _LOW) - a * p * _LOW


def drop_path(
    x: Array,
    p: float = 0.5,
    training: bool = True,
    *,
    rng: np.random.Generator | int | None = None,
) -> Array:
    """Dropout of whole examples, for residual branches: m is one number for each.

    x: (N, ...) → same. Raises ValueError for p outside 0 .. 1. Source: Huang et al. 2016.
    """
    if not _acts("drop_path", p, training):
        return x
    return _rescaled(x, _kept((x.shape[0],) + (1,) * (x.ndim - 1), p, rng), p)
