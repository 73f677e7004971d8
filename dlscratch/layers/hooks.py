"""Hooks: what a module calls around its forward pass, and when gradients reach its inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine.operation import Operation
from ..engine.tensor import Tensor, record

if TYPE_CHECKING:
    from .module import Module

__all__ = ["Handle", "Hooks"]


class Hooks:
    """A module's hooks, called as they were registered; what one returns replaces its input."""

    def __init__(self):
        self.forward_pre = {}
        self.forward = {}
        self.full_backward = {}

    def __bool__(self):
        return bool(self.forward_pre or self.forward or self.full_backward)

    def register(self, kind: str, hook: Callable) -> Handle:
        """Add a hook; `.remove()` on the Handle undoes it. Raises TypeError for no function."""
        if not callable(hook):
            raise TypeError(
                f"a hook of type {type(hook).__name__}; want a function, "
                "such as lambda module, *arguments: None"
            )
        return Handle(getattr(self, kind), hook)

    def call(self, module: Module, inputs: tuple, options: dict[str, Any]) -> Any:
        """module.forward(*inputs, **options), with the hooks around it."""
        for hook in list(self.forward_pre.values()):
            inputs = _replaced_by(hook(module, inputs), inputs)
        if not self.full_backward:
            return self._forward(module, inputs, options)
        backward = _BackwardHooks(module, self.full_backward)
        inputs = backward.watch_inputs(inputs)
        output = self._forward(module, inputs, options)
        if isinstance(output, tuple):
            return backward.watch_outputs(output)
        return backward.watch_outputs((output,))[0]

    def _forward(self, module, inputs, options):
        output = module.forward(*inputs, **options)
        for hook in list(self.forward.values()):
            new = hook(module, inputs, output)
            output = output if new is None else new
        return output


class Handle:
    """What registering a hook returns."""

    def __init__(self, hooks: dict, hook: Callable):
        self.hooks = hooks
        hooks[self] = hook  # an id in its place would be given anew when nobody keeps the handle

    def remove(self) -> None:
        """Stop calling the hook."""
        self.hooks.pop(self, None)


class _BackwardHooks:
    """The backward hooks of one call: they wait for grad_output, then for grad_input."""

    def __init__(self, module, hooks):
        self.module = module
        self.hooks = hooks
        self.grad_output = None  # stays None where the gradient comes past the outputs: by (h, c)

    def watch_inputs(self, inputs):
        """The inputs; when their gradients are there, the hooks are called and may replace them."""
        self.number_of_inputs = len(inputs)
        self.inputs_need_grad = any(map(_needs_grad, inputs))
        return _watch(inputs, self._run)

    def watch_outputs(self, outputs):
        """The outputs; their gradients are kept for the hooks."""
        self.number_of_outputs = len(outputs)
        return _watch(outputs, self._keep_grad_output)

    def _keep_grad_output(self, grad_output):
        self.grad_output = grad_output
        if not self.inputs_need_grad:  # so that none will come there
            self._run((None,) * self.number_of_inputs)
        return grad_output

    def _run(self, grad_input):
        grad_output = self.grad_output or (None,) * self.number_of_outputs
        self.grad_output = None
        for hook in list(self.hooks.values()):
            new = _replaced_by(hook(self.module, grad_input, grad_output), grad_input)
            self._check(new, grad_input)
            grad_input = new
        return grad_input

    def _check(self, new, grad_input):
        got = [None if g is None else np.shape(g) for g in new]
        wanted = [None if g is None else np.shape(g) for g in grad_input]
        fit = len(got) == len(wanted) and all(
            a == b or a is None or b is None for a, b in zip(got, wanted, strict=True)
        )
        if not fit:
            raise ValueError(
                f"a backward hook of {type(self.module).__name__}: gradients of shapes {got}; "
                f"want {wanted}, one for each input"
            )


def _replaced_by(new, old):
    """What a hook returned, as a tuple; the old tuple if it returned nothing."""
    if new is None:
        return old
    return new if isinstance(new, tuple) else (new,)


def _needs_grad(value):
    return isinstance(value, Tensor) and value.requires_grad


class _Together(Operation):
    """The identity on several Tensors, joined in one row so that their gradients arrive together.

    Each then passes through `replace`, a function of the list of all gradients.
    """

    name = "backward hook"

    def __init__(self, replace):
        self.replace = replace

    def input_gradients(self, node, g, y, inputs, needs_input_grad, create_graph):
        return self.replace(_cut(g, [x.shape for x in inputs]))


def _cut(row, shapes):
    """The arrays of these shapes that stand one after the other in a row."""
    ends = np.cumsum([np.prod(shape, dtype=int) for shape in shapes]).tolist()
    starts = [0, *ends[:-1]]
    return [np.reshape(row[a:b], s) for a, b, s in zip(starts, ends, shapes, strict=True)]


def _watch(values, on_gradients):
    """The values, unchanged; on_gradients(tuple) gets the gradients of all and returns new ones.

    It is called once, when all are there, with None for values that need no gradient.
    """
    places = [i for i, value in enumerate(values) if _needs_grad(value)]
    if not places:
        return values
    tensors = tuple(values[i] for i in places)

    def replace(gradients):
        of_all = [None] * len(values)
        for i, g in zip(places, gradients, strict=True):
            of_all[i] = g
        new = on_gradients(tuple(of_all))
        return [new[i] for i in places]

    row = np.concatenate([t.data.ravel() for t in tensors])  # of the widest dtype of all
    joined = record(_Together(replace), tensors, {}, row, traced=True)
    watched = list(values)
    for i, part, t in zip(places, _cut(joined, [t.shape for t in tensors]), tensors, strict=True):
        watched[i] = part if part.dtype == t.dtype else part.astype(t.dtype)
    return tuple(watched)
