"""The affine map, the only place where most networks hold weights."""

import numpy as np

from ..engine import fused

__all__ = ["textbook_linear", "linear"]


def textbook_linear(x, W, b=None):
    """y = x Wᵀ + b.  x: (..., D), W: (O, D), b: (O,) → (..., O)."""
    y = np.matmul(x, np.swapaxes(W, -1, -2))
    return y if b is None else y + b


def _forward(x, W, b=None):
    y = np.matmul(x.reshape(-1, x.shape[-1]), W.T)
    if b is not None:
        y += b
    return y.reshape(*x.shape[:-1], len(W)), None


def _backward(g, y, saved, needs, x, W, b=None):
    g = g.reshape(-1, g.shape[-1])
    dx = (g @ W).reshape(x.shape) if needs[0] else None
    dW = g.T @ x.reshape(-1, x.shape[-1]) if needs[1] else None
    return dx, dW, *([g.sum(axis=0) if needs[2] else None] if len(needs) > 2 else [])


linear = fused(textbook_linear, _forward, _backward)  # one GEMM for any number of leading axes
