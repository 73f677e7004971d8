"""The losses by their short names; definitions and gradients stand in functional/{losses,regression,ctc}.py."""

from .functional import binary_cross_entropy, cross_entropy, info_nce, kl_div
from .functional import binary_cross_entropy_with_logits as bce_with_logits
from .functional import cosine_embedding_loss as cosine_embedding
from .functional import ctc_loss as ctc
from .functional import focal_loss as focal
from .functional import gaussian_nll_loss as gaussian_nll
from .functional import hinge_loss as hinge
from .functional import huber_loss as huber
from .functional import l1_loss as l1
from .functional import mse_loss as mse
from .functional import nll_loss as nll
from .functional import poisson_nll_loss as poisson_nll
from .functional import quantile_loss as quantile
from .functional import smooth_l1_loss as smooth_l1
from .functional import triplet_margin_loss as triplet

__all__ = [
    "mse",
    "l1",
    "smooth_l1",
    "huber",
    "cross_entropy",
    "nll",
    "binary_cross_entropy",
    "bce_with_logits",
    "kl_div",
    "gaussian_nll",
    "poisson_nll",
    "hinge",
    "triplet",
    "cosine_embedding",
    "focal",
    "quantile",
    "ctc",
    "info_nce",
]
