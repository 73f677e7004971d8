"""The race with PyTorch and its peers, and the work of a step, counted: what keeps the package fast."""

__all__ = []
