"""First weights have the moments that their formulas say."""

import numpy as np
import pytest

from dlscratch import default_dtype, initializers

SHAPE = (300, 200)
STD = {
    "xavier_normal": np.sqrt(2 / 500), "xavier_uniform": np.sqrt(2 / 500),
    "he_normal": np.sqrt(2 / 200), "he_uniform": np.sqrt(2 / 200), "normal": 1, "uniform": np.sqrt(1 / 12),
}  # fmt: skip


@pytest.mark.parametrize("name", STD)
def test_moments(name):
    W = getattr(initializers, name)(np.random.default_rng(0), SHAPE)
    n = W.size
    assert W.shape == SHAPE and W.dtype == np.float32
    assert abs(W.mean() - (0.5 if name == "uniform" else 0)) < 4 * STD[name] / np.sqrt(n)
    assert abs(W.std() / STD[name] - 1) < 4 / np.sqrt(n)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 2, 3)])
def test_orthogonal(shape):
    with default_dtype("float64"):
        W = initializers.orthogonal(np.random.default_rng(0), shape, gain=2).reshape(shape[0], -1)
    gram = W @ W.T if W.shape[0] <= W.shape[1] else W.T @ W
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-12)


def test_constants_and_fans():
    assert not initializers.zeros(None, (2, 3)).any() and initializers.ones(None, (2, 3)).all()
    assert initializers.fans((8, 4, 3, 3)) == (36, 72)
    with pytest.raises(ValueError, match="has no fan-in"):
        initializers.fans((3,))
