"""Models that several notebooks share, each a composition of layers."""

from .dense import MLP, VAE
from .images import LeNet, ResNet, UNet
from .sequences import LSTMLanguageModel
from .transformers import BERT, GPT, ViT

__all__ = ["MLP", "VAE", "LeNet", "ResNet", "UNet", "LSTMLanguageModel", "GPT", "BERT", "ViT"]
