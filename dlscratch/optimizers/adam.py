"""Adam and its kin."""

import math
from collections.abc import Iterable

import numpy as np

from ..layers.parameters import Parameter
from .base import Optimizer, approach, check_fractions, decayed, shrink

__all__ = ["Adam", "AdamW", "Adamax", "NAdam", "RAdam"]


class Adam(Optimizer):
    """theta ← theta - lr m̂ / (√v̂ + eps), where m̂ and v̂ are running means of g and g².

    m ← β₁ m + (1 - β₁) g, v ← β₂ v + (1 - β₂) g², m̂ = m / (1 - β₁ᵗ), v̂ = v / (1 - β₂ᵗ).  Source:
    Kingma & Ba 2015.

    Parameters
    ----------
    params : model.parameters(), or groups: see `Optimizer`
    lr : the learning rate
    betas : β₁ and β₂
    eps : what keeps the division finite; it stands outside the root
    weight_decay : λ, which adds λ theta to g
    amsgrad : whether the largest v so far is in its place (Reddi et al. 2018)
    maximize : whether to climb, in place of to descend
    decoupled_weight_decay : whether λ shrinks theta by 1 - lr λ instead, as in AdamW

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> w = layers.Parameter(np.array([1.0, 20.0]))
    >>> optimizer = Adam([w], lr=0.1)
    >>> np.sum(w * w).backward()
    >>> optimizer.step()
    >>> w.data.round(4)
    array([ 0.9, 19.9])
    """

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[dict],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ):
        super().__init__(
            params,
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            amsgrad=amsgrad,
            maximize=maximize,
            decoupled_weight_decay=decoupled_weight_decay,
        )

    def check(self, options: dict) -> None:
        super().check(options)
        check_fractions(self, "betas", options["betas"])

    def remembers(self, shape: tuple, options: dict) -> dict[str, tuple]:
        return {"m": shape, "v": shape} | ({"largest": shape} if options["amsgrad"] else {})

    def update(
        self,
        theta,
        g,
        m,
        v,
        largest=None,
        *,
        t,
        lr,
        betas,
        eps,
        weight_decay,
        amsgrad,
        decoupled_weight_decay,
    ):
        b1, b2 = betas
        update_moments(theta, g, m, v, lr, betas, weight_decay, decoupled_weight_decay)
        unbias1 = 1 - b1**t
        unbias2 = 1 - b2**t
        if amsgrad:
            v = np.maximum(largest, v, out=largest)
        # In place, with both corrections in two numbers:
        # m̂ / (√v̂ + eps) is m / (√v + eps √unbias2) √unbias2 / unbias1.
        step = np.sqrt(v)
        step += eps * math.sqrt(unbias2)
        np.divide(m, step, out=step)
        step *= lr * (math.sqrt(unbias2) / unbias1)
        theta -= step


def update_moments(theta, g, m, v, lr, betas, weight_decay, decoupled):
    """Bring theta's decay, m and v up to date; returns the gradient that they saw."""
    b1, b2 = betas
    if decoupled:
        shrink(theta, lr, weight_decay)
    else:
        g = decayed(g, theta, weight_decay)
    approach(m, g, 1 - b1)
    approach(v, g * g, 1 - b2)
    return g


class AdamW(Adam):
    """Adam with decoupled decay: theta ← (1 - lr λ) theta first, and g is left alone.

    Source: Loshchilov & Hutter 2019.

    Parameters
    ----------
    params, lr, betas, eps, amsgrad, maximize : as in `Adam`
    weight_decay : λ

    Examples
    --------
    Weights decay, biases do not:

    >>> from dlscratch import layers
    >>> model = layers.Sequential(layers.Linear(4, 8), layers.Tanh(), layers.Linear(8, 2))
    >>> weights = [p for p in model.parameters() if p.ndim > 1]
    >>> biases = [p for p in model.parameters() if p.ndim == 1]
    >>> optimizer = AdamW([{"params": weights}, {"params": biases, "weight_decay": 0.0}], lr=3e-4)
    >>> [group["weight_decay"] for group in optimizer.param_groups]
    [0.01, 0.0]
    """

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[dict],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ):
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            maximize=maximize,
            decoupled_weight_decay=True,
        )


class Adamax(Optimizer):
    """theta ← theta - lr m̂ / u, with u ← max(β₂ u, |g| + eps), a fading largest gradient.

    Source: Kingma & Ba 2015.

    Parameters
    ----------
    params, lr, betas, weight_decay, maximize : as in `Adam`
    eps : what keeps the division finite

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> w = layers.Parameter(np.array([3.0, -1.0]))
    >>> optimizer = optimizers.Adamax([w], lr=0.1)
    >>> w.grad = np.array([2.0, -0.5])
    >>> optimizer.step()
    >>> w.data.round(4)
    array([ 2.9, -0.9])
    """

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[dict],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ):
        super().__init__(
            params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, maximize=maximize
        )

    def check(self, options: dict) -> None:
        super().check(options)
        check_fractions(self, "betas", options["betas"])

    def remembers(self, shape: tuple, options: dict) -> dict[str, tuple]:
        return {"m": shape, "u": shape}

    def update(self, theta, g, m, u, *, t, lr, betas, eps, weight_decay):
        b1, b2 = betas
        g = decayed(g, theta, weight_decay)
        m += (1 - b1) * (g - m)
        np.maximum(b2 * u, np.abs(g) + eps, out=u)
        theta -= (lr / (1 - b1**t)) * m / u


class NAdam(Optimizer):
    """Adam with Nesterov's look ahead.

    m̂ = μₜ₊₁ m / (1 - μ₁⋯μₜ₊₁) + (1 - μₜ) g / (1 - μ₁⋯μₜ), μₜ = β₁ (1 - 0.96^(t ψ) / 2).

    Source: Dozat 2016.

    Parameters
    ----------
    params, lr, betas, eps, weight_decay, decoupled_weight_decay, maximize : as in `Adam`
    momentum_decay : ψ

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> w = layers.Parameter(np.array([3.0, -1.0]))
    >>> optimizer = optimizers.NAdam([w], lr=0.1)
    >>> w.grad = np.array([2.0, -0.5])
    >>> optimizer.step()
    >>> w.data.round(4)
    array([ 2.8944, -0.8944])
    """

    elementwise = False  # the product of the μ is one number for each parameter
    numbers = ("product",)

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[dict],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ):
        super().__init__(
            params,
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            momentum_decay=momentum_decay,
            decoupled_weight_decay=decoupled_weight_decay,
            maximize=maximize,
        )

    def check(self, options: dict) -> None:
        super().check(options)
        check_fractions(self, "betas", options["betas"])

    def remembers(self, shape: tuple, options: dict) -> dict[str, tuple]:
        return {"m": shape, "v": shape, "product": ()}

    def begin(self, shape: tuple, state: dict[str, np.ndarray], options: dict) -> None:
        state["product"][...] = 1

    def update(
        self,
        theta,
        g,
        m,
        v,
        product,
        *,
        t,
        lr,
        betas,
        eps,
        weight_decay,
        momentum_decay,
        decoupled_weight_decay,
    ):
        b1, b2 = betas
        g = update_moments(theta, g, m, v, lr, betas, weight_decay, decoupled_weight_decay)
        mu = b1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))
        ahead = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * momentum_decay))
        product *= mu
        so_far = float(product)
        mean = (ahead / (1 - so_far * ahead)) * m + ((1 - mu) / (1 - so_far)) * g
        theta -= lr * mean / (np.sqrt(v / (1 - b2**t)) + eps)


class RAdam(Optimizer):
    """Adam with its step times r, which is small while v averages over few gradients.

    r² = (ρₜ - 4)(ρₜ - 2) ρ∞ / ((ρ∞ - 4)(ρ∞ - 2) ρₜ); while ρₜ <= 5, the step is without division.
    ρ∞ = 2 / (1 - β₂) - 1 and ρₜ = ρ∞ - 2 t β₂ᵗ / (1 - β₂ᵗ) count the gradients that v averages
    over.  Source: Liu et al. 2020.

    Parameters
    ----------
    params, lr, betas, eps, weight_decay, decoupled_weight_decay, maximize : as in `Adam`

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> w = layers.Parameter(np.array([3.0, -1.0]))
    >>> optimizer = optimizers.RAdam([w], lr=0.1)
    >>> w.grad = np.array([2.0, -0.5])
    >>> optimizer.step()
    >>> w.data.round(4)
    array([ 2.8 , -0.95])
    """

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[dict],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ):
        super().__init__(
            params,
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            decoupled_weight_decay=decoupled_weight_decay,
            maximize=maximize,
        )

    def check(self, options: dict) -> None:
        super().check(options)
        check_fractions(self, "betas", options["betas"])

    def remembers(self, shape: tuple, options: dict) -> dict[str, tuple]:
        return {"m": shape, "v": shape}

    def update(self, theta, g, m, v, *, t, lr, betas, eps, weight_decay, decoupled_weight_decay):
        b1, b2 = betas
        update_moments(theta, g, m, v, lr, betas, weight_decay, decoupled_weight_decay)
        unbias1 = 1 - b1**t
        unbias2 = 1 - b2**t
        most = 2 / (1 - b2) - 1
        count = most - 2 * t * (1 - unbias2) / unbias2
        step = (lr / unbias1) * m
        if count > 5:
            r = math.sqrt((count - 4) * (count - 2) * most / ((most - 4) * (most - 2) * count))
            step = step * (r * math.sqrt(unbias2)) / (np.sqrt(v) + eps)
        theta -= step
