"""Schedules along a cosine: annealing, restarts, one cycle, and the way to averaging."""

import math
from typing import NamedTuple

from .base import Optimizer
from .schedules import Schedule, linear, per_group

__all__ = ["CosineAnnealingLR", "CosineAnnealingWarmRestarts", "SWALR", "OneCycleLR"]


class CosineAnnealingLR(Schedule):
    """lr(t) = eta_min + (base - eta_min) (1 + cos(π t / T_max)) / 2.

    Source: Loshchilov & Hutter 2017.

    Parameters
    ----------
    optimizer, last_epoch : as in `Schedule`
    T_max : how many steps the way down takes
    eta_min : where it ends

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> optimizer = optimizers.SGD([layers.Parameter(np.ones(1))], lr=1.0)
    >>> schedule = CosineAnnealingLR(optimizer, T_max=4)
    >>> for _ in range(5):
    ...     print(round(optimizer.lr, 3))
    ...     schedule.step()
    1.0
    0.854
    0.5
    0.146
    0.0
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ):
        if not T_max >= 1:
            raise ValueError(f"CosineAnnealingLR: expected T_max >= 1, got {T_max}")
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def lr(self, t: int, base: float) -> float:
        return cosine(base, self.eta_min, t / self.T_max)

    def factor(self, t: int) -> float:
        return cosine(1.0, 0.0, t / self.T_max)

    def is_factor(self) -> bool:
        return self.eta_min == 0


class CosineAnnealingWarmRestarts(Schedule):
    """Half a cosine from base to eta_min over T_0 steps, then again over T_0 T_mult, ...

    Source: Loshchilov & Hutter 2017.

    Parameters
    ----------
    optimizer, last_epoch : as in `Schedule`
    T_0 : how many steps the first way down takes
    T_mult : how many times longer each is than the one before
    eta_min : where each ends

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> optimizer = optimizers.SGD([layers.Parameter(np.ones(1))], lr=1.0)
    >>> schedule = optimizers.CosineAnnealingWarmRestarts(optimizer, T_0=2)
    >>> print([round(schedule.lr(t, base=1.0), 3) for t in range(6)])
    [1.0, 0.5, 1.0, 0.5, 1.0, 0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ):
        if not (T_0 >= 1 and T_mult >= 1):
            raise ValueError(
                f"CosineAnnealingWarmRestarts: expected T_0 and T_mult >= 1, got {T_0} and {T_mult}"
            )
        self.T_0 = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def lr(self, t: int, base: float) -> float:
        length = self.T_0
        while t >= length:
            t -= length
            length *= self.T_mult
        return cosine(base, self.eta_min, t / length)


class SWALR(Schedule):
    """From the lr of a group at the first step to swa_lr, in anneal_epochs steps.

    Along a cosine or a line; then it stays. For averaging, after another schedule. With last_epoch,
    too, its steps count from where it is made, as in PyTorch. Source: Izmailov et al. 2018.

    Parameters
    ----------
    optimizer, last_epoch : as in `Schedule`
    swa_lr : where it ends, or one for each group
    anneal_epochs : how many steps that takes
    anneal_strategy : "cos" or "linear"

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> optimizer = optimizers.SGD([layers.Parameter(np.ones(1))], lr=1.0)
    >>> schedule = optimizers.SWALR(optimizer, swa_lr=0.1, anneal_epochs=2)
    >>> for _ in range(4):
    ...     print(round(optimizer.lr, 3))
    ...     schedule.step()
    1.0
    0.55
    0.1
    0.1
    """

    saved = ("t", "bases", "starts", "first")
    of_t = False

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ):
        self.swa_lrs = per_group(self, optimizer, "swa_lr", swa_lr)
        if not (anneal_epochs >= 0 and min(self.swa_lrs) >= 0):
            raise ValueError(
                f"SWALR: expected anneal_epochs and swa_lr >= 0, got {anneal_epochs} and {swa_lr}"
            )
        self.between = _strategy(self, anneal_strategy)
        self.anneal_epochs = anneal_epochs
        self.starts = [group["lr"] for group in optimizer.param_groups]
        self.first = last_epoch + 1
        super().__init__(optimizer, last_epoch)

    def step(self) -> None:
        """On to the next learning rate; at first from what another schedule has come to."""
        if self.t == self.first:
            self.starts = [group["lr"] for group in self.optimizer.param_groups]
        super().step()

    def apply(self) -> None:
        """Give the optimizer the learning rate of now; until the first step, that is its own."""
        if self.t > self.first or not self.anneal_epochs:
            super().apply()

    def lrs(self, t: int) -> list[float]:
        part = min(1.0, (t - self.first) / self.anneal_epochs) if self.anneal_epochs else 1.0
        return [
            self.between(start, end, part)
            for start, end in zip(self.starts, self.swa_lrs, strict=True)
        ]


class Phase(NamedTuple):
    """A part of one cycle: its end, and whence and whither learning rate and momentum go.

    Learning rates are in parts of max_lr.
    """

    end: float
    lr_from: float
    lr_to: float
    momentum_from: float
    momentum_to: float


class OneCycleLR(Schedule):
    """From max_lr / div_factor up to max_lr, then down far below where it began.

    Up over pct_start of total_steps, down to max_lr / div_factor / final_div_factor; momentum (β₁)
    goes against it. Source: Smith & Topin 2018.

    Parameters
    ----------
    optimizer, last_epoch : as in `Schedule`
    max_lr : the top, or one for each group
    total_steps : epochs · steps_per_epoch unless given
    pct_start : the part of total_steps that goes up
    anneal_strategy : "cos" or "linear"
    cycle_momentum : whether the momentum moves
    base_momentum, max_momentum : at the top, and at both ends
    div_factor, final_div_factor : see above
    three_phase : whether the way down first takes as long as the way up

    Raises
    ------
    ValueError : after total_steps

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> optimizer = optimizers.SGD([layers.Parameter(np.ones(1))], lr=1.0)
    >>> schedule = optimizers.OneCycleLR(optimizer, max_lr=1.0, total_steps=5)
    >>> print([round(schedule.lrs(t)[0], 3) for t in range(5)])
    [0.04, 0.95, 0.611, 0.188, 0.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float = 0.85,
        max_momentum: float = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ):
        if total_steps is None and None in (epochs, steps_per_epoch):
            raise ValueError("OneCycleLR: expected total_steps, or epochs and steps_per_epoch")
        if total_steps is None:
            total_steps = epochs * steps_per_epoch
        if not (total_steps >= 1 and 0 <= pct_start <= 1):
            raise ValueError(
                "OneCycleLR: expected total_steps >= 1 and pct_start in [0, 1], "
                f"got {total_steps}, {pct_start}"
            )
        self.between = _strategy(self, anneal_strategy)
        known = [name for name in ("betas", "momentum") if name in optimizer.param_groups[0]]
        if cycle_momentum and not known:
            raise ValueError(
                "OneCycleLR: expected cycle_momentum=False, "
                f"for {type(optimizer).__name__} has no momentum"
            )
        self.max_lrs = per_group(self, optimizer, "max_lr", max_lr)
        self.total_steps = total_steps
        self.momentum_name = known[0] if cycle_momentum else None
        peak = pct_start * total_steps - 1
        low = 1 / div_factor
        least = low / final_div_factor
        up = Phase(peak, low, 1.0, max_momentum, base_momentum)
        if three_phase:
            down = Phase(2 * peak, 1.0, low, base_momentum, max_momentum)
            out = Phase(total_steps - 1, low, least, max_momentum, max_momentum)
            self.phases = [up, down, out]
        else:
            self.phases = [up, Phase(total_steps - 1, 1.0, least, base_momentum, max_momentum)]
        super().__init__(optimizer, last_epoch)

    def lrs(self, t: int) -> list[float]:
        phase, part = self._phase(t)
        factor = self.between(phase.lr_from, phase.lr_to, part)
        return [factor * top for top in self.max_lrs]

    def momentum(self, t: int) -> float:
        """The momentum, or β₁, after t steps."""
        phase, part = self._phase(t)
        return self.between(phase.momentum_from, phase.momentum_to, part)

    def _phase(self, t):
        """(the phase that t lies in, which part of it is over)."""
        if t > self.total_steps:
            raise ValueError(
                f"OneCycleLR: expected at most total_steps={self.total_steps} steps, got {t}"
            )
        i = sum(t > phase.end for phase in self.phases[:-1])
        start = self.phases[i - 1].end if i else 0.0
        length = self.phases[i].end - start
        return self.phases[i], (t - start) / length if length > 0 else 1.0

    def apply(self) -> None:
        """Give each group its learning rate and, if cycle_momentum, its momentum or β₁."""
        super().apply()
        if self.momentum_name is None:
            return
        momentum = self.momentum(self.t)
        for group in self.optimizer.param_groups:
            if self.momentum_name == "betas":
                group["betas"] = (momentum, *group["betas"][1:])
            else:
                group["momentum"] = momentum


def _strategy(schedule, name):
    if name not in ("cos", "linear"):
        raise ValueError(
            f"{type(schedule).__name__}: expected anneal_strategy 'cos' or 'linear', got {name!r}"
        )
    return cosine if name == "cos" else linear


def cosine(start: float, end: float, part: float) -> float:
    """From start to end along half a cosine."""
    return end + (start - end) * (1 + math.cos(math.pi * part)) / 2
