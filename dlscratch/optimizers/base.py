"""Optimizer: what all update rules share. A rule itself is one method, a formula on vectors."""

import copy
import math
from contextlib import contextmanager

import numpy as np

from ..engine import blocks
from .groups import Selection, collect

__all__ = ["Optimizer", "approach"]


class Optimizer:
    """theta ← theta + update(dtheta), for all parameters at once. Subclasses name their state vectors and define `update`.

    `update(theta, g)` changes theta (P,) in place, given g = dL/dtheta (P,). Frozen parameters keep their numbers.
    params: model.parameters(), any of these, or groups [{"params": ..., "lr": ..., "weight_decay": ...}, ...], which make
    `rate` and `weight_decay` vectors (P,) in place of numbers. With `maximize`, rules see -g, and so climb. Raises ValueError
    for a negative lr or decay.
    """

    state = ()  # names of what the rule remembers between steps: vectors (P,), made here, or what it makes itself
    elementwise = False  # whether each entry's update depends on that entry alone, all state being vectors (P,)
    wants_closure = (
        False  # whether step needs closure(), which computes the loss and its gradients anew
    )

    def __init__(self, params, lr, weight_decay=0.0, maximize=False):
        self.maximize = maximize
        self.parameters, options = collect(params)
        for o in ({}, *options):
            for name, value in (dict(lr=lr, weight_decay=weight_decay) | o).items():
                if not value >= 0:
                    raise ValueError(f"{type(self).__name__}: {name}={value}; want a number >= 0")
        if lr == 0 and any("lr" in o for o in options):
            raise ValueError(
                f"{type(self).__name__}: lr=0, and groups scale it; give the common lr a number > 0"
            )
        self.lr, self.t = lr, 0
        self.scale = self._each([o.get("lr", lr) / lr if lr else 1.0 for o in options])
        self.weight_decay = self._each([o.get("weight_decay", weight_decay) for o in options])
        for name in self.state:
            setattr(self, name, np.zeros_like(self.parameters.theta))

    def _each(self, values):
        """One number for each parameter as a vector (P,); where all are equal, that number."""
        if len(set(values)) == 1:
            return values[0]
        return np.repeat(
            np.array(values, self.parameters[0].dtype), [p.size for p in self.parameters]
        )

    @property
    def rate(self):
        """The learning rate of each entry: lr, or lr · scale (P,) where groups have their own."""
        return self.lr * self.scale

    def step(self, closure=None):
        """One update from the gradients in dtheta; closure(), if given, computes them first. Returns what it returned."""
        loss = None if closure is None else closure()
        self.t += 1
        with self.writing() as theta:
            self._update(
                theta, -self.parameters.dtheta if self.maximize else self.parameters.dtheta
            )
        return loss

    def _update(self, theta, g):
        """`update`, block by block where the rule allows: a dozen passes over numbers that stay in cache take half the time."""
        if (
            not self.elementwise
            or len(cuts := blocks(len(theta))) == 1
            or np.ndim(self.rate)
            or np.ndim(self.weight_decay)
        ):
            return self.update(theta, g)
        part = copy.copy(self)
        for block in cuts:
            for name in self.state:
                setattr(part, name, getattr(self, name)[block])
            part.update(theta[block], g[block])

    @contextmanager
    def writing(self):
        """theta, to be changed in place: afterwards frozen parameters have their numbers back and the graph is told."""
        theta = self.parameters.theta
        frozen = [
            (span, theta[span].copy()) for p, span in self.parameters.spans() if not p.requires_grad
        ]
        yield theta
        for span, before in frozen:
            theta[span] = before
        if isinstance(self.parameters, Selection):
            self.parameters.write(theta)
        self.parameters.mark_written()

    def zero_grad(self):
        """Set all gradients to zero."""
        self.parameters.zero_grad()

    def train(self):
        """Hold the numbers to train with; only schedule-free rules have others to evaluate with."""

    def eval(self):
        """Hold the numbers to evaluate with."""

    # What rules are made of -------------------------------------------------------------------------------------------

    def update(self, theta, g):
        """The formula. Raises NotImplementedError until a subclass defines it."""
        raise NotImplementedError(f"{type(self).__name__} defines no update(self, theta, g)")

    @property
    def decays(self):
        """Whether there is weight decay."""
        return np.ndim(self.weight_decay) > 0 or self.weight_decay > 0

    def decayed(self, theta, g):
        """g + λ theta: decay as a part of the gradient."""
        return g + self.weight_decay * theta if self.decays else g

    def shrink(self, theta):
        """theta ← (1 - lr λ) theta: decay that the rule does not see."""
        if self.decays:
            theta *= 1 - self.rate * self.weight_decay

    def matrices(self, *vectors):
        """(lr, λ, each vector's part in the parameter's shape) for each parameter: for rules that look at one at a time."""
        rate = self.rate
        for p, span in self.parameters.spans():
            first = (
                v if np.ndim(v) == 0 else float(v[span.start]) for v in (rate, self.weight_decay)
            )
            yield (*first, *(v[span].reshape(p.shape) for v in vectors))

    def carve(self, name, shapes):
        """Zeros of these shapes, views of one new state vector that is called `name`."""
        ends = np.cumsum([math.prod(s) for s in shapes], dtype=int)
        flat = np.zeros(ends[-1], self.parameters[0].dtype)
        setattr(self, name, flat)
        self.state = (*self.state, name)
        return [part.reshape(s) for part, s in zip(np.split(flat, ends[:-1]), shapes, strict=True)]

    # What moves to a file and back ------------------------------------------------------------------------------------

    def state_dict(self):
        """{name: array}: the step count, the learning rate and copies of the state."""
        return {name: np.array(getattr(self, name)) for name in ("t", "lr", *self.state)}

    def load_state_dict(self, state):
        """Continue from a `state_dict()` of the same kind of optimizer on as many parameters."""
        if state.keys() != (own := {"t", "lr", *self.state}):
            missing, unexpected = sorted(own - state.keys()), sorted(state.keys() - own)
            raise KeyError(
                f"{type(self).__name__}.load_state_dict: missing {missing}, unexpected {unexpected}"
            )
        for name in self.state:
            came, want = np.shape(state[name]), np.shape(getattr(self, name))
            if came != want:
                raise ValueError(
                    f"{type(self).__name__}.load_state_dict: {name} has shape {came}, want {want}"
                )
        self.t, self.lr = int(state["t"]), float(state["lr"])
        for name in self.state:
            own = getattr(self, name)
            if isinstance(own, np.ndarray):
                own[...] = state[name]
            else:
                setattr(self, name, float(state[name]))


def approach(average, x, share):
    """average ← average + share (x - average), in place: a running mean that forgets at the rate `share`."""
    x = x - average
    x *= share
    average += x
