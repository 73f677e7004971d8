"""Dropout: noise that multiplies. Nothing is drawn from `rng`, and y = x, when p = 0 or not training."""

import math

import numpy as np

__all__ = ["dropout", "alpha_dropout", "drop_path"]

_LOW = -1.7580993408473766  # -λ α of selu: what it tends to for large negative inputs


def _acts(name, p, training):
    if not 0 <= p < 1:
        raise ValueError(f"{name}: p={p}; want 0 <= p < 1")
    return training and p > 0


def _kept(shape, p, rng):
    return np.random.default_rng(rng).random(shape, dtype=np.float32) >= p


def dropout(x, p=0.5, training=True, *, rng=None):
    """y = x m / (1 - p), with m = 0 with probability p, else 1: the mean of y is x.  x: any shape. Source: Srivastava et al. 2014."""
    return x * _kept(x.shape, p, rng) * (1 / (1 - p)) if _acts("dropout", p, training) else x


def alpha_dropout(x, p=0.5, training=False, *, rng=None):
    """y = a (x m + α' (1 - m)) + b: drops to selu's lowest value α' and keeps mean 0 and variance 1.  Source: Klambauer et al. 2017.

    a = ((1 - p) (1 + p α'²))^-½, b = -a p α'.  x: any shape → same. Not in training unless told, as in PyTorch.
    """
    if not _acts("alpha_dropout", p, training):
        return x
    a = 1 / math.sqrt((1 - p) * (1 + p * _LOW**2))
    return a * np.where(_kept(x.shape, p, rng), x, _LOW) - a * p * _LOW


def drop_path(x, p=0.5, training=True, *, rng=None):
    """Dropout of whole examples, for residual branches: m is one number for each.  x: (N, ...) → same. Source: Huang et al. 2016."""
    if not _acts("drop_path", p, training):
        return x
    return x * _kept((x.shape[0],) + (1,) * (x.ndim - 1), p, rng) * (1 / (1 - p))
