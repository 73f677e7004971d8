"""The derivative table of NumPy. Importing it fills the tables; each file reads like a page of a calculus book."""

from . import constants, elementwise, indexing, linalg, products, reductions, shapes

__all__ = ["constants", "elementwise", "indexing", "linalg", "products", "reductions", "shapes"]
