"""Schedules made of schedules: one after the other, or all at once."""

import math
from bisect import bisect_right

from .base import Optimizer
from .schedules import Schedule

__all__ = ["SequentialLR", "ChainedScheduler"]


class SequentialLR(Schedule):
    """One schedule after the other: the i-th, from its own t = 0, up to milestone i.

    Parameters
    ----------
    optimizer, last_epoch : as in `Schedule`
    schedulers : schedules of this optimizer, each a function of t
    milestones : when the next one begins; one less than there are schedules

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> optimizer = optimizers.SGD([layers.Parameter(np.ones(1))], lr=1.0)
    >>> warmup = optimizers.LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> decay = optimizers.ExponentialLR(optimizer, 0.1)
    >>> schedule = SequentialLR(optimizer, [warmup, decay], milestones=[2])
    >>> for _ in range(4):
    ...     print(round(optimizer.lr, 3))
    ...     schedule.step()
    0.5
    0.75
    1.0
    0.1
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: list[Schedule],
        milestones: list[int],
        last_epoch: int = -1,
    ):
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"SequentialLR: expected {len(schedulers) - 1} milestones, got {len(milestones)}"
            )
        _check_parts(self, schedulers, optimizer)
        self.schedulers = schedulers
        self.milestones = milestones
        super().__init__(optimizer, last_epoch)

    def lrs(self, t: int) -> list[float]:
        i = bisect_right(self.milestones, t)
        begin = self.milestones[i - 1] if i else 0
        part = self.schedulers[i]
        part.bases = self.bases
        return part.lrs(t - begin)


class ChainedScheduler(Schedule):
    """All schedules at once: lr(t) = base · factor₁(t) · factor₂(t) ⋯.

    Parameters
    ----------
    schedulers : schedules of one optimizer, each base times a factor
    optimizer : that one, unless it is to be taken from them

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> optimizer = optimizers.SGD([layers.Parameter(np.ones(1))], lr=1.0)
    >>> half = optimizers.ConstantLR(optimizer, factor=0.5, total_iters=2)
    >>> decay = optimizers.ExponentialLR(optimizer, 0.9)
    >>> schedule = optimizers.ChainedScheduler([half, decay])
    >>> print([round(schedule.lrs(t)[0], 3) for t in range(4)])
    [0.5, 0.45, 0.81, 0.729]
    """

    def __init__(self, schedulers: list[Schedule], optimizer: Optimizer | None = None):
        if not schedulers:
            raise ValueError("ChainedScheduler: expected at least one schedule, got none")
        optimizer = optimizer or schedulers[0].optimizer
        _check_parts(self, schedulers, optimizer)
        for s in schedulers:
            if not s.is_factor():
                raise ValueError(
                    "ChainedScheduler: expected schedules that are base times a factor, "
                    f"got {type(s).__name__}"
                )
        self.schedulers = list(schedulers)
        super().__init__(optimizer)

    def lrs(self, t: int) -> list[float]:
        factors = zip(*(s.factors(t) for s in self.schedulers), strict=True)
        return [base * math.prod(f) for base, f in zip(self.bases, factors, strict=True)]


def _check_parts(schedule, parts, optimizer):
    name = type(schedule).__name__
    if not all(s.optimizer is optimizer for s in parts):
        raise ValueError(f"{name}: expected schedules of the same optimizer")
    if not all(s.of_t for s in parts):
        raise ValueError(f"{name}: expected schedules that are a function of t")
