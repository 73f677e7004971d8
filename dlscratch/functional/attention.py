"""Attention: each query takes a mean of the values, weighted by comparison with the keys."""

import numpy as np

from ..engine import Array, Tensor, custom_vjp
from ..engine.tensor import unwrap
from .dropout import dropout
from .kernels.attention import (
    attend,
    attend_gradient,
    attend_in_tiles,
    attend_in_tiles_gradient,
    kept_in_tile,
    scaling,
    tiles,
)

__all__ = [
    "additive",
    "attention_weights",
    "textbook_attention",
    "attention_with",
    "scaled_dot_product_attention",
    "textbook_tiled",
    "tiled_attention",
]


def attention_weights(
    query: Array, key: Array, bias: Array | None = None, scale: float | None = None
) -> Array:
    """The weights with which each query takes the mean of the values: a softmax over keys.

    P = softmax(scale Q Kᵀ + bias); a row in which every key has bias -∞ is 0.

    query: (..., T, D), key: (..., S, D), bias: broadcasts to (..., T, S), scale: 1/√D unless
    given → (..., T, S).
    """
    scores = query @ np.swapaxes(key, -1, -2) * scaling(query, scale)
    if bias is not None:
        hidden = np.isneginf(unwrap(bias))
        scores = np.where(hidden, -np.inf, scores + bias)
    top = np.max(scores, axis=-1, keepdims=True)
    e = np.exp(scores - np.where(np.isfinite(top), top, 0))
    total = np.sum(e, axis=-1, keepdims=True)
    return e / np.where(np.equal(total, 0), 1, total)


def textbook_attention(
    query: Array,
    key: Array,
    value: Array,
    bias: Array | None = None,
    keep: Array | None = None,
    scale: float | None = None,
) -> Array:
    """Attention by its definition, with all weights P in one array.

    Y = P V with P = softmax(scale Q Kᵀ + bias); `keep` multiplies P (dropout).

    value: (..., S, E) → (..., T, E).
    """
    weights = attention_weights(query, key, bias, scale)
    return (weights if keep is None else weights * keep) @ value


_attention = custom_vjp(textbook_attention, attend, attend_gradient)


def attention_with(
    query: Array,
    key: Array,
    value: Array,
    bias: Array | None = None,
    keep: Array | None = None,
    scale: float | None = None,
) -> Array:
    """What scaled_dot_product_attention comes to, with its mask as numbers and what it keeps.

    Y = (keep ∘ softmax(scale Q Kᵀ + bias)) V, shapes as of textbook_attention.
    """
    return _attention(query, key, value, *([] if bias is None else [bias]), keep=keep, scale=scale)


def scaled_dot_product_attention(
    query: Array,
    key: Array,
    value: Array,
    attn_mask: Array | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
    *,
    rng: np.random.Generator | int | None = None,
) -> Array:
    """For each query the mean of the values, weighted by how it compares with their keys.

    Y = softmax(scale Q Kᵀ + mask) V, each head by itself. A query that may attend to nothing gets
    0, as in PyTorch. What is masked counts exactly nothing, in value and gradient, whatever keys
    and values hold there (in PyTorch a NaN or infinity behind a mask spoils the row).

    Parameters
    ----------
    query : (..., H, T, D)
    key : (..., H, S, D), S >= 1
    value : (..., H, S, E)
    attn_mask : broadcasts to (..., H, T, S): booleans, True where attention is allowed, or
        floats to add to the scores
    dropout_p : the share of weights that is set to 0, whatever the mode
    is_causal : whether query t sees the keys s <= t only
    scale : 1/√D unless given
    enable_gqa : whether H/G query heads in a row share one of G heads of keys and values
    rng : draws what is dropped

    Returns
    -------
    (..., H, T, E)

    Raises
    ------
    ValueError for shapes that do not fit, TypeError for mixed dtypes and a mask of integers

    Examples
    --------
    >>> import numpy as np
    >>> q = k = np.eye(2)
    >>> v = np.array([[1.0], [3.0]])
    >>> scaled_dot_product_attention(q, k, v, is_causal=True).round(2)
    array([[1.  ],
           [2.34]])

    Source: Vaswani et al. 2017; grouped heads: Ainslie et al. 2023.
    """
    if enable_gqa:
        key, value = _shared(query, key), _shared(query, value)
    _check("scaled_dot_product_attention", query, key, value, scale)
    shape = (*query.shape[:-1], key.shape[-2])
    bias = [] if attn_mask is None else [additive(attn_mask, query.dtype, shape)]
    if is_causal:
        bias = [additive(np.tri(*shape[-2:], dtype=bool), query.dtype, shape) + sum(bias)]
    keep = None
    if dropout_p:
        keep = dropout(np.ones(shape, query.dtype), dropout_p, rng=rng)
    return attention_with(query, key, value, *bias, keep=keep, scale=scale)


# Masks and shapes ---------------------------------------------------------------------------------


def additive(mask: Array, dtype: np.dtype, shape: tuple[int, ...]) -> Array:
    """The mask as numbers to add to scores: of booleans, 0 where True and -∞ where False."""
    mask = _fitted(mask, shape)
    if mask.dtype.kind == "f":
        return mask if mask.dtype == dtype else mask.astype(dtype)
    return np.where(unwrap(mask), 0, -np.inf).astype(dtype)


def _fitted(mask, shape):
    """The mask with at least two axes, of queries and of keys."""
    if not hasattr(mask, "dtype"):
        raise TypeError(
            f"attention mask: expected an array, got {type(mask).__name__}; want np.asarray(mask)"
        )
    axes = zip(mask.shape[::-1], shape[::-1], strict=False)
    if mask.ndim > len(shape) or any(m not in (1, n) for m, n in axes):
        raise ValueError(
            f"attention mask {mask.shape}; want a shape that broadcasts to the scores, {shape}"
        )
    if mask.dtype.kind not in "bf":
        raise TypeError(
            f"attention mask of dtype {mask.dtype}; want booleans, mask.astype(bool), "
            "or floats to add to the scores"
        )
    return np.reshape(mask, (1,) * (2 - mask.ndim) + mask.shape)


def _shared(query, x):
    """Each head of x as often as queries share it."""
    if query.ndim < 3 or x.ndim < 3 or x.shape[-3] < 1 or query.shape[-3] % x.shape[-3]:
        raise ValueError(
            f"enable_gqa: query {query.shape}, key or value {x.shape}; "
            "want (..., H, T, D), (..., G, S, D) with G dividing H"
        )
    return np.repeat(x, query.shape[-3] // x.shape[-3], axis=-3)


def _check(name, query, key, value, scale):
    for role, x in (("query", query), ("key", key), ("value", value)):
        if getattr(x, "dtype", None) == query.dtype and query.dtype.kind == "f":
            continue
        got = getattr(x, "dtype", type(x).__name__)
        dtype = query.dtype if query.dtype.kind == "f" else "float32"
        repair = f'{role}.astype("{dtype}")' if hasattr(x, "dtype") else f"np.asarray({role})"
        raise TypeError(
            f"{name}: expected a {role} of {dtype}, as all three, got {got}; want {repair}"
        )
    enough_axes = min(query.ndim, key.ndim, value.ndim) >= 2
    one_width = query.shape[:-2] == key.shape[:-2] and query.shape[-1] == key.shape[-1]
    one_length = key.shape[:-1] == value.shape[:-1] and key.shape[-2] >= 1
    if not (enough_axes and one_width and one_length):
        shapes = f"query {query.shape}, key {key.shape}, value {value.shape}"
        raise ValueError(
            f"{name}: {shapes}; "
            "want (..., T, D), (..., S, D), (..., S, E) with one `...` and S >= 1"
        )
    if isinstance(scale, Tensor):
        raise TypeError(f"{name}: scale is a Tensor; want a number, or query * scale with scale=1")


# In tiles, so that no array of T × S exists -------------------------------------------------------


def textbook_tiled(
    query: Array,
    key: Array,
    value: Array,
    bias: Array | None = None,
    allowed: np.ndarray | None = None,
    is_causal: bool = False,
    scale: float | None = None,
    dropout_p: float = 0.0,
    seed: int = 0,
    block: int = 64,
) -> Array:
    """What tiled_attention computes, with all weights in one array.

    Y = (K ∘ softmax(scale Q Kᵀ + bias)) V over the keys that are `allowed`; K is dropout, drawn
    tile by tile from `seed`. Shapes as of textbook_attention.
    """
    T, S = query.shape[-2], key.shape[-2]
    shape = (*query.shape[:-1], S)
    causal = np.tri(T, S, dtype=bool) if is_causal else None
    masks = [mask for mask in (bias, allowed, causal) if mask is not None]
    biases = [additive(mask, query.dtype, shape) for mask in masks]
    keep = None
    if dropout_p:
        keep = np.ones(shape, query.dtype)
        for rows, columns in tiles(T, S, block, is_causal):
            for cols in columns:
                part = keep[..., rows, cols]
                spared = kept_in_tile(part.shape, rows, cols, dropout_p, seed)
                part *= spared / (1 - dropout_p) if dropout_p < 1 else 0
    return textbook_attention(query, key, value, sum(biases) if biases else None, keep, scale)


_tiled = custom_vjp(textbook_tiled, attend_in_tiles, attend_in_tiles_gradient)


def tiled_attention(
    query: Array,
    key: Array,
    value: Array,
    attn_mask: Array | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
    *,
    block: int = 64,
    rng: np.random.Generator | int | None = None,
) -> Array:
    """scaled_dot_product_attention in memory O(T): a row's softmax comes from tiles.

    Forward rescales running sums when a tile brings a higher score and keeps log Σ exp of each row;
    backward computes each tile anew from it. Second derivatives need T × S.

    Arguments and errors as of scaled_dot_product_attention; `block` is the number of queries, and
    of keys, in a tile: ValueError below 1.

    Source: Milakov & Gimelshein 2018; Dao et al. 2022 (FlashAttention).
    """
    if enable_gqa:
        key, value = _shared(query, key), _shared(query, value)
    _check("tiled_attention", query, key, value, scale)
    if block < 1 or not 0 <= dropout_p <= 1:
        raise ValueError(
            f"tiled_attention: block={block}, dropout_p={dropout_p}; "
            "want at least one row in a tile, and 0 <= dropout_p <= 1"
        )
    shape = (*query.shape[:-1], key.shape[-2])
    bias, allowed = _masks(attn_mask, query.dtype, shape)
    seed = int(np.random.default_rng(rng).integers(2**63)) if dropout_p else 0
    options = {
        "allowed": allowed,
        "is_causal": is_causal,
        "scale": scale,
        "dropout_p": float(dropout_p),
        "seed": seed,
        "block": block,
    }
    return _tiled(query, key, value, *bias, **options)


def _masks(mask, dtype, shape):
    """([the mask] if it is to be added, the mask if it says what is allowed), or ([], None)."""
    if mask is None:
        return [], None
    mask = _fitted(mask, shape)
    if mask.dtype.kind == "f":
        return [mask if mask.dtype == dtype else mask.astype(dtype)], None
    return [], unwrap(mask)
