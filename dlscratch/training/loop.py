"""The loop of training, what it knows of a run, and the events that callbacks hook into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..data import batches
from ..engine import Tensor
from ..layers import Module
from ..optimizers import Optimizer
from .evaluation import cast, dtype_of, frozen_parts
from .history import History

__all__ = ["train", "Run", "Callback"]


def train(run: Run) -> History:
    """The loop: epochs of batches, and the events of `Callback` in between.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import data, losses, models, optimizers, training
    >>> X, y, X_test, y_test = data.digits(rng=0)
    >>> model = models.MLP([64, 32, 10], rng=0)
    >>> run = training.Run(
    ...     model,
    ...     losses.cross_entropy,
    ...     optimizers.Adam(model.parameters(), lr=1e-2),
    ...     data=(X, y),
    ...     rng=np.random.default_rng(0),
    ...     epochs=5,
    ...     batch_size=64,
    ...     callbacks=[
    ...         training.Evaluation("validation", (X_test, y_test)),
    ...         training.EarlyStopping(patience=2),
    ...     ],
    ... )
    >>> history = training.train(run)
    >>> history.last("validation", "loss") < 0.3
    True
    """
    frozen = frozen_parts(run.model)
    try:
        run.notify("before_fit")
        for epoch in range(run.epoch, run.epochs):
            run.epoch = epoch
            run.notify("before_epoch")
            if run.stopped:
                break
            run.model.train()
            for module, mode in frozen:  # set on purpose
                module.train(mode)
            run.optimizer.train()
            for batch in run.batches():
                run.batch = batch
                run.notify("before_batch")
                value = run.optimizer.step(run.gradient)
                run.history.add(run.epoch, run.optimizer.t, "train", "batch_loss", value)
                run.notify("after_step")
            run.optimizer.eval()
            run.notify("after_epoch")
        run.notify("after_fit")
    finally:
        run.notify("cleanup")
    return run.history


@dataclass
class Run:
    """A run of training: what callbacks see of it, and may change.

    `epoch` is the one that runs or comes next; `batch` the (X, y) of a step, and `value` its
    loss. Set `stopped` to end the run before its next epoch.
    """

    model: Module
    loss: Callable
    optimizer: Optimizer
    data: tuple[np.ndarray, np.ndarray]
    rng: np.random.Generator
    epochs: int
    batch_size: int
    accumulate: int = 1
    drop_last: bool = False
    callbacks: list[Callback] = field(default_factory=list)
    history: History = field(default_factory=History)
    epoch: int = 0
    batch: tuple[np.ndarray, np.ndarray] | None = None
    value: float = float("nan")
    stopped: bool = False

    def __post_init__(self):
        self.dtype = dtype_of(self.model)

    def notify(self, event: str) -> None:
        """Call the method of this name of each callback."""
        for callback in self.callbacks:
            getattr(callback, event)(self)

    def batches(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The batches of one epoch, in a new order; each makes one step."""
        size = self.batch_size * self.accumulate
        return batches(self.rng, *self.data, size=size, drop_last=self.drop_last)

    def gradient(self) -> float:
        """Gradients of the mean loss over the batch, `batch_size` examples at a time; the loss."""
        X, y = self.batch
        self.optimizer.zero_grad()
        self.value = 0.0
        for start in range(0, len(X), self.batch_size):
            part = slice(start, start + self.batch_size)
            x = cast(X[part], self.dtype)
            targets = cast(y[part], self.dtype)
            loss = self.loss(self.model(Tensor(x)), targets) * (len(x) / len(X))
            loss.backward()
            self.value += loss.item()
        self.notify("after_backward")
        return self.value

    def parts(self) -> dict[str, Any]:
        """{name: object with a state_dict} of all callbacks: what a checkpoint keeps of them."""
        found: dict[str, Any] = {}
        for callback in self.callbacks:
            parts = callback.parts()
            if twice := found.keys() & parts.keys():
                raise ValueError(f"two callbacks have a part {', '.join(twice)}; rename one")
            found |= parts
        return found


class Callback:
    """Something that happens at events of a run: subclasses define those that they need.

    In order, with the indentation of the loops::

        before_fit                 once; nothing was computed yet
            before_epoch           `run.stopped = True` here ends the run
                before_batch       `run.batch` is (X, y)
                after_backward     the gradients are there, and `run.value`, the batch's loss
                after_step         the parameters moved; the history has the loss
            after_epoch            measured, where an `Evaluation` stands before this one
        after_fit                  once, unless something was raised
        cleanup                    once, in any case

    At each event, callbacks come in the order of `run.callbacks`. The argument is the `Run`.

    Examples
    --------
    >>> from dlscratch import data, layers, losses, optimizers, training
    >>> class LargestGradient(training.Callback):
    ...     largest = 0.0
    ...     def after_backward(self, run):
    ...         gradients = run.optimizer.parameters.dtheta
    ...         self.largest = max(self.largest, abs(gradients).max())
    >>> X, y, *_ = data.digits(rng=0)
    >>> model = layers.Sequential(layers.Linear(64, 10, rng=0))
    >>> watch = LargestGradient()
    >>> optimizer = optimizers.SGD(model.parameters(), lr=0.1)
    >>> _ = training.fit(model, losses.cross_entropy, optimizer, (X, y), callbacks=[watch])
    >>> bool(0.1 < watch.largest < 1)
    True
    """

    def before_fit(self, run: Run) -> None:
        """Before anything else."""

    def before_epoch(self, run: Run) -> None:
        """Before an epoch is begun."""

    def before_batch(self, run: Run) -> None:
        """Before a batch goes through the model."""

    def after_backward(self, run: Run) -> None:
        """Between the gradients and the step; again whenever the optimizer asks for gradients."""

    def after_step(self, run: Run) -> None:
        """After the optimizer's step."""

    def after_epoch(self, run: Run) -> None:
        """After an epoch, its measurements included."""

    def after_fit(self, run: Run) -> None:
        """After the last epoch."""

    def cleanup(self, run: Run) -> None:
        """At the very end, also when the run was interrupted."""

    def parts(self) -> dict[str, Any]:
        """{name: object with a state_dict}: what a checkpoint of the run has to keep of this."""
        return {}
