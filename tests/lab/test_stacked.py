"""Networks side by side are the package's networks, one by one."""

import numpy as np
import pytest

import dlscratch as dl
from dlscratch import functional, losses, testing
from dlscratch.lab import StackedMLP, curvature

ACTIVATIONS = {"tanh": functional.tanh, "relu": functional.relu, "linear": lambda z: z}
CASES = [
    (activation, loss, bias)
    for activation in ACTIVATIONS
    for loss in ("cross_entropy", "squared")
    for bias in (True, False)
]


def task(loss, networks=3, examples=7, rng=0):
    rng = np.random.default_rng(rng)
    X = rng.normal(size=(examples, 4))
    Y = rng.normal(size=(examples, 3))
    if loss == "cross_entropy":  # probabilities of the classes
        Y = np.exp(Y) / np.exp(Y).sum(axis=1, keepdims=True)
    return X, Y, networks


def one_by_one(stacked, row, X, Y):
    """(loss as a function of nothing, its leaves), with the package's own operations."""
    W, b = stacked.parts(row[None])
    weights = [dl.Tensor(w[0].copy(), requires_grad=True) for w in W]
    biases = [dl.Tensor(c[0].copy(), requires_grad=True) for c in b] if stacked.bias else []

    def loss():
        h = dl.Tensor(X)
        for l in range(len(weights)):
            h = h @ weights[l]
            if stacked.bias:
                h = h + biases[l]
            if l < len(weights) - 1:
                h = ACTIVATIONS[stacked.activation](h)
        if stacked.loss == "squared":
            return np.sum((h - Y) ** 2) * (0.5 / len(X))
        return losses.cross_entropy(h, Y)

    return loss, weights + biases


@pytest.mark.parametrize("activation, loss, bias", CASES)
def test_loss_gradient_and_hessian_product_equal_those_of_the_engine(activation, loss, bias):
    X, Y, networks = task(loss)
    stacked = StackedMLP([4, 6, 5, 3], activation, loss, bias)
    theta = stacked.start(range(networks))
    theta = theta + 0.1 * np.random.default_rng(1).normal(size=theta.shape)
    v = np.random.default_rng(2).normal(size=theta.shape)
    found, slopes = stacked.gradient(theta, X, Y)
    products = stacked.hessian_product(theta, X, Y, v)
    np.testing.assert_allclose(stacked.losses(theta, X, Y), found, rtol=1e-14)
    for r in range(networks):
        value, leaves = one_by_one(stacked, theta[r], X, Y)
        wanted = [g.data.ravel() for g in dl.gradients(value(), leaves)]
        assert testing.relative_error(found[r], value().data) < 1e-12
        assert testing.relative_error(slopes[r], np.concatenate(wanted)) < 1e-12
        bend = curvature.hessian_product(value, leaves)(v[r])
        assert testing.relative_error(products[r], bend) < 1e-10


def test_each_network_may_have_its_own_examples_and_more_leading_axes():
    rng = np.random.default_rng(0)
    stacked = StackedMLP([4, 6, 3])
    theta = stacked.start(range(6)).reshape(2, 3, -1)
    X = rng.normal(size=(3, 5, 4))
    Y = np.eye(3)[rng.integers(3, size=(3, 5))]
    found, slopes = stacked.gradient(theta, X, Y)
    assert found.shape == (2, 3) and slopes.shape == theta.shape
    alone = stacked.gradient(theta[1, 2][None], X[2], Y[2])
    np.testing.assert_allclose(found[1, 2], alone[0][0], rtol=1e-12)
    np.testing.assert_allclose(slopes[1, 2], alone[1][0], rtol=1e-12, atol=1e-15)


def test_one_network_and_one_example_a_row_give_the_gradient_of_each_example():
    X, Y, _ = task("cross_entropy")
    stacked = StackedMLP([4, 6, 3])
    theta = stacked.start([0])
    losses, each = stacked.gradient(theta, X[:, None], Y[:, None])
    assert losses.shape == (7,) and each.shape == (7, stacked.size)
    np.testing.assert_allclose(each.mean(axis=0), stacked.gradient(theta, X, Y)[1][0], atol=1e-15)


def test_the_start_is_that_of_its_seed_with_the_variance_asked_for():
    stacked = StackedMLP([400, 300, 2])
    theta = stacked.start([3, 4], gain=np.sqrt(2))
    (first, _), (bias, _) = stacked.parts(theta)
    np.testing.assert_array_equal(theta[1], stacked.start([4], gain=np.sqrt(2))[0])
    assert first[0].var() == pytest.approx(2 / 400, rel=0.02)
    assert not np.any(bias) and not np.any(theta[:, ~stacked.is_weight])
    assert np.shares_memory(first, theta)


def test_single_precision_stays_single():
    X, Y, _ = task("cross_entropy")
    stacked = StackedMLP([4, 6, 3], "relu")
    theta = stacked.start(range(2), dtype="float32")
    X, Y = X.astype("float32"), Y.astype("float32")
    found, slopes = stacked.gradient(theta, X, Y)
    bend = stacked.hessian_product(theta, X, Y, slopes)
    assert {found.dtype, slopes.dtype, bend.dtype} == {np.dtype("float32")}


def test_refusals_name_the_repair():
    with pytest.raises(ValueError, match=r"two or more positive numbers"):
        StackedMLP([64])
    with pytest.raises(ValueError, match=r"activation='gelu'; want one of \['tanh'"):
        StackedMLP([4, 3], "gelu")
    with pytest.raises(ValueError, match=r"loss='mse'; want one of \['cross_entropy'"):
        StackedMLP([4, 3], loss="mse")
    with pytest.raises(ValueError, match=r"want \(\.\.\., 15\), a row of 15 parameters"):
        StackedMLP([4, 3])(np.zeros((2, 14)), np.zeros((1, 4)))
