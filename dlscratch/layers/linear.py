"""Linear, Embedding and Flatten."""

import math

import numpy as np

from .. import functional as F
from .. import initializers
from ..engine import Array, Tensor
from ..functional.linear import check_same_dtype
from .module import Module
from .parameters import Parameter

__all__ = ["Linear", "Embedding", "Flatten"]


class Linear(Module):
    """The affine map y = x Wᵀ + b, with learned W and b.

    x: (..., in_features) → (..., out_features); weight: (out, in), bias: (out,).

    Both start uniform in ±1/√in_features, as in PyTorch. Raises ValueError for sizes below 1 or
    another last axis of x, TypeError for another dtype than that of weight.

    Examples
    --------
    >>> import numpy as np
    >>> layer = Linear(3, 4, rng=0)
    >>> layer(np.ones((2, 3), "float32")).shape
    (2, 4)
    """

    in_features: int
    out_features: int
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rng: np.random.Generator | int | None = None,
    ):
        if min(in_features, out_features) < 1:
            raise ValueError(
                f"Linear({in_features}→{out_features}): want at least one feature in and out"
            )
        rng = np.random.default_rng(rng)
        bound = 1 / math.sqrt(in_features)
        shape = (out_features, in_features)
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(initializers.uniform(rng, shape, -bound, bound))
        self.bias = None
        if bias:
            self.bias = Parameter(initializers.uniform(rng, (out_features,), -bound, bound))

    def forward(self, x: Array) -> Tensor:
        """x Wᵀ + b."""
        if hasattr(x, "shape") and x.shape[-1:] != (self.in_features,):
            flat = math.prod(x.shape[1:]) == self.in_features
            raise ValueError(
                f"{self}: input {x.shape} has last axis {x.shape[-1] if x.ndim else None}, "
                f"expected {self.in_features}{'; flatten it first' if flat else ''}"
            )
        weight = self.weight  # read once: a parametrization may compute it anew each time
        check_same_dtype(self, x, weight)
        return F.linear(x, weight) if self.bias is None else F.linear(x, weight, self.bias)

    def __repr__(self):
        return f"Linear({self.in_features}→{self.out_features})"


class Embedding(Module):
    """One learned vector for each of V symbols: y = weight[input].

    input: integers, any shape → (*input, D); weight: (V, D) ~ N(0, 1).

    Parameters
    ----------
    num_embeddings, embedding_dim : V and D
    padding_idx : the symbol whose vector starts at zero and gets no gradient
    max_norm, norm_type, scale_grad_by_freq, sparse : as of F.embedding
    _weight : what to start from in place of N(0, 1)
    _freeze : whether it stays as it is

    Examples
    --------
    >>> import numpy as np
    >>> Embedding(10, 3, rng=0)(np.array([[1, 2], [2, 9]])).shape
    (2, 2, 3)
    """

    num_embeddings: int
    embedding_dim: int
    weight: Parameter

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Array | None = None,
        _freeze: bool = False,
        *,
        rng: np.random.Generator | int | None = None,
    ):
        shape = (num_embeddings, embedding_dim)
        start = _weight
        if _weight is None:
            start = initializers.normal(np.random.default_rng(rng), shape)
        a_row = padding_idx is None or -num_embeddings <= padding_idx < num_embeddings
        if np.shape(start) != shape or not a_row:
            raise ValueError(
                f"Embedding{shape}: weight {np.shape(start)}, padding_idx {padding_idx}; "
                f"want {shape} and one of its rows"
            )
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        self.weight = Parameter(start, requires_grad=not _freeze)
        if padding_idx is not None and _weight is None:
            self.weight.data[padding_idx] = 0

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Array,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> "Embedding":
        """An Embedding that starts from vectors, (V, D), and keeps them unless freeze=False."""
        if np.ndim(embeddings) != 2:
            raise ValueError(
                f"from_pretrained: embeddings {np.shape(embeddings)}; "
                "want (V, D), a vector for each symbol"
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

    def forward(self, input: Array) -> Tensor:
        """The vectors of these symbols."""
        return F.embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.sparse,
        )

    def __repr__(self):
        return f"Embedding({self.num_embeddings}→{self.embedding_dim})"


class Flatten(Module):
    """All axes from start_dim to end_dim as one: (N, ...) → (N, D).

    Raises ValueError when x does not have them.

    Examples
    --------
    >>> import numpy as np
    >>> Flatten()(np.ones((2, 3, 4, 5))).shape
    (2, 60)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1):
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, x: Array) -> Array:
        """x with those axes as one."""
        first, last = (d + x.ndim if d < 0 else d for d in (self.start_dim, self.end_dim))
        if not 0 <= first <= last < x.ndim:
            raise ValueError(
                f"Flatten({self.start_dim}, {self.end_dim}): input {x.shape}; "
                "want (N, ...) with these axes"
            )
        D = math.prod(x.shape[first : last + 1])
        return np.reshape(x, (*x.shape[:first], D, *x.shape[last + 1 :]))
