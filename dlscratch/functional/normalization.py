"""Normalization: subtract a mean, divide by a standard deviation, then scale and shift by learned amounts."""

import numpy as np

from ..engine import fused

__all__ = ["textbook_normalize", "normalize", "layer_norm", "batch_norm"]


def textbook_normalize(x, axes, eps=1e-5):
    """x̂ = (x - mean) / √(var + eps) over `axes`, var being the biased variance.  x: any shape."""
    return (x - np.mean(x, axis=axes, keepdims=True)) / np.sqrt(np.var(x, axis=axes, keepdims=True) + eps)


def _forward(x, axes, eps=1e-5):
    y = x - x.mean(axis=axes, keepdims=True)
    scale = 1 / np.sqrt(np.mean(y * y, axis=axes, keepdims=True) + eps)
    y *= scale
    return y, scale


def _backward(g, y, scale, needs, x, axes, eps=1e-5):
    mean = g.mean(axis=axes, keepdims=True)
    slope = np.mean(g * y, axis=axes, keepdims=True)
    return (scale * (g - mean - y * slope), None)


normalize = fused(textbook_normalize, _forward, _backward)


def layer_norm(x, weight=None, bias=None, ndim=1, eps=1e-5):
    """y = x̂ · weight + bias, with x̂ normalized over the last `ndim` axes.  x: (N, ..., D) → same. Source: Ba et al. 2016."""
    return _affine(normalize(x, tuple(range(-ndim, 0)), eps=eps), weight, bias)


def batch_norm(x, weight=None, bias=None, eps=1e-5):
    """y = x̂ · weight + bias, each channel normalized over the batch.  x: (N, C) or (N, C, ...). Source: Ioffe & Szegedy 2015."""
    axes = (0, *range(2, x.ndim))
    shape = (1, -1) + (1,) * (x.ndim - 2)
    weight, bias = (p if p is None else np.reshape(p, shape) for p in (weight, bias))
    return _affine(normalize(x, axes, eps=eps), weight, bias)


def _affine(x, weight, bias):
    x = x if weight is None else x * weight
    return x if bias is None else x + bias
