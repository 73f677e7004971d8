"""Layer normalization as one operation on the rows of a matrix; sums are by BLAS."""

import math

import numpy as np

from .linear import column_sums

__all__ = ["layer_norm", "layer_norm_gradient"]


# Sums over rows are products with vectors: with BLAS and np.vecdot half the time of np.mean and
# np.var.
def layer_norm(x, weight=None, bias=None, axes=(-1,), eps=1e-5):
    """The values of layer_norm, and what its gradient needs.

    That is x̂ and 1 / √(var + eps), of x, (..., D), as rows (M, D).
    """
    D = math.prod(x.shape[-len(axes) :])
    rows = x.reshape(math.prod(x.shape[: -len(axes)]), D)
    y, var = _centred(rows, eps)
    scale = 1 / np.sqrt(var + eps)
    y *= scale[:, None]
    saved = y, scale
    if weight is not None:
        y = y * weight.reshape(D)
    if bias is not None:
        y = y + bias.reshape(D) if weight is None else np.add(y, bias.reshape(D), out=y)
    return y.reshape(x.shape), saved


def _centred(rows, eps):
    """(rows - mean, var), row by row.

    The mean is rounded: what it leaves is subtracted too, where it would show. So equal numbers
    become 0, not a few units in their last place, which the division by √(0 + eps) would blow up.
    To look costs one product with ones.
    """
    D = max(rows.shape[1], 1)
    ones = np.ones(rows.shape[1], rows.dtype)
    y = rows - ((rows @ ones) / D)[:, None]
    var = np.vecdot(y, y) / D
    left = (y @ ones) / D
    if np.any(np.square(left) > (4 * np.finfo(rows.dtype).eps) ** 2 * (var + eps)):
        y -= left[:, None]
        var = np.vecdot(y, y) / D
    return y, var


# With h = g · x̂ and w the weights:
#     dx = (g w - mean(g w) - x̂ mean(h w)) / √(var + eps),    dweight = Σ h,    dbias = Σ g.
def layer_norm_gradient(g, y, saved, needs, x, weight=None, bias=None, axes=(-1,), eps=1e-5):
    """The gradients of x, weight and bias."""
    normal, scale = saved
    D = normal.shape[1]
    g = g.reshape(normal.shape)
    w = np.ones(D, g.dtype) if weight is None else weight.reshape(D)
    h = g * normal
    dx = None
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
