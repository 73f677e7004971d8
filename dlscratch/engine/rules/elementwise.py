"""Derivatives of elementwise functions: g = dL/dy for y = f(x) or f(a, b).

Broadcasting is undone by the backward pass. The formulas are good to a few ulps in float32 from
1e-38 to 1e38: (1 - x)(1 + x) in place of 1 - x², and hypot(1, x) in place of the root of 1 + x²,
whose square overflows. The slope of tanh is good to one ulp of 1, as PyTorch's is.

What runs is each rule inside of the guard of guarded.py: 0 times infinity is 0 where g is 0.
"""

import math

import numpy as np

from ..operation import composed, rule

__all__ = []

# Arithmetic
rule(np.add, lambda g, y, a, b: g, lambda g, y, a, b: g)
rule(np.subtract, lambda g, y, a, b: g, lambda g, y, a, b: -g)
rule(np.multiply, lambda g, y, a, b: g * b, lambda g, y, a, b: g * a)
rule(np.divide, lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b)
rule(np.negative, lambda g, y, x: -g)
rule(np.positive, lambda g, y, x: g)
rule(np.absolute, lambda g, y, x: g * np.sign(x))
rule(np.fabs, lambda g, y, x: g * np.sign(x))
rule(np.remainder, lambda g, y, a, b: g, lambda g, y, a, b: -g * np.floor_divide(a, b))
rule(np.fmod, lambda g, y, a, b: g, lambda g, y, a, b: -g * np.rint((a - y) / b))
rule(np.copysign, lambda g, y, a, b: g * (np.sign(a) * np.sign(y)), lambda g, y, a, b: None)

# Exponentials and logarithms. The slope of a logarithm at 0 is infinite.
rule(np.exp, lambda g, y, x: g * y)
rule(np.exp2, lambda g, y, x: g * y * math.log(2))
rule(np.expm1, lambda g, y, x: g * np.exp(x))
rule(np.log, lambda g, y, x: g / x)
rule(np.log2, lambda g, y, x: g / math.log(2) / x)
rule(np.log10, lambda g, y, x: g / math.log(10) / x)
rule(np.log1p, lambda g, y, x: g / (1 + x))

# Trigonometry. The slopes of arcsin and arccos at ±1 are infinite.
rule(np.sin, lambda g, y, x: g * np.cos(x))
rule(np.cos, lambda g, y, x: -g * np.sin(x))
rule(np.tan, lambda g, y, x: g * (1 + y * y))
rule(np.arcsin, lambda g, y, x: g / np.sqrt((1 - x) * (1 + x)))
rule(np.arccos, lambda g, y, x: -g / np.sqrt((1 - x) * (1 + x)))
rule(np.arctan, lambda g, y, x: g / np.hypot(1, x) / np.hypot(1, x))
rule(np.deg2rad, lambda g, y, x: g * (math.pi / 180))
rule(np.radians, lambda g, y, x: g * (math.pi / 180))
rule(np.rad2deg, lambda g, y, x: g * (180 / math.pi))
rule(np.degrees, lambda g, y, x: g * (180 / math.pi))

# Hyperbolic functions. The slopes of arccosh at 1 and of arctanh at ±1 are infinite.
rule(np.sinh, lambda g, y, x: g * np.cosh(x))
rule(np.cosh, lambda g, y, x: g * np.sinh(x))
rule(np.tanh, lambda g, y, x: g * (1 - y * y))
rule(np.arcsinh, lambda g, y, x: g / np.hypot(1, x))
rule(np.arccosh, lambda g, y, x: g / np.sqrt(x - 1) / np.sqrt(x + 1))
rule(np.arctanh, lambda g, y, x: g / ((1 - x) * (1 + x)))

# Length and angle of the point (a, b). At the origin, where neither has a slope, it is 0.


def over(a, r):
    """a / r for a length r: 0 at the origin; at infinity 0 for a finite a, else its sign."""
    odd = np.equal(r, 0) | np.isinf(r)
    if odd.any():
        a = np.where(odd, np.where(np.isinf(a), np.sign(a), 0), a)
        r = np.where(odd, 1, r)
    return a / r


def slope_of_angle(a, b):
    """a / (a² + b²), without squares, which overflow."""
    r = np.hypot(a, b)
    return over(over(a, r), r)


rule(np.hypot, lambda g, y, a, b: g * over(a, y), lambda g, y, a, b: g * over(b, y))
rule(
    np.arctan2,
    lambda g, y, a, b: g * slope_of_angle(b, a),
    lambda g, y, a, b: -g * slope_of_angle(a, b),
)


@composed(np.sinc)
def sinc(x):
    """sin(πx) / πx, and its series where |x| < 0.3.

    There the quotient's slope would be a small difference of large numbers.
    """
    near = np.less(np.abs(x), 0.3)
    t = math.pi * np.where(near, 1, x)
    s = np.square(math.pi * np.where(near, x, 0))
    series = 0.0
    for k in range(8, -1, -1):  # the first term left out is below 1e-17
        series = series * s + (-1) ** k / math.factorial(2 * k + 1)
    return np.where(near, series, np.sin(t) / t)
