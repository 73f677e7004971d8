"""Vectors and matrices divided by their length: directions, angles, weights."""

import numpy as np

from ...engine import Array, primitive
from ..arguments import as_floats, number

__all__ = ["weight_norm", "spectral_norm", "normalize", "cosine_similarity"]

_at_least = primitive(np.maximum, lambda g, y, x, floor: g)  # max(x, floor), with x's own slope


def weight_norm(v: Array, g: Array, axis: int = 0) -> Array:
    """w = g v / |v|, one norm for each index of `axis`: length and direction learn apart.

    v: (O, ...), g: (O, 1, ...) → (O, ...). Raises ValueError for another shape of g.
    Source: Salimans & Kingma 2016.
    """
    others = tuple(i for i in range(v.ndim) if i != axis % v.ndim)
    length = np.sqrt(np.sum(np.square(v), axis=others, keepdims=True))
    _fit("weight_norm", "g", g, length.shape)
    return v * (g / length)


def spectral_norm(W: Array, u: Array, v: Array) -> Array:
    """W / σ, with σ = uᵀ W v, the largest singular value when u and v are its vectors.

    W: (O, ...), u: (O,), v: (D,) → (O, ...). Raises ValueError for other shapes. Source: Miyato et
    al. 2018.
    """
    matrix = np.reshape(W, (W.shape[0], -1))
    _fit("spectral_norm", "u", u, matrix.shape[:1])
    _fit("spectral_norm", "v", v, matrix.shape[1:])
    return W / np.sum(u * (matrix @ v))


def _fit(name, what, parameter, shape):
    if parameter.shape != shape:
        raise ValueError(
            f"{name}: expected {what} {shape}, got a parameter of shape {parameter.shape}; "
            f"want {shape}"
        )


def normalize(x: Array, p: float = 2.0, axis: int = 1, eps: float = 1e-12) -> Array:
    """x / max(|x|_p, eps) along `axis`: vectors of length 1; zero vectors stay zero.

    x: any shape → same.

    Examples
    --------
    >>> normalize(np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    x = as_floats("normalize", x)
    length = np.linalg.norm(x, number(p), axis, keepdims=True)
    return x / np.maximum(length, number(eps))


def cosine_similarity(x1: Array, x2: Array, axis: int = 1, eps: float = 1e-8) -> Array:
    """Σ a b / (max(|a|, eps) max(|b|, eps)) along `axis`, with a = x1, b = x2.

    It is 0 where one is the zero vector.  One shape → that without `axis`. Raises ValueError for
    two shapes.
    """
    if np.shape(x1) != np.shape(x2):
        raise ValueError(
            f"cosine_similarity: {np.shape(x1)} and {np.shape(x2)}; want one shape; "
            "np.broadcast_to makes it so"
        )
    eps = number(eps)
    a, b = (_direction(as_floats("cosine_similarity", x), axis, eps) for x in (x1, x2))
    return np.sum(a * b, axis=axis)


def _direction(x, axis, eps):
    """x / max(|x|, eps), a length below eps keeping its slope, as in PyTorch."""
    return x / _at_least(np.linalg.norm(x, axis=axis, keepdims=True), eps)
