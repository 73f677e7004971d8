"""Rules that divide by a running size of the gradient. Decay adds λ theta to g."""

from collections.abc import Iterable

import numpy as np

from ..layers.parameters import Parameter
from .base import Optimizer, check_fractions, decayed

__all__ = ["Adagrad", "RMSprop", "Adadelta"]


class Adagrad(Optimizer):
    """Steps that shrink with the gradients seen so far, entry by entry.

    theta ← theta - lrₜ g / (√s + eps), with s ← s + g² and lrₜ = lr / (1 + (t - 1) lr_decay).

    Source: Duchi et al. 2011.

    Parameters
    ----------
    params : model.parameters(), or groups: see `Optimizer`
    lr : the learning rate
    lr_decay : how fast it falls
    weight_decay : λ, which adds λ theta to g
    initial_accumulator_value : where s starts
    eps : what keeps the division finite
    maximize : whether to climb, in place of to descend

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> w = layers.Parameter(np.array([3.0, -1.0]))
    >>> optimizer = optimizers.Adagrad([w], lr=0.1)
    >>> w.grad = np.array([2.0, -0.5])
    >>> optimizer.step()
    >>> w.data.round(4)
    array([ 2.9, -0.9])
    """

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[dict],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ):
        super().__init__(
            params,
            lr=lr,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
            maximize=maximize,
        )

    def check(self, options: dict) -> None:
        super().check(options)
        for name in ("lr_decay", "initial_accumulator_value"):
            if not options[name] >= 0:
                raise ValueError(f"Adagrad: expected {name} >= 0, got {name}={options[name]}")

    def remembers(self, shape: tuple, options: dict) -> dict[str, tuple]:
        return {"s": shape}

    def begin(self, shape: tuple, state: dict[str, np.ndarray], options: dict) -> None:
        state["s"][...] = options["initial_accumulator_value"]

    def update(self, theta, g, s, *, t, lr, lr_decay, weight_decay, initial_accumulator_value, eps):
        g = decayed(g, theta, weight_decay)
        s += g * g
        theta -= lr / (1 + (t - 1) * lr_decay) * g / (np.sqrt(s) + eps)


class RMSprop(Optimizer):
    """Gradients divided by the root of a running mean of their squares, entry by entry.

    theta ← theta - lr b, with b ← momentum b + g / (√(v - m²) + eps), v ← α v + (1 - α) g²; m is
    the running mean of g if `centered`, else 0.

    Source: Tieleman & Hinton 2012; centered: Graves 2013.

    Parameters
    ----------
    params : model.parameters(), or groups: see `Optimizer`
    lr : the learning rate
    alpha : α
    eps : what keeps the division finite
    weight_decay : λ, which adds λ theta to g
    momentum : how much of b stays
    centered : whether to divide by the standard deviation, in place of the root of the mean square
    maximize : whether to climb, in place of to descend

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> w = layers.Parameter(np.array([3.0, -1.0]))
    >>> optimizer = optimizers.RMSprop([w], lr=0.05)
    >>> w.grad = np.array([2.0, -0.5])
    >>> optimizer.step()
    >>> w.data.round(4)
    array([ 2.5, -0.5])
    """

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[dict],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        maximize: bool = False,
    ):
        super().__init__(
            params,
            lr=lr,
            alpha=alpha,
            eps=eps,
            weight_decay=weight_decay,
            momentum=momentum,
            centered=centered,
            maximize=maximize,
        )

    def check(self, options: dict) -> None:
        super().check(options)
        check_fractions(self, "alpha", (options["alpha"],))

    def remembers(self, shape: tuple, options: dict) -> dict[str, tuple]:
        names = ["v"]
        if options["centered"]:
            names.append("m")
        if options["momentum"] > 0:
            names.append("b")
        return dict.fromkeys(names, shape)

    def update(
        self, theta, g, v, m=None, b=None, *, t, lr, alpha, eps, weight_decay, momentum, centered
    ):
        g = decayed(g, theta, weight_decay)
        v += (1 - alpha) * (g * g - v)
        variance = v
        if centered:
            m += (1 - alpha) * (g - m)
            variance = np.maximum(v - m * m, 0)  # rounding may leave less
        step = g / (np.sqrt(variance) + eps)
        if momentum > 0:
            b *= momentum
            b += step
            step = b
        theta -= lr * step


class Adadelta(Optimizer):
    """Gradients scaled to the size of recent steps, so that d has the unit of theta.

    theta ← theta - lr d, with d = √(u + eps) / √(v + eps) g.

    v ← ρ v + (1 - ρ) g² and u ← ρ u + (1 - ρ) d² are running means.

    Source: Zeiler 2012.

    Parameters
    ----------
    params : model.parameters(), or groups: see `Optimizer`
    lr : the learning rate
    rho : ρ
    eps : what keeps the division finite, and lets d grow from 0
    weight_decay : λ, which adds λ theta to g
    maximize : whether to climb, in place of to descend

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> w = layers.Parameter(np.array([3.0, -1.0]))
    >>> optimizer = optimizers.Adadelta([w])
    >>> w.grad = np.array([2.0, -0.5])
    >>> optimizer.step()
    >>> w.data.round(4)
    array([ 2.9968, -0.9968])
    """

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[dict],
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ):
        super().__init__(
            params, lr=lr, rho=rho, eps=eps, weight_decay=weight_decay, maximize=maximize
        )

    def check(self, options: dict) -> None:
        super().check(options)
        check_fractions(self, "rho", (options["rho"],))

    def remembers(self, shape: tuple, options: dict) -> dict[str, tuple]:
        return {"v": shape, "u": shape}

    def update(self, theta, g, v, u, *, t, lr, rho, eps, weight_decay):
        g = decayed(g, theta, weight_decay)
        v += (1 - rho) * (g * g - v)
        d = np.sqrt((u + eps) / (v + eps)) * g
        u += (1 - rho) * (d * d - u)
        theta -= lr * d
