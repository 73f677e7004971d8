"""First values of weights: (rng, shape) → ndarray. A weight's shape is (out, in, ...); trailing axes are a kernel."""

import math

import numpy as np

from .engine import default_dtype, no_grad

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


def zeros(rng, shape):
    """All 0."""
    _check(shape)
    return np.zeros(shape, default_dtype())


def ones(rng, shape):
    """All 1."""
    _check(shape)
    return np.ones(shape, default_dtype())


def _check(shape):
    if np.min(shape, initial=0) < 0:
        raise ValueError(f"shape {shape} has a negative axis; want sizes >= 0")


def normal(rng, shape, mean=0.0, std=1.0):
    """Gaussian: mean + std · N(0, 1). Raises ValueError for std < 0."""
    if not std >= 0:
        raise ValueError(f"normal: std={std}; want >= 0")
    return (mean + std * rng.standard_normal(shape)).astype(default_dtype())


def uniform(rng, shape, a=0.0, b=1.0):
    """Uniform in [a, b). Raises ValueError unless a <= b."""
    if not a <= b:
        raise ValueError(f"uniform: a={a}, b={b}; want a <= b")
    return rng.uniform(a, b, shape).astype(default_dtype())


def trunc_normal(rng, shape, mean=0.0, std=1.0, a=-2.0, b=2.0):
    """Gaussian, with what falls outside [a, b] drawn again. Raises ValueError when less than 1 in 1000 falls inside."""
    inside = (
        math.erf((b - mean) / std / math.sqrt(2)) - math.erf((a - mean) / std / math.sqrt(2))
    ) / 2
    if not inside > 1e-3:
        raise ValueError(
            f"trunc_normal: N({mean}, {std}²) falls into [{a}, {b}] with probability {inside:.1g}; want a wider interval"
        )
    values = rng.normal(mean, std, shape)
    while (outside := (values < a) | (values > b)).any():
        values[outside] = rng.normal(mean, std, outside.sum())
    return values.astype(default_dtype())


def fans(shape):
    """(fan_in, fan_out): how many inputs one output sums over, and how many outputs one input feeds."""
    if len(shape) < 2:
        raise ValueError(f"shape {shape} has no fan-in and fan-out; want (out, in, ...)")
    return shape[1] * math.prod(shape[2:]), shape[0] * math.prod(shape[2:])


def xavier_normal(rng, shape, gain=1.0):
    """N(0, std²) with std = gain √(2 / (fan_in + fan_out)). Source: Glorot & Bengio 2010."""
    return normal(rng, shape, std=gain * math.sqrt(2 / sum(fans(shape))))


def xavier_uniform(rng, shape, gain=1.0):
    """Uniform in ±gain √(6 / (fan_in + fan_out)). Source: Glorot & Bengio 2010."""
    bound = gain * math.sqrt(6 / sum(fans(shape)))
    return uniform(rng, shape, -bound, bound)


def kaiming_normal(rng, shape, a=0.0, mode="fan_in", nonlinearity="leaky_relu"):
    """N(0, std²) with std = gain / √fan, for the activation that follows and the fan that `mode` names. Source: He et al. 2015."""
    return normal(rng, shape, std=calculate_gain(nonlinearity, a) / math.sqrt(_fan(shape, mode)))


def kaiming_uniform(rng, shape, a=0.0, mode="fan_in", nonlinearity="leaky_relu"):
    """Uniform in ±gain √(3 / fan), for the activation that follows and the fan that `mode` names. Source: He et al. 2015."""
    bound = calculate_gain(nonlinearity, a) * math.sqrt(3 / _fan(shape, mode))
    return uniform(rng, shape, -bound, bound)


def _fan(shape, mode):
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode={mode!r}; want 'fan_in' or 'fan_out'")
    return fans(shape)[mode == "fan_out"]


def calculate_gain(nonlinearity, param=None):
    """By how much an activation shrinks its input's scale, and weights should therefore grow: √2 for ReLU, 5/3 for tanh, ...

    param: the negative slope of leaky_relu (0.01 if None). The values are PyTorch's; ValueError for names it does not know.
    """
    gains = dict(sigmoid=1.0, tanh=5 / 3, relu=math.sqrt(2), selu=3 / 4)
    gains |= dict.fromkeys(
        ("linear", "conv1d", "conv2d", "conv_transpose1d", "conv_transpose2d"), 1.0
    )
    gains["leaky_relu"] = math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in gains:
        raise ValueError(f"nonlinearity={nonlinearity!r}; want one of {sorted(gains)}")
    return gains[nonlinearity]


def orthogonal(rng, shape, gain=1.0):
    """A random matrix with orthonormal rows or columns (whichever are fewer), times gain. Source: Saxe et al. 2014."""
    fans(shape)  # raises for vectors
    rows, columns = shape[0], math.prod(shape[1:])
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q *= np.sign(np.diag(r))  # makes the distribution uniform over orthogonal matrices
    return (gain * (q if rows >= columns else q.T)).reshape(shape).astype(default_dtype())


def dirac(rng, shape, groups=1):
    """A convolution that changes nothing: output channel i is input channel i, within each group; channels left over are 0.

    shape: (out, in, kernel...). Raises ValueError for no kernel axis or groups that do not divide out.
    """
    if len(shape) < 3 or shape[0] % groups:
        raise ValueError(
            f"dirac: shape {shape}, groups={groups}; want (out, in, kernel...) with out divisible by groups"
        )
    W, size = np.zeros(shape, default_dtype()), shape[0] // groups
    for i in range(shape[0]):
        if i % size < shape[1]:
            W[(i, i % size, *(k // 2 for k in shape[2:]))] = 1
    return W


def lsuv(model, x, tol=0.1, max_iter=10, rng=0):
    """Layer-sequential unit variance, in place: orthogonal weights, each divided by its output's std until that is 1.

    Layers are those with a `weight` of two or more axes, in the order in which the batch x passes them; the model runs in
    evaluation mode. Returns the variances, {layer's name: float}, within 1 ± tol unless max_iter divisions did not suffice.
    Raises ValueError for an output that is constant or not finite.  Source: Mishkin & Matas 2016.
    """
    rng, names, was_training = (
        np.random.default_rng(rng),
        {m: name for name, m in model.named_modules()},
        model.training,
    )
    layers, found = [m for m in names if getattr(getattr(m, "weight", None), "ndim", 0) >= 2], {}
    handles = [
        m.register_forward_hook(lambda m, _, y: found.update({m: float(y.data.var())}))
        for m in layers
    ]
    for m in layers:
        m.weight.data = orthogonal(rng, m.weight.shape)
    try:
        with no_grad():
            model.eval()(x)
            for m in list(found):
                for _ in range(max_iter):
                    if not 0 < found[m] < math.inf:
                        raise ValueError(
                            f"lsuv: layer {names[m]!r} puts out variance {found[m]}; want another batch or other activations"
                        )
                    if abs(found[m] - 1) < tol:
                        break
                    m.weight.data /= math.sqrt(found[m])
                    model(x)
    finally:
        model.train(was_training)
        for handle in handles:
            handle.remove()
    return {names[m]: variance for m, variance in found.items()}


def mup(shape, base_shape, optimizer="adam"):
    """(std, factor of the learning rate) with which a weight of `shape` learns as the one of `base_shape` in a narrower model.

    With n and m for fan-in and fan-out, and r for each one's ratio to the base: std = min(1, √(r_m / r_n)) / √n, and lr
    grows by 1 / r_n for Adam, r_m / r_n for SGD. So a hidden layer of Adam learns at lr / width, an output layer starts
    at std ~ 1 / n; a bias (n,) has a fan-in of 1. Source: Yang et al., Tensor programs V, 2021, table 3.
    """
    if optimizer not in ("adam", "sgd") or len(shape) != len(base_shape):
        raise ValueError(
            f"mup: optimizer={optimizer!r}, shapes {shape} and {base_shape}; want 'adam' or 'sgd' and as many axes"
        )
    (n, m), (n0, m0) = (fans(s) if len(s) > 1 else (1, s[0]) for s in (shape, base_shape))
    wider = (m / m0) / (n / n0)
    return min(1.0, math.sqrt(wider)) / math.sqrt(n), n0 / n if optimizer == "adam" else wider
