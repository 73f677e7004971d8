"""What layers without parameters share: a function and its options."""

import inspect

from .module import Module

__all__ = ["Function"]


class Function(Module):
    """y = function(*inputs, **options). A subclass names the function, and its options in the order of PyTorch's layer.

    Defaults are the function's. Raises TypeError for an option that is unknown, or is missing and has no default.
    """

    function, options = None, ""

    def __init_subclass__(cls):
        known = inspect.signature(cls.function).parameters if cls.options else {}
        cls.__signature__ = inspect.Signature([known[name] for name in cls.options.split()])

    def __init__(self, *args, **options):
        wanted = type(self).__signature__
        try:
            given = wanted.bind(*args, **options)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}: {error}; want {wanted}") from None
        given.apply_defaults()
        vars(self).update(given.arguments)

    def forward(self, *inputs, **named):
        return type(self).function(
            *inputs,
            **named,
            **{name: getattr(self, name) for name in type(self).__signature__.parameters},
        )

    def __repr__(self):
        options = type(self).__signature__.parameters.values()
        other = [
            f"{p.name}={getattr(self, p.name)}"
            for p in options
            if getattr(self, p.name) is not p.default
        ]
        return f"{type(self).__name__}({', '.join(other)})"
