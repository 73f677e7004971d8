"""Pooling: one number for each window of an image."""

import numpy as np

from ..engine import fused
from .convolution import pair

__all__ = ["textbook_max_pool2d", "max_pool2d"]


def _windows(shape, size, stride):
    (kh, kw), (sh, sw) = pair(size), pair(stride or size)
    h, w = (shape[2] - kh) // sh + 1, (shape[3] - kw) // sw + 1
    return [
        (slice(None), slice(None), slice(k, k + sh * h, sh), slice(m, m + sw * w, sw)) for k in range(kh) for m in range(kw)
    ]


def _choose(slices):
    """Booleans: which of the slices holds the maximum, the first one where several do."""
    best = slices[0]
    for s in slices[1:]:
        best = np.maximum(best, s)
    free, chosen = np.ones(best.shape, bool), []
    for s in slices:
        chosen.append(free & (s == best))
        free &= ~chosen[-1]
    return best, chosen


def textbook_max_pool2d(x, size, stride=None):
    """y[n,c,i,j] = max over the window at (s i, s j).  x: (N, C, H, W) → (N, C, H', W'). Ties: the first entry wins."""
    slices = [x[place] for place in _windows(x.shape, size, stride)]
    _, chosen = _choose([getattr(s, "data", s) if hasattr(s, "op") else s for s in slices])
    return sum(s * c for s, c in zip(slices, chosen, strict=True))


def _forward(x, size, stride=None):
    return _choose([x[place] for place in _windows(x.shape, size, stride)])


def _backward(g, y, chosen, needs, x, size, stride=None):
    dx = np.zeros_like(x)
    for place, c in zip(_windows(x.shape, size, stride), chosen, strict=True):
        dx[place] += g * c
    return (dx, *[None] * (len(needs) - 1))


max_pool2d = fused(textbook_max_pool2d, _forward, _backward)
