"""The callbacks that `fit` makes of its options, and TensorBoard: each a few lines.

The events that they define, and when these come, stand at `Callback`; write yours alike.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..checkpoints import load_checkpoint, save_checkpoint
from ..engine import Array
from ..optimizers import ReduceLROnPlateau, clip_grad_norm_
from ..progress import bar
from .evaluation import check_pair, evaluate
from .history import need
from .loop import Callback, Run

__all__ = [
    "AfterBackward",
    "Evaluation",
    "GradientClipping",
    "Scheduling",
    "WeightAveraging",
    "EarlyStopping",
    "Checkpointing",
    "ProgressBar",
    "TensorBoard",
]


class AfterBackward(Callback):
    """A plain function as a callback: f(state), at each `after_backward`.

    state: a dict of the model, optimizer, loss (a number), epoch, step and history.
    """

    def __init__(self, function: Callable[[dict], Any]):
        if not callable(function):
            kind = type(function).__name__
            raise TypeError(f"callbacks: expected a Callback or a function f(state), got {kind}")
        self.function = function

    def after_backward(self, run: Run) -> None:
        self.function(
            dict(
                model=run.model,
                optimizer=run.optimizer,
                loss=run.value,
                epoch=run.epoch,
                step=run.optimizer.t,
                history=run.history,
            )
        )


class Evaluation(Callback):
    """Measure the loss and the metrics on a split after each epoch: see `evaluate`.

    Examples
    --------
    >>> from dlscratch import data, training
    >>> X, y, X_test, y_test = data.digits(rng=0)
    >>> watch = training.Evaluation("test", (X_test, y_test), batch_size=64)
    """

    def __init__(
        self,
        split: str,
        data: tuple[Array, Array],
        metrics: dict[str, Callable] | None = None,
        batch_size: int | None = 256,
    ):
        check_pair("Evaluation", split, data)
        self.split = split
        self.data = data
        self.metrics = metrics
        self.batch_size = batch_size

    def after_epoch(self, run: Run) -> None:
        measured = evaluate(run.model, run.loss, self.data, self.metrics, self.batch_size)
        for name, value in measured.items():
            run.history.add(run.epoch, run.optimizer.t, self.split, name, value)


class GradientClipping(Callback):
    """Bound the norm of the gradient before each step: see `clip_grad_norm_`."""

    def __init__(self, max_norm: float):
        if not max_norm > 0:
            raise ValueError(
                f"GradientClipping: expected a number above 0, got max_norm={max_norm}; "
                "without a bound, leave the clipping out"
            )
        self.max_norm = max_norm

    def after_backward(self, run: Run) -> None:
        clip_grad_norm_(run.optimizer.parameters, self.max_norm)


class Scheduling(Callback):
    """Move a learning-rate schedule: after each step, or ReduceLROnPlateau after each epoch.

    split: whose loss a plateau is seen in; an `Evaluation` of it stands before.
    """

    def __init__(self, schedule: Any, split: str = "validation"):
        if not hasattr(schedule, "step"):
            raise TypeError(
                f"schedule: expected one of optimizers', got {schedule!r}; make one, such as "
                "optimizers.StepLR(optimizer, 10)"
            )
        self.schedule = schedule
        self.split = split
        self.by_loss = isinstance(schedule, ReduceLROnPlateau)

    def after_step(self, run: Run) -> None:
        if not self.by_loss:
            self.schedule.step()

    def after_epoch(self, run: Run) -> None:
        if self.by_loss:
            self.schedule.step(run.history.last(self.split, "loss"))

    def parts(self) -> dict[str, Any]:
        return {"schedule": self.schedule}


class WeightAveraging(Callback):
    """Take the weights into an average, such as optimizers.EMA or SWA, after each step."""

    def __init__(self, average: Any):
        if not hasattr(average, "update"):
            raise TypeError(
                f"average: expected one of optimizers', got {average!r}; make one, such as "
                "optimizers.EMA(model.parameters())"
            )
        self.average = average

    def after_step(self, run: Run) -> None:
        self.average.update()

    def parts(self) -> dict[str, Any]:
        return {"average": self.average}


class EarlyStopping(Callback):
    """End the run after `patience` epochs without a better loss; the best weights return.

    split: whose loss is watched; an `Evaluation` of it stands before. The best weights, and
    buffers, also come back when the run ends by itself. Raises ValueError for patience below 1.
    """

    def __init__(self, patience: int, split: str = "validation"):
        if patience < 1:
            raise ValueError(f"EarlyStopping: patience={patience}; want at least 1")
        self.patience = patience
        self.split = split
        self.best: dict[str, np.ndarray] = {}

    def before_epoch(self, run: Run) -> None:
        if run.history.stalled(self.split) >= self.patience:
            run.stopped = True

    def after_epoch(self, run: Run) -> None:
        if run.history.stalled(self.split) == 0:
            self.best = run.model.state_dict()

    def after_fit(self, run: Run) -> None:
        if self.best:
            run.model.load_state_dict(self.best)

    def parts(self) -> dict[str, Any]:
        return {"best": self}

    def state_dict(self) -> dict[str, np.ndarray]:
        """{name: array}: the best epoch's state of the model."""
        return dict(self.best)

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        """Continue from a `state_dict()`."""
        self.best = dict(state)


class Checkpointing(Callback):
    """Keep the whole run in a file, written after each epoch; a run with that file goes on.

    What comes back is what `save_checkpoint` keeps, and the `parts` of all callbacks: the run
    then is, bit for bit, the one that was not interrupted. Stands behind what it keeps.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)

    def before_fit(self, run: Run) -> None:
        if self.path.exists():
            run.epoch = load_checkpoint(self.path, *self._run(run), **run.parts())

    def after_epoch(self, run: Run) -> None:
        save_checkpoint(self.path, *self._run(run), run.epoch + 1, **run.parts())

    def _run(self, run: Run):
        return run.model, run.optimizer, run.rng, run.history


class ProgressBar(Callback):
    """A bar over the epochs, with the newest loss on the training data."""

    bar = None

    def before_fit(self, run: Run) -> None:
        self.bar = bar(None, "epochs", total=run.epochs, initial=run.epoch)

    def after_epoch(self, run: Run) -> None:
        loss = run.history.last("train", "loss")
        self.bar.set_postfix_str(f"loss {run.value if np.isnan(loss) else loss:.4f}")
        self.bar.update()

    def cleanup(self, run: Run) -> None:
        if self.bar is not None:
            self.bar.close()


class TensorBoard(Callback):
    """Show the history in TensorBoard as it grows: tag split/metric, step the optimizer's.

    Used as `with TensorBoard("runs/1") as board: fit(..., callbacks=[board])`; the page is
    that of `tensorboard --logdir runs`. What an interrupted run measured is there, too. Raises
    ModuleNotFoundError without the package tensorboard, ValueError for a file in place of a
    folder.
    """

    def __init__(self, folder: str | os.PathLike):
        need("tensorboard")
        from tensorboard.summary import Writer

        if Path(folder).is_file():
            raise ValueError(
                f"TensorBoard: {folder} is a file; want a folder, which is made where there is none"
            )
        self.writer = Writer(str(folder))
        self.written = 0

    def before_fit(self, run: Run) -> None:
        self.written = 0  # another history may have come

    def after_step(self, run: Run) -> None:
        for _, step, split, metric, value in run.history.rows[self.written :]:
            self.writer.add_scalar(f"{split}/{metric}", value, step)
        self.written = len(run.history.rows)

    def cleanup(self, run: Run) -> None:
        self.after_step(run)
        self.writer.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.writer.close()
