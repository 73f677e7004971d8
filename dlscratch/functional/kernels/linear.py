"""The affine map as one product of matrices: the fast twin of `linear`."""

import numpy as np

__all__ = ["affine", "affine_gradient", "column_sums"]


def affine(x, weight, bias=None):
    """The affine map x Wᵀ + b."""
    y = np.matmul(x.reshape(-1, x.shape[-1]), weight.T)
    if bias is not None:
        y += bias
    return y.reshape(*x.shape[:-1], len(weight))


def affine_gradient(g, y, saved, needs, x, weight, bias=None):
    """The gradients of (x, weight, bias), given that of y.

    Plain NumPy on its arguments: also its own derivative's rule.
    """
    g = g.reshape(-1, g.shape[-1])
    dx = None
    if needs[0]:
        dx = (weight.T @ g.T).T if _batch_innermost(x) else (g @ weight).reshape(x.shape)
    dW = g.T @ x.reshape(-1, x.shape[-1]) if needs[1] else None
    db = column_sums(g) if needs[2:] == (True,) else None
    return dx, dW, db


def _batch_innermost(x):
    """Whether x comes from a convolution, which keeps the batch innermost in memory.

    Its gradient then should too, without a copy.
    """
    return x.ndim == 2 and isinstance(x, np.ndarray) and not x.flags.c_contiguous


def column_sums(g):
    """The sum of all rows of a matrix, Σ_n g[n], by BLAS.

    g: (N, O) → (O,). A product with a row of ones is two to four times as fast as g.sum(axis=0).
    """
    return np.ones_like(g, shape=len(g)) @ g
