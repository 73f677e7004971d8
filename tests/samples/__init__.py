"""The verification table: for every rule, composition and fast twin a use of it."""

from . import algebra, elementwise, functional, reductions, statistics, structure
from .case import Sample

__all__ = ["SAMPLES", "Sample"]

SAMPLES = (
    elementwise.SAMPLES
    + reductions.SAMPLES
    + statistics.SAMPLES
    + structure.SAMPLES
    + algebra.SAMPLES
    + functional.SAMPLES
)
