"""Layers: functions with parameters. Names, arguments, defaults, shapes and parameter names are PyTorch's."""

from .activations import (
    ELU, GELU, GLU, SELU, AlphaDropout, Dropout, DropPath, Hardtanh, LeakyReLU, LogSigmoid, LogSoftmax, Mish, ReLU, Sigmoid, SiLU,
    Softmax, Softplus, Tanh,
)  # fmt: skip
from .attention import MultiheadAttention
from .convolution import Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d
from .linear import Embedding, Flatten, Linear
from .losses import (
    BCELoss, BCEWithLogitsLoss, CosineEmbeddingLoss, CrossEntropyLoss, CTCLoss, GaussianNLLLoss, HuberLoss, KLDivLoss, L1Loss, MSELoss,
    NLLLoss, PoissonNLLLoss, SmoothL1Loss, TripletMarginLoss,
)  # fmt: skip
from .module import Module, Sequential
from .normalization import (
    BatchNorm1d, BatchNorm2d, GroupNorm, InstanceNorm1d, InstanceNorm2d, LayerNorm, RMSNorm,
)  # fmt: skip
from .parameters import Parameter, Parameters
from .parametrizations import spectral_norm, weight_norm
from .pooling import AdaptiveAvgPool2d, AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d, PixelShuffle, Upsample
from .recurrent import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell
from .summary import summary
from .transformer import TransformerDecoderLayer, TransformerEncoder, TransformerEncoderLayer

__all__ = [
    "Module", "Sequential", "Parameter", "Parameters", "Linear", "Flatten", "Conv2d", "MaxPool2d",
    "LayerNorm", "BatchNorm1d", "ReLU", "Tanh", "Sigmoid", "GELU", "Dropout",
    "Conv1d", "ConvTranspose1d", "ConvTranspose2d", "MaxPool1d", "AvgPool1d", "AvgPool2d", "AdaptiveAvgPool2d",
    "Upsample", "PixelShuffle", "summary",
    "RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell",
    "Embedding", "LeakyReLU", "ELU", "SELU", "SiLU", "Mish", "Softplus", "Hardtanh", "LogSigmoid", "GLU", "Softmax", "LogSoftmax",
    "AlphaDropout", "DropPath", "BatchNorm2d", "InstanceNorm1d", "InstanceNorm2d", "GroupNorm", "RMSNorm", "weight_norm", "spectral_norm",
    "MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "CrossEntropyLoss", "NLLLoss", "BCELoss", "BCEWithLogitsLoss", "KLDivLoss",
    "GaussianNLLLoss", "PoissonNLLLoss", "TripletMarginLoss", "CosineEmbeddingLoss", "CTCLoss",
    "MultiheadAttention", "TransformerEncoderLayer", "TransformerDecoderLayer", "TransformerEncoder",
]  # fmt: skip
