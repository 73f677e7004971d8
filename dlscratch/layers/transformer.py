"""Transformer layers: attention between positions and a network of two layers at each, both added to what comes in."""

import numpy as np

from .. import functional as F
from .activations import Dropout
from .attention import MultiheadAttention
from .linear import Linear
from .module import Module
from .normalization import LayerNorm

__all__ = ["TransformerEncoderLayer", "TransformerDecoderLayer", "TransformerEncoder"]


class _Layer(Module):
    attentions = ("self_attn",)

    def __init__(
        self,
        d_model,
        nhead,
        dim_feedforward=2048,
        dropout=0.1,
        activation="relu",
        layer_norm_eps=1e-5,
        batch_first=False,
        norm_first=False,
        bias=True,
        *,
        rng=None,
    ):
        if activation not in ("relu", "gelu") and not callable(activation):
            raise ValueError(
                f"{type(self).__name__}: activation={activation!r}; want 'relu', 'gelu' or a function"
            )
        rng, self.activation, self.norm_first = np.random.default_rng(rng), activation, norm_first
        for name in self.attentions:
            setattr(
                self,
                name,
                MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, rng=rng),
            )
        self.linear1, self.linear2 = (
            Linear(d_model, dim_feedforward, bias, rng=rng),
            Linear(dim_feedforward, d_model, bias, rng=rng),
        )
        for i in range(len(self.attentions) + 1):
            setattr(self, f"norm{i + 1}", LayerNorm(d_model, layer_norm_eps, bias=bias))
        self.dropout = Dropout(dropout, rng=rng)

    def _add(self, x, branch, norm):
        """x + branch(x), normalized: before the branch (Xiong et al. 2020) or after the sum, as in the first paper."""
        if self.norm_first:
            return x + self.dropout(branch(norm(x)))
        return norm(x + self.dropout(branch(x)))

    def _attend(self, attention, x, memory, padding, mask, is_causal):
        return attention(
            x, memory, memory, padding, need_weights=False, attn_mask=mask, is_causal=is_causal
        )[0]

    def _feed(self, x):
        activation = (
            getattr(F, self.activation) if isinstance(self.activation, str) else self.activation
        )
        return self.linear2(self.dropout(activation(self.linear1(x))))


class TransformerEncoderLayer(_Layer):
    """x ← norm(x + attention(x)), then norm(x + W₂ φ(W₁ x + b₁) + b₂); with norm_first the norm stands inside the branches.

    src: (T, N, d_model), or (N, T, d_model) with batch_first → same; masks as in MultiheadAttention. Parts: self_attn, linear1,
    linear2, norm1, norm2; dropout on attention weights, hidden units and both branches. Raises ValueError for an
    activation other than "relu", "gelu" or a function. Source: Vaswani et al. 2017.
    """

    def forward(self, src, src_mask=None, src_key_padding_mask=None, is_causal=False):
        """src after attention to itself and the network at each position."""
        x = self._add(
            src,
            lambda x: self._attend(self.self_attn, x, x, src_key_padding_mask, src_mask, is_causal),
            self.norm1,
        )
        return self._add(x, self._feed, self.norm2)


class TransformerDecoderLayer(_Layer):
    """An encoder layer that, between its two branches, also attends to `memory`: x ← norm(x + attention(x, memory, memory)).

    tgt: (T, N, d_model), memory: (S, N, d_model) → (T, N, d_model), batch_first as there. Parts: self_attn, multihead_attn,
    linear1, linear2, norm1, norm2, norm3; else as TransformerEncoderLayer. Pass tgt_is_causal=True to predict what comes next.
    """

    attentions = ("self_attn", "multihead_attn")

    def forward(
        self,
        tgt,
        memory,
        tgt_mask=None,
        memory_mask=None,
        tgt_key_padding_mask=None,
        memory_key_padding_mask=None,
        tgt_is_causal=False,
        memory_is_causal=False,
    ):
        """tgt after attention to itself and to memory and the network at each position."""
        look = lambda x: self._attend(
            self.multihead_attn, x, memory, memory_key_padding_mask, memory_mask, memory_is_causal
        )
        x = self._add(
            tgt,
            lambda x: self._attend(
                self.self_attn, x, x, tgt_key_padding_mask, tgt_mask, tgt_is_causal
            ),
            self.norm1,
        )
        return self._add(self._add(x, look, self.norm2), self._feed, self.norm3)


class TransformerEncoder(Module):
    """Copies of a layer one after the other, and the Module `norm` at the end if given.

    src: as the layer's → same. The copies start with the same weights, as in PyTorch, but each draws dropout's masks of its own.
    Raises ValueError for num_layers < 1.
    """

    def __init__(self, encoder_layer, num_layers, norm=None):
        if num_layers < 1:
            raise ValueError(f"TransformerEncoder(num_layers={num_layers}): want at least one")
        self.layers, self.norm = [_copy(encoder_layer) for _ in range(num_layers)], norm

    def forward(self, src, mask=None, src_key_padding_mask=None, is_causal=False):
        """src after all layers, with the same masks in each."""
        for layer in self.layers:
            src = layer(src, mask, src_key_padding_mask, is_causal)
        return src if self.norm is None else self.norm(src)


def _copy(layer):
    """A copy whose generators are not the layer's: they would draw the same masks in every copy."""
    copy = layer.copy()
    for old, new in zip(layer.modules(), copy.modules(), strict=True):
        for name, value in vars(old).items():
            if isinstance(value, np.random.Generator):
                setattr(new, name, value.spawn(1)[0])
    return copy
