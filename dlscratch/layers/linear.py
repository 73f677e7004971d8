"""Linear, Embedding and Flatten."""

import math

import numpy as np

from .. import functional as F
from .. import initializers
from .module import Module
from .parameters import Parameter

__all__ = ["Linear", "Embedding", "Flatten"]


class Linear(Module):
    """y = x Wᵀ + b.  x: (..., in_features) → (..., out_features); weight: (out, in), bias: (out,).

    Both start uniform in ±1/√in_features, as in PyTorch. Raises ValueError for sizes below 1 or another last axis of x.
    """

    def __init__(self, in_features, out_features, bias=True, *, rng=None):
        if min(in_features, out_features) < 1:
            raise ValueError(
                f"Linear({in_features}→{out_features}): want at least one feature in and out"
            )
        rng, bound = np.random.default_rng(rng), 1 / math.sqrt(in_features)
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(
            initializers.uniform(rng, (out_features, in_features), -bound, bound)
        )
        self.bias = (
            Parameter(initializers.uniform(rng, (out_features,), -bound, bound)) if bias else None
        )

    def forward(self, x):
        if x.shape[-1:] != (self.in_features,):
            raise ValueError(
                f"{self}: input {x.shape} has last axis {x.shape[-1] if x.ndim else None}, expected {self.in_features}"
                f"{'; flatten it first' if math.prod(x.shape[1:]) == self.in_features else ''}"
            )
        return (
            F.linear(x, self.weight) if self.bias is None else F.linear(x, self.weight, self.bias)
        )

    def __repr__(self):
        return f"Linear({self.in_features}→{self.out_features})"


class Embedding(Module):
    """y = weight[input]: one learned vector for each of V symbols.  input: integers, any shape → (*input, D); weight: (V, D) ~ N(0, 1).

    The vector of `padding_idx` starts at zero and gets no gradient; other options and errors are those of F.embedding.
    _weight is what to start from in place of N(0, 1), _freeze keeps it.
    """

    def __init__(
        self,
        num_embeddings,
        embedding_dim,
        padding_idx=None,
        max_norm=None,
        norm_type=2.0,
        scale_grad_by_freq=False,
        sparse=False,
        _weight=None,
        _freeze=False,
        *,
        rng=None,
    ):
        shape = self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        start = (
            initializers.normal(np.random.default_rng(rng), shape) if _weight is None else _weight
        )
        if (
            np.shape(start) != shape
            or padding_idx is not None
            and not -num_embeddings <= padding_idx < num_embeddings
        ):
            raise ValueError(
                f"Embedding{shape}: weight {np.shape(start)}, padding_idx {padding_idx}; want {shape} and one of its rows"
            )
        self.padding_idx, self.max_norm, self.norm_type = padding_idx, max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        self.weight = Parameter(start, requires_grad=not _freeze)
        if padding_idx is not None and _weight is None:
            self.weight.data[padding_idx] = 0

    @classmethod
    def from_pretrained(
        cls,
        embeddings,
        freeze=True,
        padding_idx=None,
        max_norm=None,
        norm_type=2.0,
        scale_grad_by_freq=False,
        sparse=False,
    ):
        """An Embedding that starts from these vectors, (V, D), and keeps them unless freeze=False."""
        if np.ndim(embeddings) != 2:
            raise ValueError(
                f"from_pretrained: embeddings {np.shape(embeddings)}; want (V, D), a vector for each symbol"
            )
        return cls(
            *embeddings.shape,
            padding_idx,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            sparse,
            embeddings,
            freeze,
        )

    def forward(self, input):
        options = (
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.sparse,
        )
        return F.embedding(input, self.weight, *options)

    def __repr__(self):
        return f"Embedding({self.num_embeddings}→{self.embedding_dim})"


class Flatten(Module):
    """(N, ...) → (N, D): all axes from start_dim to end_dim become one. Raises ValueError when x does not have them."""

    def __init__(self, start_dim=1, end_dim=-1):
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x):
        first, last = (d + x.ndim if d < 0 else d for d in (self.start_dim, self.end_dim))
        if not 0 <= first <= last < x.ndim:
            raise ValueError(
                f"Flatten({self.start_dim}, {self.end_dim}): input {x.shape}; want (N, ...) with these axes"
            )
        return np.reshape(x, (*x.shape[:first], -1, *x.shape[last + 1 :]))
