"""Activations and losses in float32 are right to a few units in the last place, everywhere.

The right numbers are textbook formulas in 200 digits. A unit (ulp) is that of the right number, or
what half a unit of the input makes of it, if that is more: no formula does better than its input.
`python -m tests.functional.test_precision` prints the table of the worst errors.
"""

import numpy as np
import pytest

from dlscratch import Tensor
from dlscratch import functional as F
from dlscratch.functional import activations, losses, softmaxes

mp = pytest.importorskip("mpmath")
mp.mp.dps = 200

WORST = 6  # ulps
# Its slope, p - smoothed target, is a difference of numbers that are nearly equal at its worst.
WORST_OF = {"cross_entropy, smooth": 10}
FLOOR = 1e-36  # near float32's smallest number 1.2e-38 digits get lost
FAR = np.concatenate(
    [np.geomspace(1e-30, 1e-3, 10), np.geomspace(2e-3, 30, 120), np.geomspace(32, 1e28, 20)]
)
GRID = np.concatenate([-FAR[::-1], [0], FAR]).astype(np.float32)
POSITIVE = FAR.astype(np.float32)
BETWEEN = np.concatenate([np.geomspace(1e-11, 0.5, 60), 1 - np.geomspace(6e-8, 0.4, 40)])


def _log1p_exp(x):
    return mp.log1p(mp.exp(x)) if x < 200 else x


def _sigmoid(x):
    return 1 / (1 + mp.exp(-x)) if x > -1e5 else mp.mpf(0)


def _tanh(x):
    return mp.tanh(x) if abs(x) < 1e5 else mp.sign(x)


def _gelu_tanh(x):
    return x * _sigmoid(2 * mp.sqrt(2 / mp.pi) * (x + mp.mpf("0.044715") * x**3))


def _gelu(x):
    return x * (mp.ncdf(x) if abs(x) < 1e3 else int(x > 0))


def _elu(x, alpha=1):
    if x > 0:
        return x
    return alpha * mp.expm1(x) if x > -1e5 else -mp.mpf(alpha)


def _huber(e, delta=1):
    return e**2 / 2 if abs(e) < delta else delta * (abs(e) - mp.mpf(delta) / 2)


def _same(value):
    """A number as an array of the shape of x."""
    return lambda x: np.full(x.shape, value, np.float32)


def _two(x):
    """Logits (N, 2): 0 and x."""
    return np.stack([np.zeros(len(x), np.float32), x], axis=1)


def _first(x):
    return np.zeros(len(x), int)


none = {"reduction": "none"}
ENTRYWISE = {  # name: (ours, the formula in many digits, limits of value and slope at -∞ and ∞)
    "relu": (F.relu, lambda x: max(x, 0), (0, np.inf), (0, 1)),
    "leaky_relu": (
        F.leaky_relu,
        lambda x: x * (1 if x > 0 else 0.01),
        (-np.inf, np.inf),
        (0.01, 1),
    ),
    "prelu": (
        lambda x: F.prelu(x, np.full(1, 0.25, np.float32)),
        lambda x: x if x > 0 else x / 4,
        (-np.inf, np.inf),
        (0.25, 1),
    ),
    "elu": (F.elu, _elu, (-1, np.inf), (0, 1)),
    "selu": (
        F.selu,
        lambda x: 1.0507009873554805 * _elu(x, 1.6732632423543772),
        (-1.7580993408473766, np.inf),
        (0, 1.0507009873554805),
    ),
    "hardtanh": (F.hardtanh, lambda x: min(max(x, -1), 1), (-1, 1), (0, 0)),
    "sigmoid": (F.sigmoid, _sigmoid, (0, 1), (0, 0)),
    "tanh": (F.tanh, _tanh, (-1, 1), (0, 0)),
    "logsigmoid": (F.logsigmoid, lambda x: -_log1p_exp(-x), (-np.inf, 0), (1, 0)),
    "softplus": (
        lambda x: F.softplus(x, threshold=1e30),
        _log1p_exp,
        (0, np.inf),
        (0, 1),
    ),
    "gelu": (F.gelu, _gelu, (0, np.inf), (0, 1)),
    "gelu, tanh": (lambda x: F.gelu(x, approximate="tanh"), _gelu_tanh, (0, np.inf), (0, 1)),
    "silu": (F.silu, lambda x: x * _sigmoid(x), (0, np.inf), (0, 1)),
    "mish": (F.mish, lambda x: x * mp.tanh(_log1p_exp(x)), (0, np.inf), (0, 1)),
    "glu": (
        lambda x: F.glu(np.stack([np.ones(len(x), np.float32), x], axis=1))[:, 0],
        _sigmoid,
        (0, 1),
        (0, 0),
    ),
    "softmax": (lambda x: F.softmax(_two(x))[:, 0], lambda x: _sigmoid(-x)),
    "log_softmax": (lambda x: F.log_softmax(_two(x))[:, 0], lambda x: -_log1p_exp(x)),
    "cross_entropy": (lambda x: F.cross_entropy(_two(x), _first(x), **none), _log1p_exp),
    "cross_entropy, weighted": (
        lambda x: F.cross_entropy(_two(x), _first(x), weight=np.ones(2), **none),
        _log1p_exp,
    ),
    "cross_entropy, smooth": (
        lambda x: F.cross_entropy(_two(x), _first(x), label_smoothing=0.5, **none),
        lambda x: 0.75 * _log1p_exp(x) + 0.25 * _log1p_exp(-x),
    ),
    "nll_loss": (lambda x: F.nll_loss(F.log_softmax(_two(x)), _first(x), **none), _log1p_exp),
    "focal_loss": (
        lambda x: F.focal_loss(_two(x), _first(x), **none),
        lambda x: _sigmoid(x) ** 2 * _log1p_exp(x),
    ),
    "ctc_loss": (
        lambda x: F.ctc_loss(
            F.log_softmax(np.stack([x, np.zeros(len(x), np.float32)], axis=1)[None]),
            np.ones((len(x), 1), int),
            *[np.ones(len(x), int)] * 2,
            **none,
        ),
        _log1p_exp,
    ),
    **{
        f"binary_cross_entropy_with_logits, t = {t}": (
            lambda x, t=t: F.binary_cross_entropy_with_logits(x, _same(t)(x), **none),
            lambda x, t=t: t * _log1p_exp(-x) + (1 - t) * _log1p_exp(x),
            (np.inf if t else 0, np.inf if t < 1 else 0),
            (-t, 1 - t),
        )
        for t in (0, 0.25, 1)
    },
    "binary_cross_entropy_with_logits, pos_weight": (
        lambda x: F.binary_cross_entropy_with_logits(x, _same(0.5)(x), pos_weight=3.0, **none),
        lambda x: 1.5 * _log1p_exp(-x) + 0.5 * _log1p_exp(x),
    ),
    "mse_loss": (lambda x: F.mse_loss(x, _same(0.5)(x), **none), lambda x: (x - 0.5) ** 2),
    "l1_loss": (lambda x: F.l1_loss(x, _same(0.5)(x), **none), lambda x: abs(x - 0.5)),
    "huber_loss": (
        lambda x: F.huber_loss(x, _same(0.5)(x), delta=2.0, **none),
        lambda x: _huber(x - 0.5, 2),
    ),
    "smooth_l1_loss": (
        lambda x: F.smooth_l1_loss(x, _same(0.5)(x), beta=2.0, **none),
        lambda x: _huber(x - 0.5, 2) / 2,
    ),
    "quantile_loss": (
        lambda x: F.quantile_loss(x, _same(0.5)(x), q=0.75, **none),
        lambda x: max(0.75 * (0.5 - x), -0.25 * (0.5 - x)),
    ),
    "hinge_loss": (lambda x: F.hinge_loss(x, _same(-1)(x), **none), lambda x: max(0, 1 + x)),
    "poisson_nll_loss": (
        lambda x: F.poisson_nll_loss(x, _same(2)(x), **none),
        lambda x: (mp.exp(x) if x < 1e3 else mp.inf) - 2 * x,
    ),
    "kl_div": (
        lambda x: F.kl_div(x, _same(0.25)(x), **none),
        lambda x: (mp.log(0.25) - x) / 4,
    ),
}
ELSEWHERE = {  # name: (ours, formula, grid)
    "gaussian_nll_loss": (
        lambda v: F.gaussian_nll_loss(_same(0.5)(v), _same(0)(v), v, eps=1e-30, **none),
        lambda v: (mp.log(v) + mp.mpf(0.25) / v) / 2,
        POSITIVE[(POSITIVE > 1e-14) & (POSITIVE < 1e18)],
    ),
    "binary_cross_entropy": (
        lambda p: F.binary_cross_entropy(p, _same(0.25)(p), **none),
        lambda p: -mp.mpf(0.25) * mp.log(p) - mp.mpf(0.75) * mp.log(1 - p),
        BETWEEN.astype(np.float32),
    ),
    "binary_cross_entropy of t = 1": (
        lambda p: F.binary_cross_entropy(p, _same(1)(p), **none),
        lambda p: -mp.log(p),
        BETWEEN.astype(np.float32),
    ),
}
NOT_HERE = {
    "gumbel_softmax": "draws random numbers; it is softmax of what it draws",
    "triplet_margin_loss": "of lengths of vectors: differences of sums of squares",
    "cosine_embedding_loss": "of angles between vectors",
    "info_nce": "cross_entropy of angles",
}
SLOPE_IS_ABSOLUTE = {"tanh"}  # its rule 1 - y² is PyTorch's: exact to a unit of 1, not of the slope
CASES = {name: (*case[:2], GRID) for name, case in ENTRYWISE.items()} | ELSEWHERE


def derivatives(formula, x):
    """f, f' and f'' by central differences in many digits; at a kink the left ones."""
    x = mp.mpf(float(x)) if x else -(mp.mpf(10) ** -40)
    h = abs(x) * mp.mpf(10) ** -25
    below, here, above = formula(x - h), formula(x), formula(x + h)
    return here, (above - below) / (2 * h), (above - 2 * here + below) / h**2


def worst(name):
    """The worst errors of value and slope in ulps, and where they are."""
    ours, formula, grid = CASES[name]
    x = Tensor(grid, requires_grad=True)
    with np.errstate(over="ignore"):
        y = ours(x)
        np.sum(y).backward()
    right = np.array([[float(d) for d in derivatives(formula, v)] for v in grid]).T
    errors = []
    for got, wanted, slope in ((y.data, *right[:2]), (x.grad, *right[1:])):
        representable = np.abs(wanted) < 3e38
        wanted = np.where(representable, wanted, 0)
        unit = np.spacing(np.maximum(np.abs(wanted), FLOOR).astype(np.float32)).astype(float)
        of_input = np.spacing(np.maximum(np.abs(grid), FLOOR)).astype(float) / 2
        unit = np.maximum(unit, of_input * np.nan_to_num(np.abs(slope)))
        if got is x.grad and name in SLOPE_IS_ABSOLUTE:
            unit = np.spacing(np.float32(1))
        error = np.where(representable, np.abs(got - wanted), 0)
        error = np.where(np.maximum(np.abs(got), np.abs(wanted)) < FLOOR, 0, error) / unit
        errors.append((error.max(), grid[error.argmax()]))  # NaN is the largest
    return errors


@pytest.mark.parametrize("name", CASES)
def test_values_and_slopes_have_all_digits(name):
    for error, place in worst(name):
        assert error <= WORST_OF.get(name, WORST), f"{error:.3g} ulps at {place}"


@pytest.mark.parametrize("name", [name for name, case in ENTRYWISE.items() if len(case) > 2])
def test_limits_at_infinity(name):
    ours, _, values, slopes = ENTRYWISE[name]
    for dtype in (np.float32, np.float64):
        x = Tensor(np.array([-np.inf, np.inf], np.float32), requires_grad=True)
        y = ours(x)
        y.backward(np.ones(2, np.float32))
        np.testing.assert_allclose(y.data, np.array(values, dtype), rtol=1e-6)
        np.testing.assert_allclose(x.grad, np.array(slopes, dtype), rtol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_nan_stays_nan(name):
    ours, _, grid = CASES[name]
    with np.errstate(all="ignore"):
        y = ours(np.array([np.nan, grid[-9]], np.float32))
    assert np.isnan(y[0]) and not np.isnan(y[1])


def test_every_activation_and_loss_is_held_to_it():
    rows = {name.split(",")[0].split(" of")[0] for name in CASES} | NOT_HERE.keys()
    public = {n for n in (*activations.__all__, *softmaxes.__all__, *losses.__all__)}
    inside = {n for n in public if n.startswith("textbook_")} | {"erf"}
    assert public - inside == rows


def test_the_normal_tail_is_right_to_float32_everywhere():
    """The fit in kernels/activations.py, evaluated in float64, against SciPy's erfcx."""
    from scipy.special import erfcx

    from dlscratch.functional.kernels.activations import _P, _Q, _polynomial

    t = np.linspace(0, 14.5, 20_001)
    fit = _polynomial(_P, t, np.empty_like(t)) / _polynomial(_Q, t, np.empty_like(t))
    assert np.abs(fit / (erfcx(t / np.sqrt(2)) / 2) - 1).max() < 1.3e-8


def main():
    for name in CASES:
        (value, at), (slope, there) = worst(name)
        print(f"{name:45} value {value:6.2f} at {at:10.4g}   slope {slope:6.2f} at {there:10.4g}")


if __name__ == "__main__":
    main()
