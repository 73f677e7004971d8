"""The loss as a landscape over the parameters: slices, surfaces, paths between models, and the barriers on them."""

from contextlib import contextmanager

import numpy as np

from ..engine import Tensor, no_grad

__all__ = ["filter_direction", "slice_along", "surface", "path", "barrier"]


def filter_direction(parameters, rng=0):
    """A random direction in which every filter (row of weights) is as long as the model's own; vectors get zero: (P,).

    Without that, a network whose weights are scaled up looks flatter, though it computes the same. Source: Li et al. 2018.
    """
    rng, pieces = np.random.default_rng(rng), []
    for p in parameters:
        d = rng.normal(size=p.shape) if p.ndim > 1 else np.zeros(p.shape)
        if p.ndim > 1:
            axes = tuple(range(1, p.ndim))
            d *= np.sqrt(
                np.square(p.data).sum(axes, keepdims=True) / np.square(d).sum(axes, keepdims=True)
            )
        pieces.append(d.ravel())
    return np.concatenate(pieces)


@contextmanager
def _moving(parameters):
    """A copy of theta, which may be moved inside; on leaving it is as it was."""
    before = parameters.read()
    try:
        with no_grad():
            yield before
    finally:
        parameters.write(before)


def _at(loss, parameters, point):
    parameters.write(point)
    value = loss()
    return float(value.data if isinstance(value, Tensor) else value)


def slice_along(loss, parameters, direction, steps):
    """L(theta + t d) for each t in `steps`: (T,). loss: a function of nothing; theta returns to where it was."""
    with _moving(parameters) as start:
        return np.array([_at(loss, parameters, start + t * _fits(direction, start)) for t in steps])


def surface(loss, parameters, d1, d2, a, b):
    """L(theta + a_i d1 + b_j d2): (A, B)."""
    with _moving(parameters) as start:
        plane = lambda s, t: start + s * _fits(d1, start) + t * _fits(d2, start)
        return np.array([[_at(loss, parameters, plane(s, t)) for t in b] for s in a])


def path(loss, parameters, begin, end, steps=21):
    """L on the straight line from `begin` to `end`, two parameter vectors (P,), ends included: (steps,)."""
    with _moving(parameters) as start:
        begin, end = _fits(begin, start), _fits(end, start)
        return np.array(
            [_at(loss, parameters, (1 - t) * begin + t * end) for t in np.linspace(0, 1, steps)]
        )


def barrier(losses):
    """How high a path rises above the straight line between the losses of its ends; 0 if never.  losses: (T,)

    Source: Frankle et al. 2020.
    """
    losses = np.asarray(losses, np.float64)
    if losses.ndim != 1 or len(losses) < 3:
        raise ValueError(
            f"barrier: losses {losses.shape}; want (T,) with T >= 3: two ends and what lies between"
        )
    return float(np.max(losses - np.linspace(losses[0], losses[-1], len(losses))))


def _fits(vector, theta):
    if np.shape(vector) != theta.shape:
        raise ValueError(
            f"landscape: a direction or end of shape {np.shape(vector)}, want {theta.shape}: one entry a parameter"
        )
    return np.asarray(vector, theta.dtype)
