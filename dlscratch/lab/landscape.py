"""The loss as a landscape over the parameters: slices, surfaces, paths and their barriers."""

from collections.abc import Callable, Iterable
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..engine import Tensor, no_grad
from ..layers.parameters import Parameters

__all__ = ["filter_direction", "slice_along", "surface", "path", "barrier"]

Loss = Callable[[], Tensor | float]  # a function of nothing


def filter_direction(
    parameters: Iterable[Tensor], rng: np.random.Generator | int | None = 0
) -> np.ndarray:
    """A random direction in which every filter (row of weights) is as long as the model's own.

    → (P,); vectors, such as biases, get zero. Without that, a network whose weights are scaled up
    looks flatter, though it computes the same. Source: Li et al. 2018.

    Examples
    --------
    >>> weight = Tensor(np.array([[3.0, 4.0], [0.0, 1.0]]))
    >>> np.linalg.norm(filter_direction([weight]).reshape(2, 2), axis=1).round(6)
    array([5., 1.])
    """
    rng = np.random.default_rng(rng)
    pieces = []
    for p in parameters:
        if p.ndim > 1:
            d = rng.normal(size=p.shape)
            d *= _lengths(p.data) / _lengths(d)
        else:
            d = np.zeros(p.shape)
        pieces.append(d.ravel())
    return np.concatenate(pieces)


def _lengths(filters):
    """The norm of each filter, in a shape that multiplies it."""
    axes = tuple(range(1, filters.ndim))
    return np.sqrt(np.square(filters).sum(axes, keepdims=True))


def slice_along(loss: Loss, parameters: Parameters, direction: Any, steps: Any) -> np.ndarray:
    """L(theta + t d) for each t in `steps`: (T,); theta returns to where it was.

    direction: (P,), steps: (T,). Raises ValueError when the direction has another length.

    Examples
    --------
    >>> from dlscratch import layers
    >>> w = layers.Parameter(np.array([1.0, 2.0]))
    >>> slice_along(lambda: np.sum(w * w), Parameters([w]), [1.0, 0.0], [-1.0, 0.0, 1.0])
    array([4., 5., 8.])
    """
    with _moving(loss, parameters) as (loss_at, start):
        d = _fits(direction, start)
        return np.array([loss_at(start + t * d) for t in steps])


def surface(loss: Loss, parameters: Parameters, d1: Any, d2: Any, a: Any, b: Any) -> np.ndarray:
    """L(theta + a_i d1 + b_j d2): (A, B); theta returns to where it was.

    Parameters
    ----------
    loss : callable
        A function of nothing that gives the loss.
    parameters : Parameters
        What moves.
    d1, d2 : (P,)
        The directions.
    a, b : (A,) and (B,)
        How far.

    Returns
    -------
    ndarray, (A, B)

    Raises
    ------
    ValueError
        When a direction has another length.
    """
    with _moving(loss, parameters) as (loss_at, start):
        d1 = _fits(d1, start)
        d2 = _fits(d2, start)
        return np.array([[loss_at(start + s * d1 + t * d2) for t in b] for s in a])


def path(loss: Loss, parameters: Parameters, begin: Any, end: Any, steps: int = 21) -> np.ndarray:
    """L on the straight line between two parameter vectors, ends included: (steps,).

    Parameters
    ----------
    loss : callable
        A function of nothing that gives the loss.
    parameters : Parameters
        What moves; it returns to where it was.
    begin, end : (P,)
        The ends.
    steps : int
        How many points.

    Returns
    -------
    ndarray, (steps,)

    Raises
    ------
    ValueError
        When an end has another length.
    """
    with _moving(loss, parameters) as (loss_at, start):
        begin = _fits(begin, start)
        end = _fits(end, start)
        points = [(1 - t) * begin + t * end for t in np.linspace(0, 1, steps)]
        return np.array([loss_at(point) for point in points])


def barrier(losses: Any) -> float:
    """How high a path rises above the straight line between its ends; 0 if never.

    losses: (T,) with T >= 3, ValueError otherwise. Source: Frankle et al. 2020.

    Examples
    --------
    >>> barrier([1.0, 5.0, 3.0])
    3.0
    """
    losses = np.asarray(losses, np.float64)
    if losses.ndim != 1 or len(losses) < 3:
        raise ValueError(
            f"barrier: losses {losses.shape}; want (T,) with T >= 3: two ends and what lies between"
        )
    return float(np.max(losses - np.linspace(losses[0], losses[-1], len(losses))))


@contextmanager
def _moving(loss, parameters):
    """(the loss as a function of theta, where theta stands); on leaving it stands there again."""
    parameters = Parameters.of(parameters)
    start = parameters.read()

    def loss_at(point):
        parameters.write(point)
        value = loss()
        return float(value.data if isinstance(value, Tensor) else value)

    try:
        with no_grad():
            yield loss_at, start
    finally:
        parameters.write(start)


def _fits(vector, theta):
    if np.shape(vector) != theta.shape:
        raise ValueError(
            f"landscape: a direction or end of shape {np.shape(vector)}, want {theta.shape}: one "
            "entry a parameter"
        )
    return np.asarray(vector, theta.dtype)
