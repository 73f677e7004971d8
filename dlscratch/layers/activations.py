"""Activation functions as Modules, to stand in a Sequential."""

import numpy as np

from .. import functional as F
from .module import Module

__all__ = ["ReLU", "Tanh", "Sigmoid", "GELU", "Dropout"]


class ReLU(Module):
    """y = max(x, 0)."""

    def forward(self, x):
        return F.relu(x)


class Tanh(Module):
    """y = tanh x."""

    def forward(self, x):
        return np.tanh(x)


class Sigmoid(Module):
    """y = 1 / (1 + exp(-x))."""

    def forward(self, x):
        return F.sigmoid(x)


class GELU(Module):
    """y = x Φ(x), exact or, with approximate="tanh", by the tanh formula."""

    def __init__(self, approximate="none"):
        self.approximate = approximate

    def forward(self, x):
        return F.gelu(x, approximate=self.approximate)


class Dropout(Module):
    """While training, y = x m / (1 - p) with m = 0 with probability p; in evaluation y = x. `rng` draws the masks."""

    def __init__(self, p=0.5, *, rng=None):
        if not 0 <= p < 1:
            raise ValueError(f"Dropout(p={p}): want 0 <= p < 1")
        self.p, self.rng = p, np.random.default_rng(rng)

    def forward(self, x):
        return F.dropout(x, self.p, self.rng) if self.training and self.p else x
