"""Training: one loop on one screen, and a history of what it measured."""

import os
import sys
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from ..checkpoints import load_checkpoint, save_checkpoint
from ..data import batches
from ..engine import Tensor, no_grad
from ..files import write_whole
from ..optimizers import ReduceLROnPlateau, clip_grad_norm_

__all__ = [
    "fit",
    "evaluate",
    "accuracy",
    "History",
    "TensorBoard",
    "save_checkpoint",
    "load_checkpoint",
]


def fit(
    model,
    loss,
    optimizer,
    data,
    *,
    epochs=10,
    batch_size=32,
    accumulate=1,
    clip=None,
    schedule=None,
    average=None,
    patience=None,
    rng=0,
    validation=None,
    metrics=None,
    checkpoint=None,
    callbacks=(),
    progress=True,
):
    """Minimise the mean of loss(model(X), y) over mini-batches; after each epoch measure, remember and, if asked, save.

    data, validation: (X, y); metrics: {name: f(outputs, targets)}; callbacks: f(state) between backward and step. `accumulate` batches
    make a step, `clip` bounds its gradient's norm, `schedule` and `average` move with it. `patience` epochs without a better validation
    (else training) loss end it; the best weights come back. From `checkpoint`, a path, an interrupted run goes on bit for bit. → History
    """
    rng, history, best, on_plateau = (
        np.random.default_rng(rng),
        History(),
        Weights(),
        isinstance(schedule, ReduceLROnPlateau),
    )
    run, splits = (
        (model, optimizer, rng, history),
        {"train": data} | ({} if validation is None else {"validation": validation}),
    )
    _check(model, optimizer, splits, accumulate, patience)
    parts = {
        k: v
        for k, v in dict(
            schedule=schedule, average=average, best=best if patience else None
        ).items()
        if v is not None
    }
    start = (
        load_checkpoint(checkpoint, *run, **parts)
        if checkpoint and Path(checkpoint).exists()
        else 0
    )
    for epoch in (bar := _bar(range(start, epochs), progress)):
        if patience and history.stalled([*splits][-1]) >= patience:
            break
        model.train()
        optimizer.train()
        for batch in batches(rng, *data, size=batch_size * accumulate):
            value = optimizer.step(
                partial(
                    _gradient,
                    model,
                    loss,
                    optimizer,
                    batch,
                    batch_size,
                    clip,
                    callbacks,
                    epoch,
                    history,
                )
            )
            history.add(epoch, optimizer.t, "train", "batch_loss", value)
            if schedule and not on_plateau:
                schedule.step()
            if average:
                average.update()
        optimizer.eval()
        for split, pair in splits.items():
            for name, measured in evaluate(model, loss, pair, metrics).items():
                history.add(epoch, optimizer.t, split, name, measured)
        if on_plateau:
            schedule.step(history.last(split, "loss"))
        if patience and history.stalled(split) == 0:
            best.update(model.state_dict())
        if checkpoint:
            save_checkpoint(checkpoint, *run, epoch + 1, **parts)
        bar.set_postfix_str(f"loss {history.last('train', 'loss'):.4f}")
    if best:
        model.load_state_dict(best)
    return history


def _check(model, optimizer, splits, accumulate, patience):
    if min(accumulate, 1 if patience is None else patience) < 1:
        raise ValueError(
            f"fit: accumulate={accumulate}, patience={patience}; want at least 1 (patience=None: never stop early)"
        )
    for split, pair in splits.items():
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise TypeError(f"fit: the {split} data are {type(pair).__name__}; want a pair (X, y)")
    if not {*map(id, optimizer.parameters)} & {*map(id, model.parameters())}:
        raise ValueError(
            "fit: the optimizer moves no parameter of this model; make it of model.parameters()"
        )


def _gradient(model, loss, optimizer, batch, size, clip, callbacks, epoch, history):
    """dtheta ← the gradient of the mean loss over a batch (X, y), worked through `size` examples at a time; returns the loss."""
    X, y = batch
    optimizer.zero_grad()
    total = 0.0
    for i in range(0, len(X), size):
        xb, yb = X[i : i + size], y[i : i + size]
        value = loss(model(Tensor(xb)), yb) * (len(xb) / len(X))
        value.backward()
        total += value.item()
    for callback in callbacks:
        callback(
            dict(
                model=model,
                optimizer=optimizer,
                loss=total,
                epoch=epoch,
                step=optimizer.t,
                history=history,
            )
        )
    if clip is not None:
        clip_grad_norm_(optimizer.parameters, clip)
    return total


class Weights(dict):
    """The best epoch's state of the model, as a part of a checkpoint."""

    state_dict, load_state_dict = dict.copy, dict.update


def evaluate(model, loss, data, metrics=None):
    """{"loss": ..., name: ...} of the model in evaluation mode on the whole of data = (X, y)."""
    X, y = data
    was_training = model.training
    model.eval()
    with no_grad():
        outputs = model(Tensor(X))
        measured = {
            name: float(f(outputs, y)) for name, f in {"loss": loss, **(metrics or {})}.items()
        }
    model.train(was_training)
    return measured


def accuracy(logits, targets):
    """The fraction of rows whose largest entry is at the target.  logits: (N, C), targets: (N,)."""
    if np.ndim(logits) != 2 or np.shape(targets) != np.shape(logits)[:1]:
        raise ValueError(
            f"accuracy: logits {np.shape(logits)}, targets {np.shape(targets)}; want (N, C) and (N,)"
        )
    return float(np.mean(np.argmax(logits, axis=1) == targets))


@dataclass
class History:
    """What a run measured, one row a measurement: (epoch, step, split, metric, value)."""

    rows: list = field(default_factory=list)

    def add(self, epoch, step, split, metric, value):
        """Remember one measurement."""
        self.rows.append((epoch, step, split, metric, float(value)))

    def values(self, split, metric):
        """All values of one metric, oldest first."""
        return np.array([r[4] for r in self.rows if r[2:4] == (split, metric)])

    def last(self, split, metric):
        """The newest value of one metric; NaN if it was never measured."""
        found = self.values(split, metric)
        return float(found[-1]) if len(found) else float("nan")

    def stalled(self, split):
        """How many epochs the loss has been no better than its best; 0 if the newest is the best, or nothing was measured."""
        losses = self.values(split, "loss")
        return (
            len(losses) - 1 - int(np.argmin(np.where(np.isnan(losses), np.inf, losses)))
            if len(losses)
            else 0
        )

    @property
    def frame(self):
        """The rows as a tidy pandas DataFrame."""
        from pandas import DataFrame

        return DataFrame(self.rows, columns=["epoch", "step", "split", "metric", "value"])

    def to_csv(self, path):
        """Write the rows as a table with a header; the file is there whole or not at all."""
        write_whole(path, self.frame.to_csv(index=False).encode())

    def to_parquet(self, path):
        """Write the rows as a Parquet file, with their types. Raises ModuleNotFoundError without pyarrow."""
        _need("pyarrow")
        write_whole(path, self.frame.to_parquet(index=False, engine="pyarrow"))


def _need(package):
    if find_spec(package) is None:
        raise ModuleNotFoundError(
            f"this needs {package}, which is not installed: python -m pip install {package}",
            name=package,
        )


class TensorBoard:
    """A callback of `fit` that shows the history in TensorBoard as it grows: the tag is split/metric, the step is the optimizer's.

    `with TensorBoard("build/runs/1") as board: fit(..., callbacks=[board])`, then `tensorboard --logdir build/runs`. What the last epoch
    measured is written when the block ends, also by an error. Raises ModuleNotFoundError without the package tensorboard,
    ValueError for a file in place of a folder.
    """

    def __init__(self, folder):
        _need("tensorboard")
        from tensorboard.summary import Writer

        if Path(folder).is_file():
            raise ValueError(
                f"TensorBoard: {folder} is a file; want a folder, which is made where there is none"
            )
        self.writer, self.written, self.history = Writer(str(folder)), 0, History()

    def __call__(self, state):
        self.history = state["history"]
        for _, step, split, metric, value in self.history.rows[self.written :]:
            self.writer.add_scalar(f"{split}/{metric}", value, step)
        self.written = len(self.history.rows)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self({"history": self.history})
        self.writer.close()


def _bar(epochs, progress):
    from tqdm import tqdm

    silent = not progress or os.environ.get("DLSCRATCH_PROGRESS") == "0"
    return tqdm(
        epochs, desc="epochs", leave=False, disable=silent, file=sys.stdout
    )  # stderr would show red in notebooks
