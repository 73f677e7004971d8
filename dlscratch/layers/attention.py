"""Multi-head attention."""

import numpy as np

from .. import functional as F
from .. import initializers
from ..functional.attention import additive, attention_weights
from .linear import Linear
from .module import Module
from .parameters import Parameter

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """[head_1 ... head_H] W_oᵀ + b_o, with head_h = softmax(Q_h K_hᵀ / √(E/H)) V_h and Q, K, V linear in query, key, value.

    query: (T, N, E), key and value: (S, N, E) → (T, N, E), weights; with batch_first (N, T, E). in_proj_weight: (3 E, E) holds
    the rows of Q, K, V; out_proj is a Linear. `dropout` acts on the attention weights, in training. Raises ValueError when
    heads do not divide E. Source: Vaswani et al. 2017.
    """

    def __init__(self, embed_dim, num_heads, dropout=0.0, bias=True, *, batch_first=False, rng=None):
        if min(embed_dim, num_heads) < 1 or embed_dim % num_heads:
            raise ValueError(f"MultiheadAttention({embed_dim}, {num_heads}): num_heads must divide embed_dim, both at least 1")
        if not 0 <= dropout < 1:
            raise ValueError(f"MultiheadAttention(dropout={dropout}): want 0 <= dropout < 1")
        self.embed_dim, self.num_heads, self.dropout, self.batch_first = embed_dim, num_heads, dropout, batch_first
        self.rng = np.random.default_rng(rng)
        self.in_proj_weight = Parameter(initializers.xavier_uniform(self.rng, (3 * embed_dim, embed_dim)))
        self.in_proj_bias = Parameter(initializers.zeros(self.rng, (3 * embed_dim,))) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias, rng=self.rng)
        if bias:
            self.out_proj.bias.data[...] = 0

    def forward(
        self, query, key, value, key_padding_mask=None, need_weights=True, attn_mask=None, average_attn_weights=True, is_causal=False
    ):
        """(output, weights): the weights before dropout, (N, T, S), or (N, H, T, S) if not averaged; None without need_weights.

        key_padding_mask: (N, S), attn_mask: (T, S) or (N·H, T, S): booleans, True where attention is forbidden (the contrary
        of functional.scaled_dot_product_attention), or floats to add to the scores. is_causal needs no mask beside it.
        """
        self._check(query, key, value)
        q, k, v = (self._heads(x) for x in self._projected(query, key, value))
        bias = self._bias(key_padding_mask, attn_mask, is_causal, (*q.shape[:-1], k.shape[-2]), q.dtype)
        y = F.scaled_dot_product_attention(q, k, v, bias, self.dropout if self.training else 0.0, rng=self.rng)
        y = np.reshape(np.swapaxes(y, 1, 2), (q.shape[0], q.shape[2], self.embed_dim))
        y = self.out_proj(y if self.batch_first else np.swapaxes(y, 0, 1))
        weights = attention_weights(q, k, bias) if need_weights else None
        return y, np.mean(weights, axis=1) if need_weights and average_attn_weights else weights

    def _check(self, query, key, value):
        E, batch = self.embed_dim, 0 if self.batch_first else 1
        fits = all(x.ndim == 3 and x.shape[2] == E and x.shape[batch] == query.shape[batch] for x in (query, key, value))
        if not fits or key.shape != value.shape:
            wanted = f"(N, T, {E}), (N, S, {E}) twice" if self.batch_first else f"(T, N, {E}), (S, N, {E}) twice"
            raise ValueError(f"{self}: query {query.shape}, key {key.shape}, value {value.shape}; want {wanted}")

    def _projected(self, query, key, value):
        if query is key is value:  # one product instead of three
            return np.split(F.linear(query, self.in_proj_weight, self.in_proj_bias), 3, axis=-1)
        weights = np.split(self.in_proj_weight, 3)
        biases = [None] * 3 if self.in_proj_bias is None else np.split(self.in_proj_bias, 3)
        return [F.linear(x, W, b) for x, W, b in zip((query, key, value), weights, biases, strict=True)]

    def _heads(self, x):
        """(N, T, E) → (N, H, T, E/H)."""
        x = x if self.batch_first else np.swapaxes(x, 0, 1)
        return np.swapaxes(np.reshape(x, (*x.shape[:2], self.num_heads, -1)), 1, 2)

    def _bias(self, padding, mask, is_causal, shape, dtype):
        """All masks as one array to add to scores of `shape`, or None."""
        N, H, T, S = shape
        parts = [np.tri(T, S, dtype=bool)] if is_causal else []
        for name, given, wanted in (("key_padding_mask", padding, [(N, S)]), ("attn_mask", mask, [(T, S), (N * H, T, S)])):
            if given is None:
                continue
            if given.shape not in wanted:
                raise ValueError(f"{self}: {name} {given.shape}; want {' or '.join(map(str, wanted))}")
            given = np.logical_not(given) if given.dtype.kind == "b" else given
            parts.append(np.reshape(given, (N, 1, 1, S) if name == "key_padding_mask" else (N, H, T, S) if given.ndim == 3 else (T, S)))
        return sum(additive(part, dtype, shape) for part in parts) if parts else None

    def __repr__(self):
        return f"MultiheadAttention({self.embed_dim}, {self.num_heads} heads)"
