"""Products with the Hessian, and what is computed from them, against the Hessian written out."""

import numpy as np
import pytest

from dlscratch import default_dtype, hessian, layers, losses
from dlscratch.lab import curvature

rng = np.random.default_rng(0)
Q = np.linalg.qr(rng.normal(size=(40, 40)))[0]
VALUES = np.concatenate([[-3.0, 9.0], np.linspace(0, 2, 38)])
H = Q * VALUES @ Q.T


def product(v):
    return H @ v


def test_hessian_product_is_that_of_the_model():
    with default_dtype("float64"):
        model = layers.Sequential(
            layers.Linear(3, 4, rng=0), layers.Tanh(), layers.Linear(4, 2, rng=1)
        )
    X, y = rng.normal(size=(8, 3)), rng.integers(0, 2, 8)
    parameters = model.parameters()
    multiply = curvature.hessian_product(lambda: losses.cross_entropy(model(X), y), parameters)

    def loss(theta):
        W1, b1, W2, b2 = (
            theta[:12].reshape(4, 3),
            theta[12:16],
            theta[16:24].reshape(2, 4),
            theta[24:],
        )
        return losses.cross_entropy(np.tanh(X @ W1.T + b1) @ W2.T + b2, y)

    whole = hessian(loss)(parameters.theta).data
    for _ in range(2):  # its graph is kept
        v = rng.normal(size=26)
        np.testing.assert_allclose(multiply(v), whole @ v, rtol=1e-9, atol=1e-12)
    with pytest.raises(ValueError, match=r"v has shape \(3,\), want \(26,\)"):
        multiply(np.ones(3))


def test_power_iteration():
    value, vector = curvature.power_iteration(product, 40)
    assert abs(value - 9) < 1e-7
    np.testing.assert_allclose(H @ vector, value * vector, atol=1e-6)
    with pytest.raises(RuntimeError, match="not settled after 3 rounds"):
        curvature.power_iteration(product, 40, rounds=3)


def test_lanczos_finds_the_ends_and_the_moments():
    nodes, weights = curvature.lanczos(product, 40, steps=25)
    assert abs(nodes[0] + 3) < 1e-8 and abs(nodes[-1] - 9) < 1e-8
    v = np.random.default_rng(0).normal(size=40)
    v /= np.linalg.norm(v)
    for power in range(5):
        assert np.isclose(weights @ nodes**power, v @ np.linalg.matrix_power(H, power) @ v)


def test_lanczos_stops_when_nothing_is_left():
    nodes, weights = curvature.lanczos(lambda v: 2 * v, 40)
    np.testing.assert_allclose([nodes, weights], [[2.0], [1.0]])


def test_hutchinson_has_the_mean_and_variance_of_its_formula():
    estimates = curvature.hutchinson(product, 40, samples=4000)
    variance = 2 * (np.square(H).sum() - np.square(np.diag(H)).sum())
    assert abs(estimates.mean() - np.trace(H)) < 4 * np.sqrt(variance / 4000)
    assert abs(estimates.var() / variance - 1) < 0.15


def test_spectral_density_is_that_of_the_eigenvalues():
    grid = np.linspace(-6, 12, 2001)
    density = curvature.spectral_density(product, 40, grid, steps=40, probes=400, width=0.5)
    exact = np.exp(-0.5 * ((grid[:, None] - VALUES) / 0.5) ** 2).mean(axis=1) / (
        0.5 * np.sqrt(2 * np.pi)
    )
    assert abs(np.trapezoid(density, grid) - 1) < 1e-6
    assert np.abs(density - exact).max() < 0.03 * exact.max()
