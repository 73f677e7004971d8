"""One epoch: every example once, pairs kept, order from the generator."""

import numpy as np
import pytest

from dlscratch.data import batches


def test_every_example_once_and_pairs_kept():
    X, y = np.arange(20).reshape(10, 2), np.arange(10)
    epoch = list(batches(np.random.default_rng(0), X, y, size=4))
    assert [len(b) for _, b in epoch] == [4, 4, 2]
    seen = np.concatenate([b for _, b in epoch])
    assert sorted(seen) == list(range(10)) and seen.tolist() != list(range(10))
    assert all(np.array_equal(a[:, 0], 2 * b) for a, b in epoch)


def test_one_array_comes_bare():
    assert [b.shape for b in batches(np.random.default_rng(0), np.zeros((5, 3)), size=2)] == [
        (2, 3),
        (2, 3),
        (1, 3),
    ]


def test_each_epoch_has_an_order_of_its_own_drawn_at_the_call():
    rng, y = np.random.default_rng(0), np.arange(50)
    first, second = batches(rng, y, size=50), batches(rng, y, size=50)
    b, a = next(second), next(first)
    rng = np.random.default_rng(0)
    assert np.array_equal(a, rng.permutation(50)) and np.array_equal(b, rng.permutation(50))


def test_misuse():
    rng = np.random.default_rng(0)
    with pytest.raises(TypeError, match="same order"):
        batches(0, np.zeros(3), size=2)
    with pytest.raises(ValueError, match="lengths \\[3, 2\\]"):
        batches(rng, np.zeros(3), np.zeros(2), size=2)
    with pytest.raises(ValueError, match="give at least one"):
        batches(rng, size=2)
    with pytest.raises(ValueError, match="size=0"):
        batches(rng, np.zeros(3), size=0)
