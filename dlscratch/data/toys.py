"""Points in the plane with known truth: each class is a curve that is blurred by noise.

A point of class c is x = curve_c(t) + noise * z, with t uniform on [0, 1) and z standard
normal. So P(y | x) can be computed. With equal classes P(c | x) is proportional to the
integral over t of exp(-|x - curve_c(t)|² / (2 noise²)): no classifier can do better.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..engine import default_dtype
from .split import Seed

__all__ = ["Toy", "moons", "circles", "spirals", "xor", "blobs"]

# The midpoint rule; it is exact to rounding once its spacing is below the noise.
_NODES = (np.arange(1024) + 0.5) / 1024


class Toy(NamedTuple):
    """Points, their classes, and the true probability of each class anywhere.

    X: (N, 2), y: (N,), and truth(X): P(y = 1 | X) as (N,) for two classes, P(y = c | X) as
    (N, C) for more.

    Examples
    --------
    >>> X, y, truth = moons(rng=0, n=200)
    >>> X.shape, y.shape
    ((200, 2), (200,))
    >>> bool(((truth(X) > 0.5) == y).mean() > 0.9)
    True
    """

    X: np.ndarray
    y: np.ndarray
    truth: Callable[[np.ndarray], np.ndarray]


def moons(rng: Seed, n: int = 500, noise: float = 0.2) -> Toy:
    """Two half circles of radius 1 that reach into each other."""

    def upper(t):
        return _arc(t / 2)

    def lower(t):
        return np.array([1.0, 0.5]) - _arc(t / 2)

    return _toy("moons", rng, n, noise, [upper, lower])


def circles(rng: Seed, n: int = 500, noise: float = 0.1) -> Toy:
    """A circle of radius 1 (class 0) around one of radius 1/2 (class 1)."""
    return _toy("circles", rng, n, noise, [_arc, lambda t: 0.5 * _arc(t)])


def spirals(
    rng: Seed, n: int = 500, noise: float = 0.05, turns: float = 1.0, classes: int = 2
) -> Toy:
    """Arms that wind `turns` times around the origin, from radius 0.1 to 1.

    Parameters
    ----------
    rng : Generator or int, optional
    n : int
        How many points; classes differ by at most one.
    noise : float
        The standard deviation of the blur, above 0.
    turns : float
    classes : int
        How many arms.

    Returns
    -------
    Toy
    """

    def arm(c):
        return lambda t: (0.1 + 0.9 * t)[:, None] * _arc(turns * t + c / classes)

    return _toy("spirals", rng, n, noise, [arm(c) for c in range(classes)])


def xor(rng: Seed, n: int = 500, noise: float = 0.4) -> Toy:
    """Class 1 around (1, -1) and (-1, 1), class 0 around (1, 1) and (-1, -1).

    No line parts them.
    """

    def corners(*direction):
        return lambda t: np.where(t < 0.5, -1.0, 1.0)[:, None] * direction

    return _toy("xor", rng, n, noise, [corners(1, 1), corners(1, -1)])


def blobs(rng: Seed, n: int = 500, noise: float = 0.4, classes: int = 2) -> Toy:
    """One round cloud a class, with centres evenly spaced on the unit circle."""

    def centre(c):
        return lambda t: _arc(0 * t + c / classes)

    return _toy("blobs", rng, n, noise, [centre(c) for c in range(classes)])


def _arc(turn):
    """The point of the unit circle after `turn` turns: (N,) → (N, 2)."""
    return np.stack([np.cos(2 * np.pi * turn), np.sin(2 * np.pi * turn)], axis=-1)


def _toy(name, rng, n, noise, curves):
    if not curves:
        raise ValueError(f"{name}: expected at least 1 class, got classes=0")
    if n < len(curves):
        raise ValueError(f"{name}: {n} points for {len(curves)} classes; want at least one each")
    if not noise > 0:
        raise ValueError(
            f"{name}: noise={noise}: want a positive number; "
            "without noise P(y | x) is undefined off the curves"
        )
    rng = np.random.default_rng(rng)
    y = rng.permutation(np.arange(n) % len(curves))
    t = rng.random(n)
    on_curve = np.stack([curve(t) for curve in curves])[y, np.arange(n)]
    X = on_curve + noise * rng.standard_normal((n, 2))

    def truth(points):
        return _truth(np.asarray(points, np.float64), curves, noise)

    return Toy(X.astype(default_dtype()), y, truth)


def _truth(X, curves, noise):
    """Bayes' rule with the classes' densities, in logarithms: far away they underflow."""
    blocks = np.array_split(X, len(X) // 2048 + 1)  # a fine grid would fill the memory otherwise
    density = np.concatenate(
        [np.stack([_log_density(b, c(_NODES), noise) for c in curves], axis=-1) for b in blocks]
    )
    p = np.exp(density - np.max(density, axis=-1, keepdims=True))
    p /= p.sum(axis=-1, keepdims=True)
    return p[:, 1] if len(curves) == 2 else p


def _log_density(X, nodes, noise):
    """log of the mean over nodes of exp(-|x - node|² / (2 noise²)): (N, 2), (K, 2) → (N,)."""
    squares = np.sum(X**2, axis=1)[:, None] - 2 * X @ nodes.T + np.sum(nodes**2, axis=1)
    exponent = -squares / (2 * noise**2)
    top = exponent.max(axis=1, keepdims=True)
    return top[:, 0] + np.log(np.mean(np.exp(exponent - top), axis=1))
