"""Real data that comes inside installed packages.

What it is, whence, and its licence: data/README.md.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..engine import default_dtype
from .split import Seed, Split, check_fraction, split

__all__ = ["digits", "mnist1d", "table", "photograph"]


def digits(rng: Seed = 0, test_fraction: float = 0.25) -> Split:
    """1797 handwritten digits of 8 × 8 pixels, flat, from 0 (paper) to 1 (ink).

    X: (N, 64), y: (N,) with classes 0 to 9, cut at random into training and test. In
    scikit-learn; no download. Raises ValueError for a test_fraction outside (0, 1).
    Source: Alpaydin 1998, UCI.

    Examples
    --------
    >>> X, y, X_test, y_test = digits(rng=0)
    >>> X.shape, y.shape, X_test.shape
    ((1348, 64), (1348,), (449, 64))
    >>> X.dtype, y.dtype, float(X.min()), float(X.max())
    (dtype('float32'), dtype('int64'), 0.0, 1.0)
    >>> digits(rng=0).X_test.shape
    (449, 64)
    """
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return split((X / 16).astype(default_dtype()), y.astype(np.int64), rng, test_fraction)


def mnist1d(rng: Seed = 42, n: int = 5000, test_fraction: float = 0.2, **options: Any) -> Split:
    """Signals of 40 points in ten classes: a small MNIST that tells models apart.

    Linear, dense and convolutional models differ on it at small scale. Generated, not
    downloaded. Source: Greydanus & Kobak, Scaling down deep learning with MNIST-1D, 2024.

    Parameters
    ----------
    rng : Generator or int, optional
        A number is the seed of the package `mnist1d` itself, whose default is 42.
    n : int
        How many examples, rounded down to tens; at least 10.
    test_fraction : float
        The share of the test, strictly between 0 and 1.
    **options
        Those of the package, such as shuffle_seq=True.

    Returns
    -------
    Split
        X: (N, 40) with mean 0 and variance 1 over all n, y: (N,).

    Raises
    ------
    TypeError
        For an unknown option.
    ValueError
        For fewer than 10 examples.

    Examples
    --------
    >>> mnist1d().X_train.shape
    (4000, 40)
    """
    from mnist1d.data import get_dataset_args, make_dataset

    args = get_dataset_args()
    known = sorted(vars(args).keys() - {"seed", "url", "num_samples", "train_split"})
    if unknown := sorted(options.keys() - set(known)):
        raise TypeError(f"mnist1d: no option {', '.join(unknown)}; there are {', '.join(known)}")
    if n < 10:
        raise ValueError(f"mnist1d: n={n}; want at least 10, one for each class")
    is_seed = isinstance(rng, int | np.integer)
    seed = int(rng if is_seed else np.random.default_rng(rng).integers(2**32))
    share = 1 - check_fraction(test_fraction)
    vars(args).update(options, num_samples=n, train_split=share, seed=seed)
    with _global_randomness_restored():
        made = make_dataset(args)
    X, X_test = (made[k].astype(default_dtype()) for k in ("x", "x_test"))
    return Split(X, made["y"].astype(np.int64), X_test, made["y_test"].astype(np.int64))


@contextmanager
def _global_randomness_restored() -> Iterator[None]:
    """The package seeds and draws from global generators; other users must not notice."""
    python_state = random.getstate()
    numpy_state = np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)  # noqa: NPY002


def table(name: str, rng: Seed = 0, test_fraction: float = 0.25, standardize: bool = True) -> Split:
    """A classic table of numbers, in scikit-learn.

    "wine" (178, 13), "breast_cancer" (569, 30) and "iris" (150, 4) have classes, "diabetes"
    (442, 10) is a regression. Sources: data/README.md.

    Parameters
    ----------
    name : str
        One of these four.
    rng : Generator or int, optional
        Draws which rows go to the test.
    test_fraction : float
        The share of the test, strictly between 0 and 1.
    standardize : bool
        Scale to x' = (x - mean) / std, with mean and std of the training rows alone.

    Returns
    -------
    Split
        X: (N, D), y: (N,): classes, or for "diabetes" floats in their own units.

    Raises
    ------
    ValueError
        For another name.

    Examples
    --------
    >>> X, y, X_test, y_test = table("iris")
    >>> X.shape, X_test.shape, bool(abs(X.mean(axis=0)).max() < 1e-6)
    ((112, 4), (38, 4), True)
    """
    from sklearn import datasets

    names = ("wine", "breast_cancer", "iris", "diabetes")
    if name not in names:
        raise ValueError(f"table({name!r}): want one of {', '.join(names)}")
    regression = name == "diabetes"
    unscaled = {"scaled": False} if regression else {}  # its scaling includes the test rows
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True, **unscaled)
    cut = split(X, y.astype(default_dtype() if regression else np.int64), rng, test_fraction)
    mean, std = (cut.X_train.mean(axis=0), cut.X_train.std(axis=0)) if standardize else (0.0, 1.0)
    train, test = (((x - mean) / std).astype(default_dtype()) for x in (cut.X_train, cut.X_test))
    return cut._replace(X_train=train, X_test=test)


def photograph(name: str = "china") -> np.ndarray:
    """A colour photograph, "china" or "flower": (427, 640, 3), red, green, blue from 0 to 1.

    In scikit-learn, under CC BY 2.0. Raises ValueError for another name.
    Source: data/README.md.

    Examples
    --------
    >>> photograph("flower").shape
    (427, 640, 3)
    """
    from sklearn.datasets import load_sample_image

    if name not in ("china", "flower"):
        raise ValueError(f"photograph({name!r}): want 'china' or 'flower'")
    return (load_sample_image(f"{name}.jpg") / 255).astype(default_dtype())
