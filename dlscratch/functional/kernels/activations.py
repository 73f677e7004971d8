"""Fast and exact activations: values and slopes together, to a few units in the last place."""

import math

import numpy as np

from ...engine import blocks
from ..arguments import as_floats, number

__all__ = [
    "leaky_relu",
    "leaky_relu_vjp",
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


def leaky_relu_vjp(g, y, saved, needs, x, negative_slope=0.01):
    """g, or its leak, by arithmetic on booleans: faster than a choice."""
    negative_slope = x.dtype.type(number(negative_slope))
    return (g * (np.greater(x, 0) * (1 - negative_slope) + negative_slope),)


def sigmoid(x):
    """1 / (1 + exp(-x)): exact for large negative x too; where exp overflows, 1 / ∞ is 0.

    The formula (1 + tanh(x / 2)) / 2 takes as long, but is a difference of nearly equal numbers for x < 0.
    """
    x = as_floats("sigmoid", x)
    with np.errstate(over="ignore"):
        y = np.exp(-x)
    y = y + 1
    return 1 / y, None


def softplus(x, beta=1.0, threshold=20.0):
    """max(z, 0) + log1p(exp(-|z|)), z = β x: the logarithm is of a number between 1 and 2."""
    x = as_floats("softplus", x)
    beta = number(beta)
    if beta == 0:
        raise ValueError("softplus: beta=0; want another number, by which to divide")
    z = beta * x
    y = _log1p_exp(z) / beta
    return np.where(z > number(threshold), x, y), None


def _log1p_exp(z):
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def logsigmoid(x):
    """min(x, 0) - log1p(exp(-|x|))."""
    x = as_floats("logsigmoid", x)
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x))), None


def elu(x, alpha=1.0):
    """x, or α expm1(x) for x <= 0."""
    x = as_floats("elu", x)
    below = number(alpha) * np.expm1(np.minimum(x, 0))
    return np.where(x <= 0, below, x), None


# Gates: y = x h(x). The slope is computed while x is in cache, so that backward is one product ---
#
# Thirty passes over a row of numbers cost a third when the row stays in cache, so they go block by block.
# For GELU and SiLU the gate is symmetric, h(x) + h(-x) = 1. So all follows from the tail q(t) = h(-t) for t = |x|, which
# is small, and is never computed as a difference:
#     y  = max(x, 0) - t q(t)
#     y' = 1 - w(t) for x > 0, else w(t), with w(t) = y'(-t) = q - t (-q')


def gelu(x, approximate="none"):
    """(y, dy/dx), from the normal distribution's tail."""
    x = as_floats("gelu", x)
    if approximate not in ("none", "tanh"):
        raise ValueError(
            f"gelu: expected approximate='none' or 'tanh', got approximate={approximate!r}; "
            "want 'none' or 'tanh'"
        )
    if approximate == "tanh":
        return _symmetric_gate(_tanh_tail, 40.0, x)
    return _symmetric_gate(_normal_tail if x.dtype == np.float32 else _exact_tail, 40.0, x)


def silu(x):
    """(y, dy/dx), from the logistic distribution's tail."""
    return _symmetric_gate(_logistic_tail, 800.0, as_floats("silu", x))


def _symmetric_gate(tail, limit, x):
    """(y, dy/dx) from `tail(t, q, w)`, which fills q and w; beyond `limit` q and w are 0."""
    y, slope = np.empty_like(x, order="C"), np.empty_like(x, order="C")
    flat = x.reshape(-1), y.reshape(-1), slope.reshape(-1)
    for block in blocks(x.size):
        x_block, y_block, w = (a[block] for a in flat)
        t = np.abs(x_block)
        np.minimum(t, limit, out=t)  # t q is 0 at infinity, not ∞ · 0
        q = np.empty_like(t)
        tail(t, q, w)
        t *= q
        np.maximum(x_block, 0, out=y_block)
        y_block -= t
        half = np.copysign(x.dtype.type(0.5), x_block, out=t)
        w *= half
        w *= -2
        half += 0.5  # 1 for x > 0, else 0
        w += half
    return y, slope


def _logistic_tail(t, q, w):
    """q = 1 / (1 + exp(t)), w = q (1 - t (1 - q))."""
    np.negative(t, out=q)
    np.exp(q, out=q)
    np.add(q, 1, out=w)
    q /= w
    np.subtract(q, 1, out=w)
    w *= t
    w += 1
    w *= q


def _tanh_tail(t, q, w):
    """q = 1 / (1 + exp(2 z)), w = q (1 - 2 t z' (1 - q)), z = √(2/π) (t + 0.044715 t³)."""
    square = t * t
    np.multiply(square, -2 * 0.044715 * _C, out=q)
    q -= 2 * _C
    q *= t
    np.exp(q, out=q)
    np.add(q, 1, out=w)
    q /= w
    square *= 6 * 0.044715 * _C
    square += 2 * _C
    square *= t  # 2 t z'
    np.subtract(q, 1, out=w)
    w *= square
    w += 1
    w *= q


# Φ(-t) = exp(-t²/2) P(t) / Q(t) for 0 <= t <= 14.5, beyond which it is 0 in float32; all coefficients are positive, so that
# nothing cancels. Relative error 1.2e-8 before rounding. A minimax fit to erfcx(t / √2) / 2 on 3,000 Chebyshev nodes, by
# Lawson's iteration (weights grow where the error is large) on the linearized rational least squares.
# Sources: C. L. Lawson 1961, and for the form W. J. Cody, Rational Chebyshev approximations for the error function, 1969.
# tests/functional/test_activations.py measures the error anew.
_P = (0.00411629736491, 0.0406331463695, 0.183234898465, 0.438294624989, 0.5)
_Q = (0.0103179076151, 0.10185864076, 0.469469998741, 1.20250214339, 1.67447423123, 1.0)


def _normal_tail(t, q, w):
    """q = Φ(-t), w = q - t φ(t), in float32: a third of the time of SciPy's erf, and exact far out."""
    _density(t, w)
    _polynomial(_P, t, out=q)
    q /= _polynomial(_Q, t, out=np.empty_like(t))
    q *= w
    w *= t
    w *= -_PEAK
    w += q


def _density(t, out):
    """exp(-t²/2). Beyond 5 the rounding of t² would cost ten digits' units, so t² is taken in two parts there."""
    if t.max() <= 5:
        np.multiply(t, t, out=out)
        out *= -0.5
        np.exp(out, out=out)
        return
    coarse = (t.view(np.uint32) & np.uint32(0xFFFFF000)).view(np.float32)  # 12 bits: exact squares
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
    """x tanh(log(1 + e)), e = exp x: the gate is n / (n + 2) with n = e (e + 2), and 1 from x = 20 on."""
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
