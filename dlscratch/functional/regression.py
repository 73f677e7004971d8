"""Losses on numbers and vectors: how wrong an output is, as one number (or, with reduction="none", one for each entry)."""

import math

import numpy as np

from ..engine.tensor import unwrap
from .losses import reduce, same_shape
from .normalization import cosine_similarity

__all__ = [
    "mse_loss",
    "l1_loss",
    "huber_loss",
    "smooth_l1_loss",
    "quantile_loss",
    "gaussian_nll_loss",
    "poisson_nll_loss",
    "kl_div",
    "hinge_loss",
    "triplet_margin_loss",
    "cosine_embedding_loss",
]


def _positive(name, **options):
    for option, value in options.items():
        if not value > 0:
            raise ValueError(f"{name}: {option}={value}; want a number > 0")


def _weighed(name, loss, weight, reduction):
    """The loss reduced; with a weight for each entry the mean is Σ w loss / Σ w. Only huber_loss divides by how many there are."""
    if weight is None:
        return reduce(loss, reduction)
    same_shape(name, loss, weight)
    mean = reduction == "mean" and name != "huber_loss"
    return np.sum(loss * weight) / np.sum(weight) if mean else reduce(loss * weight, reduction)


def mse_loss(input, target, reduction="mean", weight=None):
    """L = mean (input - target)², weighted if asked: the negative log-likelihood of a Gaussian up to constants.  All: one shape."""
    same_shape("mse_loss", input, target)
    return _weighed("mse_loss", np.square(input - target), weight, reduction)


def l1_loss(input, target, reduction="mean", weight=None):
    """L = mean |input - target|, weighted if asked: least at the median.  All: one shape."""
    same_shape("l1_loss", input, target)
    return _weighed("l1_loss", np.abs(input - target), weight, reduction)


def huber_loss(input, target, reduction="mean", delta=1.0, weight=None):
    """L = mean of e² / 2 where |e| < δ, else δ (|e| - δ/2), e = input - target, times the weight.  All: one shape. Source: Huber 1964."""
    same_shape("huber_loss", input, target)
    _positive("huber_loss", delta=delta)
    e = np.abs(input - target)
    return _weighed(
        "huber_loss",
        np.where(np.less(e, delta), 0.5 * np.square(e), delta * (e - 0.5 * delta)),
        weight,
        reduction,
    )


def smooth_l1_loss(input, target, reduction="mean", beta=1.0):
    """L = huber_loss with δ = β, divided by β: its slope far away is 1; β = 0 is l1_loss.  Both: one shape. Source: Girshick 2015."""
    if beta == 0:
        return l1_loss(input, target, reduction)
    _positive("smooth_l1_loss", beta=beta)
    return huber_loss(input, target, reduction, beta) / beta


def quantile_loss(input, target, q=0.5, reduction="mean"):
    """L = mean max(q e, (q - 1) e), with e = target - input: least at the q-quantile.  Both: one shape.

    Raises ValueError unless 0 < q < 1. Source: Koenker & Bassett 1978.
    """
    same_shape("quantile_loss", input, target)
    if not 0 < q < 1:
        raise ValueError(f"quantile_loss: q={q}; want 0 < q < 1")
    e = target - input
    return reduce(e * (q - np.less(e, 0)), reduction)


def gaussian_nll_loss(input, target, var, full=False, eps=1e-6, reduction="mean"):
    """L = mean of (log v + (input - target)² / v) / 2, with v = max(var, eps); `full` adds log(2π) / 2.

    var: a shape that broadcasts with input, or that of input without its last axis: one for each example, even where both are true.
    Raises ValueError for a negative variance.
    """
    same_shape("gaussian_nll_loss", input, target)
    if () != np.shape(var) == np.shape(input)[:-1]:
        var = np.expand_dims(var, -1)
    if np.any(np.less(var, 0)):
        raise ValueError(
            "gaussian_nll_loss: a variance below 0; want the variance itself: np.exp of what predicts its logarithm"
        )
    v = np.maximum(var, eps)
    return reduce(
        0.5 * (np.log(v) + np.square(input - target) / v) + full * 0.5 * math.log(2 * math.pi),
        reduction,
    )


def poisson_nll_loss(input, target, log_input=True, full=False, eps=1e-8, reduction="mean"):
    """L = mean of r - t log r, with log r = input, or r = input if not log_input, t = target; `full` adds Stirling's log t! for t > 1."""
    same_shape("poisson_nll_loss", input, target)
    loss = np.exp(input) - target * input if log_input else input - target * np.log(input + eps)
    if full:
        t = np.maximum(target, 1)
        loss = loss + np.greater(target, 1) * (t * np.log(t) - t + 0.5 * np.log(2 * math.pi * t))
    return reduce(loss, reduction)


def kl_div(input, target, reduction="mean", log_target=False):
    """L = mean of t (log t - input), with input = log q and t = target = p, or log p if log_target; 0 log 0 = 0.

    reduction="batchmean" divides the sum by the first axis: only that is the divergence KL(p || q).  Both: one shape.
    """
    same_shape("kl_div", input, target)
    log_t = target if log_target else np.log(np.where(np.greater(target, 0), target, 1))
    loss = (np.exp(target) if log_target else target) * (log_t - input)
    return (
        np.sum(loss) / np.shape(input)[0] if reduction == "batchmean" else reduce(loss, reduction)
    )


def hinge_loss(input, target, margin=1.0, reduction="mean"):
    """L = mean max(0, margin - input · target), for targets ±1.  Both: one shape. Source: Cortes & Vapnik 1995.

    Raises ValueError for other targets.
    """
    same_shape("hinge_loss", input, target)
    _signs("hinge_loss", target)
    return reduce(np.maximum(0, margin - input * target), reduction)


def _signs(name, target):
    if not np.all(np.isin(unwrap(target), (-1, 1))):
        raise ValueError(
            f"{name}: target holds more than -1 and 1; want 2 * y - 1 for labels y of 0 and 1"
        )


def triplet_margin_loss(
    anchor, positive, negative, margin=1.0, p=2.0, eps=1e-6, swap=False, reduction="mean"
):
    """L = mean max(0, |a - pos + eps|_p - |a - neg + eps|_p + margin).  All: (..., D). Source: Schroff et al. 2015, without the squares.

    With `swap` the second distance is |pos - neg + eps|_p where that is smaller. Source: Balntas et al. 2016.
    """
    same_shape("triplet_margin_loss", anchor, positive)
    same_shape("triplet_margin_loss", anchor, negative)
    _positive("triplet_margin_loss", margin=margin)
    near, far = (np.linalg.norm(anchor - other + eps, p, -1) for other in (positive, negative))
    if swap:
        far = np.minimum(far, np.linalg.norm(positive - negative + eps, p, -1))
    return reduce(np.maximum(0, near - far + margin), reduction)


def cosine_embedding_loss(input1, input2, target, margin=0.0, reduction="mean"):
    """L = mean of 1 - c where target = 1, max(0, c - margin) where -1, c = cos(input1, input2).  Inputs: (N, D), target: (N,)."""
    same_shape("cosine_embedding_loss", input1, input2)
    same_shape("cosine_embedding_loss", input1[..., 0], target)
    _signs("cosine_embedding_loss", target)
    cosine = cosine_similarity(input1, input2, axis=-1)
    return reduce(
        np.where(np.greater(target, 0), 1 - cosine, np.maximum(0, cosine - margin)), reduction
    )
