"""Looked-up rows equal PyTorch's; one-hot times a matrix is the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlscratch import Tensor, layers, testing
from dlscratch import functional as F
from tests.parity import same


@settings(max_examples=10, deadline=None)
@given(
    shape=st.lists(st.integers(1, 4), max_size=3).map(tuple),
    V=st.integers(2, 5),
    padding=st.sampled_from([None, 0, -1]),
    seed=st.integers(0, 10**6),
)
def test_embedding_equals_torch(shape, V, padding, seed):
    torch, rng = pytest.importorskip("torch"), np.random.default_rng(seed)
    ids, W = rng.integers(0, V, shape), rng.normal(size=(V, 3))
    same(
        lambda W: F.embedding(ids, W, padding),
        lambda W: torch.nn.functional.embedding(torch.tensor(ids), W, padding),
        W,
    )
    np.testing.assert_allclose(F.one_hot(ids, V) @ W, F.embedding(ids, W), rtol=1e-12)
    assert np.array_equal(
        F.one_hot(ids, V), torch.nn.functional.one_hot(torch.tensor(ids), V).numpy()
    )
    assert F.one_hot(ids).shape[-1] == ids.max() + 1


def test_layer_equals_torch():
    torch = pytest.importorskip("torch")
    ids = np.array([[0, 2, 2], [1, 4, 0]])
    for padding in (None, 2):
        ours, theirs = layers.Embedding(5, 3, padding, rng=0), torch.nn.Embedding(5, 3, padding)
        assert padding is None or not ours.weight.data[padding].any()
        assert max(testing.against_torch(ours, theirs, ids).values()) < 1e-9
    assert abs(layers.Embedding(100, 100, rng=0).weight.data.std() - 1) < 0.02


@settings(max_examples=10, deadline=None)
@given(
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple),
    padding=st.sampled_from([None, 0, -1]),
    freq=st.booleans(),
    longest=st.sampled_from([None, 0.5, 2.0]),
    p=st.sampled_from([1.0, 2.0, 3.0]),
    seed=st.integers(0, 10**6),
)
def test_options_equal_torch(shape, padding, freq, longest, p, seed):
    torch, rng = pytest.importorskip("torch"), np.random.default_rng(seed)
    ids, W, g = rng.integers(0, 4, shape), rng.normal(size=(4, 3)), rng.normal(size=(*shape, 3))
    options = dict(padding_idx=padding, max_norm=longest, norm_type=p, scale_grad_by_freq=freq)
    w, v = Tensor(W, requires_grad=True), torch.tensor(W, requires_grad=True)
    y, z = (
        F.embedding(ids, w, **options),
        torch.nn.functional.embedding(torch.tensor(ids), v, **options),
    )
    y.backward(g), z.backward(torch.tensor(g))
    for ours, theirs in ((y.data, z), (w.data, v), (w.grad, v.grad)):
        np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-12)


def test_shortened_rows_are_noticed_by_older_graphs():
    w = Tensor(np.ones((3, 4)), requires_grad=True)
    y = np.sum(w * w)
    F.embedding(np.array([1]), w, max_norm=1.0)
    with pytest.raises(RuntimeError, match="was written after"):
        y.backward()


def test_from_pretrained_equals_torch():
    torch, W, ids = (
        pytest.importorskip("torch"),
        np.random.default_rng(0).normal(size=(4, 3)),
        np.array([[1, 2, 1]]),
    )
    for freeze in (True, False):
        ours, theirs = (
            e.from_pretrained(w, freeze, 1, 0.7)
            for e, w in ((layers.Embedding, W), (torch.nn.Embedding, torch.tensor(W)))
        )
        np.testing.assert_allclose(
            ours(ids).data, theirs(torch.tensor(ids)).detach().numpy(), rtol=1e-12
        )
        np.testing.assert_allclose(ours.weight.data, theirs.weight.detach().numpy(), rtol=1e-12)
        assert (
            ours.weight.requires_grad == theirs.weight.requires_grad == (not freeze)
            and ours.padding_idx == 1
        )


@pytest.mark.parametrize(
    "call, error, message",
    [
        (
            lambda: F.embedding(np.array([1]), np.ones((3, 2)), sparse=True),
            ValueError,
            "sparse=True; want False",
        ),
        (
            lambda: F.embedding(
                np.array([1]), 2 * Tensor(np.ones((3, 2)), requires_grad=True), max_norm=1
            ),
            ValueError,
            "want a Parameter",
        ),
        (
            lambda: F.embedding(np.array([1]), np.ones((3, 2)), 3),
            ValueError,
            "padding_idx=3; want -3 to 2",
        ),
        (
            lambda: layers.Embedding(3, 2, _weight=5.0),
            ValueError,
            "weight .., padding_idx None; want .3, 2.",
        ),
        (lambda: layers.Embedding(3, 2, 3), ValueError, "want .3, 2. and one of its rows"),
        (lambda: layers.Embedding(3, 2, _weight=np.ones((2, 2))), ValueError, "weight .2, 2."),
        (lambda: layers.Embedding.from_pretrained(np.ones(3)), ValueError, "want .V, D."),
        (lambda: F.embedding(np.array([0.5]), np.ones((3, 2))), TypeError, "want integers"),
        (
            lambda: F.embedding(np.array([3]), np.ones((3, 2))),
            ValueError,
            "ids from 3 to 3; want 0 to 2",
        ),
        (lambda: F.one_hot(np.array([-1]), 3), ValueError, "want 0 to 2"),
        (lambda: layers.Embedding(3, 2)(Tensor(np.ones(2))), TypeError, "want integers"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
