"""Losses on distributions: negative log-likelihoods of numbers and counts, and divergence."""

import math

import numpy as np

from ...engine import Array, primitive
from ...engine.tensor import unwrap
from ..arguments import as_floats, cast_like, number, same_shape
from .reduction import reduce

__all__ = ["gaussian_nll_loss", "poisson_nll_loss", "kl_div"]

at_least = primitive(np.maximum, lambda g, y, x, floor: g)  # max(x, floor), with x's own slope


def gaussian_nll_loss(
    input: Array,
    target: Array,
    var: Array | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Array:
    """L = mean of (log v + (input - target)² / v) / 2, with v = max(var, eps).

    Parameters
    ----------
    input, target : one shape
    var : variances, of a shape that broadcasts with input, or that of input without its last axis:
        one for each example
    full : whether log(2π) / 2 is added
    eps : the floor of the variance. A variance below gets the slope at the floor, as in PyTorch, so
        that it can grow again
    reduction : "mean", "sum" or "none"

    Returns
    -------
    the loss, (); with reduction="none" of the shape of the input

    Raises
    ------
    ValueError
        for other shapes, and for a negative variance
    """
    input = as_floats("gaussian_nll_loss", input)
    same_shape("gaussian_nll_loss", input, target)
    target = cast_like(target, input)
    var = cast_like(number(var), input)
    if var.shape != input.shape and () != var.shape == input.shape[:-1]:
        var = np.expand_dims(var, -1)
    if np.broadcast_shapes(var.shape, input.shape) != input.shape:
        raise ValueError(
            f"gaussian_nll_loss: var {var.shape} does not broadcast to input {input.shape}; "
            "want one variance for each entry, each example, or all"
        )
    if np.any(np.less(var, 0)):
        raise ValueError(
            "gaussian_nll_loss: a variance below 0; want the variance itself: "
            "np.exp of what predicts its logarithm"
        )
    v = at_least(var, number(eps))
    loss = 0.5 * (np.log(v) + np.square(input - target) / v)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return reduce(loss, reduction)


def poisson_nll_loss(
    input: Array,
    target: Array,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Array:
    """L = mean of r - t log r, the negative log-likelihood of counts t = target at the rate r.

    Parameters
    ----------
    input : log r, or r itself if not log_input
    target : counts, of the shape of input
    log_input : which of the two input is
    full : whether Stirling's log t! is added, for t > 1
    eps : added to r within the logarithm, if not log_input
    reduction : "mean", "sum" or "none"

    Returns
    -------
    the loss, (); with reduction="none" of the shape of the input
    """
    input = as_floats("poisson_nll_loss", input)
    same_shape("poisson_nll_loss", input, target)
    target = cast_like(target, input)
    if log_input:
        loss = np.exp(input) - target * input
    else:
        loss = input - target * np.log(input + number(eps))
    if full:
        t = np.maximum(target, 1)
        stirling = t * np.log(t) - t + 0.5 * np.log(2 * math.pi * t)
        loss = loss + np.where(np.greater(target, 1), stirling, 0)
    return reduce(loss, reduction)


def kl_div(input: Array, target: Array, reduction: str = "mean", log_target: bool = False) -> Array:
    """L = mean of t (log t - input), with input = log q and t = target = p; 0 log 0 = 0.

    Parameters
    ----------
    input : log-probabilities log q
    target : probabilities p, of the shape of input; or their logarithms, if log_target
    reduction : "mean", "sum", "none", or "batchmean", which divides the sum by the first axis: only
        that is KL(p || q)
    log_target : which of the two target is

    Returns
    -------
    the loss, (); with reduction="none" of the shape of the input. What has p = 0 counts nothing,
    whatever q is.
    """
    input = as_floats("kl_div", input)
    same_shape("kl_div", input, target)
    target = cast_like(target, input)
    p = np.exp(target) if log_target else target
    absent = unwrap(p) == 0
    if log_target:
        log_p = np.where(absent, 0, target) if np.any(absent) else target
    else:
        log_p = np.log(np.where(np.greater(target, 0), target, 1))
    if np.any(absent & np.isinf(unwrap(input))):
        input = np.where(absent, 0, input)
    loss = p * (log_p - input)
    if reduction == "batchmean":
        return np.sum(loss) / np.shape(input)[0]
    return reduce(loss, reduction)
