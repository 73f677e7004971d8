"""Adam and AdamW."""

import math

import numpy as np

from .base import Optimizer

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """theta ← theta - lr m̂ / (√v̂ + eps), with m ← β₁ m + (1 - β₁) g, v ← β₂ v + (1 - β₂) g², m̂ = m / (1 - β₁ᵗ), v̂ = v / (1 - β₂ᵗ).

    eps stands outside the root. Weight decay λ adds λ theta to g. Source: Kingma & Ba 2015.
    """

    state = ("m", "v")

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        if not all(0 <= b < 1 for b in betas):
            raise ValueError(f"{type(self).__name__}: betas={betas}; want two numbers in [0, 1)")
        self.betas, self.eps, self.weight_decay = betas, eps, weight_decay
        super().__init__(params, lr)

    def update(self, theta, g):
        b1, b2 = self.betas
        g = self.decay(theta, g)
        self.m += (1 - b1) * (g - self.m)
        self.v += (1 - b2) * (g * g - self.v)
        root = np.sqrt(self.v) / math.sqrt(1 - b2**self.t)
        theta -= (self.lr / (1 - b1**self.t)) * self.m / (root + self.eps)

    def decay(self, theta, g):
        """The gradient with the decay in it."""
        return g + self.weight_decay * theta if self.weight_decay else g


class AdamW(Adam):
    """Adam with decoupled decay: theta ← (1 - lr λ) theta first, and g is left alone. Source: Loshchilov & Hutter 2019."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, lr, betas, eps, weight_decay)

    def decay(self, theta, g):
        """The gradient as it is, after shrinking theta."""
        theta *= 1 - self.lr * self.weight_decay
        return g
