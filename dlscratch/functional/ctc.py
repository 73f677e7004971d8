"""Connectionist temporal classification: the loss for labels whose alignment with the input is unknown."""

import numpy as np

from .losses import reduce

__all__ = ["ctc_loss"]

_NEVER = -1e30  # the logarithm of 0, finite so that no gradient is NaN


def ctc_loss(
    log_probs,
    targets,
    input_lengths,
    target_lengths,
    blank=0,
    reduction="mean",
    zero_infinity=False,
):
    """L = -log Σ over all paths of T symbols that read `targets` once repeats and then blanks are dropped, of their probability.

    α_t(s) = log-sum-exp of α_{t-1}(s), α_{t-1}(s-1) and, unless the symbol is blank or the one two before, α_{t-1}(s-2),
    plus log_probs_t(symbol s), over the targets with blanks between.  log_probs: (T, N, C), targets: integers (N, S),
    lengths: (N,). "mean" divides each loss by its target's length. Raises ValueError for other shapes. Source: Graves et al. 2006.
    """
    y, steps, sizes = (np.asarray(a) for a in (targets, input_lengths, target_lengths))
    _check_ctc(log_probs, y, steps, sizes, blank)
    (N, S), rows = y.shape, np.arange(len(y))
    symbols = np.full((N, 2 * S + 1), blank)
    symbols[:, 1::2] = y
    skips = np.zeros(symbols.shape, bool)
    skips[:, 2:] = (symbols[:, 2:] != blank) & (symbols[:, 2:] != symbols[:, :-2])
    emitted = np.take_along_axis(
        log_probs, np.broadcast_to(symbols, (len(log_probs), *symbols.shape)), axis=2
    )
    alpha = np.where(np.arange(2 * S + 1) < 2, emitted[0], _NEVER)
    for t in range(1, len(log_probs)):
        one, two = (
            np.pad(alpha, ((0, 0), (k, 0)), constant_values=_NEVER)[:, : 2 * S + 1] for k in (1, 2)
        )
        reached = np.logaddexp(np.logaddexp(alpha, one), np.where(skips, two, _NEVER)) + emitted[t]
        alpha = np.where((t < steps)[:, None], reached, alpha)
    last = np.where(
        sizes > 0, alpha[rows, 2 * sizes - 1], _NEVER
    )  # the last symbol, or the blank after it
    loss = -np.logaddexp(alpha[rows, 2 * sizes], last)
    loss = np.where(np.greater(loss, -_NEVER / 2), 0.0 if zero_infinity else np.inf, loss)
    return (
        np.mean(loss / np.maximum(sizes, 1).astype(loss.dtype))
        if reduction == "mean"
        else reduce(loss, reduction)
    )


def _check_ctc(log_probs, targets, steps, sizes, blank):
    if (
        log_probs.ndim != 3
        or targets.ndim != 2
        or not steps.shape == sizes.shape == (len(targets),) == log_probs.shape[1:2]
    ):
        raise ValueError(
            f"ctc_loss: log_probs {log_probs.shape}, targets {targets.shape}, lengths {steps.shape} and {sizes.shape}; "
            "want (T, N, C), (N, S), (N,) and (N,)"
        )
    T, _, C = log_probs.shape
    read = targets[np.arange(targets.shape[1]) < sizes[:, None]]
    if not (
        0 < steps.min() <= steps.max() <= T
        and 0 <= sizes.min() <= sizes.max() <= targets.shape[1]
        and 0 <= blank < C
    ):
        raise ValueError(
            f"ctc_loss: lengths or blank={blank} out of range for log_probs {log_probs.shape}, targets {targets.shape}"
        )
    if read.size and not 0 <= read.min() <= read.max() < C or np.any(read == blank):
        raise ValueError(
            f"ctc_loss: targets want classes from 0 to {C - 1} other than the blank, {blank}"
        )
