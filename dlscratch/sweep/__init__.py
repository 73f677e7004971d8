"""Sweeps: a function over a grid of parameters and seeds, on this machine or a cluster."""

from .grid import sweep

__all__ = ["sweep"]
