"""Data that needs no network: real sets inside installed packages, synthetic sets with known truth, and batches."""

from .batches import batches
from .embedded import digits, mnist1d, photograph, table
from .split import Split, split
from .toys import Toy, blobs, circles, moons, spirals, xor

__all__ = [
    "Split", "split", "digits", "mnist1d", "table", "photograph",
    "Toy", "moons", "circles", "spirals", "xor", "blobs", "batches",
]  # fmt: skip
