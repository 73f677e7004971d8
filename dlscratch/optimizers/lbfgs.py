"""L-BFGS: Newton's direction from the last few steps, and a line search that makes each step count."""

import math
from typing import NamedTuple

import numpy as np

from .base import Optimizer

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """theta ← theta - t H g up to max_iter times a step, where H ≈ (d²L/dtheta²)⁻¹ comes from the last s = Δtheta and y = Δg.

    `step(closure)`: closure() zeroes the gradients, computes the loss, calls backward and returns it, on the same data
    each time. t is lr, or found by `line_search_fn="strong_wolfe"`. Stops when no |g| exceeds tolerance_grad, when theta
    or the loss change by less than tolerance_change, or after max_eval closures.  Source: Nocedal & Wright 2006, 3.5 and 7.2.
    """

    wants_closure = True

    def __init__(
        self,
        params,
        lr=1.0,
        max_iter=20,
        max_eval=None,
        tolerance_grad=1e-7,
        tolerance_change=1e-9,
        history_size=100,
        line_search_fn=None,
    ):
        if line_search_fn not in (None, "strong_wolfe"):
            raise ValueError(
                f"LBFGS: line_search_fn={line_search_fn!r}; want 'strong_wolfe' or None"
            )
        super().__init__(params, lr)
        if np.ndim(self.scale):
            raise ValueError(
                "LBFGS: groups with their own lr; want one lr, for it steps along one direction"
            )
        self.max_iter, self.max_eval = max_iter, max_iter * 5 // 4 if max_eval is None else max_eval
        self.tolerance_grad, self.tolerance_change, self.history_size = (
            tolerance_grad,
            tolerance_change,
            history_size,
        )
        self.searches, self.memory, self.h = (
            line_search_fn is not None,
            [],
            1.0,
        )  # memory: (s, y, 1 / yᵀs), oldest first
        self.g, self.s = (np.zeros_like(self.parameters.theta) for _ in range(2))

    def step(self, closure):
        """Up to max_iter iterations. Returns the loss at their start."""
        start = closure()
        f, g, count = float(start), self.parameters.dtheta.copy(), 1
        for i in range(self.max_iter):
            if np.abs(g).max() <= self.tolerance_grad or (i > 0 and count >= self.max_eval):
                break
            self.t += 1
            d = self.direction(g)
            slope, length = (
                float(g @ d),
                self.lr * (min(1.0, 1 / float(np.abs(g).sum())) if self.t == 1 else 1.0),
            )
            self.g, self.s, before = g, d * length, f
            if slope > -self.tolerance_change:
                break
            phi = _Line(self, closure, d)
            if self.searches:
                length, f, _, g = strong_wolfe(
                    phi,
                    length,
                    Point(0.0, f, slope, g),
                    self.max_eval - count,
                    self.tolerance_change,
                )
                self.s = d * length
                phi.move(length)
            elif i < self.max_iter - 1:
                _, f, _, g = phi(length)
            else:
                phi.move(length)
            count += phi.count
            if (
                np.abs(self.s).max() <= self.tolerance_change
                or abs(f - before) < self.tolerance_change
            ):
                break
        return start

    def direction(self, g):
        """-H g, by the two loops over the memory, after it has taken in the last step."""
        if self.t > 1:
            y = g - self.g
            if (ys := float(y @ self.s)) > 1e-10:
                self.memory = [*self.memory, (self.s, y, 1 / ys)][-self.history_size :]
                self.h = ys / float(y @ y)
        q, weights = -g, []
        for s, y, inverse in reversed(self.memory):
            weights.append(float(s @ q) * inverse)
            q = q - weights[-1] * y
        q = self.h * q
        for (s, y, inverse), a in zip(self.memory, reversed(weights), strict=True):
            q = q + (a - float(y @ q) * inverse) * s
        return q

    def state_dict(self):
        """{name: array}; past steps and changes of the gradient are the rows of "steps" and "changes"."""
        rows = {
            name: np.array([m[i] for m in self.memory]).reshape(-1, self.g.size)
            for i, name in ((0, "steps"), (1, "changes"))
        }
        return (
            super().state_dict()
            | {"h": np.array(self.h), "g": self.g.copy(), "s": self.s.copy()}
            | rows
        )

    def load_state_dict(self, state):
        """Continue from a `state_dict()` of L-BFGS on as many parameters."""
        names = ("h", "g", "s", "steps", "changes")
        if missing := [n for n in names if n not in state]:
            raise KeyError(f"LBFGS.load_state_dict: missing {missing}")
        h, g, s, steps, changes = (np.array(state[n]) for n in names)
        if not {g.shape, s.shape, *(a.shape[1:] for a in (steps, changes))} == {
            self.g.shape
        } or len(steps) != len(changes):
            raise ValueError(
                f"LBFGS.load_state_dict: g has shape {g.shape}, steps {steps.shape}, want {self.g.shape} a row"
            )
        super().load_state_dict({k: v for k, v in state.items() if k not in names})
        self.h, self.g, self.s = float(h), g, s
        self.memory = [(a, b, 1 / float(b @ a)) for a, b in zip(steps, changes, strict=True)]


class Point(NamedTuple):
    """A point of the line search: how far along the direction, the loss there, its slope along it, its gradient."""

    t: float
    f: float
    slope: float
    g: np.ndarray


class _Line:
    """The loss as a function of t along theta + t d."""

    def __init__(self, optimizer, closure, d):
        self.optimizer, self.closure, self.d, self.count = optimizer, closure, d, 0
        self.start = optimizer.parameters.theta.copy()

    def move(self, t):
        with self.optimizer.writing() as theta:
            theta[...] = self.start + t * self.d

    def __call__(self, t):
        self.move(t)
        self.count += 1
        f, g = float(self.closure()), self.optimizer.parameters.dtheta.copy()
        return Point(t, f, float(g @ self.d), g)


def strong_wolfe(phi, t, start, most, smallest, c1=1e-4, c2=0.9):
    """A Point with f(t) <= f(0) + c1 t f'(0) and |f'(t)| <= c2 |f'(0)|, or the best one after `most` tries.

    First t grows until a minimum is bracketed, then the bracket shrinks around it; both go by cubic interpolation.
    """
    last, new = start, phi(t)
    for i in range(most):
        if new.f > start.f + c1 * new.t * start.slope or (i > 1 and new.f >= last.f):
            return _zoom(phi, start, last, new, most - i, smallest, c1, c2)
        if abs(new.slope) <= -c2 * start.slope:
            return new
        if new.slope >= 0:
            return _zoom(phi, start, last, new, most - i, smallest, c1, c2)
        t = _cubic(last, new, new.t + 0.01 * (new.t - last.t), 10 * new.t)
        last, new = new, phi(t)
    return min(start, new, key=lambda point: point.f)


def _zoom(phi, start, a, b, most, smallest, c1, c2):
    """The point that `strong_wolfe` looks for, which lies between a and b."""
    low, high = sorted((a, b), key=lambda point: point.f)
    size, stuck = float(np.abs(phi.d).max()), False
    for _ in range(most):
        left, right = sorted((low.t, high.t))
        if (right - left) * size < smallest:
            break
        t, margin = _cubic(low, high, left, right), 0.1 * (right - left)
        near = min(right - t, t - left) < margin
        if near and (stuck or t >= right or t <= left):  # twice at the same edge: step inside
            t, near = (right - margin if right - t < t - left else left + margin), False
        stuck, new = near, phi(t)
        if new.f > start.f + c1 * new.t * start.slope or new.f >= low.f:
            low, high = (new, low) if new.f < low.f else (low, new)
            continue
        if abs(new.slope) <= -c2 * start.slope:
            return new
        low, high = new, low if new.slope * (high.t - low.t) >= 0 else high
    return low


def _cubic(p, q, left, right):
    """The minimum of the cubic through two points and their slopes, kept within [left, right]; the middle if there is none."""
    p, q = sorted((p, q), key=lambda point: point.t)
    d1 = p.slope + q.slope - 3 * (p.f - q.f) / (p.t - q.t)
    square = d1 * d1 - p.slope * q.slope
    if not square >= 0:
        return (left + right) / 2
    d2 = math.sqrt(square)
    t = q.t - (q.t - p.t) * (q.slope + d2 - d1) / (q.slope - p.slope + 2 * d2)
    return min(max(t, left), right)
