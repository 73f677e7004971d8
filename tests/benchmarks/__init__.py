"""The race with PyTorch and its peers, and the work of a step, counted."""

__all__ = []
