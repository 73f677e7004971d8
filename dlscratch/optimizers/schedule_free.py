"""Schedule-free learning: an average of the iterates does what a falling learning rate would, without knowing the end."""

import math

import numpy as np

from .base import Optimizer
from .sgd import fractions

__all__ = ["ScheduleFreeSGD", "ScheduleFreeAdamW"]


class ScheduleFreeSGD(Optimizer):
    """z ← z - γ (g + λ y), x ← (1 - c) x + c z, y = (1 - β) z + β x, with γ = lr min(1, t / warmup_steps), c = γₜ² / (γ₁² + ... + γₜ²).

    The gradient is taken at y, which theta holds in training; x is what was learned. `eval()` puts x into theta, for
    measuring and saving, and `train()` puts y back.  Source: Defazio et al., The road less scheduled, 2024.
    """

    state = ("x", "z")

    def __init__(self, params, lr=1.0, momentum=0.9, weight_decay=0.0, warmup_steps=0):
        (self.momentum,) = fractions(self, (momentum,))
        self.warmup_steps, self.total = warmup_steps, 0.0
        super().__init__(params, lr, weight_decay)
        self.state = (*self.state, "total")

    def update(self, theta, g):
        if self.t == 1:
            self.x[...] = self.z[...] = theta
        factor = min(1.0, self.t / self.warmup_steps) if self.warmup_steps else 1.0
        factor, direction = self.scaled(factor, g)
        self.z -= factor * self.rate * self.decayed(theta, direction)
        self.total += (weight := (factor * self.lr) ** 2)
        self.x += (weight / self.total if self.total else 1.0) * (self.z - self.x)
        self._mix(theta)

    def scaled(self, factor, g):
        """(γ / lr, the direction): those of plain gradient descent."""
        return factor, g

    def _mix(self, theta):
        theta[...] = (1 - self.momentum) * self.z + self.momentum * self.x

    def eval(self):
        """theta ← x."""
        if self.t:
            with self.writing() as theta:
                theta[...] = self.x

    def train(self):
        """theta ← y."""
        if self.t:
            with self.writing() as theta:
                self._mix(theta)


class ScheduleFreeAdamW(ScheduleFreeSGD):
    """Schedule-free with Adam's direction g / (√v + eps), v ← β₂ v + (1 - β₂) g², and γ = lr √(1 - β₂ᵗ) min(1, t / warmup_steps).

    z ← z - γ g / (√v + eps) - γ λ y; β₁ is the weight of x in y.  Source: Defazio et al. 2024, algorithm 1.
    """

    state = ("x", "z", "v")

    def __init__(
        self, params, lr=0.0025, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, warmup_steps=0
    ):
        fractions(self, betas)
        self.beta2, self.eps = betas[1], eps
        super().__init__(params, lr, betas[0], weight_decay, warmup_steps)

    def scaled(self, factor, g):
        self.v += (1 - self.beta2) * (g * g - self.v)
        return factor * math.sqrt(1 - self.beta2**self.t), g / (np.sqrt(self.v) + self.eps)
