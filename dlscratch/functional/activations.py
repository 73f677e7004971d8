"""Activation functions: elementwise nonlinearities, and softmax, which couples the entries of a row."""

import math

import numpy as np

from ..engine import fused, primitive

__all__ = [
    "textbook_relu", "relu", "textbook_sigmoid", "sigmoid", "tanh", "erf", "textbook_gelu", "gelu",
    "textbook_softmax", "softmax", "textbook_log_softmax", "log_softmax",
]  # fmt: skip

tanh = np.tanh


def textbook_relu(x):
    """relu(x) = max(x, 0), with derivative 0 at x = 0 as in PyTorch.  x: any shape. Source: Nair & Hinton 2010."""
    return x * np.greater(x, 0)


relu = fused(
    textbook_relu,
    lambda x: (np.maximum(x, 0), None),
    lambda g, y, saved, needs, x: (g * (y > 0),),
)


def textbook_sigmoid(x):
    """σ(x) = 1 / (1 + exp(-x)), computed as (1 + tanh(x / 2)) / 2, which cannot overflow.  x: any shape."""
    return 0.5 * np.tanh(0.5 * x) + 0.5


sigmoid = fused(
    textbook_sigmoid,
    lambda x: (textbook_sigmoid(x), None),
    lambda g, y, saved, needs, x: (g * (y * (1 - y)),),
)

def _erf(x):
    from scipy.special import erf  # scipy comes with scikit-learn; only the exact GELU needs it

    return erf(x)


erf = primitive(_erf, lambda g, y, x: g * (2 / math.sqrt(math.pi)) * np.exp(-x * x))

_C = math.sqrt(2 / math.pi)


def textbook_gelu(x, approximate="none"):
    """gelu(x) = x Φ(x) = x (1 + erf(x / √2)) / 2, or with approximate="tanh" x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2.

    x: any shape. Source: Hendrycks & Gimpel 2016.
    """
    return 0.5 * x * (1 + _gate(x, approximate))


def _gate(x, approximate):
    if approximate not in ("none", "tanh"):
        raise ValueError(f"gelu: approximate={approximate!r}; want 'none' or 'tanh'")
    return erf(x * math.sqrt(0.5)) if approximate == "none" else np.tanh(_C * (x + 0.044715 * (x * x * x)))


def _gelu_forward(x, approximate="none"):
    gate = _gate(x, approximate)
    return 0.5 * x * (1 + gate), gate


def _gelu_backward(g, y, gate, needs, x, approximate="none"):
    if approximate == "none":
        slope = _C * np.exp(-0.5 * x * x)
    else:
        slope = (1 - gate * gate) * (_C * (1 + 3 * 0.044715 * x * x))
    return (g * (0.5 * (1 + gate + x * slope)),)


gelu = fused(textbook_gelu, _gelu_forward, _gelu_backward)


def textbook_softmax(x, axis=-1):
    """softmax(x)_i = exp(x_i) / Σ_j exp(x_j) along `axis`, shifted by the maximum so that exp cannot overflow."""
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


softmax = fused(
    textbook_softmax,
    lambda x, axis=-1: (textbook_softmax(x, axis), None),
    lambda g, y, saved, needs, x, axis=-1: (y * (g - np.sum(g * y, axis=axis, keepdims=True)),),
)


def textbook_log_softmax(x, axis=-1):
    """log softmax(x)_i = x_i - log Σ_j exp(x_j) along `axis`, shifted by the maximum."""
    z = x - np.max(x, axis=axis, keepdims=True)
    return z - np.log(np.sum(np.exp(z), axis=axis, keepdims=True))


log_softmax = fused(
    textbook_log_softmax,
    lambda x, axis=-1: (textbook_log_softmax(x, axis), None),
    lambda g, y, saved, needs, x, axis=-1: (g - np.exp(y) * np.sum(g, axis=axis, keepdims=True),),
)
