"""Deep learning from first principles: calculus in plain NumPy, and what a network needs on top."""

from .engine import (
    Tensor,
    checkpoint,
    default_dtype,
    detect_anomaly,
    grad,
    gradients,
    hessian,
    hvp,
    jacobian,
    jvp,
    no_grad,
    value_and_grad,
    vjp,
)

__all__ = [
    "Tensor",
    "no_grad",
    "grad",
    "value_and_grad",
    "gradients",
    "vjp",
    "jvp",
    "hvp",
    "jacobian",
    "hessian",
    "checkpoint",
    "detect_anomaly",
    "default_dtype",
]
