"""Learning-rate schedules: each is a closed form lr(t) of the number of its steps, t = 0, 1, 2, ...

A schedule starts when it is made and moves with `schedule.step()`. Names, arguments and values are
PyTorch's; each group has a `base` of its own, the lr that it had when the optimizer's first
schedule was made. With `last_epoch` a schedule starts as if it had made last_epoch + 1 steps of a
run that an earlier schedule of the same optimizer began.
"""

from bisect import bisect_right
from collections.abc import Callable

import numpy as np

from .base import Optimizer

__all__ = [
    "Schedule",
    "LambdaLR",
    "MultiplicativeLR",
    "StepLR",
    "MultiStepLR",
    "ConstantLR",
    "LinearLR",
    "ExponentialLR",
    "PolynomialLR",
    "WSD",
]


class Schedule:
    """What all schedules share; a subclass defines `factor(t)`, or `lr(t, base)`.

    lr(t) = base factor(t), unless lr is defined anew.

    Parameters
    ----------
    optimizer : whose groups' "lr" it changes
    last_epoch : -1 to begin; else how many steps, less one, an earlier schedule of this optimizer
        has made

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> class InverseRoot(Schedule):
    ...     def factor(self, t: int) -> float:
    ...         return (t + 1) ** -0.5
    >>> optimizer = optimizers.SGD([layers.Parameter(np.ones(1))], lr=0.1)
    >>> schedule = InverseRoot(optimizer)
    >>> for _ in range(3):
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.05]
    """

    saved = ("t", "bases")  # what a state_dict holds: numbers, or one number for each group
    of_t = True  # whether the learning rates are a function of t alone, whatever they were before

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1):
        groups = optimizer.param_groups
        if last_epoch != -1 and not (last_epoch >= 0 and all("initial_lr" in g for g in groups)):
            raise ValueError(
                f"{type(self).__name__}: expected last_epoch=-1 for an optimizer "
                f"without initial_lr, got {last_epoch}; "
                'set group["initial_lr"] in each of optimizer.param_groups'
            )
        self.optimizer = optimizer
        self.t = last_epoch + 1
        self.bases = [float(group.setdefault("initial_lr", group["lr"])) for group in groups]
        self.apply()

    def factor(self, t: int) -> float:
        """lr(t) / base; NotImplementedError until a subclass defines it, or lr."""
        raise NotImplementedError(
            f"{type(self).__name__} defines no lr(self, t, base), and no factor(self, t)"
        )

    def factors(self, t: int) -> list[float]:
        """lr(t) / base of each group."""
        return [self.factor(t)] * len(self.bases)

    def is_factor(self) -> bool:
        """Whether lr(t) is base times a factor, so that several of them make a product."""
        kind = type(self)
        return kind.factor is not Schedule.factor or kind.factors is not Schedule.factors

    def lr(self, t: int, base: float) -> float:
        """The learning rate after t steps, of a group that began with `base`."""
        return base * self.factor(t)

    def lrs(self, t: int) -> list[float]:
        """The learning rates of all groups after t steps."""
        return [self.lr(t, base) for base in self.bases]

    def apply(self) -> None:
        """Give each group the learning rate of now."""
        for group, lr in zip(self.optimizer.param_groups, self.lrs(self.t), strict=True):
            group["lr"] = float(lr)

    def step(self) -> None:
        """On to the next learning rate; call it after `optimizer.step()`."""
        self.t += 1
        self.apply()

    @property
    def last_epoch(self) -> int:
        """PyTorch's name for t, how many steps were made."""
        return self.t

    def get_last_lr(self) -> list[float]:
        """The learning rate of each group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, np.ndarray]:
        """{name: array}: what it needs to continue."""
        return {name: np.array(getattr(self, name)) for name in self.saved}

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        """Continue from a `state_dict()`."""
        if state.keys() != set(self.saved):
            raise KeyError(
                f"{type(self).__name__}.load_state_dict: got {sorted(state)}, "
                f"expected {sorted(self.saved)}"
            )
        for name in self.saved:
            setattr(self, name, np.asarray(state[name]).tolist())
        self.apply()


class LambdaLR(Schedule):
    """lr(t) = base λ(t).

    Parameters
    ----------
    optimizer, last_epoch : as in `Schedule`
    lr_lambda : λ, a function of t, or one for each group

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> optimizer = optimizers.SGD([layers.Parameter(np.ones(1))], lr=0.5)
    >>> schedule = LambdaLR(optimizer, lambda t: 1 / (1 + t))
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Callable | list[Callable], last_epoch: int = -1
    ):
        self.lambdas = per_group(self, optimizer, "lr_lambda", lr_lambda)
        super().__init__(optimizer, last_epoch)

    def factors(self, t: int) -> list[float]:
        return [f(t) for f in self.lambdas]

    def lrs(self, t: int) -> list[float]:
        return [base * f for base, f in zip(self.bases, self.factors(t), strict=True)]


class MultiplicativeLR(LambdaLR):
    """lr(t) = base λ(1) λ(2) ⋯ λ(t).

    Parameters
    ----------
    optimizer, last_epoch : as in `Schedule`
    lr_lambda : λ, a function of t, or one for each group

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> optimizer = optimizers.SGD([layers.Parameter(np.ones(1))], lr=1.0)
    >>> schedule = optimizers.MultiplicativeLR(optimizer, lambda t: 0.5)
    >>> print([round(schedule.lrs(t)[0], 3) for t in range(4)])
    [1.0, 0.5, 0.25, 0.125]
    """

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Callable | list[Callable], last_epoch: int = -1
    ):
        self._reached = (0, None)  # (t, the products up to it), so that each step multiplies once
        super().__init__(optimizer, lr_lambda, last_epoch)

    def factors(self, t: int) -> list[float]:
        start, products = self._reached
        if products is None or t < start:
            start = 0
            products = [1.0] * len(self.lambdas)
        for i in range(start + 1, t + 1):
            products = [product * f(i) for product, f in zip(products, self.lambdas, strict=True)]
        self._reached = (t, products)
        return products


class StepLR(Schedule):
    """lr(t) = base γ^⌊t / step_size⌋.

    Parameters
    ----------
    optimizer, last_epoch : as in `Schedule`
    step_size : after how many steps the learning rate falls, again and again
    gamma : γ

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> optimizer = optimizers.SGD([layers.Parameter(np.ones(1))], lr=0.1)
    >>> schedule = StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for _ in range(4):
    ...     print(optimizer.lr)
    ...     schedule.step()
    0.1
    0.1
    0.05
    0.05
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ):
        if not step_size >= 1:
            raise ValueError(f"StepLR: expected step_size >= 1, got {step_size}")
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        return self.gamma ** (t // self.step_size)


class MultiStepLR(Schedule):
    """lr(t) = base γ^(milestones passed).

    Parameters
    ----------
    optimizer, last_epoch : as in `Schedule`
    milestones : the t at which the learning rate falls, once for each time that it is listed
    gamma : γ

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> optimizer = optimizers.SGD([layers.Parameter(np.ones(1))], lr=1.0)
    >>> schedule = optimizers.MultiStepLR(optimizer, milestones=[2, 4])
    >>> print([round(schedule.lr(t, base=1.0), 3) for t in range(6)])
    [1.0, 1.0, 0.1, 0.1, 0.01, 0.01]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: list[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ):
        if min(milestones, default=0) < 0:
            raise ValueError(f"MultiStepLR: expected milestones >= 0, got {milestones}")
        self.milestones = sorted(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        return self.gamma ** bisect_right(self.milestones, t)


class ConstantLR(Schedule):
    """lr(t) = base factor for t < total_iters, then base.

    Parameters
    ----------
    optimizer, last_epoch : as in `Schedule`
    factor : in [0, 1]
    total_iters : for how many steps

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> optimizer = optimizers.SGD([layers.Parameter(np.ones(1))], lr=1.0)
    >>> schedule = optimizers.ConstantLR(optimizer, factor=0.5, total_iters=2)
    >>> print([round(schedule.lr(t, base=1.0), 3) for t in range(4)])
    [0.5, 0.5, 1.0, 1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ):
        if not 0 <= factor <= 1:
            raise ValueError(f"ConstantLR: expected factor in [0, 1], got {factor}")
        self.at_first = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        return self.at_first if t < self.total_iters else 1.0


class LinearLR(Schedule):
    """lr(t) = base (start_factor + (end_factor - start_factor) min(t / total_iters, 1)).

    By default, a warm-up.

    Parameters
    ----------
    optimizer, last_epoch : as in `Schedule`
    start_factor : in (0, 1]
    end_factor : in [0, 1]
    total_iters : how many steps lie between

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> optimizer = optimizers.SGD([layers.Parameter(np.ones(1))], lr=1.0)
    >>> schedule = optimizers.LinearLR(optimizer, start_factor=0.25, total_iters=3)
    >>> print([round(schedule.lr(t, base=1.0), 3) for t in range(5)])
    [0.25, 0.5, 0.75, 1.0, 1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ):
        if not (0 < start_factor <= 1 and 0 <= end_factor <= 1):
            raise ValueError(
                "LinearLR: expected factors in [0, 1], start_factor > 0, "
                f"got {start_factor} and {end_factor}"
            )
        if not total_iters >= 1:
            raise ValueError(f"LinearLR: expected total_iters >= 1, got {total_iters}")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        return linear(self.start_factor, self.end_factor, min(t / self.total_iters, 1))


class ExponentialLR(Schedule):
    """lr(t) = base γᵗ.

    Parameters
    ----------
    optimizer, last_epoch : as in `Schedule`
    gamma : γ

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> optimizer = optimizers.SGD([layers.Parameter(np.ones(1))], lr=1.0)
    >>> schedule = optimizers.ExponentialLR(optimizer, gamma=0.5)
    >>> print([round(schedule.lr(t, base=1.0), 3) for t in range(4)])
    [1.0, 0.5, 0.25, 0.125]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1):
        if not gamma > 0:
            raise ValueError(f"ExponentialLR: expected gamma > 0, got {gamma}")
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        return self.gamma**t


class PolynomialLR(Schedule):
    """lr(t) = base (1 - t / total_iters)^power, then 0.

    Parameters
    ----------
    optimizer, last_epoch : as in `Schedule`
    total_iters : when it is 0
    power : 1 is a line

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> optimizer = optimizers.SGD([layers.Parameter(np.ones(1))], lr=1.0)
    >>> schedule = optimizers.PolynomialLR(optimizer, total_iters=4)
    >>> print([round(schedule.lr(t, base=1.0), 3) for t in range(6)])
    [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        total_iters: int = 5,
        power: float = 1.0,
        last_epoch: int = -1,
    ):
        if not total_iters >= 1:
            raise ValueError(f"PolynomialLR: expected total_iters >= 1, got {total_iters}")
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        return (1 - min(t / self.total_iters, 1)) ** self.power


class WSD(Schedule):
    """Warm-up to base, base for long, then straight down to base · final_factor.

    lr(t) = base (t + 1) / warmup at first, so that no step is lost to lr = 0.  Source: Hu et al.,
    MiniCPM, 2024.

    Parameters
    ----------
    optimizer : whose groups' "lr" it changes
    warmup, stable, decay : how many steps each part takes
    final_factor : what is left of base

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> optimizer = optimizers.SGD([layers.Parameter(np.ones(1))], lr=1.0)
    >>> schedule = optimizers.WSD(optimizer, warmup=2, stable=2, decay=2)
    >>> print([round(schedule.lr(t, base=1.0), 3) for t in range(7)])
    [0.5, 1.0, 1.0, 1.0, 1.0, 0.5, 0.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        warmup: int,
        stable: int,
        decay: int,
        final_factor: float = 0.0,
    ):
        if not (warmup >= 0 and stable >= 0 and decay >= 1):
            raise ValueError(
                f"WSD: expected warmup, stable >= 0 and decay >= 1, got {(warmup, stable, decay)}"
            )
        self.warmup = warmup
        self.stable = stable
        self.decay = decay
        self.final_factor = final_factor
        super().__init__(optimizer)

    def factor(self, t: int) -> float:
        if t < self.warmup:
            return (t + 1) / self.warmup
        falling = max(t - self.warmup - self.stable, 0)
        return linear(1.0, self.final_factor, min(falling / self.decay, 1))


def linear(start: float, end: float, part: float) -> float:
    """From start to end along a straight line."""
    return start + (end - start) * part


def per_group(schedule, optimizer, name, value):
    """One value for each group of the optimizer.

    Raises ValueError for a list of another length.
    """
    count = len(optimizer.param_groups)
    if not isinstance(value, list | tuple):
        return [value] * count
    if len(value) != count:
        raise ValueError(
            f"{type(schedule).__name__}: expected one {name} for each of {count} groups, "
            f"got {len(value)}"
        )
    return list(value)
