"""Models of affine maps alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .. import functional as F
from ..engine import Array
from ..layers import Linear, Module, ReLU, Sequential

__all__ = ["MLP", "VAE"]


class MLP(Sequential):
    """Linear layers with an activation between each two: (N, sizes[0]) → (N, sizes[-1]).

    Raises ValueError for fewer than two sizes. Source: Rumelhart et al. 1986.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch.layers import Tanh
    >>> from dlscratch.models import MLP
    >>> model = MLP([784, 32, 10], Tanh, rng=0)
    >>> model
    MLP(
      (0): Linear(784→32)
      (1): Tanh()
      (2): Linear(32→10)
    )
    >>> model(np.ones((5, 784), "float32")).shape
    (5, 10)
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: Callable[[], Module] = ReLU,
        *,
        rng: np.random.Generator | int | None = None,
    ):
        if len(sizes) < 2:
            raise ValueError(
                f"MLP({list(sizes)}): want at least two sizes, those of input and output"
            )
        rng = np.random.default_rng(rng)
        layers = [Linear(sizes[0], sizes[1], rng=rng)]
        for inputs, outputs in zip(sizes[1:], sizes[2:], strict=False):
            layers.append(activation())
            layers.append(Linear(inputs, outputs, rng=rng))
        super().__init__(*layers)


class VAE(Module):
    """A latent-variable model: z ~ N(0, 1), and x | z ~ Bernoulli(σ(decoder(z))).

    The encoder gives q(z | x) = N(mean, exp(log_var)). x: (N, inputs) in [0, 1] → logits
    (N, inputs), mean and log_var (N, latent). Source: Kingma & Welling 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch.models import VAE
    >>> model = VAE(inputs=12, latent=2, hidden=16, rng=0)
    >>> logits, mean, log_var = model(np.ones((5, 12), "float32"), rng=1)
    >>> logits.shape, mean.shape
    ((5, 12), (5, 2))
    """

    def __init__(
        self,
        inputs: int,
        latent: int,
        hidden: int,
        *,
        rng: np.random.Generator | int | None = None,
    ):
        rng = np.random.default_rng(rng)
        self.encoder = MLP([inputs, hidden, 2 * latent], rng=rng)
        self.decoder = MLP([latent, hidden, inputs], rng=rng)

    def forward(
        self, x: Array, rng: np.random.Generator | int | None
    ) -> tuple[Array, Array, Array]:
        """(logits, mean, log_var) of x, through z = mean + exp(log_var / 2) ε; `rng` draws ε."""
        mean, log_var = np.split(self.encoder(x), 2, axis=-1)  # each (N, latent)
        noise = np.random.default_rng(rng).standard_normal(mean.shape).astype(mean.dtype)
        z = mean + np.exp(0.5 * log_var) * noise  # (N, latent)
        return self.decoder(z), mean, log_var

    @staticmethod
    def kl(mean: Array, log_var: Array) -> Array:
        """KL(q(z | x) ‖ N(0, 1)) of each example: (N, latent) → (N,).

        It is Σ_j (mean_j² + exp(log_var_j) - 1 - log_var_j) / 2.
        """
        return 0.5 * np.sum(np.square(mean) + np.exp(log_var) - 1 - log_var, axis=-1)

    def loss(self, x: Array, rng: np.random.Generator | int | None) -> Array:
        """-ELBO = -log p(x | z) + KL(q(z | x) ‖ p(z)) in nats, the mean over the examples.

        `rng` draws z.
        """
        logits, mean, log_var = self(x, rng)
        errors = F.binary_cross_entropy_with_logits(logits, x, reduction="none")  # (N, inputs)
        return np.mean(np.sum(errors, axis=-1) + self.kl(mean, log_var))
