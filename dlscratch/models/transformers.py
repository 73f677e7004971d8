"""Transformers for text and images: GPT, BERT and ViT, small, and built of the layers."""

from __future__ import annotations

import math

import numpy as np

from .. import functional as F
from .. import initializers
from ..engine import Array, no_grad
from ..engine.tensor import unwrap
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


def _body(layers, heads, width, dropout, norm_first, rng, bias=True):
    """A stack of encoder layers; norms that come first want one more at the end."""
    layer = TransformerEncoderLayer(
        width,
        heads,
        4 * width,
        dropout,
        "gelu",
        batch_first=True,
        norm_first=norm_first,
        bias=bias,
        rng=rng,
    )
    last = LayerNorm(width, bias=bias) if norm_first else None
    return TransformerEncoder(layer, layers, norm=last)


def _start_as_gpt2(model, layers, rng):
    """Draw matrices from N(0, 0.02²), those that end a residual branch 1 / √(2 layers) as large.

    Biases are 0.
    """
    for name, p in model.named_parameters():
        if p.ndim > 1:
            ends_a_branch = name.endswith(("out_proj.weight", "linear2.weight"))
            std = 0.02 / math.sqrt(2 * layers) if ends_a_branch else 0.02
            p.data = initializers.normal(rng, p.shape, std=std)
        elif name.endswith("bias"):
            p.data = initializers.zeros(rng, p.shape)


class _Language(Module):
    """What GPT and BERT share: a vector for each token and each position, and a stack of layers."""

    def __init__(self, vocab, context, layers, heads, width, dropout, norm_first, rng, bias=True):
        self.context = context
        self.tokens = Embedding(vocab, width, rng=rng)
        self.positions = Embedding(context, width, rng=rng)
        self.dropout = Dropout(dropout, rng=rng)
        self.body = _body(layers, heads, width, dropout, norm_first, rng, bias)

    def _embed(self, ids):
        shape = np.shape(ids)
        if len(shape) != 2 or not 1 <= shape[1] <= self.context:
            raise ValueError(
                f"{type(self).__name__}: ids {shape}; "
                f"want (N, T) with 1 <= T <= context = {self.context}"
            )
        tokens = self.tokens(ids)  # (N, T, width)
        positions = self.positions(np.arange(shape[1]))  # (T, width)
        return tokens + positions


class GPT(_Language):
    """A decoder: logits of the next token at each position, from the tokens up to it.

    ids: (N, T) → (N, T, vocab), T <= context. Learned positions, norms before the branches, GELU;
    the matrix of the embedding also gives the logits (tied). Source: Radford et al. 2019 (GPT-2).

    Parameters
    ----------
    vocab, context : the number of tokens, and how many the model sees at most.
    layers, heads, width : of the stack.
    dropout : on embeddings, attention weights, hidden units and branches, in training.
    bias : whether linear maps and norms have biases.
    rng : draws the weights, and masks of dropout.

    Raises
    ------
    ValueError for longer or flat ids, TypeError for ids that are no integers.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch.models import GPT
    >>> model = GPT(vocab=11, context=8, layers=2, heads=2, width=16, rng=0)
    >>> ids = np.array([[1, 2, 3]])
    >>> model(ids).shape
    (1, 3, 11)
    >>> model.generate(ids, 4, rng=0, top_k=5).shape
    (1, 7)
    """

    def __init__(
        self,
        vocab: int,
        context: int,
        layers: int = 2,
        heads: int = 2,
        width: int = 32,
        dropout: float = 0.0,
        bias: bool = True,
        *,
        rng: np.random.Generator | int | None = None,
    ):
        rng = np.random.default_rng(rng)
        super().__init__(vocab, context, layers, heads, width, dropout, True, rng, bias)
        _start_as_gpt2(self, layers, rng)

    def forward(self, ids: Array) -> Array:
        """The logits."""
        x = self.dropout(self._embed(ids))  # (N, T, width)
        x = self.body(x, is_causal=True)  # (N, T, width)
        return F.linear(x, self.tokens.weight)  # (N, T, vocab)

    def generate(
        self,
        ids: Array,
        n: int,
        rng: np.random.Generator | int | None,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
    ) -> np.ndarray:
        """ids with n more tokens, each drawn by the model: (N, T) → (N, T + n).

        Parameters
        ----------
        ids, n : what to go on from, and how far; the model sees the last `context` tokens.
        rng : draws the tokens.
        temperature : they are drawn from softmax(logits / temperature); at 0 the likeliest comes.
        top_k : draw among the k likeliest only.
        top_p : draw among the likeliest only that together reach this probability. Source:
            Holtzman et al. 2020.

        Raises
        ------
        ValueError for temperature < 0, top_k < 1, or top_p outside (0, 1].
        """
        if not temperature >= 0:
            raise ValueError(f"GPT.generate: temperature={temperature}; want >= 0")
        if top_k is not None and not top_k >= 1:
            raise ValueError(
                f"GPT.generate: top_k={top_k}; want at least 1, or None for all tokens"
            )
        if top_p is not None and not 0 < top_p <= 1:
            raise ValueError(f"GPT.generate: top_p={top_p}; want 0 < top_p <= 1, or None")
        rng = np.random.default_rng(rng)
        ids = np.asarray(unwrap(ids))
        with no_grad(), self.evaluation():
            for _ in range(n):
                logits = self(ids[:, -self.context :]).data[:, -1]  # (N, vocab)
                likely = _likely(logits, temperature, top_k, top_p)
                # the argmax of logits with Gumbel noise is a draw from their softmax
                noise = rng.gumbel(size=logits.shape)
                chosen = np.argmax(likely + temperature * noise, axis=1)  # (N,)
                ids = np.concatenate([ids, chosen[:, None]], axis=1)
        return ids


def _likely(logits, temperature, top_k, top_p):
    """The logits, (N, vocab), with -inf for tokens that are not to be drawn."""
    if top_k is not None and top_k < logits.shape[1]:
        kth_largest = -np.partition(-logits, top_k - 1, axis=1)[:, top_k - 1 : top_k]  # (N, 1)
        logits = np.where(logits < kth_largest, -np.inf, logits)
    if top_p is not None and temperature > 0:
        p = F.softmax(logits.astype("float64") / temperature, axis=1)  # (N, vocab)
        order = np.argsort(-p, axis=1, kind="stable")
        falling = np.take_along_axis(p, order, axis=1)
        likelier = np.cumsum(falling, axis=1) - falling  # the probability of all that come before
        among = np.empty(p.shape, bool)
        np.put_along_axis(among, order, likelier < top_p, axis=1)
        logits = np.where(among, logits, -np.inf)
    return logits


class BERT(_Language):
    """An encoder: logits of the token at each position, from all tokens on both sides.

    ids: (N, T) → (N, T, vocab), T <= context. Learn it on ids of which some are masked, with the
    loss at these. Learned positions, norms after the sums, GELU; the head is Linear, GELU,
    LayerNorm, and the embedding's matrix with a bias. There are no segments. Arguments and errors
    are those of GPT. Source: Devlin et al. 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch.models import BERT
    >>> model = BERT(vocab=11, context=8, layers=2, heads=2, width=16, rng=0)
    >>> ids = np.array([[1, 2, 3, 0]])
    >>> model(ids, padding_mask=ids == 0).shape
    (1, 4, 11)
    """

    def __init__(
        self,
        vocab: int,
        context: int,
        layers: int = 2,
        heads: int = 2,
        width: int = 32,
        dropout: float = 0.0,
        *,
        rng: np.random.Generator | int | None = None,
    ):
        rng = np.random.default_rng(rng)
        super().__init__(vocab, context, layers, heads, width, dropout, False, rng)
        self.norm = LayerNorm(width)
        self.dense = Linear(width, width, rng=rng)
        self.head_norm = LayerNorm(width)
        self.bias = Parameter(initializers.zeros(rng, (vocab,)))
        _start_as_gpt2(self, layers, rng)

    def forward(self, ids: Array, padding_mask: Array | None = None) -> Array:
        """The logits; padding_mask: (N, T), True at tokens to ignore."""
        x = self.dropout(self.norm(self._embed(ids)))  # (N, T, width)
        x = self.body(x, None, padding_mask)  # (N, T, width)
        x = self.head_norm(F.gelu(self.dense(x)))  # (N, T, width)
        return F.linear(x, self.tokens.weight, self.bias)  # (N, T, vocab)


class ViT(Module):
    """Logits of the class of an image, read as a sentence of patches.

    x: (N, channels, image, image) → (N, classes). A convolution turns each patch into a vector; a
    learned class token goes in front, and its last state gives the logits. Source: Dosovitskiy et
    al. 2021.

    Parameters
    ----------
    image, patch, channels : the size of the images, which that of the patches divides.
    classes : the number of outputs.
    layers, heads, width, dropout : of the stack.
    rng : draws the weights, and masks of dropout.

    Raises
    ------
    ValueError when patches do not tile the image, or for another shape of x.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch.models import ViT
    >>> model = ViT(image=8, patch=4, classes=10, width=16, rng=0)
    >>> model(np.ones((2, 3, 8, 8), "float32")).shape
    (2, 10)
    """

    def __init__(
        self,
        image: int,
        patch: int,
        classes: int,
        layers: int = 2,
        heads: int = 2,
        width: int = 32,
        channels: int = 3,
        dropout: float = 0.0,
        *,
        rng: np.random.Generator | int | None = None,
    ):
        if min(image, patch) < 1 or image % patch:
            raise ValueError(
                f"ViT: image={image}, patch={patch}; want a patch size that divides the image's"
            )
        rng = np.random.default_rng(rng)
        patches = (image // patch) ** 2
        self.shape = (channels, image, image)
        self.patches = Conv2d(channels, width, patch, stride=patch, rng=rng)
        self.token = Parameter(initializers.zeros(rng, (1, 1, width)))
        self.positions = Parameter(initializers.zeros(rng, (1 + patches, width)))
        self.dropout = Dropout(dropout, rng=rng)
        self.body = _body(layers, heads, width, dropout, True, rng)
        self.head = Linear(width, classes, rng=rng)
        _start_as_gpt2(self, layers, rng)

    def forward(self, x: Array) -> Array:
        """The logits."""
        if np.shape(x)[1:] != self.shape:
            wanted = ", ".join(map(str, self.shape))
            raise ValueError(f"ViT: input {np.shape(x)}; want (N, {wanted})")
        x = self._embed(x)  # (N, 1 + patches, width)
        x = self.body(self.dropout(x))  # (N, 1 + patches, width)
        return self.head(x[:, 0])  # (N, classes)

    def _embed(self, x):
        """A vector for the class token and each patch, with its position added."""
        x = self.patches(x)  # (N, width, image / patch, image / patch)
        N, width, rows, columns = x.shape
        x = np.reshape(x, (N, width, rows * columns))
        x = np.swapaxes(x, 1, 2)  # (N, patches, width)
        token = np.broadcast_to(self.token, (N, 1, width))
        return np.concatenate([token, x], axis=1) + self.positions
