"""Gaussian means against what is known in closed form, and against the rule that they replace."""

import numpy as np
import pytest

from dlscratch.lab.quadrature import gaussian_mean, gaussian_mean2


@pytest.mark.parametrize(
    ("f", "known"),
    [
        (lambda z: z**4, 3.0),
        (lambda z: np.exp(z), np.exp(0.5)),
        (np.cos, np.exp(-0.5)),
        (lambda z: np.maximum(z, 0) ** 2, 0.5),
        (np.abs, np.sqrt(2 / np.pi)),
    ],
)
def test_equals_the_closed_form(f, known):
    assert gaussian_mean(f) == pytest.approx(known, rel=1e-9)


@pytest.mark.parametrize("scale", [0.5, 3.0, 10.7])
def test_a_steep_tanh_is_settled_where_a_hundred_hermite_nodes_are_not(scale):
    slope = lambda z: scale**2 / np.cosh(np.minimum(scale * np.abs(z), 150)) ** 4
    fine = np.linspace(-13, 13, 4_000_001)
    weights = np.exp(-0.5 * fine**2)
    truth = float(weights @ slope(fine) / weights.sum())
    assert gaussian_mean(slope) == pytest.approx(truth, rel=1e-8)
    nodes, shares = np.polynomial.hermite_e.hermegauss(100)
    hermite = float(shares @ slope(nodes) / shares.sum())
    assert (abs(hermite / truth - 1) > 0.01) == (scale > 2)


@pytest.mark.parametrize("c", [-1.0, -0.3, 0.0, 0.6, 1.0])
def test_correlated_relu_is_the_arc_cosine_kernel(c):
    relu = lambda z: np.maximum(z, 0)
    angle = np.arccos(c)
    known = (np.sin(angle) + (np.pi - angle) * c) / (2 * np.pi)  # Cho & Saul 2009, order 1
    assert gaussian_mean2(lambda u, v: relu(u) * relu(v), c, 1e-6) == pytest.approx(known, abs=1e-6)


def test_what_never_settles_is_told():
    with pytest.raises(RuntimeError, match="has not settled"):
        gaussian_mean(lambda z: np.sin(1e7 * z * z) + 1e6 * (np.sin(3e6 * z) > 0))
    with pytest.raises(ValueError, match="expected a correlation"):
        gaussian_mean2(np.multiply, 1.5)
