"""Schedules along a cosine: annealing, restarts, one cycle."""

import math

from .schedules import Schedule, linear

__all__ = ["CosineAnnealingLR", "CosineAnnealingWarmRestarts", "OneCycleLR"]


class CosineAnnealingLR(Schedule):
    """lr(t) = eta_min + (base - eta_min) (1 + cos(π t / T_max)) / 2.  Source: Loshchilov & Hutter 2017."""

    def __init__(self, optimizer, T_max, eta_min=0.0):
        self.want(T_max >= 1, f"T_max >= 1, came {T_max}")
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer)

    def lr(self, t):
        return cosine(self.base, self.eta_min, t / self.T_max)


class CosineAnnealingWarmRestarts(Schedule):
    """Half a cosine from base to eta_min over T_0 steps, then again over T_0 T_mult, ...  Source: Loshchilov & Hutter 2017."""

    def __init__(self, optimizer, T_0, T_mult=1, eta_min=0.0):
        self.want(T_0 >= 1 and T_mult >= 1, f"T_0 and T_mult >= 1, came {T_0} and {T_mult}")
        self.T_0, self.T_mult, self.eta_min = T_0, T_mult, eta_min
        super().__init__(optimizer)

    def lr(self, t):
        length = self.T_0
        while t >= length:
            t, length = t - length, length * self.T_mult
        return cosine(self.base, self.eta_min, t / length)


class OneCycleLR(Schedule):
    """max_lr / div_factor up to max_lr over pct_start of total_steps, then down to that / final_div_factor; momentum (β₁) goes against it.

    With `three_phase` the way down first takes as long as the way up. Raises ValueError after total_steps.
    Source: Smith & Topin 2018.
    """

    def __init__(self, optimizer, max_lr, total_steps, pct_start=0.3, anneal_strategy="cos", cycle_momentum=True, base_momentum=0.85,
                 max_momentum=0.95, div_factor=25.0, final_div_factor=1e4, three_phase=False):  # fmt: skip
        self.want(total_steps >= 1 and 0 <= pct_start <= 1, f"total_steps >= 1 and pct_start in [0, 1], came {total_steps}, {pct_start}")
        self.want(anneal_strategy in ("cos", "linear"), f"anneal_strategy 'cos' or 'linear', came {anneal_strategy!r}")
        knob = [name for name in ("betas", "momentum") if hasattr(optimizer, name)]
        self.want(knob or not cycle_momentum, f"cycle_momentum=False, for {type(optimizer).__name__} has no momentum")
        self.between = cosine if anneal_strategy == "cos" else linear
        self.total_steps, self.knob = total_steps, knob[0] if cycle_momentum else None
        low, peak, up = max_lr / div_factor, pct_start * total_steps - 1, (max_momentum, base_momentum)
        rest = [(2 * peak, max_lr, low, *up[::-1]), (total_steps - 1, low, low / final_div_factor, max_momentum, max_momentum)]
        if not three_phase:
            rest = [(total_steps - 1, max_lr, low / final_div_factor, *up[::-1])]
        self.phases = [(peak, low, max_lr, *up), *rest]
        super().__init__(optimizer)

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


def cosine(start, end, part):
    """From start to end along half a cosine."""
    return end + (start - end) * (1 + math.cos(math.pi * part)) / 2
