"""Convolution, interpolation, order statistics against NumPy; Fourier transforms refuse."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlscratch.engine import Tensor, gradients
from dlscratch.engine.operation import describe
from dlscratch.engine.rules.signals import REFUSED

few = settings(max_examples=60, deadline=None)
lengths = st.integers(1, 7)
modes = st.sampled_from(["full", "same", "valid"])


@few
@given(lengths, lengths, modes, st.sampled_from([np.convolve, np.correlate]), st.integers(0, 99))
def test_convolutions_of_all_lengths(n, m, mode, function, seed):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=n)
    v = rng.normal(size=m)
    leaves = [Tensor(a, requires_grad=True), Tensor(v, requires_grad=True)]
    y = function(*leaves, mode)
    wanted = function(a, v, mode)
    np.testing.assert_allclose(y.data, wanted, rtol=1e-12, atol=1e-14)
    weights = rng.normal(size=y.shape)
    found = gradients(y, leaves, weights)
    for k, g in enumerate(found):  # y is linear in each of the two: its slopes are its own values
        for i in range(len(g)):
            unit = np.eye(len(g))[i]
            moved = function(*((unit, v) if k == 0 else (a, unit)), mode)
            np.testing.assert_allclose(g.data[i], np.sum(weights * moved), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_a_bad_entry_spoils_only_the_sums_that_it_is_in(mode):
    a = np.array([1.0, 2, np.nan, 4, 5, 6])
    y = np.convolve(Tensor(a), Tensor([1.0, 2]), mode)
    np.testing.assert_array_equal(y.data, np.convolve(a, [1.0, 2], mode))


def test_convolutions_of_nothing_and_of_matrices_are_refused():
    with pytest.raises(ValueError, match=r"np.convolve on Tensors: expected two sequences"):
        np.convolve(Tensor(np.ones(0)), Tensor(np.ones(2)))
    with pytest.raises(ValueError, match=r"got shapes \(2, 2\) and \(2,\); np.ravel"):
        np.convolve(Tensor(np.ones((2, 2))), Tensor(np.ones(2)))
    with pytest.raises(ValueError, match="expected mode 'full', 'same' or 'valid', got 'half'"):
        np.convolve(Tensor(np.ones(2)), np.ones(2), "half")


@few
@given(st.integers(1, 6), st.integers(0, 99))
def test_interpolation_is_that_of_numpy(n, seed):
    rng = np.random.default_rng(seed)
    xp = np.cumsum(rng.uniform(0.1, 1, n))
    fp = rng.normal(size=n)
    x = np.concatenate([rng.uniform(-1, 7, 20), xp])
    np.testing.assert_allclose(np.interp(Tensor(x), xp, fp).data, np.interp(x, xp, fp), rtol=1e-12)
    np.testing.assert_allclose(np.interp(x, xp, Tensor(fp)).data, np.interp(x, xp, fp), rtol=1e-12)


@few
@given(st.lists(st.integers(0, 3), min_size=1, max_size=9), st.floats(0, 1), st.integers(0, 9))
def test_quantiles_with_ties(numbers, q, seed):
    """Values are NumPy's; gradients sum to 1, since moving all moves the quantile as much."""
    x = np.array(numbers, float)
    t = Tensor(x, requires_grad=True)
    for y, wanted in (
        (np.quantile(t, q), np.quantile(x, q)),
        (np.percentile(t, 100 * q), np.percentile(x, 100 * q)),
        (np.median(t), np.median(x)),
    ):
        np.testing.assert_allclose(y.data, wanted, rtol=1e-12, atol=1e-14)
        (g,) = gradients(y, [t])
        assert np.isclose(g.data.sum(), 1) and np.count_nonzero(g.data) <= 2


def test_order_statistics_refuse_what_has_no_slope():
    with pytest.raises(ValueError, match="expected method='linear', got 'nearest'"):
        np.quantile(Tensor(np.ones(3)), 0.5, method="nearest")
    with pytest.raises(ValueError, match="expected q from 0 to 1"):
        np.quantile(Tensor(np.ones(3)), 1.5)


@pytest.mark.parametrize("function", REFUSED, ids=describe)
def test_fourier_transforms_say_why_they_refuse(function):
    with pytest.raises(TypeError, match=rf"{describe(function)} has no derivative rule.*complex"):
        function(Tensor(np.ones((4, 4)), requires_grad=True))


def test_the_repair_that_the_refusal_names():
    x = np.random.default_rng(0).normal(size=7)
    n = len(x)
    w = 2 * np.pi / n * np.outer(np.arange(n), np.arange(n // 2 + 1))
    t = Tensor(x, requires_grad=True)
    np.testing.assert_allclose((t @ np.cos(w)).data, np.fft.rfft(x).real, atol=1e-12)
    np.testing.assert_allclose(-(t @ np.sin(w)).data, np.fft.rfft(x).imag, atol=1e-12)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", "nansum nanmean nanvar nanstd nanmax nanmin nanprod".split())
def test_rows_of_nothing_but_nan(name):
    x = np.array([[np.nan, np.nan], [1.0, np.nan], [3.0, 5.0]])
    t = Tensor(x, requires_grad=True)
    y = getattr(np, name)(t, axis=1)
    np.testing.assert_allclose(y.data, getattr(np, name)(x, axis=1))
    (g,) = gradients(np.sum(y[1:]), [t])
    assert np.isfinite(g.data).all() and not g.data[np.isnan(x)].any()
