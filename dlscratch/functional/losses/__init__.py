"""Losses: how wrong an output is, as one number, or with reduction="none" one for each part."""

from .classification import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    focal_loss,
    nll_loss,
)
from .contrastive import cosine_embedding_loss, info_nce, triplet_margin_loss
from .ctc import ctc_loss
from .likelihood import gaussian_nll_loss, kl_div, poisson_nll_loss
from .regression import (
    hinge_loss,
    huber_loss,
    l1_loss,
    mse_loss,
    quantile_loss,
    smooth_l1_loss,
)

__all__ = [
    "mse_loss",
    "l1_loss",
    "smooth_l1_loss",
    "huber_loss",
    "quantile_loss",
    "hinge_loss",
    "cross_entropy",
    "nll_loss",
    "focal_loss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "gaussian_nll_loss",
    "poisson_nll_loss",
    "kl_div",
    "triplet_margin_loss",
    "cosine_embedding_loss",
    "info_nce",
    "ctc_loss",
]
