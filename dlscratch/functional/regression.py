"""Losses on numbers and vectors: how wrong an output is, as one number (or, with reduction="none", one for each entry)."""

import math

import numpy as np

from ..engine import Tensor
from .losses import reduce, same_shape
from .normalization import cosine_similarity

__all__ = [
    "mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss", "quantile_loss", "gaussian_nll_loss",
    "poisson_nll_loss", "kl_div", "hinge_loss", "triplet_margin_loss", "cosine_embedding_loss",
]  # fmt: skip


def _positive(name, **options):
    for option, value in options.items():
        if not value > 0:
            raise ValueError(f"{name}: {option}={value}; want a number > 0")


def mse_loss(outputs, targets, reduction="mean"):
    """L = mean (outputs - targets)², the negative log-likelihood of a Gaussian up to constants.  Both: one shape."""
    same_shape("mse_loss", outputs, targets)
    return reduce(np.square(outputs - targets), reduction)


def l1_loss(outputs, targets, reduction="mean"):
    """L = mean |outputs - targets|, least at the median.  Both: one shape."""
    same_shape("l1_loss", outputs, targets)
    return reduce(np.abs(outputs - targets), reduction)


def huber_loss(outputs, targets, reduction="mean", delta=1.0):
    """L = mean of e² / 2 where |e| < δ, else δ (|e| - δ/2), with e = outputs - targets.  Both: one shape. Source: Huber 1964."""
    same_shape("huber_loss", outputs, targets)
    _positive("huber_loss", delta=delta)
    e = np.abs(outputs - targets)
    return reduce(np.where(np.less(e, delta), 0.5 * np.square(e), delta * (e - 0.5 * delta)), reduction)


def smooth_l1_loss(outputs, targets, reduction="mean", beta=1.0):
    """L = huber_loss with δ = β, divided by β: its slope far away is 1.  Both: one shape. Source: Girshick 2015."""
    _positive("smooth_l1_loss", beta=beta)
    return huber_loss(outputs, targets, reduction, beta) / beta


def quantile_loss(outputs, targets, q=0.5, reduction="mean"):
    """L = mean max(q e, (q - 1) e), with e = targets - outputs: least at the q-quantile.  Both: one shape.

    Raises ValueError unless 0 < q < 1. Source: Koenker & Bassett 1978.
    """
    same_shape("quantile_loss", outputs, targets)
    if not 0 < q < 1:
        raise ValueError(f"quantile_loss: q={q}; want 0 < q < 1")
    e = targets - outputs
    return reduce(e * (q - np.less(e, 0)), reduction)


def gaussian_nll_loss(outputs, targets, var, full=False, eps=1e-6, reduction="mean"):
    """L = mean of (log v + (outputs - targets)² / v) / 2, with v = max(var, eps); `full` adds log(2π) / 2.

    var: a shape that broadcasts with outputs. Raises ValueError for a negative variance.
    """
    same_shape("gaussian_nll_loss", outputs, targets)
    if np.any(np.less(var, 0)):
        raise ValueError("gaussian_nll_loss: a variance below 0; want the variance itself: np.exp of what predicts its logarithm")
    v = np.maximum(var, eps)
    return reduce(0.5 * (np.log(v) + np.square(outputs - targets) / v) + full * 0.5 * math.log(2 * math.pi), reduction)


def poisson_nll_loss(outputs, targets, log_input=True, full=False, eps=1e-8, reduction="mean"):
    """L = mean of r - t log r, with log r = outputs, or r = outputs if not log_input; `full` adds Stirling's log t! for t > 1."""
    same_shape("poisson_nll_loss", outputs, targets)
    loss = np.exp(outputs) - targets * outputs if log_input else outputs - targets * np.log(outputs + eps)
    if full:
        t = np.maximum(targets, 1)
        loss = loss + np.greater(targets, 1) * (t * np.log(t) - t + 0.5 * np.log(2 * math.pi * t))
    return reduce(loss, reduction)


def kl_div(outputs, targets, reduction="mean", log_target=False):
    """L = mean of t (log t - outputs), with outputs = log q and targets t = p, or log p if log_target; 0 log 0 = 0.

    reduction="batchmean" divides the sum by the first axis: only that is the divergence KL(p || q).  Both: one shape.
    """
    same_shape("kl_div", outputs, targets)
    log_t = targets if log_target else np.log(np.where(np.greater(targets, 0), targets, 1))
    loss = (np.exp(targets) if log_target else targets) * (log_t - outputs)
    return np.sum(loss) / np.shape(outputs)[0] if reduction == "batchmean" else reduce(loss, reduction)


def hinge_loss(outputs, targets, margin=1.0, reduction="mean"):
    """L = mean max(0, margin - outputs · targets), for targets ±1.  Both: one shape. Source: Cortes & Vapnik 1995.

    Raises ValueError for other targets.
    """
    same_shape("hinge_loss", outputs, targets)
    _signs("hinge_loss", targets)
    return reduce(np.maximum(0, margin - outputs * targets), reduction)


def _signs(name, targets):
    if not np.all(np.isin(targets.data if isinstance(targets, Tensor) else targets, (-1, 1))):
        raise ValueError(f"{name}: targets other than -1 and 1; want 2 * y - 1 for labels y of 0 and 1")


def triplet_margin_loss(anchor, positive, negative, margin=1.0, p=2.0, eps=1e-6, reduction="mean"):
    """L = mean max(0, |a - pos + eps|_p - |a - neg + eps|_p + margin).  All: (..., D). Source: Schroff et al. 2015, without the squares."""
    same_shape("triplet_margin_loss", anchor, positive)
    same_shape("triplet_margin_loss", anchor, negative)
    _positive("triplet_margin_loss", margin=margin)
    near, far = (np.linalg.norm(anchor - other + eps, p, -1) for other in (positive, negative))
    return reduce(np.maximum(0, near - far + margin), reduction)


def cosine_embedding_loss(a, b, targets, margin=0.0, reduction="mean"):
    """L = mean of 1 - cos(a, b) where targets = 1, max(0, cos(a, b) - margin) where -1.  a, b: (N, D), targets: (N,)."""
    same_shape("cosine_embedding_loss", a, b)
    same_shape("cosine_embedding_loss", a[..., 0], targets)
    _signs("cosine_embedding_loss", targets)
    cosine = cosine_similarity(a, b, axis=-1)
    return reduce(np.where(np.greater(targets, 0), 1 - cosine, np.maximum(0, cosine - margin)), reduction)
