"""The tables that say what every NumPy function does to a Tensor: its rule, its composition, or that it has no derivative."""

import functools
import inspect

__all__ = [
    "RULES",
    "COMPOSED",
    "CONSTANT",
    "Node",
    "Rule",
    "rule",
    "composed",
    "constant",
    "describe",
    "refuse_unknown",
]

RULES = {}  # function -> Rule: how a gradient comes back through it
COMPOSED = {}  # function -> the same function written in terms of others that have rules
CONSTANT = set()  # functions without a derivative (or with derivative zero): they give plain arrays


class Node:
    """What the walk follows. `Tensor` is its only child; it stands here so that imports point one way."""

    __slots__ = ()


class Rule:
    """The derivative of one function: one `vjp(g, y, *inputs, **options)` for each differentiable positional argument."""

    __slots__ = ("vjps", "variadic", "positional", "options", "accumulate")

    def __init__(self, vjps, variadic, accumulate):
        parameters = list(inspect.signature(vjps[0]).parameters.values())[2:]
        self.vjps, self.variadic, self.accumulate = vjps, variadic, accumulate
        self.options = {
            p.name for p in parameters[1 if variadic else len(vjps) :] if p.kind != p.VAR_POSITIONAL
        }
        self.positional = (
            float("inf") if variadic else sum(p.kind == p.POSITIONAL_OR_KEYWORD for p in parameters)
        )

    def check(self, op, inputs, kwargs):
        """Refuse, when the graph is built, whatever the rule could not differentiate later."""
        unknown = sorted(kwargs.keys() - self.options)
        if unknown or len(inputs) > self.positional:
            what = ", ".join(unknown) or f"{len(inputs)} positional arguments"
            raise TypeError(
                f"{describe(op)} on a Tensor does not take {what}; its rule knows {sorted(self.options)}"
            )
        for i, x in enumerate(inputs[len(self.vjps) :] if not self.variadic else ()):
            if isinstance(x, Node) and x.requires_grad:
                place = i + len(self.vjps)
                raise TypeError(
                    f"{describe(op)} has no derivative in argument {place}; pass that Tensor's .data"
                )

    def pull(self, node, g, needed, create_graph):
        """(input, its gradient) for each input that needs one, given the gradient `g` of the output."""
        if create_graph:
            y, arrays = node, node.inputs
        else:
            y, arrays = node._data, [x._data if isinstance(x, Node) else x for x in node.inputs]
        if self.variadic:
            (vjp,), needs = self.vjps, needs_input_grad(node, needed)
            yield from chosen(
                node, needs, vjp(g, y, needs, *arrays, **node.kwargs) if True in needs else ()
            )
            return
        for x, vjp in zip(node.inputs, self.vjps, strict=False):
            if isinstance(x, Node) and x.requires_grad and (needed is None or x in needed):
                yield x, vjp(g, y, *arrays, **node.kwargs)


def needs_input_grad(node, needed):
    """For each input of a node, whether its gradient is wanted: all that can have one, or those that are `needed`."""
    return tuple(
        isinstance(x, Node) and x.requires_grad and (needed is None or x in needed)
        for x in node.inputs
    )


def chosen(node, needs, gradients):
    """(input, its gradient) for the inputs that need one."""
    return ((x, g) for x, need, g in zip(node.inputs, needs, gradients, strict=False) if need)


def rule(function, *vjps, variadic=False, accumulate=None):
    """Give `function` a derivative: `vjp(g, y, *inputs, **options)` returns dL/dinput, for g = dL/dy.

    A vjp is plain NumPy on its arguments only, so that it runs on arrays (first order) and on Tensors (any order).
    A variadic function has a single `vjp(g, y, needs, *inputs, **options)`, which returns the gradients of all inputs;
    `needs` says which are wanted. For f(x, ...) that reads only a part of x, `accumulate(total, g, ...)` adds the gradient into
    `total` in place: the same as total + vjp(g, y, x, ...), without an array of zeros for each part.
    """
    RULES[function] = Rule(vjps, variadic, accumulate)
    return function


def composed(*functions):
    """Decorator: on Tensors, these NumPy functions are the decorated composition of functions that have rules."""

    def register(composition):
        COMPOSED.update(dict.fromkeys(functions, composition))
        return composition

    return register


def constant(*functions):
    """These functions have no derivative or derivative zero: on Tensors they compute with the data and give plain arrays."""
    CONSTANT.update(functions)


@functools.cache
def _names(function):
    return tuple(inspect.signature(function).parameters)


def refuse_unknown(op, definition, options):
    """Raise TypeError for options that `definition`, the Python function behind `op`, does not have."""
    if (unknown := sorted(options.keys() - _names(definition))) and "kwargs" not in _names(
        definition
    ):
        raise TypeError(
            f"{describe(op)} does not take {', '.join(unknown)}; on Tensors it knows {', '.join(_names(definition))}"
        )


def describe(op):
    """The name by which a reader knows an operation: `np.exp`, `np.linalg.inv`, `layer_norm`."""
    module = getattr(op, "__module__", None) or "numpy"
    name = getattr(op, "__name__", str(op))
    owner = getattr(op, "__self__", None)
    if type(owner).__name__ == "ufunc":  # np.add.reduce
        return f"np.{owner.__name__}.{name}"
    return f"np{module[5:]}.{name}" if module.startswith("numpy") else name
