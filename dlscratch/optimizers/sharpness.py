"""Sharpness-aware minimisation."""

from collections.abc import Callable

import numpy as np

from ..engine import Tensor
from .base import Optimizer

__all__ = ["SAM"]


class SAM(Optimizer):
    """Steps `optimizer` with the gradient at theta + ρ g / |g|, the worst point nearby.

    `step(closure)` needs closure() to compute the loss and its gradients anew, and calls it twice.
    Groups, state and the count of steps are those of the optimizer inside.  Source: Foret et al.
    2021.

    Parameters
    ----------
    optimizer : what makes the steps
    rho : ρ, how far the worst point is

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> w = layers.Parameter(np.array([3.0, 4.0]))
    >>> optimizer = SAM(optimizers.SGD([w], lr=0.1), rho=0.5)
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = np.sum(w * w)
    ...     loss.backward()
    ...     return loss
    >>> float(optimizer.step(closure))
    25.0
    >>> w.data.round(2)
    array([2.34, 3.12])
    """

    def __init__(self, optimizer: Optimizer, rho: float = 0.05):
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"SAM: expected an Optimizer, got {type(optimizer).__name__}; "
                "pass the optimizer that makes the steps: SAM(SGD(...), rho)"
            )
        if not rho >= 0:
            raise ValueError(f"SAM: expected rho >= 0, got rho={rho}")
        self.optimizer = optimizer
        self.rho = float(rho)

    @property
    def parameters(self):
        """Those of the optimizer inside."""
        return self.optimizer.parameters

    @property
    def param_groups(self):
        """Those of the optimizer inside."""
        return self.optimizer.param_groups

    @property
    def state(self):
        """That of the optimizer inside."""
        return self.optimizer.state

    @property
    def t(self):
        """How many steps the optimizer inside has made."""
        return self.optimizer.t

    def step(self, closure: Callable[[], Tensor]) -> Tensor:
        """Climb, look, return, step. Returns the loss at theta."""
        loss = closure()
        theta = self.parameters.read()
        g = self.optimizer.gradient()
        self.parameters.write(theta + self.rho / (float(np.linalg.norm(g)) + 1e-12) * g)
        closure()
        self.parameters.write(theta)
        self.optimizer.step()
        return loss

    def add_param_group(self, group: dict):
        """As the optimizer inside."""
        self.optimizer.add_param_group(group)

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

    def __repr__(self):
        return f"SAM(rho={self.rho}, {self.optimizer})"
