"""One random cut of a data set into what is learned from and what is only measured on."""

from typing import NamedTuple

import numpy as np

__all__ = ["Split", "split"]

Seed = np.random.Generator | int | None  # what `rng` may be


class Split(NamedTuple):
    """Four arrays: `X_train, y_train, X_test, y_test = digits()`."""

    X_train: np.ndarray
    y_train: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray


def split(
    X: np.ndarray,
    y: np.ndarray,
    rng: Seed = 0,
    test_fraction: float = 0.25,
) -> Split:
    """Cut N examples at random: N - round(N f) for training, round(N f) for testing.

    Parameters
    ----------
    X, y : ndarray
        (N, ...) each.
    rng : Generator or int, optional
        Draws which examples go where; a number is a seed.
    test_fraction : float
        The share f of the test, strictly between 0 and 1.

    Returns
    -------
    Split
        X_train, y_train, X_test, y_test.

    Raises
    ------
    ValueError
        When the lengths differ, or a side would be empty.

    Examples
    --------
    >>> X = np.arange(8.0).reshape(4, 2)
    >>> X_train, y_train, X_test, y_test = split(X, np.array([0, 1, 2, 3]), rng=0)
    >>> X_train.shape, X_test, y_test
    ((3, 2), array([[4., 5.]]), array([2]))
    """
    if len(X) != len(y):
        raise ValueError(
            f"split: {len(X)} inputs but {len(y)} targets; give one target for each input"
        )
    n = round(len(X) * check_fraction(test_fraction))
    if not 0 < n < len(X):
        raise ValueError(
            f"split: {len(X)} examples cannot give {n} to the test; "
            f"change test_fraction={test_fraction}"
        )
    order = np.random.default_rng(rng).permutation(len(X))
    test = order[:n]
    train = order[n:]
    return Split(X[train], y[train], X[test], y[test])


def check_fraction(test_fraction: float) -> float:
    """test_fraction itself, if it lies strictly between 0 and 1; otherwise ValueError."""
    if not 0 < test_fraction < 1:
        raise ValueError(
            f"test_fraction={test_fraction}: want a share between 0 and 1, such as 0.25"
        )
    return test_fraction


def check_rng(name: str, rng: np.random.Generator) -> None:
    """Raise TypeError for a seed where a Generator is wanted.

    A seed would draw the same order, or the same changes, each time.
    """
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"{name}: rng is {rng!r}, so the same order each time; "
            "make rng = np.random.default_rng(seed) once"
        )
