"""Toy sets: their truth must be the truth, which is measured here and not believed."""

import numpy as np
import pytest

from dlscratch.data import blobs, circles, moons, spirals, xor
from dlscratch.engine import default_dtype

TOYS = [moons, circles, spirals, xor, blobs]


@pytest.mark.parametrize("toy", TOYS)
def test_shapes_and_seeds(toy):
    got = toy(3, n=101)
    assert got.X.shape == (101, 2) and got.X.dtype == np.float32 and got.y.dtype == np.int64
    assert np.bincount(got.y).tolist() == [51, 50]
    assert np.array_equal(got.X, toy(np.random.default_rng(3), n=101).X)
    assert not np.array_equal(got.X, toy(4, n=101).X)
    with default_dtype("float64"):
        assert toy(3, n=10).X.dtype == np.float64


@pytest.mark.parametrize("toy", TOYS)
def test_truth_is_calibrated(toy):
    """Where truth says p, the share of class 1 is p: within 4 standard errors, in 8 bins."""
    noise = {"spirals": 0.25, "xor": 1.0, "blobs": 0.8}.get(toy.__name__, 0.4)
    X, y, truth = toy(0, n=40_000, noise=noise)
    p = truth(X)
    for low in np.arange(8) / 8:
        inside = (p >= low) & (p < low + 1 / 8)
        error = np.sqrt(np.mean(p[inside] * (1 - p[inside])) / inside.sum())
        assert inside.sum() > 100 and abs(y[inside].mean() - p[inside].mean()) < 4 * error


def test_truth_of_two_blobs_is_the_logistic_function():
    """Two Gaussians at (1, 0) and (-1, 0): P(y = 1 | x) = 1 / (1 + exp(2 x1 / noise²))."""
    X = np.random.default_rng(0).normal(size=(50, 2))
    assert np.allclose(
        blobs(0, noise=0.7).truth(X), 1 / (1 + np.exp(2 * X[:, 0] / 0.49)), rtol=1e-12
    )


def test_where_the_classes_lie():
    """Without noise to speak of, the points stand on the curves that the docstrings name."""
    X, y, _ = circles(0, noise=1e-6)
    assert np.allclose(np.linalg.norm(X, axis=1), np.where(y == 0, 1, 0.5), atol=1e-4)
    X, y, _ = xor(0, noise=1e-6)
    assert np.allclose(np.abs(X), 1, atol=1e-4) and np.array_equal(X[:, 0] * X[:, 1] < 0, y == 1)
    X, y, _ = moons(0, noise=1e-6)
    assert np.allclose(np.linalg.norm(X - y[:, None] * [1, 0.5], axis=1), 1, atol=1e-4)
    radius = np.linalg.norm(spirals(0, noise=1e-6).X, axis=1)
    assert 0.1 < radius.min() < 0.12 and 0.98 < radius.max() < 1


def test_truth_of_xor_far_away_is_finite():
    truth = xor(0).truth(np.array([[90.0, 90.0], [-90.0, 90.0], [0.0, 0.0]]))
    assert np.allclose(truth, [0, 1, 0.5])


@pytest.mark.parametrize("toy", [spirals, blobs])
def test_more_classes(toy):
    got = toy(0, n=3000, noise=0.15, classes=3)
    p = got.truth(got.X)
    assert p.shape == (3000, 3) and np.allclose(p.sum(axis=1), 1)
    best, right = p.max(axis=1), p.argmax(axis=1) == got.y
    assert abs(right.mean() - best.mean()) < 4 * np.sqrt(np.mean(best * (1 - best)) / 3000)


@pytest.mark.parametrize("noise", [0, -1, float("nan")])
def test_noise_must_be_positive(noise):
    with pytest.raises(ValueError, match="want a positive number"):
        moons(0, noise=noise)


def test_too_few_points():
    with pytest.raises(ValueError, match="1 points for 2 classes"):
        moons(0, n=1)
