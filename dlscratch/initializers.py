"""First values of weights: (rng, shape) → ndarray.

A weight's shape is (out, in, ...), trailing axes being a kernel. `rng` is a generator or a seed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .engine import Array, default_dtype, no_grad

if TYPE_CHECKING:  # layers import this file
    from .layers import Module

__all__ = [
    "zeros",
    "ones",
    "normal",
    "uniform",
    "trunc_normal",
    "xavier_normal",
    "xavier_uniform",
    "kaiming_normal",
    "kaiming_uniform",
    "calculate_gain",
    "orthogonal",
    "dirac",
    "lsuv",
    "mup",
    "fans",
]


def zeros(rng: np.random.Generator | int | None, shape: tuple[int, ...]) -> np.ndarray:
    """All 0."""
    _check(shape)
    return np.zeros(shape, default_dtype())


def ones(rng: np.random.Generator | int | None, shape: tuple[int, ...]) -> np.ndarray:
    """All 1."""
    _check(shape)
    return np.ones(shape, default_dtype())


def _check(shape):
    if np.min(shape, initial=0) < 0:
        raise ValueError(f"shape {shape} has a negative axis; want sizes >= 0")


def normal(
    rng: np.random.Generator | int | None,
    shape: tuple[int, ...],
    mean: float = 0.0,
    std: float = 1.0,
) -> np.ndarray:
    """Gaussian: mean + std · N(0, 1).

    Raises ValueError for std < 0.

    Examples
    --------
    >>> from dlscratch import initializers
    >>> W = initializers.normal(0, (2, 3), std=0.02)
    >>> W.shape, str(W.dtype)
    ((2, 3), 'float32')
    """
    _check(shape)
    if not std >= 0:
        raise ValueError(f"normal: std={std}; want >= 0")
    draws = np.random.default_rng(rng).standard_normal(shape)
    return np.asarray(mean + std * draws, default_dtype())


def uniform(
    rng: np.random.Generator | int | None,
    shape: tuple[int, ...],
    a: float = 0.0,
    b: float = 1.0,
) -> np.ndarray:
    """Uniform in [a, b).

    Raises ValueError unless a <= b.
    """
    _check(shape)
    if not a <= b:
        raise ValueError(f"uniform: a={a}, b={b}; want a <= b")
    return np.asarray(np.random.default_rng(rng).uniform(a, b, shape), default_dtype())


def trunc_normal(
    rng: np.random.Generator | int | None,
    shape: tuple[int, ...],
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
) -> np.ndarray:
    """Gaussian, with what falls outside [a, b] drawn again.

    Parameters
    ----------
    rng, shape : what draws, and how much.
    mean, std : of the Gaussian before it is cut.
    a, b : the interval, in the numbers drawn, not in standard deviations.

    Raises
    ------
    ValueError for std <= 0, or when less than 1 in 1000 falls inside.
    """
    _check(shape)
    if not std > 0:
        raise ValueError(f"trunc_normal: std={std}; want > 0")
    inside = _normal_cdf((b - mean) / std) - _normal_cdf((a - mean) / std)
    if not inside > 1e-3:
        raise ValueError(
            f"trunc_normal: N({mean}, {std}²) falls into [{a}, {b}] with probability {inside:.1g}; "
            "want a wider interval"
        )
    rng = np.random.default_rng(rng)
    values = np.asarray(rng.normal(mean, std, shape))
    outside = (values < a) | (values > b)
    while outside.any():
        values[outside] = rng.normal(mean, std, outside.sum())
        outside = (values < a) | (values > b)
    return values.astype(default_dtype())


def _normal_cdf(z):
    return (1 + math.erf(z / math.sqrt(2))) / 2


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """(fan_in, fan_out): how many inputs an output sums over, and outputs an input feeds.

    Examples
    --------
    >>> from dlscratch import initializers
    >>> initializers.fans((8, 4, 3, 3))  # a convolution with 4 channels in, 8 out
    (36, 72)
    """
    if len(shape) < 2:
        raise ValueError(f"shape {shape} has no fan-in and fan-out; want (out, in, ...)")
    kernel = math.prod(shape[2:])
    return shape[1] * kernel, shape[0] * kernel


def xavier_normal(
    rng: np.random.Generator | int | None, shape: tuple[int, ...], gain: float = 1.0
) -> np.ndarray:
    """N(0, std²) with std = gain √(2 / (fan_in + fan_out)).

    Source: Glorot & Bengio 2010.
    """
    return normal(rng, shape, std=gain * math.sqrt(2 / max(sum(fans(shape)), 1)))


def xavier_uniform(
    rng: np.random.Generator | int | None, shape: tuple[int, ...], gain: float = 1.0
) -> np.ndarray:
    """Uniform in ±gain √(6 / (fan_in + fan_out)).

    Source: Glorot & Bengio 2010.

    Examples
    --------
    >>> from dlscratch import initializers
    >>> W = initializers.xavier_uniform(0, (200, 100))
    >>> bool(abs(W).max() <= (6 / 300) ** 0.5)
    True
    """
    bound = gain * math.sqrt(6 / max(sum(fans(shape)), 1))
    return uniform(rng, shape, -bound, bound)


def kaiming_normal(
    rng: np.random.Generator | int | None,
    shape: tuple[int, ...],
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
) -> np.ndarray:
    """N(0, std²) with std = gain / √fan.

    Source: He et al. 2015.

    Parameters
    ----------
    rng, shape : what draws, and how much.
    a : the negative slope, if the nonlinearity is leaky_relu.
    mode : "fan_in" keeps the scale of activations, "fan_out" that of gradients.
    nonlinearity : what follows, whose gain is taken: see `calculate_gain`.

    Examples
    --------
    >>> from dlscratch import initializers
    >>> W = initializers.kaiming_normal(0, (300, 200), nonlinearity="relu")
    >>> round(float(W.std()), 2)  # √(2 / 200)
    0.1
    """
    return normal(rng, shape, std=calculate_gain(nonlinearity, a) / math.sqrt(_fan(shape, mode)))


def kaiming_uniform(
    rng: np.random.Generator | int | None,
    shape: tuple[int, ...],
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
) -> np.ndarray:
    """Uniform in ±gain √(3 / fan), with the parameters of `kaiming_normal`.

    Source: He et al. 2015.
    """
    bound = calculate_gain(nonlinearity, a) * math.sqrt(3 / _fan(shape, mode))
    return uniform(rng, shape, -bound, bound)


def _fan(shape, mode):
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode={mode!r}; want 'fan_in' or 'fan_out'")
    return max(fans(shape)[mode == "fan_out"], 1)  # an array of no numbers has 0


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much weights should grow, since an activation shrinks its input's scale.

    It is √2 for ReLU, 5/3 for tanh, ... `param` is the negative slope of leaky_relu, 0.01 if None.
    The values are PyTorch's; ValueError for names that it does not know.

    Examples
    --------
    >>> from dlscratch import initializers
    >>> round(initializers.calculate_gain("relu") ** 2, 6)
    2.0
    """
    slope = 0.01 if param is None else param
    gains = {
        "linear": 1.0,
        "conv1d": 1.0,
        "conv2d": 1.0,
        "conv_transpose1d": 1.0,
        "conv_transpose2d": 1.0,
        "sigmoid": 1.0,
        "tanh": 5 / 3,
        "relu": math.sqrt(2),
        "leaky_relu": math.sqrt(2 / (1 + slope**2)),
        "selu": 3 / 4,
    }
    if nonlinearity not in gains:
        raise ValueError(f"nonlinearity={nonlinearity!r}; want one of {sorted(gains)}")
    return gains[nonlinearity]


def orthogonal(
    rng: np.random.Generator | int | None, shape: tuple[int, ...], gain: float = 1.0
) -> np.ndarray:
    """A random matrix with orthonormal rows or columns, whichever are fewer, times gain.

    Source: Saxe et al. 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import initializers
    >>> W = initializers.orthogonal(0, (2, 5))
    >>> bool(np.allclose(W @ W.T, np.eye(2), atol=1e-6))
    True
    """
    fans(shape)  # raises for vectors
    rows = shape[0]
    columns = math.prod(shape[1:])
    draws = np.random.default_rng(rng).standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(draws)
    q *= np.sign(np.diag(r))  # makes the distribution uniform over orthogonal matrices
    W = q if rows >= columns else q.T
    return (gain * W).reshape(shape).astype(default_dtype())


def dirac(
    rng: np.random.Generator | int | None, shape: tuple[int, ...], groups: int = 1
) -> np.ndarray:
    """A convolution that changes nothing: output channel i is input channel i, in each group.

    shape: (out, in, kernel...); channels left over are 0. Raises ValueError for no kernel axis, or
    groups that do not divide out.
    """
    if len(shape) < 3 or shape[0] % groups:
        raise ValueError(
            f"dirac: shape {shape}, groups={groups}; "
            "want (out, in, kernel...) with out divisible by groups"
        )
    W = np.zeros(shape, default_dtype())
    outputs_in_group = shape[0] // groups
    center = tuple(k // 2 for k in shape[2:])
    for i in range(shape[0]):
        channel = i % outputs_in_group
        if channel < shape[1]:
            W[(i, channel, *center)] = 1
    return W


def lsuv(
    model: Module,
    x: Array,
    tol: float = 0.1,
    max_iter: int = 10,
    rng: np.random.Generator | int | None = 0,
) -> dict[str, float]:
    """Give each layer an output of variance 1, by orthogonal weights divided by its std.

    Layer-sequential unit variance works in place. Source: Mishkin & Matas 2016.

    Parameters
    ----------
    model : its layers are those with a `weight` of two or more axes, in the order in which x passes
        them; it runs in evaluation mode.
    x : a batch.
    tol, max_iter : each weight is divided until the variance is within 1 ± tol, at most so often.
    rng : draws the orthogonal matrices.

    Returns
    -------
    The variances, {name of the layer: float}.

    Raises
    ------
    ValueError for an output that is constant or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import initializers, models
    >>> x = np.random.default_rng(0).normal(size=(100, 20)).astype("float32")
    >>> variances = initializers.lsuv(models.MLP([20, 20, 5], rng=0), x, tol=0.01)
    >>> {name: round(variance, 1) for name, variance in variances.items()}
    {'0': 1.0, '2': 1.0}
    """
    rng = np.random.default_rng(rng)
    names = {module: name for name, module in model.named_modules()}
    layers = [m for m in names if getattr(getattr(m, "weight", None), "ndim", 0) >= 2]
    variances = {}

    def note(layer, inputs, output):
        variances[layer] = float(output.data.var())

    for layer in layers:
        layer.weight.data = orthogonal(rng, layer.weight.shape)
    handles = [layer.register_forward_hook(note) for layer in layers]
    try:
        with no_grad(), model.evaluation():
            model(x)
            for layer in list(variances):
                for _ in range(max_iter):
                    if not 0 < variances[layer] < math.inf:
                        raise ValueError(
                            f"lsuv: layer {names[layer]!r} puts out variance {variances[layer]}; "
                            "want another batch or other activations"
                        )
                    if abs(variances[layer] - 1) < tol:
                        break
                    layer.weight.data /= math.sqrt(variances[layer])
                    model(x)
    finally:
        for handle in handles:
            handle.remove()
    return {names[layer]: variance for layer, variance in variances.items()}


def mup(
    shape: tuple[int, ...], base_shape: tuple[int, ...], optimizer: str = "adam"
) -> tuple[float, float]:
    """(std, factor of the learning rate) with which a weight learns as in a narrower model.

    The weight has `shape` here and `base_shape` there. With n and m for fan-in and fan-out, and r
    for each one's ratio to the base: std = min(1, √(r_m / r_n)) / √n, and lr grows by 1 / r_n for
    Adam, r_m / r_n for SGD. So a hidden layer of Adam learns at lr / width, an output layer starts
    at std ~ 1 / n; a bias (n,) has a fan-in of 1. Source: Yang et al., Tensor programs V, 2021,
    table 3.

    Examples
    --------
    >>> from dlscratch import initializers
    >>> initializers.mup((1024, 1024), base_shape=(64, 64))  # 1 / √1024, 64 / 1024
    (0.03125, 0.0625)
    """
    if optimizer not in ("adam", "sgd") or len(shape) != len(base_shape):
        raise ValueError(
            f"mup: optimizer={optimizer!r}, shapes {shape} and {base_shape}; "
            "want 'adam' or 'sgd' and as many axes"
        )
    fan_in, fan_out = fans(shape) if len(shape) > 1 else (1, shape[0])
    base_in, base_out = fans(base_shape) if len(base_shape) > 1 else (1, base_shape[0])
    wider = (fan_out / base_out) / (fan_in / base_in)
    std = min(1.0, math.sqrt(wider)) / math.sqrt(fan_in)
    return std, base_in / fan_in if optimizer == "adam" else wider
