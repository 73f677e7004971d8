"""The losses by their short names; definitions and gradients stand in functional/losses.py."""

from .functional.losses import binary_cross_entropy_with_logits as bce_with_logits
from .functional.losses import cross_entropy
from .functional.losses import mse_loss as mse

__all__ = ["mse", "cross_entropy", "bce_with_logits"]
