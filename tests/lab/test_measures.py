"""Measures of activations where the answer is known."""

import numpy as np
import pytest

from dlscratch import layers
from dlscratch.lab import measures, probe

rng = np.random.default_rng(0)


def test_effective_rank():
    assert np.isclose(measures.effective_rank(np.eye(5)), 5)
    assert np.isclose(measures.effective_rank(np.outer(rng.normal(size=9), rng.normal(size=4))), 1)
    assert measures.effective_rank(np.zeros((3, 2))) == 0
    assert np.isclose(measures.effective_rank(np.eye(4).reshape(4, 2, 2)), 4)


def test_cka():
    A = rng.normal(size=(50, 6))
    turned = 3 * A @ np.linalg.qr(rng.normal(size=(6, 6)))[0] + 7
    assert np.isclose(measures.cka(A, turned), 1)
    assert measures.cka(A, rng.normal(size=(50, 6))) < 0.5
    with pytest.raises(ValueError, match="over the same examples"):
        measures.cka(A, A[:10])


def test_dead_and_saturated():
    assert measures.dead_units([[0, 1, 0], [0, 0, 2]]) == 1 / 3
    assert measures.saturation([-0.99, -0.5, 0.5, 0.95]) == 0.5
    assert measures.saturation([0.01, 0.5], low=0, high=1) == 0.5
    with pytest.raises(ValueError, match="want low < high"):
        measures.saturation([0.0], low=1, high=0)


def test_a_probe_takes_measures():
    model = layers.Sequential(layers.Linear(3, 4, rng=0), layers.Tanh())
    with probe(model, measures={"rank": measures.effective_rank}) as p:
        model(rng.normal(size=(8, 3)).astype("float32"))
    assert (p.matrix("rank").to_numpy() > 1).all()
