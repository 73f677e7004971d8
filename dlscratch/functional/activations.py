"""Activation functions, entry by entry: as a textbook writes them, and the public ones beside.

The public ones are as exact as float32 allows, far out too, where the textbook's formula is a
difference of nearly equal numbers or overflows; `kernels/activations.py` says how. Where PyTorch's
formula gives NaN at -∞, they give the limit.
"""

import math

import numpy as np

from ..engine import Array, custom_vjp, primitive
from .arguments import as_floats, number
from .kernels import activations as kernels
from .linear import check_same_dtype

__all__ = [
    "textbook_relu",
    "relu",
    "textbook_leaky_relu",
    "leaky_relu",
    "textbook_prelu",
    "prelu",
    "textbook_elu",
    "elu",
    "selu",
    "textbook_hardtanh",
    "hardtanh",
    "textbook_sigmoid",
    "sigmoid",
    "tanh",
    "textbook_logsigmoid",
    "logsigmoid",
    "textbook_softplus",
    "softplus",
    "erf",
    "textbook_gelu",
    "gelu",
    "textbook_silu",
    "silu",
    "textbook_mish",
    "mish",
    "glu",
]


# Rectifiers -------------------------------------------------------------------------------------


def textbook_relu(x: Array) -> Array:
    """relu(x) = max(x, 0), with derivative 0 at x = 0 as in PyTorch.

    x: any shape → same. Source: Nair & Hinton 2010.

    Examples
    --------
    >>> relu(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    """
    return np.where(np.less_equal(x, 0), 0, x)


relu = custom_vjp(
    textbook_relu,
    lambda x: (np.maximum(x, 0), None),
    lambda g, y, saved, needs, x: (g * (y > 0),),
    pure=True,
)


def textbook_leaky_relu(x: Array, negative_slope: float = 0.01) -> Array:
    """x for x > 0, else negative_slope · x.

    x: any shape → same. Source: Maas et al. 2013.
    """
    return np.where(np.greater(x, 0), x, number(negative_slope) * x)


leaky_relu = custom_vjp(
    textbook_leaky_relu,
    kernels.leaky_relu,
    kernels.leaky_relu_gradient,
    pure=True,
)


def textbook_prelu(x: Array, weight: Array) -> Array:
    """x for x > 0, else a x, with a learned slope a for each channel, or one for all.

    x: (N, C, ...), weight, the slopes: (C,) or (1,) → as x. Raises ValueError for another weight,
    TypeError unless x has its dtype. Source: He et al. 2015.
    """
    x = as_floats("prelu", x)
    positive = np.greater(x, 0)
    return np.where(positive, x, 0) + _per_channel(weight, x) * np.where(positive, 0, x)


def _per_channel(weight, x):
    """The slopes in the shape in which they meet x."""
    channels = x.shape[1] if x.ndim > 1 else 1
    if weight.shape not in ((1,), (channels,)):
        raise ValueError(
            f"prelu: expected weight (1,) or ({channels},) for input {x.shape}, "
            f"got {weight.shape}; give one slope, or one for each entry of axis 1"
        )
    check_same_dtype("prelu", x, weight)
    one = (1,) * x.ndim
    return np.reshape(weight, one if weight.shape == (1,) else (1, channels, *one[2:]))


def _prelu_vjp(g, y, saved, needs, x, weight):
    positive = np.greater(x, 0)
    dx = g * np.where(positive, 1, _per_channel(weight, x)) if needs[0] else None
    below = g * np.where(positive, 0, x)
    others = tuple(i for i in range(x.ndim) if i != 1 or weight.shape == (1,))
    return dx, np.reshape(np.sum(below, axis=others), weight.shape)


# operations, and not compositions, so that an export can see them: a mask leaves no trace
prelu = custom_vjp(textbook_prelu, lambda x, a: (textbook_prelu(x, a), None), _prelu_vjp, pure=True)


def textbook_elu(x: Array, alpha: float = 1.0) -> Array:
    """x for x > 0, else α (exp(x) - 1).

    x: any shape → same. Source: Clevert et al. 2016.
    """
    below = np.less_equal(x, 0)
    return np.where(below, number(alpha) * np.expm1(np.where(below, x, 0)), x)


def _elu_vjp(g, y, saved, needs, x, alpha=1.0):
    alpha = x.dtype.type(number(alpha))
    return (g * (np.exp(np.minimum(x, 0)) * (np.greater(x, 0) * (1 - alpha) + alpha)),)


elu = custom_vjp(textbook_elu, kernels.elu, _elu_vjp, pure=True)


def selu(x: Array) -> Array:
    """λ elu(x, α), with λ and α for which mean 0 and variance 1 are a stable fixed point.

    x: any shape → same. Source: Klambauer et al. 2017.
    """
    return 1.0507009873554805 * elu(x, 1.6732632423543772)


def textbook_hardtanh(x: Array, min_val: float = -1.0, max_val: float = 1.0) -> Array:
    """min(max(x, min_val), max_val), with derivative 0 on both bounds as in PyTorch.

    x: any shape → same. Raises ValueError unless min_val < max_val.
    """
    low, high = number(min_val), number(max_val)
    if not low < high:
        raise ValueError(f"hardtanh: min_val={min_val}, max_val={max_val}; want min_val < max_val")
    return np.clip(x, low, high)


def _hardtanh(x, min_val=-1.0, max_val=1.0):
    return textbook_hardtanh(x, min_val, max_val), None


def _hardtanh_vjp(g, y, saved, needs, x, min_val=-1.0, max_val=1.0):
    inside = np.greater(x, number(min_val)) & np.less(x, number(max_val))
    return (np.where(inside, g, 0),)


hardtanh = custom_vjp(textbook_hardtanh, _hardtanh, _hardtanh_vjp, pure=True)


# Sigmoids ---------------------------------------------------------------------------------------


def textbook_sigmoid(x: Array) -> Array:
    """σ(x) = 1 / (1 + exp(-x)), with derivative σ(x) σ(-x).

    x: any shape → same.

    Examples
    --------
    >>> sigmoid(np.array([0.0, -100.0]))
    array([5.00000000e-01, 3.72007598e-44])
    """
    return 1 / (1 + np.exp(-x))


sigmoid = custom_vjp(
    textbook_sigmoid,
    kernels.sigmoid,
    lambda g, y, saved, needs, x: (g * (y * sigmoid(-x)),),  # 1 - y would be 0 for large x
    pure=True,
)

tanh = np.tanh


def textbook_logsigmoid(x: Array) -> Array:
    """log σ(x) = -log(1 + exp(-x)), without overflow.

    x: any shape → same.
    """
    return -np.logaddexp(-x, 0)


logsigmoid = custom_vjp(
    textbook_logsigmoid,
    kernels.logsigmoid,
    lambda g, y, saved, needs, x: (g * sigmoid(-x),),
    pure=True,
)


def textbook_softplus(x: Array, beta: float = 1.0, threshold: float = 20.0) -> Array:
    """log(1 + exp(β x)) / β, a smooth ReLU, and x itself where β x > threshold.

    x: any shape → same. Raises ValueError for β = 0.
    """
    z = number(beta) * x
    return np.where(np.greater(z, number(threshold)), x, np.logaddexp(z, 0) / number(beta))


def _softplus_vjp(g, y, saved, needs, x, beta=1.0, threshold=20.0):
    z = number(beta) * x
    slope = sigmoid(z)
    straight = np.greater(z, number(threshold))
    if np.any(straight):
        slope = np.where(straight, 1, slope)
    return (g * slope,)


softplus = custom_vjp(textbook_softplus, kernels.softplus, _softplus_vjp, pure=True)


# Gates: y = x h(x) ------------------------------------------------------------------------------


def _slope_from_forward(g, y, slope, needs, x, *options, **named):
    return (g * slope,)


def _erf(x):
    """erf(x) = 2/√π ∫₀ˣ exp(-t²) dt, by SciPy."""
    from scipy.special import erf  # scipy comes with scikit-learn; only second derivatives need it

    return erf(x)


erf = primitive(_erf, lambda g, y, x: g * (2 / math.sqrt(math.pi)) * np.exp(-x * x))


def textbook_gelu(x: Array, approximate: str = "none") -> Array:
    """gelu(x) = x Φ(x) = x (1 + erf(x / √2)) / 2, Φ being the normal distribution.

    approximate="tanh" gives x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2, as GPT-2 has it.
    x: any shape → same. Raises ValueError for another `approximate`.
    Source: Hendrycks & Gimpel 2016.

    Examples
    --------
    >>> gelu(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.1587,  0.    ,  0.8413])
    """
    if approximate == "tanh":
        cubed = x * x * x
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * cubed)))
    return 0.5 * x * (1 + erf(x * math.sqrt(0.5)))


gelu = custom_vjp(textbook_gelu, kernels.gelu, _slope_from_forward)


def textbook_silu(x: Array) -> Array:
    """x σ(x), also called swish.

    x: any shape → same. Source: Elfwing et al. 2018.
    """
    return x * sigmoid(x)


silu = custom_vjp(textbook_silu, kernels.silu, _slope_from_forward)


def textbook_mish(x: Array) -> Array:
    """x tanh(log(1 + exp x)).

    x: any shape → same. Source: Misra 2020.
    """
    return x * np.tanh(np.logaddexp(x, 0))


mish = custom_vjp(textbook_mish, kernels.mish, _slope_from_forward)


def glu(x: Array, axis: int = -1) -> Array:
    """a σ(b), with a and b the two halves of x along `axis`.

    x: (..., 2 D) → (..., D). Raises ValueError for an odd axis. Source: Dauphin et al. 2017.
    """
    if x.shape[axis] % 2:
        raise ValueError(
            f"glu: input {x.shape} has {x.shape[axis]} entries on axis {axis}; "
            "want an even number, to halve it"
        )
    a, b = np.split(x, 2, axis=axis)
    return a * sigmoid(b)
