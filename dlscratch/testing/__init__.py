"""Is it right? Gradients against finite differences, layers and whole trainings against PyTorch."""

from .gradcheck import (
    against_torch,
    finite_difference,
    gradcheck,
    has_torch,
    relative_error,
    trajectory,
)

__all__ = [
    "against_torch",
    "finite_difference",
    "gradcheck",
    "has_torch",
    "relative_error",
    "trajectory",
]
