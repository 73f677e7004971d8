"""A task for memory: hold a symbol that was shown once, while noise goes on."""

from typing import NamedTuple

import numpy as np

from ..engine import default_dtype
from .split import Seed

__all__ = ["hold_symbol"]


class Held(NamedTuple):
    """X: (N, steps + 1, symbols), and y: (N,), the symbol that was shown last."""

    X: np.ndarray
    y: np.ndarray


def hold_symbol(
    rng: Seed,
    n: int = 1000,
    steps: int = 20,
    symbols: int = 4,
    noise: float = 0.3,
    shown: int = 1,
) -> Held:
    """Sequences that begin with a symbol and go on with noise: which symbol was it.

    X[:, 0] is 1 at the symbol and 0 elsewhere; `steps` vectors of Gaussian noise follow. With
    shown=2 or more, further symbols take the place of the noise at steps drawn from the first
    half, and y is the last of them: now an old one must also be dropped. Chance is 1 / symbols.
    In the manner of Hochreiter & Schmidhuber 1997.

    Parameters
    ----------
    rng : Generator or int, optional
    n, steps, symbols : int
        N examples of `steps` noisy steps; at least 1, 0 and 2.
    noise : float
        The standard deviation of the noise, at least 0.
    shown : int
        How many symbols are shown, from 1 to 1 + steps // 2.

    Returns
    -------
    Held
        X: (N, steps + 1, symbols), y: (N,) of integers below `symbols`, by these names.

    Raises
    ------
    ValueError
        For numbers out of these ranges.

    Examples
    --------
    >>> X, y = hold_symbol(rng=0, n=2, steps=3, noise=0)
    >>> X.shape, bool(np.all(X[:, 0].argmax(axis=1) == y))
    ((2, 4, 4), True)
    """
    if n < 1 or steps < 0 or symbols < 2 or not noise >= 0:
        raise ValueError(
            f"hold_symbol: n={n}, steps={steps}, symbols={symbols}, noise={noise}; "
            "want at least 1, 0, 2 and 0"
        )
    if not 1 <= shown <= 1 + steps // 2:
        raise ValueError(
            f"hold_symbol: shown={shown} of {steps} steps; want 1 to {1 + steps // 2}, "
            "so that all fit into the first half"
        )
    rng = np.random.default_rng(rng)
    X = noise * rng.standard_normal((n, steps + 1, symbols))
    late = rng.permuted(np.tile(np.arange(1, 1 + steps // 2), (n, 1)), axis=1)[:, : shown - 1]
    times = np.column_stack([np.zeros(n, int), np.sort(late, axis=1)])  # (N, shown)
    names = rng.integers(symbols, size=(n, shown))
    X[np.arange(n)[:, None], times] = np.eye(symbols)[names]
    return Held(X.astype(default_dtype()), names[:, -1])
