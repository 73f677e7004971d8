"""Slices of a loss whose shape is known."""

import numpy as np
import pytest

from dlscratch import default_dtype, layers
from dlscratch.lab import landscape

with default_dtype("float64"):
    MODEL = layers.Sequential(layers.Linear(3, 4, rng=0), layers.Linear(4, 2, rng=1))
P = MODEL.parameters()


def loss():
    return sum(np.sum(np.square(p)) for p in P)


def test_slices_and_surfaces_of_a_parabola():
    before, d = P.theta.copy(), np.eye(26)
    steps = np.linspace(-1, 1, 5)
    wanted = before @ before + 2 * steps * before[0] + steps**2
    np.testing.assert_allclose(landscape.slice_along(loss, P, d[0], steps), wanted)
    wanted = wanted[:, None] + 2 * steps * before[1] + steps**2
    np.testing.assert_allclose(landscape.surface(loss, P, d[0], d[1], steps, steps), wanted)
    np.testing.assert_array_equal(P.theta, before)


def test_theta_returns_even_after_an_error():
    before = P.theta.copy()
    with pytest.raises(ZeroDivisionError):
        landscape.slice_along(lambda: 1 / 0, P, np.ones(26), [1.0])
    np.testing.assert_array_equal(P.theta, before)


def test_paths_and_barriers():
    a = np.ones(26)
    values = landscape.path(loss, P, -a, 3 * a, steps=5)
    np.testing.assert_allclose(values, 26 * np.array([1, 0, 1, 4, 9]))
    assert landscape.barrier(values) == 0  # a convex loss has none
    assert landscape.barrier([1, 5, 3]) == 3


def test_filter_directions_are_as_long_as_the_filters():
    d = landscape.filter_direction(P)
    first = d[:12].reshape(4, 3)
    np.testing.assert_allclose(np.linalg.norm(first, axis=1), np.linalg.norm(P[0].data, axis=1))
    assert not d[12:16].any() and not d[24:].any()


def test_a_direction_of_another_model():
    with pytest.raises(ValueError, match=r"shape \(3,\), want \(26,\)"):
        landscape.slice_along(loss, P, np.ones(3), [0.0])
