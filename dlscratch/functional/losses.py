"""Losses on classes: the negative log-likelihood of a label, as one number (or, with reduction="none", one for each example)."""

import numpy as np

from ..engine import Tensor, custom_vjp
from .activations import log_softmax, sigmoid, textbook_log_softmax
from .normalization import normalize

__all__ = [
    "reduce",
    "same_shape",
    "textbook_cross_entropy",
    "cross_entropy",
    "nll_loss",
    "focal_loss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "info_nce",
]


def reduce(loss, reduction):
    """The mean, the sum, or all entries ("none") of a loss.  Raises ValueError for another reduction."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"reduction={reduction!r}: want 'mean', 'sum' or 'none'")
    return loss if reduction == "none" else np.mean(loss) if reduction == "mean" else np.sum(loss)


def same_shape(name, input, target):
    """Raise ValueError unless both have one shape: broadcasting (N, 1) with (N,) would silently compare all pairs."""
    if np.shape(input) != np.shape(target):
        raise ValueError(
            f"{name}: input {np.shape(input)} and target {np.shape(target)} must have one shape; reshape one"
        )


def textbook_nll(logits, targets, reduction="none"):
    """-log softmax(logits)[target], for each example, or their mean or sum.  logits: (N, C), targets: (N,) → (N,) or ()."""
    return reduce(-textbook_log_softmax(logits)[np.arange(len(targets)), targets], reduction)


# The classes go down the first axis: maxima and sums over ten of them then run along the batch, five times as fast.
def _forward(logits, targets, reduction="none"):
    z = logits.T.copy()
    z -= z.max(axis=0)
    rows = np.arange(z.shape[1])
    loss = -z[targets, rows]
    np.exp(z, out=z)
    total = z.sum(axis=0)
    z /= total
    loss += np.log(total)
    return reduce(loss, reduction), z


def _backward(g, y, p, needs, logits, targets, reduction="none"):
    g = g / len(targets) if reduction == "mean" else g
    dz, rows = p * g, np.arange(len(targets))
    dz[targets, rows] -= g
    return dz.T, None


_nll = custom_vjp(textbook_nll, _forward, _backward)


def textbook_cross_entropy(input, target, reduction="mean"):
    """L = mean over n of -log softmax(input_n)[target_n].  input: (N, C), target: integers (N,)."""
    return textbook_nll(input, _classes("cross_entropy", input, target), reduction)


def cross_entropy(
    input, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0
):
    """L = mean over n of -log softmax(logits_n)[target_n]; its gradient is (softmax - one-hot) / N.

    input, the logits: (N, C) or (N, C, ...); target: integers (N, ...) from 0 to C - 1, or probabilities of input's shape. `weight` (C,)
    multiplies each class's part, and the mean is then a weighted one; label_smoothing = ε mixes the target with ε / C; targets
    equal to ignore_index do not count. Raises ValueError for other shapes or classes, TypeError for labels that are no integers.
    """
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing={label_smoothing}; want 0 to 1")
    soft = np.shape(target) == np.shape(input) and target.dtype.kind == "f"
    if not (
        soft
        or label_smoothing
        or weight is not None
        or np.any(np.equal(_raw(target), ignore_index))
    ):
        target = _classes("cross_entropy", input, target)
        rows = (
            np.reshape(np.moveaxis(input, 1, -1), (-1, input.shape[1])) if input.ndim > 2 else input
        )
        loss = _nll(rows, target.ravel(), reduction=reduction)
        return np.reshape(loss, target.shape) if loss.shape and loss.shape != target.shape else loss
    logp = log_softmax(input, axis=1)
    w, C = _weights("cross_entropy", input, weight), input.shape[1]
    if soft:
        loss = -np.sum((target * (1 - label_smoothing) + label_smoothing / C) * w * logp, axis=1)
        return reduce(loss, reduction)
    total, counted = _labelled("cross_entropy", logp, target, w, ignore_index)
    if label_smoothing:
        total = (1 - label_smoothing) * total - label_smoothing / C * np.sum(w * logp, axis=1) * (
            counted != 0
        )
    return np.sum(total) / np.sum(counted) if reduction == "mean" else reduce(total, reduction)


def nll_loss(input, target, weight=None, ignore_index=-100, reduction="mean"):
    """L = mean over n of -input_n[target_n], for log-probabilities; weight, ignore_index and shapes as in cross_entropy."""
    loss, counted = _labelled(
        "nll_loss", input, target, _weights("nll_loss", input, weight), ignore_index
    )
    return np.sum(loss) / np.sum(counted) if reduction == "mean" else reduce(loss, reduction)


def _labelled(name, logp, target, w, ignore_index):
    """(-w logp at the target, how much each target counts): both of the target's shape."""
    keep = np.not_equal(_raw(target), ignore_index)
    target = _classes(name, logp, np.where(keep, _raw(target), 0))
    counted = np.take(w.ravel(), target) * keep
    return -np.take_along_axis(logp, np.expand_dims(target, 1), axis=1)[:, 0] * counted, counted


def _weights(name, input, weight):
    """The classes' weights, 1 unless given, as (1, C, 1, ...)."""
    if np.ndim(input) < 2 or weight is not None and np.shape(weight) != (input.shape[1],):
        raise ValueError(
            f"{name}: input {np.shape(input)}, weight {np.shape(weight)}; want (N, C) or (N, C, ...), and (C,)"
        )
    w = np.ones(input.shape[1]) if weight is None else _raw(weight)
    return w.astype(input.dtype).reshape(1, -1, *[1] * (input.ndim - 2))


def _raw(x):
    return x.data if isinstance(x, Tensor) else np.asarray(x)


def _classes(name, input, target):
    target = _raw(target)
    if target.dtype.kind not in "iu":
        raise TypeError(
            f"{name}: target of dtype {target.dtype}; want class indices: y.astype('int64')"
        )
    if input.ndim < 2 or target.shape != input.shape[:1] + input.shape[2:]:
        raise ValueError(
            f"{name}: input {input.shape} wants target {input.shape[:1] + input.shape[2:]}, came {target.shape}"
        )
    if target.size and not 0 <= target.min() <= target.max() < input.shape[1]:
        raise ValueError(
            f"{name}: classes from {target.min()} to {target.max()}, but input has {input.shape[1]}"
        )
    return target


def focal_loss(input, target, gamma=2.0, reduction="mean"):
    """L = mean of -(1 - p)^γ log p, p being the probability of the true class: what is easy counts less.

    input: (N, C) or (N, C, ...), target: integers (N, ...). γ = 0 is cross_entropy. Source: Lin et al. 2017.
    """
    logp = -cross_entropy(input, target, reduction="none")
    return reduce(-((1 - np.exp(logp)) ** gamma) * logp, reduction)


def binary_cross_entropy(input, target, weight=None, reduction="mean"):
    """L = mean of -t log p - (1 - t) log(1 - p) for probabilities p = input; logarithms below -100 are -100.  Both: one shape.

    Raises ValueError for an input outside [0, 1]. From logits, binary_cross_entropy_with_logits is exact and safe.
    """
    same_shape("binary_cross_entropy", input, target)
    if not np.all(np.less_equal(0, input) & np.less_equal(input, 1)):
        raise ValueError(
            "binary_cross_entropy: input outside [0, 1]; for logits use binary_cross_entropy_with_logits"
        )
    yes, no = (
        np.maximum(np.log(np.maximum(p, np.finfo(p.dtype).tiny)), -100) for p in (input, 1 - input)
    )
    loss = -(target * yes + (1 - target) * no)
    return reduce(loss if weight is None else loss * weight, reduction)


def binary_cross_entropy_with_logits(input, target, weight=None, reduction="mean", pos_weight=None):
    """L = mean log(1 + exp(z)) - z t, which is -t log σ(z) - (1 - t) log(1 - σ(z)) without overflow.  z = input, t = target: one shape.

    pos_weight multiplies the part of t, weight the whole; both broadcast.
    """
    same_shape("binary_cross_entropy_with_logits", input, target)
    loss = _bce(input, target)
    if pos_weight is not None:
        loss = loss + (pos_weight - 1) * target * np.logaddexp(-input, 0)
    return reduce(loss if weight is None else loss * weight, reduction)


def textbook_bce(z, t):
    """log(1 + exp(z)) - z t, elementwise.  z, t: one shape."""
    return np.logaddexp(z, 0) - z * t


_bce = custom_vjp(
    textbook_bce,
    lambda z, t: (np.logaddexp(z, 0, dtype=z.dtype) - z * t, None),
    lambda g, y, saved, needs, z, t: (
        g * (sigmoid(z) - t) if needs[0] else None,
        -g * z if needs[1] else None,
    ),
)


def info_nce(queries, keys, temperature=0.1, reduction="mean"):
    """L = mean of -log of the softmax over all keys of cos(query_n, key) / τ, at key n: tell the partner from the others.

    queries, keys: (N, D), row n of one belonging to row n of the other. log N - L bounds their mutual information from below.
    Raises ValueError for other shapes. Source: van den Oord et al. 2018.
    """
    if np.ndim(queries) != 2 or np.shape(queries) != np.shape(keys) or not temperature > 0:
        came = f"queries {np.shape(queries)}, keys {np.shape(keys)}, temperature {temperature}"
        raise ValueError(f"info_nce: {came}; want (N, D) twice and a temperature > 0")
    logits = normalize(queries) @ normalize(keys).T / temperature
    return cross_entropy(logits, np.arange(len(logits)), reduction=reduction)
