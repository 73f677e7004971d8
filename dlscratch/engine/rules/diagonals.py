"""Triangles and diagonals of matrices."""

import numpy as np

from ..operation import composed
from .indexing import scatter

__all__ = []


@composed(np.tril)
def tril(x, k=0):
    return np.where(np.tri(*x.shape[-2:], k=k, dtype=bool), x, x.dtype.type(0))


@composed(np.triu)
def triu(x, k=0):
    return np.where(np.tri(*x.shape[-2:], k=k - 1, dtype=bool), x.dtype.type(0), x)


@composed(np.diagonal)
def diagonal(x, offset=0, axis1=0, axis2=1):
    x = np.moveaxis(x, (axis1, axis2), (-2, -1))
    rows = np.arange(max(0, min(x.shape[-2] + min(offset, 0), x.shape[-1] - max(offset, 0))))
    return x[..., rows - min(offset, 0), rows + max(offset, 0)]


@composed(np.diag)
def diag(x, k=0):
    if x.ndim == 2:
        return np.diagonal(x, k)
    n = len(x) + abs(k)
    rows = np.arange(len(x))
    return scatter(x, (rows - min(k, 0), rows + max(k, 0)), (n, n))


@composed(np.trace)
def trace(x, offset=0, axis1=0, axis2=1):
    return np.sum(np.diagonal(x, offset, axis1, axis2), axis=-1)
