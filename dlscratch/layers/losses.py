"""Losses as Modules, under PyTorch's names; the formulas stand in functional/losses/."""

from .. import functional as F
from .function import Function

__all__ = [
    "MSELoss",
    "L1Loss",
    "SmoothL1Loss",
    "HuberLoss",
    "CrossEntropyLoss",
    "NLLLoss",
    "BCELoss",
    "BCEWithLogitsLoss",
    "KLDivLoss",
    "GaussianNLLLoss",
    "PoissonNLLLoss",
    "TripletMarginLoss",
    "CosineEmbeddingLoss",
    "CTCLoss",
]


class MSELoss(Function):
    """L = mean (y - t)².

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> loss = layers.MSELoss()
    >>> print(loss(np.array([1.0, 2.0]), np.array([0.0, 4.0])).round(4))
    2.5
    """

    function = F.mse_loss
    options = "reduction"


class L1Loss(Function):
    """L = mean |y - t|.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> loss = layers.L1Loss()
    >>> print(loss(np.array([1.0, 2.0]), np.array([0.0, 4.0])).round(4))
    1.5
    """

    function = F.l1_loss
    options = "reduction"


class SmoothL1Loss(Function):
    """L = the Huber loss with δ = β, divided by β.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> loss = layers.SmoothL1Loss(beta=0.5)
    >>> print(loss(np.array([0.1, 2.0]), np.array([0.0, 4.0])).round(4))
    0.88
    """

    function = F.smooth_l1_loss
    options = "reduction beta"


class HuberLoss(Function):
    """L = mean of e² / 2 where |e| < δ, else δ (|e| - δ/2), with e = y - t.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> loss = layers.HuberLoss(delta=1.0)
    >>> print(loss(np.array([0.1, 2.0]), np.array([0.0, 4.0])).round(4))
    0.7525
    """

    function = F.huber_loss
    options = "reduction delta"


class CrossEntropyLoss(Function):
    """L = mean of -log softmax(z)[t].

    z: (N, C, ...), t: classes (N, ...) or probabilities (N, C, ...).

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> loss = layers.CrossEntropyLoss(label_smoothing=0.1)
    >>> print(loss(np.array([[0.0, 1.0]]), np.array([1])).round(4))
    0.3633
    """

    function = F.cross_entropy
    options = "weight ignore_index reduction label_smoothing"


class NLLLoss(Function):
    """L = mean of -log p[t].

    log p: (N, C, ...), t: (N, ...).

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> loss = layers.NLLLoss()
    >>> print(loss(np.log([[0.25, 0.75]]), np.array([1])).round(4))
    0.2877
    """

    function = F.nll_loss
    options = "weight ignore_index reduction"


class BCELoss(Function):
    """L = mean of -t log p - (1 - t) log(1 - p).

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> loss = layers.BCELoss()
    >>> print(loss(np.array([0.75]), np.array([1.0])).round(4))
    0.2877
    """

    function = F.binary_cross_entropy
    options = "weight reduction"


class BCEWithLogitsLoss(Function):
    """L = mean of -t log σ(z) - (1 - t) log(1 - σ(z)).

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> loss = layers.BCEWithLogitsLoss()
    >>> print(loss(np.array([0.0, 3.0]), np.array([1.0, 1.0])).round(4))
    0.3709
    """

    function = F.binary_cross_entropy_with_logits
    options = "weight reduction pos_weight"


class KLDivLoss(Function):
    """L = mean of t (log t - y), y being log-probabilities.

    reduction="batchmean" gives the divergence.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> loss = layers.KLDivLoss(reduction="batchmean")
    >>> print(loss(np.log([[0.5, 0.5]]), np.array([[0.25, 0.75]])).round(4))
    0.1308
    """

    function = F.kl_div
    options = "reduction log_target"


class GaussianNLLLoss(Function):
    """L = mean of (log v + (y - t)² / v) / 2; called with (y, t, v).

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> loss = layers.GaussianNLLLoss()
    >>> print(loss(np.array([1.0]), np.array([3.0]), np.array([4.0])).round(4))
    1.1931
    """

    function = F.gaussian_nll_loss
    options = "full eps reduction"


class PoissonNLLLoss(Function):
    """L = mean of exp(y) - t y.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> loss = layers.PoissonNLLLoss()
    >>> print(loss(np.array([0.0]), np.array([2.0])).round(4))
    1.0
    """

    function = F.poisson_nll_loss
    options = "log_input full eps reduction"


class TripletMarginLoss(Function):
    """L = mean max(0, |a - positive| - |a - negative| + margin).

    Called with (a, positive, negative).

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> loss = layers.TripletMarginLoss()
    >>> print(loss(np.zeros((1, 2)), np.array([[1.0, 0.0]]), np.array([[0.0, 1.5]])).round(4))
    0.5
    """

    function = F.triplet_margin_loss
    options = "margin p eps swap reduction"


class CosineEmbeddingLoss(Function):
    """L = mean of 1 - c where t = 1, max(0, c - margin) where t = -1, c = cos(a, b).

    Called with (a, b, t).

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> loss = layers.CosineEmbeddingLoss()
    >>> print(loss(np.array([[1.0, 0.0]]), np.array([[1.0, 1.0]]), np.array([1])).round(4))
    0.2929
    """

    function = F.cosine_embedding_loss
    options = "margin reduction"


class CTCLoss(Function):
    """L = -log of the probability of all paths that read as the targets.

    Called with (log_probs, targets, input_lengths, target_lengths).

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> log_p = np.log(np.full((3, 1, 2), 0.5))  # three steps; a blank or the letter 1
    >>> loss = layers.CTCLoss()
    >>> print(loss(log_p, np.array([[1]]), np.array([3]), np.array([1])).round(4))  # 6 paths of 8
    0.2877
    """

    function = F.ctc_loss
    options = "blank reduction zero_infinity"
