"""Adam and its kin."""

import math

import numpy as np

from .base import Optimizer, approach
from .sgd import fractions

__all__ = ["Adam", "AdamW", "Adamax", "NAdam", "RAdam"]


class Adam(Optimizer):
    """theta ← theta - lr m̂ / (√v̂ + eps), with m ← β₁ m + (1 - β₁) g, v ← β₂ v + (1 - β₂) g², m̂ = m / (1 - β₁ᵗ), v̂ = v / (1 - β₂ᵗ).

    eps stands outside the root. Weight decay λ adds λ theta to g; if `decoupled_weight_decay`, it shrinks theta by 1 - lr λ instead.
    With `amsgrad` the largest v so far is in its place.  Source: Kingma & Ba 2015; Reddi et al. 2018.
    """

    state, elementwise = ("m", "v"), True

    def __init__(
        self,
        params,
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0.0,
        amsgrad=False,
        *,
        maximize=False,
        decoupled_weight_decay=False,
    ):
        self.betas, self.eps, self.amsgrad, self.decoupled = (
            fractions(self, betas),
            eps,
            amsgrad,
            decoupled_weight_decay,
        )
        self.state = (*self.state, "largest") if amsgrad else self.state
        super().__init__(params, lr, weight_decay, maximize)

    def update(self, theta, g):
        g = self.moments(theta, g)
        v = np.maximum(self.largest, self.v, out=self.largest) if self.amsgrad else self.v
        unbias1, unbias2 = (1 - b**self.t for b in self.betas)
        step = np.sqrt(
            v
        )  # from here in place: m̂ / (√v̂ + eps), with both corrections in two numbers, is m / (√v + eps √unbias2)
        step += self.eps * math.sqrt(unbias2)
        np.divide(self.m, step, out=step)
        step *= self.rate * (math.sqrt(unbias2) / unbias1)
        theta -= step

    def moments(self, theta, g):
        """Bring decay, m and v up to date; returns the gradient that they saw."""
        b1, b2 = self.betas
        if self.decoupled:
            self.shrink(theta)
        else:
            g = self.decayed(theta, g)
        approach(self.m, g, 1 - b1)
        approach(self.v, g * g, 1 - b2)
        return g


class AdamW(Adam):
    """Adam with decoupled decay: theta ← (1 - lr λ) theta first, and g is left alone. Source: Loshchilov & Hutter 2019."""

    def __init__(
        self,
        params,
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0.01,
        amsgrad=False,
        *,
        maximize=False,
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
    """theta ← theta - lr m̂ / u, with u ← max(β₂ u, |g| + eps), a fading largest gradient.  Source: Kingma & Ba 2015."""

    state, elementwise = ("m", "u"), True

    def __init__(
        self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, *, maximize=False
    ):
        self.betas, self.eps = fractions(self, betas), eps
        super().__init__(params, lr, weight_decay, maximize)

    def update(self, theta, g):
        b1, b2 = self.betas
        g = self.decayed(theta, g)
        self.m += (1 - b1) * (g - self.m)
        np.maximum(b2 * self.u, np.abs(g) + self.eps, out=self.u)
        theta -= (self.rate / (1 - b1**self.t)) * self.m / self.u


class NAdam(Adam):
    """Adam with Nesterov's look ahead: m̂ = μₜ₊₁ m / (1 - μ₁⋯μₜ₊₁) + (1 - μₜ) g / (1 - μ₁⋯μₜ), μₜ = β₁ (1 - 0.96^(t ψ) / 2).

    ψ is `momentum_decay`.  Source: Dozat 2016.
    """

    elementwise = False  # the product of the μ is one number

    def __init__(
        self,
        params,
        lr=2e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0.0,
        momentum_decay=4e-3,
        decoupled_weight_decay=False,
        *,
        maximize=False,
    ):
        options = dict(maximize=maximize, decoupled_weight_decay=decoupled_weight_decay)
        super().__init__(params, lr, betas, eps, weight_decay, **options)
        self.momentum_decay = momentum_decay
        self.product, self.state = 1.0, (*self.state, "product")

    def update(self, theta, g):
        g = self.moments(theta, g)
        mu, ahead = (
            self.betas[0] * (1 - 0.5 * 0.96 ** (t * self.momentum_decay))
            for t in (self.t, self.t + 1)
        )
        self.product *= mu
        mean = (ahead / (1 - self.product * ahead)) * self.m + ((1 - mu) / (1 - self.product)) * g
        theta -= self.rate * mean / (np.sqrt(self.v / (1 - self.betas[1] ** self.t)) + self.eps)


class RAdam(Adam):
    """Adam with its step times r, r² = (ρₜ - 4)(ρₜ - 2) ρ∞ / ((ρ∞ - 4)(ρ∞ - 2) ρₜ), or without the division while ρₜ <= 5.

    ρ∞ = 2 / (1 - β₂) - 1 and ρₜ = ρ∞ - 2 t β₂ᵗ / (1 - β₂ᵗ) count the gradients that v averages over.  Source: Liu et al. 2020.
    """

    def __init__(
        self,
        params,
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0.0,
        decoupled_weight_decay=False,
        *,
        maximize=False,
    ):
        options = dict(maximize=maximize, decoupled_weight_decay=decoupled_weight_decay)
        super().__init__(params, lr, betas, eps, weight_decay, **options)

    def update(self, theta, g):
        self.moments(theta, g)
        unbias1, unbias2 = (1 - b**self.t for b in self.betas)
        most = 2 / (1 - self.betas[1]) - 1
        count = most - 2 * self.t * (1 - unbias2) / unbias2
        step = (self.rate / unbias1) * self.m
        if count > 5:
            r = math.sqrt((count - 4) * (count - 2) * most / ((most - 4) * (most - 2) * count))
            step = step * (r * math.sqrt(unbias2)) / (np.sqrt(self.v) + self.eps)
        theta -= step
