"""Averages of the parameter vector over training: often better than where training stands."""

from contextlib import contextmanager

import numpy as np

__all__ = ["EMA", "SWA"]


class SWA:
    """x ← x + (theta - x) / n at the n-th update: the mean of all thetas seen.  Source: Izmailov et al. 2018.

    `with average.swapped():` evaluates or saves the model with x in place of theta, and then puts theta back. Buffers
    (BatchNorm's running averages) stay those of the model.
    """

    def __init__(self, parameters):
        self.parameters, self.n = parameters, 0
        self.x = parameters.theta.copy()

    def update(self):
        """Take in theta as it is now; the first one is copied."""
        self.n += 1
        self.x += (self.weight() if self.n > 1 else 1.0) * (self.parameters.theta - self.x)

    def weight(self):
        """How much the newest theta counts."""
        return 1 / self.n

    @contextmanager
    def swapped(self):
        """x in the model for the length of a `with` block."""
        theta = self.parameters.theta.copy()
        self._write(self.x)
        try:
            yield
        finally:
            self._write(theta)

    def _write(self, values):
        self.parameters.theta[...] = values
        self.parameters.mark_written()

    def state_dict(self):
        """{name: array}: the average and how many it holds."""
        return {"x": self.x.copy(), "n": np.array(self.n)}

    def load_state_dict(self, state):
        """Continue from a `state_dict()` of as many parameters."""
        if np.shape(state["x"]) != self.x.shape:
            raise ValueError(f"{type(self).__name__}.load_state_dict: x has shape {np.shape(state['x'])}, want {self.x.shape}")
        self.n, self.x[...] = int(state["n"]), state["x"]


class EMA(SWA):
    """x ← decay x + (1 - decay) theta: a mean that forgets, over about 1 / (1 - decay) updates.  Source: Polyak & Juditsky 1992."""

    def __init__(self, parameters, decay=0.999):
        if not 0 <= decay <= 1:
            raise ValueError(f"EMA: decay={decay}; want a number in [0, 1]")
        self.decay = decay
        super().__init__(parameters)

    def weight(self):
        return 1 - self.decay
