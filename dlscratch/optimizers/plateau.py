"""A schedule that looks at what was measured."""

import math

from .base import Optimizer
from .schedules import Schedule, per_group

__all__ = ["ReduceLROnPlateau"]


class ReduceLROnPlateau(Schedule):
    """lr ← max(factor lr, min_lr) when `step(metric)` has brought nothing better for long.

    That is for more than `patience` calls. Better is below best (1 - threshold) for mode "min",
    above best (1 + threshold) for "max"; with threshold_mode "abs", best ∓ threshold.

    Parameters
    ----------
    optimizer : whose groups' "lr" it changes
    mode : "min" for a metric that is to fall, "max" for one that is to rise
    factor : what is left of the learning rate, < 1
    patience : how many calls without anything better are borne
    threshold, threshold_mode : what counts as better
    cooldown : how many calls after a reduction are not counted
    min_lr : the least learning rate, or one for each group
    eps : a change that is not larger is left out

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> optimizer = optimizers.SGD([layers.Parameter(np.ones(1))], lr=0.5)
    >>> schedule = ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> for loss in (3.0, 2.0, 2.0, 2.0):
    ...     schedule.step(loss)
    >>> optimizer.lr
    0.25
    """

    saved = ("t", "bases", "best", "bad", "cooling")
    of_t = False

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0.0,
        eps: float = 1e-8,
    ):
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ValueError(
                f"ReduceLROnPlateau: expected min or max, rel or abs, got {mode}, {threshold_mode}"
            )
        if not factor < 1:
            raise ValueError(f"ReduceLROnPlateau: expected factor < 1, got {factor}")
        self.sign = 1 if mode == "min" else -1
        self.reduction = float(factor)
        self.patience = patience
        self.threshold = threshold
        self.relative = threshold_mode == "rel"
        self.cooldown = cooldown
        self.min_lrs = per_group(self, optimizer, "min_lr", min_lr)
        self.eps = eps
        self.best = self.sign * math.inf
        self.bad = 0  # calls since the best, which patience counts
        self.cooling = 0  # calls that are not counted yet
        super().__init__(optimizer)

    def apply(self):
        """Nothing: the learning rates are the optimizer's own."""

    def step(self, metric: float):
        """Take in one measurement, and lower the learning rates if it is time."""
        self.t += 1
        if self._is_better(float(metric)):
            self.best = float(metric)
            self.bad = 0
        else:
            self.bad += 1
        if self.cooling > 0:
            self.cooling -= 1
            self.bad = 0
        if self.bad > self.patience:
            self._reduce()
            self.bad = 0
            self.cooling = self.cooldown

    def _is_better(self, metric):
        if self.relative:
            limit = self.best * (1 - self.sign * self.threshold)
        else:
            limit = self.best - self.sign * self.threshold
        return self.sign * metric < self.sign * limit

    def _reduce(self):
        for group, least in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
            lower = max(group["lr"] * self.reduction, least)
            if group["lr"] - lower > self.eps:
                group["lr"] = float(lower)
