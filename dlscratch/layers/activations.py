"""Activation functions and dropout as Modules, to stand in a Sequential."""

import numpy as np

from .. import functional as F
from ..engine import Array, default_dtype
from .function import Function
from .module import Module
from .parameters import Parameter

__all__ = [
    "ReLU",
    "LeakyReLU",
    "PReLU",
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
    """y = max(x, 0).

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layers.ReLU()(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    function = F.relu


class LeakyReLU(Function):
    """y = x for x > 0, else negative_slope · x.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layers.LeakyReLU(0.1)(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-0.1,  0. ,  2. ])
    """

    function = F.leaky_relu
    options = "negative_slope"


class PReLU(Module):
    """y = x for x > 0, else a x, with a learned slope a for each channel, or one for all.

    Parameters
    ----------
    num_parameters : 1, or the number of channels C of inputs (N, C, ...)
    init : what the slopes, `weight`, begin with

    Source: He et al. 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layers.PReLU()(np.array([-1.0, 2.0], "float32")).data
    array([-0.25,  2.  ], dtype=float32)
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25):
        self.num_parameters = num_parameters
        self.weight = Parameter(np.full(num_parameters, init, default_dtype()))

    def forward(self, x: Array) -> Array:
        return F.prelu(x, self.weight)


class ELU(Function):
    """y = x for x > 0, else α (exp(x) - 1).

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layers.ELU()(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-0.6321,  0.    ,  2.    ])
    """

    function = F.elu
    options = "alpha"


class SELU(Function):
    """y = λ elu(x, α), which keeps mean 0 and variance 1.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layers.SELU()(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-1.1113,  0.    ,  2.1014])
    """

    function = F.selu


class GELU(Function):
    """y = x Φ(x), exact or, with approximate="tanh", by the tanh formula.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layers.GELU()(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-0.1587,  0.    ,  1.9545])
    """

    function = F.gelu
    options = "approximate"


class SiLU(Function):
    """y = x σ(x).

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layers.SiLU()(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-0.2689,  0.    ,  1.7616])
    """

    function = F.silu


class Mish(Function):
    """y = x tanh(log(1 + exp x)).

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layers.Mish()(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-0.3034,  0.    ,  1.944 ])
    """

    function = F.mish


class Softplus(Function):
    """y = log(1 + exp(β x)) / β, and x itself where β x > threshold.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layers.Softplus()(np.array([-1.0, 0.0, 2.0])).round(4)
    array([0.3133, 0.6931, 2.1269])
    """

    function = F.softplus
    options = "beta threshold"


class Hardtanh(Function):
    """y = min(max(x, min_val), max_val).

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layers.Hardtanh()(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-1.,  0.,  1.])
    """

    function = F.hardtanh
    options = "min_val max_val"


class Sigmoid(Function):
    """y = 1 / (1 + exp(-x)).

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layers.Sigmoid()(np.array([-1.0, 0.0, 2.0])).round(4)
    array([0.2689, 0.5   , 0.8808])
    """

    function = F.sigmoid


class Tanh(Function):
    """y = tanh x.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layers.Tanh()(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-0.7616,  0.    ,  0.964 ])
    """

    function = np.tanh


class LogSigmoid(Function):
    """y = log σ(x).

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layers.LogSigmoid()(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-1.3133, -0.6931, -0.1269])
    """

    function = F.logsigmoid


class GLU(Function):
    """y = a σ(b), a and b being the halves of x.

    x: (..., 2 D) → (..., D).

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layers.GLU()(np.array([3.0, 0.0])).round(4)
    array([1.5])
    """

    function = F.glu
    options = "axis"


class Softmax(Function):
    """y = exp(x) / Σ exp(x) along `axis`; the last one unless given.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layers.Softmax()(np.array([-1.0, 0.0, 2.0])).round(4)
    array([0.042 , 0.1142, 0.8438])
    """

    function = F.softmax
    options = "axis"


class LogSoftmax(Function):
    """y = x - log Σ exp(x) along `axis`; the last one unless given.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layers.LogSoftmax()(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-3.1698, -2.1698, -0.1698])
    """

    function = F.log_softmax
    options = "axis"


class Dropout(Module):
    """While training, y = x m / (1 - p), with m = 0 with probability p, else 1.

    In evaluation y = x. `rng`, a seed or a generator, draws the masks. Raises ValueError unless 0
    <= p <= 1.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layers.Dropout(0.5, rng=0)(np.ones(6))
    array([2., 2., 2., 0., 0., 0.])
    """

    function = F.dropout

    def __init__(self, p: float = 0.5, *, rng: np.random.Generator | int | None = None):
        if not 0 <= p <= 1:
            raise ValueError(f"{type(self).__name__}(p={p}): want 0 <= p <= 1")
        self.p = float(p)
        self.rng = np.random.default_rng(rng)

    def forward(self, x: Array) -> Array:
        return type(self).function(x, self.p, self.training, rng=self.rng)


class AlphaDropout(Dropout):
    """Dropout for SELU networks, which keeps mean 0 and variance 1.

    What is dropped takes selu's lowest value.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layers.AlphaDropout(0.5, rng=0)(np.zeros(4)).round(4)
    array([ 0.7792,  0.7792,  0.7792, -0.7792])
    """

    function = F.alpha_dropout


class DropPath(Dropout):
    """Dropout of a whole residual branch, for each example (stochastic depth).

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layers.DropPath(0.5, rng=0)(np.ones((4, 2)))
    array([[2., 2.],
           [2., 2.],
           [2., 2.],
           [0., 0.]])
    """

    function = F.drop_path
