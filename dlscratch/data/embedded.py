"""Real data that comes inside installed packages. What it is, whence, and its licence: data/README.md."""

import random
from contextlib import contextmanager

import numpy as np

from ..engine import default_dtype
from .split import Split, check_fraction, split

__all__ = ["digits", "mnist1d", "table", "photograph"]


def digits(rng=0, test_fraction=0.25):
    """1797 handwritten digits of 8 × 8 pixels, flat, from 0 (paper) to 1 (ink), cut at random.

    X: (N, 64), y: (N,) with classes 0 to 9. Source: Alpaydin 1998, UCI; in scikit-learn.
    """
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return split((X / 16).astype(default_dtype()), y.astype(np.int64), rng, test_fraction)


def mnist1d(rng=42, n=5000, test_fraction=0.2, **options):
    """Signals of 40 points in ten classes, on which linear, dense and convolutional models come apart at small scale.

    X: (N, 40) with mean 0 and variance 1 over all n, y: (N,); n is rounded down to tens. Generated, not downloaded.
    An int `rng` is the package's own seed (its default is 42); `options` are the package's, such as `shuffle_seq`.
    Raises TypeError for an unknown option. Source: Greydanus & Kobak, Scaling down deep learning with MNIST-1D, 2024.
    """
    from mnist1d.data import get_dataset_args, make_dataset

    args = get_dataset_args()
    known = sorted(vars(args).keys() - {"seed", "url", "num_samples", "train_split"})
    if unknown := sorted(options.keys() - set(known)):
        raise TypeError(f"mnist1d: no option {', '.join(unknown)}; there are {', '.join(known)}")
    if n < 10:
        raise ValueError(f"mnist1d: n={n}; want at least 10, one for each class")
    seed = int(
        rng if isinstance(rng, int | np.integer) else np.random.default_rng(rng).integers(2**32)
    )
    vars(args).update(
        options, num_samples=n, train_split=1 - check_fraction(test_fraction), seed=seed
    )
    with _global_randomness_restored():
        made = make_dataset(args)
    X, X_test = (made[k].astype(default_dtype()) for k in ("x", "x_test"))
    return Split(X, made["y"].astype(np.int64), X_test, made["y_test"].astype(np.int64))


@contextmanager
def _global_randomness_restored():
    """The package draws from global generators that it seeds; whoever else uses them must not notice."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002


def table(name, rng=0, test_fraction=0.25, standardize=True):
    """A classic table: "wine" (178, 13), "breast_cancer" (569, 30), "iris" (150, 4) or "diabetes" (442, 10).

    X: (N, D), scaled to x' = (x - mean) / std with the mean and std of the training rows alone; y: (N,) classes, or for
    "diabetes", a regression, floats in their own units. Raises ValueError for another name. Sources: data/README.md.
    """
    from sklearn import datasets

    loaders = {
        k: getattr(datasets, f"load_{k}") for k in ("wine", "breast_cancer", "iris", "diabetes")
    }
    if name not in loaders:
        raise ValueError(f"table({name!r}): want one of {', '.join(loaders)}")
    raw = (
        {"scaled": False} if name == "diabetes" else {}
    )  # scikit-learn scales this one with its test rows included
    X, y = loaders[name](return_X_y=True, **raw)
    y = y.astype(default_dtype() if name == "diabetes" else np.int64)
    cut = split(X, y, rng, test_fraction)
    mean, std = (cut.X_train.mean(axis=0), cut.X_train.std(axis=0)) if standardize else (0.0, 1.0)
    train, test = (((x - mean) / std).astype(default_dtype()) for x in (cut.X_train, cut.X_test))
    return cut._replace(X_train=train, X_test=test)


def photograph(name="china"):
    """A colour photograph, "china" or "flower": (427, 640, 3), red, green and blue from 0 to 1.

    Raises ValueError for another name. Source: in data/README.md (CC BY 2.0); in scikit-learn.
    """
    from sklearn.datasets import load_sample_image

    if name not in ("china", "flower"):
        raise ValueError(f"photograph({name!r}): want 'china' or 'flower'")
    return (load_sample_image(f"{name}.jpg") / 255).astype(default_dtype())
