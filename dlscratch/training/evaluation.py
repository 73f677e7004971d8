"""Measuring a model on data, batch by batch, without changing it."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine import Array, Tensor, no_grad
from ..engine.tensor import unwrap
from ..layers import Module

__all__ = [
    "evaluate",
    "accuracy",
    "check_pair",
    "frozen_parts",
    "dtype_of",
    "cast",
]


def evaluate(
    model: Module,
    loss: Callable,
    data: tuple[Array, Array],
    metrics: dict[str, Callable] | None = None,
    batch_size: int | None = 256,
) -> dict[str, float]:
    """The loss and the metrics of the model on (X, y), in evaluation mode, without a graph.

    The loss is a mean over examples, and over batches of sizes n_b it is Σ (n_b / N) loss_b,
    which is exact. That weighting is wrong for other losses: a sum, or a mean over something
    else, such as the targets that are not ignored; for these, pass batch_size=None. Metrics
    need not be means: each is called once, with all outputs and all targets.

    Parameters
    ----------
    model : Module
        Each part of it has its own mode back afterwards, also after an error.
    loss : callable
        loss(outputs, targets), one number.
    data : (X, y)
        X: (N, ...), y: (N, ...). Floats are cast to the dtype of the model's parameters.
    metrics : {name: callable}, optional
        Each as f(outputs, targets), one number.
    batch_size : int or None
        How many examples pass the model at a time; None for all at once.

    Returns
    -------
    {"loss": number, name: number, ...}

    Raises
    ------
    ValueError
        For no examples, inputs and targets of different lengths, or metrics of outputs that
        cannot be joined, because their first axis is not that of the examples.

    Examples
    --------
    >>> from dlscratch import data, layers, losses
    >>> X, y, X_test, y_test = data.digits(rng=0)
    >>> model = layers.Sequential(layers.Linear(64, 10, rng=0))
    >>> measured = evaluate(model, losses.cross_entropy, (X, y), {"accuracy": accuracy})
    >>> {name: round(value, 2) for name, value in measured.items()}
    {'loss': 2.31, 'accuracy': 0.17}
    """
    X, y = data
    X = np.asarray(unwrap(X))
    y = np.asarray(unwrap(y))
    if len(X) != len(y) or not len(X):
        raise ValueError(
            f"evaluate: expected as many targets as inputs, at least one; got {len(X)} inputs "
            f"and {len(y)} targets"
        )
    size = len(X) if batch_size is None else batch_size
    if size < 1:
        raise ValueError(f"evaluate: expected batch_size of at least 1, got {batch_size}")
    dtype = dtype_of(model)
    mean = 0.0
    outputs = []
    with model.evaluation(), no_grad():
        for start in range(0, len(X), size):
            part = slice(start, start + size)
            x = cast(X[part], dtype)
            targets = cast(y[part], dtype)
            output = model(Tensor(x))
            mean += float(loss(output, targets)) * (len(x) / len(X))
            if metrics:
                outputs.append(output)
        measured = {"loss": mean}
        for name, metric in (metrics or {}).items():
            measured[name] = float(metric(_joined(outputs, len(X)), y))
    return measured


def _joined(outputs, n):
    """The outputs of all batches as one output: along the first axis, inside of tuples too."""
    if len(outputs) == 1:
        return outputs[0]
    if isinstance(outputs[0], tuple | list):
        return tuple(_joined(parts, n) for parts in zip(*outputs, strict=True))
    if sum(len(output) for output in outputs) != n:
        raise ValueError(
            f"evaluate: outputs of shape {outputs[0].shape} cannot be joined for the metrics; "
            "expected the examples on the first axis; pass batch_size=None"
        )
    return Tensor(np.concatenate([output.data for output in outputs]))


def accuracy(logits: Array, targets: Array) -> float:
    """The fraction of rows whose largest entry is at the target.

    logits: (N, C), targets: (N,). Raises ValueError for other shapes.

    Examples
    --------
    >>> import numpy as np
    >>> accuracy(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 0]))
    0.5
    """
    if np.ndim(logits) != 2 or np.shape(targets) != np.shape(logits)[:1]:
        raise ValueError(
            f"accuracy: logits {np.shape(logits)}, targets {np.shape(targets)}; "
            "want (N, C) and (N,)"
        )
    return float(np.mean(np.argmax(logits, axis=1) == targets))


# What evaluation and training share -----------------------------------------------------


def check_pair(caller: str, split: str, data: Any) -> None:
    """Raise TypeError for data that are no pair (X, y)."""
    if not isinstance(data, tuple | list) or len(data) != 2:
        kind = type(data).__name__
        raise TypeError(f"{caller}: the {split} data are {kind}; want a pair (X, y)")


def dtype_of(model: Module) -> np.dtype | None:
    """The dtype of the model's parameters; None if it has none."""
    first = next(model.named_parameters(), None)
    return None if first is None else first[1].dtype


def cast(array: np.ndarray, dtype: np.dtype | None) -> np.ndarray:
    """The array, if it is of floats, in this dtype."""
    if dtype is None or array.dtype.kind != "f":
        return array
    return array.astype(dtype, copy=False)


def frozen_parts(model: Module) -> list[tuple[Module, bool]]:
    """(module, its mode) for each part whose mode is not that of the module around it.

    Such a part was set on purpose, like a frozen batch norm; outer ones come before inner.
    """
    modules = dict(model.named_modules())
    parts: list[tuple[Any, bool]] = []
    for name, module in modules.items():
        outer = name.rpartition(".")[0]
        while outer not in modules:  # the name of a list
            outer = outer.rpartition(".")[0]
        if module.training != modules[outer].training:
            parts.append((module, module.training))
    return parts
