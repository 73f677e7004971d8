"""The affine map, the only place where most networks hold weights, and its case of a one-hot input: a row looked up."""

import numpy as np

from ..engine import Array, Tensor, custom_vjp

__all__ = ["textbook_linear", "linear", "embedding", "one_hot", "check_same_dtype"]


def check_same_dtype(name: str, x: Array, weight: Array, role: str = "input") -> None:
    """Raise TypeError, in the name of the operation or layer, unless x has the dtype of weight.

    As in PyTorch, nothing is converted in silence: float64 data would make a float32 network compute in float64 from there
    on, at half the speed. Integers that meet a float weight are told to become floats, and what is no array to become one.
    """
    if not hasattr(x, "dtype"):
        raise TypeError(
            f"{name}: expected an array or a Tensor as {role}, got {type(x).__name__}; "
            f'want np.asarray(x, "{weight.dtype}")'
        )
    if x.dtype == weight.dtype:
        return
    expected = f"{name}: expected {weight.dtype} {role} (the dtype of weight), got {x.dtype}"
    if x.dtype.kind != "f":
        raise TypeError(f'{expected}; want x.astype("{weight.dtype}")')
    raise TypeError(
        f'{expected}; convert it: x.astype("{weight.dtype}"), or the model: model.astype("{x.dtype}")'
    )


def textbook_linear(x, weight, bias=None):
    """y = x Wᵀ + b.  x: (..., D), W = weight: (O, D), b = bias: (O,) → (..., O)."""
    y = np.matmul(x, np.swapaxes(weight, -1, -2))
    return y if bias is None else y + bias


def _forward(x, weight, bias=None):
    if x.shape[-1:] != weight.shape[1:] or (bias is not None and bias.shape != weight.shape[:1]):
        raise ValueError(
            f"linear: input {x.shape}, weight {weight.shape}, bias {np.shape(bias)}; want (..., D), (O, D) and (O,)"
        )
    y = np.matmul(x.reshape(-1, x.shape[-1]), weight.T)
    if bias is not None:
        y += bias
    return y.reshape(*x.shape[:-1], len(weight)), None


def _backward(g, y, saved, needs, x, weight, bias=None):
    g = g.reshape(-1, g.shape[-1])
    dx = None
    if needs[0]:
        dx = (weight.T @ g.T).T if _batch_innermost(x) else (g @ weight).reshape(x.shape)
    dW = g.T @ x.reshape(-1, x.shape[-1]) if needs[1] else None
    return dx, dW, column_sums(g) if needs[2:] == (True,) else None


def _batch_innermost(x):
    """Whether x comes from a convolution, which keeps the batch innermost in memory: its gradient then should too, without a copy."""
    return x.ndim == 2 and isinstance(x, np.ndarray) and not x.flags.c_contiguous


def column_sums(g):
    """Σ_n g[n], by BLAS: a product with a row of ones is two to four times as fast as g.sum(axis=0).  g: (N, O) → (O,)."""
    return np.ones_like(g, shape=len(g)) @ g


linear = custom_vjp(
    textbook_linear, _forward, _backward, pure=True
)  # one GEMM for any number of leading axes


def embedding(
    input,
    weight,
    padding_idx=None,
    max_norm=None,
    norm_type=2.0,
    scale_grad_by_freq=False,
    sparse=False,
):
    """y = weight[input], the product of one-hot rows with weight.  input: integers of any shape, weight: (V, D) → (*input, D).

    The row `padding_idx` gets no gradient. Rows longer than `max_norm` are shortened to it first, in place, for good;
    scale_grad_by_freq divides a row's gradient by how often it stands in `input`. Raises TypeError for an input that holds
    no integers, ValueError for integers outside 0 .. V - 1, and for sparse=True: gradients are parts of one dense vector.
    """
    ids, V = _integers("embedding", input, weight.shape[0]), weight.shape[0]
    if padding_idx is not None and not -V <= padding_idx < V:
        raise ValueError(
            f"embedding: padding_idx={padding_idx}; want {-V} to {V - 1}, a row of weight {weight.shape}"
        )
    if sparse:
        raise ValueError(
            "embedding: sparse=True; want False: all gradients of a model are one dense vector, model.parameters().dtheta"
        )
    if max_norm is not None:
        _shorten(weight, np.unique(ids), max_norm, norm_type)
    y = weight[ids]
    if not isinstance(y, Tensor) or padding_idx is None and not scale_grad_by_freq:
        return y
    share = 1 / np.bincount(ids.ravel())[ids] if scale_grad_by_freq else np.ones(ids.shape)
    if padding_idx is not None:
        share = np.where(ids == padding_idx % weight.shape[0], 0, share)
    return y.data + (y - y.data) * share[..., None].astype(
        y.dtype
    )  # y, and a share of its gradient


def _shorten(weight, rows, max_norm, norm_type):
    """Scale those rows of weight whose norm is above max_norm, where they stand."""
    array = weight.data if isinstance(weight, Tensor) else weight
    if not array.flags.writeable:
        raise ValueError(
            "embedding: max_norm writes into weight, which was computed from other Tensors; want a Parameter"
        )
    norm = np.linalg.norm(array[rows], norm_type, axis=1)
    long = norm > max_norm
    array[rows[long]] *= (max_norm / (norm[long] + 1e-7)).astype(array.dtype)[:, None]
    if isinstance(weight, Tensor) and long.any():
        weight.mark_written()


def one_hot(x, num_classes=-1):
    """1 at [..., x], else 0, as int64; num_classes is the largest entry + 1 unless given.  x: integers, any shape → (*x, num_classes)."""
    num_classes = int(np.max(x)) + 1 if num_classes == -1 else num_classes
    return (_integers("one_hot", x, num_classes)[..., None] == np.arange(num_classes)).astype(
        np.int64
    )


def _integers(name, ids, n):
    ids = ids.data if isinstance(ids, Tensor) else np.asarray(ids)
    if ids.dtype.kind not in "iu":
        raise TypeError(f"{name}: ids of dtype {ids.dtype}; want integers: ids.astype('int64')")
    if ids.size and not 0 <= ids.min() <= ids.max() < n:
        raise ValueError(f"{name}: ids from {ids.min()} to {ids.max()}; want 0 to {n - 1}")
    return ids
