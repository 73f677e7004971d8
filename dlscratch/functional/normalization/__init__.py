"""Normalization: subtract a mean, divide by a deviation or a length; scale and shift."""

from .batch_norms import batch_norm
from .layer_norms import group_norm, instance_norm, layer_norm, rms_norm
from .lengths import cosine_similarity, normalize, spectral_norm, weight_norm

__all__ = [
    "layer_norm",
    "rms_norm",
    "group_norm",
    "instance_norm",
    "batch_norm",
    "weight_norm",
    "spectral_norm",
    "normalize",
    "cosine_similarity",
]
