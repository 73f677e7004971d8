"""Training: the loop, what hooks into it, its history, and what is kept in files."""

from . import checkpoints
from .checkpoints import load_checkpoint, save_checkpoint
from .loop import History, TensorBoard, accuracy, evaluate, fit

__all__ = [
    "accuracy",
    "checkpoints",
    "evaluate",
    "fit",
    "History",
    "load_checkpoint",
    "save_checkpoint",
    "TensorBoard",
]
