"""Floor 1: differentiation. Calculus written in plain NumPy; this floor imports nothing else."""

from . import operators, rules
from .custom import checkpoint, custom_vjp, primitive
from .memory import blocks, keep_freed
from .modes import default_dtype, detect_anomaly, no_grad
from .operation import COMPOSED, CONSTANT, RULES, composed, constant, rule
from .tensor import Array, Tensor
from .transforms import grad, gradients, hessian, hvp, jacobian, jvp, value_and_grad, vjp

__all__ = [
    "Array",
    "Tensor",
    "no_grad",
    "detect_anomaly",
    "default_dtype",
    "grad",
    "value_and_grad",
    "gradients",
    "vjp",
    "jvp",
    "hvp",
    "jacobian",
    "hessian",
    "checkpoint",
    "rule",
    "composed",
    "constant",
    "primitive",
    "custom_vjp",
    "blocks",
    "RULES",
    "COMPOSED",
    "CONSTANT",
    "rules",
    "operators",
]

keep_freed()
