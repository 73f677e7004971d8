"""Training: the loop, what hooks into it, and its history."""

from .loop import History, TensorBoard, accuracy, evaluate, fit, load_checkpoint, save_checkpoint

__all__ = [
    "accuracy",
    "evaluate",
    "fit",
    "History",
    "load_checkpoint",
    "save_checkpoint",
    "TensorBoard",
]
