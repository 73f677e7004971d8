"""What deep learning needs and NumPy lacks. Each fast operation stands beside the textbook definition that it must equal."""

from .activations import (
    elu, gelu, glu, gumbel_softmax, hardtanh, leaky_relu, log_softmax, logsigmoid, mish, relu, selu, sigmoid, silu, softmax, softplus, tanh,
)  # fmt: skip
from .attention import scaled_dot_product_attention, tiled_attention
from .convolution import conv1d, conv2d, conv_transpose1d, conv_transpose2d
from .ctc import ctc_loss
from .dropout import alpha_dropout, drop_path, dropout
from .folding import fold, unfold
from .linear import embedding, linear, one_hot
from .losses import binary_cross_entropy, binary_cross_entropy_with_logits, cross_entropy, focal_loss, info_nce, nll_loss
from .normalization import (
    batch_norm, cosine_similarity, group_norm, instance_norm, layer_norm, normalize, rms_norm, spectral_norm, weight_norm,
)  # fmt: skip
from .pooling import adaptive_avg_pool2d, avg_pool1d, avg_pool2d, max_pool1d, max_pool2d
from .positions import alibi, rotary, sinusoidal
from .recurrent import gru, lstm, rnn
from .regression import (
    cosine_embedding_loss, gaussian_nll_loss, hinge_loss, huber_loss, kl_div, l1_loss, mse_loss, poisson_nll_loss, quantile_loss,
    smooth_l1_loss, triplet_margin_loss,
)  # fmt: skip
from .resampling import interpolate, pad, pixel_shuffle

__all__ = [
    "relu", "sigmoid", "tanh", "gelu", "softmax", "log_softmax", "linear", "conv2d", "max_pool2d", "dropout",
    "layer_norm", "batch_norm", "mse_loss", "cross_entropy", "binary_cross_entropy_with_logits",
    "conv1d", "conv_transpose1d", "conv_transpose2d", "unfold", "fold", "max_pool1d", "avg_pool1d", "avg_pool2d",
    "adaptive_avg_pool2d", "interpolate", "pixel_shuffle", "pad",
    "leaky_relu", "elu", "selu", "silu", "mish", "softplus", "hardtanh", "logsigmoid", "glu", "gumbel_softmax", "embedding", "one_hot",
    "instance_norm", "group_norm", "rms_norm", "weight_norm", "spectral_norm", "normalize", "cosine_similarity",
    "alpha_dropout", "drop_path", "l1_loss", "smooth_l1_loss", "huber_loss", "quantile_loss", "gaussian_nll_loss", "poisson_nll_loss",
    "kl_div", "hinge_loss", "triplet_margin_loss", "cosine_embedding_loss", "nll_loss", "focal_loss", "binary_cross_entropy",
    "info_nce", "ctc_loss",
    "rnn", "lstm", "gru",
    "scaled_dot_product_attention", "tiled_attention", "rotary", "alibi", "sinusoidal",
]  # fmt: skip
