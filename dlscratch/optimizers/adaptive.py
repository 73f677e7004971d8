"""Rules that divide by a running size of the gradient: Adagrad, RMSprop, Adadelta. Decay adds λ theta to g."""

import numpy as np

from .base import Optimizer
from .sgd import fractions

__all__ = ["Adagrad", "RMSprop", "Adadelta"]


class Adagrad(Optimizer):
    """theta ← theta - lrₜ g / (√s + eps), with s ← s + g² and lrₜ = lr / (1 + (t - 1) lr_decay).  Source: Duchi et al. 2011."""

    state, elementwise = ("s",), True

    def __init__(
        self,
        params,
        lr=1e-2,
        lr_decay=0.0,
        weight_decay=0.0,
        initial_accumulator_value=0.0,
        eps=1e-10,
        *,
        maximize=False,
    ):
        if not (lr_decay >= 0 and initial_accumulator_value >= 0):
            raise ValueError(
                f"Adagrad: lr_decay={lr_decay}, initial_accumulator_value={initial_accumulator_value}; want numbers >= 0"
            )
        self.lr_decay, self.eps = lr_decay, eps
        super().__init__(params, lr, weight_decay, maximize)
        self.s += initial_accumulator_value

    def update(self, theta, g):
        g = self.decayed(theta, g)
        self.s += g * g
        theta -= self.rate / (1 + (self.t - 1) * self.lr_decay) * g / (np.sqrt(self.s) + self.eps)


class RMSprop(Optimizer):
    """theta ← theta - lr b, with b ← momentum b + g / (√(v - m²) + eps), v ← α v + (1 - α) g².

    m is the running mean of g if `centered`, else 0.  Source: Tieleman & Hinton 2012; centered: Graves 2013.
    """

    elementwise = True

    def __init__(
        self,
        params,
        lr=1e-2,
        alpha=0.99,
        eps=1e-8,
        weight_decay=0.0,
        momentum=0.0,
        centered=False,
        maximize=False,
    ):
        fractions(self, (alpha,))
        self.alpha, self.eps, self.momentum, self.centered = alpha, eps, momentum, centered
        self.state = ("v", *("m",) * centered, *("b",) * (momentum > 0))
        super().__init__(params, lr, weight_decay, maximize)

    def update(self, theta, g):
        g = self.decayed(theta, g)
        self.v += (1 - self.alpha) * (g * g - self.v)
        variance = self.v
        if self.centered:
            self.m += (1 - self.alpha) * (g - self.m)
            variance = np.maximum(self.v - self.m * self.m, 0)  # rounding may leave less
        step = g / (np.sqrt(variance) + self.eps)
        if self.momentum > 0:
            self.b *= self.momentum
            self.b += step
            step = self.b
        theta -= self.rate * step


class Adadelta(Optimizer):
    """theta ← theta - lr d, with d = √(u + eps) / √(v + eps) g, v ← ρ v + (1 - ρ) g², u ← ρ u + (1 - ρ) d².  Source: Zeiler 2012."""

    state, elementwise = ("v", "u"), True

    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0.0, *, maximize=False):
        fractions(self, (rho,))
        self.rho, self.eps = rho, eps
        super().__init__(params, lr, weight_decay, maximize)

    def update(self, theta, g):
        g = self.decayed(theta, g)
        self.v += (1 - self.rho) * (g * g - self.v)
        d = np.sqrt((self.u + self.eps) / (self.v + self.eps)) * g
        self.u += (1 - self.rho) * (d * d - self.u)
        theta -= self.rate * d
