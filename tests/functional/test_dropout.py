"""Dropout keeps what it promises: means, variances, whole examples, each paper's formula."""

import numpy as np
import pytest

from dlscratch import Tensor, layers
from dlscratch import functional as F

x = np.random.default_rng(0).normal(size=(400, 500))


def alpha_dropout(x, p, rng):
    return F.alpha_dropout(x, p, training=True, rng=rng)


@pytest.mark.parametrize("f", [F.dropout, F.drop_path, alpha_dropout])
def test_reproducible_and_of_the_same_dtype(f):
    assert np.array_equal(f(x, 0.3, rng=1), f(x, 0.3, rng=1)) and not np.array_equal(
        f(x, 0.3, rng=1), f(x, 0.3, rng=2)
    )
    assert f(x.astype("float32"), 0.3, rng=1).dtype == np.float32
    t = Tensor(x, requires_grad=True)
    y = f(t, 0.3, rng=1)
    np.sum(y).backward()  # linear in x: the gradient is the slope, the same wherever it was kept
    slope = (f(2 * x, 0.3, rng=1) - f(x, 0.3, rng=1)) / x
    np.testing.assert_allclose(t.grad, slope, atol=1e-9)


def test_dropout_keeps_the_mean():
    y = F.dropout(np.ones_like(x), 0.25, rng=0)
    assert set(np.unique(y)) == {0, 1 / 0.75}
    assert abs(y.mean() - 1) < 0.01


def test_drop_path_drops_whole_examples():
    y = F.drop_path(np.ones((4000, 2, 3)), 0.25, rng=0).reshape(4000, -1)
    assert (y == y[:, :1]).all() and abs(y.mean() - 1) < 0.05 and set(np.unique(y)) == {0, 1 / 0.75}


def test_alpha_dropout_keeps_mean_and_variance():
    y = alpha_dropout(x, 0.4, rng=0)
    assert abs(y.mean()) < 0.01 and abs(y.var() - 1) < 0.02
    low = -1.0507009873554805 * 1.6732632423543772
    a = ((1 - 0.4) * (1 + 0.4 * low**2)) ** -0.5
    dropped = np.isclose(y, a * low - a * 0.4 * low, rtol=1e-9)
    assert abs(dropped.mean() - 0.4) < 0.01
    np.testing.assert_allclose(y[~dropped], a * x[~dropped] - a * 0.4 * low, rtol=1e-9)


@pytest.mark.parametrize("name", ["Dropout", "AlphaDropout", "DropPath"])
def test_layers_act_in_training_only(name):
    layer = getattr(layers, name)(0.5, rng=0)
    assert not np.array_equal(layer(x), layer(x)) and np.array_equal(layer.eval()(x), x)
    with pytest.raises(ValueError, match=rf"{name}\(p=1.5\): want 0 <= p <= 1"):
        getattr(layers, name)(1.5)


@pytest.mark.parametrize("f", [F.dropout, F.drop_path, F.alpha_dropout])
def test_bad_p(f):
    with pytest.raises(ValueError, match="want 0 <= p <= 1"):
        f(x, -0.1)


@pytest.mark.parametrize("f", [F.dropout, F.drop_path, F.alpha_dropout])
def test_outside_training_nothing_is_drawn(f):
    rng = np.random.default_rng(0)
    assert f(x, 0.5, False, rng=rng) is x and f(x, 0.0, True, rng=rng) is x
    assert rng.random() == np.random.default_rng(0).random()


@pytest.mark.parametrize("f", [F.dropout, F.drop_path, alpha_dropout])
def test_with_p_of_1_nothing_is_left_and_nothing_learns(f):
    t = Tensor(x.astype("float32"), requires_grad=True)
    for p in (1, 1.0, np.float64(1)):
        y = f(t, p, rng=0)
        np.sum(y * y).backward()
        assert not y.data.any() and not t.grad.any() and y.dtype == t.grad.dtype == np.float32


@pytest.mark.parametrize("f", [F.dropout, F.drop_path, alpha_dropout])
def test_p_may_be_a_number_of_numpy(f):
    assert f(x.astype("float32"), np.float64(0.3), rng=1).dtype == np.float32
