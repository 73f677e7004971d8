"""What layers without parameters share: a function and its options."""

from .module import Module

__all__ = ["Function"]


class Function(Module):
    """y = function(*inputs, **options). A subclass names the function, and the options in PyTorch's order with its defaults.

    The default `...` stands for an option that must be given. Raises TypeError for one that is not, or is unknown.
    """

    function, defaults = None, {}

    def __init__(self, *args, **options):
        given = dict(zip(self.defaults, args, strict=False)) | options
        every = self.defaults | given
        if len(args) > len(self.defaults) or len(every) > len(self.defaults) or any(v is ... for v in every.values()):
            wanted = ", ".join(k if v is ... else f"{k}={v!r}" for k, v in self.defaults.items())
            raise TypeError(f"{type(self).__name__}: came {args} and {options}; want ({wanted})")
        vars(self).update(every)

    def forward(self, *inputs):
        return type(self).function(*inputs, **{name: getattr(self, name) for name in self.defaults})

    def __repr__(self):
        other = [f"{k}={getattr(self, k)}" for k, v in self.defaults.items() if getattr(self, k) is not v]
        return f"{type(self).__name__}({', '.join(other)})"
