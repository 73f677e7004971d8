"""Attention, the fast twins: all scores at once, and in tiles so that no array of T × S exists.

What a mask hides counts exactly nothing, whatever stands there. Products by BLAS alone do not give
that, since 0 · NaN is NaN: where their result is not finite, `product_of_allowed` computes it
again.
"""

import math

import numpy as np

from ...engine.graph import sum_to
from .finite import all_finite

__all__ = [
    "attend",
    "attend_gradient",
    "scaling",
    "tiles",
    "kept_in_tile",
    "attend_in_tiles",
    "attend_in_tiles_gradient",
]


def scaling(query, scale):
    """The factor of the scores, 1/√D unless given, as Python's number, which has no dtype."""
    return 1 / math.sqrt(query.shape[-1]) if scale is None else float(scale)


def product_of_allowed(A, B, allowed):
    """A @ B over the pairs that are allowed, whatever stands in B elsewhere.

    A, allowed: (..., T, S), B: (..., S, E).
    """
    allowed = np.broadcast_to(allowed, A.shape)
    A = np.where(allowed, A, 0)
    finite = np.isfinite(B).all(axis=(*range(B.ndim - 2), -1))
    y = A @ np.where(finite[:, None], B, 0)
    for s in np.flatnonzero(~finite):
        one = slice(s, s + 1)
        y += np.where(allowed[..., one], A[..., one] * B[..., one, :], 0)
    return y


# All scores at once -------------------------------------------------------------------------------
#
# Scores lie transposed, keys down and queries across: the maximum and the sum over keys then
# run along contiguous rows of
# queries, which is half the time of summing within rows.


def attend(query, key, value, bias=None, keep=None, scale=None):
    """The values of attention, and what its gradient needs.

    That is the weights, (..., S, T), and whether all was finite.
    """
    scale = scaling(query, scale)
    with np.errstate(invalid="ignore"):
        p = key @ (query * scale).swapaxes(-1, -2)
        if bias is not None:
            p += bias.swapaxes(-1, -2)
        _softmax_of_columns(p)
        y = _weighted_values(p if keep is None else p * keep.swapaxes(-1, -2), value)
        if bias is None or all_finite(y):
            return y, (p, True)
        hidden = np.isneginf(bias.swapaxes(-1, -2))
        p = key @ (query * scale).swapaxes(-1, -2) + bias.swapaxes(-1, -2)
        p = np.where(hidden, -np.inf, p)
        _softmax_of_columns(p)
        kept = p if keep is None else p * keep.swapaxes(-1, -2)
        return product_of_allowed(kept.swapaxes(-1, -2), value, ~np.isneginf(bias)), (p, False)


def _softmax_of_columns(p):
    """Scores become weights, in place: softmax over the axis before the last.

    Columns of nothing but -∞ become 0.
    """
    top = p.max(axis=-2, keepdims=True)
    p -= np.where(np.isfinite(top), top, 0)
    np.exp(p, out=p)
    total = p.sum(axis=-2, keepdims=True)
    p *= 1 / np.where(total == 0, 1, total)


def _weighted_values(p, value):
    """pᵀ value for each head, in memory as (..., T, H, E), as the layer behind wants it."""
    y = np.empty((*p.shape[:-3], p.shape[-1], *p.shape[-3:-2], value.shape[-1]), value.dtype)
    y = y.swapaxes(-2, -3) if p.ndim > 2 else y
    return np.matmul(p.swapaxes(-1, -2), value, out=y)


def attend_gradient(g, y, saved, needs, query, key, value, bias=None, keep=None, scale=None):
    """The gradients of (query, key, value, bias), given that of y."""
    p, finite = saved
    scale = scaling(query, scale)
    kept = p if keep is None else p * keep.swapaxes(-1, -2)
    with np.errstate(invalid="ignore"):
        if bias is not None and not (finite and all_finite(g)):
            ds, dq, dk, dv = _gradient_of_allowed(g, p, kept, query, key, value, bias, scale)
        else:
            ds = value @ g.swapaxes(-1, -2)  # first the gradient of the kept weights, (..., S, T)
            ds *= kept
            ds -= p * ds.sum(axis=-2, keepdims=True)
            dq = ds.swapaxes(-1, -2) @ key * scale if needs[0] else None
            dk = ds @ query * scale if needs[1] else None
            dv = kept @ g if needs[2] else None
    dbias = None
    if needs[3:4] == (True,):
        dbias = sum_to(ds.swapaxes(-1, -2), bias.shape)
    return (dq, dk, dv, dbias)[: len(needs)]


def _gradient_of_allowed(g, p, kept, query, key, value, bias, scale):
    """The same, where what is hidden counts nothing."""
    allowed = ~np.isneginf(np.broadcast_to(bias, p.swapaxes(-1, -2).shape))
    across = allowed.swapaxes(-1, -2)
    ds = np.where(across, (value @ g.swapaxes(-1, -2)) * kept, 0)
    ds -= np.where(across, p * ds.sum(axis=-2, keepdims=True), 0)
    dq = product_of_allowed(ds.swapaxes(-1, -2), key, allowed) * scale
    dk = product_of_allowed(ds, query, across) * scale
    dv = product_of_allowed(kept, g, across)
    return ds, dq, dk, dv


# In tiles -----------------------------------------------------------------------------------------


def tiles(T, S, block, is_causal):
    """The tiles of a T × S matrix: (rows, slices of the keys that these rows see), in turn."""
    for i in range(0, T, block):
        seen = min(S, i + block) if is_causal else S
        rows = slice(i, min(i + block, T))
        yield rows, [slice(j, min(j + block, seen)) for j in range(0, seen, block)]


def kept_in_tile(shape, rows, cols, p, seed):
    """The weights of a tile that dropout spares: its place is in the seed, for backward."""
    rng = np.random.default_rng((seed, rows.start, cols.start))
    return rng.random(shape, dtype=np.float32) >= p


def _tile(mask, rows, cols):
    """A tile of a mask whose axes may have one entry for all queries or all keys."""
    everything = slice(None)
    rows = rows if mask.shape[-2] > 1 else everything
    cols = cols if mask.shape[-1] > 1 else everything
    return mask[..., rows, cols]


class _Scores:
    """The scores of any tile, and what a tile of weights is multiplied with."""

    def __init__(self, query, key, value, bias, allowed, is_causal, scale):
        self.query, self.key = query, key
        self.bias, self.allowed, self.is_causal = bias, allowed, is_causal
        self.scale = scaling(query, scale)
        masked = bias is not None or allowed is not None or is_causal
        self.careful = masked and not all_finite(query, key, value)

    def tile(self, rows, cols):
        """scale Q Kᵀ + bias, and -∞ where attention is not allowed."""
        s = (self.query[..., rows, :] * self.scale) @ self.key[..., cols, :].swapaxes(-1, -2)
        if self.bias is not None:
            bias = _tile(self.bias, rows, cols)
            s += bias
            s = np.where(np.isneginf(bias), -np.inf, s) if self.careful else s
        if self.allowed is not None:
            s = np.where(_tile(self.allowed, rows, cols), s, -np.inf)
        if (
            self.is_causal and rows.start == cols.start
        ):  # on the diagonal; beyond it there are no tiles
            s = np.where(np.tri(*s.shape[-2:], dtype=bool), s, -np.inf)
        return s

    def product(self, A, B, s):
        """A @ B, in which pairs whose scores s are -∞ count nothing."""
        return product_of_allowed(A, B, ~np.isneginf(s)) if self.careful else A @ B


def attend_in_tiles(
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
    """The values of attention, and what its gradient needs, computed tile by tile.

    That is log Σ exp of each row of scores: with it, any tile of the weights is known.
    """
    scores = _Scores(query, key, value, bias, allowed, is_causal, scale)
    y = np.empty((*query.shape[:-1], value.shape[-1]), query.dtype)
    lse = np.empty((*query.shape[:-1], 1), query.dtype)
    with np.errstate(invalid="ignore"):
        for rows, columns in tiles(query.shape[-2], key.shape[-2], block, is_causal):
            # of the tiles so far: the highest score, Σ exp(s - top), Σ exp(s - top) v
            top, total, weighted = -np.inf, 0, 0
            for cols in columns:
                s = scores.tile(rows, cols)
                higher = np.maximum(top, s.max(axis=-1, keepdims=True))
                # a row that has seen nothing yet stays 0
                at = np.where(np.isfinite(higher), higher, 0)
                p, shrink = np.exp(s - at), np.exp(top - at)
                total = total * shrink + p.sum(axis=-1, keepdims=True)
                if dropout_p:
                    p = p * kept_in_tile(p.shape, rows, cols, dropout_p, seed)
                part = scores.product(p, value[..., cols, :], s)
                weighted = weighted * shrink + part
                top = higher
            some = np.where(total == 0, 1, total)
            y[..., rows, :] = weighted / some * _rescaling(dropout_p)
            lse[..., rows, :] = at + np.log(some)
    return y, lse


def attend_in_tiles_gradient(
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
    """The gradients of (query, key, value, bias): tiles of weights come anew from `lse`."""
    scores = _Scores(query, key, value, bias, allowed, is_causal, scale)
    dq, dk, dv = np.zeros_like(query), np.zeros_like(key), np.zeros_like(value)
    db = None if bias is None else np.zeros_like(bias)
    with np.errstate(invalid="ignore"):
        for rows, columns in tiles(query.shape[-2], key.shape[-2], block, is_causal):
            gi = g[..., rows, :] * _rescaling(dropout_p)
            qi = query[..., rows, :] * scores.scale
            # Σ_s P dP, which is g · y
            mean = np.sum(g[..., rows, :] * y[..., rows, :], axis=-1, keepdims=True)
            for cols in columns:
                s = scores.tile(rows, cols)
                p = np.exp(s - lse[..., rows, :])
                dp = gi @ value[..., cols, :].swapaxes(-1, -2)
                kept = p
                if dropout_p:
                    keep = kept_in_tile(p.shape, rows, cols, dropout_p, seed)
                    kept = p * keep
                    dp = dp * keep
                ds = p * (dp - mean)
                if scores.careful:
                    ds = np.where(np.isneginf(s), 0, ds)
                across, s_across = ds.swapaxes(-1, -2), s.swapaxes(-1, -2)
                dq[..., rows, :] += scores.product(ds, key[..., cols, :], s)
                dk[..., cols, :] += scores.product(across, qi, s_across)
                dv[..., cols, :] += scores.product(kept.swapaxes(-1, -2), gi, s_across)
                if bias is not None and needs[3]:
                    part = _tile(db, rows, cols)
                    part += sum_to(ds, part.shape)
    dq *= scores.scale
    gradients = (dq, dk, dv) if bias is None else (dq, dk, dv, db)
    return tuple(d if need else None for d, need in zip(gradients, needs, strict=False))


def _rescaling(dropout_p):
    """What keeps the mean of weights under dropout; with p = 1 nothing is left to rescale."""
    return 1 / (1 - dropout_p) if dropout_p < 1 else 0.0
