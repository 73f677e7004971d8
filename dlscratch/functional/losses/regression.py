"""Losses on numbers: functions of the error, entry by entry."""

import numpy as np

from ...engine import Array
from ...engine.tensor import unwrap
from ..arguments import as_floats, cast_like, number, same_shape
from .reduction import mean_of, reduce, weigh

__all__ = [
    "mse_loss",
    "l1_loss",
    "huber_loss",
    "smooth_l1_loss",
    "quantile_loss",
    "hinge_loss",
    "signs",
]


def _pair(name, input, target):
    """Input and target as floats of one shape and dtype."""
    input = as_floats(name, input)
    same_shape(name, input, target)
    return input, cast_like(target, input)


def _positive(name, option, value):
    value = number(value)
    if not value > 0:
        raise ValueError(f"{name}: {option}={value}; want a number > 0")
    return value


def _weighted_mean(loss, weight, reduction):
    """With a weight for each entry the mean is Σ w loss / Σ w."""
    if weight is None:
        return reduce(loss, reduction)
    if reduction == "mean":
        total, sum_of_weights = np.sum(loss * weight), np.sum(weight)
        return total / sum_of_weights if unwrap(sum_of_weights) != 0 else mean_of(total, 0)
    return reduce(loss * weight, reduction)


def mse_loss(
    input: Array, target: Array, reduction: str = "mean", weight: Array | None = None
) -> Array:
    """L = mean (input - target)²: a Gaussian's negative log-likelihood up to constants.

    All: one shape. With a weight for each entry L = Σ w (input - target)² / Σ w; an entry of weight
    0 does not count. Raises ValueError for two shapes.

    Examples
    --------
    >>> print(mse_loss(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    2.0
    """
    input, target = _pair("mse_loss", input, target)
    if weight is not None:
        same_shape("mse_loss", input, weight)
    weight, input, target = weigh(weight, input, target)
    return _weighted_mean(np.square(input - target), weight, reduction)


def l1_loss(
    input: Array, target: Array, reduction: str = "mean", weight: Array | None = None
) -> Array:
    """L = mean |input - target|: least at the median.

    All: one shape; weights as in mse_loss.
    """
    input, target = _pair("l1_loss", input, target)
    if weight is not None:
        same_shape("l1_loss", input, weight)
    weight, input, target = weigh(weight, input, target)
    return _weighted_mean(np.abs(input - target), weight, reduction)


def huber_loss(
    input: Array,
    target: Array,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Array | None = None,
) -> Array:
    """L = mean of e² / 2 where e < δ, else δ (e - δ/2), with e = |input - target|.

    All: one shape. The mean divides by how many entries there are, with weights too, as in PyTorch.
    Raises ValueError for two shapes and for δ <= 0. Source: Huber 1964.
    """
    input, target = _pair("huber_loss", input, target)
    delta = _positive("huber_loss", "delta", delta)
    if weight is not None:
        same_shape("huber_loss", input, weight)
    weight, input, target = weigh(weight, input, target)
    loss = _huber(np.abs(input - target), delta)
    return reduce(loss if weight is None else loss * weight, reduction)


def _huber(e, delta):
    """c (e - c / 2) with c = min(e, δ): both branches at once, so that no square overflows."""
    c = np.where(np.less(e, delta), e, delta)
    return c * (e - 0.5 * c)


def smooth_l1_loss(
    input: Array, target: Array, reduction: str = "mean", beta: float = 1.0
) -> Array:
    """L = huber_loss with δ = β, divided by β: its slope far away is 1; β = 0 is l1_loss.

    Both: one shape. Raises ValueError for β < 0. Source: Girshick 2015.
    """
    if beta == 0:
        return l1_loss(input, target, reduction)
    input, target = _pair("smooth_l1_loss", input, target)
    beta = _positive("smooth_l1_loss", "beta", beta)
    return reduce(_huber(np.abs(input - target), beta) / beta, reduction)


def quantile_loss(input: Array, target: Array, q: float = 0.5, reduction: str = "mean") -> Array:
    """L = mean max(q e, (q - 1) e), with e = target - input: least at the q-quantile.

    Both: one shape. Raises ValueError unless 0 < q < 1. Source: Koenker & Bassett 1978.
    """
    input, target = _pair("quantile_loss", input, target)
    q = number(q)
    if not 0 < q < 1:
        raise ValueError(f"quantile_loss: q={q}; want 0 < q < 1")
    e = target - input
    return reduce(e * np.where(np.less(e, 0), q - 1, q).astype(e.dtype), reduction)


def hinge_loss(input: Array, target: Array, margin: float = 1.0, reduction: str = "mean") -> Array:
    """L = mean max(0, margin - input · target), for targets ±1.

    Both: one shape. Raises ValueError for other targets. Source: Cortes & Vapnik 1995.
    """
    input, target = _pair("hinge_loss", input, target)
    signs("hinge_loss", target)
    return reduce(np.maximum(0, number(margin) - input * target), reduction)


def signs(name: str, target: Array) -> None:
    """Raise ValueError unless all targets are -1 or 1."""
    if not np.all(np.isin(unwrap(target), (-1, 1))):
        raise ValueError(
            f"{name}: target holds more than -1 and 1; want 2 * y - 1 for labels y of 0 and 1"
        )
