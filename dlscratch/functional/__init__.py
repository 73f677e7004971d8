"""What deep learning needs and NumPy lacks. Each fast operation stands beside the textbook definition that it must equal."""

from .activations import gelu, log_softmax, relu, sigmoid, softmax, tanh
from .convolution import conv2d
from .dropout import dropout
from .linear import linear
from .losses import binary_cross_entropy_with_logits, cross_entropy, mse_loss
from .normalization import batch_norm, layer_norm
from .pooling import max_pool2d

__all__ = [
    "relu", "sigmoid", "tanh", "gelu", "softmax", "log_softmax", "linear", "conv2d", "max_pool2d", "dropout",
    "layer_norm", "batch_norm", "mse_loss", "cross_entropy", "binary_cross_entropy_with_logits",
]  # fmt: skip
