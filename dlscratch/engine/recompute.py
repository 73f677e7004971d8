"""Activation checkpointing: forget what a function computed, and compute it again in backward."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .custom import input_gradients_through
from .graph import creation_order
from .modes import mode, nesting, recording
from .operation import Operation
from .tensor import Tensor, record, unwrap

__all__ = ["checkpoint", "Recomputation"]


def checkpoint(f: Callable, *args: Any, **kwargs: Any) -> Any:
    """f(*args), remembering nothing that f computes inside: backward runs f again.

    Time for memory: with a chain of n layers checkpointed every sqrt(n), memory falls from O(n) to
    O(sqrt(n)) for one more forward pass. f may return a Tensor, or several in tuples, lists and
    dicts. It must give the same values when run again: backward raises RuntimeError if it does not.
    Source: Chen et al., Training deep nets with sublinear memory cost, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import Tensor, checkpoint
    >>> def segment(x):
    ...     for _ in range(3):
    ...         x = np.tanh(x)
    ...     return x
    >>> x = Tensor(1.0, requires_grad=True)
    >>> y = checkpoint(segment, x)
    >>> y.inputs == (x,)
    True
    >>> y.backward()
    >>> round(x.grad.item(), 4)
    0.1677
    """
    start = next(creation_order)
    y = f(*args, **kwargs)
    outputs = _differentiable(y)
    if not outputs or not mode.record:
        return y
    sources = _sources(outputs, start)
    recomputation = Recomputation(f, args, kwargs)
    if y is outputs[0]:
        array = y._data.view() if y.op is None else y._data  # a leaf's own must stay writable
        return record(recomputation, sources, {}, array, traced=True)
    row = record(recomputation, sources, {}, unwrap(_in_one_row(outputs)), traced=True)
    return _replaced(y, iter(_cut(row, outputs)))


class Recomputation(Operation):
    """What computed a checkpointed node: it runs f again when a gradient comes."""

    name = "checkpoint"

    def __init__(self, f: Callable, args: tuple, kwargs: dict):
        self.f = f
        self.args = args
        self.kwargs = kwargs
        self.nested = mode.nested

    def input_gradients(
        self,
        node: Any,
        g: Any,
        y: Any,
        inputs: Sequence,
        needs_input_grad: tuple[bool, ...],
        create_graph: bool,
    ) -> Sequence:
        """By a backward pass through what f computes now."""
        with recording(), nesting(self.nested):
            again = self.f(*self.args, **self.kwargs)
            if not isinstance(again, Tensor):
                again = _in_one_row(_differentiable(again))
        if not np.array_equal(again._data, node._data, equal_nan=True):
            raise RuntimeError(
                "checkpoint: the function gave other values when it was run again, so its gradient "
                "would be wrong; it must not draw random numbers (Dropout) or change state"
            )
        return input_gradients_through(again, node, g, needs_input_grad, create_graph)


def _sources(outputs, start):
    """The Tensors made before `start` on which outputs depend.

    They are arguments, and whatever else f closes over.
    """
    found = []
    stack = list(outputs)
    seen = set(outputs)
    while stack:
        node = stack.pop()
        if node.order < start:
            found.append(node)
            continue
        for x in node.inputs:
            if isinstance(x, Tensor) and x.requires_grad and x not in seen:
                seen.add(x)
                stack.append(x)
    return tuple(found)


# Several outputs lie side by side in one node, so that f runs again once, when the gradients of all
# of them are there.


def _differentiable(y):
    """The Tensors that require a gradient among the outputs, in tuples, lists and dicts."""
    if isinstance(y, Tensor):
        return [y] if y.requires_grad else []
    if isinstance(y, dict):
        y = y.values()
    elif not isinstance(y, (tuple, list)):
        return []
    return [t for part in y for t in _differentiable(part)]


def _replaced(y, new):
    """The outputs with the next of `new` in the place of each that requires a gradient."""
    if isinstance(y, Tensor):
        return next(new) if y.requires_grad else y
    if isinstance(y, dict):
        return {key: _replaced(part, new) for key, part in y.items()}
    if not isinstance(y, (tuple, list)):
        return y
    parts = [_replaced(part, new) for part in y]
    return type(y)(*parts) if hasattr(y, "_fields") else type(y)(parts)  # a named tuple, or not


def _in_one_row(tensors):
    """All entries, (N,), of the widest dtype of all."""
    return np.concatenate([np.ravel(t) for t in tensors])


def _cut(row, like):
    """The parts of the row, with the shapes and dtypes of the Tensors in `like`."""
    parts = []
    start = 0
    for t in like:
        part = row[start : start + t.size]
        start += t.size
        if t.ndim != 1:
            part = np.reshape(part, t.shape)
        if part.dtype != t.dtype:
            part = part.astype(t.dtype)
        parts.append(part)
    return parts
