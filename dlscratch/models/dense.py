"""Models of affine maps alone."""

import numpy as np

from .. import functional as F
from ..layers import Linear, Module, ReLU, Sequential

__all__ = ["MLP", "VAE"]


class MLP(Sequential):
    """Linear layers with an activation between each two.  x: (N, sizes[0]) → (N, sizes[-1]). Source: Rumelhart et al. 1986.

    Raises ValueError for fewer than two sizes.
    """

    def __init__(self, sizes, activation=ReLU, *, rng=None):
        if len(sizes) < 2:
            raise ValueError(
                f"MLP({list(sizes)}): want at least two sizes, those of input and output"
            )
        rng, parts = np.random.default_rng(rng), []
        for n, m in zip(sizes, sizes[1:]):
            parts += [Linear(n, m, rng=rng), activation()]
        super().__init__(*parts[:-1])


class VAE(Module):
    """A latent-variable model z ~ N(0, 1), x | z ~ Bernoulli(σ(decoder(z))), with q(z | x) = N(mean, exp(log_var)) from the encoder.

    x: (N, inputs) in [0, 1] → logits (N, inputs), mean and log_var (N, latent). Source: Kingma & Welling 2014.
    """

    def __init__(self, inputs, latent, hidden, *, rng=None):
        rng = np.random.default_rng(rng)
        self.encoder = MLP([inputs, hidden, 2 * latent], rng=rng)
        self.decoder = MLP([latent, hidden, inputs], rng=rng)

    def forward(self, x, rng):
        """(logits, mean, log_var) of x, through one z = mean + exp(log_var / 2) ε with ε drawn by `rng`."""
        mean, log_var = np.split(self.encoder(x), 2, axis=-1)
        noise = np.random.default_rng(rng).standard_normal(mean.shape).astype(mean.dtype)
        return self.decoder(mean + np.exp(0.5 * log_var) * noise), mean, log_var

    @staticmethod
    def kl(mean, log_var):
        """KL(q(z | x) ‖ N(0, 1)) = Σ_j (mean_j² + exp(log_var_j) - 1 - log_var_j) / 2, for each example.  (N, latent) → (N,)."""
        return 0.5 * np.sum(np.square(mean) + np.exp(log_var) - 1 - log_var, axis=-1)

    def loss(self, x, rng):
        """-ELBO = -log p(x | z) + KL(q(z | x) ‖ p(z)), the mean over the examples, in nats; z is drawn by `rng`."""
        logits, mean, log_var = self(x, rng)
        errors = F.binary_cross_entropy_with_logits(logits, x, reduction="none")
        return np.mean(np.sum(errors, axis=-1) + self.kl(mean, log_var))
