"""Is it right? Gradients against finite differences, layers and whole trainings against PyTorch."""

from .gradcheck import finite_difference, gradcheck, relative_error
from .parity import against_torch, has_torch
from .trajectories import trajectory

__all__ = [
    "against_torch",
    "finite_difference",
    "gradcheck",
    "has_torch",
    "relative_error",
    "trajectory",
]
