"""Dropout: noise that multiplies."""

import numpy as np

__all__ = ["dropout"]


def dropout(x, p, rng):
    """y = x m / (1 - p), with m = 0 with probability p, else 1: the mean of y is x.  x: any shape. Source: Srivastava et al. 2014."""
    if not 0 <= p < 1:
        raise ValueError(f"dropout: p={p}; want 0 <= p < 1")
    keep = rng.random(x.shape, dtype=np.float32) >= p
    return x * keep * (1 / (1 - p))
