"""The model that verify and probe are tried on, in float64."""

import numpy as np

from dlscratch.engine import default_dtype
from dlscratch.layers import BatchNorm1d, Linear, ReLU, Sequential

__all__ = ["model", "data"]


def model(seed=0, dtype="float64"):
    """Linear(3, 4), BatchNorm1d(4), ReLU, Linear(4, 2)."""
    rng = np.random.default_rng(seed)
    with default_dtype(dtype):
        return Sequential(Linear(3, 4, rng=rng), BatchNorm1d(4), ReLU(), Linear(4, 2, rng=rng))


def data(seed=0, n=8):
    """Inputs (n, 3) and targets (n, 2)."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 3)), rng.normal(size=(n, 2))
