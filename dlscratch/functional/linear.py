"""The affine map, the only place where most networks hold weights, and its case of a one-hot input: a row looked up."""

import numpy as np

from ..engine import Tensor, fused

__all__ = ["textbook_linear", "linear", "embedding", "one_hot"]


def textbook_linear(x, W, b=None):
    """y = x Wᵀ + b.  x: (..., D), W: (O, D), b: (O,) → (..., O)."""
    y = np.matmul(x, np.swapaxes(W, -1, -2))
    return y if b is None else y + b


def _forward(x, W, b=None):
    if x.shape[-1:] != W.shape[1:] or (b is not None and b.shape != W.shape[:1]):
        raise ValueError(f"linear: input {x.shape}, weight {W.shape}, bias {np.shape(b)}; want (..., D), (O, D) and (O,)")
    y = np.matmul(x.reshape(-1, x.shape[-1]), W.T)
    if b is not None:
        y += b
    return y.reshape(*x.shape[:-1], len(W)), None


def _backward(g, y, saved, needs, x, W, b=None):
    g = g.reshape(-1, g.shape[-1])
    dx = None
    if needs[0]:
        dx = (W.T @ g.T).T if _batch_innermost(x) else (g @ W).reshape(x.shape)
    dW = g.T @ x.reshape(-1, x.shape[-1]) if needs[1] else None
    return dx, dW, column_sums(g) if needs[2:] == (True,) else None


def _batch_innermost(x):
    """Whether x comes from a convolution, which keeps the batch innermost in memory: its gradient then should too, without a copy."""
    return x.ndim == 2 and isinstance(x, np.ndarray) and not x.flags.c_contiguous


def column_sums(g):
    """Σ_n g[n], by BLAS: a product with a row of ones is two to four times as fast as g.sum(axis=0).  g: (N, O) → (O,)."""
    return np.ones_like(g, shape=len(g)) @ g


linear = fused(textbook_linear, _forward, _backward, pure=True)  # one GEMM for any number of leading axes


def embedding(ids, weight, padding_idx=None):
    """y = weight[ids], the product of one-hot rows with weight.  ids: integers of any shape, weight: (V, D) → (*ids, D).

    The row `padding_idx` gets no gradient. Raises TypeError for ids that are no integers, ValueError for those outside 0 .. V - 1.
    """
    ids = _integers("embedding", ids, weight.shape[0])
    y = weight[ids]
    if padding_idx is None:
        return y
    padded = ids == padding_idx % weight.shape[0]
    return np.where(padded[..., None], y.data if isinstance(y, Tensor) else y, y)


def one_hot(ids, num_classes=-1):
    """1 at [..., ids], else 0, as int64; num_classes is the largest id + 1 unless given.  ids: any shape → (*ids, num_classes)."""
    num_classes = int(np.max(ids)) + 1 if num_classes == -1 else num_classes
    return (_integers("one_hot", ids, num_classes)[..., None] == np.arange(num_classes)).astype(np.int64)


def _integers(name, ids, n):
    ids = ids.data if isinstance(ids, Tensor) else np.asarray(ids)
    if ids.dtype.kind not in "iu":
        raise TypeError(f"{name}: ids of dtype {ids.dtype}; want integers: ids.astype('int64')")
    if ids.size and not 0 <= ids.min() <= ids.max() < n:
        raise ValueError(f"{name}: ids from {ids.min()} to {ids.max()}; want 0 to {n - 1}")
    return ids
