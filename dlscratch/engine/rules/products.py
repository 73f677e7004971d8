"""Derivatives of products of matrices: each factor's gradient is g times the other factor.

A matrix product lets NaN times 0 be NaN, as NumPy and PyTorch do: mask such entries before it.
"""

import math

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..operation import composed, rule
from ..tensor import Array, apply
from .precision import by_numpy, whole

__all__ = ["mT"]


def mT(x: Array) -> Array:
    """Each matrix transposed."""
    return np.swapaxes(x, -1, -2)


rule(np.matmul, lambda g, y, a, b: g @ mT(b), lambda g, y, a, b: mT(a) @ g)


@composed(np.matmul, np.linalg.matmul)
def matmul(a, b):
    """A vector is a row on the left and a column on the right; then one rule suffices."""
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
    return by_numpy(np.vdot, a, b) if whole(a, b) else np.sum(np.ravel(a) * np.ravel(b))


@composed(np.inner)
def inner(a, b):
    return a * b if np.ndim(a) == 0 or np.ndim(b) == 0 else np.tensordot(a, b, axes=(-1, -1))


@composed(np.outer, np.linalg.outer)
def outer(a, b):
    return np.expand_dims(np.ravel(a), 1) * np.ravel(b)


@composed(np.vecdot, np.linalg.vecdot)
def vecdot(a, b, axis=-1):
    return by_numpy(np.vecdot, a, b, axis=axis) if whole(a, b) else np.sum(a * b, axis=axis)


@composed(np.cross)
def cross(a, b):
    """Of vectors with three entries, along the last axis."""
    if np.shape(a)[-1] != 3 or np.shape(b)[-1] != 3:
        raise ValueError(
            "np.cross on Tensors: expected three entries on the last axis, "
            f"got shapes {np.shape(a)} and {np.shape(b)}; move that axis to the end: np.moveaxis"
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
        left = tuple(range(a.ndim - axes, a.ndim))
        right = tuple(range(axes))
    else:
        left, right = (
            normalize_axis_tuple(s, np.ndim(t)) for s, t in zip(axes, (a, b), strict=True)
        )
    of_a = [i for i in range(np.ndim(a)) if i not in left]
    of_b = [i for i in range(np.ndim(b)) if i not in right]
    met = [np.shape(a)[i] for i in left]
    if met != [np.shape(b)[i] for i in right]:
        raise ValueError(
            f"np.tensordot of shapes {np.shape(a)} and {np.shape(b)}: axes {left} and {right} "
            "differ in length; give others: axes=([...], [...])"
        )
    rows = [np.shape(a)[i] for i in of_a]
    columns = [np.shape(b)[i] for i in of_b]
    a = np.reshape(np.transpose(a, (*of_a, *left)), (math.prod(rows), math.prod(met)))
    b = np.reshape(np.transpose(b, (*right, *of_b)), (math.prod(met), math.prod(columns)))
    return np.reshape(np.matmul(a, b), rows + columns)
