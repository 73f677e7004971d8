"""The affine map, where most networks hold their weights, and rows looked up."""

import numpy as np

from ..engine import Array, Tensor, custom_vjp
from .kernels.linear import affine, affine_gradient, column_sums

__all__ = [
    "textbook_linear",
    "linear",
    "embedding",
    "one_hot",
    "check_same_dtype",
    "column_sums",
]


def textbook_linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """The affine map y = x Wᵀ + b.

    x: (..., D), W = weight: (O, D), b = bias: (O,) → (..., O).

    Raises ValueError for shapes that do not fit, TypeError for mixed dtypes.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch.functional import linear
    >>> linear(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0], [0.0, 1.0]]), np.array([0.5, 0.0]))
    array([[11.5,  2. ]])
    """
    y = np.matmul(x, np.swapaxes(weight, -1, -2))
    return y if bias is None else y + bias


def _forward(x, weight, bias=None):
    check_same_dtype("linear", x, weight)
    fits = x.shape[-1:] == weight.shape[1:]
    if not fits or (bias is not None and bias.shape != weight.shape[:1]):
        raise ValueError(
            f"linear: input {x.shape}, weight {weight.shape}, bias {np.shape(bias)}; "
            "want (..., D), (O, D) and (O,)"
        )
    if bias is not None:
        check_same_dtype("linear", bias, weight, "bias")
    return affine(x, weight, bias), None


linear = custom_vjp(textbook_linear, _forward, affine_gradient, pure=True)


def check_same_dtype(name: object, x: Array, weight: Array, role: str = "input") -> None:
    """Raise TypeError, in the name of an operation or layer, unless x has the dtype of weight.

    As in PyTorch, nothing is converted in silence: float64 data would make a float32 network
    compute in float64 from there on, at half the speed. The message names the repair; `role` says
    what x is.
    """
    if getattr(x, "dtype", None) == weight.dtype:
        return
    if not hasattr(x, "dtype"):
        raise TypeError(
            f"{name}: expected an array or a Tensor as {role}, got {type(x).__name__}; "
            f'want np.asarray(x, "{weight.dtype}")'
        )
    expected = f"{name}: expected {weight.dtype} {role} (the dtype of weight), got {x.dtype}"
    if x.dtype.kind != "f":
        raise TypeError(f'{expected}; want x.astype("{weight.dtype}")')
    raise TypeError(
        f'{expected}; convert it: x.astype("{weight.dtype}"), '
        f'or the model: model.astype("{x.dtype}")'
    )


# One-hot inputs -----------------------------------------------------------------------------------


def embedding(
    input: Array,
    weight: Array,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Array:
    """The rows of weight that integers name: the product of one-hot rows with it.

    y = weight[input].

    Parameters
    ----------
    input : integers 0 .. V - 1, any shape
    weight : (V, D)
    padding_idx : the row that gets no gradient
    max_norm : rows of a longer norm are shortened to it first, in place, for good
    norm_type : p of that norm
    scale_grad_by_freq : whether a row's gradient is divided by how often it stands in `input`
    sparse : only False: gradients are parts of one dense vector

    Returns
    -------
    (*input, D)

    Raises
    ------
    TypeError for an input that holds no integers, ValueError for integers out of range and
    sparse=True

    Examples
    --------
    >>> import numpy as np
    >>> embedding(np.array([2, 0]), np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    array([[5., 6.],
           [1., 2.]])
    """
    V = weight.shape[0]
    ids = _integers("embedding", input, V)
    if padding_idx is not None and not -V <= padding_idx < V:
        raise ValueError(
            f"embedding: padding_idx={padding_idx}; "
            f"want {-V} to {V - 1}, a row of weight {weight.shape}"
        )
    if sparse:
        raise ValueError(
            "embedding: sparse=True; want False: all gradients of a model are one dense vector, "
            "model.parameters().dtheta"
        )
    if max_norm is not None:
        _shorten(weight, np.unique(ids), max_norm, norm_type)
    y = weight[ids]
    if not isinstance(y, Tensor):
        return y
    if scale_grad_by_freq:
        share = 1 / np.bincount(ids.ravel())[ids]
        # y, and a share of its gradient
        y = y.data + (y - y.data) * share[..., None].astype(y.dtype)
    if padding_idx is not None:
        y = np.where((ids == padding_idx % V)[..., None], y.data, y)
    return y


def _shorten(weight, rows, max_norm, norm_type):
    """Scale those rows of weight whose norm is above max_norm, where they stand."""
    array = weight.data if isinstance(weight, Tensor) else weight
    if not array.flags.writeable:
        raise ValueError(
            "embedding: max_norm writes into weight, which was computed from other Tensors; "
            "want a Parameter"
        )
    norm = np.linalg.norm(array[rows], norm_type, axis=1)
    long = norm > max_norm
    array[rows[long]] *= (max_norm / (norm[long] + 1e-7)).astype(array.dtype)[:, None]
    if isinstance(weight, Tensor) and long.any():
        weight.mark_written()


def one_hot(x: Array, num_classes: int = -1) -> np.ndarray:
    """For each integer x a row of zeros with a 1 at place x, as int64.

    x: integers, any shape → (*x, num_classes).

    num_classes is the largest entry + 1 unless given. Raises ValueError for entries out of range,
    or none to count the classes by, TypeError for what are no integers.

    Examples
    --------
    >>> one_hot([0, 2])
    array([[1, 0, 0],
           [0, 0, 1]])
    """
    if num_classes == -1:
        if np.size(x) == 0:
            raise ValueError(
                f"one_hot: no ids, {np.shape(x)}, to count classes by; want num_classes="
            )
        num_classes = int(np.max(x)) + 1
    ids = _integers("one_hot", x, num_classes)
    return (ids[..., None] == np.arange(num_classes)).astype(np.int64)


def _integers(name, ids, n):
    ids = ids.data if isinstance(ids, Tensor) else np.asarray(ids)
    if ids.dtype.kind not in "iu":
        raise TypeError(f"{name}: ids of dtype {ids.dtype}; want integers: ids.astype('int64')")
    if ids.size and not 0 <= ids.min() <= ids.max() < n:
        raise ValueError(f"{name}: ids from {ids.min()} to {ids.max()}; want 0 to {n - 1}")
    return ids
