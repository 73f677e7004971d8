"""`fit`: the loop with its options, each of which is a callback."""

import os
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..engine import Array
from ..layers import Module
from ..optimizers import Optimizer, ReduceLROnPlateau
from .callbacks import (
    AfterBackward,
    Checkpointing,
    EarlyStopping,
    Evaluation,
    GradientClipping,
    ProgressBar,
    Scheduling,
    WeightAveraging,
)
from .evaluation import check_pair
from .history import History
from .loop import Callback, Run, train

__all__ = ["fit"]


def fit(
    model: Module,
    loss: Callable,
    optimizer: Optimizer,
    data: tuple[np.ndarray, np.ndarray],
    *,
    epochs: int = 10,
    batch_size: int = 32,
    accumulate: int = 1,
    drop_last: bool = False,
    rng: np.random.Generator | int | None = 0,
    validation: tuple[Array, Array] | None = None,
    metrics: dict[str, Callable] | None = None,
    evaluate_train: bool = True,
    clip: float | None = None,
    schedule: Any = None,
    average: Any = None,
    patience: int | None = None,
    checkpoint: str | os.PathLike | None = None,
    callbacks: Iterable[Callback | Callable] = (),
    progress: bool = True,
) -> History:
    """Minimise the mean of loss(model(X), y) over mini-batches; return what was measured.

    Every option below `rng` is a callback, in this order, of which `training` has the classes:
    `Evaluation` of the training and the validation data, `callbacks`, `GradientClipping`,
    `Scheduling`, `WeightAveraging`, `EarlyStopping`, `Checkpointing`, `ProgressBar`.

    Parameters
    ----------
    model : Module
        Trained in place, in training mode. A part whose mode differs from that of the module
        around it, such as a batch norm in evaluation mode, keeps its mode.
    loss : callable
        loss(outputs, targets), a mean over the examples.
    optimizer : Optimizer
        Made of model.parameters(), or of some of them.
    data, validation : (X, y)
        Arrays with the examples on the first axis: (N, ...). Floats are cast to the dtype of
        the model's parameters, batch by batch.
    epochs, batch_size : int
        How often all examples are seen, and how many pass the model at a time.
    accumulate : int
        How many such batches make one step; the gradient is that of all of them as one batch.
    drop_last : bool
        Leave out the last step of an epoch where it would have fewer examples than the
        others: batch norm refuses a single one, and its statistics are poor for a few.
    rng : Generator or int, optional
        Draws the order of the examples.
    metrics : {name: callable}, optional
        Each f(outputs, targets), measured after each epoch beside the loss: see `evaluate`.
    evaluate_train : bool
        Measure on all of the training data after each epoch, too. False saves the time;
        history.values("train", "batch_loss") has the loss of each step anyway.
    clip : float, optional
        The bound of the gradient's norm.
    schedule, average : optional
        A schedule of `optimizers`, such as StepLR(optimizer, ...), and an average, such as
        EMA(model.parameters()); both move with each step, ReduceLROnPlateau with each epoch.
    patience : int, optional
        End after so many epochs without a better validation loss (training loss, if there is
        no validation); the best weights come back.
    checkpoint : path, optional
        A file that keeps the run after each epoch. If it is there, the run in it goes on, and
        ends as if it had never been interrupted, bit for bit.
    callbacks : iterable
        Each a `Callback`, or a function f(state) that is called between backward and
        clipping: see `AfterBackward`.
    progress : bool
        Show a bar; DLSCRATCH_PROGRESS=0 hides it, too.

    Returns
    -------
    History
        The loss of each step, and what was measured after each epoch.

    Raises
    ------
    TypeError
        For data that are no pair of arrays.
    ValueError
        For numbers out of range, and where nothing would happen: an optimizer without a
        parameter of this model, no batch, nothing measured that `patience` could watch.

    Examples
    --------
    >>> from dlscratch import data, layers, losses, optimizers, training
    >>> X, y, X_test, y_test = data.digits(rng=0)
    >>> model = layers.Sequential(layers.Linear(64, 10, rng=0))
    >>> optimizer = optimizers.Adam(model.parameters(), lr=0.01)
    >>> history = training.fit(
    ...     model, losses.cross_entropy, optimizer, (X, y), epochs=5, rng=0,
    ...     validation=(X_test, y_test), metrics={"accuracy": training.accuracy},
    ... )
    >>> round(history.last("validation", "accuracy"), 2)
    0.93

    What it does is this loop of PyTorch's words, which you can always write yourself:

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> for epoch in range(5):
    ...     for inputs, targets in data.batches(rng, X, y, size=32):
    ...         optimizer.zero_grad()
    ...         loss = losses.cross_entropy(model(inputs), targets)
    ...         loss.backward()
    ...         optimizer.step()
    """
    rng = np.random.default_rng(rng)
    run = Run(model, loss, optimizer, data, rng, epochs, batch_size, accumulate, drop_last)
    splits = {"train": data} if evaluate_train else {}
    if validation is not None:
        splits["validation"] = validation
    watched = list(splits)[-1] if splits else None
    _check(run, splits, watched, patience, schedule)
    run.callbacks += [Evaluation(split, pair, metrics) for split, pair in splits.items()]
    run.callbacks += [c if isinstance(c, Callback) else AfterBackward(c) for c in callbacks]
    if clip is not None:
        run.callbacks.append(GradientClipping(clip))
    if schedule is not None:
        run.callbacks.append(Scheduling(schedule, watched))
    if average is not None:
        run.callbacks.append(WeightAveraging(average))
    if patience is not None:
        run.callbacks.append(EarlyStopping(patience, watched))
    if checkpoint is not None:
        run.callbacks.append(Checkpointing(checkpoint))
    if progress:
        run.callbacks.append(ProgressBar())
    return train(run)


def _check(run, splits, watched, patience, schedule):
    """Raise for what cannot be trained, before anything changes."""
    least = min(run.accumulate, 1 if patience is None else patience)
    if least < 1:
        raise ValueError(
            f"fit: accumulate={run.accumulate}, patience={patience}; want at least 1 "
            "(patience=None: never stop early)"
        )
    for split, pair in ({"train": run.data} | splits).items():
        check_pair("fit", split, pair)
    own = {id(p) for p in run.model.parameters()}
    if not any(id(p) in own for p in run.optimizer.parameters):
        raise ValueError(
            "fit: the optimizer moves no parameter of this model; make it of model.parameters()"
        )
    examples = len(run.data[0])
    step = run.batch_size * run.accumulate
    if not examples or (run.drop_last and examples < step):
        raise ValueError(
            f"fit: {examples} examples make no step of {step}; give more, or drop_last=False"
        )
    watches_loss = patience is not None or isinstance(schedule, ReduceLROnPlateau)
    if watches_loss and watched is None:
        raise ValueError(
            "fit: patience and ReduceLROnPlateau want a loss to watch; give validation=(X, y), "
            "or leave evaluate_train=True"
        )
