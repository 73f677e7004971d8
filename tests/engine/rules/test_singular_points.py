"""Where a function has no slope, or an infinite one: PyTorch's gradient, or the documented one."""

import math

import numpy as np
import pytest

from dlscratch.engine import Tensor, gradients, hessian

inf = math.inf
nan = math.nan
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # log 0, 1 / 0: as in NumPy


def slopes(f, *arrays, dtype="float64"):
    """The gradient of sum f, seeded with ones, so that infinite values do no harm."""
    leaves = [Tensor(np.array(a, dtype), requires_grad=True) for a in arrays]
    y = f(*leaves)
    return [g.data for g in gradients(y, leaves, gradient=np.ones(y.shape))]


POINTS = {  # name: (function, arguments, slopes)
    "sqrt": (np.sqrt, [[0.0]], [[inf]]),
    "cbrt": (np.cbrt, [[0.0]], [[inf]]),
    "reciprocal": (np.reciprocal, [[0.0]], [[-inf]]),
    "log": (np.log, [[0.0]], [[inf]]),
    "log2": (np.log2, [[0.0]], [[inf]]),
    "log1p": (np.log1p, [[-1.0]], [[inf]]),
    "arcsin": (np.arcsin, [[1.0, -1.0]], [[inf, inf]]),
    "arccos": (np.arccos, [[1.0, -1.0]], [[-inf, -inf]]),
    "arctanh": (np.arctanh, [[1.0, -1.0]], [[inf, inf]]),
    "arccosh": (np.arccosh, [[1.0]], [[inf]]),
    "absolute": (np.abs, [[0.0, -0.0]], [[0, 0]]),
    "sinc": (np.sinc, [[0.0, 0.3, 1.0]], [[0, -0.90207, -1.0]]),
    "hypot at the origin": (np.hypot, [[0.0], [0.0]], [[0], [0]]),
    "hypot at infinity": (np.hypot, [[inf, -inf, 2.0], [1.0, 0, inf]], [[1, -1, 0], [0, 0, 1]]),
    "arctan2 at the origin": (np.arctan2, [[0.0, -0.0], [0.0, -0.0]], [[0, 0], [0, 0]]),
    "arctan2 at infinity": (np.arctan2, [[inf, 1], [1.0, inf]], [[0, 0], [0, 0]]),
    "arctan2 near the origin": (np.arctan2, [[1e-200], [1e-200]], [[5e199], [-5e199]]),
    "0 ** p": (
        np.power,
        [[0.0, 0, 0, 0, 0], [0.0, 0.5, 1, 2, -1]],
        [[0, inf, 1, 0, -inf], [0, 0, 0, 0, -inf]],
    ),
    "inf ** p": (np.power, [[inf, inf, inf], [0.0, 1, -1]], [[0, 1, 0], [inf, inf, 0]]),
    "nan ** 0": (lambda x: x**0, [[nan, 0.0, inf, -inf]], [[0, 0, 0, 0]]),
    "x ** 0 by arrays": (lambda x: x ** np.zeros(3), [[nan, 0.0, inf]], [[0, 0, 0]]),
    "x ** uint8": (lambda x: x ** np.array([0, 1, 2], np.uint8), [[0.0, 0, 3]], [[0, 1, 6]]),
    "fmax": (np.fmax, [[nan, 1, 2, 3.0], [1.0, nan, 2, 1]], [[0, 1, 0.5, 1], [1, 0, 0.5, 0]]),
    "fmin": (np.fmin, [[nan, 1, 2, 3.0], [1.0, nan, 2, 1]], [[0, 1, 0.5, 0], [1, 0, 0.5, 1]]),
    "fmax of two NaN": (np.fmax, [[nan], [nan]], [[0.5], [0.5]]),
    "maximum": (np.maximum, [[nan, 1, 2.0], [1.0, nan, 2]], [[1, 0, 0.5], [0, 1, 0.5]]),
    "minimum": (np.minimum, [[nan, 1, 2.0], [1.0, nan, 2]], [[1, 0, 0.5], [0, 1, 0.5]]),
    "max": (lambda x: np.max(x, axis=1), [[[nan, 1.0], [2, 2]]], [[[1, 0], [0.5, 0.5]]]),
    "min of inf": (np.min, [[inf, inf]], [[0.5, 0.5]]),
    "clip": (lambda x: np.clip(x, 0, 1), [[nan, inf, -inf, 0, 1, 0.5]], [[0, 0, 0, 1, 1, 1]]),
    "clip, crossed": (lambda x: np.clip(x, 2, 1), [[0.0, 1.5, 3]], [[0, 0, 0]]),
    "nan_to_num": (np.nan_to_num, [[nan, inf, -inf, 1]], [[0, 0, 0, 1]]),
    "det of rank 1": (np.linalg.det, [[[1.0, 2], [2, 4]]], [[[4, -2], [-2, 1]]]),
    "det of rank 0": (np.linalg.det, [np.zeros((3, 3))], [np.zeros((3, 3))]),
    "det of [[0]]": (np.linalg.det, [[[0.0]]], [[[1]]]),
    "slogdet of rank 1": (
        lambda a: np.linalg.slogdet(a)[1],
        [[[1.0, 2], [2, 4]]],
        [[[inf, -inf], [-inf, inf]]],
    ),
    "logaddexp": (
        np.logaddexp,
        [[inf, inf, -inf, 0, -inf], [0.0, inf, -inf, -inf, 0]],
        [[1, 0.5, 0, 1, 0], [0, 0.5, 0, 0, 1]],
    ),
    "logaddexp2": (np.logaddexp2, [[inf, 0, -inf], [0.0, -inf, -inf]], [[1, 1, 0], [0, 0, 0]]),
    "logsumexp": (
        lambda x: np.logaddexp.reduce(x, axis=1),
        [[[-inf, -inf, -inf], [inf, 0, inf], [-inf, 1, 1]]],
        [[[0, 0, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]],
    ),
    "std of a constant": (np.std, [[1.0, 1, 1]], [[0, 0, 0]]),
    "var of a constant": (np.var, [[1.0, 1, 1]], [[0, 0, 0]]),
    "prod with a zero": (np.prod, [[0.0, 2, 3]], [[6, 0, 0]]),
    "prod with two": (np.prod, [[0.0, 2, 0]], [[0, 0, 0]]),
    "prod beyond the range": (
        np.prod,
        [[1e200, 1e200, 1e-200, 1e-200]],
        [[1e-200, 1e-200, 1e200, 1e200]],
    ),
    "prod of next to nothing": (np.prod, [[1e-200, 1e-200]], [[1e-200, 1e-200]]),
    "prod, a row beyond, a row of zeros": (
        lambda x: np.prod(x, axis=1),
        [[[1e200, 1e200, 1e-300], [0, 2, 3]]],
        [[[1e-100, 1e-100, inf], [6, 0, 0]]],
    ),
    "cumprod with a zero": (np.cumprod, [[2.0, 0, 3]], [[1, 8, 0]]),
    "cumprod beyond the range": (
        lambda x: np.cumprod(x)[1:],
        [[1e-300, 1e200, 1e200, 1e-200]],
        [[inf, 1e-100, 1e-100, 1e100]],
    ),
    "sort, ties": (lambda x: np.sort(x) * [1, 2, 3], [[2.0, 1, 2]], [[2, 1, 3]]),
    "median, ties": (np.median, [[2.0, 2, 1, 2]], [[0.5, 0.5, 0, 0]]),
    "median, NaN": (np.median, [[2.0, nan, 1]], [[0, 1, 0]]),
    "quantile of infinities": (
        lambda x: np.quantile(x, 0.25),
        [[inf, 1, 2, 3, 4]],
        [[0, 0, 1, 0, 0]],
    ),
    **{
        f"norm {p} at 0": (lambda x, p=p: np.linalg.norm(x, p), [[0.0, 0]], [[0, 0]])
        for p in (0.5, 1, 1.5, 2, 3, inf)
    },
    "norm 0.5 with a zero": (
        lambda x: np.linalg.norm(x, 0.5),
        [[0.0, 1, 4]],
        [[0, 3, 1.5]],
    ),
    "fmod": (np.fmod, [[5.5, -7.0], [2, 2]], [[1, 1], [-2, 3]]),
    "x log x": (lambda x: x * np.log(x), [[0.0]], [[-inf]]),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", POINTS)
def test_slope_at_a_singular_point(name, dtype):
    f, arrays, true = POINTS[name]
    if dtype == "float32" and any(word in name for word in ("beyond", "near", "next")):
        scale = 1 / 10  # the same within the range of float32: 1e-200 is 1e-20 there
        arrays, true = (np.sign(v) * np.abs(v) ** scale for v in map(np.array, (arrays, true)))
        if "beyond" not in name:
            return
    for got, wanted in zip(slopes(f, *arrays, dtype=dtype), true, strict=True):
        assert got.dtype == dtype
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-6)


def test_squared_norms_have_their_curvature_at_zero():
    for square in (np.square, lambda y: y**2):
        for f, true in (
            (np.linalg.norm, 2 * np.eye(3)),
            (lambda x: np.linalg.norm(x, axis=0), 2 * np.eye(3)),
            (np.std, 2 / 3 * (np.eye(3) - 1 / 3)),
        ):
            got = hessian(lambda x: np.sum(square(f(x))))(np.zeros(3))  # noqa: B023
            np.testing.assert_allclose(got.data, true, atol=1e-12)


def test_squares_of_norms_are_those_of_numpy():
    x = np.random.default_rng(0).normal(size=(4, 3))
    t = Tensor(x, requires_grad=True)
    y = np.square(np.linalg.norm(t, axis=1, keepdims=True))
    np.testing.assert_allclose(y.data, np.linalg.norm(x, axis=1, keepdims=True) ** 2)
    (g,) = gradients(np.sum(y), [t])
    np.testing.assert_allclose(g.data, 2 * x)


MASKED = {  # functions whose slope is infinite or NaN at these points
    "log": (np.log, [0.0, -1]),
    "log2": (np.log2, [0.0, -1]),
    "log10": (np.log10, [0.0, -1]),
    "log1p": (np.log1p, [-1.0, -2]),
    "sqrt": (np.sqrt, [0.0, -1]),
    "cbrt": (np.cbrt, [0.0]),
    "reciprocal": (np.reciprocal, [0.0]),
    "1 / x": (lambda x: 1 / x, [0.0]),
    "0 / x": (lambda x: 0 / x, [0.0]),
    "x / 0": (lambda x: x / np.zeros_like(x.data), [0.0, 1]),
    "x ** -1.5": (lambda x: x**-1.5, [0.0, -1]),
    "x ** 0.3": (lambda x: x**0.3, [0.0, -1]),
    "arcsin": (np.arcsin, [1.0, -1, 2]),
    "arccos": (np.arccos, [1.0, -1, 2]),
    "arctanh": (np.arctanh, [1.0, -1, 2]),
    "arccosh": (np.arccosh, [1.0, 0]),
    "hypot": (lambda x: np.hypot(x, x), [0.0, inf]),
    "norm": (lambda x: np.linalg.norm(x[:, None], axis=1), [0.0]),
    "x log x": (lambda x: x * np.log(x), [0.0, -1]),
}


@pytest.mark.parametrize("name", MASKED)
def test_what_where_left_out_has_no_say(name):
    f, points = MASKED[name]
    points = np.array([*points, 0.5])
    mask = np.arange(len(points)) == len(points) - 1

    def masked(x):
        return np.where(mask, f(x), x)

    leaf = Tensor(points, requires_grad=True)
    (g,) = gradients(np.sum(masked(leaf)), [leaf], create_graph=True)
    assert np.all(g.data[:-1] == 1)
    (second,) = gradients(np.sum(g * g), [leaf])
    assert np.all(second.data[:-1] == 0), second.data
    if np.isfinite(f(Tensor(points)).data[-1]):
        alone = Tensor(points[-1:], requires_grad=True)
        (true,) = gradients(np.sum(f(alone)), [alone])
        assert g.data[-1] == true.data[0]


@pytest.mark.parametrize("bad", [nan, inf])
def test_a_branch_that_is_not_taken_may_hold_anything(bad):
    spoilt = np.array([1.0, bad, 2.0])
    a = Tensor(spoilt, requires_grad=True)
    b = Tensor(np.ones(3), requires_grad=True)
    for y in (
        np.where(np.isfinite(spoilt), a, b),
        np.select([np.isfinite(spoilt)], [a], b),
        np.nan_to_num(a, posinf=0.0) + 0 * b,
        np.nansum(np.where(np.isfinite(spoilt), a, nan)) + 0 * b,
    ):
        of_a, of_b = gradients(np.sum(y), [a, b])
        assert np.isfinite(of_a.data).all() and np.isfinite(of_b.data).all()
        assert of_a.data[1] == 0


ROWWISE = {
    "sum": lambda x: np.sum(x, axis=1),
    "mean": lambda x: np.mean(x, axis=1),
    "var": lambda x: np.var(x, axis=1),
    "std": lambda x: np.std(x, axis=1),
    "prod": lambda x: np.prod(x, axis=1),
    "cumsum": lambda x: np.cumsum(x, axis=1),
    "cumprod": lambda x: np.cumprod(x, axis=1),
    "max": lambda x: np.max(x, axis=1),
    "ptp": lambda x: np.ptp(x, axis=1),
    "sort": lambda x: np.sort(x, axis=1),
    "median": lambda x: np.median(x, axis=1),
    "quantile": lambda x: np.quantile(x, 0.3, axis=1),
    "norm": lambda x: np.linalg.norm(x, axis=1),
    "norm 0.5": lambda x: np.linalg.norm(x, 0.5, axis=1),
    "logsumexp": lambda x: np.logaddexp.reduce(x, axis=1),
    "average": lambda x: np.average(x, axis=1, weights=np.ones((3, 4))),
    "diff": lambda x: np.diff(x, axis=1),
    "trapezoid": lambda x: np.trapezoid(x, axis=1),
    "pad": lambda x: np.pad(x, ((0, 0), (1, 1)), mode="reflect"),
    "windows": lambda x: np.lib.stride_tricks.sliding_window_view(x, 2, axis=1),
    "take": lambda x: x[:, [0, 0, 3]],
}


@pytest.mark.parametrize("bad", [nan, inf, -inf])
@pytest.mark.parametrize("name", ROWWISE)
def test_a_bad_entry_spoils_only_its_row(name, bad):
    clean = np.random.default_rng(0).uniform(0.5, 2, (3, 4))
    spoilt = clean.copy()
    spoilt[1, 2] = bad
    values = []
    for x in (clean, spoilt):
        t = Tensor(x, requires_grad=True)
        y = ROWWISE[name](t)
        values.append((y.data, gradients(np.sum(y[[0, 2]] ** 2) + np.sum(y[1] * 0), [t])[0].data))
    for kept, now in zip(*values, strict=True):
        np.testing.assert_allclose(now[[0, 2]], kept[[0, 2]], rtol=1e-13)


@pytest.mark.parametrize("axis", [0, 1])
def test_cumsum_spoils_only_what_comes_after(axis):
    x = np.ones((4, 4))
    x[2, 2] = nan
    t = Tensor(x, requires_grad=True)
    finite = np.isfinite(np.cumsum(x, axis=axis))
    (g,) = gradients(np.sum(np.where(finite, np.cumsum(t, axis=axis) ** 2, 0)), [t])
    assert np.isfinite(g.data).all()
    (g,) = gradients(np.sum(np.cumsum(t, axis=axis) ** 2), [t])
    assert np.isnan(g.data).sum() == 4 and np.isfinite(np.delete(g.data, 2, axis=1 - axis)).all()
