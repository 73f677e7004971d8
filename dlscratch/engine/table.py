"""The tables that say what every NumPy function does to a Tensor: its rule, its composition, or that it has no derivative."""

import inspect

__all__ = ["RULES", "COMPOSED", "CONSTANT", "Traced", "Rule", "rule", "composed", "constant", "describe"]

RULES = {}  # function -> Rule: how a gradient comes back through it
COMPOSED = {}  # function -> the same function written in terms of others that have rules
CONSTANT = set()  # functions without a derivative (or with derivative zero): they give plain arrays


class Traced:
    """What the walk follows. `Tensor` is its only child; it stands here so that imports point one way."""

    __slots__ = ()


class Rule:
    """The derivative of one function: one `vjp(g, y, *inputs, **options)` for each differentiable positional argument."""

    __slots__ = ("vjps", "variadic", "positional", "options")

    def __init__(self, vjps, variadic):
        parameters = list(inspect.signature(vjps[0]).parameters.values())[2:]
        self.vjps, self.variadic = vjps, variadic
        self.options = {p.name for p in parameters[1 if variadic else len(vjps) :] if p.kind != p.VAR_POSITIONAL}
        self.positional = float("inf") if variadic else sum(p.kind == p.POSITIONAL_OR_KEYWORD for p in parameters)

    def check(self, op, inputs, kwargs):
        """Refuse, when the graph is built, whatever the rule could not differentiate later."""
        unknown = sorted(kwargs.keys() - self.options)
        if unknown or len(inputs) > self.positional:
            what = ", ".join(unknown) or f"{len(inputs)} positional arguments"
            raise TypeError(f"{describe(op)} on a Tensor does not take {what}; its rule knows {sorted(self.options)}")
        for i, x in enumerate(inputs[len(self.vjps) :] if not self.variadic else ()):
            if isinstance(x, Traced) and x.requires_grad:
                place = i + len(self.vjps)
                raise TypeError(f"{describe(op)} has no derivative in argument {place}; pass that Tensor's .data")

    def pull(self, node, g, needs, lifted):
        """The gradients of the inputs that need one, given the gradient `g` of the output."""
        y, inputs, kwargs = node, node.inputs, node.kwargs
        if not lifted:
            y, inputs = node._data, [x._data if isinstance(x, Traced) else x for x in inputs]
        if self.variadic:
            (vjp,) = self.vjps
            return vjp(g, y, needs, *inputs, **kwargs)
        return [vjp(g, y, *inputs, **kwargs) if need else None for vjp, need in zip(self.vjps, needs, strict=False)]


def rule(function, *vjps, variadic=False):
    """Give `function` a derivative: `vjp(g, y, *inputs, **options)` returns dL/dinput, for g = dL/dy.

    A vjp is plain NumPy on its arguments only, so that it runs on arrays (first order) and on Tensors (any order).
    A variadic function has a single `vjp(g, y, needs, *inputs, **options)`, which returns the gradients of all inputs;
    `needs` says which are wanted.
    """
    RULES[function] = Rule(vjps, variadic)
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


def describe(op):
    """The name by which a reader knows an operation: `np.exp`, `np.linalg.inv`, `layer_norm`."""
    module = getattr(op, "__module__", None) or "numpy"
    name = getattr(op, "__name__", str(op))
    owner = getattr(op, "__self__", None)
    if type(owner).__name__ == "ufunc":  # np.add.reduce
        return f"np.{owner.__name__}.{name}"
    return f"np{module[5:]}.{name}" if module.startswith("numpy") else name
