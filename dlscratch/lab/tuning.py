"""Which learning rate of a grid to take."""

from typing import Any

import numpy as np

__all__ = ["steady_rate"]


def steady_rate(rates: Any, losses: Any) -> float:
    """The rate whose loss and that of the next higher rate are least together.

    argmin_i (loss_i + loss_{i+1}). The best rate of a grid, found with a few networks, often
    stands at the brink: the next higher one diverges, and so does this one on one seed in twenty.
    A loss that is not finite counts as the largest finite one times ten (plus one).

    Parameters
    ----------
    rates : (K,)
        Ascending, by a factor of about two.
    losses : (K,)
        What each rate left, a mean over trial seeds that the experiment does not use. The highest
        rate is only there to vouch for the one before it.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        For fewer than two rates, another order, another length of losses, or no finite loss.

    Examples
    --------
    >>> steady_rate([0.1, 0.2, 0.4, 0.8], [0.5, 0.3, 0.2, float("nan")])
    0.2
    """
    rates = np.asarray(rates, "float64")
    losses = np.asarray(losses, "float64")
    if rates.ndim != 1 or len(rates) < 2 or losses.shape != rates.shape:
        raise ValueError(
            f"steady_rate: rates {rates.shape}, losses {losses.shape}; want (K,) of both, with at "
            "least 2 rates"
        )
    if np.any(np.diff(rates) <= 0):
        raise ValueError(f"steady_rate: rates {rates} are not ascending; sort them, losses along")
    is_finite = np.isfinite(losses)
    if not np.any(is_finite):
        raise ValueError("steady_rate: no loss is finite; begin the grid at a lower rate")
    worst = 1 + 10 * np.abs(losses[is_finite]).max()
    losses = np.where(is_finite, losses, worst)
    return float(rates[np.argmin(losses[:-1] + losses[1:])])
