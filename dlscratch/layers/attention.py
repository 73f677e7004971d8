"""Multi-head attention."""

import numpy as np

from .. import functional as F
from .. import initializers
from ..engine import Array, Tensor
from ..engine.tensor import unwrap
from ..functional.attention import additive, attention_weights, attention_with
from ..functional.kernels.finite import all_finite
from ..functional.linear import check_same_dtype
from .linear import Linear
from .module import Module
from .parameters import Parameter

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """Attention by H heads at once, each of which compares other features of the tokens.

    y = [head_1 ... head_H] W_oᵀ + b_o, with head_h = softmax(Q_h K_hᵀ / √(E/H)) V_h.

    Q, K, V are linear in query, key, value. in_proj_weight: (3 E, E) holds their rows, or with a
    kdim or vdim other than E, q_proj_weight: (E, E), k_proj_weight: (E, kdim) and v_proj_weight:
    (E, vdim) do; out_proj is a Linear.

    Parameters
    ----------
    embed_dim, num_heads : E and H, which divides E
    dropout : its p on the attention weights, in training
    bias : whether the projections have biases
    add_bias_kv : whether a learned key bias_k and value bias_v, (1, 1, E), are appended
    add_zero_attn : whether a key and value of zeros are appended, hidden by no mask
    kdim, vdim : the sizes of keys and values, E unless given
    batch_first : whether N comes first
    rng : what draws the first weights and the dropout

    Raises
    ------
    ValueError when heads do not divide E, and for other shapes; TypeError for another dtype
    than the weights'

    Source: Vaswani et al. 2017.

    Examples
    --------
    >>> import numpy as np
    >>> layer = MultiheadAttention(8, num_heads=2, batch_first=True, rng=0)
    >>> x = np.ones((3, 5, 8), "float32")  # 3 sequences of 5 tokens
    >>> y, weights = layer(x, x, x)
    >>> y.shape, weights.shape
    ((3, 5, 8), (3, 5, 5))
    """

    embed_dim: int
    num_heads: int
    dropout: float
    batch_first: bool
    out_proj: Linear

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        *,
        rng: np.random.Generator | int | None = None,
    ):
        kdim = embed_dim if kdim is None else kdim
        vdim = embed_dim if vdim is None else vdim
        if min(embed_dim, num_heads, kdim, vdim) < 1 or embed_dim % num_heads:
            sizes = f"{embed_dim}, {num_heads}, kdim={kdim}, vdim={vdim}"
            raise ValueError(
                f"MultiheadAttention({sizes}): "
                "num_heads must divide embed_dim, and all be at least 1"
            )
        if not 0 <= dropout <= 1:
            raise ValueError(f"MultiheadAttention(dropout={dropout}): want 0 <= dropout <= 1")
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.kdim = kdim
        self.vdim = vdim
        self.add_zero_attn = add_zero_attn
        self.rng = np.random.default_rng(rng)
        if kdim == vdim == embed_dim:
            self.in_proj_weight = self._weight(3 * embed_dim, embed_dim)
        else:
            self.q_proj_weight = self._weight(embed_dim, embed_dim)
            self.k_proj_weight = self._weight(embed_dim, kdim)
            self.v_proj_weight = self._weight(embed_dim, vdim)
        self.in_proj_bias = None
        if bias:
            self.in_proj_bias = Parameter(initializers.zeros(self.rng, (3 * embed_dim,)))
        self.bias_k = self._appended_vector() if add_bias_kv else None
        self.bias_v = self._appended_vector() if add_bias_kv else None
        self.out_proj = Linear(embed_dim, embed_dim, bias, rng=self.rng)
        if bias:
            self.out_proj.bias.data[...] = 0

    def _weight(self, *shape):
        return Parameter(initializers.xavier_uniform(self.rng, shape))

    def _appended_vector(self):
        return Parameter(initializers.xavier_normal(self.rng, (1, 1, self.embed_dim)))

    def forward(
        self,
        query: Array,
        key: Array,
        value: Array,
        key_padding_mask: Array | None = None,
        need_weights: bool = True,
        attn_mask: Array | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """(output, weights) of a batch, or of one example without its axis N.

        A query that may attend to nothing gets the weights 0, with need_weights too, where
        PyTorch says NaN.

        Parameters
        ----------
        query : (T, N, E)
        key : (S, N, kdim)
        value : (S, N, vdim), all three with batch_first (N, ...), or without N
        key_padding_mask : (N, S), booleans, True where attention is forbidden (the contrary of
            F.scaled_dot_product_attention), or floats to add to the scores
        need_weights : whether the weights that met the values are given
        attn_mask : (T, S) or (N·H, T, S), as key_padding_mask
        average_attn_weights : whether their mean over heads is
        is_causal : whether query t sees the keys s <= t only; needs no mask beside it

        Returns
        -------
        (T, N, E), and (N, T, S) or of all heads (N, H, T, S), or None
        """
        if query.ndim == key.ndim == value.ndim == 2:
            options = need_weights, attn_mask, average_attn_weights, is_causal
            return self._unbatched(query, key, value, key_padding_mask, *options)
        self._check(query, key, value)
        q, k, v = (self._heads(x) for x in self._projected(query, key, value))
        shape = (*q.shape[:-1], k.shape[-2])
        bias = self._bias(key_padding_mask, attn_mask, is_causal, shape, q.dtype)
        k, v, bias = self._appended(k, v, bias)
        p = self.dropout if self.training else 0.0
        weights = None
        if need_weights:
            y, weights = self._with_weights(q, k, v, bias, p)
        else:
            y = F.scaled_dot_product_attention(q, k, v, bias, p, rng=self.rng)
        y = np.reshape(np.swapaxes(y, 1, 2), (q.shape[0], q.shape[2], self.embed_dim))
        y = self.out_proj(y if self.batch_first else np.swapaxes(y, 0, 1))
        if need_weights and average_attn_weights:
            weights = np.mean(weights, axis=1)
        return y, weights

    def _with_weights(self, q, k, v, bias, p):
        """(each head's output, the weights that made it)."""
        weights = attention_weights(q, k, bias)
        keep = F.dropout(np.ones(weights.shape, weights.dtype), p, rng=self.rng) if p else None
        weights = weights if keep is None else weights * keep
        if bias is None or all_finite(unwrap(k), unwrap(v)):
            return weights @ v, weights
        return attention_with(q, k, v, bias, keep), weights  # what is hidden counts nothing there

    def _unbatched(self, query, key, value, padding, *options):
        """(output, weights) of one example, (T, E) and (T, S) or (H, T, S)."""
        axis = 0 if self.batch_first else 1
        # what is one array stays one: its projections are one product
        batches = {id(x): np.expand_dims(x, axis) for x in (query, key, value)}
        query, key, value = (batches[id(x)] for x in (query, key, value))
        padding = None if padding is None else padding[None]
        y, weights = self.forward(query, key, value, padding, *options)
        return np.squeeze(y, axis), None if weights is None else weights[0]

    def _check(self, query, key, value):
        batch = 0 if self.batch_first else 1
        inputs = {"query": query, "key": key, "value": value}
        widths = (self.embed_dim, self.kdim, self.vdim)
        fits = all(
            x.ndim == 3 and x.shape[2] == D and x.shape[batch] == query.shape[batch]
            for x, D in zip(inputs.values(), widths, strict=True)
        )
        if not fits or key.shape[:2] != value.shape[:2]:
            wanted = ", ".join(
                f"(N, {n}, {D})" if self.batch_first else f"({n}, N, {D})"
                for n, D in zip("TSS", widths, strict=True)
            )
            raise ValueError(
                f"{self}: query {query.shape}, key {key.shape}, value {value.shape}; "
                f"want {wanted}, or all without N"
            )
        for role, x in inputs.items():
            check_same_dtype(self, x, self.out_proj.weight, role)

    def _projected(self, query, key, value):
        """Q, K and V, (..., E)."""
        same = self.kdim == self.vdim == self.embed_dim
        if same and query is key is value:  # one product instead of three
            return np.split(F.linear(query, self.in_proj_weight, self.in_proj_bias), 3, axis=-1)
        weights = (
            np.split(self.in_proj_weight, 3)
            if same
            else (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        )
        biases = [None] * 3 if self.in_proj_bias is None else np.split(self.in_proj_bias, 3)
        inputs = zip((query, key, value), weights, biases, strict=True)
        return [F.linear(x, W, b) for x, W, b in inputs]

    def _heads(self, x):
        """(N, T, E) → (N, H, T, E/H)."""
        x = x if self.batch_first else np.swapaxes(x, 0, 1)
        heads = (*x.shape[:2], self.num_heads, self.embed_dim // self.num_heads)
        return np.swapaxes(np.reshape(x, heads), 1, 2)

    def _bias(self, padding, mask, is_causal, shape, dtype):
        """All masks as one array to add to scores of `shape`, or None."""
        N, H, T, S = shape
        parts = [np.tri(T, S, dtype=bool)] if is_causal else []
        if padding is not None:
            padding = self._allowed("key_padding_mask", padding, [(N, S)])
            parts.append(np.reshape(padding, (N, 1, 1, S)))
        if mask is not None:
            mask = self._allowed("attn_mask", mask, [(T, S), (N * H, T, S)])
            parts.append(np.reshape(mask, (N, H, T, S)) if mask.ndim == 3 else mask)
        return sum(additive(part, dtype, shape) for part in parts) if parts else None

    def _allowed(self, name, mask, shapes):
        """The mask, checked; booleans turned from what is forbidden into what is allowed."""
        if not hasattr(mask, "dtype"):
            raise TypeError(
                f"{self}: {name}: expected an array, got {type(mask).__name__}; "
                "want np.asarray(mask)"
            )
        if mask.shape not in shapes:
            raise ValueError(f"{self}: {name} {mask.shape}; want {' or '.join(map(str, shapes))}")
        return np.logical_not(mask) if mask.dtype.kind == "b" else mask

    def _appended(self, k, v, bias):
        """Keys, values and masks with the learned key and that of zeros at the end."""
        ends = []
        if self.bias_k is not None:
            ends.append((self.bias_k, self.bias_v))
        if self.add_zero_attn:
            ends.append((np.zeros((1, 1, self.embed_dim), k.dtype),) * 2)
        for end_k, end_v in ends:
            k, v = self._with_one_more(k, end_k), self._with_one_more(v, end_v)
            if bias is not None:
                seen = np.zeros((*bias.shape[:-1], 1), k.dtype)
                bias = np.concatenate([bias, seen], axis=-1)
        return k, v, bias

    def _with_one_more(self, x, end):
        """x: (N, H, S, E/H) with one vector (1, 1, E) more in each example."""
        shape = (len(x), self.num_heads, 1, x.shape[-1])
        return np.concatenate([x, np.broadcast_to(self._heads(end), shape)], axis=2)

    def __repr__(self):
        return f"MultiheadAttention({self.embed_dim}, {self.num_heads} heads)"
