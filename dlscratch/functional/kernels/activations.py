"""Fast and exact activations: values and slopes together, to a few units in the last place."""

import math

import numpy as np

from ...engine import blocks
from ..arguments import as_floats, number

__all__ = [
    "leaky_relu",
    "leaky_relu_gradient",
    "sigmoid",
    "softplus",
    "logsigmoid",
    "elu",
    "gelu",
    "silu",
    "mish",
]

_PEAK = 1 / math.sqrt(2 * math.pi)  # φ(0), the density of the standard normal distribution at 0
_C = math.sqrt(2 / math.pi)


# Forward only: the slopes are formulas, and stand beside the textbook's -------------------------


def leaky_relu(x, negative_slope=0.01):
    """The larger of x and its leak (the smaller for slopes above 1)."""
    x = as_floats("leaky_relu", x)
    negative_slope = number(negative_slope)
    extreme = np.maximum if negative_slope <= 1 else np.minimum  # ten times as fast as np.where
    return extreme(x, negative_slope * x), None


def leaky_relu_gradient(g, y, saved, needs, x, negative_slope=0.01):
    """g, or its leak, by arithmetic on booleans: faster than a choice."""
    negative_slope = x.dtype.type(number(negative_slope))
    return (g * (np.greater(x, 0) * (1 - negative_slope) + negative_slope),)


def sigmoid(x):
    """1 / (1 + exp(-x)): exact for large negative x too; where exp overflows, 1 / ∞ is 0.

    (1 + tanh(x / 2)) / 2 takes as long, but is a difference of nearly equal numbers for x < 0.
    """
    x = as_floats("sigmoid", x)
    y = np.empty_like(x)
    np.negative(x, out=y)
    with np.errstate(over="ignore"):
        np.exp(y, out=y)
    y += 1
    np.reciprocal(y, out=y)
    return y, None


def softplus(x, beta=1.0, threshold=20.0):
    """max(z, 0) + log1p(exp(-|z|)), z = β x: the logarithm is of a number between 1 and 2."""
    x = as_floats("softplus", x)
    beta = number(beta)
    if beta == 0:
        raise ValueError("softplus: beta=0; want another number, by which to divide")
    z = beta * x
    y = (np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))) / beta
    straight = z > number(threshold)
    return np.where(straight, x, y) if np.any(straight) else y, None


def logsigmoid(x):
    """log σ(x) as min(x, 0) - log1p(exp(-|x|)): no exp overflows."""
    x = as_floats("logsigmoid", x)
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x))), None


def elu(x, alpha=1.0):
    """α expm1(min(x, 0)) + max(x, 0): one of the two is 0.

    A third of the time of a choice between the two.
    """
    x = as_floats("elu", x)
    y = np.expm1(np.minimum(x, 0))
    y *= number(alpha)
    y += np.maximum(x, 0)
    return y, None


# Gates: y = x h(x). The slope is computed while x is in cache, so that backward is one product.
# Twenty
# to thirty passes over a row of numbers cost a third when the row stays in cache: block by block.


def _blockwise(gate, x):
    """(y, dy/dx) from `gate(x, y, slope)`, which fills both for a block of x."""
    y = np.empty_like(x, order="C")
    slope = np.empty_like(x, order="C")
    flat = x.reshape(-1), y.reshape(-1), slope.reshape(-1)
    with np.errstate(over="ignore"):
        for block in blocks(x.size):
            gate(*(a[block] for a in flat))
    return y, slope


def gelu(x, approximate="none"):
    """x Φ(x) and its slope, or x σ(2 z) with z = √(2/π) (x + 0.044715 x³)."""
    x = as_floats("gelu", x)
    if approximate == "none":
        return _blockwise(_normal_gate, x)
    if approximate == "tanh":
        return _blockwise(_tanh_gate, x)
    raise ValueError(f"gelu: approximate={approximate!r}; want 'none' or 'tanh'")


def silu(x):
    """x σ(x) and its slope."""
    return _blockwise(_logistic_gate, as_floats("silu", x))


# Logistic gates, h = σ(u(x)) = 1 / (1 + e) with e = exp(-u), which loses no digits for either sign:
#     y = x h,    y' = h (1 + x u' (1 - h)),    1 - h = e h.
# Where e overflows, h is 0, and e is cut to a finite number, so that e h is no NaN. x is cut
# where h
# is 0 or 1, for the same reason: x h is 0 at -∞.


def _logistic_gate(x, y, slope):
    c = np.maximum(x, -1e3)
    np.minimum(c, 1e3, out=c)
    np.negative(c, out=slope)
    _gate_of(c, x, -1e3, y, slope)


def _tanh_gate(x, y, slope):
    c = np.maximum(x, -40)
    np.minimum(c, 40, out=c)
    square = np.multiply(c, c, out=y)
    np.multiply(square, -2 * 0.044715 * _C, out=slope)
    slope -= 2 * _C
    slope *= c
    square *= 6 * 0.044715 * _C
    square += 2 * _C
    c *= square
    _gate_of(c, x, -40, y, slope)


def _gate_of(xu, x, low, y, slope):
    """y and slope from x u' (overwritten), x, and -u, which stands in `slope`."""
    e = np.exp(slope, out=slope)
    np.add(e, 1, out=y)
    h = np.reciprocal(y)
    np.minimum(e, np.finfo(x.dtype).max, out=e)
    e *= h
    xu *= e
    xu += 1
    np.multiply(xu, h, out=slope)
    np.maximum(x, low, out=y)
    y *= h


# The normal gate is symmetric, Φ(x) + Φ(-x) = 1. So all follows from the tail q(t) = Φ(-t) for
# t = |x|, which is small, and is never computed as a difference:
#     y = max(x, 0) - t q(t),
#     y' = 1 - w(t) for x > 0, else w(t), with w(t) = y'(-t) = q - t φ(t).


def _normal_gate(x, y, slope):
    t = np.abs(x)
    np.minimum(t, 40, out=t)  # t q is 0 at infinity, not ∞ · 0
    q = np.empty_like(t)
    tail = _normal_tail if x.dtype == np.float32 else _exact_tail
    tail(t, q, slope)
    t *= q
    np.maximum(x, 0, out=y)
    y -= t
    half = np.copysign(x.dtype.type(0.5), x, out=t)
    slope *= half
    slope *= -2
    half += 0.5  # 1 for x > 0, else 0
    slope += half


# Φ(-t) = exp(-t²/2) P(t) / Q(t) for 0 <= t <= 14.5, beyond which it is 0 in float32. All
# coefficients
# are positive, so that nothing cancels; the relative error is 1.2e-8 before rounding, which
# tests/functional/test_precision.py measures. Fitted to erfcx(t / √2) / 2 on 3,000 Chebyshev
# nodes by
# linearized rational least squares with Lawson's iteration: weights grow where the error is large.
# Sources: C. L. Lawson 1961; for the form W. J. Cody, Rational Chebyshev approximations for the
# error function, 1969.
_P = (0.00411629736491, 0.0406331463695, 0.183234898465, 0.438294624989, 0.5)
_Q = (0.0103179076151, 0.10185864076, 0.469469998741, 1.20250214339, 1.67447423123, 1.0)


def _normal_tail(t, q, w):
    """q = Φ(-t), w = q - t φ(t), in float32: GELU takes half the time that SciPy's erf took."""
    _density(t, w)
    _polynomial(_P, t, out=q)
    q /= _polynomial(_Q, t, out=np.empty_like(t))
    q *= w
    w *= t
    w *= -_PEAK
    w += q


def _density(t, out):
    """exp(-t²/2). Beyond t = 5 the rounding of t² would show: it is then taken in two parts."""
    if t.max() <= 5:
        np.multiply(t, t, out=out)
        out *= -0.5
        np.exp(out, out=out)
        return
    twelve_bits = np.uint32(0xFFFFF000)  # of which squares are exact
    coarse = (t.view(np.uint32) & twelve_bits).view(np.float32)
    rest = (t - coarse) * (t + coarse)
    np.multiply(coarse, coarse, out=out)
    out *= -0.5
    np.exp(out, out=out)
    out *= np.exp(-0.5 * rest)


def _polynomial(coefficients, t, out):
    """Horner's rule, highest power first."""
    np.multiply(t, coefficients[0], out=out)
    for c in coefficients[1:-1]:
        out += c
        out *= t
    out += coefficients[-1]
    return out


def _exact_tail(t, q, w):
    """q = Φ(-t) = erfc(t / √2) / 2, w = q - t φ(t), by SciPy."""
    from scipy.special import erfc  # scipy comes with scikit-learn; only GELU in float64 needs it

    q[...] = 0.5 * erfc(t * math.sqrt(0.5))
    np.multiply(t, t, out=w)
    w *= -0.5
    np.exp(w, out=w)
    w *= t
    w *= -_PEAK
    w += q


def mish(x):
    """x n / (n + 2) and its slope, with n = e (e + 2), e = exp x.

    That is tanh(log(1 + e)) without a logarithm; 1 from x = 20 on.
    """
    x = as_floats("mish", x)
    low = np.maximum(x, -800)  # x · 0 is 0 at -∞
    c = np.minimum(low, 20)
    e = np.exp(c)
    n = e * (e + 2)
    rest = 2 / (n + 2)  # 1 - gate
    gate = 0.5 * rest * n
    y = low * gate
    slope = gate + c * rest * (1 + gate) * (e / (1 + e))
    return y, slope
