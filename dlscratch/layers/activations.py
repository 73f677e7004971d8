"""Activation functions and dropout as Modules, to stand in a Sequential."""

import numpy as np

from .. import functional as F
from .function import Function
from .module import Module

__all__ = [
    "ReLU",
    "LeakyReLU",
    "ELU",
    "SELU",
    "GELU",
    "SiLU",
    "Mish",
    "Softplus",
    "Hardtanh",
    "Sigmoid",
    "Tanh",
    "LogSigmoid",
    "GLU",
    "Softmax",
    "LogSoftmax",
    "Dropout",
    "AlphaDropout",
    "DropPath",
]


class ReLU(Function):
    """y = max(x, 0)."""

    function = F.relu


class LeakyReLU(Function):
    """y = x for x > 0, else negative_slope · x."""

    function, options = F.leaky_relu, "negative_slope"


class ELU(Function):
    """y = x for x > 0, else α (exp(x) - 1)."""

    function, options = F.elu, "alpha"


class SELU(Function):
    """y = λ elu(x, α), which keeps mean 0 and variance 1."""

    function = F.selu


class GELU(Function):
    """y = x Φ(x), exact or, with approximate="tanh", by the tanh formula."""

    function, options = F.gelu, "approximate"


class SiLU(Function):
    """y = x σ(x)."""

    function = F.silu


class Mish(Function):
    """y = x tanh(log(1 + exp x))."""

    function = F.mish


class Softplus(Function):
    """y = log(1 + exp(β x)) / β, and x itself where β x > threshold."""

    function, options = F.softplus, "beta threshold"


class Hardtanh(Function):
    """y = min(max(x, min_val), max_val)."""

    function, options = F.hardtanh, "min_val max_val"


class Sigmoid(Function):
    """y = 1 / (1 + exp(-x))."""

    function = F.sigmoid


class Tanh(Function):
    """y = tanh x."""

    function = np.tanh


class LogSigmoid(Function):
    """y = log σ(x)."""

    function = F.logsigmoid


class GLU(Function):
    """y = a σ(b), a and b being the halves of x.  x: (..., 2 D) → (..., D)."""

    function, options = F.glu, "axis"


class Softmax(Function):
    """y = exp(x) / Σ exp(x) along `axis`; the last one unless given."""

    function, options = F.softmax, "axis"


class LogSoftmax(Function):
    """y = x - log Σ exp(x) along `axis`; the last one unless given."""

    function, options = F.log_softmax, "axis"


class Dropout(Module):
    """While training, y = x m / (1 - p) with m = 0 with probability p; in evaluation y = x. `rng` draws the masks."""

    function = F.dropout

    def __init__(self, p=0.5, *, rng=None):
        if not 0 <= p <= 1:
            raise ValueError(f"{type(self).__name__}(p={p}): want 0 <= p <= 1")
        self.p, self.rng = p, np.random.default_rng(rng)

    def forward(self, x):
        return type(self).function(x, self.p, self.training, rng=self.rng)


class AlphaDropout(Dropout):
    """Dropout for SELU networks: what is dropped takes selu's lowest value, and mean 0 and variance 1 stay."""

    function = F.alpha_dropout


class DropPath(Dropout):
    """Dropout of a whole residual branch, for each example (stochastic depth)."""

    function = F.drop_path
