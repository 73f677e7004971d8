"""The layer norm family: each example normalized by itself.

Over its last axes, over groups of its channels, or over each channel's places.
"""

import math

import numpy as np

from ...engine import Array, custom_vjp
from ...engine.tensor import unwrap
from ..arguments import as_floats, number
from ..kernels import layer_norm as kernels
from .batch_norms import batch_norm, check_parameters, scale_channels

__all__ = ["textbook_layer_norm", "layer_norm", "rms_norm", "group_norm", "instance_norm"]


def textbook_layer_norm(
    x: Array,
    weight: Array | None = None,
    bias: Array | None = None,
    axes: tuple = (-1,),
    eps: float = 1e-5,
) -> Array:
    """y = x̂ · weight + bias, with x̂ = (x - mean) / √(var + eps) over the last axes."""
    mean = np.mean(x, axis=axes, keepdims=True)
    var = np.var(x, axis=axes, keepdims=True)
    y = (x - mean) / np.sqrt(var + eps)
    if weight is not None:
        y = y * weight
    return y if bias is None else y + bias


_layer_norm = custom_vjp(textbook_layer_norm, kernels.layer_norm, kernels.layer_norm_gradient)


def layer_norm(
    x: Array,
    normalized_shape: int | tuple,
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
) -> Array:
    """y = x̂ · weight + bias, with x̂ = (x - mean) / √(var + eps) over the last axes.

    Parameters
    ----------
    x : (N, ..., D)
    normalized_shape : the sizes of those axes, or one size
    weight, bias : of that shape
    eps : keeps the quotient finite where all numbers are equal; x̂ is 0 there

    Returns
    -------
    y, of the shape of x

    Raises
    ------
    ValueError
        for another x, weight or bias
    TypeError
        unless x has the dtype of weight

    Examples
    --------
    >>> layer_norm(np.array([[1.0, 3.0], [5.0, 5.0]]), 2).round(3)
    array([[-1.,  1.],
           [ 0.,  0.]])

    Source: Ba et al. 2016.
    """
    x = as_floats("layer_norm", x)
    axes, shape = _last_axes("layer_norm", x, normalized_shape)
    check_parameters("layer_norm", x, shape, weight=weight, bias=bias)
    return _layer_norm(x, weight, bias, axes=axes, eps=number(eps))


def _last_axes(name, x, normalized_shape):
    if isinstance(normalized_shape, int | np.integer):
        normalized_shape = (int(normalized_shape),)
    shape = tuple(normalized_shape)
    if x.shape[-len(shape) :] != shape:
        raise ValueError(
            f"{name}: input {x.shape} ends in {x.shape[-len(shape) :]}, expected {shape}"
        )
    return tuple(range(-len(shape), 0)), shape


def rms_norm(
    x: Array,
    normalized_shape: int | tuple,
    weight: Array | None = None,
    eps: float | None = None,
) -> Array:
    """y = x / √(mean x² + eps) · weight over the last axes; eps is the dtype's unless given.

    x: (N, ..., D), normalized_shape and weight as in layer_norm → as x. Raises ValueError for
    another x or weight.
    Source: Zhang & Sennrich 2019.
    """
    x = as_floats("rms_norm", x)
    axes, shape = _last_axes("rms_norm", x, normalized_shape)
    check_parameters("rms_norm", x, shape, weight=weight)
    eps = float(np.finfo(x.dtype).eps) if eps is None else number(eps)
    mean_square = np.mean(np.square(x), axis=axes, keepdims=True)
    y = x / np.sqrt(mean_square + eps)
    return y if weight is None else y * weight


def group_norm(
    x: Array,
    num_groups: int,
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
) -> Array:
    """y = x̂ · weight + bias, each group of channels of each example normalized.

    x: (N, C, ...), weight and bias: (C,) → as x. Raises ValueError for groups that do not divide
    the channels, TypeError unless x has the dtype of weight. Source: Wu & He 2018.
    """
    x = as_floats("group_norm", x)
    if x.ndim < 2 or num_groups < 1 or x.shape[1] % num_groups:
        raise ValueError(
            f"group_norm: input {x.shape}; "
            f"want (N, C, ...) with C divisible by num_groups={num_groups}"
        )
    size = math.prod(x.shape[1:]) // num_groups
    groups = np.reshape(x, (x.shape[0] * num_groups, size))
    y = np.reshape(_layer_norm(groups, eps=number(eps)), x.shape)
    return scale_channels("group_norm", y, weight, bias)


def instance_norm(
    x: Array,
    running_mean: np.ndarray | None = None,
    running_var: np.ndarray | None = None,
    weight: Array | None = None,
    bias: Array | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Array:
    """y = x̂ · weight + bias, each channel of each example normalized over its places.

    Parameters
    ----------
    x : (N, C, ...)
    running_mean, running_var : (C,), moved in place towards the mean of the examples' means and
        unbiased variances
    weight, bias : (C,)
    use_input_stats : if not, the running mean and variance normalize, as in batch_norm
    momentum : how far the running ones move: r ← (1 - momentum) r + momentum · new
    eps : keeps the quotient finite

    Returns
    -------
    y, of the shape of x

    Raises
    ------
    ValueError
        for one place, or other shapes
    TypeError
        unless x has the dtype of weight

    Source: Ulyanov et al. 2016.
    """
    x = as_floats("instance_norm", x)
    if not use_input_stats:
        return batch_norm(x, running_mean, running_var, weight, bias, eps=eps)
    if x.ndim < 3 or math.prod(x.shape[2:]) == 1:
        raise ValueError(
            f"instance_norm: input {x.shape} has one value a channel, which has no variance; "
            "want (N, C, L) with L > 1"
        )
    if running_mean is not None:
        _move_towards_instances(x, running_mean, running_var, number(momentum))
    return group_norm(x, x.shape[1], weight, bias, eps=eps)


def _move_towards_instances(x, running_mean, running_var, momentum):
    check_parameters(
        "instance_norm", x, x.shape[1:2], running_mean=running_mean, running_var=running_var
    )
    if x.size == 0:
        return
    places = unwrap(x).reshape(*x.shape[:2], -1)
    running_mean += momentum * (places.mean(axis=(0, 2)) - running_mean)
    running_var += momentum * (places.var(axis=2, ddof=1).mean(axis=0) - running_var)
