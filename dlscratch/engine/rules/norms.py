"""Norms of vectors and matrices. At 0, where a norm has no slope, its slope is 0, as in PyTorch."""

import numpy as np

from ..operation import composed
from .powers import root
from .precision import accumulated, restored

__all__ = []


@composed(np.linalg.norm)
def norm(x, ord=None, axis=None, keepdims=False):  # noqa: A002 - NumPy's name
    """(sum |x|^p)^(1/p), the largest or smallest |x|, or a norm of a matrix.

    `np.square(norm)` and `norm ** 2` (for p = 2) are the sum of squares, which has its slope and
    curvature at 0 too. The product norm(x) * norm(x) has curvature 0 there: by convention the
    slope of the norm at 0 is 0, and a product does not see what stood under the root.
    """
    matrix = (axis is None and x.ndim == 2) or (isinstance(axis, tuple) and len(axis) == 2)
    order = ord if ord is None or isinstance(ord, str) else float(ord)
    y = _norm(accumulated(x), order, axis, keepdims, matrix)
    return restored(y, x)


def _norm(x, order, axis, keepdims, matrix):
    if order is None or order == ("fro" if matrix else 2):
        return root(np.sum(np.square(x), axis=axis, keepdims=keepdims), p=2)
    if not matrix and order == np.inf:
        return np.max(np.abs(x), axis=axis, keepdims=keepdims)
    if not matrix and order == -np.inf:
        return np.min(np.abs(x), axis=axis, keepdims=keepdims)
    if not matrix and not isinstance(order, str) and order > 0:
        return root(np.sum(_power(np.abs(x), order), axis=axis, keepdims=keepdims), p=order)
    if matrix and x.ndim == 2 and order in (2, "nuc") and not keepdims:
        values = np.linalg.svdvals(x)
        return values[0] if order == 2 else np.sum(values)
    raise ValueError(
        f"np.linalg.norm on a Tensor: expected a norm with a derivative rule, got ord={order!r}, "
        f"axis={axis}; want None, 'fro', 'nuc', 2, or for vectors inf, -inf or p > 0"
    )


def _power(size, p):
    """size ** p for size >= 0, with all slopes 0 at 0, which for small p are infinite."""
    if p == 1:
        return size
    zero = np.equal(size, 0)
    return np.where(zero, 0, np.where(zero, 1, size) ** p) if zero.any() else size**p
