"""Losses on pairs and triplets of vectors: what belongs together shall lie together."""

import numpy as np

from ...engine import Array
from ..arguments import as_floats, cast_like, number, same_shape
from ..normalization.lengths import cosine_similarity, normalize
from .classification import cross_entropy
from .reduction import reduce
from .regression import signs

__all__ = ["triplet_margin_loss", "cosine_embedding_loss", "info_nce"]


def triplet_margin_loss(
    anchor: Array,
    positive: Array,
    negative: Array,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
) -> Array:
    """L = mean max(0, |a - pos + eps|_p - |a - neg + eps|_p + margin).

    Parameters
    ----------
    anchor, positive, negative : (..., D)
    margin : by how much the negative shall be farther
    p : of the norm
    eps : added to the differences, which keeps the norm's slope finite
    swap : whether the second distance is |pos - neg + eps|_p where that is smaller
    reduction : "mean", "sum" or "none"

    Returns
    -------
    the loss, (); with reduction="none" (...)

    Raises
    ------
    ValueError
        for different shapes, and a margin <= 0

    Sources: Schroff et al. 2015, without the squares; with `swap` Balntas et al. 2016.
    """
    name = "triplet_margin_loss"
    anchor = as_floats(name, anchor)
    same_shape(name, anchor, positive)
    same_shape(name, anchor, negative)
    positive, negative = cast_like(positive, anchor), cast_like(negative, anchor)
    margin, p, eps = number(margin), number(p), number(eps)
    if not margin > 0:
        raise ValueError(f"{name}: margin={margin}; want a number > 0")
    near = np.linalg.norm(anchor - positive + eps, p, -1)
    far = np.linalg.norm(anchor - negative + eps, p, -1)
    if swap:
        far = np.minimum(far, np.linalg.norm(positive - negative + eps, p, -1))
    return reduce(np.maximum(0, near - far + margin), reduction)


def cosine_embedding_loss(
    input1: Array, input2: Array, target: Array, margin: float = 0.0, reduction: str = "mean"
) -> Array:
    """L = mean of 1 - c where target = 1, max(0, c - margin) where it is -1.

    c = cos(input1, input2).  Inputs: (N, D), target: (N,); or (D,) and (). Raises ValueError for
    other shapes and targets.
    """
    name = "cosine_embedding_loss"
    input1 = as_floats(name, input1)
    same_shape(name, input1, input2)
    same_shape(name, input1[..., 0], target)
    signs(name, target)
    cosine = cosine_similarity(input1, cast_like(input2, input1), axis=-1)
    apart = np.maximum(0, cosine - number(margin))
    return reduce(np.where(np.greater(target, 0), 1 - cosine, apart), reduction)


def info_nce(
    queries: Array, keys: Array, temperature: float = 0.1, reduction: str = "mean"
) -> Array:
    """L = mean of -log softmax over all keys of cos(query_n, key) / τ, at key n.

    It asks to find the partner: row n of queries (N, D) belongs to row n of keys (N, D). log N - L
    bounds their mutual information from below.
    Raises ValueError for other shapes, and a temperature <= 0. Source: van den Oord et al. 2018.
    """
    temperature = number(temperature)
    if np.ndim(queries) != 2 or np.shape(queries) != np.shape(keys) or not temperature > 0:
        came = f"queries {np.shape(queries)}, keys {np.shape(keys)}, temperature {temperature}"
        raise ValueError(f"info_nce: {came}; want (N, D) twice and a temperature > 0")
    queries = as_floats("info_nce", queries)
    keys = cast_like(keys, queries)
    logits = normalize(queries) @ normalize(keys).T / temperature
    return cross_entropy(logits, np.arange(len(logits)), reduction=reduction)
