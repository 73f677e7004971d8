"""The derivative table of NumPy. Importing it fills the registry.

Each file is a page of a calculus book: one idea, and one function a line.
"""

from . import (
    choices,
    constants,
    copies,
    cumulative,
    diagonals,
    einsum,
    elementwise,
    factorizations,
    guarded,
    indexing,
    inverses,
    joining,
    logspace,
    missing,
    norms,
    order,
    padding,
    powers,
    precision,
    products,
    reductions,
    shapes,
    signals,
    windows,
)

__all__ = [
    "choices",
    "constants",
    "copies",
    "cumulative",
    "diagonals",
    "einsum",
    "elementwise",
    "factorizations",
    "guarded",
    "indexing",
    "inverses",
    "joining",
    "logspace",
    "missing",
    "norms",
    "order",
    "padding",
    "powers",
    "precision",
    "products",
    "reductions",
    "shapes",
    "signals",
    "windows",
]

guarded.guard_elementwise()
