"""Stochastic gradient descent, with momentum."""

from collections.abc import Iterable

from ..layers.parameters import Parameter
from .base import Optimizer, decayed

__all__ = ["SGD"]


class SGD(Optimizer):
    """theta ← theta - lr v, with v ← momentum v + (1 - dampening) g.

    Without momentum v = g. At the first step v = g, as in PyTorch.  Source: Polyak 1964; Nesterov
    1983.

    Parameters
    ----------
    params : model.parameters(), or groups: see `Optimizer`
    lr : the learning rate
    momentum : how much of v stays
    dampening : how much of g is left out of v
    weight_decay : λ, which adds λ theta to g
    nesterov : whether the step is g + momentum v, in place of v
    maximize : whether to climb, in place of to descend

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> w = layers.Parameter(np.array([1.0, 2.0]))
    >>> optimizer = SGD([w], lr=0.1, momentum=0.9)
    >>> for _ in range(2):
    ...     optimizer.zero_grad()
    ...     np.sum(w * w).backward()
    ...     optimizer.step()
    >>> w.data.round(2)
    array([0.46, 0.92])
    """

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[dict],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ):
        super().__init__(
            params,
            lr=lr,
            momentum=momentum,
            dampening=dampening,
            weight_decay=weight_decay,
            nesterov=nesterov,
            maximize=maximize,
        )

    def check(self, options):
        super().check(options)
        momentum = options["momentum"]
        dampening = options["dampening"]
        if not momentum >= 0:
            raise ValueError(f"SGD: expected momentum >= 0, got momentum={momentum}")
        if options["nesterov"] and (momentum == 0 or dampening != 0):
            raise ValueError(
                "SGD: nesterov wants momentum > 0 and dampening = 0, "
                f"got {momentum} and {dampening}"
            )

    def remembers(self, shape, options):
        return {"v": shape} if options["momentum"] else {}

    def update(self, theta, g, v=None, *, t, lr, momentum, dampening, weight_decay, nesterov):
        g = decayed(g, theta, weight_decay)
        if momentum:
            v *= momentum
            v += g if t == 1 else (1 - dampening) * g
            g = g + momentum * v if nesterov else v
        theta -= lr * g
