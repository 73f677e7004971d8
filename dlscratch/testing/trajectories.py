"""A whole training against PyTorch's: the same batches, the same weights, step by step."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .parity import copy_weights, import_torch

__all__ = ["trajectory"]


def trajectory(
    model: Any,
    torch_model: Any,
    optimizer: Any,
    torch_optimizer: Any,
    loss: Callable,
    torch_loss: Callable,
    batches: Iterable[tuple[Any, Any]],
) -> np.ndarray:
    """|our loss - PyTorch's| at each step of training both from the same weights: (steps,).

    Parameters
    ----------
    model, torch_model : Module and torch.nn.Module
        The twins; PyTorch's gets our weights by name.
    optimizer, torch_optimizer : Optimizer and torch.optim.Optimizer
        Of the two models.
    loss, torch_loss : callable
        (output, target) → scalar.
    batches : iterable of (X, y)
        What both are trained on.

    Returns
    -------
    ndarray, (steps,)
        The differences of the losses.

    Raises
    ------
    ImportError
        Without PyTorch.
    ValueError
        When the dtypes differ.
    """
    torch = import_torch()
    copy_weights(model, torch_model)
    dtype = next(iter(model.parameters())).dtype
    their_dtype = next(torch_model.parameters()).dtype
    if str(their_dtype) != f"torch.{dtype}":
        raise ValueError(
            f"our model is {dtype}, PyTorch's {their_dtype}; make both float64: "
            ".astype('float64'), .double()"
        )
    gaps = []
    for X, y in batches:
        X = _as_dtype(X, dtype)
        y = _as_dtype(y, dtype)
        ours = _step(model, optimizer, loss, X, y)
        twin = torch.tensor(X), torch.tensor(y)
        theirs = _step(torch_model, torch_optimizer, torch_loss, *twin)
        gaps.append(abs(ours - theirs))
    return np.array(gaps)


def _as_dtype(a, dtype):
    """Floats in the model's dtype; integers as they are."""
    a = np.asarray(a)
    return a.astype(dtype) if a.dtype.kind == "f" else a


def _step(model, optimizer, loss, X, y):
    """One step of training, in the words that both libraries share; returns the loss."""
    optimizer.zero_grad()
    value = loss(model(X), y)
    value.backward()
    optimizer.step()
    return value.item()
