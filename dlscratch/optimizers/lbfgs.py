"""L-BFGS: Newton's direction from the last few steps, and a line search."""

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from ..engine import Tensor
from ..layers.parameters import Parameter
from .base import Optimizer

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """theta ← theta - t H g, up to max_iter times a step, with H ≈ (d²L/dtheta²)⁻¹.

    H comes from the last s = Δtheta and y = Δg.

    `step(closure)`: closure() zeroes the gradients, computes the loss, calls backward and returns
    it, on the same data each time. What has no gradient, or is frozen, stays where it is.  Source:
    Nocedal & Wright 2006, 3.5 and 7.2.

    Parameters
    ----------
    params : model.parameters(), or any parameters, but not in groups
    lr : t, or the first t that is tried
    max_iter : the most iterations of a step
    max_eval : the most calls of closure in a step; 5/4 max_iter unless given
    tolerance_grad : a step ends when no |g| exceeds it
    tolerance_change : a step ends when theta or the loss change by less
    history_size : how many s and y are kept
    line_search_fn : "strong_wolfe", which finds t, or None

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> w = layers.Parameter(np.array([3.0, -2.0]))
    >>> optimizer = LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = np.sum((w - np.array([1.0, 2.0])) ** 2 * np.array([1.0, 10.0]))
    ...     loss.backward()
    ...     return loss
    >>> float(optimizer.step(closure))
    164.0
    >>> w.data.round(4)
    array([1., 2.])
    """

    def __init__(
        self,
        params: Iterable[Parameter],
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ):
        super().__init__(
            params,
            lr=lr,
            max_iter=max_iter,
            max_eval=max_iter * 5 // 4 if max_eval is None else max_eval,
            tolerance_grad=tolerance_grad,
            tolerance_change=tolerance_change,
            history_size=history_size,
            line_search_fn=line_search_fn,
        )
        self.memory = []  # (s, y, 1 / yᵀs), oldest first
        self.h = 1.0  # H starts from h I
        self.g = np.zeros(self.parameters.size, self.parameters.dtype)
        self.s = np.zeros_like(self.g)

    def check(self, options):
        super().check(options)
        if options["line_search_fn"] not in (None, "strong_wolfe"):
            raise ValueError(
                "LBFGS: expected line_search_fn 'strong_wolfe' or None, "
                f"got {options['line_search_fn']!r}"
            )

    def add_param_group(self, group):
        if self.param_groups:
            raise ValueError(
                "LBFGS: expected one group, got a second; want one lr for all, "
                "for it steps along one direction"
            )
        super().add_param_group(group)

    def step(self, closure: Callable[[], Tensor]) -> Tensor:
        """Up to max_iter iterations. Returns the loss at their start."""
        options = self._options(self.param_groups[0])
        smallest = options["tolerance_change"]
        start = closure()
        f = float(start)
        g = self.gradient()
        evaluations = 1
        for i in range(options["max_iter"]):
            if np.abs(g).max() <= options["tolerance_grad"]:
                break
            if i > 0 and evaluations >= options["max_eval"]:
                break
            self.t += 1
            d = self._direction(g, options["history_size"])
            slope = float(g @ d)
            length = options["lr"]
            if self.t == 1:
                length *= min(1.0, 1 / float(np.abs(g).sum()))
            before = f
            self.g = g
            self.s = d * length
            if slope > -smallest:
                break
            line = _Line(self, closure, d)
            if options["line_search_fn"] is not None:
                here = Point(0.0, f, slope, g)
                most = options["max_eval"] - evaluations
                length, f, _, g = strong_wolfe(line, length, here, most, smallest)
                self.s = d * length
                line.move(length)
            elif i < options["max_iter"] - 1:
                _, f, _, g = line(length)
            else:
                line.move(length)
            evaluations += line.evaluations
            if np.abs(self.s).max() <= smallest or abs(f - before) < smallest:
                break
        return start

    def _direction(self, g, history_size):
        """-H g, by the two loops over the memory, after it has taken in the last step."""
        if self.t > 1:
            y = g - self.g
            ys = float(y @ self.s)
            if ys > 1e-10:
                self.memory = [*self.memory, (self.s, y, 1 / ys)][-history_size:]
                self.h = ys / float(y @ y)
        q = -g
        weights = []
        for s, y, inverse in reversed(self.memory):
            weight = float(s @ q) * inverse
            weights.append(weight)
            q = q - weight * y
        q = self.h * q
        for (s, y, inverse), weight in zip(self.memory, reversed(weights), strict=True):
            q = q + (weight - float(y @ q) * inverse) * s
        for p, span in self.parameters.spans():
            if p.grad is None or not p.requires_grad:
                q[span] = 0
        return q

    def state_dict(self):
        """{name: array}; the rows of "steps" and "changes" are past s and y."""
        size = self.g.size
        return super().state_dict() | {
            "h": np.array(self.h),
            "g": self.g.copy(),
            "s": self.s.copy(),
            "steps": np.array([s for s, _, _ in self.memory], self.g.dtype).reshape(-1, size),
            "changes": np.array([y for _, y, _ in self.memory], self.g.dtype).reshape(-1, size),
        }

    def load_state_dict(self, state):
        """Continue from a `state_dict()` of L-BFGS on as many parameters."""
        names = ("h", "g", "s", "steps", "changes")
        missing = [name for name in names if name not in state]
        if missing:
            raise KeyError(f"LBFGS.load_state_dict: missing {missing}")
        h, g, s, steps, changes = (np.array(state[name]) for name in names)
        row = self.g.shape
        shapes = {g.shape, s.shape, steps.shape[1:], changes.shape[1:]}
        if shapes != {row} or len(steps) != len(changes):
            raise ValueError(
                f"LBFGS.load_state_dict: g has shape {g.shape}, steps {steps.shape}, "
                f"expected {row} a row"
            )
        super().load_state_dict({k: v for k, v in state.items() if k not in names})
        self.h = float(h)
        self.g = g
        self.s = s
        self.memory = [(a, b, 1 / float(b @ a)) for a, b in zip(steps, changes, strict=True)]


class Point(NamedTuple):
    """A point of the line search: how far, the loss there, its slope along d, its gradient."""

    t: float
    f: float
    slope: float
    g: np.ndarray


class _Line:
    """The loss as a function of t along theta + t d."""

    def __init__(self, optimizer, closure, d):
        self.optimizer = optimizer
        self.closure = closure
        self.d = d
        self.start = optimizer.parameters.read()
        self.evaluations = 0

    def move(self, t):
        """theta ← start + t d."""
        self.optimizer.parameters.write(self.start + t * self.d)

    def __call__(self, t):
        self.move(t)
        self.evaluations += 1
        f = float(self.closure())
        g = self.optimizer.gradient()
        return Point(t, f, float(g @ self.d), g)


def strong_wolfe(line, t, start, most, smallest, c1=1e-4, c2=0.9):
    """A Point with f(t) <= f(0) + c1 t f'(0) and |f'(t)| <= c2 |f'(0)|.

    Or the best one after `most` tries. First t grows until a minimum is bracketed, then the bracket
    shrinks around it; both go by cubic interpolation.
    """
    last = start
    new = line(t)
    for i in range(most):
        too_high = new.f > start.f + c1 * new.t * start.slope
        if too_high or (i > 1 and new.f >= last.f):
            return _zoom(line, start, last, new, most - i, smallest, c1, c2)
        if abs(new.slope) <= -c2 * start.slope:
            return new
        if new.slope >= 0:
            return _zoom(line, start, last, new, most - i, smallest, c1, c2)
        t = _cubic(last, new, new.t + 0.01 * (new.t - last.t), 10 * new.t)
        last = new
        new = line(t)
    return min(start, new, key=lambda point: point.f)


def _zoom(line, start, a, b, most, smallest, c1, c2):
    """The point that `strong_wolfe` looks for, which lies between a and b."""
    low, high = sorted((a, b), key=lambda point: point.f)
    size = float(np.abs(line.d).max())
    stuck = False  # whether the last t was near an edge of the bracket
    for _ in range(most):
        left, right = sorted((low.t, high.t))
        if (right - left) * size < smallest:
            break
        t = _cubic(low, high, left, right)
        margin = 0.1 * (right - left)
        near = min(right - t, t - left) < margin
        outside = t >= right or t <= left
        if near and (stuck or outside):  # twice at the same edge: step inside
            t = right - margin if right - t < t - left else left + margin
            near = False
        stuck = near
        new = line(t)
        if new.f > start.f + c1 * new.t * start.slope or new.f >= low.f:
            low, high = (new, low) if new.f < low.f else (low, new)
            continue
        if abs(new.slope) <= -c2 * start.slope:
            return new
        if new.slope * (high.t - low.t) >= 0:
            high = low
        low = new
    return low


def _cubic(p, q, left, right):
    """The minimum of the cubic through two points and their slopes, within [left, right].

    The middle if there is none.
    """
    p, q = sorted((p, q), key=lambda point: point.t)
    d1 = p.slope + q.slope - 3 * (p.f - q.f) / (p.t - q.t)
    square = d1 * d1 - p.slope * q.slope
    if not square >= 0:
        return (left + right) / 2
    d2 = math.sqrt(square)
    t = q.t - (q.t - p.t) * (q.slope + d2 - d1) / (q.slope - p.slope + 2 * d2)
    return min(max(t, left), right)
