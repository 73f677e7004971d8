"""Looked-up rows equal PyTorch's; one-hot times a matrix is the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlscratch import Tensor, layers
from dlscratch import functional as F
from dlscratch.lab import verify
from tests.parity import same


@settings(max_examples=10, deadline=None)
@given(shape=st.lists(st.integers(1, 4), max_size=3).map(tuple), V=st.integers(2, 5), padding=st.sampled_from([None, 0, -1]),
       seed=st.integers(0, 10**6))  # fmt: skip
def test_embedding_equals_torch(shape, V, padding, seed):
    torch, rng = pytest.importorskip("torch"), np.random.default_rng(seed)
    ids, W = rng.integers(0, V, shape), rng.normal(size=(V, 3))
    same(lambda W: F.embedding(ids, W, padding), lambda W: torch.nn.functional.embedding(torch.tensor(ids), W, padding), W)
    np.testing.assert_allclose(F.one_hot(ids, V) @ W, F.embedding(ids, W), rtol=1e-12)
    assert np.array_equal(F.one_hot(ids, V), torch.nn.functional.one_hot(torch.tensor(ids), V).numpy())
    assert F.one_hot(ids).shape[-1] == ids.max() + 1


def test_layer_equals_torch():
    torch = pytest.importorskip("torch")
    ids = np.array([[0, 2, 2], [1, 4, 0]])
    for padding in (None, 2):
        ours, theirs = layers.Embedding(5, 3, padding, rng=0), torch.nn.Embedding(5, 3, padding)
        assert padding is None or not ours.weight.data[padding].any()
        assert max(verify.against_torch(ours, theirs, ids).values()) < 1e-9
    assert abs(layers.Embedding(100, 100, rng=0).weight.data.std() - 1) < 0.02


@pytest.mark.parametrize("call, error, message", [
    (lambda: F.embedding(np.array([0.5]), np.ones((3, 2))), TypeError, "want integers"),
    (lambda: F.embedding(np.array([3]), np.ones((3, 2))), ValueError, "ids from 3 to 3; want 0 to 2"),
    (lambda: F.one_hot(np.array([-1]), 3), ValueError, "want 0 to 2"),
    (lambda: layers.Embedding(3, 2)(Tensor(np.ones(2))), TypeError, "want integers"),
])  # fmt: skip
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
