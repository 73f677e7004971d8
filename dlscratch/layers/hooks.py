"""Hooks: functions that a module calls before and after its forward, and when gradients have come back to its inputs."""

import numpy as np

from ..engine.operation import Operation
from ..engine.tensor import Tensor, record

__all__ = ["Hooks"]


class Hooks:
    """A module's hooks, called in the order in which they were registered; what one returns, if not None, is passed on instead."""

    def __init__(self):
        self.before, self.after, self.backward = {}, {}, {}

    def __bool__(self):
        return bool(self.before or self.after or self.backward)

    def add(self, kind, hook):
        """Register; `.remove()` on what is returned undoes it. Raises TypeError for what cannot be called."""
        if not callable(hook):
            raise TypeError(
                f"a hook of type {type(hook).__name__}; want a function, such as lambda module, *arguments: None"
            )
        return _Handle(getattr(self, kind), hook)

    def call(self, module, inputs, options):
        """module.forward(*inputs, **options) with all that was registered around it."""
        for hook in list(self.before.values()):
            inputs = _tuple(hook(module, inputs), inputs)
        slopes = {}  # none where the gradient comes past the outputs: through an LSTM's (h, c), which is a tuple in the tuple
        if self.backward:
            told = lambda gradients: self._came_back(
                module, gradients, slopes.pop("output", (None,) * len(outputs))
            )
            inputs, heard = _gate(inputs, told)
        y = module.forward(*inputs, **options)
        for hook in list(self.after.values()):
            new = hook(module, inputs, y)
            y = y if new is None else new
        if not self.backward:
            return y
        outputs = _tuple(y, (y,))

        def at_output(gradients):
            slopes["output"] = gradients
            if not heard:  # no input needs a gradient, so that none will come there
                self._came_back(module, (None,) * len(inputs), gradients)
            return gradients

        passed, _ = _gate(outputs, at_output)
        return passed if isinstance(y, tuple) else passed[0]

    def _came_back(self, module, grad_input, grad_output):
        for hook in list(self.backward.values()):
            new = _tuple(hook(module, grad_input, grad_output), grad_input)
            came, want = (
                [None if g is None else np.shape(g) for g in gradients]
                for gradients in (new, grad_input)
            )
            if len(came) != len(want) or any(
                None not in pair and pair[0] != pair[1] for pair in zip(came, want)
            ):
                raise ValueError(
                    f"a backward hook of {type(module).__name__}: gradients of shapes {came}; want {want}, one for each input"
                )
            grad_input = new
        return grad_input


def _tuple(value, otherwise=None):
    return otherwise if value is None else value if isinstance(value, tuple) else (value,)


class _Gate(Operation):
    """The operation that passes Tensors on in one row: their gradients are then there together, and `told` may change them."""

    name = "hook"

    def __init__(self, told):
        self.told = told

    def input_gradients(self, node, g, y, inputs, needs_input_grad, create_graph):
        shapes = [x.shape for x in inputs]
        return self.told(_cut(g, shapes))


def _cut(row, shapes):
    ends = np.cumsum([np.prod(s, dtype=int) for s in shapes]).tolist()
    return [np.reshape(row[a:b], s) for a, b, s in zip([0, *ends], ends, shapes)]


def _gate(values, told):
    """The values, and whether any needs a gradient: `told` hears of all when they come, None for those that need none."""
    at = [i for i, v in enumerate(values) if isinstance(v, Tensor) and v.requires_grad]
    if not at:
        return values, False
    tensors = tuple(values[i] for i in at)

    def among_all(gradients):
        found = dict(zip(at, gradients, strict=True))
        new = told(tuple(found.get(i) for i in range(len(values))))
        return [new[i] for i in at]

    row = record(
        _Gate(among_all),
        tensors,
        {},
        np.concatenate([t.data.ravel() for t in tensors]),
        traced=True,
    )
    parts = _cut(row, [t.shape for t in tensors])  # of the widest dtype of all
    parts = {
        i: part if part.dtype == t.dtype else part.astype(t.dtype)
        for i, part, t in zip(at, parts, tensors, strict=True)
    }
    return tuple(parts.get(i, v) for i, v in enumerate(values)), True


class _Handle:
    def __init__(self, hooks, hook):
        self.hooks = hooks
        hooks[self] = hook  # its id would be given anew when nobody keeps the handle

    def remove(self):
        """Stop calling the hook."""
        self.hooks.pop(self, None)
