"""Samples for linear algebra: plain, batched and broadcast.

Factorisations of symmetric matrices are given symmetric ones.
"""

import numpy as np

from dlscratch.engine.rules.inverses import cofactors

from .case import case

__all__ = ["SAMPLES"]


def _square(x):
    """Far from singular: 6 I + x."""
    return 6 * np.eye(3, dtype=x.dtype) + x


def _of_rank_2(x):
    """A singular matrix 3 x 3."""
    return x @ np.array([[1.0, 0, 2], [0, 1, -1]], x.dtype)


def _first_is_singular(x):
    """Two matrices: x without its first row, and x."""
    return np.stack([x * np.array([[0], [1], [1]], x.dtype), x])


def _spd(x):
    return x @ np.swapaxes(x, -1, -2) + 2 * np.eye(3, dtype=x.dtype)


def _apart(x):
    """Symmetric, its eigenvalues near 1, 3 and 5."""
    return np.diag([1.0, 3.0, 5.0]).astype(x.dtype) + 0.2 * (x + np.swapaxes(x, -1, -2))


def _tall(x):
    """Its singular values near 1 and 3."""
    return np.array([[1.0, 0], [0, 3], [0, 0]], x.dtype) + 0.2 * x


def _oriented(v):
    """LAPACK leaves the signs of eigenvectors open: make each one's largest entry positive."""
    largest = np.take_along_axis(v, np.argmax(np.abs(v), axis=-2, keepdims=True), axis=-2)
    return v * np.sign(largest)


def _einsum(subscripts, *shapes):
    return case(
        np.einsum,
        *shapes,
        f=lambda *operands: np.einsum(subscripts, *operands),
        label=f"{subscripts} {shapes}",
    )


def _of(function, prepared, *shapes, label="", then=lambda y: y):
    return case(
        function,
        *shapes,
        f=lambda x, *more: then(function(prepared(x), *more)),
        label=label or str(shapes),
    )


_PRODUCTS = [
    *(
        case(np.matmul, *shapes)
        for shapes in (
            [(2, 3), (3, 2)],
            [(3,), (3, 2)],
            [(2, 3), (3,)],
            [(3,), (3,)],
            [(2, 1, 3), (3, 2)],
            [(3,), (2, 3, 1)],
            [(2, 2, 3), (3,)],
            [(2, 1, 1, 2), (3, 2, 1)],
        )
    ),
    case(np.matmul, (2, 3), f=lambda x: x @ x.T, label="x @ x.T"),
    case(np.matmul, (2,), f=lambda x: np.ones((3, 2), x.dtype) @ x, label="array @ x"),
    *(
        case(np.dot, *shapes)
        for shapes in (
            [(2, 3), (3, 2)],
            [(), (3,)],
            [(2, 3), (3,)],
            [(2, 2), (2, 2, 3)],
            [(3,), (3,)],
        )
    ),
    *(case(np.inner, *shapes) for shapes in ([(2, 3), (2, 3)], [(3,), (3,)], [(2,), ()])),
    case(np.vdot, (2, 3), (2, 3)),
    case(np.outer, (2,), (3,)),
    case(np.outer, (2, 2), (2,)),
    case(np.vecdot, (2, 3), (3,)),
    case(np.vecdot, (3, 2), (3, 2), axis=0),
    case(np.cross, (3,), (3,)),
    case(np.cross, (2, 3), (3,)),
    case(np.kron, (2, 2), (1, 2)),
    case(np.kron, (2,), (3,)),
    case(np.kron, (2, 1), (2,)),
    case(np.tensordot, (2, 3), (3, 2), axes=1),
    case(np.tensordot, (2, 3), (2, 3)),
    case(np.tensordot, (2,), (3,), axes=0),
    case(np.tensordot, (2, 3, 2), (3, 2, 2), axes=((1, -1), (0, 1))),
    case(np.tensordot, (2, 3), (2, 3), axes=(-1, 1)),
    *(case(getattr(np.linalg, name), (2,), (2,)) for name in ("matmul", "vecdot", "outer")),
    case(np.linalg.tensordot, (2, 3), (3, 2), axes=1),
    _einsum("ij,jk->ik", (2, 3), (3, 2)),
    _einsum("ij,jk", (2, 3), (3, 2)),
    _einsum("ba", (2, 3)),
    _einsum("ij->", (2, 3)),
    _einsum("ij->j", (2, 3)),
    _einsum("ij,kj->i", (2, 3), (2, 3)),
    _einsum("ij,k->j", (2, 3), (2,)),
    _einsum("i,j,jk->ik", (2,), (3,), (3, 2)),
    _einsum("ii->i", (3, 3)),
    _einsum("ii", (3, 3)),
    _einsum("iji->j", (2, 3, 2)),
    _einsum("ij,ii->j", (2, 3), (2, 2)),
    _einsum("...ij,...jk->...ik", (2, 2, 3), (3, 2)),
    _einsum("...ij,...jk->...k", (1, 2, 3), (2, 3, 1)),
    _einsum("...i,...i", (2, 3), (3,)),
    _einsum("i...->...", (2, 3)),
    _einsum("...->...", (2, 2)),
    _einsum("ij,jk->ik", (2, 1), (3, 2)),
    _einsum("bqhd,bkhd->bhqk", (1, 2, 2, 2), (1, 1, 2, 2)),
    _einsum(" i j , j -> i ", (2, 3), (3,)),
    case(
        np.einsum,
        (2, 2),
        f=lambda x: np.einsum("ij,jk,kl->il", x, x, x),
        label="one operand three times",
    ),
]

_FACTORS = [
    _of(np.linalg.inv, _square, (3, 3)),
    _of(np.linalg.inv, _square, (2, 3, 3)),
    _of(np.linalg.solve, _square, (3, 3), (3,)),
    _of(np.linalg.solve, _square, (3, 3), (3, 2)),
    _of(np.linalg.solve, _square, (2, 3, 3), (3, 1)),
    _of(np.linalg.solve, _square, (3, 3), (2, 3, 1)),
    _of(np.linalg.det, _square, (3, 3)),
    _of(np.linalg.det, _square, (2, 3, 3)),
    _of(np.linalg.det, _of_rank_2, (3, 2), label="of rank 2"),
    _of(np.linalg.det, _of_rank_2, (2, 3, 2), label="of rank 2, batched"),
    case(
        np.linalg.det, (3, 3), f=lambda x: np.linalg.det(_first_is_singular(x)), label="of 0 and x"
    ),
    case(np.linalg.det, (1, 1), f=lambda x: np.linalg.det(0 * x) * x, label="of [[0]]"),
    case(cofactors.__wrapped__, (3, 3), f=cofactors, label="cofactors"),
    _of(np.linalg.slogdet, _square, (3, 3), then=lambda y: y.logabsdet),
    _of(np.linalg.slogdet, lambda x: -_square(x), (2, 3, 3), then=lambda y: y[1]),
    _of(np.linalg.cholesky, _spd, (3, 3)),
    _of(np.linalg.cholesky, _spd, (2, 3, 3)),
    _of(np.linalg.eigvalsh, _apart, (2, 3, 3)),
    _of(np.linalg.eigh, _apart, (3, 3), then=lambda y: y.eigenvalues, label="values"),
    _of(
        np.linalg.eigh, _apart, (2, 3, 3), then=lambda y: _oriented(y.eigenvectors), label="vectors"
    ),
    _of(np.linalg.eigh, _apart, (3, 3), then=lambda y: (y[1] * y[0]) @ y[1].T, label="both"),
    _of(np.linalg.svdvals, _tall, (3, 2)),
    _of(
        np.linalg.svdvals, lambda x: np.swapaxes(_tall(x), -1, -2), (2, 3, 2), label="wide, batched"
    ),
    case(
        np.linalg.svd,
        (3, 2),
        f=lambda x: np.linalg.svd(_tall(x), compute_uv=False),
        label="compute_uv=False",
    ),
    case(
        np.linalg.svd,
        (2, 3, 2),
        label="all three",
        f=lambda x: (lambda u, s, vh: (_oriented(u), s, u @ vh))(
            *np.linalg.svd(_tall(x), full_matrices=False)
        ),
    ),
    case(
        np.linalg.svd,
        (3, 2),
        label="wide, right vectors",
        f=lambda x: _oriented(np.linalg.svd(_tall(x).T, full_matrices=False)[2].T),
    ),
    *(
        case(np.linalg.norm, (2, 3), **form)
        for form in (dict(), dict(axis=0), dict(axis=-1, keepdims=True), dict(axis=(0, 1)))
    ),
    *(case(np.linalg.norm, (2, 3), ord=p, axis=1) for p in (0.5, 1, 2, 3, 2.5, np.inf, -np.inf)),
    case(np.linalg.norm, (4,), args=(2,)),
    case(np.linalg.norm, (2, 2, 3)),
    case(np.linalg.norm, (2, 3), args=("fro",)),
    *(
        case(np.linalg.norm, (3, 2), f=lambda x, p=p: np.linalg.norm(_tall(x), p), label=f"ord={p}")
        for p in (2, "nuc")
    ),
]

SAMPLES = _PRODUCTS + _FACTORS
