"""Stochastic gradient descent, and Lion, which keeps of its momentum the sign alone."""

import numpy as np

from .base import Optimizer

__all__ = ["SGD", "Lion"]


class SGD(Optimizer):
    """theta ← theta - lr v, with v ← momentum v + (1 - dampening) g, or v = g without momentum; decay adds λ theta to g.

    With `nesterov` the step is g + momentum v. At the first step v = g, as in PyTorch. Source: Polyak 1964; Nesterov 1983.
    """

    elementwise = True

    def __init__(
        self,
        params,
        lr=1e-3,
        momentum=0.0,
        dampening=0.0,
        weight_decay=0.0,
        nesterov=False,
        *,
        maximize=False,
    ):
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError(
                f"SGD: nesterov wants momentum > 0 and dampening = 0, came {momentum} and {dampening}"
            )
        self.momentum, self.dampening, self.nesterov = momentum, dampening, nesterov
        self.state = ("v",) if momentum else ()
        super().__init__(params, lr, weight_decay, maximize)

    def update(self, theta, g):
        g = self.decayed(theta, g)
        if self.momentum:
            self.v *= self.momentum
            self.v += g if self.t == 1 else (1 - self.dampening) * g
            g = g + self.momentum * self.v if self.nesterov else self.v
        theta -= self.rate * g


class Lion(Optimizer):
    """theta ← theta - lr (sign(β₁ m + (1 - β₁) g) + λ theta), then m ← β₂ m + (1 - β₂) g: each entry moves by ±lr.

    Source: Chen et al., Symbolic discovery of optimization algorithms, 2023.
    """

    state, elementwise = ("m",), True

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        self.betas = fractions(self, betas)
        super().__init__(params, lr, weight_decay)

    def update(self, theta, g):
        b1, b2 = self.betas
        self.shrink(theta)
        theta -= self.rate * np.sign(self.m + (1 - b1) * (g - self.m))
        self.m += (1 - b2) * (g - self.m)


def fractions(optimizer, betas):
    """The betas. Raises ValueError unless all are in [0, 1)."""
    if not all(0 <= b < 1 for b in betas):
        raise ValueError(f"{type(optimizer).__name__}: betas={betas}; want numbers in [0, 1)")
    return betas
