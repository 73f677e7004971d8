"""Derivatives of inverses and determinants, batched over leading axes: a is (..., N, N).

Source: Giles, An extended collection of matrix derivative results, 2008.
"""

import math
from collections.abc import Callable

import numpy as np

from ..custom import primitive
from ..operation import composed, rule
from ..tensor import Array, apply, unwrap
from .indexing import scatter
from .products import mT

__all__ = ["named_like"]

rule(np.linalg.inv, lambda g, y, a: -(mT(y) @ g @ mT(y)))


def solve_columns(a, b):
    """x with a x = b for b: (..., N, K)."""
    return np.linalg.solve(a, b)


rule(
    solve_columns,
    lambda g, y, a, b: -(np.linalg.solve(mT(a), g) @ mT(y)),
    lambda g, y, a, b: np.linalg.solve(mT(a), g),
)


@composed(np.linalg.solve)
def solve(a, b):
    if np.ndim(b) == 1:
        return np.squeeze(solve(a, np.expand_dims(b, 1)), -1)
    return apply(solve_columns, a, b)


# Determinants. d det a / da is the matrix of cofactors, a polynomial in a; where a has a good
# inverse it is det a times the inverse, transposed.


def cofactors(a):
    """The matrix of cofactors, of singular matrices too.

    For a = U diag(s) Vᵀ it is det(U Vᵀ) U diag(c) Vᵀ, where c_i is the product of the s but s_i.
    """
    u, s, vt = np.linalg.svd(a)
    n = a.shape[-1]
    others = np.where(np.eye(n, dtype=bool), 1, s[..., None, :]).prod(axis=-1)
    sign = np.linalg.det(u) * np.linalg.det(vt)
    return (sign[..., None, None] * (u * others[..., None, :]) @ vt).astype(a.dtype)


def _minors(n):
    """The index of all rows but i and all columns but j, for all i and j: (N, N, N-1, N-1)."""
    rest = np.tile(np.arange(n), (n, 1))[~np.eye(n, dtype=bool)].reshape(n, n - 1)
    return (..., rest[:, None, :, None], rest[None, :, None, :])


def _of_cofactors(g, y, a):
    """Cofactor ij is ± the determinant of a minor, whose derivative is its own cofactors."""
    n = a.shape[-1]
    index = _minors(n)
    signs = (1 - 2 * (np.indices((n, n)).sum(axis=0) % 2)).astype(g.dtype)
    return scatter(_matrix(g * signs) * cofactors(a[index]), index, a.shape)


cofactors = primitive(cofactors, _of_cofactors)


def _matrix(x):
    return np.expand_dims(x, (-2, -1))


def _invertible(a):
    """Whether the inverse of every matrix has half of its digits at least."""
    a = unwrap(a)
    if a.size == 0 or not np.isfinite(a).all():  # NaN goes on to be NaN
        return True
    s = np.linalg.svd(a, compute_uv=False)
    return bool(np.all(s[..., -1] > s[..., 0] * math.sqrt(np.finfo(a.dtype).eps)))


def _of_det(g, y, a):
    if _invertible(a):
        return _matrix(g * y) * mT(np.linalg.inv(a))
    return _matrix(g) * cofactors(a)


def logdet(a):
    """log |det a|, without overflow."""
    return np.linalg.slogdet(a)[1]


def _of_logdet(g, y, a):
    """The inverse, transposed: cofactors / det.

    Of a singular matrix that is infinite, and NaN where a cofactor is 0, with NumPy's warning.
    """
    if np.isneginf(y).any():
        return _matrix(g) * (cofactors(a) / _matrix(np.linalg.det(a)))
    return _matrix(g) * mT(np.linalg.inv(a))


rule(np.linalg.det, _of_det)
rule(logdet, _of_logdet)


@composed(np.linalg.slogdet)
def slogdet(a):
    return named_like(np.linalg.slogdet, np.linalg.slogdet(unwrap(a))[0], apply(logdet, a))


def named_like(function: Callable, *results: Array) -> tuple:
    """The named tuple that NumPy's function returns: `.sign`, `.eigenvalues`, ..."""
    return type(function(np.eye(1)))(*results)
