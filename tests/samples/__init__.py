"""The verification table: for every rule, composition and fast twin at least one use of it that is checked."""

from . import algebra, elementwise, functional, reductions, structure
from .case import Sample

__all__ = ["SAMPLES", "Sample"]

SAMPLES = (
    elementwise.SAMPLES
    + reductions.SAMPLES
    + structure.SAMPLES
    + algebra.SAMPLES
    + functional.SAMPLES
)
