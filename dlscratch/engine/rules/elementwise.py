"""Derivatives of elementwise functions: g = dL/dy, y = f(x) or f(a, b). Broadcasting is undone by the walk, not here."""

import math

import numpy as np

from ..custom import primitive
from ..operation import composed, rule
from ..tensor import apply, unwrap

__all__ = ["alias"]

# Arithmetic
rule(np.add, lambda g, y, a, b: g, lambda g, y, a, b: g)
rule(np.subtract, lambda g, y, a, b: g, lambda g, y, a, b: -g)
rule(np.multiply, lambda g, y, a, b: g * b, lambda g, y, a, b: g * a)
rule(np.divide, lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b)
rule(np.negative, lambda g, y, x: -g)
rule(np.positive, lambda g, y, x: g)
rule(np.reciprocal, lambda g, y, x: -g * y * y)
rule(np.square, lambda g, y, x: g * (2 * x))
rule(np.sqrt, lambda g, y, x: g / (2 * y))
rule(np.cbrt, lambda g, y, x: g / (3 * y * y))
rule(np.absolute, lambda g, y, x: g * np.sign(x))
rule(np.fabs, lambda g, y, x: g * np.sign(x))
rule(np.remainder, lambda g, y, a, b: g, lambda g, y, a, b: -g * np.floor_divide(a, b))
rule(np.fmod, lambda g, y, a, b: g, lambda g, y, a, b: -g * np.trunc(a / b))
rule(np.copysign, lambda g, y, a, b: g * (np.sign(a) * np.sign(y)), lambda g, y, a, b: None)


def _one_less(p):
    """p - 1, but 1 for p = 0: the derivative p x^(p-1) is then zero at x = 0 too, not 0 times infinity."""
    return np.where(np.equal(p, 0), 1, np.subtract(p, 1)) if np.ndim(p) else p - 1 if p else 1


rule(
    np.power,
    lambda g, y, x, p: g * (p * np.power(x, _one_less(p))),
    lambda g, y, x, p: g * y * np.log(np.where(np.equal(x, 0), 1, x)).astype(g.dtype),
)

# Exponentials and logarithms
rule(np.exp, lambda g, y, x: g * y)
rule(np.exp2, lambda g, y, x: g * y * math.log(2))
rule(np.expm1, lambda g, y, x: g * (y + 1))
rule(np.log, lambda g, y, x: g / x)
rule(np.log2, lambda g, y, x: g / (x * math.log(2)))
rule(np.log10, lambda g, y, x: g / (x * math.log(10)))
rule(np.log1p, lambda g, y, x: g / (1 + x))
rule(np.logaddexp, lambda g, y, a, b: g * np.exp(a - y), lambda g, y, a, b: g * np.exp(b - y))
rule(np.logaddexp2, lambda g, y, a, b: g * np.exp2(a - y), lambda g, y, a, b: g * np.exp2(b - y))

# Trigonometry
rule(np.sin, lambda g, y, x: g * np.cos(x))
rule(np.cos, lambda g, y, x: -g * np.sin(x))
rule(np.tan, lambda g, y, x: g * (1 + y * y))
rule(np.arcsin, lambda g, y, x: g / np.sqrt(1 - x * x))
rule(np.arccos, lambda g, y, x: -g / np.sqrt(1 - x * x))
rule(np.arctan, lambda g, y, x: g / (1 + x * x))
rule(
    np.arctan2,
    lambda g, y, a, b: g * b / (a * a + b * b),
    lambda g, y, a, b: -g * a / (a * a + b * b),
)
rule(np.hypot, lambda g, y, a, b: g * a / y, lambda g, y, a, b: g * b / y)
rule(np.deg2rad, lambda g, y, x: g * (math.pi / 180))
rule(np.radians, lambda g, y, x: g * (math.pi / 180))
rule(np.rad2deg, lambda g, y, x: g * (180 / math.pi))
rule(np.degrees, lambda g, y, x: g * (180 / math.pi))

# Hyperbolic functions
rule(np.sinh, lambda g, y, x: g * np.cosh(x))
rule(np.cosh, lambda g, y, x: g * np.sinh(x))
rule(np.tanh, lambda g, y, x: g * (1 - y * y))
rule(np.arcsinh, lambda g, y, x: g / np.sqrt(x * x + 1))
rule(np.arccosh, lambda g, y, x: g / np.sqrt(x * x - 1))
rule(np.arctanh, lambda g, y, x: g / (1 - x * x))


# Choices. Where two arguments tie each gets half of the gradient; the choice itself is a boolean, a constant.
def _to_larger(g, a, b):
    return np.where(np.greater(a, b), g, np.where(np.equal(a, b), 0.5 * g, 0))


for _larger, _smaller in (np.maximum, np.minimum), (np.fmax, np.fmin):
    rule(_larger, lambda g, y, a, b: _to_larger(g, a, b), lambda g, y, a, b: _to_larger(g, b, a))
    rule(_smaller, lambda g, y, a, b: _to_larger(g, b, a), lambda g, y, a, b: _to_larger(g, a, b))
rule(
    np.nan_to_num,
    lambda g, y, x, *, nan=0.0, posinf=None, neginf=None: np.where(np.isfinite(x), g, 0),
)
rule(
    np.where,
    lambda g, y, c, a, b: None,
    lambda g, y, c, a, b: np.where(c, g, 0),
    lambda g, y, c, a, b: np.where(c, 0, g),
)


@composed(np.where)
def where(condition, *choices):
    return (
        apply(np.where, unwrap(condition), *choices) if choices else np.nonzero(unwrap(condition))
    )


@composed(np.select)
def select(conditions, choices, default=0):
    y = default
    for c, x in reversed(list(zip(conditions, choices, strict=True))):
        y = np.where(c, x, y)
    return y


@composed(np.clip)
def clip(x, a_min=None, a_max=None, *, min=None, max=None):  # noqa: A002 - NumPy's names
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    x = x if low is None else np.where(np.less(x, low), low, x)  # on a bound x has the gradient
    return x if high is None else np.where(np.greater(x, high), high, x)


@composed(np.sinc)
def sinc(x):
    near = np.less(np.abs(x), 1e-3)  # there the series is exact to 1e-13 and smooth through zero
    t = math.pi * np.where(near, 1, x)
    s = np.square(math.pi * np.where(near, x, 0))
    return np.where(near, 1 - s / 6 + s * s / 120, np.sin(t) / t)


@composed(np.diff)
def diff(x, n=1, axis=-1):
    for _ in range(n):
        ahead, behind = ([slice(None)] * x.ndim for _ in range(2))
        ahead[axis], behind[axis] = slice(1, None), slice(None, -1)
        x = x[tuple(ahead)] - x[tuple(behind)]
    return x


# Copies ---------------------------------------------------------------------------------------------------------------

rule(np.copy, lambda g, y, x: g)


def cast(x, dtype):
    return x.astype(dtype)


rule(cast, lambda g, y, x, dtype: g.astype(x.dtype))


@composed(np.astype)
def astype(x, dtype):
    return apply(cast, x, dtype) if np.dtype(dtype).kind == "f" else unwrap(x).astype(dtype)


def alias(x):
    """The same numbers as a new node: what a transform differentiates with respect to."""
    return x


alias = primitive(alias, lambda g, y, x: g)
