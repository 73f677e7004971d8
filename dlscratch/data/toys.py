"""Points in the plane with known truth: each class is a curve blurred by Gaussian noise, so P(y | x) can be computed.

A point of class c is x = curve_c(t) + noise * z, with t uniform on [0, 1) and z standard normal. With equal classes
P(c | x) is proportional to the integral over t of exp(-|x - curve_c(t)|² / (2 noise²)): no classifier can do better.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..engine import default_dtype

__all__ = ["Toy", "moons", "circles", "spirals", "xor", "blobs"]

_NODES = (
    np.arange(1024) + 0.5
) / 1024  # the midpoint rule; exact to rounding once its spacing is below the noise


class Toy(NamedTuple):
    """X: (N, 2), y: (N,), and truth(X): P(y = 1 | X) as (N,) for two classes, P(y = c | X) as (N, C) for more."""

    X: np.ndarray
    y: np.ndarray
    truth: Callable


def moons(rng, n=500, noise=0.2):
    """Two half circles of radius 1 that reach into each other."""
    return _toy(
        rng, n, noise, [lambda t: _arc(t / 2), lambda t: np.array([1.0, 0.5]) - _arc(t / 2)]
    )


def circles(rng, n=500, noise=0.1):
    """A circle of radius 1 (class 0) around one of radius 1/2 (class 1)."""
    return _toy(rng, n, noise, [_arc, lambda t: 0.5 * _arc(t)])


def spirals(rng, n=500, noise=0.05, turns=1.0, classes=2):
    """Arms that wind `turns` times around the origin, from radius 0.1 to 1."""
    arms = [
        lambda t, c=c: (0.1 + 0.9 * t)[:, None] * _arc(turns * t + c / classes)
        for c in range(classes)
    ]
    return _toy(rng, n, noise, arms)


def xor(rng, n=500, noise=0.4):
    """Class 1 around (1, -1) and (-1, 1), class 0 around (1, 1) and (-1, -1): no line parts them."""
    diagonal = lambda t: np.where(t < 0.5, -1.0, 1.0)[:, None]  # noqa: E731
    return _toy(rng, n, noise, [lambda t: diagonal(t) * [1, 1], lambda t: diagonal(t) * [1, -1]])


def blobs(rng, n=500, noise=0.4, classes=2):
    """One round cloud a class, with centres evenly spaced on the unit circle."""
    return _toy(rng, n, noise, [lambda t, c=c: _arc(0 * t + c / classes) for c in range(classes)])


def _arc(turn):
    """The point of the unit circle after `turn` turns: (N,) → (N, 2)."""
    return np.stack([np.cos(2 * np.pi * turn), np.sin(2 * np.pi * turn)], axis=-1)


def _toy(rng, n, noise, curves):
    if n < len(curves):
        raise ValueError(f"{n} points for {len(curves)} classes; want at least one each")
    if not noise > 0:
        raise ValueError(
            f"noise={noise}: want a positive number; without noise P(y | x) is undefined off the curves"
        )
    rng = np.random.default_rng(rng)
    y = rng.permutation(np.arange(n) % len(curves))
    t = rng.random(n)
    X = np.stack([curve(t) for curve in curves])[y, np.arange(n)] + noise * rng.standard_normal(
        (n, 2)
    )
    return Toy(
        X.astype(default_dtype()),
        y,
        lambda points: _truth(np.asarray(points, np.float64), curves, noise),
    )


def _truth(X, curves, noise):
    """Bayes' rule with the classes' densities, in logarithms because far away every density underflows."""
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
