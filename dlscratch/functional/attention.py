"""Attention: each query takes a weighted mean of the values, with weights that it computes by comparing itself to the keys."""

import math

import numpy as np

from ..engine import custom_vjp
from ..engine.graph import sum_to
from ..engine.tensor import unwrap
from .dropout import dropout

__all__ = [
    "additive",
    "attention_weights",
    "textbook_attention",
    "scaled_dot_product_attention",
    "textbook_tiled",
    "tiled_attention",
]


def attention_weights(query, key, bias=None, scale=None):
    """P = softmax(scale Q Kᵀ + bias) over the keys; a row in which every key has bias -∞ is 0.

    query: (..., T, D), key: (..., S, D), bias: broadcasts to (..., T, S), scale: 1/√D unless given → (..., T, S).
    """
    scores = query @ np.swapaxes(key, -1, -2) * _scale(query, scale)
    scores = scores if bias is None else scores + bias
    top = np.max(scores, axis=-1, keepdims=True)
    e = np.exp(scores - np.where(np.isfinite(top), top, 0))
    total = np.sum(e, axis=-1, keepdims=True)
    return e / np.where(np.greater(total, 0), total, 1)


def textbook_attention(query, key, value, bias=None, keep=None, scale=None):
    """Y = P V with P = softmax(scale Q Kᵀ + bias); `keep` multiplies P (dropout).  value: (..., S, E) → (..., T, E)."""
    weights = attention_weights(query, key, bias, scale)
    return (weights if keep is None else weights * keep) @ value


# Scores lie transposed, keys down and queries across: the maximum and the sum over keys then run along contiguous rows of
# queries, which is half the time of summing within rows.
def _forward(query, key, value, bias=None, keep=None, scale=None):
    p = key @ (query * _scale(query, scale)).swapaxes(-1, -2)  # transposed: (..., S, T)
    if bias is not None:
        p += bias.swapaxes(-1, -2)
    top = p.max(axis=-2, keepdims=True)
    p -= np.where(np.isfinite(top), top, 0)
    np.exp(p, out=p)
    total = p.sum(axis=-2, keepdims=True)
    p *= 1 / np.where(total > 0, total, 1)
    return _product(p if keep is None else p * keep.swapaxes(-1, -2), value), p


def _product(p, value):
    """pᵀ value for each head, which lies in memory as (..., T, H, E), where the layer behind it wants it."""
    y = np.empty((*p.shape[:-3], p.shape[-1], *p.shape[-3:-2], value.shape[-1]), value.dtype)
    y = y.swapaxes(-2, -3) if p.ndim > 2 else y
    return np.matmul(p.swapaxes(-1, -2), value, out=y)


def _backward(g, y, p, needs, query, key, value, bias=None, keep=None, scale=None):
    scale, ds = (
        _scale(query, scale),
        value @ g.swapaxes(-1, -2),
    )  # first the gradient of the kept weights, (..., S, T)
    kept = p if keep is None else p * keep.swapaxes(-1, -2)
    ds *= kept
    ds -= p * ds.sum(axis=-2, keepdims=True)
    dq = ds.swapaxes(-1, -2) @ key * scale if needs[0] else None
    dk = ds @ query * scale if needs[1] else None
    dv = kept @ g if needs[2] else None
    return (
        dq,
        dk,
        dv,
        *(
            [sum_to(ds.swapaxes(-1, -2), bias.shape) if needs[3] else None]
            if len(needs) > 3
            else []
        ),
    )


_attention = custom_vjp(textbook_attention, _forward, _backward)


def scaled_dot_product_attention(
    query,
    key,
    value,
    attn_mask=None,
    dropout_p=0.0,
    is_causal=False,
    scale=None,
    enable_gqa=False,
    *,
    rng=None,
):
    """Y = softmax(scale Q Kᵀ + mask) V, each head by itself; a query that may attend to nothing gets 0, as in PyTorch.

    query: (..., H, T, D), key: (..., H, S, D), value: (..., H, S, E) → (..., H, T, E); scale: 1/√D unless given.
    attn_mask broadcasts to (..., H, T, S): booleans, True where attention is allowed, or floats to add to the scores.
    is_causal: query t sees the keys s <= t. With enable_gqa, H/G query heads in a row share one of G key and value heads.
    `rng` draws which weights dropout_p sets to 0, whatever the mode. Raises ValueError for shapes that do not fit, TypeError
    for a mask of integers. Source: Vaswani et al. 2017; grouped heads: Ainslie et al. 2023.
    """
    if enable_gqa:
        key, value = (_shared(query, x) for x in (key, value))
    _check("scaled_dot_product_attention", query, key, value)
    shape = (*query.shape[:-1], key.shape[-2])
    bias = [] if attn_mask is None else [additive(attn_mask, query.dtype, shape)]
    if is_causal:
        bias = [additive(np.tri(*shape[-2:], dtype=bool), query.dtype, shape) + sum(bias)]
    keep = dropout(np.ones(shape, query.dtype), dropout_p, rng=rng) if dropout_p else None
    return _attention(query, key, value, *bias, keep=keep, scale=scale)


def additive(mask, dtype, shape):
    """The mask as numbers to add to scores of `shape`: of booleans, 0 where True and -∞ where False."""
    mask = _fitted(mask, shape)
    if mask.dtype.kind == "f":
        return mask if mask.dtype == dtype else mask.astype(dtype)
    return np.where(unwrap(mask), 0, -np.inf).astype(dtype)


def _fitted(mask, shape):
    """The mask with at least two axes, of queries and of keys."""
    if mask.ndim > len(shape) or any(
        m not in (1, n) for m, n in zip(mask.shape[::-1], shape[::-1])
    ):
        raise ValueError(
            f"attention mask {mask.shape}; want a shape that broadcasts to the scores, {shape}"
        )
    if mask.dtype.kind not in "bf":
        raise TypeError(
            f"attention mask of dtype {mask.dtype}; want booleans, mask.astype(bool), or floats to add to the scores"
        )
    return np.reshape(mask, (1,) * (2 - mask.ndim) + mask.shape)


def _shared(query, x):
    """Each head of x as often as queries share it."""
    if query.ndim < 3 or x.ndim < 3 or x.shape[-3] < 1 or query.shape[-3] % x.shape[-3]:
        raise ValueError(
            f"enable_gqa: query {query.shape}, key or value {x.shape}; want (..., H, T, D), (..., G, S, D) with G dividing H"
        )
    return np.repeat(x, query.shape[-3] // x.shape[-3], axis=-3)


def _check(name, query, key, value):
    fits = (
        min(query.ndim, key.ndim, value.ndim) >= 2
        and query.shape[:-2] == key.shape[:-2]
        and query.shape[-1] == key.shape[-1]
    )
    if not fits or key.shape[:-1] != value.shape[:-1] or key.shape[-2] < 1:
        shapes = f"query {query.shape}, key {key.shape}, value {value.shape}"
        raise ValueError(
            f"{name}: {shapes}; want (..., T, D), (..., S, D), (..., S, E) with one `...` and S >= 1"
        )


def _scale(query, scale):
    return 1 / math.sqrt(query.shape[-1]) if scale is None else scale


# In tiles, so that no array of T × S exists -------------------------------------------------------


def textbook_tiled(
    query,
    key,
    value,
    bias=None,
    allowed=None,
    is_causal=False,
    scale=None,
    dropout_p=0.0,
    seed=0,
    block=64,
):
    """Y = (K ∘ softmax(scale Q Kᵀ + bias)) V over the keys that are `allowed`, K the dropout that `seed` draws tile by tile."""
    T, S = query.shape[-2], key.shape[-2]
    shape, causal, keep = (
        (*query.shape[:-1], S),
        np.tri(T, S, dtype=bool) if is_causal else None,
        None,
    )
    biases = [
        additive(mask, query.dtype, shape) for mask in (bias, allowed, causal) if mask is not None
    ]
    if dropout_p:
        keep = np.ones(shape, query.dtype)
        for rows, columns in _tiles(T, S, block, is_causal):
            for cols in columns:
                part = keep[..., rows, cols]
                part *= _kept(part.shape, rows, cols, dropout_p, seed) / (1 - dropout_p)
    return textbook_attention(query, key, value, sum(biases) if biases else None, keep, scale)


def _tiles(T, S, block, is_causal):
    """(rows, slices of the keys that these rows see), for each block of queries."""
    for i in range(0, T, block):
        seen = min(S, i + block) if is_causal else S
        yield (
            slice(i, min(i + block, T)),
            [slice(j, min(j + block, seen)) for j in range(0, seen, block)],
        )


def _kept(shape, rows, cols, p, seed):
    """The weights of a tile that dropout spares: the tile's place is a part of the seed, so that backward draws the same ones."""
    return (
        np.random.default_rng((seed, rows.start, cols.start)).random(shape, dtype=np.float32) >= p
    )


def _tile(mask, rows, cols):
    """A tile of a mask whose axes may have one entry for all queries or all keys."""
    return mask[
        ...,
        rows if mask.shape[-2] > 1 else slice(None),
        cols if mask.shape[-1] > 1 else slice(None),
    ]


def _scores(query, key, bias, rows, cols, allowed, is_causal, scale):
    s = (query[..., rows, :] * _scale(query, scale)) @ key[..., cols, :].swapaxes(-1, -2)
    if bias is not None:
        s += _tile(bias, rows, cols)
    if allowed is not None:
        s = np.where(_tile(allowed, rows, cols), s, -np.inf)
    on_diagonal = is_causal and rows.start == cols.start  # beyond it there are no tiles
    return np.where(np.tri(*s.shape[-2:], dtype=bool), s, -np.inf) if on_diagonal else s


def _tiled_forward(
    query,
    key,
    value,
    bias=None,
    allowed=None,
    is_causal=False,
    scale=None,
    dropout_p=0.0,
    seed=0,
    block=64,
):
    y = np.empty((*query.shape[:-1], value.shape[-1]), query.dtype)
    lse = np.empty(
        (*query.shape[:-1], 1), query.dtype
    )  # log Σ exp of each row of scores: with it, any tile of P is known
    for rows, columns in _tiles(query.shape[-2], key.shape[-2], block, is_causal):
        top, total, weighted = (
            -np.inf,
            0,
            0,
        )  # of the tiles so far: the highest score, Σ exp(s - top), Σ exp(s - top) v
        for cols in columns:
            s = _scores(query, key, bias, rows, cols, allowed, is_causal, scale)
            higher = np.maximum(top, s.max(axis=-1, keepdims=True))
            at = np.where(
                np.isfinite(higher), higher, 0
            )  # so that a row that has seen nothing yet stays 0
            p, shrink = np.exp(s - at), np.exp(top - at)
            total = total * shrink + p.sum(axis=-1, keepdims=True)
            p = p * _kept(p.shape, rows, cols, dropout_p, seed) if dropout_p else p
            weighted = weighted * shrink + p @ value[..., cols, :]
            top = higher
        some = np.where(total > 0, total, 1)
        y[..., rows, :], lse[..., rows, :] = weighted / (some * (1 - dropout_p)), at + np.log(some)
    return y, lse


def _tiled_backward(
    g,
    y,
    lse,
    needs,
    query,
    key,
    value,
    bias=None,
    allowed=None,
    is_causal=False,
    scale=None,
    dropout_p=0.0,
    seed=0,
    block=64,
):
    dq, dk, dv, *db = (
        np.zeros_like(x)
        for x in ([query, key, value] if bias is None else [query, key, value, bias])
    )
    for rows, columns in _tiles(query.shape[-2], key.shape[-2], block, is_causal):
        gi, qi = g[..., rows, :] * (1 / (1 - dropout_p)), query[..., rows, :] * _scale(query, scale)
        mean = np.sum(
            g[..., rows, :] * y[..., rows, :], axis=-1, keepdims=True
        )  # Σ_s P dP, which is g · y
        for cols in columns:
            p = np.exp(
                _scores(query, key, bias, rows, cols, allowed, is_causal, scale) - lse[..., rows, :]
            )
            keep = _kept(p.shape, rows, cols, dropout_p, seed) if dropout_p else None
            dv[..., cols, :] += (p if keep is None else p * keep).swapaxes(-1, -2) @ gi
            ds = gi @ value[..., cols, :].swapaxes(-1, -2)
            ds = p * ((ds if keep is None else ds * keep) - mean)
            dq[..., rows, :] += ds @ key[..., cols, :]
            dk[..., cols, :] += ds.swapaxes(-1, -2) @ qi
            if bias is not None and needs[3]:
                part = _tile(db[0], rows, cols)
                part += sum_to(ds, part.shape)
    dq *= _scale(query, scale)
    return tuple(
        d if need else None for d, need in zip((dq, dk, dv, *db), needs, strict=False)
    )  # `allowed` needs none


_tiled = custom_vjp(textbook_tiled, _tiled_forward, _tiled_backward)


def tiled_attention(
    query,
    key,
    value,
    attn_mask=None,
    dropout_p=0.0,
    is_causal=False,
    scale=None,
    enable_gqa=False,
    *,
    block=64,
    rng=None,
):
    """scaled_dot_product_attention in memory O(T): the softmax of a row is put together from tiles of `block` keys.

    Forward rescales running sums when a tile brings a higher score and keeps log Σ exp of each row; backward computes each
    tile anew from it. Second derivatives need T × S.  Shapes, masks and errors as there, and ValueError for block < 1.
    Source: Milakov & Gimelshein 2018; Dao et al. 2022 (FlashAttention).
    """
    if enable_gqa:
        key, value = (_shared(query, x) for x in (key, value))
    _check("tiled_attention", query, key, value)
    if block < 1 or not 0 <= dropout_p < 1:
        raise ValueError(
            f"tiled_attention: block={block}, dropout_p={dropout_p}; want at least one row in a tile, and 0 <= dropout_p < 1"
        )
    bias, allowed = _masks(attn_mask, query.dtype, (*query.shape[:-1], key.shape[-2]))
    seed = int(np.random.default_rng(rng).integers(2**63)) if dropout_p else 0
    options = dict(
        allowed=allowed,
        is_causal=is_causal,
        scale=scale,
        dropout_p=dropout_p,
        seed=seed,
        block=block,
    )
    return _tiled(query, key, value, *bias, **options)


def _masks(mask, dtype, shape):
    """([the mask] if it is to be added, else [], the mask if it says what is allowed, else None)."""
    if mask is None:
        return [], None
    mask = _fitted(mask, shape)
    if mask.dtype.kind == "f":
        return [mask if mask.dtype == dtype else mask.astype(dtype)], None
    return [], unwrap(mask)
