"""Batch normalization: each channel normalized over a batch, and over the places of images."""

import math

import numpy as np

from ...engine import Array, custom_vjp
from ..arguments import as_floats, number
from ..kernels import batch_norm as kernels
from ..linear import check_same_dtype

__all__ = [
    "textbook_scale_channels",
    "textbook_batch_norm",
    "batch_norm",
    "scale_channels",
    "check_parameters",
]


def textbook_scale_channels(
    x: Array, weight: Array | None = None, bias: Array | None = None
) -> Array:
    """y = x · weight + bias, one number for each channel.

    x: (N, C, ...), weight, bias: (C,) or None → as x.
    """
    shape = (1, x.shape[1]) + (1,) * (x.ndim - 2)
    if weight is not None:
        x = x * np.reshape(weight, shape)
    return x if bias is None else x + np.reshape(bias, shape)


_scale_channels = custom_vjp(
    textbook_scale_channels, kernels.scale_channels, kernels.scale_channels_gradient
)


def textbook_batch_norm(
    x: Array,
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
    running: tuple | None = None,
) -> Array:
    """y = (x - mean) / √(var + eps) · weight + bias for each channel, var being biased.

    running = (mean, var, momentum) are moved in place, by r ← (1 - momentum) r + momentum · batch,
    the variance unbiased; here they are not: this definition runs for second derivatives, when the
    fast one has moved them already.

    x: (N, C, ...), weight, bias: (C,) or None → as x.
    """
    axes = (0, *range(2, x.ndim))
    mean = np.mean(x, axis=axes, keepdims=True)
    var = np.var(x, axis=axes, keepdims=True)
    return textbook_scale_channels((x - mean) / np.sqrt(var + eps), weight, bias)


_batch_norm = custom_vjp(textbook_batch_norm, kernels.batch_norm, kernels.batch_norm_gradient)


def batch_norm(
    x: Array,
    running_mean: np.ndarray | None,
    running_var: np.ndarray | None,
    weight: Array | None = None,
    bias: Array | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Array:
    """y = x̂ · weight + bias, each channel normalized over the batch while training.

    Parameters
    ----------
    x : (N, C) or (N, C, ...)
    running_mean, running_var : (C,), which normalize outside of training. Training moves them, in
        place, by r ← (1 - momentum) r + momentum · batch, the variance unbiased; they may then be
        None
    weight, bias : (C,)
    training : whether the batch's own mean and variance normalize
    momentum : how far the running ones move
    eps : keeps the quotient finite where all numbers are equal; x̂ is 0 there

    Returns
    -------
    y, of the shape of x

    Raises
    ------
    ValueError
        for one value a channel, or other shapes
    TypeError
        unless x has the dtype of weight and of the running mean

    Source: Ioffe & Szegedy 2015.
    """
    x, eps, momentum = as_floats("batch_norm", x), number(eps), number(momentum)
    if x.ndim < 2 or (running_mean is None and not training):
        raise ValueError(
            f"batch_norm: input {x.shape}; want (N, C, ...), "
            "and outside of training a running mean and variance"
        )
    if training and math.prod(x.shape) == x.shape[1]:
        raise ValueError(
            f"batch_norm: one value a channel ({x.shape}) has no variance; "
            "want more: use a larger batch or model.eval()"
        )
    check_parameters(
        "batch_norm",
        x,
        x.shape[1:2],
        running_mean=running_mean,
        running_var=running_var,
        weight=weight,
        bias=bias,
    )
    if not training:
        scale = 1 / np.sqrt(running_var + eps)
        if weight is not None:
            scale = weight * scale
        shift = -running_mean * scale
        return _scale_channels(x, scale, shift if bias is None else bias + shift)
    running = None if running_mean is None else (running_mean, running_var, momentum)
    return _batch_norm(x, weight, bias, eps=eps, running=running)


def scale_channels(name: str, x: Array, weight: Array | None, bias: Array | None) -> Array:
    """x · weight + bias, one number for each channel, after a check of both."""
    check_parameters(name, x, x.shape[1:2], weight=weight, bias=bias)
    return x if weight is None and bias is None else _scale_channels(x, weight, bias)


def check_parameters(name: str, x: Array, shape: tuple, **parameters: Array | None) -> None:
    """Raise ValueError for parameters of another shape, TypeError for another dtype than x's."""
    for role, p in parameters.items():
        if p is None:
            continue
        if p.shape != shape:
            raise ValueError(
                f"{name}: expected {role} {shape}, got a parameter of shape {p.shape}; want {shape}"
            )
        check_same_dtype(name, x, p)
