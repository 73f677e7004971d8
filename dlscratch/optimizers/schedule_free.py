"""Schedule-free learning: an average of the iterates does what a falling learning rate would."""

import math
from collections.abc import Iterable

import numpy as np

from ..layers.parameters import Parameter
from .base import Optimizer, approach, check_fractions, decayed, plain

__all__ = ["ScheduleFreeSGD", "ScheduleFreeAdamW"]


class ScheduleFree(Optimizer):
    """What both rules share: theta holds y = (1 - β) z + β x in training, and x in evaluation."""

    elementwise = False  # the sum of weights is one number for each parameter
    numbers = ("total",)

    def advance(self, theta, g, x, z, total, t, rate, beta, weight_decay):
        """z ← z - γ (g + λ y), x ← (1 - c) x + c z, y ← (1 - β) z + β x.

        `rate` is γ, and c the share of γ² in the sum of all so far.
        """
        if t == 1:
            x[...] = theta
            z[...] = theta
        z -= rate * decayed(g, theta, weight_decay)
        total += rate**2
        share = rate**2 / float(total) if total else 1.0
        approach(x, z, share)
        theta[...] = mixed(x, z, beta)

    def beta(self, group: dict) -> float:
        """The weight of x in y."""
        raise NotImplementedError(f"{type(self).__name__} defines no beta(self, group)")

    def eval(self) -> None:
        """theta ← x."""
        for p, state, _ in self._moved():
            p.data = state["x"]

    def train(self) -> None:
        """theta ← y."""
        for p, state, group in self._moved():
            p.data = mixed(state["x"], state["z"], self.beta(group))

    def _moved(self):
        """(parameter, its state, its group) of those that have made a step and are not frozen."""
        for p, count, group in zip(self.parameters, self._counts, self._group_of, strict=True):
            if count and p.requires_grad:
                yield p, self.state[p], self.param_groups[group]


def mixed(x, z, beta):
    """y = (1 - β) z + β x."""
    return (1 - beta) * z + beta * x


def warm(t, warmup_steps):
    """min(1, t / warmup_steps)."""
    return min(1.0, t / warmup_steps) if warmup_steps else 1.0


class ScheduleFreeSGD(ScheduleFree):
    """z ← z - γ (g + λ y), x ← (1 - c) x + c z, y = (1 - β) z + β x.

    γ = lr min(1, t / warmup_steps), c = γₜ² / (γ₁² + ... + γₜ²). The gradient is taken at y, which
    theta holds in training; x is what was learned. `eval()` puts x into theta, for measuring and
    saving, and `train()` puts y back.  Source: Defazio et al., The road less scheduled, 2024.

    Parameters
    ----------
    params : model.parameters(), or groups: see `Optimizer`
    lr : the learning rate, which stays
    momentum : β
    weight_decay : λ
    warmup_steps : over how many steps γ rises

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> w = layers.Parameter(np.array([3.0, -1.0]))
    >>> optimizer = optimizers.ScheduleFreeSGD([w], lr=0.1)
    >>> w.grad = np.array([2.0, -0.5])
    >>> optimizer.step()
    >>> w.data.round(4)
    array([ 2.8 , -0.95])
    >>> optimizer.eval()  # from where it trains to the average, for evaluation
    >>> w.data.round(4)
    array([ 2.8 , -0.95])
    """

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[dict],
        lr: float = 1.0,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        warmup_steps: int = 0,
    ):
        super().__init__(
            params,
            lr=lr,
            momentum=momentum,
            weight_decay=weight_decay,
            warmup_steps=warmup_steps,
        )

    def check(self, options: dict) -> None:
        super().check(options)
        check_fractions(self, "momentum", (options["momentum"],))

    def beta(self, group: dict) -> float:
        return plain(group["momentum"])

    def remembers(self, shape: tuple, options: dict) -> dict[str, tuple]:
        return {"x": shape, "z": shape, "total": ()}

    def update(self, theta, g, x, z, total, *, t, lr, momentum, weight_decay, warmup_steps):
        rate = lr * warm(t, warmup_steps)
        self.advance(theta, g, x, z, total, t, rate, momentum, weight_decay)


class ScheduleFreeAdamW(ScheduleFree):
    """Schedule-free with Adam's direction g / (√v + eps), v ← β₂ v + (1 - β₂) g².

    γ = lr √(1 - β₂ᵗ) min(1, t / warmup_steps), z ← z - γ g / (√v + eps) - γ λ y; β₁ is the weight
    of x in y.  Source: Defazio et al. 2024, algorithm 1.

    Parameters
    ----------
    params : model.parameters(), or groups: see `Optimizer`
    lr : the learning rate, which stays
    betas : β₁ and β₂
    eps : what keeps the division finite
    weight_decay : λ
    warmup_steps : over how many steps γ rises

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> w = layers.Parameter(np.array([3.0, -1.0]))
    >>> optimizer = optimizers.ScheduleFreeAdamW([w], lr=0.1)
    >>> w.grad = np.array([2.0, -0.5])
    >>> optimizer.step()
    >>> w.data.round(4)
    array([ 2.9, -0.9])
    """

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[dict],
        lr: float = 0.0025,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        warmup_steps: int = 0,
    ):
        super().__init__(
            params,
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            warmup_steps=warmup_steps,
        )

    def check(self, options: dict) -> None:
        super().check(options)
        check_fractions(self, "betas", options["betas"])

    def beta(self, group: dict) -> float:
        return plain(group["betas"])[0]

    def remembers(self, shape: tuple, options: dict) -> dict[str, tuple]:
        return {"x": shape, "z": shape, "v": shape, "total": ()}

    def update(self, theta, g, x, z, v, total, *, t, lr, betas, eps, weight_decay, warmup_steps):
        b1, b2 = betas
        v += (1 - b2) * (g * g - v)
        direction = g / (np.sqrt(v) + eps)
        rate = lr * math.sqrt(1 - b2**t) * warm(t, warmup_steps)
        self.advance(theta, direction, x, z, total, t, rate, b1, weight_decay)
