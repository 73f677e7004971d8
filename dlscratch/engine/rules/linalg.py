"""Derivatives of linear algebra, batched over leading axes: A is (..., N, M), g has the shape of y. Source: Giles 2008."""

import string

import numpy as np

from ..table import composed, rule
from ..tensor import apply

__all__ = []


def mT(x):
    return np.swapaxes(x, -1, -2)


# Products -------------------------------------------------------------------------------------------------------------

rule(np.matmul, lambda g, y, a, b: g @ mT(b), lambda g, y, a, b: mT(a) @ g)


@composed(np.matmul)
def matmul(a, b):
    """A vector is a row on the left, a column on the right, as in NumPy; then the matrix rule suffices."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        raise ValueError(f"matmul of shapes {np.shape(a)} and {np.shape(b)}: a scalar has no rows; use *")
    if np.ndim(a) == 1:
        return matmul(a[None, :], b)[..., 0, :] if np.ndim(b) > 1 else np.sum(a * b)
    if np.ndim(b) == 1:
        return matmul(a, b[:, None])[..., 0]
    if a.shape[-1] != b.shape[-2]:
        raise ValueError(f"matmul of shapes {a.shape} and {b.shape}: {a.shape[-1]} columns meet {b.shape[-2]} rows")
    return apply(np.matmul, a, b)


@composed(np.dot)
def dot(a, b):
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return a * b
    return np.matmul(a, b) if np.ndim(b) <= 2 else np.tensordot(a, b, axes=(-1, -2))


@composed(np.vdot)
def vdot(a, b):
    return np.sum(np.ravel(a) * np.ravel(b))


@composed(np.inner)
def inner(a, b):
    return a * b if np.ndim(a) == 0 or np.ndim(b) == 0 else np.tensordot(a, b, axes=(-1, -1))


@composed(np.outer)
def outer(a, b):
    return np.ravel(a)[:, None] * np.ravel(b)[None, :]


@composed(np.vecdot)
def vecdot(a, b):
    return np.sum(a * b, axis=-1)


@composed(np.tensordot)
def tensordot(a, b, axes=2):
    if isinstance(axes, int):
        left, right = list(range(a.ndim - axes, a.ndim)), list(range(axes))
    else:
        left, right = ([i % t.ndim for i in np.atleast_1d(s).tolist()] for s, t in zip(axes, (a, b), strict=True))
    letters = iter(string.ascii_letters)
    of_a = [next(letters) for _ in range(a.ndim)]
    of_b = [of_a[left[right.index(i)]] if i in right else next(letters) for i in range(b.ndim)]
    kept = [c for i, c in enumerate(of_a) if i not in left] + [c for i, c in enumerate(of_b) if i not in right]
    return np.einsum(f"{''.join(of_a)},{''.join(of_b)}->{''.join(kept)}", a, b)


def contract(subscripts, *operands):
    """np.einsum in explicit form, through BLAS where it can."""
    return np.einsum(subscripts, *operands, optimize=len(operands) > 1)


def _of_contract(g, y, i, subscripts, *operands):
    """Swap roles: the output takes the place of operand i. An index that only operand i had was summed: repeat along it."""
    terms, out = subscripts.split("->")
    terms = terms.split(",")
    i -= 1  # the subscripts are input 0
    others = [(t, o) for j, (t, o) in enumerate(zip(terms, operands, strict=True)) if j != i]
    seen = set(out).union(*(t for t, _ in others))
    kept = "".join(c for c in terms[i] if c in seen)
    back = np.einsum(",".join([out, *(t for t, _ in others)]) + "->" + kept, g, *(o for _, o in others))
    lone = tuple(k for k, c in enumerate(terms[i]) if c not in seen)
    return np.broadcast_to(np.expand_dims(back, lone), operands[i].shape) if lone else back


rule(contract, _of_contract, variadic=True)


@composed(np.einsum)
def einsum(subscripts, *operands, optimize=True):
    """Spell the subscripts out: letters for '...', an explicit output, no letter twice in one operand."""
    terms, _, out = subscripts.replace(" ", "").partition("->")
    terms = terms.split(",")
    free = [c for c in string.ascii_letters if c not in subscripts]
    most = max((o.ndim - len(t.replace(".", "")) for t, o in zip(terms, operands, strict=True) if "." in t), default=0)
    dots = "".join(free[:most])
    if "->" not in subscripts:
        joined = "".join(terms).replace(".", "")
        out = ("..." if "." in subscripts else "") + "".join(sorted(c for c in set(joined) if joined.count(c) == 1))
    spelled = [
        t.replace("...", dots[len(dots) - (o.ndim - len(t) + 3) :]) if "." in t else t for t, o in zip(terms, operands, strict=True)
    ]
    pairs = [_no_repeats(t, o) for t, o in zip(spelled, operands, strict=True)]
    return apply(contract, ",".join(t for t, _ in pairs) + "->" + out.replace("...", dots), *(o for _, o in pairs))


def _no_repeats(term, operand):
    for c in term:
        if term.count(c) > 1:
            first = term.index(c)
            second = term.index(c, first + 1)
            rest = "".join(t for k, t in enumerate(term) if k not in (first, second))
            return _no_repeats(rest + c, np.diagonal(operand, 0, first, second))
    return term, operand


# Inverses and factorisations ------------------------------------------------------------------------------------------

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
    return solve(a, b[:, None])[..., 0] if b.ndim == 1 else apply(solve_columns, a, b)


def _of_cholesky(g, y, a):
    """Symmetric gradient: the factorisation reads one triangle of a symmetric matrix. Source: Murray 2016."""
    n = y.shape[-1]
    weight = (np.tri(n) - 0.5 * np.eye(n)).astype(g.dtype)
    inner = np.linalg.solve(mT(y), (mT(y) @ g) * weight)
    s = mT(np.linalg.solve(mT(y), mT(inner)))
    return 0.5 * (s + mT(s))


rule(np.linalg.cholesky, _of_cholesky)


def logdet(a):
    """log |det a|, without overflow."""
    return np.linalg.slogdet(a)[1]


def _matrix(g):
    return g[..., None, None]


rule(np.linalg.det, lambda g, y, a: _matrix(g * y) * mT(np.linalg.inv(a)))
rule(logdet, lambda g, y, a: _matrix(g) * mT(np.linalg.inv(a)))


@composed(np.linalg.slogdet)
def slogdet(a):
    return np.linalg.slogdet(a.data)[0], apply(logdet, a)


def eigen(a):
    """Eigenvalues (first row) over eigenvectors (columns below) of a symmetric matrix: (..., 1 + N, N)."""
    w, v = np.linalg.eigh(a)
    return np.concatenate([w[..., None, :], v], axis=-2)


def _of_eigen(g, y, a):
    w, v = y[..., 0, :], y[..., 1:, :]
    gaps = w[..., None, :] - w[..., :, None]
    same = np.equal(gaps, 0)
    between = np.where(same, 0, 1) / np.where(same, 1, gaps)
    inner = (mT(v) @ g[..., 1:, :]) * between.astype(g.dtype) + g[..., 0, None, :] * np.eye(w.shape[-1], dtype=g.dtype)
    s = v @ inner @ mT(v)
    return 0.5 * (s + mT(s))


rule(eigen, _of_eigen)


@composed(np.linalg.eigh)
def eigh(a):
    y = apply(eigen, a)
    return y[..., 0, :], y[..., 1:, :]


@composed(np.linalg.eigvalsh)
def eigvalsh(a):
    return apply(eigen, a)[..., 0, :]


def _of_singular_values(g, y, a):
    """U diag(g) Vᵀ with U = a V / s; V are the eigenvectors of aᵀa (or, for a wide matrix, the same of aᵀ)."""
    if a.shape[-2] < a.shape[-1]:
        return mT(_of_singular_values(g, y, mT(a)))
    v = np.flip(np.linalg.eigh(mT(a) @ a)[1], -1)
    return a @ (v * (g / y)[..., None, :]) @ mT(v)


rule(np.linalg.svdvals, _of_singular_values)


@composed(np.linalg.svd)
def svd(a, full_matrices=True, compute_uv=True):
    if compute_uv:
        raise TypeError("np.linalg.svd on a Tensor gives singular values only: pass compute_uv=False, or use eigh of aᵀa")
    return np.linalg.svdvals(a)


rule(np.linalg.matrix_transpose, lambda g, y, a: mT(g))


# Norms ----------------------------------------------------------------------------------------------------------------


@composed(np.linalg.norm)
def norm(x, ord=None, axis=None, keepdims=False):  # noqa: A002 - NumPy's name
    matrix = (axis is None and x.ndim == 2) or isinstance(axis, tuple) and len(axis) == 2
    if ord is None or (matrix and ord == "fro") or (not matrix and ord == 2):
        return _euclidean(x, axis, keepdims)
    if not matrix and ord in (np.inf, -np.inf):
        return (np.max if ord > 0 else np.min)(np.abs(x), axis=axis, keepdims=keepdims)
    if not matrix and isinstance(ord, (int, float)) and ord > 0:
        return np.sum(np.abs(x) ** ord, axis=axis, keepdims=keepdims) ** (1 / ord)
    if matrix and x.ndim == 2 and ord in (2, "nuc") and not keepdims:
        values = np.linalg.svdvals(x)
        return values[..., 0] if ord == 2 else np.sum(values)
    raise ValueError(f"np.linalg.norm on a Tensor: ord={ord!r}, axis={axis}; want None, 'fro', 'nuc', 2, inf or p > 0")


def _euclidean(x, axis, keepdims):
    """sqrt(sum x²), with derivative zero instead of NaN at the origin."""
    total = np.sum(np.square(x), axis=axis, keepdims=keepdims)
    zero = np.equal(total, 0)
    return np.sqrt(np.where(zero, 1, total)) * np.logical_not(zero)
