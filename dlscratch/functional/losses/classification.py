"""Losses on classes: the negative log-likelihood of a label, for many classes or for two."""

import math

import numpy as np

from ...engine import Array, custom_vjp
from ...engine.rules.indexing import scatter
from ...engine.tensor import unwrap
from ..activations import logsigmoid
from ..arguments import as_floats, cast_like, number, same_shape
from ..kernels import losses as binary_kernels
from ..kernels import softmax as kernels
from ..softmaxes import log_softmax, textbook_log_softmax
from .reduction import certain, mean_of, reduce, weigh

__all__ = [
    "textbook_cross_entropy",
    "cross_entropy",
    "nll_loss",
    "focal_loss",
    "textbook_binary_cross_entropy",
    "binary_cross_entropy",
    "textbook_binary_cross_entropy_with_logits",
    "binary_cross_entropy_with_logits",
]


# Many classes -----------------------------------------------------------------------------------


def textbook_cross_entropy(logits: Array, targets: Array, reduction: str = "mean") -> Array:
    """L = mean over n of -log softmax(logits_n)[target_n].

    logits: (N, C), targets: integers (N,).
    """
    log_p = textbook_log_softmax(logits)
    return reduce(-log_p[np.arange(len(targets)), targets], reduction)


_cross_entropy = custom_vjp(
    textbook_cross_entropy, kernels.cross_entropy, kernels.cross_entropy_gradient
)


def cross_entropy(
    input: Array,
    target: Array,
    weight: Array | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Array:
    """L = mean over n of -log softmax(logits_n)[target_n].

    Its gradient is (softmax - one-hot) / N.

    Parameters
    ----------
    input : the logits, (N, C) or (N, C, ...), or (C,) for one example
    target : classes, integers (N, ...) from 0 to C - 1; or probabilities, of the shape of input
    weight : (C,), multiplies each class's part; the mean is then a weighted one
    ignore_index : targets equal to it do not count: whatever their logits are, loss and gradient
        are 0
    reduction : "mean", "sum" or "none"
    label_smoothing : ε mixes the target with ε / C for each class

    Returns
    -------
    the loss, (); with reduction="none" of the shape of the classes. The mean over no targets is
    NaN, its gradient 0.

    Raises
    ------
    ValueError
        for other shapes or classes
    TypeError
        for labels that are no integers, or logits that are no floats

    Examples
    --------
    >>> logits = np.log([[0.25, 0.75], [0.5, 0.5]])
    >>> print(cross_entropy(logits, np.array([1, 0]), reduction="none").round(4))
    [0.2877 0.6931]
    """
    label_smoothing = number(label_smoothing)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing={label_smoothing}; want 0 to 1")
    input = as_floats("cross_entropy", input)
    if input.ndim == 1:
        _check_one("cross_entropy", input, target)
        options = weight, ignore_index, reduction, label_smoothing
        return _of_one(cross_entropy(input[None], _batch_of_one(target), *options))
    w = _class_weights("cross_entropy", input, weight)
    if _are_probabilities(input, target):
        return reduce(_soft_cross_entropy(input, target, w, label_smoothing), reduction)
    rows, labels, kept = _rows("cross_entropy", input, target, ignore_index)
    if w is None and label_smoothing == 0:
        if kept is None and reduction in ("mean", "sum") and len(rows):
            return _cross_entropy(rows, labels, reduction=reduction)
        loss = _cross_entropy(rows, labels, reduction="none")
        return _reduced(loss, np.ones(len(labels)), kept, np.shape(target), reduction)
    if label_smoothing == 0:
        loss, share = _weighted_nll(
            lambda z, y: _cross_entropy(z, y, reduction="none"), rows, labels, w
        )
        return _reduced(loss, share, kept, np.shape(target), reduction)
    w = np.ones(input.shape[1], input.dtype) if w is None else w
    log_p = log_softmax(rows, axis=1)
    at_target = np.take_along_axis(log_p, labels[:, None], axis=1)[:, 0]
    share = w[labels]
    loss = -(1 - label_smoothing) * certain(share, at_target)
    loss = loss - (label_smoothing / len(w)) * np.sum(certain(w, log_p), axis=1)
    return _reduced(loss, share, kept, np.shape(target), reduction)


def nll_loss(
    input: Array,
    target: Array,
    weight: Array | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Array:
    """L = mean over n of -input_n[target_n], for log-probabilities.

    Weight, ignore_index, shapes and errors are those of cross_entropy.
    """
    input = as_floats("nll_loss", input)
    if input.ndim == 1:
        _check_one("nll_loss", input, target)
        options = weight, ignore_index, reduction
        return _of_one(nll_loss(input[None], _batch_of_one(target), *options))
    w = _class_weights("nll_loss", input, weight)
    rows, labels, kept = _rows("nll_loss", input, target, ignore_index)
    if w is None:
        loss, share = _negative_at(rows, labels), np.ones(len(labels))
    else:
        loss, share = _weighted_nll(_negative_at, rows, labels, w)
    return _reduced(loss, share, kept, np.shape(target), reduction)


def focal_loss(input: Array, target: Array, gamma: float = 2.0, reduction: str = "mean") -> Array:
    """L = mean of -(1 - p)^γ log p, p being the probability of the true class.

    What is easy counts less; γ = 0 is cross_entropy.  input: (N, C) or (N, C, ...), target:
    integers (N, ...). Source: Lin et al. 2017.
    """
    input = as_floats("focal_loss", input)
    loss = cross_entropy(input, target, reduction="none")
    gamma = number(gamma)
    if gamma == 0:
        return reduce(loss, reduction)
    positive = np.greater(
        loss, 0
    )  # at a loss of 0, powers below 1 have no slope, and the product is 0
    doubt = -np.expm1(-np.where(positive, loss, 1))  # 1 - p, exact for p near 1
    return reduce(np.where(positive, doubt**gamma, 0) * loss, reduction)


def _are_probabilities(input, target):
    target = unwrap(target)
    return np.shape(target) == input.shape and target.dtype.kind == "f"


def _soft_cross_entropy(input, target, w, label_smoothing):
    """-Σ_c w_c t_c log p_c for probabilities t as targets."""
    log_p = log_softmax(input, axis=1)
    C = input.shape[1]
    share = cast_like(target, input) * (1 - label_smoothing) + label_smoothing / C
    if w is not None:
        share = share * np.reshape(w, (1, C, *[1] * (input.ndim - 2)))
    return -np.sum(certain(share, log_p), axis=1)


def _rows(name, input, target, ignore_index):
    """What counts: (rows (M, C), their labels (M,), their places, or None if that is all of them).

    What is ignored is not even computed with, so that it has no effect whatever stands there.
    """
    labels = _labels(name, input, target)
    rows = input
    if input.ndim > 2:
        rows = np.reshape(np.moveaxis(input, 1, -1), (labels.size, input.shape[1]))
    labels = labels.reshape(-1)
    C = input.shape[1]
    lowest, highest = _range(labels)
    kept = None
    if lowest <= ignore_index <= highest:  # some may be ignored; to ask saves 1 µs
        keep = labels != ignore_index
        if not keep.all():
            kept = np.flatnonzero(keep)
            rows, labels = rows[kept], labels[kept]
            lowest, highest = _range(labels)
    if labels.size and not 0 <= lowest <= highest < C:
        raise ValueError(f"{name}: classes from {lowest} to {highest}, but input has {C}")
    return rows, labels, kept


def _range(labels):
    return (labels.min(), labels.max()) if labels.size else (0, 0)


def _labels(name, input, target):
    target = np.asarray(unwrap(target))
    want = input.shape[:1] + input.shape[2:]
    if target.dtype.kind not in "iu":
        raise TypeError(
            f"{name}: target of dtype {target.dtype}; want class indices: y.astype('int64')"
        )
    if input.ndim < 2 or target.shape != want:
        raise ValueError(f"{name}: input {input.shape} wants target {want}, came {target.shape}")
    return target


def _class_weights(name, input, weight):
    """The classes' weights (C,) in the dtype of input, or None."""
    wrong = weight is not None and np.shape(weight) != input.shape[1:2]
    if input.ndim < 2 or wrong:
        raise ValueError(
            f"{name}: input {np.shape(input)}, weight {np.shape(weight)}; "
            "want (N, C) or (N, C, ...), and (C,)"
        )
    return None if weight is None else np.asarray(unwrap(weight)).astype(input.dtype)


def _negative_at(rows, labels):
    return -rows[np.arange(len(labels)), labels]


def _weighted_nll(nll, rows, labels, w):
    """(w loss, w), row by row; rows of weight 0 are not computed with."""
    share = w[labels]
    counts = np.flatnonzero(share)
    if len(counts) == len(labels):
        return nll(rows, labels) * share, share
    loss = nll(rows[counts], labels[counts]) * share[counts]
    return scatter(loss, counts, (len(labels),)), share


def _reduced(loss, share, kept, shape, reduction):
    """Σ loss / Σ share, Σ loss, or each loss in its place among zeros for what was ignored."""
    if reduction == "mean":
        return mean_of(np.sum(loss), number(np.sum(share)))
    if reduction == "none":
        if kept is not None:
            loss = scatter(loss, kept, (math.prod(shape),))
        return np.reshape(loss, shape)
    return reduce(loss, reduction)


def _check_one(name, input, target):
    probabilities = _are_probabilities(input, np.asarray(unwrap(target)))
    if np.shape(target) != () and not probabilities:
        raise ValueError(
            f"{name}: input {input.shape} is one example, target {np.shape(target)}; "
            "want target (), or a batch: input[None]"
        )


def _batch_of_one(target):
    return target[None] if hasattr(target, "ndim") else np.asarray(target)[None]


def _of_one(loss):
    return loss[0] if loss.ndim else loss


# Two classes ------------------------------------------------------------------------------------


def textbook_binary_cross_entropy(p: Array, t: Array) -> Array:
    """-t log p - (1 - t) log(1 - p), entry by entry, no logarithm being below -100."""
    with np.errstate(divide="ignore"):
        return -(t * np.maximum(np.log(p), -100) + (1 - t) * np.maximum(np.log1p(-p), -100))


def _binary_vjp(g, y, saved, needs, p, t):
    """PyTorch's slope: finite at 0 and 1, so that a saturated unit recovers."""
    dp = g * (p - t) / np.maximum(p * (1 - p), 1e-12) if needs[0] else None
    dt = None
    if needs[1]:
        with np.errstate(divide="ignore"):
            dt = g * (np.maximum(np.log1p(-p), -100) - np.maximum(np.log(p), -100))
    return dp, dt


_binary_cross_entropy = custom_vjp(
    textbook_binary_cross_entropy,
    lambda p, t: (textbook_binary_cross_entropy(p, t), None),
    _binary_vjp,
    pure=True,
)


def binary_cross_entropy(
    input: Array, target: Array, weight: Array | None = None, reduction: str = "mean"
) -> Array:
    """L = mean of -t log p - (1 - t) log(1 - p), with p = input, t = target.

    Logarithms below -100 are -100, and the slope is (p - t) / max(p (1 - p), 1e-12), as in PyTorch.
    Both: one shape; weight broadcasts, and where it is 0 nothing counts. Raises ValueError for an
    input outside [0, 1]. From logits, binary_cross_entropy_with_logits is exact and safe.
    """
    input = as_floats("binary_cross_entropy", input)
    same_shape("binary_cross_entropy", input, target)
    weight, input, target = weigh(weight, input, cast_like(target, input))
    outside = np.less(input, 0) | np.greater(input, 1)  # NaN is not outside: the loss is NaN then
    if np.any(outside):
        raise ValueError(
            "binary_cross_entropy: input outside [0, 1]; want probabilities; "
            "for logits use binary_cross_entropy_with_logits"
        )
    loss = _binary_cross_entropy(input, target)
    return reduce(loss if weight is None else loss * weight, reduction)


def textbook_binary_cross_entropy_with_logits(z: Array, t: Array) -> Array:
    """-t log σ(z) - (1 - t) log σ(-z), entry by entry, for z and t of one shape."""
    return -(certain(t, logsigmoid(z)) + certain(1 - t, logsigmoid(-z)))


_binary_cross_entropy_with_logits = custom_vjp(
    textbook_binary_cross_entropy_with_logits,
    binary_kernels.binary_cross_entropy_with_logits,
    binary_kernels.binary_cross_entropy_with_logits_gradient,
)


def binary_cross_entropy_with_logits(
    input: Array,
    target: Array,
    weight: Array | None = None,
    reduction: str = "mean",
    pos_weight: Array | None = None,
) -> Array:
    """L = mean of -t log σ(z) - (1 - t) log(1 - σ(z)), exact for all z = input.

    Parameters
    ----------
    input : the logits z, any shape
    target : probabilities t, of that shape
    weight : multiplies the loss of an entry, and broadcasts; where it is 0 nothing counts, NaN
        neither
    reduction : "mean", "sum" or "none"
    pos_weight : multiplies the part of t, and broadcasts

    Returns
    -------
    the loss, (); with reduction="none" of the shape of the input

    Raises
    ------
    ValueError
        for two shapes

    Examples
    --------
    >>> z = np.array([0.0, -20.0, 1000.0])
    >>> print(binary_cross_entropy_with_logits(z, np.array([1.0, 0.0, 0.0]), reduction="none"))
    [6.93147181e-01 2.06115362e-09 1.00000000e+03]
    """
    input = as_floats("binary_cross_entropy_with_logits", input)
    same_shape("binary_cross_entropy_with_logits", input, target)
    weight, input, target = weigh(weight, input, cast_like(target, input))
    if pos_weight is None:
        loss = _binary_cross_entropy_with_logits(input, target)
    else:
        yes = cast_like(number(pos_weight), input) * target
        loss = -(certain(yes, logsigmoid(input)) + certain(1 - target, logsigmoid(-input)))
    return reduce(loss if weight is None else loss * weight, reduction)
