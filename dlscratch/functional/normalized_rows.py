"""Layer normalization as one operation on the rows of a matrix: its gradient by hand, its sums by BLAS."""

import numpy as np

from ..engine import custom_vjp
from .linear import column_sums

__all__ = ["textbook_normalize_rows", "normalize_rows"]


def textbook_normalize_rows(x, weight=None, bias=None, axes=(-1,), eps=1e-5):
    """y = x̂ · weight + bias, x̂ = (x - mean) / √(var + eps) over the last axes, `axes`, var being the biased variance.  x: (..., D)."""
    y = (x - np.mean(x, axis=axes, keepdims=True)) / np.sqrt(
        np.var(x, axis=axes, keepdims=True) + eps
    )
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


# Sums over rows are products with vectors: with BLAS and np.vecdot half the time of np.mean and np.var.
def _forward(x, weight=None, bias=None, axes=(-1,), eps=1e-5):
    rows = x.reshape(-1, _size(x, axes))  # (M, D)
    D = rows.shape[1]
    y = rows - (rows @ np.full(D, 1 / D, x.dtype))[:, None]
    scale = 1 / np.sqrt(np.vecdot(y, y) / D + eps)
    y *= scale[:, None]
    saved = y, scale
    if weight is not None:
        y = y * weight.ravel()
    if bias is not None:
        y = y + bias.ravel() if weight is None else np.add(y, bias.ravel(), out=y)
    return y.reshape(x.shape), saved


# With h = g · x̂ and w the weights: dx = (g w - mean(g w) - x̂ mean(h w)) / √(var + eps), dweight = Σ h, dbias = Σ g.
def _backward(g, y, saved, needs, x, weight=None, bias=None, axes=(-1,), eps=1e-5):
    normal, scale = saved
    g, D = g.reshape(normal.shape), normal.shape[1]
    w = np.ones(D, g.dtype) if weight is None else weight.ravel()
    h, dx = g * normal, None
    if needs[0]:
        dx = g * w
        dx -= (g @ (w / D))[:, None]
        dx -= normal * (h @ (w / D))[:, None]
        dx *= scale[:, None]
        dx = dx.reshape(x.shape)
    sums = [
        column_sums(a).reshape(p.shape) if need else None
        for a, p, need in zip((h, g), (weight, bias), needs[1:])
    ]
    return dx, *sums


def _size(x, axes):
    """How many numbers a row has."""
    return int(np.prod(x.shape[-len(axes) :]))


normalize_rows = custom_vjp(textbook_normalize_rows, _forward, _backward)
