"""Normalization: subtract a mean, divide by a standard deviation, then scale and shift by learned amounts."""

import math

import numpy as np

from ..engine.tensor import unwrap
from .channels import normalized_channels, scaled_channels
from .normalized_rows import normalize_rows

__all__ = [
    "layer_norm",
    "batch_norm",
    "instance_norm",
    "group_norm",
    "rms_norm",
    "weight_norm",
    "spectral_norm",
    "normalize",
    "cosine_similarity",
    "per_channel",
]


def layer_norm(x, normalized_shape, weight=None, bias=None, eps=1e-5):
    """y = x̂ · weight + bias, with x̂ normalized over the last axes, which are `normalized_shape`.  x: (N, ..., D) → same.

    Raises ValueError for another x, weight or bias. Source: Ba et al. 2016.
    """
    axes, shape = _last("layer_norm", x, normalized_shape)
    _fit("layer_norm", shape, weight, bias)
    return normalize_rows(x, weight, bias, axes=axes, eps=eps)


def _last(name, x, normalized_shape):
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if x.shape[-len(shape) :] != shape:
        raise ValueError(
            f"{name}: input {x.shape} ends in {x.shape[-len(shape) :]}, expected {shape}"
        )
    return tuple(range(-len(shape), 0)), shape


def batch_norm(
    x, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5
):
    """y = x̂ · weight + bias, each channel normalized over the batch while training, else by the running mean and variance.

    Training moves them, in place, by r ← (1 - momentum) r + momentum · batch, the variance unbiased; they may then be None.
    x: (N, C) or (N, C, ...). Raises ValueError for one value a channel, or other shapes. Source: Ioffe & Szegedy 2015.
    """
    if x.ndim < 2 or (running_mean is None and not training):
        raise ValueError(
            f"batch_norm: input {x.shape}; want (N, C, ...), and outside of training a running mean and variance"
        )
    _fit("batch_norm", x.shape[1:2], running_mean, running_var)
    if not training:
        scale = (
            1 / np.sqrt(running_var + eps)
            if weight is None
            else weight / np.sqrt(running_var + eps)
        )
        return per_channel(
            x, scale, -running_mean * scale if bias is None else bias - running_mean * scale
        )
    count = math.prod(x.shape) // x.shape[1]
    if count < 2:
        raise ValueError(
            f"batch_norm: one value a channel ({x.shape}) has no variance; want more: use a larger batch or model.eval()"
        )
    _fit("normalization", x.shape[1:2], weight, bias)
    moved = None if running_mean is None else (running_mean, running_var, momentum)
    return normalized_channels(x, weight, bias, eps=eps, moved=moved)


def instance_norm(
    x,
    running_mean=None,
    running_var=None,
    weight=None,
    bias=None,
    use_input_stats=True,
    momentum=0.1,
    eps=1e-5,
):
    """y = x̂ · weight + bias, each channel of each example normalized over its places, or as batch_norm if not use_input_stats.

    A running mean and variance, where given, move in place towards the examples' mean ones, as in batch_norm.
    x: (N, C, ...). Raises ValueError for one place, or other shapes. Source: Ulyanov et al. 2016.
    """
    if not use_input_stats:
        return batch_norm(x, running_mean, running_var, weight, bias, eps=eps)
    if math.prod(x.shape[2:]) < 2:
        raise ValueError(
            f"instance_norm: input {x.shape} has one value a channel, which has no variance; want (N, C, L) with L > 1"
        )
    if running_mean is not None:
        _fit("instance_norm", x.shape[1:2], running_mean, running_var)
        places = unwrap(x).reshape(*x.shape[:2], -1)
        running_mean += momentum * (places.mean(axis=(0, 2)) - running_mean)
        running_var += momentum * (places.var(axis=2, ddof=1).mean(axis=0) - running_var)
    return group_norm(x, x.shape[1], weight, bias, eps=eps)


def group_norm(x, num_groups, weight=None, bias=None, eps=1e-5):
    """y = x̂ · weight + bias, each group of channels of each example normalized.  x: (N, C, ...). Source: Wu & He 2018.

    Raises ValueError for groups that do not divide the channels.
    """
    if x.ndim < 2 or num_groups < 1 or x.shape[1] % num_groups:
        raise ValueError(
            f"group_norm: input {x.shape}; want (N, C, ...) with C divisible by num_groups={num_groups}"
        )
    groups = np.reshape(x, (x.shape[0] * num_groups, -1))
    return per_channel(np.reshape(normalize_rows(groups, eps=eps), x.shape), weight, bias)


def rms_norm(x, normalized_shape, weight=None, eps=None):
    """y = x / √(mean x² + eps) · weight over the last axes, which are `normalized_shape`; eps is the dtype's unless given.

    Raises ValueError for another x or weight. Source: Zhang & Sennrich 2019.
    """
    axes, shape = _last("rms_norm", x, normalized_shape)
    _fit("rms_norm", shape, weight)
    eps = float(np.finfo(x.dtype).eps) if eps is None else eps
    return _affine(x / np.sqrt(np.mean(np.square(x), axis=axes, keepdims=True) + eps), weight, None)


def weight_norm(v, g, axis=0):
    """w = g v / |v|, one norm for each index of `axis`: length and direction learn apart.  Source: Salimans & Kingma 2016.

    v: (O, ...), g: (O, 1, ...) → (O, ...). Raises ValueError for another shape of g.
    """
    others = tuple(i for i in range(v.ndim) if i != axis % v.ndim)
    length = np.sqrt(np.sum(np.square(v), axis=others, keepdims=True))
    _fit("weight_norm", length.shape, g)
    return v * (g / length)


def spectral_norm(W, u, v):
    """W / σ, with σ = uᵀ W v, the largest singular value when u and v are its vectors.  W: (O, ...), u: (O,), v: (D,) → (O, ...).

    Source: Miyato et al. 2018.
    """
    matrix = np.reshape(W, (W.shape[0], -1))
    _fit("spectral_norm", matrix.shape[:1], u)
    _fit("spectral_norm", matrix.shape[1:], v)
    return W / np.sum(u * (matrix @ v))


def normalize(x, p=2.0, axis=1, eps=1e-12):
    """x / max(|x|_p, eps) along `axis`: vectors of length 1.  x: any shape → same."""
    return x / np.maximum(np.linalg.norm(x, p, axis, keepdims=True), eps)


def cosine_similarity(x1, x2, axis=1, eps=1e-8):
    """Σ a b / (max(|a|, eps) max(|b|, eps)) along `axis`, a = x1, b = x2.  One shape → that without `axis`."""
    if np.shape(x1) != np.shape(x2):
        raise ValueError(
            f"cosine_similarity: {np.shape(x1)} and {np.shape(x2)}; want one shape; np.broadcast_to makes it so"
        )
    return np.sum(normalize(x1, axis=axis, eps=eps) * normalize(x2, axis=axis, eps=eps), axis=axis)


def per_channel(x, weight, bias):
    """x · weight + bias, one number for each channel.  x: (N, C, ...), weight and bias: (C,) or None."""
    _fit("normalization", x.shape[1:2], weight, bias)
    return x if weight is None and bias is None else scaled_channels(x, weight, bias)


def _fit(name, shape, *parameters):
    if wrong := [p.shape for p in parameters if p is not None and p.shape != shape]:
        raise ValueError(f"{name}: a parameter of shape {wrong[0]}; want {shape}")


def _affine(x, weight, bias):
    x = x if weight is None else x * weight
    return x if bias is None else x + bias
