"""Positions: attention sees a set, so vectors or scores must say where a token stands."""

import numpy as np

from ..engine import Array, default_dtype

__all__ = ["rotary", "alibi", "sinusoidal"]


def _angles(positions, D, base):
    """t base^(-2i/D) for each position t and i < D/2, in float64 as large angles need it."""
    return np.outer(positions, base ** (-np.arange(0, D, 2) / D))


def rotary(x: Array, base: float = 10000.0, offset: int = 0) -> Array:
    """Vectors turned by angles that grow with their position.

    The entries i and i + D/2 of x_t turn, as a plane, by (offset + t) base^(-2i/D). So the dot
    product of a turned query and key depends on their distance only. Entries are paired by halves,
    as in LLaMA's code; the paper pairs 2i and 2i + 1, which is the same after a permutation.

    x: (..., T, D) → same. `offset` is the position of x_0. Raises ValueError for odd D.

    Source: Su et al. 2021.
    """
    if x.ndim < 2 or x.shape[-1] % 2:
        raise ValueError(f"rotary: input {x.shape}; want (..., T, D) with D even, to turn pairs")
    angles = _angles(offset + np.arange(x.shape[-2]), x.shape[-1], base)
    cos, sin = np.cos(angles).astype(x.dtype), np.sin(angles).astype(x.dtype)
    a, b = np.split(x, 2, axis=-1)
    return np.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)


def alibi(heads: int, T: int) -> np.ndarray:
    """A bias for attention by which each head fades with distance, at a slope of its own.

    -m_h |t - s|, with m_h = 2^(-8 h/heads) for head h.

    → (heads, T, T), to be passed as attn_mask; is_causal hides the future. Raises ValueError for
    heads or T < 1. Source: Press et al. 2022.
    """
    if heads < 1 or T < 1:
        raise ValueError(f"alibi: heads={heads}, T={T}; want at least one head and one position")
    slopes = 2.0 ** (-8 * np.arange(1, heads + 1) / heads)
    distance = np.abs(np.subtract.outer(np.arange(T), np.arange(T)))
    return (-slopes[:, None, None] * distance).astype(default_dtype())


def sinusoidal(T: int, D: int, base: float = 10000.0) -> np.ndarray:
    """A vector of sines and cosines for each position, to be added to embeddings.

    p[t, 2i] = sin(t base^(-2i/D)), and p[t, 2i + 1] is the cosine.

    → (T, D). Raises ValueError for odd D. Source: Vaswani et al. 2017.
    """
    if T < 1 or D < 2 or D % 2:
        raise ValueError(
            f"sinusoidal: T={T}, D={D}; want T >= 1 and an even D >= 2: "
            "each frequency has a sine and a cosine"
        )
    angles = _angles(np.arange(T), D, base)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(T, D).astype(default_dtype())
