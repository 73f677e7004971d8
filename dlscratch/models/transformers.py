"""Transformers for text and images: GPT, BERT and ViT, small, and built of the layers."""

import math

import numpy as np

from .. import functional as F
from .. import initializers
from ..engine import no_grad
from ..layers import (
    Conv2d,
    Dropout,
    Embedding,
    LayerNorm,
    Linear,
    Module,
    Parameter,
    TransformerEncoder,
    TransformerEncoderLayer,
)

__all__ = ["GPT", "BERT", "ViT"]


def _stack(layers, heads, width, dropout, norm_first, rng):
    layer = TransformerEncoderLayer(
        width, heads, 4 * width, dropout, "gelu", batch_first=True, norm_first=norm_first, rng=rng
    )
    return TransformerEncoder(layer, layers, norm=LayerNorm(width) if norm_first else None)


def _draw(model, layers, rng):
    """GPT-2's first weights: N(0, 0.02²), but 0.02 / √(2 layers) for those that end a residual branch; biases 0."""
    for name, p in model.named_parameters():
        if p.ndim > 1:
            last = name.endswith(("out_proj.weight", "linear2.weight"))
            p.data = initializers.normal(
                rng, p.shape, std=0.02 / math.sqrt(2 * layers) if last else 0.02
            )
        elif name.endswith("bias"):
            p.data = initializers.zeros(rng, p.shape)


class _Language(Module):
    """What GPT and BERT share: a vector for each token and each position, and a stack of layers."""

    def __init__(self, vocab, context, layers, heads, width, dropout, norm_first, rng):
        self.context, self.tokens, self.positions = (
            context,
            Embedding(vocab, width, rng=rng),
            Embedding(context, width, rng=rng),
        )
        self.dropout = Dropout(dropout, rng=rng)
        self.body = _stack(layers, heads, width, dropout, norm_first, rng)

    def _embed(self, ids):
        shape = np.shape(ids)
        if len(shape) != 2 or not 1 <= shape[1] <= self.context:
            raise ValueError(
                f"{type(self).__name__}: ids {shape}; want (N, T) with 1 <= T <= context = {self.context}"
            )
        return self.tokens(ids) + self.positions(np.arange(shape[1]))


class GPT(_Language):
    """A decoder: logits of the next token at each position, from the tokens up to it.  ids: (N, T) → (N, T, vocab), T <= context.

    Learned positions, norms before the branches, GELU; the matrix of the embedding also gives the logits (tied).
    Raises ValueError for longer or flat ids, TypeError for ids that are no integers. Source: Radford et al. 2019 (GPT-2).
    """

    def __init__(self, vocab, context, layers=2, heads=2, width=32, dropout=0.0, *, rng=None):
        rng = np.random.default_rng(rng)
        super().__init__(vocab, context, layers, heads, width, dropout, True, rng)
        _draw(self, layers, rng)

    def forward(self, ids):
        """The logits."""
        x = self.body(self.dropout(self._embed(ids)), is_causal=True)
        return F.linear(x, self.tokens.weight)

    def generate(self, ids, n, rng, temperature=1.0):
        """ids with n more tokens, each drawn from softmax(logits / temperature), or the likeliest at 0.  (N, T) → (N, T + n)."""
        if temperature < 0:
            raise ValueError(f"GPT.generate: temperature={temperature}; want >= 0")
        rng, ids, training = np.random.default_rng(rng), np.asarray(ids), self.training
        self.eval()
        with no_grad():
            for _ in range(n):
                logits = self(ids[:, -self.context :]).data[:, -1]
                noise = rng.gumbel(
                    size=logits.shape
                )  # the argmax of logits with Gumbel noise is a draw from their softmax
                ids = np.concatenate(
                    [ids, np.argmax(logits + temperature * noise, axis=1)[:, None]], axis=1
                )
        self.train(training)
        return ids


class BERT(_Language):
    """An encoder: logits of the token at each position, from all tokens on both sides.  ids: (N, T) → (N, T, vocab), T <= context.

    Learn it on ids of which some are masked, with the loss at these. Learned positions, norms after the sums, GELU; the head
    is Linear, GELU, LayerNorm, and the embedding's matrix with a bias. There are no segments. Raises as GPT does.
    Source: Devlin et al. 2019.
    """

    def __init__(self, vocab, context, layers=2, heads=2, width=32, dropout=0.0, *, rng=None):
        rng = np.random.default_rng(rng)
        super().__init__(vocab, context, layers, heads, width, dropout, False, rng)
        self.norm, self.dense, self.head_norm = (
            LayerNorm(width),
            Linear(width, width, rng=rng),
            LayerNorm(width),
        )
        self.bias = Parameter(initializers.zeros(rng, (vocab,)))
        _draw(self, layers, rng)

    def forward(self, ids, padding_mask=None):
        """The logits; padding_mask: (N, T), True at tokens to ignore."""
        x = self.body(self.dropout(self.norm(self._embed(ids))), None, padding_mask)
        return F.linear(self.head_norm(F.gelu(self.dense(x))), self.tokens.weight, self.bias)


class ViT(Module):
    """Logits of the class of an image, read as a sentence of patches.  x: (N, channels, image, image) → (N, classes).

    A convolution turns each patch into a vector; a learned class token goes in front, and its last state gives the logits.
    Raises ValueError when patches do not tile the image, or for another shape of x. Source: Dosovitskiy et al. 2021.
    """

    def __init__(
        self,
        image,
        patch,
        classes,
        layers=2,
        heads=2,
        width=32,
        channels=3,
        dropout=0.0,
        *,
        rng=None,
    ):
        if min(image, patch) < 1 or image % patch:
            raise ValueError(
                f"ViT: image={image}, patch={patch}; want a patch size that divides the image's"
            )
        rng, self.shape = np.random.default_rng(rng), (channels, image, image)
        self.patches = Conv2d(channels, width, patch, stride=patch, rng=rng)
        self.token = Parameter(initializers.zeros(rng, (1, 1, width)))
        self.positions = Parameter(initializers.zeros(rng, (1 + (image // patch) ** 2, width)))
        self.dropout = Dropout(dropout, rng=rng)
        self.body = _stack(layers, heads, width, dropout, True, rng)
        self.head = Linear(width, classes, rng=rng)
        _draw(self, layers, rng)

    def forward(self, x):
        """The logits."""
        if x.shape[1:] != self.shape:
            raise ValueError(f"ViT: input {x.shape}; want (N, {', '.join(map(str, self.shape))})")
        patches = self.patches(x)
        N, width = patches.shape[:2]
        patches = np.swapaxes(np.reshape(patches, (N, width, -1)), 1, 2)
        x = (
            np.concatenate([np.broadcast_to(self.token, (N, 1, width)), patches], axis=1)
            + self.positions
        )
        return self.head(self.body(self.dropout(x))[:, 0])
