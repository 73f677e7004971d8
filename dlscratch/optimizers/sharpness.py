"""Sharpness-aware minimisation."""

import numpy as np

from .base import Optimizer

__all__ = ["SAM"]


class SAM(Optimizer):
    """Steps `optimizer` with the gradient at theta + ρ g / |g|, the worst point nearby, in place of that at theta.

    `step(closure)` needs closure() to compute the loss and its gradients anew, and calls it twice.
    Source: Foret et al. 2021.
    """

    wants_closure = True

    def __init__(self, optimizer, rho=0.05):
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"SAM: came {type(optimizer).__name__}; want the optimizer that makes the steps: SAM(SGD(...), rho)"
            )
        if not rho >= 0:
            raise ValueError(f"SAM: rho={rho}; want a number >= 0")
        self.optimizer, self.rho, self.parameters = optimizer, rho, optimizer.parameters

    lr = property(
        lambda self: self.optimizer.lr, lambda self, lr: setattr(self.optimizer, "lr", lr)
    )
    t = property(lambda self: self.optimizer.t)
    maximize = property(lambda self: self.optimizer.maximize)

    def step(self, closure):
        """Climb, look, return, step. Returns the loss at theta."""
        loss = closure()
        before, g = self.parameters.theta.copy(), self.parameters.dtheta
        with self.writing() as theta:
            worse = -self.rho if self.maximize else self.rho
            theta += worse / (float(np.linalg.norm(g)) + 1e-12) * g
        closure()
        with self.writing() as theta:
            theta[...] = before
        self.optimizer.step()
        return loss

    def train(self):
        """As the optimizer inside."""
        self.optimizer.train()

    def eval(self):
        """As the optimizer inside."""
        self.optimizer.eval()

    def state_dict(self):
        """That of the optimizer inside."""
        return self.optimizer.state_dict()

    def load_state_dict(self, state):
        """Continue from a `state_dict()`."""
        self.optimizer.load_state_dict(state)
