"""A task for memory: the answer is the symbol shown last, and nothing else tells it."""

import numpy as np
import pytest

from dlscratch.data import hold_symbol
from dlscratch.engine import default_dtype


def test_the_symbol_comes_first_and_noise_follows():
    X, y = hold_symbol(0, n=4000, steps=6, symbols=3, noise=0.5)
    assert X.shape == (4000, 7, 3) and X.dtype == np.float32
    assert np.array_equal(X[:, 0], np.eye(3)[y])
    assert abs(X[:, 1:].std() - 0.5) < 0.01
    assert np.all(abs(np.bincount(y) / 4000 - 1 / 3) < 0.03)
    means = np.array([X[y == k, 1:].mean(axis=(0, 1)) for k in range(3)])
    assert abs(means).max() < 0.03  # noise knows nothing of the symbol


def test_several_symbols_are_distinct_in_time_and_the_last_counts():
    with default_dtype("float64"):
        X, y = hold_symbol(1, n=500, steps=10, shown=3, noise=0.0)
    is_symbol = X.sum(axis=2) == 1  # (N, 11)
    assert np.all(is_symbol.sum(axis=1) == 3) and np.all(is_symbol[:, 0])
    assert not is_symbol[:, 6:].any() and is_symbol[:, 1:6].any(axis=0).all()
    last = 10 - is_symbol[:, ::-1].argmax(axis=1)
    assert np.array_equal(X[np.arange(500), last].argmax(axis=1), y)
    assert np.mean(X[:, 0].argmax(axis=1) == y) < 0.4  # the first one tells nothing


def test_rng_decides_alone():
    first, again, other = (hold_symbol(rng)[0] for rng in (3, np.random.default_rng(3), 4))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


@pytest.mark.parametrize(
    "options, says",
    [
        ({"n": 0}, "n=0"),
        ({"steps": -1}, "steps=-1"),
        ({"symbols": 1}, "symbols=1"),
        ({"noise": float("nan")}, "noise=nan"),
        ({"steps": 5, "shown": 4}, "want 1 to 3"),
        ({"shown": 0}, "shown=0"),
    ],
)
def test_what_is_refused(options, says):
    with pytest.raises(ValueError, match=f"hold_symbol: .*{says}"):
        hold_symbol(0, **options)
