"""Operations of one's own: from an array function and its rule, with hand-derived gradients, or by recomputation."""

import functools
import inspect

import numpy as np

from .graph import backward_pass
from .modes import mode, nesting, recording
from .operation import Node, chosen, needs_input_grad, refuse_unknown, rule
from .tensor import Tensor, apply, now, record

__all__ = ["primitive", "Fused", "custom_vjp", "checkpoint"]


def primitive(function, *vjps):
    """Make a function of plain arrays an operation on Tensors, with one rule `vjp(g, y, *inputs, **options)` per argument.

    In-place structure comes in adjoint pairs of primitives, each the other's rule (gather/scatter, unfold/fold).
    """

    @functools.wraps(function)
    def compute(*arrays, **options):
        return unaliased(function(*arrays, **options), arrays)

    @functools.wraps(compute)
    def operation(*inputs, **options):
        if any(isinstance(x, Tensor) for x in inputs):
            return apply(compute, *inputs, **options)
        return function(*inputs, **options)

    rule(compute, *vjps)
    return operation


def unaliased(y, arrays):
    """y, or a view where it is one of `arrays`: recording locks y, and that must not lock an input."""
    for a in arrays:
        if y is a:
            return y.view()
    return y


class Fused:
    """An operation defined twice: fast, with saved intermediates, and as a textbook writes it. Orders >= 2 take the second."""

    accumulate = None

    def __init__(self, textbook, forward, backward, pure):
        functools.update_wrapper(self, textbook)
        self.__name__ = textbook.__name__.removeprefix("textbook_")
        self.textbook, self.forward, self.backward, self.pure = textbook, forward, backward, pure

    def __call__(self, *inputs, **kwargs):
        if kwargs:
            refuse_unknown(self, self.textbook, kwargs)
            inputs, kwargs = _in_place(self.textbook, inputs, kwargs)
        arrays, wrapped, traced = [], False, False
        for x in inputs:
            if isinstance(x, Tensor):
                wrapped, traced, x = True, traced or x.requires_grad, x._data
            arrays.append(x)
        y, saved = self.forward(*arrays, **kwargs)
        return record(self, inputs, kwargs, unaliased(y, arrays), traced, saved) if wrapped else y

    def pull(self, node, g, needed, create_graph):
        """The gradients of the inputs: by `backward` on arrays, or through `textbook` when they must be differentiable."""
        needs = needs_input_grad(node, needed)
        if True not in needs:
            return ()
        if not create_graph:
            arrays = [x._data if isinstance(x, Node) else x for x in node.inputs]
            return chosen(
                node, needs, self.backward(g, node._data, node.saved, needs, *arrays, **node.kwargs)
            )
        if self.pure:
            return chosen(
                node, needs, self.backward(g, node, None, needs, *node.inputs, **node.kwargs)
            )
        with recording():
            y = self.textbook(*node.inputs, **node.kwargs)
        return _scatter(y, node, g, needs, create_graph)

    def __repr__(self):
        return f"<fused {self.__name__}>"


def custom_vjp(textbook, forward, backward, *, pure=False):
    """The fast twin of `textbook`: an operation on arrays or Tensors that gives the same values and gradients.

    `forward(*arrays, **options) -> (y, saved)`; `backward(g, y, saved, needs, *arrays, **options)` -> one gradient for each
    positional argument, None where `needs` is False. Second and higher derivatives run through `textbook`; or, where
    `backward` is `pure`, plain NumPy on its arguments that needs nothing `saved`, through `backward` itself.
    """
    return Fused(textbook, forward, backward, pure)


def _in_place(textbook, inputs, options):
    """Arrays that were given by name, at their places among the inputs, so that they get gradients; and the other options."""
    if not any(isinstance(value, (Tensor, np.ndarray)) for value in options.values()):
        return inputs, options
    parameters, options = list(inspect.signature(textbook).parameters.values()), dict(options)
    last = max(
        i for i, p in enumerate(parameters) if isinstance(options.get(p.name), (Tensor, np.ndarray))
    )
    given, moved, name = (
        parameters[: len(inputs)],
        parameters[len(inputs) : last + 1],
        textbook.__name__.removeprefix("textbook_"),
    )
    if twice := [p.name for p in given if p.name in options]:
        raise TypeError(f"{name}: {twice[0]} came twice, by place and by name; give it once")
    if missing := [p.name for p in moved if p.default is p.empty and p.name not in options]:
        raise TypeError(f"{name}: {missing[0]} is missing; give it by place or by name")
    return (*inputs, *(options.pop(p.name, p.default) for p in moved)), options


def _scatter(y, node, g, needs, create_graph):
    """(input, gradient) for each input of a node that needs one, by a walk of its own from y = f(inputs) with seed g.

    The walk stays within f: where one input is computed from another, the outer walk carries on from there.
    """
    wanted = [x for x, need in zip(node.inputs, needs, strict=True) if need]
    found = backward_pass(y, g, wanted, create_graph=create_graph, within=True)
    return [(x, found.pop(x, None)) for x in wanted]  # f(x, x): once


class _Recompute:
    """What a checkpointed node runs when its gradient is asked for."""

    __name__ = "checkpoint"
    __module__ = "dlscratch"
    accumulate = None

    def __init__(self, f, args, kwargs):
        self.f, self.args, self.kwargs, self.nested = f, args, kwargs, mode.nested

    def pull(self, node, g, needed, create_graph):
        with recording(), nesting(self.nested):
            y = self.f(*self.args, **self.kwargs)
        if not np.array_equal(y._data, node._data, equal_nan=True):
            raise RuntimeError(
                "checkpoint: the function gave other values when it was run again, so its gradient would be wrong; "
                "it must not draw random numbers (Dropout) or change state"
            )
        return _scatter(y, node, g, needs_input_grad(node, needed), create_graph)


def checkpoint(f, *args, **kwargs):
    """f(*args), remembering nothing that f computes inside: backward runs f again. Time for memory.

    With a chain of n layers checkpointed every sqrt(n), memory falls from O(n) to O(sqrt(n)) for one more forward pass.
    f must give the same values when run again. Source: Chen et al., Training deep nets with sublinear memory cost, 2016.
    """
    start = now()
    y = f(*args, **kwargs)
    if not (mode.record and isinstance(y, Tensor) and y.requires_grad):
        return y
    return record(_Recompute(f, args, kwargs), _sources(y, start), {}, y._data, traced=True)


def _sources(y, start):
    """The Tensors made before `start` on which y depends: arguments, and whatever else f closes over."""
    found, stack, seen = [], [y], {y}
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
