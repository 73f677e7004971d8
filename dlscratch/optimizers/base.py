"""Optimizer: what all update rules share. A rule itself is one method, a formula on vectors."""

import numpy as np

from ..layers.parameters import Parameters

__all__ = ["Optimizer"]


class Optimizer:
    """theta ← theta + update(dtheta), for all parameters at once. Subclasses name their state vectors and define `update`.

    `update(theta, g)` changes theta (P,) in place, given g = dL/dtheta (P,). Frozen parameters keep their numbers.
    """

    state = ()  # names of the vectors that the rule remembers between steps

    def __init__(self, params, lr):
        self.parameters = params if isinstance(params, Parameters) else Parameters(params)
        if not lr >= 0:
            raise ValueError(f"{type(self).__name__}: lr={lr}; want a number >= 0")
        self.lr, self.t = lr, 0
        for name in self.state:
            setattr(self, name, np.zeros_like(self.parameters.theta))

    def step(self):
        """One update from the gradients that backward left in dtheta."""
        theta, g = self.parameters.theta, self.parameters.dtheta
        self.t += 1
        frozen = [(span, theta[span].copy()) for p, span in self.parameters.spans() if not p.requires_grad]
        self.update(theta, g)
        for span, before in frozen:
            theta[span] = before
        self.parameters.mark_written()

    def zero_grad(self):
        """Set all gradients to zero."""
        self.parameters.zero_grad()

    def update(self, theta, g):
        """The formula. Raises NotImplementedError until a subclass defines it."""
        raise NotImplementedError(f"{type(self).__name__} defines no update(self, theta, g)")

    def state_dict(self):
        """{name: array}: the step count, the learning rate and copies of the state vectors."""
        return {"t": np.array(self.t), "lr": np.array(self.lr), **{n: getattr(self, n).copy() for n in self.state}}

    def load_state_dict(self, state):
        """Continue from a `state_dict()` of the same kind of optimizer on as many parameters."""
        size = self.parameters.theta.size
        if state.keys() != (own := {"t", "lr", *self.state}):
            missing, unexpected = sorted(own - state.keys()), sorted(state.keys() - own)
            raise KeyError(f"{type(self).__name__}.load_state_dict: missing {missing}, unexpected {unexpected}")
        if wrong := [n for n in self.state if state[n].shape != (size,)]:
            raise ValueError(f"{type(self).__name__}.load_state_dict: {wrong[0]} has shape {state[wrong[0]].shape}, want {(size,)}")
        self.t, self.lr = int(state["t"]), float(state["lr"])
        for name in self.state:
            getattr(self, name)[...] = state[name]
