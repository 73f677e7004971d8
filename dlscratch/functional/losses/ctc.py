"""Connectionist temporal classification: the loss for labels of unknown alignment."""

import numpy as np

from ...engine import Array
from ...engine.tensor import unwrap
from ..arguments import as_floats
from .reduction import reduce

__all__ = ["ctc_loss"]

_NEVER = -1e30  # the logarithm of 0, finite so that no gradient is NaN


def ctc_loss(
    log_probs: Array,
    targets: Array,
    input_lengths: Array,
    target_lengths: Array,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Array:
    """L = -log of the probability of all paths that read as `targets`.

    A path has one symbol a frame; it is read by writing repeated symbols once and leaving out
    blanks. With blanks between the targets, α_t(s) is the log-sum-exp of α_{t-1}(s), α_{t-1}(s-1)
    and, unless the symbol is blank or the one two before, α_{t-1}(s-2), plus log_probs_t(symbol s);
    L is minus the log-sum-exp of the last two α_T.

    Parameters
    ----------
    log_probs : (T, N, C), or (T, C) for one example
    targets : integers (N, S), of which only the first target_lengths count; or (Σ lengths,), one
        after the other
    input_lengths : (N,) or (), the frames that count
    target_lengths : (N,) or ()
    blank : the class that stands for no symbol
    reduction : "mean" divides each loss by its target's length first; "sum" or "none"
    zero_infinity : whether losses of targets that do not fit into the frames are 0, with gradient
        0, in place of ∞

    Returns
    -------
    the loss, (); with reduction="none" (N,), or () for one example

    Raises
    ------
    ValueError
        for other shapes, classes or lengths

    Source: Graves et al. 2006.
    """
    log_probs = as_floats("ctc_loss", log_probs)
    y, steps, sizes = (np.asarray(unwrap(a)) for a in (targets, input_lengths, target_lengths))
    if log_probs.ndim == 2 and y.ndim == 1 and sizes.size == 1:
        steps, sizes = steps.reshape(-1), sizes.reshape(-1)
        loss = ctc_loss(log_probs[:, None], y[None], steps, sizes, blank, reduction, zero_infinity)
        return loss[0] if loss.ndim else loss
    if y.ndim == 1 and sizes.ndim == 1:
        y = _padded(y, sizes, blank)
    _check(log_probs, y, steps, sizes, blank)
    (N, S), T = y.shape, len(log_probs)
    if N == 0:
        return reduce(np.sum(log_probs, axis=(0, 2)), reduction)
    y = np.where(np.arange(S) < sizes[:, None], y, blank)  # padding is not read
    symbols = np.full((N, 2 * S + 1), blank)
    symbols[:, 1::2] = y
    skips = np.zeros(symbols.shape, bool)
    skips[:, 2:] = (symbols[:, 2:] != blank) & (symbols[:, 2:] != symbols[:, :-2])
    emitted = np.take_along_axis(log_probs, np.broadcast_to(symbols, (T, *symbols.shape)), axis=2)
    if np.any(np.isneginf(unwrap(emitted))):
        emitted = np.where(np.isneginf(unwrap(emitted)), _NEVER, emitted)
    alpha = np.where(np.arange(2 * S + 1) < 2, emitted[0], _NEVER)
    for t in range(1, steps.max()):
        one = np.pad(alpha, ((0, 0), (1, 0)), constant_values=_NEVER)[:, : 2 * S + 1]
        two = np.pad(alpha, ((0, 0), (2, 0)), constant_values=_NEVER)[:, : 2 * S + 1]
        reached = np.logaddexp(np.logaddexp(alpha, one), np.where(skips, two, _NEVER)) + emitted[t]
        alpha = np.where((t < steps)[:, None], reached, alpha)
    rows = np.arange(N)
    last = alpha[rows, np.maximum(2 * sizes - 1, 0)]  # the last symbol, or the blank after it
    last = np.where(sizes > 0, last, _NEVER)
    loss = -np.logaddexp(alpha[rows, 2 * sizes], last)
    impossible = np.greater(loss, -_NEVER / 2)
    loss = np.where(impossible, 0.0 if zero_infinity else np.inf, loss)
    if reduction == "mean":
        loss = loss / np.maximum(sizes, 1).astype(loss.dtype)
    return reduce(loss, reduction)


def _padded(targets, sizes, blank):
    """Targets that stand one after the other, as one row each."""
    if np.any(sizes < 0) or sizes.sum() != len(targets):
        raise ValueError(
            f"ctc_loss: targets {targets.shape} hold {len(targets)} symbols, target_lengths sum to "
            f"{sizes.sum()}; want as many, or one row for each example: (N, S)"
        )
    rows = np.full((len(sizes), max(sizes, default=0)), blank, targets.dtype)
    rows[np.arange(rows.shape[1]) < sizes[:, None]] = targets
    return rows


def _check(log_probs, targets, steps, sizes, blank):
    shapes_fit = (
        log_probs.ndim == 3
        and targets.ndim == 2
        and steps.shape == sizes.shape == (len(targets),) == log_probs.shape[1:2]
    )
    if not shapes_fit:
        raise ValueError(
            f"ctc_loss: log_probs {log_probs.shape}, targets {targets.shape}, "
            f"lengths {steps.shape} and {sizes.shape}; want (T, N, C), (N, S), (N,) and (N,)"
        )
    if not len(targets):
        return
    T, _, C = log_probs.shape
    steps_fit = 0 < steps.min() <= steps.max() <= T
    sizes_fit = 0 <= sizes.min() <= sizes.max() <= targets.shape[1]
    if not (steps_fit and sizes_fit and 0 <= blank < C):
        raise ValueError(
            f"ctc_loss: lengths or blank={blank} out of range for log_probs {log_probs.shape}, "
            f"targets {targets.shape}; want 1 to {T} frames, 0 to {targets.shape[1]} symbols, "
            f"a blank from 0 to {C - 1}"
        )
    read = targets[np.arange(targets.shape[1]) < sizes[:, None]]
    if read.size and not 0 <= read.min() <= read.max() < C or np.any(read == blank):
        raise ValueError(
            f"ctc_loss: targets want classes from 0 to {C - 1} other than the blank, {blank}"
        )
