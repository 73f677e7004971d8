"""Optimizers: each is its formula on one vector of parameters. Names, arguments and defaults are PyTorch's."""

from .adam import Adam, AdamW
from .base import Optimizer
from .sgd import SGD

__all__ = ["Optimizer", "SGD", "Adam", "AdamW"]
