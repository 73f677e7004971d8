"""Derivatives of products of matrices and of einsum: each factor's gradient is a product of g with the other factors."""

import math
import string

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..operation import composed, rule
from ..tensor import apply

__all__ = ["mT"]


def mT(x):
    """Each matrix transposed."""
    return np.swapaxes(x, -1, -2)


rule(np.matmul, lambda g, y, a, b: g @ mT(b), lambda g, y, a, b: mT(a) @ g)


@composed(np.matmul, np.linalg.matmul)
def matmul(a, b):
    """A vector is a row on the left, a column on the right, as in NumPy; then the matrix rule suffices."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        raise ValueError(
            f"matmul of shapes {np.shape(a)} and {np.shape(b)}: a scalar has no rows; use *"
        )
    if np.ndim(a) == 1:
        return np.squeeze(matmul(np.expand_dims(a, 0), b), -2 if np.ndim(b) > 1 else 0)
    if np.ndim(b) == 1:
        return np.squeeze(matmul(a, np.expand_dims(b, 1)), -1)
    columns, rows = np.shape(a)[-1], np.shape(b)[-2]
    if columns != rows:
        raise ValueError(
            f"matmul of shapes {np.shape(a)} and {np.shape(b)}: {columns} columns meet {rows} rows"
        )
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


@composed(np.outer, np.linalg.outer)
def outer(a, b):
    return np.expand_dims(np.ravel(a), 1) * np.ravel(b)


@composed(np.vecdot, np.linalg.vecdot)
def vecdot(a, b, axis=-1):
    return np.sum(a * b, axis=axis)


@composed(np.cross)
def cross(a, b):
    """Of vectors with three entries, along the last axis."""
    if np.shape(a)[-1] != 3 or np.shape(b)[-1] != 3:
        raise ValueError(
            f"np.cross on Tensors of shapes {np.shape(a)} and {np.shape(b)}: want three entries on the last axis"
        )
    return np.roll(a, -1, -1) * np.roll(b, 1, -1) - np.roll(a, 1, -1) * np.roll(b, -1, -1)


@composed(np.kron)
def kron(a, b):
    ndim = max(np.ndim(a), np.ndim(b))
    shapes = [(1,) * (ndim - np.ndim(t)) + np.shape(t) for t in (a, b)]
    pairs = list(zip(*shapes, strict=True))
    a = np.reshape(a, [n for p, _ in pairs for n in (p, 1)])
    b = np.reshape(b, [n for _, q in pairs for n in (1, q)])
    return np.reshape(a * b, [p * q for p, q in pairs])


@composed(np.tensordot, np.linalg.tensordot)
def tensordot(a, b, axes=2):
    """Bring the axes that meet together, then one product of matrices."""
    if isinstance(axes, int):
        left, right = tuple(range(a.ndim - axes, a.ndim)), tuple(range(axes))
    else:
        left, right = (
            normalize_axis_tuple(s, np.ndim(t)) for s, t in zip(axes, (a, b), strict=True)
        )
    of_a = [i for i in range(np.ndim(a)) if i not in left]
    of_b = [i for i in range(np.ndim(b)) if i not in right]
    met = [np.shape(a)[i] for i in left]
    if met != [np.shape(b)[i] for i in right]:
        raise ValueError(
            f"np.tensordot of shapes {np.shape(a)} and {np.shape(b)}: axes {left} and {right} differ in length"
        )
    rows, columns = [np.shape(a)[i] for i in of_a], [np.shape(b)[i] for i in of_b]
    a = np.reshape(np.transpose(a, (*of_a, *left)), (math.prod(rows), math.prod(met)))
    b = np.reshape(np.transpose(b, (*right, *of_b)), (math.prod(met), math.prod(columns)))
    return np.reshape(np.matmul(a, b), rows + columns)


# Einstein's summation -------------------------------------------------------------------------------------------------


def contract(subscripts, *operands):
    """np.einsum in explicit form, through BLAS where it can."""
    return np.einsum(subscripts, *operands, optimize=len(operands) > 1)


def _of_contract(g, y, needs, subscripts, *operands):
    return [
        None,
        *(
            _of_operand(g, i, subscripts, *operands) if need else None
            for i, need in enumerate(needs[1:])
        ),
    ]


def _of_operand(g, i, subscripts, *operands):
    """Swap roles: the output takes the place of operand i. What only operand i indexed was summed: repeat along it."""
    terms, out = subscripts.split("->")
    terms = terms.split(",")
    others = [(t, o) for j, (t, o) in enumerate(zip(terms, operands, strict=True)) if j != i]
    seen = set(out).union(*(t for t, _ in others))
    kept = "".join(c for c in terms[i] if c in seen)
    swapped = ",".join([out, *(t for t, _ in others)]) + "->" + kept
    back = np.einsum(swapped, g, *(o for _, o in others), optimize=True)
    back = np.expand_dims(back, tuple(k for k, c in enumerate(terms[i]) if c not in seen))
    return np.broadcast_to(back, np.broadcast_shapes(back.shape, operands[i].shape))


rule(contract, _of_contract, variadic=True)


@composed(np.einsum)
def einsum(subscripts, *operands, optimize=True):
    """Spell the subscripts out: letters for '...', an explicit output, no letter twice in one operand."""
    if not isinstance(subscripts, str):
        raise TypeError(
            "np.einsum on Tensors wants its subscripts as a string: np.einsum('ij,jk->ik', a, b)"
        )
    terms, arrow, out = subscripts.replace(" ", "").partition("->")
    terms = terms.split(",")
    if len(terms) != len(operands):
        raise ValueError(
            f"np.einsum({subscripts!r}) names {len(terms)} operands; came {len(operands)}"
        )
    if not arrow:
        joined = "".join(terms).replace(".", "")
        out = "..." * ("." in subscripts) + "".join(
            sorted(c for c in set(joined) if joined.count(c) == 1)
        )
    hidden = [
        max(0, np.ndim(o) - len(t.replace(".", ""))) * ("." in t)
        for t, o in zip(terms, operands, strict=True)
    ]
    dots = "".join([c for c in string.ascii_letters if c not in subscripts][: max(hidden)])
    spelled = [t.replace("...", dots[len(dots) - n :]) for t, n in zip(terms, hidden, strict=True)]
    pairs = [_no_repeats(t, o) for t, o in zip(spelled, operands, strict=True)]
    return apply(
        contract,
        ",".join(t for t, _ in pairs) + "->" + out.replace("...", dots),
        *(o for _, o in pairs),
    )


def _no_repeats(term, operand):
    """Take the diagonal for each letter that stands twice."""
    for c in term:
        if term.count(c) > 1:
            first = term.index(c)
            second = term.index(c, first + 1)
            rest = "".join(t for k, t in enumerate(term) if k not in (first, second))
            return _no_repeats(rest + c, np.diagonal(operand, 0, first, second))
    return term, operand
