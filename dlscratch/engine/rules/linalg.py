"""Derivatives of inverses, factorisations and norms, batched over leading axes: a is (..., M, N). Source: Giles 2008."""

import numpy as np

from ..operation import composed, rule
from ..tensor import apply, unwrap
from .products import mT
from .reductions import root

__all__ = []


def _matrix(x):
    return np.expand_dims(x, (-2, -1))


def _row(x):
    return np.expand_dims(x, -2)


def _symmetric(x):
    return 0.5 * (x + mT(x))


# Inverses and determinants --------------------------------------------------------------------------------------------

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


def logdet(a):
    """log |det a|, without overflow."""
    return np.linalg.slogdet(a)[1]


rule(np.linalg.det, lambda g, y, a: _matrix(g * y) * mT(np.linalg.inv(a)))
rule(logdet, lambda g, y, a: _matrix(g) * mT(np.linalg.inv(a)))


@composed(np.linalg.slogdet)
def slogdet(a):
    return _like_numpy(np.linalg.slogdet, np.linalg.slogdet(unwrap(a))[0], apply(logdet, a))


def _like_numpy(function, *results):
    """The named tuple that NumPy's function returns: `.sign`, `.logabsdet`, `.eigenvalues`, ..."""
    return type(function(np.eye(1)))(*results)


# Factorisations -------------------------------------------------------------------------------------------------------


def _of_cholesky(g, y, a):
    """Symmetric gradient: the factorisation reads one triangle of a symmetric matrix. Source: Murray 2016."""
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
    """Eigenvalues (first row) over eigenvectors (columns below) of a symmetric matrix: (..., 1 + N, N)."""
    w, v = np.linalg.eigh(a)
    return np.concatenate([_row(w), v], axis=-2)


def _of_eigen(g, y, a):
    w, v = y[..., 0, :], y[..., 1:, :]
    between = _reciprocal(_row(w) - mT(_row(w)))
    inner = (mT(v) @ g[..., 1:, :]) * between + _row(g[..., 0, :]) * np.eye(
        w.shape[-1], dtype=g.dtype
    )
    return _symmetric(v @ inner @ mT(v))


rule(eigen, _of_eigen)


@composed(np.linalg.eigh)
def eigh(a):
    y = apply(eigen, a)
    return _like_numpy(np.linalg.eigh, y[..., 0, :], y[..., 1:, :])


@composed(np.linalg.eigvalsh)
def eigvalsh(a):
    return apply(eigen, a)[..., 0, :]


def singular(a):
    """Singular values (first row) over left over right singular vectors (columns): (..., 1 + M + N, min(M, N))."""
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    return np.concatenate([_row(s), u, mT(vh)], axis=-2)


def _of_singular(g, y, a):
    """Source: Townsend, Differentiating the singular value decomposition, 2016."""
    s, u, v = _parts(y, a)
    gs, gu, gv = _parts(g, a)
    between, inverse = _reciprocal(s * s - mT(s * s)), _reciprocal(s)
    of_u, of_v = mT(u) @ gu, mT(v) @ gv
    inner = (of_u - mT(of_u)) * between * s + mT(s) * (of_v - mT(of_v)) * between
    within = u @ (inner + gs * np.eye(s.shape[-1], dtype=g.dtype)) @ mT(v)
    left, right = (
        (gu - u @ of_u) * inverse,
        (gv - v @ of_v) * inverse,
    )  # parts outside the spans of u and v
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
    return _like_numpy(np.linalg.svd, u, np.squeeze(s, -2), mT(v))


@composed(np.linalg.svdvals)
def svdvals(a):
    return apply(singular, a)[..., 0, :]


# Norms ----------------------------------------------------------------------------------------------------------------


@composed(np.linalg.norm)
def norm(x, ord=None, axis=None, keepdims=False):  # noqa: A002 - NumPy's name
    matrix = (axis is None and x.ndim == 2) or (isinstance(axis, tuple) and len(axis) == 2)
    if ord is None or (ord == "fro" if matrix else ord == 2):
        return root(np.sum(np.square(x), axis=axis, keepdims=keepdims), 2)
    if not matrix and ord in (np.inf, -np.inf):
        return (np.max if ord > 0 else np.min)(np.abs(x), axis=axis, keepdims=keepdims)
    if not matrix and ord != "fro" and ord != "nuc" and ord > 0:
        return root(np.sum(np.abs(x) ** ord, axis=axis, keepdims=keepdims), ord)
    if matrix and x.ndim == 2 and ord in (2, "nuc") and not keepdims:
        values = np.linalg.svdvals(x)
        return values[0] if ord == 2 else np.sum(values)
    raise ValueError(
        f"np.linalg.norm on a Tensor: ord={ord!r}, axis={axis}; want None, 'fro', 'nuc', 2, inf or p > 0"
    )
