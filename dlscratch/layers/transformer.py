"""Transformer layers: attention between positions, and a network of two layers at each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .. import functional as F
from ..engine import Array
from .activations import Dropout
from .attention import MultiheadAttention
from .linear import Linear
from .module import Module
from .normalization import LayerNorm

__all__ = [
    "TransformerEncoderLayer",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerDecoder",
]

_ACTIVATIONS = {"relu": F.relu, "gelu": F.gelu}


class _Layer(Module):
    """What the layers of encoder and decoder share: residual branches, and the network in one."""

    decodes = False  # whether there is a second attention, to memory

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        rng: np.random.Generator | int | None = None,
    ):
        if activation not in _ACTIVATIONS and not callable(activation):
            raise ValueError(
                f"{type(self).__name__}: activation={activation!r}; "
                "want 'relu', 'gelu' or a function"
            )
        rng = np.random.default_rng(rng)

        def attention():
            return MultiheadAttention(
                d_model, nhead, dropout, bias, batch_first=batch_first, rng=rng
            )

        def norm():
            return LayerNorm(d_model, layer_norm_eps, bias=bias)

        self.activation = activation
        self.norm_first = norm_first
        self.self_attn = attention()
        if self.decodes:
            self.multihead_attn = attention()
        self.linear1 = Linear(d_model, dim_feedforward, bias, rng=rng)
        self.linear2 = Linear(dim_feedforward, d_model, bias, rng=rng)
        self.norm1 = norm()
        self.norm2 = norm()
        if self.decodes:
            self.norm3 = norm()
        self.dropout = Dropout(dropout, rng=rng)

    def _add(self, x, branch, norm):
        """x + branch(x), with the norm before the branch (Xiong et al. 2020) or after the sum."""
        if self.norm_first:
            return x + self.dropout(branch(norm(x)))
        return norm(x + self.dropout(branch(x)))

    def _attend(self, attention, x, memory, padding_mask, mask, is_causal):
        y, _ = attention(
            x,
            memory,
            memory,
            padding_mask,
            need_weights=False,
            attn_mask=mask,
            is_causal=is_causal,
        )
        return y

    def _feed_forward(self, x):
        activation = _ACTIVATIONS.get(self.activation, self.activation)
        hidden = activation(self.linear1(x))  # (..., dim_feedforward)
        return self.linear2(self.dropout(hidden))  # (..., d_model)


class TransformerEncoderLayer(_Layer):
    """x ← norm(x + attention(x)), then norm(x + W₂ φ(W₁ x + b₁) + b₂).

    With norm_first the norms stand inside the branches. src: (T, N, d_model), or (N, T, d_model)
    with batch_first → same; masks as in MultiheadAttention. Parts: self_attn, linear1, linear2,
    norm1, norm2; dropout on attention weights, hidden units and both branches. Source: Vaswani et
    al. 2017.

    Parameters
    ----------
    d_model, nhead : the width, and the number of heads, which divides it.
    dim_feedforward : the number of hidden units.
    dropout : the probability, in training.
    activation : φ: "relu", "gelu" or a function.
    layer_norm_eps, bias : of the norms; bias also of all linear maps.
    batch_first, norm_first : see above.
    rng : draws weights and masks.

    Raises
    ------
    ValueError for another activation, or heads that do not divide the width.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch.layers import TransformerEncoderLayer
    >>> layer = TransformerEncoderLayer(8, 2, dim_feedforward=16, batch_first=True, rng=0)
    >>> layer(np.ones((3, 5, 8), "float32"), is_causal=True).shape
    (3, 5, 8)
    """

    def forward(
        self,
        src: Array,
        src_mask: Array | None = None,
        src_key_padding_mask: Array | None = None,
        is_causal: bool = False,
    ) -> Array:
        """src after attention to itself and the network at each position."""

        def attend(x):
            return self._attend(self.self_attn, x, x, src_key_padding_mask, src_mask, is_causal)

        x = self._add(src, attend, self.norm1)
        return self._add(x, self._feed_forward, self.norm2)


class TransformerDecoderLayer(_Layer):
    """An encoder layer that in between also attends to memory.

    x ← norm(x + attention(x)), then norm(x + attention(x, memory, memory)), then
    norm(x + W₂ φ(W₁ x + b₁) + b₂). tgt: (T, N, d_model), memory: (S, N, d_model) → (T, N, d_model),
    batch_first as there. Parts: self_attn, multihead_attn, linear1, linear2, norm1, norm2, norm3;
    arguments and errors are those of TransformerEncoderLayer. Pass tgt_is_causal=True to predict
    what comes next.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch.layers import TransformerDecoderLayer
    >>> layer = TransformerDecoderLayer(8, 2, dim_feedforward=16, batch_first=True, rng=0)
    >>> memory = np.ones((3, 7, 8), "float32")
    >>> layer(np.ones((3, 5, 8), "float32"), memory, tgt_is_causal=True).shape
    (3, 5, 8)
    """

    decodes = True

    def forward(
        self,
        tgt: Array,
        memory: Array,
        tgt_mask: Array | None = None,
        memory_mask: Array | None = None,
        tgt_key_padding_mask: Array | None = None,
        memory_key_padding_mask: Array | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Array:
        """tgt after attention to itself and to memory, and the network at each position."""

        def attend(x):
            return self._attend(self.self_attn, x, x, tgt_key_padding_mask, tgt_mask, tgt_is_causal)

        def attend_to_memory(x):
            return self._attend(
                self.multihead_attn,
                x,
                memory,
                memory_key_padding_mask,
                memory_mask,
                memory_is_causal,
            )

        x = self._add(tgt, attend, self.norm1)
        x = self._add(x, attend_to_memory, self.norm2)
        return self._add(x, self._feed_forward, self.norm3)


class TransformerEncoder(Module):
    """Copies of a layer one after the other, and the Module `norm` at the end if given.

    src: as the layer's → same. The copies start with the same weights, as PyTorch's do, but each
    draws masks of dropout of its own. Raises ValueError for num_layers < 1.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch.layers import TransformerEncoder, TransformerEncoderLayer
    >>> layer = TransformerEncoderLayer(8, 2, dim_feedforward=16, batch_first=True, rng=0)
    >>> encoder = TransformerEncoder(layer, num_layers=2)
    >>> encoder(np.ones((3, 5, 8), "float32")).shape
    (3, 5, 8)
    """

    def __init__(self, encoder_layer: Module, num_layers: int, norm: Module | None = None):
        self.layers = _copies(self, encoder_layer, num_layers)
        self.norm = norm

    def forward(
        self,
        src: Array,
        mask: Array | None = None,
        src_key_padding_mask: Array | None = None,
        is_causal: bool = False,
    ) -> Array:
        """src after all layers, with the same masks in each."""
        for layer in self.layers:
            src = layer(src, mask, src_key_padding_mask, is_causal)
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(Module):
    """Copies of a decoder layer one after the other, and `norm` at the end if given.

    tgt, memory: as the layer's → as tgt; all layers attend to the same memory. The copies start as
    those of TransformerEncoder do. Raises ValueError for num_layers < 1.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch.layers import TransformerDecoder, TransformerDecoderLayer
    >>> layer = TransformerDecoderLayer(8, 2, dim_feedforward=16, batch_first=True, rng=0)
    >>> decoder = TransformerDecoder(layer, num_layers=2)
    >>> memory = np.ones((3, 7, 8), "float32")
    >>> decoder(np.ones((3, 5, 8), "float32"), memory, tgt_is_causal=True).shape
    (3, 5, 8)
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None):
        self.layers = _copies(self, decoder_layer, num_layers)
        self.norm = norm

    def forward(
        self,
        tgt: Array,
        memory: Array,
        tgt_mask: Array | None = None,
        memory_mask: Array | None = None,
        tgt_key_padding_mask: Array | None = None,
        memory_key_padding_mask: Array | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Array:
        """tgt after all layers, with the same memory and masks in each."""
        for layer in self.layers:
            tgt = layer(
                tgt,
                memory,
                tgt_mask,
                memory_mask,
                tgt_key_padding_mask,
                memory_key_padding_mask,
                tgt_is_causal,
                memory_is_causal,
            )
        return tgt if self.norm is None else self.norm(tgt)


def _copies(owner, layer, num_layers):
    """`num_layers` copies of a layer, each with random generators of its own.

    With the layer's generator, all copies would draw the same masks.
    """
    name = type(owner).__name__
    if num_layers < 1:
        raise ValueError(f"{name}(num_layers={num_layers}): want at least one")
    if not isinstance(layer, Module):
        raise TypeError(
            f"{name}: expected a layer to copy, got {type(layer).__name__}; "
            f"make one: {name}Layer(d_model, nhead)"
        )
    return [_with_own_generators(layer) for _ in range(num_layers)]


def _with_own_generators(layer):
    twin = layer.copy()
    for old, new in zip(layer.modules(), twin.modules(), strict=True):
        for name, value in vars(old).items():
            if isinstance(value, np.random.Generator):
                setattr(new, name, value.spawn(1)[0])
    return twin
