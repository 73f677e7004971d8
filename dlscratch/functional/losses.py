"""Losses: how wrong an output is, as one number (or, with reduction="none", one for each example)."""

import numpy as np

from ..engine import Tensor, fused
from .activations import sigmoid, textbook_log_softmax

__all__ = ["mse_loss", "textbook_cross_entropy", "cross_entropy", "binary_cross_entropy_with_logits"]


def _reduce(loss, reduction):
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"reduction={reduction!r}: want 'mean', 'sum' or 'none'")
    return loss if reduction == "none" else loss.mean() if reduction == "mean" else loss.sum()


def _same_shape(name, outputs, targets):
    if np.shape(outputs) != np.shape(targets):
        raise ValueError(f"{name}: outputs {np.shape(outputs)} and targets {np.shape(targets)} must have one shape; reshape one")


def mse_loss(outputs, targets, reduction="mean"):
    """L = mean (outputs - targets)², the negative log-likelihood of a Gaussian up to constants.  Both: one shape."""
    _same_shape("mse_loss", outputs, targets)
    return _reduce(np.square(outputs - targets), reduction)


def textbook_nll(logits, targets):
    """-log softmax(logits)[target], for each example.  logits: (N, C), targets: (N,) → (N,)."""
    return -textbook_log_softmax(logits)[np.arange(len(targets)), targets]


def _forward(logits, targets):
    z = logits - logits.max(axis=1, keepdims=True)
    p = np.exp(z)
    total = p.sum(axis=1, keepdims=True)
    rows = np.arange(len(z))
    p /= total
    return np.log(total[:, 0]) - z[rows, targets], p


def _backward(g, y, p, needs, logits, targets):
    dz = p * g[:, None]
    dz[np.arange(len(dz)), targets] -= g
    return dz, None


_nll = fused(textbook_nll, _forward, _backward)


def textbook_cross_entropy(logits, targets, reduction="mean"):
    """L = mean over n of -log softmax(logits_n)[target_n].  logits: (N, C), targets: integers (N,)."""
    return _reduce(textbook_nll(logits, _classes(logits, targets)), reduction)


def cross_entropy(logits, targets, reduction="mean"):
    """L = mean over n of -log softmax(logits_n)[target_n]; its gradient is (softmax - one-hot) / N.

    logits: (N, C) or (N, C, ...), targets: integers (N,) or (N, ...) from 0 to C - 1. Raises ValueError for other shapes or classes.
    """
    targets = _classes(logits, targets)
    if logits.ndim > 2:
        flat = np.reshape(np.moveaxis(logits, 1, -1), (-1, logits.shape[1]))
        return _reduce(np.reshape(_nll(flat, targets.ravel()), targets.shape), reduction)
    return _reduce(_nll(logits, targets), reduction)


def _classes(logits, targets):
    targets = targets.data if isinstance(targets, Tensor) else np.asarray(targets)
    if targets.dtype.kind not in "iu":
        raise TypeError(f"cross_entropy: targets of dtype {targets.dtype}; want class indices: y.astype('int64')")
    if logits.ndim < 2 or targets.shape != logits.shape[:1] + logits.shape[2:]:
        raise ValueError(f"cross_entropy: logits {logits.shape} want targets {logits.shape[:1] + logits.shape[2:]}, came {targets.shape}")
    if targets.size and not 0 <= targets.min() <= targets.max() < logits.shape[1]:
        raise ValueError(f"cross_entropy: classes from {targets.min()} to {targets.max()}, but logits have {logits.shape[1]}")
    return targets


def binary_cross_entropy_with_logits(logits, targets, reduction="mean"):
    """L = mean max(z, 0) - z t + log(1 + exp(-|z|)), which is -t log σ(z) - (1-t) log(1-σ(z)) without overflow."""
    _same_shape("binary_cross_entropy_with_logits", logits, targets)
    return _reduce(_bce(logits, targets), reduction)


def textbook_bce(z, t):
    """log(1 + exp(z)) - z t, elementwise.  z, t: one shape."""
    return np.logaddexp(z, 0) - z * t


_bce = fused(
    textbook_bce,
    lambda z, t: (np.logaddexp(z, 0, dtype=z.dtype) - z * t, None),
    lambda g, y, saved, needs, z, t: (g * (sigmoid(z) - t) if needs[0] else None, -g * z if needs[1] else None),
)
