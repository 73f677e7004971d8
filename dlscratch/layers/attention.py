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

    query: (T, N, E), key: (S, N, kdim), value: (S, N, vdim) → (T, N, E), weights; with batch_first (N, T, E); without a batch
    (T, E). in_proj_weight: (3 E, E) holds the rows of Q, K, V, or with a kdim or vdim other than E, q_proj_weight: (E, E),
    k_proj_weight: (E, kdim) and v_proj_weight: (E, vdim) do; out_proj is a Linear. `dropout` acts on the attention weights, in training.
    add_bias_kv appends a learned key bias_k and value bias_v: (1, 1, E), add_zero_attn a key and value of zeros, hidden by no mask.
    Raises ValueError when heads do not divide E. Source: Vaswani et al. 2017.
    """

    def __init__(
        self,
        embed_dim,
        num_heads,
        dropout=0.0,
        bias=True,
        add_bias_kv=False,
        add_zero_attn=False,
        kdim=None,
        vdim=None,
        batch_first=False,
        *,
        rng=None,
    ):
        kdim, vdim = (embed_dim if n is None else n for n in (kdim, vdim))
        if min(embed_dim, num_heads, kdim, vdim) < 1 or embed_dim % num_heads:
            sizes = f"{embed_dim}, {num_heads}, kdim={kdim}, vdim={vdim}"
            raise ValueError(
                f"MultiheadAttention({sizes}): num_heads must divide embed_dim, and all be at least 1"
            )
        if not 0 <= dropout < 1:
            raise ValueError(f"MultiheadAttention(dropout={dropout}): want 0 <= dropout < 1")
        self.embed_dim, self.num_heads, self.dropout, self.batch_first = (
            embed_dim,
            num_heads,
            dropout,
            batch_first,
        )
        self.kdim, self.vdim, self.add_zero_attn = kdim, vdim, add_zero_attn
        self.rng, shapes = np.random.default_rng(rng), {"in": (3 * embed_dim, embed_dim)}
        if not kdim == vdim == embed_dim:
            shapes = {
                name: (embed_dim, n) for name, n in (("q", embed_dim), ("k", kdim), ("v", vdim))
            }
        for name, shape in shapes.items():
            setattr(
                self, f"{name}_proj_weight", Parameter(initializers.xavier_uniform(self.rng, shape))
            )
        self.in_proj_bias = (
            Parameter(initializers.zeros(self.rng, (3 * embed_dim,))) if bias else None
        )
        for name in ("bias_k", "bias_v"):
            setattr(
                self,
                name,
                Parameter(initializers.xavier_normal(self.rng, (1, 1, embed_dim)))
                if add_bias_kv
                else None,
            )
        self.out_proj = Linear(embed_dim, embed_dim, bias, rng=self.rng)
        if bias:
            self.out_proj.bias.data[...] = 0

    def forward(
        self,
        query,
        key,
        value,
        key_padding_mask=None,
        need_weights=True,
        attn_mask=None,
        average_attn_weights=True,
        is_causal=False,
    ):
        """(output, weights): the weights that met the values, (N, T, S), or (N, H, T, S) if not averaged; None without need_weights.

        key_padding_mask: (N, S), attn_mask: (T, S) or (N·H, T, S): booleans, True where attention is forbidden (the contrary
        of functional.scaled_dot_product_attention), or floats to add to the scores. is_causal needs no mask beside it.
        """
        if query.ndim == key.ndim == value.ndim == 2:
            return self._unbatched(
                query,
                key,
                value,
                key_padding_mask,
                need_weights,
                attn_mask,
                average_attn_weights,
                is_causal,
            )
        self._check(query, key, value)
        q, k, v = (self._heads(x) for x in self._projected(query, key, value))
        bias = self._bias(
            key_padding_mask, attn_mask, is_causal, (*q.shape[:-1], k.shape[-2]), q.dtype
        )
        k, v, bias = self._appended(k, v, bias)
        p, weights = self.dropout if self.training else 0.0, None
        if need_weights:
            weights = F.dropout(attention_weights(q, k, bias), p, rng=self.rng)
        y = (
            F.scaled_dot_product_attention(q, k, v, bias, p, rng=self.rng)
            if weights is None
            else weights @ v
        )
        y = np.reshape(np.swapaxes(y, 1, 2), (q.shape[0], q.shape[2], self.embed_dim))
        y = self.out_proj(y if self.batch_first else np.swapaxes(y, 0, 1))
        return y, np.mean(weights, axis=1) if need_weights and average_attn_weights else weights

    def _unbatched(self, query, key, value, padding, *rest):
        """(output, weights) of one example, (T, E) and (T, S) or (H, T, S)."""
        axis = 0 if self.batch_first else 1
        batches = {
            id(x): np.expand_dims(x, axis) for x in (query, key, value)
        }  # what is one array stays one
        y, weights = self.forward(
            *(batches[id(x)] for x in (query, key, value)),
            None if padding is None else padding[None],
            *rest,
        )
        return np.squeeze(y, axis), None if weights is None else weights[0]

    def _check(self, query, key, value):
        batch, widths = 0 if self.batch_first else 1, (self.embed_dim, self.kdim, self.vdim)
        fits = all(
            x.ndim == 3 and x.shape[2] == D and x.shape[batch] == query.shape[batch]
            for x, D in zip((query, key, value), widths)
        )
        if not fits or key.shape[:2] != value.shape[:2]:
            wanted = ", ".join(
                f"(N, {n}, {D})" if self.batch_first else f"({n}, N, {D})"
                for n, D in zip("TSS", widths)
            )
            raise ValueError(
                f"{self}: query {query.shape}, key {key.shape}, value {value.shape}; want {wanted}, or all without N"
            )

    def _projected(self, query, key, value):
        same = self.kdim == self.vdim == self.embed_dim
        if same and query is key is value:  # one product instead of three
            return np.split(F.linear(query, self.in_proj_weight, self.in_proj_bias), 3, axis=-1)
        weights = (
            np.split(self.in_proj_weight, 3)
            if same
            else (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        )
        biases = [None] * 3 if self.in_proj_bias is None else np.split(self.in_proj_bias, 3)
        return [
            F.linear(x, W, b) for x, W, b in zip((query, key, value), weights, biases, strict=True)
        ]

    def _heads(self, x):
        """(N, T, E) → (N, H, T, E/H)."""
        x = x if self.batch_first else np.swapaxes(x, 0, 1)
        return np.swapaxes(
            np.reshape(x, (*x.shape[:2], self.num_heads, self.embed_dim // self.num_heads)), 1, 2
        )

    def _bias(self, padding, mask, is_causal, shape, dtype):
        """All masks as one array to add to scores of `shape`, or None."""
        N, H, T, S = shape
        parts = [np.tri(T, S, dtype=bool)] if is_causal else []
        for name, given, wanted in (
            ("key_padding_mask", padding, [(N, S)]),
            ("attn_mask", mask, [(T, S), (N * H, T, S)]),
        ):
            if given is None:
                continue
            if given.shape not in wanted:
                raise ValueError(
                    f"{self}: {name} {given.shape}; want {' or '.join(map(str, wanted))}"
                )
            given = np.logical_not(given) if given.dtype.kind == "b" else given
            parts.append(
                np.reshape(
                    given,
                    (N, 1, 1, S)
                    if name == "key_padding_mask"
                    else (N, H, T, S)
                    if given.ndim == 3
                    else (T, S),
                )
            )
        return sum(additive(part, dtype, shape) for part in parts) if parts else None

    def _appended(self, k, v, bias):
        """Keys, values and masks with the learned key and that of zeros at the end, which all queries see."""
        ends = [(self.bias_k, self.bias_v)] if self.bias_k is not None else []
        ends += [(np.zeros((1, 1, self.embed_dim), k.dtype),) * 2] * self.add_zero_attn
        for pair in ends:
            shape = (len(k), self.num_heads, 1, k.shape[-1])
            k, v = (
                np.concatenate([x, np.broadcast_to(self._heads(end), shape)], axis=2)
                for x, end in zip((k, v), pair)
            )
            bias = (
                None
                if bias is None
                else np.concatenate([bias, np.zeros((*bias.shape[:-1], 1), k.dtype)], axis=-1)
            )
        return k, v, bias

    def __repr__(self):
        return f"MultiheadAttention({self.embed_dim}, {self.num_heads} heads)"
