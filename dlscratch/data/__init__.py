"""Data: sets inside installed packages, sets to download, and sets with known truth.

Text, augmentations, arrays on disk, batches. `digits` is the one to begin with: real, small,
and there without a download.
"""

from . import memmap
from .augment import cutmix, cutout, mixup, random_crop, random_flip, random_shift
from .batches import batches
from .downloads import cifar10, fashion_mnist, mnist, tiny_shakespeare
from .embedded import digits, mnist1d, photograph, table
from .formats import read_cifar10, read_idx
from .holding import hold_symbol
from .language import REBER, Grammar, markov, reber
from .scenes import SHAPES, Scenes, scenes
from .split import Split, split
from .synthetic import (
    correlated_gaussians,
    modular_arithmetic,
    planted_graphs,
    sparse_parity,
    teacher_student,
)
from .text import BPETokenizer, CharTokenizer
from .toys import Toy, blobs, circles, moons, spirals, xor

__all__ = [
    "Split",
    "split",
    "digits",
    "mnist1d",
    "table",
    "photograph",
    "Toy",
    "moons",
    "circles",
    "spirals",
    "xor",
    "blobs",
    "batches",
    "mnist",
    "fashion_mnist",
    "cifar10",
    "tiny_shakespeare",
    "read_idx",
    "read_cifar10",
    "teacher_student",
    "sparse_parity",
    "modular_arithmetic",
    "planted_graphs",
    "correlated_gaussians",
    "hold_symbol",
    "Grammar",
    "markov",
    "reber",
    "REBER",
    "Scenes",
    "scenes",
    "SHAPES",
    "CharTokenizer",
    "BPETokenizer",
    "memmap",
    "random_crop",
    "random_shift",
    "random_flip",
    "cutout",
    "mixup",
    "cutmix",
]
