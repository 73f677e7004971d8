"""First values of weights: (rng, shape) → ndarray. A weight's shape is (out, in, ...); trailing axes are a kernel."""

import math

import numpy as np

from .engine import default_dtype

__all__ = ["zeros", "ones", "normal", "uniform", "xavier_normal", "xavier_uniform", "he_normal", "he_uniform", "orthogonal", "fans"]


def zeros(rng, shape):
    """All 0."""
    return np.zeros(shape, default_dtype())


def ones(rng, shape):
    """All 1."""
    return np.ones(shape, default_dtype())


def normal(rng, shape, mean=0.0, std=1.0):
    """Gaussian: mean + std · N(0, 1)."""
    return (mean + std * rng.standard_normal(shape)).astype(default_dtype())


def uniform(rng, shape, low=0.0, high=1.0):
    """Uniform in [low, high)."""
    return rng.uniform(low, high, shape).astype(default_dtype())


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


def he_normal(rng, shape, gain=2**0.5):
    """N(0, std²) with std = gain / √fan_in; the gain √2 is for ReLU. Source: He et al. 2015."""
    return normal(rng, shape, std=gain / math.sqrt(fans(shape)[0]))


def he_uniform(rng, shape, gain=2**0.5):
    """Uniform in ±gain √(3 / fan_in); the gain √2 is for ReLU. Source: He et al. 2015."""
    bound = gain * math.sqrt(3 / fans(shape)[0])
    return uniform(rng, shape, -bound, bound)


def orthogonal(rng, shape, gain=1.0):
    """A random matrix with orthonormal rows or columns (whichever are fewer), times gain. Source: Saxe et al. 2014."""
    rows, columns = shape[0], math.prod(shape[1:])
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q *= np.sign(np.diag(r))  # makes the distribution uniform over orthogonal matrices
    return (gain * (q if rows >= columns else q.T)).reshape(shape).astype(default_dtype())
