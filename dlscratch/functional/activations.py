"""Activation functions: elementwise nonlinearities, and those that couple the entries of a row: softmax and gates."""

import math

import numpy as np

from ..engine import blocks, custom_vjp, primitive
from ..engine.tensor import unwrap

__all__ = [
    "textbook_relu",
    "relu",
    "textbook_leaky_relu",
    "leaky_relu",
    "textbook_sigmoid",
    "sigmoid",
    "tanh",
    "erf",
    "textbook_gelu",
    "gelu",
    "textbook_softmax",
    "softmax",
    "textbook_log_softmax",
    "log_softmax",
    "elu",
    "selu",
    "softplus",
    "logsigmoid",
    "silu",
    "mish",
    "hardtanh",
    "glu",
    "gumbel_softmax",
]

tanh = np.tanh


def textbook_relu(x):
    """relu(x) = max(x, 0), with derivative 0 at x = 0 as in PyTorch.  x: any shape. Source: Nair & Hinton 2010."""
    return x * np.greater(x, 0)


relu = custom_vjp(
    textbook_relu,
    lambda x: (np.maximum(x, 0), None),
    lambda g, y, saved, needs, x: (g * (y > 0),),
    pure=True,
)


def textbook_leaky_relu(x, negative_slope=0.01):
    """x for x > 0, else negative_slope · x.  x: any shape. Source: Maas et al. 2013."""
    return np.where(np.greater(x, 0), x, negative_slope * x)


def _leaky_relu(x, negative_slope=0.01):
    extreme = np.maximum if negative_slope <= 1 else np.minimum  # ten times as fast as np.where
    return extreme(x, negative_slope * x), None


def _leaky_slope(g, y, saved, needs, x, negative_slope=0.01):
    return (
        g * (np.greater(x, 0) * x.dtype.type(1 - negative_slope) + x.dtype.type(negative_slope)),
    )


leaky_relu = custom_vjp(textbook_leaky_relu, _leaky_relu, _leaky_slope, pure=True)


def textbook_sigmoid(x):
    """σ(x) = 1 / (1 + exp(-x)), computed as (1 + tanh(x / 2)) / 2, which cannot overflow.  x: any shape."""
    return 0.5 * np.tanh(0.5 * x) + 0.5


sigmoid = custom_vjp(
    textbook_sigmoid,
    lambda x: (textbook_sigmoid(x), None),
    lambda g, y, saved, needs, x: (g * (y * (1 - y)),),
    pure=True,
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
    return (
        erf(x * math.sqrt(0.5))
        if approximate == "none"
        else np.tanh(_C * (x + 0.044715 * (x * x * x)))
    )


# Fifteen passes over a row of numbers cost a third when the row stays in cache, so gelu goes block by block, and computes
# its slope while x is there: backward is then one product.
def _gelu_forward(x, approximate="none"):
    y, slope = np.empty_like(x, order="C"), np.empty_like(x, order="C")
    flat = x.reshape(-1), y.reshape(-1), slope.reshape(-1)
    for block in blocks(x.size):
        _gelu_block(*(a[block] for a in flat), approximate)
    return y, slope


def _gelu_block(x, y, slope, approximate):
    """y = x h with h = (1 + gate) / 2, and slope = h + x h', for one block, in place."""
    h = _gate(x, approximate) if approximate != "tanh" else _tanh_gate(x, slope)
    h *= 0.5
    h += 0.5
    np.multiply(x, h, out=y)
    if approximate == "tanh":  # h' = 2 h (1 - h) z', and slope holds z' for the gate tanh z
        slope *= x
        slope *= 1 - h
        slope *= h
    else:
        np.multiply(x, x, out=slope)
        slope *= -0.5
        np.exp(slope, out=slope)
        slope *= x
        slope *= 0.5 * _C
    slope += h


def _tanh_gate(x, slope):
    """tanh z with z = √(2/π) (x + 0.044715 x³), and 2 z' in `slope`."""
    square = x * x
    np.multiply(square, 6 * 0.044715 * _C, out=slope)
    slope += 2 * _C
    square *= 0.044715 * _C
    square += _C
    square *= x
    return np.tanh(square, out=square)


gelu = custom_vjp(
    textbook_gelu, _gelu_forward, lambda g, y, slope, needs, x, approximate="none": (g * slope,)
)


def textbook_softmax(x, axis=-1):
    """softmax(x)_i = exp(x_i) / Σ_j exp(x_j) along `axis`, shifted by the maximum so that exp cannot overflow."""
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


softmax = custom_vjp(
    textbook_softmax,
    lambda x, axis=-1: (textbook_softmax(x, axis), None),
    lambda g, y, saved, needs, x, axis=-1: (y * (g - np.sum(g * y, axis=axis, keepdims=True)),),
    pure=True,
)


def textbook_log_softmax(x, axis=-1):
    """log softmax(x)_i = x_i - log Σ_j exp(x_j) along `axis`, shifted by the maximum."""
    z = x - np.max(x, axis=axis, keepdims=True)
    return z - np.log(np.sum(np.exp(z), axis=axis, keepdims=True))


log_softmax = custom_vjp(
    textbook_log_softmax,
    lambda x, axis=-1: (textbook_log_softmax(x, axis), None),
    lambda g, y, saved, needs, x, axis=-1: (g - np.exp(y) * np.sum(g, axis=axis, keepdims=True),),
    pure=True,
)


# Compositions: the engine differentiates them -----------------------------------------------------


def elu(x, alpha=1.0):
    """x for x > 0, else α (exp(x) - 1).  x: any shape. Source: Clevert et al. 2016."""
    below = np.less_equal(x, 0)
    return np.where(
        below, alpha * np.expm1(np.where(below, x, 0)), x
    )  # the inner where keeps exp from overflowing


def selu(x):
    """λ elu(x, α), with λ and α for which mean 0 and variance 1 are a stable fixed point.  Source: Klambauer et al. 2017."""
    return 1.0507009873554805 * elu(x, 1.6732632423543772)


def softplus(x, beta=1.0, threshold=20.0):
    """log(1 + exp(β x)) / β, a smooth ReLU, and x itself where β x > threshold.  x: any shape. Raises ValueError for β = 0."""
    if beta == 0:
        raise ValueError("softplus: beta=0; want another number, by which to divide")
    return np.where(np.greater(beta * x, threshold), x, np.logaddexp(beta * x, 0) / beta)


def logsigmoid(x):
    """log σ(x) = -log(1 + exp(-x)), without overflow.  x: any shape."""
    return -np.logaddexp(-x, 0)


def silu(x):
    """x σ(x), also called swish.  x: any shape. Source: Elfwing et al. 2018."""
    return x * sigmoid(x)


def mish(x):
    """x tanh(log(1 + exp x)).  x: any shape. Source: Misra 2020."""
    return x * np.tanh(np.logaddexp(x, 0))


def hardtanh(x, min_val=-1.0, max_val=1.0):
    """min(max(x, min_val), max_val).  x: any shape. Raises ValueError unless min_val < max_val."""
    if not min_val < max_val:
        raise ValueError(f"hardtanh: min_val={min_val}, max_val={max_val}; want min_val < max_val")
    return np.clip(x, min_val, max_val)


def glu(x, axis=-1):
    """a σ(b), with a and b the two halves of x along `axis`.  x: (..., 2 D) → (..., D). Source: Dauphin et al. 2017."""
    if x.shape[axis] % 2:
        raise ValueError(
            f"glu: input {x.shape} has {x.shape[axis]} entries on axis {axis}; want an even number, to halve it"
        )
    a, b = np.split(x, 2, axis=axis)
    return a * sigmoid(b)


def gumbel_softmax(logits, tau=1.0, hard=False, eps=1e-10, axis=-1, *, rng=None):
    """softmax((logits + g) / τ), g being Gumbel noise: a relaxed sample of the class, exact as τ → 0.

    With `hard` the value is one-hot and the gradient that of the relaxed sample.  logits: any shape → same. Source: Jang et al. 2017.
    Raises ValueError for τ <= 0, and for another eps: it has no effect, in PyTorch neither, and only keeps its place.
    """
    if eps != 1e-10:
        raise ValueError(
            f"gumbel_softmax: eps={eps} has no effect, want it left out; the fifth argument is the axis"
        )
    if not tau > 0:
        raise ValueError(f"gumbel_softmax: tau={tau}; want a temperature > 0")
    noise = np.random.default_rng(rng).gumbel(size=logits.shape).astype(logits.dtype)
    y = softmax((logits + noise) / tau, axis=axis)
    if not hard:
        return y
    values = unwrap(y)
    chosen = np.arange(y.shape[axis]) == np.expand_dims(
        np.moveaxis(values, axis, -1).argmax(-1), -1
    )
    return np.moveaxis(chosen, -1, axis).astype(y.dtype) - values + y
