"""Stochastic gradient descent."""

from .base import Optimizer

__all__ = ["SGD"]


class SGD(Optimizer):
    """theta ← theta - lr v, with v ← momentum v + (1 - dampening) g, or v = g without momentum; decay adds λ theta to g.

    With `nesterov` the step is g + momentum v. At the first step v = g, as in PyTorch. Source: Polyak 1964; Nesterov 1983.
    """

    state = ("v",)

    def __init__(self, params, lr=1e-3, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False):
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError(f"SGD: nesterov wants momentum > 0 and dampening = 0, came {momentum} and {dampening}")
        self.momentum, self.dampening, self.weight_decay, self.nesterov = momentum, dampening, weight_decay, nesterov
        self.state = ("v",) if momentum else ()
        super().__init__(params, lr)

    def update(self, theta, g):
        if self.weight_decay:
            g = g + self.weight_decay * theta
        if self.momentum:
            self.v *= self.momentum
            self.v += g if self.t == 1 else (1 - self.dampening) * g
            g = g + self.momentum * self.v if self.nesterov else self.v
        theta -= self.lr * g
