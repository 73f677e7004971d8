"""Integers give NumPy's values, float16 is added up in float32, options never change the dtype."""

import warnings

import numpy as np
import pytest

from dlscratch.engine import Tensor, gradients
from tests.samples import SAMPLES

CODE = ("np.", "x[", "x **")
NUMPY = [s for s in SAMPLES if s.label.startswith(CODE) and "of rank 2" not in s.label]
INTEGERS = ["uint8", "int8", "int64", "bool"]


def outcome(sample, arrays):
    """The outputs as arrays, or the error."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            y = sample.f(*arrays)
    except (TypeError, ValueError, OverflowError, np.linalg.LinAlgError) as error:
        return error
    return [
        getattr(a, "data", a) if isinstance(a, Tensor) else np.asarray(a)
        for a in (y if isinstance(y, (tuple, list)) else [y])
    ]


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("sample", NUMPY, ids=lambda s: s.label)
def test_integers_give_the_values_of_numpy_or_an_error(sample, dtype):
    arrays = [np.round(a * 60 + 100).astype("int64") for a in sample.draw(np.random.default_rng(0))]
    arrays = [(a % 2 if dtype == "bool" else a).astype(dtype) for a in arrays]
    wanted = outcome(sample, arrays)
    got = outcome(sample, [Tensor(a) for a in arrays])
    if isinstance(got, Exception) or isinstance(wanted, Exception):
        return
    for ours, theirs in zip(got, wanted, strict=True):
        assert ours.dtype.kind == theirs.dtype.kind, (ours.dtype, theirs.dtype)
        places = 2 * np.finfo(theirs.dtype).eps if theirs.dtype.kind == "f" else 0
        np.testing.assert_allclose(ours.astype(float), theirs.astype(float), rtol=1e-12 + places)


# float16 -----------------------------------------------------------------------------------------

LARGE = np.full(100_000, 300, np.float16)
MIXED = np.tile(np.array([0, 2], np.float16), 50_000)
FLOAT16 = {
    "mean": (np.mean, LARGE, 300),
    "mean of rows": (lambda x: np.mean(x.reshape(2, -1), axis=1)[0], LARGE, 300),
    "average": (lambda x: np.average(x, weights=np.ones_like(LARGE)), LARGE, 300),
    "var": (np.var, MIXED, 1),
    "std": (np.std, 300 * MIXED, 300),
    "nanmean": (np.nanmean, np.where(np.arange(100_000) == 7, np.nan, LARGE), 300),
    "nanvar": (np.nanvar, np.where(np.arange(100_000) == 7, np.nan, MIXED), 1),
    "norm": (np.linalg.norm, LARGE[:10_000], 30_000),
    "norm 3": (lambda x: np.linalg.norm(x, 3), LARGE[:1000], 3000),
    "logsumexp": (lambda x: np.logaddexp.reduce(x), 0 * LARGE, np.log(100_000)),
    "median": (np.median, LARGE, 300),
}


@pytest.mark.parametrize("name", FLOAT16)
def test_float16_is_added_up_in_float32(name):
    f, x, true = FLOAT16[name]
    t = Tensor(x.astype(np.float16), requires_grad=True)
    y = f(t)
    assert y.dtype == np.float16
    np.testing.assert_allclose(y.data, true, rtol=2e-3)
    (g,) = gradients(y, [t])
    assert g.dtype == np.float16 and np.isfinite(g.data).all()


# Options that are numbers of NumPy ----------------------------------------------------------------

PLAIN = np.linspace(0.3, 2, 12, dtype=np.float32).reshape(3, 4)
OPTIONS = {
    "var ddof": lambda x: np.var(x, ddof=np.float64(1)),
    "std ddof": lambda x: np.std(x, axis=np.int64(1), ddof=np.float64(1)),
    "nanvar ddof": lambda x: np.nanvar(x, ddof=np.float64(1)),
    "norm ord": lambda x: np.linalg.norm(x, np.float64(3), axis=1),
    "norm ord 2": lambda x: np.linalg.norm(x, np.float64(2), axis=1),
    "norm inf": lambda x: np.linalg.norm(x, np.float64(np.inf), axis=1),
    "quantile q": lambda x: np.quantile(x, np.float64(0.3)),
    "quantile qs": lambda x: np.quantile(x, np.array([0.3, 0.4])),
    "percentile q": lambda x: np.percentile(x, np.float64(30), axis=0),
    "trapezoid dx": lambda x: np.trapezoid(x, dx=np.float64(0.1)),
    "pad": lambda x: np.pad(x, 1, constant_values=np.float64(2)),
    "nan_to_num": lambda x: np.nan_to_num(x, nan=np.float64(2)),
    "interp": lambda x: np.interp(x, np.arange(3.0), np.arange(3.0) ** 2, left=np.float64(1)),
    "roll": lambda x: np.roll(x, np.int64(1), axis=np.int64(0)),
    "root of a mean": lambda x: np.sqrt(np.mean(np.square(x), axis=np.int64(-1))),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_of_numpy_does_not_change_the_dtype(name):
    t = Tensor(PLAIN, requires_grad=True)
    y = OPTIONS[name](t)
    assert y.dtype == np.float32
    (g,) = gradients(np.sum(y * y), [t], create_graph=True)
    assert g.dtype == np.float32
    if g.requires_grad:
        assert gradients(np.sum(g * g), [t])[0].dtype == np.float32


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")  # float16 ends at 65504
@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("sample", NUMPY, ids=lambda s: s.label)
def test_gradients_of_both_orders_have_the_dtype_of_their_input(sample, dtype):
    if dtype == "float16" and ".linalg." in sample.label:
        return  # LAPACK has no half precision
    arrays = sample.draw(np.random.default_rng(0))
    leaves = [Tensor(a.astype(dtype), requires_grad=True) for a in arrays]
    y = sample.f(*leaves)
    loss = sum(np.sum(part * part) for part in (y if isinstance(y, (tuple, list)) else [y]))
    slopes = gradients(loss, leaves, create_graph=True)
    assert {g.dtype for g in slopes} == {np.dtype(dtype)}
    curved = [g for g in slopes if g.requires_grad]
    if curved:
        second = gradients(sum(np.sum(g * g) for g in curved), leaves)
        assert {g.dtype for g in second} == {np.dtype(dtype)}


def test_integers_are_refused_where_a_gradient_is_asked_for():
    for dtype in INTEGERS:
        with pytest.raises(TypeError, match="float"):
            Tensor(np.ones(2, dtype), requires_grad=True)
