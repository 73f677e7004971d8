"""Losses as Modules, under PyTorch's names; the formulas stand in functional/."""

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
    """L = mean (y - t)²."""

    function, options = F.mse_loss, "reduction"


class L1Loss(Function):
    """L = mean |y - t|."""

    function, options = F.l1_loss, "reduction"


class SmoothL1Loss(Function):
    """L = the Huber loss with δ = β, divided by β."""

    function, options = F.smooth_l1_loss, "reduction beta"


class HuberLoss(Function):
    """L = mean of e² / 2 where |e| < δ, else δ (|e| - δ/2)."""

    function, options = F.huber_loss, "reduction delta"


class CrossEntropyLoss(Function):
    """L = mean of -log softmax(z)[t].  z: (N, C, ...), t: (N, ...) or probabilities (N, C, ...)."""

    function, options = F.cross_entropy, "weight ignore_index reduction label_smoothing"


class NLLLoss(Function):
    """L = mean of -log p[t].  log p: (N, C, ...), t: (N, ...)."""

    function, options = F.nll_loss, "weight ignore_index reduction"


class BCELoss(Function):
    """L = mean of -t log p - (1 - t) log(1 - p)."""

    function, options = F.binary_cross_entropy, "weight reduction"


class BCEWithLogitsLoss(Function):
    """L = mean of log(1 + exp z) - z t."""

    function, options = F.binary_cross_entropy_with_logits, "weight reduction pos_weight"


class KLDivLoss(Function):
    """L = mean of t (log t - y), y being log-probabilities; reduction="batchmean" gives the divergence."""

    function, options = F.kl_div, "reduction log_target"


class GaussianNLLLoss(Function):
    """L = mean of (log v + (y - t)² / v) / 2; called with (y, t, v)."""

    function, options = F.gaussian_nll_loss, "full eps reduction"


class PoissonNLLLoss(Function):
    """L = mean of exp(y) - t y."""

    function, options = F.poisson_nll_loss, "log_input full eps reduction"


class TripletMarginLoss(Function):
    """L = mean max(0, |a - positive| - |a - negative| + margin); called with (a, positive, negative)."""

    function, options = F.triplet_margin_loss, "margin p eps swap reduction"


class CosineEmbeddingLoss(Function):
    """L = mean of 1 - cos(a, b) where t = 1, max(0, cos(a, b) - margin) where t = -1; called with (a, b, t)."""

    function, options = F.cosine_embedding_loss, "margin reduction"


class CTCLoss(Function):
    """L = -log of the probability of all paths that read as the targets; called with (log_probs, targets, two lengths)."""

    function, options = F.ctc_loss, "blank reduction zero_infinity"
