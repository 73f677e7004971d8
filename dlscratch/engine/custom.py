"""Operations of one's own: an array function and its rule, or a hand-derived gradient."""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .graph import backward_pass
from .modes import recording
from .operation import Operation, check_gradients, describe, refuse_unknown, rule
from .tensor import Tensor, apply, record

__all__ = ["primitive", "CustomOperation", "custom_vjp", "input_gradients_through"]


def primitive(function: Callable, *vjps: Callable) -> Callable:
    """Make a function of plain arrays an operation on Tensors.

    In-place structure comes in adjoint pairs of primitives, each the other's rule (gather/scatter,
    unfold/fold).

    Parameters
    ----------
    function : computes an array from arrays (by position) and options (by name). It may write into
        arrays that it made, and call what NumPy cannot differentiate.
    *vjps : one `vjp(g, y, *inputs, **options)` = dL/dinput for each argument that has a derivative,
        given g = dL/dy and y = function(*inputs, **options). Broadcasting is undone by the caller.
        Written in NumPy on its arguments only, so that it runs on arrays and, for gradients of
        gradients, on Tensors.

    Returns
    -------
    The operation: on arrays the function as it was, on Tensors recorded.

    Raises
    ------
    TypeError
        For no vjp, or one that cannot be called with (g, y, *inputs); and from the operation, for a
        Tensor that is given by name.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import Tensor
    >>> from dlscratch.engine import primitive
    >>> softsign = primitive(
    ...     lambda x: x / (1 + np.abs(x)),
    ...     lambda g, y, x: g * np.square(1 - np.abs(y)),
    ... )
    >>> x = Tensor([1.0, -3.0], requires_grad=True)
    >>> softsign(x).sum().backward()
    >>> x.grad
    array([0.25  , 0.0625])
    """

    @functools.wraps(function)
    def compute(*arrays, **options):
        return _no_input(function(*arrays, **options), arrays)

    @functools.wraps(compute)
    def operation(*inputs, **options):
        if named := sorted(name for name, x in options.items() if isinstance(x, Tensor)):
            raise TypeError(
                f"{describe(compute)}: expected Tensors by position, for which there are rules; "
                f"came by name: {', '.join(named)}"
            )
        if any(isinstance(x, Tensor) for x in inputs):
            return apply(compute, *inputs, **options)
        return function(*inputs, **options)

    rule(compute, *vjps)
    return operation


def _no_input(y, arrays):
    """y, or a view of it where it is an input: recording locks y, which must not lock an input."""
    for a in arrays:
        if y is a:
            return y.view()
    return y


class CustomOperation(Operation):
    """An operation defined twice: fast with a hand-derived gradient, and as in a textbook.

    Made by `custom_vjp`. Gradients of gradients take the textbook's definition.
    """

    def __init__(self, textbook: Callable, forward: Callable, backward: Callable, pure: bool):
        functools.update_wrapper(self, textbook)
        self.name = textbook.__name__.removeprefix("textbook_")
        self.__name__ = self.name
        self.textbook = textbook
        self.forward = forward
        self.backward = backward
        self.pure = pure
        self.most_inputs = len(inspect.signature(textbook).parameters) if callable(textbook) else 0
        for part in ("textbook", "forward", "backward"):
            if not callable(getattr(self, part)):
                raise TypeError(
                    f"custom_vjp of {self.name}: {part} is a {type(getattr(self, part)).__name__}; "
                    "expected a function"
                )

    def __call__(self, *inputs, **kwargs):
        if kwargs:
            refuse_unknown(self, self.textbook, kwargs)
            inputs, kwargs = _arrays_by_position(self.textbook, inputs, kwargs)
        arrays = []
        wrapped = False
        traced = False
        for x in inputs:
            if isinstance(x, Tensor):
                wrapped = True
                traced = traced or x.requires_grad
                x = x._data
            arrays.append(x)
        result = self.forward(*arrays, **kwargs)
        if type(result) is not tuple or len(result) != 2:
            raise TypeError(
                f"{self.name}: forward returned {type(result).__name__}; expected a pair "
                "(y, saved), with saved = None if backward needs nothing"
            )
        y, saved = result
        if not wrapped:
            return y
        return record(self, inputs, kwargs, _no_input(y, arrays), traced, saved)

    def input_gradients(
        self,
        node: Any,
        g: Any,
        y: Any,
        inputs: Sequence,
        needs_input_grad: tuple[bool, ...],
        create_graph: bool,
    ) -> Sequence:
        """By `backward` on arrays, or through `textbook` when they must be differentiable."""
        if True not in needs_input_grad:
            return ()
        if create_graph and not self.pure:
            with recording():
                y = self.textbook(*inputs, **node.kwargs)
            return input_gradients_through(y, node, g, needs_input_grad, create_graph)
        saved = None if create_graph else node.saved
        gradients = self.backward(g, y, saved, needs_input_grad, *inputs, **node.kwargs)
        return check_gradients(self, gradients, needs_input_grad, self.most_inputs)

    def __repr__(self):
        return f"<custom operation {self.name}>"


def custom_vjp(
    textbook: Callable, forward: Callable, backward: Callable, *, pure: bool = False
) -> CustomOperation:
    """The fast twin of `textbook`: an operation that gives the same values and gradients.

    Parameters
    ----------
    textbook : the definition, composed of NumPy's functions; its signature is the operation's.
    forward : `forward(*arrays, **options) -> (y, saved)`, y as the textbook's, and whatever
        backward can use.
    backward : `backward(g, y, saved, needs_input_grad, *arrays, **options)` -> one gradient for
        each positional argument; None where `needs_input_grad` is False.
    pure : backward is plain NumPy on its arguments and uses nothing `saved`, so that gradients of
        gradients can run through it. Otherwise they run through `textbook`.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import Tensor
    >>> from dlscratch.engine import custom_vjp
    >>> def textbook_softsign(x):
    ...     return x / (1 + np.abs(x))
    >>> def forward(x):
    ...     scale = 1 / (1 + np.abs(x))
    ...     return x * scale, scale
    >>> def backward(g, y, scale, needs_input_grad, x):
    ...     return (g * scale * scale,)
    >>> softsign = custom_vjp(textbook_softsign, forward, backward)
    >>> x = Tensor([1.0, -3.0], requires_grad=True)
    >>> softsign(x).sum().backward()
    >>> x.grad
    array([0.25  , 0.0625])
    """
    return CustomOperation(textbook, forward, backward, pure)


def _arrays_by_position(textbook, inputs, options):
    """Move arrays given by name to their places among the inputs, so that they get gradients.

    Returns the inputs and the other options.
    """
    if not any(isinstance(value, (Tensor, np.ndarray)) for value in options.values()):
        return inputs, options
    name = textbook.__name__.removeprefix("textbook_")
    parameters = list(inspect.signature(textbook).parameters.values())
    places = [
        i for i, p in enumerate(parameters) if isinstance(options.get(p.name), (Tensor, np.ndarray))
    ]
    given = parameters[: len(inputs)]
    moved = parameters[len(inputs) : max(places) + 1]
    twice = [p.name for p in given if p.name in options]
    if twice:
        raise TypeError(f"{name}: {twice[0]} came twice, by place and by name; give it once")
    missing = [p.name for p in moved if p.default is p.empty and p.name not in options]
    if missing:
        raise TypeError(f"{name}: {missing[0]} is missing; give it by place or by name")
    options = dict(options)
    return (*inputs, *(options.pop(p.name, p.default) for p in moved)), options


def input_gradients_through(
    y: Tensor, node: Tensor, g: Any, needs_input_grad: tuple[bool, ...], create_graph: bool
) -> list:
    """The gradients of a node's inputs by a backward pass of its own, from y = f(inputs).

    It starts with dL/dy = g and stays within f: where one input is computed from another, the outer
    backward pass carries on from there.
    """
    targets = [x for x, needed in zip(node.inputs, needs_input_grad, strict=True) if needed]
    found = backward_pass(y, g, targets, create_graph=create_graph, stop_at_targets=True)
    # f(x, x): the one gradient is that of both places together, so that the second place gets None
    return [
        found.pop(x, None) if needed else None
        for x, needed in zip(node.inputs, needs_input_grad, strict=True)
    ]
