"""Lion: of the momentum, the sign alone."""

from collections.abc import Iterable

import numpy as np

from ..layers.parameters import Parameter
from .base import Optimizer, check_fractions, shrink

__all__ = ["Lion"]


class Lion(Optimizer):
    """theta ← theta - lr (sign(β₁ m + (1 - β₁) g) + λ theta), then m ← β₂ m + (1 - β₂) g.

    Each entry moves by ±lr.

    Source: Chen et al., Symbolic discovery of optimization algorithms, 2023.

    Parameters
    ----------
    params : model.parameters(), or groups: see `Optimizer`
    lr : the learning rate, about a tenth of Adam's
    betas : β₁ and β₂
    weight_decay : λ

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> w = layers.Parameter(np.array([1.0, 2.0]))
    >>> optimizer = Lion([w], lr=0.1)
    >>> np.sum(w * w).backward()
    >>> optimizer.step()
    >>> w.data
    array([0.9, 1.9])
    """

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[dict],
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ):
        super().__init__(params, lr=lr, betas=betas, weight_decay=weight_decay)

    def check(self, options):
        super().check(options)
        check_fractions(self, "betas", options["betas"])

    def remembers(self, shape, options):
        return {"m": shape}

    def update(self, theta, g, m, *, t, lr, betas, weight_decay):
        b1, b2 = betas
        shrink(theta, lr, weight_decay)
        theta -= lr * np.sign(m + (1 - b1) * (g - m))
        m += (1 - b2) * (g - m)
