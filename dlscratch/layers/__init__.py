"""Layers: functions with parameters. Names, arguments, defaults, shapes and parameter names are PyTorch's."""

from .activations import GELU, Dropout, ReLU, Sigmoid, Tanh
from .convolution import Conv2d, MaxPool2d
from .linear import Flatten, Linear
from .module import Module, Sequential
from .normalization import BatchNorm1d, LayerNorm
from .parameters import Parameter, Parameters

__all__ = [
    "Module", "Sequential", "Parameter", "Parameters", "Linear", "Flatten", "Conv2d", "MaxPool2d",
    "LayerNorm", "BatchNorm1d", "ReLU", "Tanh", "Sigmoid", "GELU", "Dropout",
]  # fmt: skip
