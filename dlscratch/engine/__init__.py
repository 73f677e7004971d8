"""The engine: differentiation. Calculus written in plain NumPy; this folder imports nothing else.

To read it, go down this list; each file uses only those above it.

- modes.py: the switches `no_grad`, `detect_anomaly`, `default_dtype`.
- operation.py: what an operation is, and the registry of derivatives.
- graph.py: the nodes of the graph, and the backward pass through it.
- hints.py: the repairs that errors name.
- tensor.py: `Tensor`, which records what is done to it.
- custom.py: operations of one's own. recompute.py: `checkpoint`.
- rules/: the derivatives of NumPy's functions. Importing it fills the registry.
- transforms.py: `grad`, `vjp`, `jvp`, `hessian` and their kin.
- memory.py: what helps the processor.
"""

from . import rules
from .custom import CustomOperation, custom_vjp, primitive
from .memory import blocks, keep_freed
from .modes import default_dtype, detect_anomaly, no_grad
from .operation import COMPOSED, CONSTANT, RULES, composed, constant, rule
from .recompute import checkpoint
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
    "CustomOperation",
    "blocks",
    "RULES",
    "COMPOSED",
    "CONSTANT",
    "rules",
]

keep_freed()
