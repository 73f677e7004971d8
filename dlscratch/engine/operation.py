"""What an operation is, and the registry: what every NumPy function does to a Tensor.

A node of the graph remembers the function that computed it, `node.op`. The way back is an
`Operation`:

- a `Rule`, registered for a plain function by `rule(np.tanh, lambda g, y, x: g * (1 - y * y))`; or
- the op itself, where it is an `Operation` with a backward pass of its own: `CustomOperation`
  (custom.py), a checkpoint (recompute.py), a module's hooks (layers/hooks.py).

This file knows nothing of Tensors; `graph.py`, the next one, carries gradients from operation to
operation.
"""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

__all__ = [
    "RULES",
    "COMPOSED",
    "CONSTANT",
    "Operation",
    "Rule",
    "VariadicRule",
    "rule",
    "composed",
    "constant",
    "describe",
    "refuse_unknown",
]

RULES = {}  # function -> Rule: how a gradient comes back through it
COMPOSED = {}  # function -> the same function written in terms of others that have rules
CONSTANT = set()  # functions without a derivative (or with derivative zero): they give plain arrays


class Operation:
    """Base class of whatever can bring a gradient back from an output to its inputs.

    `name` is how errors call it. `accumulate(total, g, *other_inputs)`, for an operation that reads
    only a part of its first input, adds the gradient of that input into the array `total` in place;
    None if there is no such shortcut.
    """

    name = "operation"
    accumulate = None

    def input_gradients(
        self,
        node: Any,
        g: Any,
        y: Any,
        inputs: Sequence,
        needs_input_grad: tuple[bool, ...],
        create_graph: bool,
    ) -> Sequence:
        """dL/dinput for each of the inputs, given g = dL/dy; None for one that has or needs none.

        Broadcasting need not be undone: who calls this sums each gradient to the shape of its
        input.

        Parameters
        ----------
        node : the node that this operation computed; `node.kwargs` and `node.saved` may be of use.
        g : dL/dy, an array of y's shape.
        y, inputs : the output and the inputs.
        needs_input_grad : a tuple that says for each input whether its gradient is needed.
        create_graph : whether the gradients must be differentiable in turn. Then g, y and `inputs`
            are Tensors, or constants as they came; otherwise they are arrays.
        """
        raise NotImplementedError


class Rule(Operation):
    """The derivative of a function: a `vjp(g, y, *inputs, **options)` for each argument.

    A vjp (vector-Jacobian product) is plain NumPy, so that it runs on arrays, for ordinary
    gradients, and on Tensors, which makes the gradient differentiable in turn.
    """

    least = 3  # positional arguments of a vjp: g, y, and an input

    def __init__(
        self, function: Callable, vjps: Sequence[Callable], accumulate: Callable | None = None
    ):
        self.function = function
        self.vjps = vjps
        self.accumulate = accumulate
        self._check_vjps()
        parameters = list(inspect.signature(vjps[0]).parameters.values())[2:]
        self.positional = sum(p.kind == p.POSITIONAL_OR_KEYWORD for p in parameters)
        self.options = _names(parameters[len(vjps) :])  # what has no vjp may come by name

    @property
    def name(self) -> str:
        return describe(self.function)

    def _check_vjps(self):
        if not self.vjps:
            raise TypeError(
                f"{self.name}: no rule; expected a function vjp(g, y, *inputs, **options) "
                "for each argument that has a derivative"
            )
        for i, vjp in enumerate(self.vjps):
            if not callable(vjp):
                raise TypeError(
                    f"{self.name}: rule {i} is a {type(vjp).__name__}; expected a function "
                    "vjp(g, y, *inputs, **options); it may return None where there is no gradient"
                )
            kinds = [p.kind for p in inspect.signature(vjp).parameters.values()]
            positional = kinds.count(inspect.Parameter.POSITIONAL_OR_KEYWORD)
            if positional < self.least and inspect.Parameter.VAR_POSITIONAL not in kinds:
                raise TypeError(
                    f"{self.name}: rule {i} takes {positional} arguments; expected "
                    "vjp(g, y, *inputs, **options): the gradient, the output, and all inputs"
                )

    def check_call(self, inputs: Sequence, kwargs: dict) -> None:
        """Refuse, when the graph is built, whatever the rule could not differentiate later."""
        unknown = sorted(kwargs.keys() - self.options)
        if unknown or len(inputs) > self.positional:
            what = ", ".join(unknown) or f"{len(inputs)} positional arguments"
            raise TypeError(
                f"{self.name} on a Tensor does not take {what}; "
                f"its rule knows {sorted(self.options)}"
            )
        for i in range(len(self.vjps), len(inputs)):
            if getattr(inputs[i], "requires_grad", False):
                raise TypeError(
                    f"{self.name} has no derivative in argument {i}; pass that Tensor's .data"
                )

    def input_gradients(
        self,
        node: Any,
        g: Any,
        y: Any,
        inputs: Sequence,
        needs_input_grad: tuple[bool, ...],
        create_graph: bool,
    ) -> Sequence:
        """See `Operation`: each vjp gives the gradient of its input."""
        kwargs = node.kwargs
        gradients = []
        try:
            for vjp, needed in zip(self.vjps, needs_input_grad):
                gradients.append(vjp(g, y, *inputs, **kwargs) if needed else None)
        except TypeError:
            self._refuse_other_arguments(g, y, *inputs, **kwargs)
            raise
        return gradients

    def _refuse_other_arguments(self, *args, **kwargs):
        """After a TypeError: raise a clearer one if a vjp cannot be called with these."""
        for i, vjp in enumerate(self.vjps):
            signature = inspect.signature(vjp)
            try:
                signature.bind(*args, **kwargs)
            except TypeError as error:
                raise TypeError(
                    f"{self.name}: rule {i} is vjp{signature}; expected "
                    f"vjp(g, y, *inputs, **options) for {len(args) - 2} inputs and the options "
                    f"{sorted(kwargs)}: {error}"
                ) from None


class VariadicRule(Rule):
    """The derivative of a function of any number of inputs.

    A single `vjp(g, y, needs_input_grad, *inputs, **options)` gives the gradients of all.
    """

    def __init__(
        self, function: Callable, vjps: Sequence[Callable], accumulate: Callable | None = None
    ):
        super().__init__(function, vjps, accumulate)
        self.positional = float("inf")
        self.options = _names(list(inspect.signature(vjps[0]).parameters.values())[3:])

    def check_call(self, inputs: Sequence, kwargs: dict) -> None:
        """See `Rule`: here all inputs are differentiable."""
        super().check_call((), kwargs)

    def input_gradients(
        self,
        node: Any,
        g: Any,
        y: Any,
        inputs: Sequence,
        needs_input_grad: tuple[bool, ...],
        create_graph: bool,
    ) -> Sequence:
        """See `Operation`."""
        if True not in needs_input_grad:
            return ()
        (vjp,) = self.vjps
        gradients = vjp(g, y, needs_input_grad, *inputs, **node.kwargs)
        return check_gradients(self, gradients, needs_input_grad)


def _names(parameters):
    return {p.name for p in parameters if p.kind != p.VAR_POSITIONAL}


def check_gradients(operation, gradients, needs_input_grad, most=0):
    """What a backward function returned, if it is one gradient for each input that needs one.

    It may return more, up to `most`: arguments that were not given have defaults, and gradients
    nobody wants.
    """
    count = len(needs_input_grad)
    if type(gradients) is tuple and len(gradients) == count:  # nearly always: a sixth of the time
        return gradients
    if not isinstance(gradients, (tuple, list)):
        raise TypeError(
            f"the gradient of {operation.name}: expected a tuple of {count}, one for each input, "
            f"got {type(gradients).__name__}; return (g, ...), with None where there is no gradient"
        )
    too_few = True in needs_input_grad[len(gradients) :]
    too_many = any(g is not None for g in gradients[max(count, most) :])
    if too_few or too_many:
        raise TypeError(
            f"the gradient of {operation.name}: expected {count} gradients, one for each input, "
            f"got {len(gradients)}; return None where there is no gradient"
        )
    return gradients[:count]


def rule(
    function: Callable,
    *vjps: Callable,
    variadic: bool = False,
    accumulate: Callable | None = None,
) -> Callable:
    """Give `function` a derivative: `vjp(g, y, *inputs, **options)`, dL/dinput for g = dL/dy.

    Parameters
    ----------
    function : a function of arrays, such as np.tanh.
    *vjps : one for each argument that has a derivative. Plain NumPy on its arguments only: a vjp
        that closes over an array of the forward pass is wrong at second order, and no first-order
        check sees it.
    variadic : there is a single `vjp(g, y, needs_input_grad, *inputs, **options)`, which returns
        the gradients of all inputs.
    accumulate : for f(x, ...) that reads only a part of x: `accumulate(total, g, ...)` adds the
        gradient into `total` in place, the same as total + vjp(g, y, x, ...) without an array of
        zeros for each part.

    Returns
    -------
    function
    """
    kind = VariadicRule if variadic else Rule
    RULES[function] = kind(function, vjps, accumulate)
    return function


def composed(*functions: Callable) -> Callable:
    """Decorator: on Tensors, these NumPy functions are the decorated composition of others."""

    def register(composition):
        COMPOSED.update(dict.fromkeys(functions, composition))
        return composition

    return register


def constant(*functions: Callable) -> None:
    """These functions have derivative zero or none: on Tensors they give plain arrays."""
    CONSTANT.update(functions)


@functools.cache
def _parameter_names(function):
    return tuple(inspect.signature(function).parameters)


def refuse_unknown(op: Any, definition: Callable, options: dict) -> None:
    """Raise TypeError for options that `definition`, the function behind `op`, does not have."""
    known = _parameter_names(definition)
    unknown = [name for name in options if name not in known]
    if unknown and "kwargs" not in known:
        raise TypeError(
            f"{describe(op)} does not take {', '.join(sorted(unknown))}; "
            f"on Tensors it knows {', '.join(known)}"
        )


def describe(op: Any) -> str:
    """The name by which a reader knows an operation: `np.exp`, `np.linalg.inv`, `layer_norm`."""
    if isinstance(op, Operation):
        return op.name
    module = getattr(op, "__module__", None) or "numpy"
    name = getattr(op, "__name__", str(op))
    owner = getattr(op, "__self__", None)
    if type(owner).__name__ == "ufunc":  # np.add.reduce
        return f"np.{owner.__name__}.{name}"
    return f"np{module[5:]}.{name}" if module.startswith("numpy") else name
