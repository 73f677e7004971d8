"""Module: a function with parameters. Whatever is assigned to its attributes is found there, in order of definition."""

import contextlib
import copy

import numpy as np

from .hooks import Hooks
from .parameters import Parameter, Parameters

__all__ = ["Module", "Sequential"]


class Module:
    """A function with parameters: subclasses assign Parameters, Modules and arrays (buffers) in __init__ and define forward.

    Lists, tuples and dicts of them are searched too; names that begin with an underscore are not. Names in `state_dict`
    are those of PyTorch: "0.weight", "body.2.bias".
    """

    training, _hooks = True, None

    def forward(self, *inputs):
        """The function. Raises NotImplementedError until a subclass defines it."""
        raise NotImplementedError(f"{type(self).__name__} defines no forward(self, x)")

    def __call__(self, *inputs, **options):
        return (
            self._hooks.call(self, inputs, options)
            if self._hooks
            else self.forward(*inputs, **options)
        )

    def register_forward_pre_hook(self, hook):
        """Call hook(module, inputs) before each forward, inputs being those without a name; what it returns replaces them.

        `.remove()` on what is returned undoes it, as for the two below.
        """
        return self._hooked("before", hook)

    def register_forward_hook(self, hook):
        """Call hook(module, inputs, output) after each forward; what it returns replaces the output."""
        return self._hooked("after", hook)

    def register_full_backward_hook(self, hook):
        """Call hook(module, grad_input, grad_output) when gradients reach the inputs; what it returns replaces grad_input.

        Both are tuples, of arrays, with None where there is no gradient; if no input needs one, it is called at the output.
        """
        return self._hooked("backward", hook)

    def _hooked(self, kind, hook):
        self._hooks = self._hooks or Hooks()
        return self._hooks.add(kind, hook)

    # Finding what it holds --------------------------------------------------------------------------------------------

    def named_modules(self, prefix=""):
        """(name, module) for this module (its name is the prefix) and all inside it, depth first."""
        yield prefix, self
        for name, value in _members(self, prefix):
            if isinstance(value, Module):
                yield from value.named_modules(name)

    def modules(self):
        """This module and all inside it, depth first."""
        return (m for _, m in self.named_modules())

    def named_parameters(self):
        """(name, Parameter) in depth-first order of definition, which is the order in theta; tied weights appear once."""
        seen = set()
        for name, value in self._named_state():
            if isinstance(value, Parameter) and id(value) not in seen:
                seen.add(id(value))
                yield name, value

    def parameters(self):
        """All Parameters, as a sequence that is also one vector: see `Parameters`."""
        return Parameters(p for _, p in self.named_parameters())

    def _named_state(self, prefix=""):
        for name, value in _members(self, prefix):
            if isinstance(value, Module):
                yield from value._named_state(name)
            elif isinstance(value, (Parameter, np.ndarray)):
                yield name, value

    # State ------------------------------------------------------------------------------------------------------------

    def state_dict(self):
        """{name: copy of the array} for parameters and buffers."""
        return {
            name: np.array(v.data if isinstance(v, Parameter) else v)
            for name, v in self._named_state()
        }

    def load_state_dict(self, state_dict, strict=True):
        """Copy arrays into the parameters and buffers of the same names; nothing is changed if anything does not fit.

        Raises KeyError for missing or unexpected names (unless strict=False) and ValueError for other shapes.
        """
        own, state = dict(self._named_state()), state_dict
        missing, unexpected = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
        if strict and (missing or unexpected):
            raise KeyError(
                f"load_state_dict: missing {missing}, unexpected {unexpected}; pass strict=False to load the rest"
            )
        arrays = {name: np.asarray(state[name]) for name in own if name in state}
        for name, array in arrays.items():
            if array.shape != own[name].shape:
                raise ValueError(
                    f"load_state_dict: {name} came with shape {array.shape}, want {own[name].shape}"
                )
        for name, array in arrays.items():
            if isinstance(own[name], Parameter):
                own[name].data = array
            else:
                own[name][...] = array

    def train(self, mode=True):
        """Set training mode here and inside: Dropout drops, BatchNorm uses the batch."""
        for m in self.modules():
            m.training = mode
        return self

    def eval(self):
        """Set evaluation mode here and inside."""
        return self.train(False)

    @contextlib.contextmanager
    def evaluation(self):
        """`with model.evaluation():` sets evaluation mode inside; then each module gets its own mode back."""
        modes = [(module, module.training) for module in self.modules()]
        self.eval()
        try:
            yield self
        finally:
            for module, training in modes:
                module.training = training

    def zero_grad(self):
        """Set all gradients to zero."""
        if next(self.named_parameters(), None):
            self.parameters().zero_grad()

    def astype(self, dtype):
        """Turn parameters and buffers of floats into `dtype`, in place; returns the model."""
        for _, p in self.named_parameters():
            p._data, p._grad = p._data.astype(dtype), None
            p.mark_written()
        for m in self.modules():
            for name, value in vars(m).items():
                if isinstance(value, np.ndarray) and value.dtype.kind == "f":
                    setattr(m, name, value.astype(dtype))
        return self

    def copy(self):
        """An independent model with the same numbers."""
        return copy.deepcopy(self)

    def __repr__(self):
        inside = [
            f"  ({n}): " + repr(m).replace("\n", "\n  ")
            for n, m in _members(self, "")
            if isinstance(m, Module)
        ]
        return (
            "\n".join([f"{type(self).__name__}(", *inside, ")"])
            if inside
            else f"{type(self).__name__}()"
        )


def _members(module, prefix):
    for name, value in vars(module).items():
        if not name.startswith("_"):
            yield from _named(f"{prefix}.{name}" if prefix else name, value)


def _named(name, value):
    if isinstance(value, (list, tuple)):
        for i, v in enumerate(value):
            yield from _named(f"{name}.{i}", v)
    elif isinstance(value, dict):
        for k, v in value.items():
            yield from _named(f"{name}.{k}", v)
    else:
        yield name, value


class Sequential(Module):
    """y = f_n(... f_2(f_1(x))): modules applied one after the other, named "0", "1", ... as in PyTorch."""

    def __init__(self, *modules):
        for i, m in enumerate(modules):
            if not isinstance(m, Module):
                raise TypeError(
                    f"Sequential: argument {i} is {type(m).__name__}; want a Module (np.tanh is Tanh())"
                )
            setattr(self, str(i), m)

    def forward(self, x):
        for m in self:
            x = m(x)
        return x

    def __iter__(self):
        return (v for k, v in vars(self).items() if k.isdigit())

    def __len__(self):
        return sum(k.isdigit() for k in vars(self))

    def __getitem__(self, index):
        found = list(self)[index]
        return Sequential(*found) if isinstance(index, slice) else found
