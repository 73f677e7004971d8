"""From the losses of examples or entries to one number, and what does not count on the way."""

import math

import numpy as np

from ...engine import Array
from ...engine.tensor import unwrap
from ..arguments import cast_like

__all__ = ["reduce", "mean_of", "certain", "weigh"]


def reduce(loss: Array, reduction: str) -> Array:
    """The mean, the sum, or all entries of a loss.

    Raises ValueError for another word than "mean", "sum" or "none".
    """
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"reduction={reduction!r}: want 'mean', 'sum' or 'none'")
    if reduction == "none":
        return loss
    if reduction == "sum":
        return np.sum(loss)
    if math.prod(np.shape(loss)) == 0:
        return mean_of(np.sum(loss), 0)
    return np.mean(loss)


def mean_of(total: Array, count: float) -> Array:
    """total / count; of nothing NaN as in PyTorch.

    The gradient is then 0, since there is nothing for it to reach: no weight is spoiled.
    """
    return total * math.nan if count == 0 else total / count


def certain(share: Array, loss: Array) -> Array:
    """share · loss, with 0 · ∞ = 0: what has no share costs nothing, however impossible it is."""
    impossible = np.isinf(unwrap(loss)) & (unwrap(share) == 0)
    if np.any(impossible):
        loss = np.where(impossible, 0, loss)
    return share * loss


def weigh(weight: Array | None, *inputs: Array) -> tuple:
    """(weight, *inputs), the inputs being 0 where the weight is, and of one dtype.

    So whatever stands there, NaN too, has no effect on value and gradient.
    """
    if weight is None:
        return None, *inputs
    weight = cast_like(weight, inputs[0])
    ignored = unwrap(weight) == 0
    if np.any(ignored):
        inputs = [np.where(ignored, 0, x) for x in inputs]
    return weight, *inputs
