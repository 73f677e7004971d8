"""Derivatives of factorisations, batched over leading axes. Source: Giles 2008."""

import numpy as np

from ..operation import composed, rule
from ..tensor import apply
from .inverses import named_like
from .products import mT

__all__ = []


def _row(x):
    return np.expand_dims(x, -2)


def _symmetric(x):
    return 0.5 * (x + mT(x))


def _of_cholesky(g, y, a):
    """A symmetric gradient: the factorisation reads one triangle of a symmetric matrix.

    Source: Murray, Differentiation of the Cholesky decomposition, 2016.
    """
    n = y.shape[-1]
    weight = (np.tri(n) - 0.5 * np.eye(n)).astype(g.dtype)
    inner = np.linalg.solve(mT(y), (mT(y) @ g) * weight)
    return _symmetric(mT(np.linalg.solve(mT(y), mT(inner))))


rule(np.linalg.cholesky, _of_cholesky)


def _reciprocal(x):
    """1 / x, and 0 for 0: values that coincide do not mix their vectors."""
    zero = np.equal(x, 0)
    return np.where(zero, 0, 1 / np.where(zero, 1, x))


def eigen(a):
    """Eigenvalues (first row) over eigenvectors (columns) of symmetric a: (..., 1 + N, N)."""
    w, v = np.linalg.eigh(a)
    return np.concatenate([_row(w), v], axis=-2)


def _of_eigen(g, y, a):
    w = y[..., 0, :]
    v = y[..., 1:, :]
    between = _reciprocal(_row(w) - mT(_row(w)))
    of_values = _row(g[..., 0, :]) * np.eye(w.shape[-1], dtype=g.dtype)
    inner = (mT(v) @ g[..., 1:, :]) * between + of_values
    return _symmetric(v @ inner @ mT(v))


rule(eigen, _of_eigen)


@composed(np.linalg.eigh)
def eigh(a):
    y = apply(eigen, a)
    return named_like(np.linalg.eigh, y[..., 0, :], y[..., 1:, :])


@composed(np.linalg.eigvalsh)
def eigvalsh(a):
    return apply(eigen, a)[..., 0, :]


def singular(a):
    """Singular values (first row) over left over right singular vectors (columns).

    The shape is (..., 1 + M + N, min(M, N)).
    """
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    return np.concatenate([_row(s), u, mT(vh)], axis=-2)


def _of_singular(g, y, a):
    """Source: Townsend, Differentiating the singular value decomposition, 2016."""
    s, u, v = _parts(y, a)
    gs, gu, gv = _parts(g, a)
    between = _reciprocal(s * s - mT(s * s))
    inverse = _reciprocal(s)
    of_u = mT(u) @ gu
    of_v = mT(v) @ gv
    inner = (of_u - mT(of_u)) * between * s + mT(s) * (of_v - mT(of_v)) * between
    within = u @ (inner + gs * np.eye(s.shape[-1], dtype=g.dtype)) @ mT(v)
    left = (gu - u @ of_u) * inverse  # the part outside the span of u
    right = (gv - v @ of_v) * inverse
    return within + left @ mT(v) + u @ mT(right)


def _parts(y, a):
    m = a.shape[-2]
    return y[..., :1, :], y[..., 1 : 1 + m, :], y[..., 1 + m :, :]


rule(singular, _of_singular)


@composed(np.linalg.svd)
def svd(a, full_matrices=True, compute_uv=True):
    if not compute_uv:
        return np.linalg.svdvals(a)
    if full_matrices and a.shape[-2] != a.shape[-1]:
        raise ValueError(f"np.linalg.svd on a Tensor of shape {a.shape}: pass full_matrices=False")
    s, u, v = _parts(apply(singular, a), a)
    return named_like(np.linalg.svd, u, np.squeeze(s, -2), mT(v))


@composed(np.linalg.svdvals)
def svdvals(a):
    return apply(singular, a)[..., 0, :]
