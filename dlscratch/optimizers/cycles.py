"""Schedules along a cosine: annealing, restarts, one cycle."""

import math

from .schedules import Schedule, linear

__all__ = ["CosineAnnealingLR", "CosineAnnealingWarmRestarts", "SWALR", "OneCycleLR"]


class CosineAnnealingLR(Schedule):
    """lr(t) = eta_min + (base - eta_min) (1 + cos(π t / T_max)) / 2.  Source: Loshchilov & Hutter 2017."""

    def __init__(self, optimizer, T_max, eta_min=0.0, last_epoch=-1):
        self.want(T_max >= 1, f"T_max >= 1, came {T_max}")
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def lr(self, t):
        return cosine(self.base, self.eta_min, t / self.T_max)


class CosineAnnealingWarmRestarts(Schedule):
    """Half a cosine from base to eta_min over T_0 steps, then again over T_0 T_mult, ...  Source: Loshchilov & Hutter 2017."""

    def __init__(self, optimizer, T_0, T_mult=1, eta_min=0.0, last_epoch=-1):
        self.want(T_0 >= 1 and T_mult >= 1, f"T_0 and T_mult >= 1, came {T_0} and {T_mult}")
        self.T_0, self.T_mult, self.eta_min = T_0, T_mult, eta_min
        super().__init__(optimizer, last_epoch)

    def lr(self, t):
        length = self.T_0
        while t >= length:
            t, length = t - length, length * self.T_mult
        return cosine(self.base, self.eta_min, t / length)


class SWALR(Schedule):
    """From the lr that the optimizer has at the first step to swa_lr, along a cosine or a line, in anneal_epochs steps; then it stays.

    For averaging, after another schedule. With last_epoch, too, its steps count from where it is made, as in PyTorch.
    Source: Izmailov et al. 2018.
    """

    state, of_t = ("t", "base", "start", "first"), False

    def __init__(self, optimizer, swa_lr, anneal_epochs=10, anneal_strategy="cos", last_epoch=-1):
        self.want(
            anneal_epochs >= 0 and swa_lr >= 0,
            f"anneal_epochs and swa_lr >= 0, came {anneal_epochs} and {swa_lr}",
        )
        self.between = _strategy(self, anneal_strategy)
        self.swa_lr, self.anneal_epochs, self.start, self.first = (
            swa_lr,
            anneal_epochs,
            optimizer.lr,
            last_epoch + 1,
        )
        super().__init__(optimizer, last_epoch)

    def step(self):
        """On to the next learning rate; at first from what another schedule has come to since this one was made."""
        if self.t == self.first:
            self.start = self.optimizer.lr
        super().step()

    def apply(self):
        """Give the optimizer the learning rate of now; until the first step, that is its own."""
        if self.t > self.first or not self.anneal_epochs:
            super().apply()

    def lr(self, t):
        return self.between(
            self.start,
            self.swa_lr,
            min(1.0, (t - self.first) / self.anneal_epochs) if self.anneal_epochs else 1.0,
        )


class OneCycleLR(Schedule):
    """max_lr / div_factor up to max_lr over pct_start of total_steps, then down to that / final_div_factor; momentum (β₁) goes against it.

    total_steps is epochs · steps_per_epoch unless given. With `three_phase` the way down first takes as long as the way up.
    Raises ValueError after total_steps.
    Source: Smith & Topin 2018.
    """

    def __init__(
        self,
        optimizer,
        max_lr,
        total_steps=None,
        epochs=None,
        steps_per_epoch=None,
        pct_start=0.3,
        anneal_strategy="cos",
        cycle_momentum=True,
        base_momentum=0.85,
        max_momentum=0.95,
        div_factor=25.0,
        final_div_factor=1e4,
        three_phase=False,
        last_epoch=-1,
    ):
        self.want(
            total_steps is not None or None not in (epochs, steps_per_epoch),
            "total_steps, or epochs and steps_per_epoch",
        )
        total_steps = epochs * steps_per_epoch if total_steps is None else total_steps
        self.want(
            total_steps >= 1 and 0 <= pct_start <= 1,
            f"total_steps >= 1 and pct_start in [0, 1], came {total_steps}, {pct_start}",
        )
        self.between = _strategy(self, anneal_strategy)
        knob = [name for name in ("betas", "momentum") if hasattr(optimizer, name)]
        self.want(
            knob or not cycle_momentum,
            f"cycle_momentum=False, for {type(optimizer).__name__} has no momentum",
        )
        self.total_steps, self.knob = total_steps, knob[0] if cycle_momentum else None
        low, peak, up = (
            max_lr / div_factor,
            pct_start * total_steps - 1,
            (max_momentum, base_momentum),
        )
        rest = [
            (2 * peak, max_lr, low, *up[::-1]),
            (total_steps - 1, low, low / final_div_factor, max_momentum, max_momentum),
        ]
        if not three_phase:
            rest = [(total_steps - 1, max_lr, low / final_div_factor, *up[::-1])]
        self.phases = [(peak, low, max_lr, *up), *rest]
        super().__init__(optimizer, last_epoch)

    def lr(self, t):
        return self.at(t)[0]

    def at(self, t):
        """(lr, momentum) after t steps."""
        self.want(t <= self.total_steps, f"at most total_steps={self.total_steps} steps, came {t}")
        i = sum(t > end for end, *_ in self.phases[:-1])
        end, lr0, lr1, m0, m1 = self.phases[i]
        start = self.phases[i - 1][0] if i else 0.0
        part = (t - start) / (end - start) if end > start else 1.0
        return self.between(lr0, lr1, part), self.between(m0, m1, part)

    def apply(self):
        """Give the optimizer its learning rate and, unless cycle_momentum=False, its momentum or β₁."""
        self.optimizer.lr, momentum = self.at(self.t)
        if self.knob:
            rest = self.optimizer.betas[1:] if self.knob == "betas" else ()
            setattr(self.optimizer, self.knob, (momentum, *rest) if rest else momentum)


def _strategy(schedule, name):
    schedule.want(name in ("cos", "linear"), f"anneal_strategy 'cos' or 'linear', came {name!r}")
    return cosine if name == "cos" else linear


def cosine(start, end, part):
    """From start to end along half a cosine."""
    return end + (start - end) * (1 + math.cos(math.pi * part)) / 2
