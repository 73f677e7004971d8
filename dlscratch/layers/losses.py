"""Losses as Modules, under PyTorch's names; the formulas stand in functional/."""

from .. import functional as F
from .function import Function

__all__ = [
    "MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "CrossEntropyLoss", "NLLLoss", "BCELoss", "BCEWithLogitsLoss", "KLDivLoss",
    "GaussianNLLLoss", "PoissonNLLLoss", "TripletMarginLoss", "CosineEmbeddingLoss", "CTCLoss",
]  # fmt: skip


class MSELoss(Function):
    """L = mean (y - t)²."""

    function, defaults = F.mse_loss, {"reduction": "mean"}


class L1Loss(Function):
    """L = mean |y - t|."""

    function, defaults = F.l1_loss, {"reduction": "mean"}


class SmoothL1Loss(Function):
    """L = the Huber loss with δ = β, divided by β."""

    function, defaults = F.smooth_l1_loss, {"reduction": "mean", "beta": 1.0}


class HuberLoss(Function):
    """L = mean of e² / 2 where |e| < δ, else δ (|e| - δ/2)."""

    function, defaults = F.huber_loss, {"reduction": "mean", "delta": 1.0}


class CrossEntropyLoss(Function):
    """L = mean of -log softmax(z)[t].  z: (N, C, ...), t: (N, ...) or probabilities (N, C, ...)."""

    function = F.cross_entropy
    defaults = {"weight": None, "ignore_index": -100, "reduction": "mean", "label_smoothing": 0.0}


class NLLLoss(Function):
    """L = mean of -log p[t].  log p: (N, C, ...), t: (N, ...)."""

    function, defaults = F.nll_loss, {"weight": None, "ignore_index": -100, "reduction": "mean"}


class BCELoss(Function):
    """L = mean of -t log p - (1 - t) log(1 - p)."""

    function, defaults = F.binary_cross_entropy, {"weight": None, "reduction": "mean"}


class BCEWithLogitsLoss(Function):
    """L = mean of log(1 + exp z) - z t."""

    function, defaults = F.binary_cross_entropy_with_logits, {"weight": None, "reduction": "mean", "pos_weight": None}


class KLDivLoss(Function):
    """L = mean of t (log t - y), y being log-probabilities; reduction="batchmean" gives the divergence."""

    function, defaults = F.kl_div, {"reduction": "mean", "log_target": False}


class GaussianNLLLoss(Function):
    """L = mean of (log v + (y - t)² / v) / 2; called with (y, t, v)."""

    function, defaults = F.gaussian_nll_loss, {"full": False, "eps": 1e-6, "reduction": "mean"}


class PoissonNLLLoss(Function):
    """L = mean of exp(y) - t y."""

    function, defaults = F.poisson_nll_loss, {"log_input": True, "full": False, "eps": 1e-8, "reduction": "mean"}


class TripletMarginLoss(Function):
    """L = mean max(0, |a - positive| - |a - negative| + margin); called with (a, positive, negative)."""

    function, defaults = F.triplet_margin_loss, {"margin": 1.0, "p": 2.0, "eps": 1e-6, "reduction": "mean"}


class CosineEmbeddingLoss(Function):
    """L = mean of 1 - cos(a, b) where t = 1, max(0, cos(a, b) - margin) where t = -1; called with (a, b, t)."""

    function, defaults = F.cosine_embedding_loss, {"margin": 0.0, "reduction": "mean"}


class CTCLoss(Function):
    """L = -log of the probability of all paths that read as the targets; called with (log_probs, targets, two lengths)."""

    function, defaults = F.ctc_loss, {"blank": 0, "reduction": "mean", "zero_infinity": False}
