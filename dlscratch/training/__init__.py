"""Training: the loop, what hooks into it, what it measures, and the history of that.

`fit` is the call that one begins with. Read `loop.train` for what it does: it fits a screen.
"""

from ..checkpoints import load_checkpoint, save_checkpoint
from .callbacks import (
    AfterBackward,
    Checkpointing,
    EarlyStopping,
    Evaluation,
    GradientClipping,
    ProgressBar,
    Scheduling,
    TensorBoard,
    WeightAveraging,
)
from .evaluation import accuracy, evaluate
from .fit import fit
from .history import History
from .loop import Callback, Run, train

__all__ = [
    "accuracy",
    "evaluate",
    "fit",
    "train",
    "Run",
    "History",
    "Callback",
    "AfterBackward",
    "Evaluation",
    "GradientClipping",
    "Scheduling",
    "WeightAveraging",
    "EarlyStopping",
    "Checkpointing",
    "ProgressBar",
    "TensorBoard",
    "load_checkpoint",
    "save_checkpoint",
]
