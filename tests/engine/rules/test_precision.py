"""float32 values and slopes of elementwise functions, from 1e-38 to 1e38 and at infinity, in ulps.

The truth is float64's: the same function and the same rule where its formula is exact enough, which
finite differences check elsewhere, or a formula of its own. An ulp is the distance of neighbouring
float32 numbers at the true value; where that is below the smallest normal number, of that one.
"""

import math

import numpy as np
import pytest

from dlscratch.engine import RULES, Tensor, gradients
from dlscratch.engine.operation import describe
from dlscratch.engine.rules.logspace import logistic, logistic2

SIZES = np.concatenate([np.logspace(-38, 38, 153), np.linspace(0.05, 12, 240)])
WHOLE = np.concatenate([-SIZES[::-1], [0.0], SIZES])
BELOW_1 = np.concatenate([np.logspace(-38, -1, 75), np.linspace(0.1, 0.999, 100)])
UNIT = np.concatenate([-BELOW_1[::-1], [0.0], BELOW_1, 1 - np.logspace(-6.5, -2, 30)])
TO_88 = WHOLE[np.abs(WHOLE) < 85]


def kept(x):
    """x as both dtypes hold it, without what float32 rounds to 0 or infinity."""
    x = np.unique(x.astype(np.float32))
    return x[np.isfinite(x)]


DOMAINS = {
    "negative positive absolute fabs square arctan arcsinh tanh sinc": WHOLE,
    "cbrt": WHOLE[WHOLE != 0],
    "sin cos tan": WHOLE[np.abs(WHOLE) < 1e4],
    "exp expm1 sinh cosh logistic": TO_88,
    "exp2 logistic2": WHOLE[np.abs(WHOLE) < 125],
    "log log2 log10 sqrt": SIZES,
    "reciprocal": WHOLE[(np.abs(WHOLE) > 1e-18) & (np.abs(WHOLE) < 1e18)],
    "log1p": np.concatenate([-BELOW_1, SIZES, -1 + np.logspace(-6.5, -2, 30)]),
    "arcsin arccos arctanh": UNIT,
    "arccosh": np.concatenate([1 + np.logspace(-6.5, 1, 90), np.logspace(1, 38, 75)]),
    "deg2rad radians rad2deg degrees": WHOLE[np.abs(WHOLE) < 1e36],
}
OURS = {"logistic": logistic, "logistic2": logistic2}
UNARY = [
    (n, OURS.get(n) or getattr(np, n), x) for names, x in DOMAINS.items() for n in names.split()
]

SLOPES = {  # float64's own formula where its rule would lose digits
    "tanh": lambda x: 4 * np.exp(-2 * np.abs(x)) / (1 + np.exp(-2 * np.abs(x))) ** 2,
    "arctan": lambda x: 1 / (1 + x * x),
    "arcsinh": lambda x: 1 / np.sqrt(1 + x * x),
    "arcsin": lambda x: 1 / np.sqrt((1 - x) * (1 + x)),
    "arccos": lambda x: -1 / np.sqrt((1 - x) * (1 + x)),
    "arctanh": lambda x: 1 / ((1 - x) * (1 + x)),
    "arccosh": lambda x: 1 / np.sqrt((x - 1) * (x + 1)),
    "expm1": np.exp,
    "log1p": lambda x: 1 / (1 + x),
    "reciprocal": lambda x: -1 / x / x,
}
ABSOLUTE = {  # the condition is bad, or PyTorch's convention: in ulps of 1, the largest value
    ("tanh", "slope"): "1 - y²: right to one ulp of its largest value, as in PyTorch",
    ("sin", "value"): "zeros at multiples of π",
    ("cos", "value"): "zeros at multiples of π",
    ("sin", "slope"): "zeros at multiples of π",
    ("cos", "slope"): "zeros at multiples of π",
    ("sinc", "value"): "zeros at whole numbers",
    ("sinc", "slope"): "zeros between whole numbers",
}
LIMIT = 8  # ulps of float32: twice what the rules add to NumPy's own functions here


def value_and_slope(function, x):
    t = Tensor(x, requires_grad=True)
    y = function(t)
    (g,) = gradients(y, [t], gradient=np.ones_like(x))
    return y.data, g.data


def ulps(got, true, absolute=False):
    """The largest distance in float32 numbers at the true value."""
    limits = np.finfo(np.float32)
    size = np.ones_like(true) if absolute else np.clip(np.abs(true), limits.tiny, limits.max)
    spacing = np.exp2(np.floor(np.log2(size)) - 23)
    true = np.where(np.abs(true) > limits.max, np.copysign(math.inf, true), true)
    with np.errstate(invalid="ignore"):
        apart = np.where(got == true, 0, np.abs(got.astype(float) - true) / spacing)
    return np.max(apart)


def errors(name, function, domain):
    """(ulps of the value, ulps of the slope) of an elementwise function over its domain."""
    x = kept(domain)
    with np.errstate(over="ignore"):  # squares of 1e38 are infinite, and so they should be
        value, slope = value_and_slope(function, x)
    assert value.dtype == slope.dtype == np.float32
    true_value, true_slope = value_and_slope(function, x.astype(float))
    if name in SLOPES:
        true_slope = SLOPES[name](x.astype(float))
    return (
        ulps(value, true_value, (name, "value") in ABSOLUTE),
        ulps(slope, true_slope, (name, "slope") in ABSOLUTE),
    )


@pytest.mark.parametrize("name, function, domain", UNARY, ids=[u[0] for u in UNARY])
def test_float32_is_right_to_a_few_ulps(name, function, domain):
    value, slope = errors(name, function, domain)
    assert value <= LIMIT and slope <= LIMIT, (name, value, slope)


def test_every_elementwise_rule_is_measured():
    """Functions of one number that NumPy calls ufuncs."""
    unary = {describe(f)[3:] for f in RULES if isinstance(f, np.ufunc) and f.nin == 1}
    assert unary - {u[0] for u in UNARY} == set()


PAIRS = [kept(np.concatenate([-v[::-1], v])) for v in (np.logspace(-18, 18, 25),) * 2]
ADDED = [kept(np.concatenate([-v[::-1], [0.0], v])) for v in (np.logspace(-8, 4, 40),) * 2]
NEAR = [kept(np.linspace(-60, 60, 97)), kept(np.linspace(-1, 1, 41))]
BINARY = [
    ("divide", PAIRS),
    ("hypot", [kept(np.logspace(-37, 37, 40))] * 2),
    ("arctan2", [kept(np.logspace(-18, 18, 40))] * 2),
    ("arctan2", PAIRS),
    ("logaddexp", ADDED),
    ("logaddexp", NEAR),
    ("logaddexp2", NEAR),
    ("power", [kept(np.logspace(-6, 6, 50)), kept(np.linspace(-5, 5, 41))]),
    ("power", [kept(np.linspace(0.5, 2, 50)), kept(np.linspace(-5, 5, 41))]),
    ("multiply", PAIRS),
    ("add", PAIRS),
    ("subtract", PAIRS),
]
ILL = {  # in ulps of 1, or for values of the largest argument
    "logaddexp": "log(e^a + e^b) may be near 0; small parts round as a - b does, as in PyTorch",
    "logaddexp2": "the same",
}


def binary_errors(name, domain):
    """ulps of the value and of both slopes on a grid of pairs."""
    grid = [v.ravel() for v in np.meshgrid(*domain)]
    results = []
    for dtype in ("float32", "float64"):
        leaves = [Tensor(v.astype(dtype), requires_grad=True) for v in grid]
        with np.errstate(over="ignore", under="ignore"):
            y = getattr(np, name)(*leaves)
            results.append([y, *gradients(y, leaves, gradient=np.ones(y.shape))])
    found = []
    for k, (got, true) in enumerate(zip(*results, strict=True)):
        assert got.dtype == np.float32
        got, true = got.data, true.data
        if name in ILL and k == 0:
            scale = np.maximum(1, np.maximum(*map(np.abs, grid)))
            got = got / scale
            true = true / scale
        found.append(ulps(got, true, name in ILL))
    return found


@pytest.mark.parametrize("a", [0.0, 80.5, -12.25, 1000.0])
@pytest.mark.parametrize("name", ["logaddexp", "logaddexp2"])
def test_small_parts_are_as_good_as_those_of_torch(name, a):
    torch = pytest.importorskip("torch")
    b = np.linspace(a - 80, a + 80, 301).astype(np.float32)
    both = [np.full_like(b, a), b]

    def slopes(dtype):
        leaves = [Tensor(v.astype(dtype), requires_grad=True) for v in both]
        y = getattr(np, name)(*leaves)
        return [g.data for g in gradients(y, leaves, gradient=np.ones(b.shape))]

    theirs = [torch.tensor(v, requires_grad=True) for v in both]
    getattr(torch, name)(*theirs).sum().backward()
    for got, true, other in zip(slopes("float32"), slopes("float64"), theirs, strict=True):
        assert ulps(got, true) <= 1.5 * ulps(other.grad.numpy(), true) + LIMIT


@pytest.mark.parametrize("name, domain", BINARY, ids=[f"{n}{i}" for i, (n, _) in enumerate(BINARY)])
def test_float32_is_right_to_a_few_ulps_in_two_arguments(name, domain):
    found = binary_errors(name, domain)
    assert max(found) <= LIMIT, found


LIMITS_AT_INFINITY = {  # slope at +inf, slope at -inf
    "exp": (math.inf, 0),
    "exp2": (math.inf, 0),
    "expm1": (math.inf, 0),
    "log": (0, None),
    "log2": (0, None),
    "log10": (0, None),
    "log1p": (0, None),
    "sqrt": (0, None),
    "cbrt": (0, 0),
    "reciprocal": (0, 0),
    "arctan": (0, 0),
    "arcsinh": (0, 0),
    "arccosh": (0, None),
    "tanh": (0, 0),
    "sinh": (math.inf, math.inf),
    "cosh": (math.inf, -math.inf),
    "absolute": (1, -1),
    "fabs": (1, -1),
    "square": (math.inf, -math.inf),
    "logistic": (0, 0),
    "logistic2": (0, 0),
    "nan_to_num": (0, 0),
    "deg2rad": (math.pi / 180, math.pi / 180),
}


@pytest.mark.parametrize("name", LIMITS_AT_INFINITY)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_slope_at_infinity(name, dtype):
    function = OURS.get(name) or getattr(np, name)
    for x, true in zip((math.inf, -math.inf), LIMITS_AT_INFINITY[name], strict=True):
        if true is not None:
            _, slope = value_and_slope(function, np.array(x, dtype))
            assert slope == np.array(true, dtype)


if __name__ == "__main__":  # the figures for the record
    table = [(max(errors(*u)), u[0], errors(*u)) for u in UNARY]
    for _, name, both in sorted(table, reverse=True):
        print(f"{name:12} value {both[0]:8.2f}  slope {both[1]:8.2f}")
    for name, domain in BINARY:
        print(f"{name:12} value and slopes", np.round(binary_errors(name, domain), 2))
