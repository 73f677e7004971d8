"""Learning-rate schedules: each is a closed form lr(t) of the number of its steps, t = 0, 1, 2, ...

A schedule starts when it is made and moves with `schedule.step()`. Names, arguments and values are PyTorch's; `base` is
the optimizer's lr when its first schedule was made. Groups follow in proportion. With `last_epoch` a schedule starts as
if it had made last_epoch + 1 steps of a run that an earlier schedule of the same optimizer began.
"""

import math
from bisect import bisect_right

import numpy as np

__all__ = [
    "Schedule",
    "StepLR",
    "MultiStepLR",
    "ExponentialLR",
    "PolynomialLR",
    "LinearLR",
    "WSD",
    "SequentialLR",
    "ReduceLROnPlateau",
]


class Schedule:
    """What all schedules share; a subclass defines `lr(t)`. Schedules change `optimizer.lr`."""

    state = ("t", "base")
    of_t = True  # whether the learning rate is a function of t alone, whatever it was before

    def __init__(self, optimizer, last_epoch=-1):
        known = last_epoch == -1 or (last_epoch >= 0 and "initial_lr" in vars(optimizer))
        self.want(
            known,
            f"last_epoch=-1 for an optimizer without initial_lr, came {last_epoch}; set optimizer.initial_lr",
        )
        self.optimizer, self.t = optimizer, last_epoch + 1
        self.base = vars(optimizer).setdefault("initial_lr", optimizer.lr)
        self.apply()

    def lr(self, t):
        """The learning rate after t steps. Raises NotImplementedError until a subclass defines it."""
        raise NotImplementedError(f"{type(self).__name__} defines no lr(self, t)")

    def apply(self):
        """Give the optimizer the learning rate of now."""
        self.optimizer.lr = self.lr(self.t)

    def step(self):
        """On to the next learning rate; call it after `optimizer.step()`."""
        self.t += 1
        self.apply()

    def state_dict(self):
        """{name: array}: what it needs to continue."""
        return {name: np.array(getattr(self, name)) for name in self.state}

    def load_state_dict(self, state):
        """Continue from a `state_dict()`."""
        if state.keys() != set(self.state):
            raise KeyError(
                f"{type(self).__name__}.load_state_dict: came {sorted(state)}, want {sorted(self.state)}"
            )
        for name in self.state:
            setattr(self, name, state[name].item())
        self.apply()

    def want(self, condition, text):
        """Raise ValueError unless the condition holds."""
        if not condition:
            raise ValueError(f"{type(self).__name__}: want {text}")


class StepLR(Schedule):
    """lr(t) = base γ^⌊t / step_size⌋."""

    def __init__(self, optimizer, step_size, gamma=0.1, last_epoch=-1):
        self.want(step_size >= 1, f"step_size >= 1, came {step_size}")
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def lr(self, t):
        return self.base * self.gamma ** (t // self.step_size)


class MultiStepLR(Schedule):
    """lr(t) = base γ^(milestones passed)."""

    def __init__(self, optimizer, milestones, gamma=0.1, last_epoch=-1):
        self.want(min(milestones, default=0) >= 0, f"milestones >= 0, came {milestones}")
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def lr(self, t):
        return self.base * self.gamma ** bisect_right(self.milestones, t)


class ExponentialLR(Schedule):
    """lr(t) = base γᵗ."""

    def __init__(self, optimizer, gamma, last_epoch=-1):
        self.want(gamma > 0, f"gamma > 0, came {gamma}")
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def lr(self, t):
        return self.base * self.gamma**t


class PolynomialLR(Schedule):
    """lr(t) = base (1 - t / total_iters)^power, then 0."""

    def __init__(self, optimizer, total_iters=5, power=1.0, last_epoch=-1):
        self.want(total_iters >= 1, f"total_iters >= 1, came {total_iters}")
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def lr(self, t):
        return self.base * (1 - min(t / self.total_iters, 1)) ** self.power


class LinearLR(Schedule):
    """lr(t) = base (start_factor + (end_factor - start_factor) min(t / total_iters, 1)): a warm-up, by default."""

    def __init__(self, optimizer, start_factor=1 / 3, end_factor=1.0, total_iters=5, last_epoch=-1):
        self.want(
            0 < start_factor <= 1 and 0 <= end_factor <= 1,
            f"factors in [0, 1], came {start_factor} and {end_factor}",
        )
        self.want(total_iters >= 1, f"total_iters >= 1, came {total_iters}")
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def lr(self, t):
        return self.base * (
            self.start_factor + (self.end_factor - self.start_factor) * min(t / self.total_iters, 1)
        )


class WSD(Schedule):
    """Warm-up to base over `warmup` steps, base for `stable` steps, then straight down to base · final_factor over `decay` steps.

    lr(t) = base (t + 1) / warmup at first, so that no step is lost to lr = 0.  Source: Hu et al., MiniCPM, 2024.
    """

    def __init__(self, optimizer, warmup, stable, decay, final_factor=0.0):
        self.want(
            warmup >= 0 and stable >= 0 and decay >= 1,
            f"warmup, stable >= 0 and decay >= 1, came {(warmup, stable, decay)}",
        )
        self.warmup, self.stable, self.decay, self.final_factor = (
            warmup,
            stable,
            decay,
            final_factor,
        )
        super().__init__(optimizer)

    def lr(self, t):
        if t < self.warmup:
            return self.base * (t + 1) / self.warmup
        return linear(
            self.base,
            self.base * self.final_factor,
            min(max(t - self.warmup - self.stable, 0) / self.decay, 1),
        )


class SequentialLR(Schedule):
    """One schedule after the other: the i-th, from its own t = 0, between milestones i - 1 and i."""

    def __init__(self, optimizer, schedulers, milestones, last_epoch=-1):
        self.want(
            len(milestones) == len(schedulers) - 1,
            f"{len(schedulers) - 1} milestones, came {len(milestones)}",
        )
        self.want(
            all(s.optimizer is optimizer for s in schedulers), "schedules of the same optimizer"
        )
        self.want(all(s.of_t for s in schedulers), "schedules that are a function of t")
        self.schedulers, self.milestones = schedulers, milestones
        super().__init__(optimizer, last_epoch)

    def apply(self):
        """Give the optimizer the learning rate of now."""
        for s in self.schedulers:
            s.base = self.base
        super().apply()

    def lr(self, t):
        i = bisect_right(self.milestones, t)
        return self.schedulers[i].lr(t - (self.milestones[i - 1] if i else 0))


class ReduceLROnPlateau(Schedule):
    """lr ← max(factor lr, min_lr) when `step(metric)` has brought nothing better for more than `patience` calls.

    Better is below best (1 - threshold) for mode "min", above best (1 + threshold) for "max"; with threshold_mode "abs",
    best ∓ threshold. After a reduction, `cooldown` calls are not counted.
    """

    state, of_t = ("t", "base", "best", "bad", "cooling"), False

    def __init__(
        self,
        optimizer,
        mode="min",
        factor=0.1,
        patience=10,
        threshold=1e-4,
        threshold_mode="rel",
        cooldown=0,
        min_lr=0.0,
        eps=1e-8,
    ):
        self.want(
            mode in ("min", "max") and threshold_mode in ("rel", "abs"),
            f"min or max, rel or abs, came {mode}, {threshold_mode}",
        )
        self.want(factor < 1, f"factor < 1, came {factor}")
        self.sign, self.factor, self.patience = (1 if mode == "min" else -1), factor, patience
        self.threshold, self.relative, self.cooldown, self.min_lr, self.eps = (
            threshold,
            threshold_mode == "rel",
            cooldown,
            min_lr,
            eps,
        )
        self.best, self.bad, self.cooling = self.sign * math.inf, 0, 0
        super().__init__(optimizer)

    def apply(self):
        """Nothing: the learning rate is the optimizer's own."""

    def step(self, metric):
        """Take in one measurement, and lower the learning rate if it is time."""
        self.t += 1
        limit = (
            self.best * (1 - self.sign * self.threshold)
            if self.relative
            else self.best - self.sign * self.threshold
        )
        if self.sign * float(metric) < self.sign * limit:
            self.best, self.bad = float(metric), 0
        else:
            self.bad += 1
        if self.cooling > 0:
            self.cooling, self.bad = self.cooling - 1, 0
        if self.bad > self.patience:
            lower = max(self.optimizer.lr * self.factor, self.min_lr)
            self.optimizer.lr = lower if self.optimizer.lr - lower > self.eps else self.optimizer.lr
            self.bad, self.cooling = 0, self.cooldown


def linear(start, end, part):
    """From start to end along a straight line."""
    return start + (end - start) * part
