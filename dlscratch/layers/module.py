"""Module: a function with parameters, found in its attributes in order of definition."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Any

import numpy as np

from ..engine import Array
from ..engine.tensor import unwrap
from .hooks import Handle, Hooks
from .parameters import Parameter, Parameters

__all__ = ["Module", "places"]


class Module:
    """A function with parameters: a subclass assigns them in `__init__` and defines `forward`.

    What is assigned to an attribute belongs to the model: Parameters, Modules, and arrays, which
    are buffers: part of its state, not learned. Lists, tuples and dicts of them are searched, too.
    Arrays under a name that begins with an underscore are private, unless `register_buffer` says
    otherwise. Names in `state_dict` are PyTorch's: "0.weight", "body.2.bias".

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch.layers import Linear, Module, Parameter
    >>> class Scaled(Module):
    ...     def __init__(self):
    ...         self.linear = Linear(3, 2, rng=0)
    ...         self.scale = Parameter(np.ones(2, "float32"))
    ...
    ...     def forward(self, x):
    ...         return self.scale * self.linear(x)
    >>> model = Scaled()
    >>> model(np.ones((5, 3), "float32")).shape
    (5, 2)
    >>> [name for name, _ in model.named_parameters()]
    ['linear.weight', 'linear.bias', 'scale']
    >>> model
    Scaled(
      (linear): Linear(3→2)
    )
    """

    training: bool = True
    _hooks: Hooks | None = None
    _persistent = MappingProxyType({})  # of buffers that were registered: whether they are saved

    def forward(self, *inputs: Array) -> Array:
        """The function. Raises NotImplementedError until a subclass defines it."""
        raise NotImplementedError(f"{type(self).__name__} defines no forward(self, x)")

    def __call__(self, *inputs, **options):
        if self._hooks:
            return self._hooks.call(self, inputs, options)
        return self.forward(*inputs, **options)

    def __setattr__(self, name, value):
        """Set an attribute, unless a parameter, module or buffer would drop out unseen."""
        old = self.__dict__.get(name)
        replaced = value is not None and value is not old  # not by `self.count += 1` of an array
        if replaced and isinstance(old, Parameter | Module | np.ndarray):
            _check_replacement(f"{type(self).__name__}.{name}", name, old, value)
            if isinstance(old, Parameter):
                # out of the vector: optimizers that hold it will say so
                old._data = old._data.copy()
        object.__setattr__(self, name, value)

    def __getattr__(self, name):
        """What PyTorch's modules have and these have not is named with its counterpart."""
        message = f"{type(self).__name__} has no attribute {name!r}"
        if name in _ELSEWHERE:
            message += f"; {_ELSEWHERE[name]}"
        raise AttributeError(message, name=name, obj=self)

    # Hooks ----------------------------------------------------------------------------------------

    def register_forward_pre_hook(self, hook: Callable) -> Handle:
        """Call hook(module, inputs) before each forward; what it returns replaces the inputs.

        `inputs` is the tuple of those without a name. `.remove()` on the handle undoes it.
        """
        return self._register_hook("forward_pre", hook)

    def register_forward_hook(self, hook: Callable) -> Handle:
        """Call hook(module, inputs, output) after each forward; what it returns replaces output."""
        return self._register_hook("forward", hook)

    def register_full_backward_hook(self, hook: Callable) -> Handle:
        """Call hook(module, grad_input, grad_output) when gradients reach the inputs.

        Both are tuples of arrays, with None where there is no gradient; what it returns replaces
        grad_input. If no input needs a gradient, it is called when those of the outputs are there.
        """
        return self._register_hook("full_backward", hook)

    def _register_hook(self, kind, hook):
        if self._hooks is None:
            self._hooks = Hooks()
        return self._hooks.register(kind, hook)

    # What it holds --------------------------------------------------------------------------------

    def register_buffer(self, name: str, tensor: Array | None, persistent: bool = True) -> None:
        """Make an array part of the model's state; one that is not persistent is not saved."""
        self._check_name("register_buffer", name)
        array = unwrap(tensor)
        if array is not None and not isinstance(array, np.ndarray):
            raise TypeError(
                f"register_buffer({name!r}): expected an array, got {type(tensor).__name__}; "
                "make it one: np.asarray(value)"
            )
        self._persistent = {**self._persistent, name: persistent}
        setattr(self, name, array)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """The same as `self.name = param`, for names that are computed."""
        self._check_name("register_parameter", name)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"register_parameter({name!r}): expected a Parameter, got {type(param).__name__}; "
                "make it one: Parameter(array)"
            )
        setattr(self, name, param)

    def add_module(self, name: str, module: Module | None) -> None:
        """The same as `self.name = module`, for names that are computed, such as "0"."""
        self._check_name("add_module", name)
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"add_module({name!r}): expected a Module, got {_kind(module)}")
        setattr(self, name, module)

    def _check_name(self, method, name):
        if not isinstance(name, str) or not name or "." in name or hasattr(type(self), name):
            raise ValueError(
                f"{method}: expected a name without a dot that {type(self).__name__} does not "
                f"use itself, got {name!r}; give it another"
            )

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """(name, module) for the modules directly inside, each once."""
        seen = set()
        for name, value in _members(self, ""):
            if isinstance(value, Module) and value not in seen:
                seen.add(value)
                yield name, value

    def children(self) -> Iterator[Module]:
        """The modules directly inside, each once."""
        return (module for _, module in self.named_children())

    def named_modules(
        self, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """(name, module) for this module, whose name is the prefix, and all inside, depth first.

        One that stands in several places comes once, by its first name, unless duplicates stay.
        """
        return self._walk(prefix, set() if remove_duplicate else None)

    def _walk(self, prefix, seen):
        if seen is not None:
            if self in seen:
                return
            seen.add(self)
        yield prefix, self
        for name, value in _members(self, prefix):
            if isinstance(value, Module):
                yield from value._walk(name, seen)

    def modules(self) -> Iterator[Module]:
        """This module and all inside it, depth first, each once."""
        return (module for _, module in self.named_modules())

    def get_submodule(self, target: str) -> Module:
        """The module of this name, such as "blocks.0.conv1"; "" is this one."""
        return self._get("get_submodule", target, self.named_modules(remove_duplicate=False))

    def get_parameter(self, target: str) -> Parameter:
        """The Parameter of this name, such as "blocks.0.conv1.weight"."""
        named = self.named_parameters(remove_duplicate=False)
        return self._get("get_parameter", target, named)

    def get_buffer(self, target: str) -> np.ndarray:
        """The buffer of this name, such as "bn.running_mean"."""
        return self._get("get_buffer", target, self.named_buffers(remove_duplicate=False))

    def _get(self, method, target, named):
        found = dict(named)
        if target not in found:
            raise AttributeError(
                f"{method}({target!r}): {type(self).__name__} holds none of this name; "
                f"expected one of {', '.join(map(repr, list(found)[:10]))}"
                f"{', ...' if len(found) > 10 else ''}"
            )
        return found[target]

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """(name, Parameter) in depth-first order of definition, the order in theta.

        Tied weights come once, by their first name, unless duplicates stay.
        """
        return self._named(Parameter, prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Parameters:
        """All Parameters, as a sequence that is also one vector: see `Parameters`."""
        return Parameters(p for _, p in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, np.ndarray]]:
        """(name, array) for all buffers, those that are not saved among them."""
        return self._named(np.ndarray, prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[np.ndarray]:
        """All buffers: arrays that belong to the model's state and are not learned."""
        return (array for _, array in self.named_buffers(recurse=recurse))

    def _named(self, kind, prefix, recurse, remove_duplicate):
        seen = set()
        for name, value, _ in self._held(prefix, recurse):
            if isinstance(value, kind) and id(value) not in seen:
                if remove_duplicate:
                    seen.add(id(value))
                yield name, value

    def _held(self, prefix="", recurse=True):
        """(name, value, whether it is saved) for each Parameter and buffer, under all its names."""
        for name, value in _members(self, prefix):
            if isinstance(value, Module):
                if recurse:
                    yield from value._held(name)
            elif isinstance(value, Parameter | np.ndarray):
                yield name, value, self._persistent.get(name.rpartition(".")[2], True)

    # State ----------------------------------------------------------------------------------------

    def _named_state(self):
        """(name, Parameter or buffer) for what is saved, under all its names."""
        return ((name, value) for name, value, saved in self._held() if saved)

    def state_dict(self) -> dict[str, np.ndarray]:
        """{name: copy of the array} for parameters and buffers."""
        return {name: np.array(unwrap(value)) for name, value in self._named_state()}

    def load_state_dict(self, state_dict: dict[str, Any], strict: bool = True) -> None:
        """Copy arrays into parameters and buffers of the same names: all of them, or nothing.

        Raises KeyError for missing or unexpected names unless strict=False, and ValueError for
        other shapes; then nothing was changed.
        """
        own = dict(self._named_state())
        missing = sorted(own.keys() - state_dict.keys())
        unexpected = sorted(state_dict.keys() - own.keys())
        if strict and (missing or unexpected):
            raise KeyError(
                f"load_state_dict: missing {missing}, unexpected {unexpected}; "
                "pass strict=False to load the rest"
            )
        arrays = {name: np.asarray(unwrap(state_dict[name])) for name in own if name in state_dict}
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

    def train(self, mode: bool = True) -> Module:
        """Set training mode here and inside: Dropout drops, BatchNorm uses the batch."""
        if not isinstance(mode, bool | np.bool_):
            raise TypeError(
                f"train(mode={mode!r}): expected True or False; "
                "to train a model, use dlscratch.training.fit"
            )
        for module in self.modules():
            module.training = bool(mode)
        return self

    def eval(self) -> Module:
        """Set evaluation mode here and inside."""
        return self.train(False)

    @contextlib.contextmanager
    def evaluation(self) -> Iterator[Module]:
        """`with model.evaluation():` sets evaluation mode; then each module gets its own back."""
        modes = [(module, module.training) for module in self.modules()]
        self.eval()
        try:
            yield self
        finally:
            for module, training in modes:
                module.training = training

    def requires_grad_(self, requires_grad: bool = True) -> Module:
        """Let all parameters learn, or with False freeze them; returns the model."""
        for _, p in self.named_parameters():
            p.requires_grad = requires_grad
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Take the gradients of all parameters away, or with set_to_none=False set them to 0."""
        for _, p in self.named_parameters():
            if set_to_none:
                p.grad = None
            elif p.grad is not None:
                p.grad[...] = 0

    def apply(self, fn: Callable[[Module], Any]) -> Module:
        """Call fn(module) for all modules inside and then for this one; returns the model."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def astype(self, dtype: np.typing.DTypeLike) -> Module:
        """Turn parameters and buffers of floats into `dtype`, in place; returns the model."""
        if np.dtype(dtype).kind != "f":
            raise TypeError(
                f"astype({dtype!r}): expected a dtype of floats, such as 'float32' or 'float64'; "
                "parameters are learned, and integers cannot be"
            )
        for _, p in self.named_parameters():
            p._data, p._grad = p._data.astype(dtype), None
            p.mark_written()
        for module in self.modules():
            attributes = vars(module)
            for name, value in list(attributes.items()):
                attributes[name] = _with_dtype(value, dtype)
        return self

    def copy(self) -> Module:
        """An independent model with the same numbers."""
        return copy.deepcopy(self)

    def __repr__(self):
        inside = [
            f"  ({name}): " + repr(module).replace("\n", "\n  ")
            for name, module in _members(self, "")
            if isinstance(module, Module)
        ]
        if not inside:
            return f"{type(self).__name__}()"
        return "\n".join([f"{type(self).__name__}(", *inside, ")"])


_ELSEWHERE = {  # what a user of PyTorch reaches for, and where it is
    "to": 'use model.astype("float64"); everything is computed where the arrays are',
    "float": 'use model.astype("float32")',
    "double": 'use model.astype("float64")',
    "half": 'use model.astype("float16")',
    "type": 'use model.astype("float64")',
    "cuda": "leave it out: everything is computed where the arrays are",
    "cpu": "leave it out: everything is computed where the arrays are",
    "compile": "leave it out: there is nothing to compile",
    "register_backward_hook": "use register_full_backward_hook",
    "fit": "use dlscratch.training.fit(model, loss, optimizer, data)",
    "predict": "call the model: model(x)",
    "save": "use dlscratch.checkpoints.save(model, path)",
}


def _members(module, prefix):
    """(name, value) of what the attributes hold, looking into lists, tuples and dicts."""
    for name, container, key in places(module, prefix):
        yield name, container[key]


def places(module: Module, prefix: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(name, container, key) for what a module holds itself: container[key] has the name.

    The container is the dict of the module's attributes, or a list, tuple or dict inside it.
    """
    attributes = vars(module)
    for name, value in attributes.items():
        if not _is_private(module, name, value):
            yield from _opened(f"{prefix}.{name}" if prefix else name, attributes, name)


def _is_private(module, name, value):
    counts_anyway = isinstance(value, Parameter | Module) or name in module._persistent
    return name.startswith("_") and not counts_anyway


def _opened(name, container, key):
    value = container[key]
    if isinstance(value, list | tuple):
        for i in range(len(value)):
            yield from _opened(f"{name}.{i}", value, i)
    elif isinstance(value, dict):
        for inner in value:
            yield from _opened(f"{name}.{inner}", value, inner)
    else:
        yield name, container, key


def _kind(value):
    shape = getattr(value, "shape", None)
    return f"{type(value).__name__} {shape}" if isinstance(shape, tuple) else type(value).__name__


def _check_replacement(full_name, name, old, value):
    if isinstance(old, Parameter) and not isinstance(value, Parameter):
        raise TypeError(
            f"{full_name}: expected a Parameter, got {_kind(value)}; write into it: "
            f"layer.{name}.data = array, or replace it: layer.{name} = Parameter(array)"
        )
    if isinstance(old, Module) and not isinstance(value, Module):
        raise TypeError(
            f"{full_name}: expected a Module, got {_kind(value)}; "
            "make a layer of it, or take this one out with None"
        )
    if isinstance(old, np.ndarray) and not isinstance(value, np.ndarray):
        raise TypeError(
            f"{full_name}: expected an array, which is a buffer, got {_kind(value)}; "
            f"write into it: layer.{name}[...] = value"
        )


def _with_dtype(value, dtype):
    """The value with arrays of floats in another dtype; lists and dicts stay the same objects."""
    if isinstance(value, np.ndarray):
        return value.astype(dtype) if value.dtype.kind == "f" else value
    if type(value) is tuple:
        return tuple(_with_dtype(item, dtype) for item in value)
    if type(value) is list:
        value[:] = [_with_dtype(item, dtype) for item in value]
    if type(value) is dict:
        value.update({key: _with_dtype(item, dtype) for key, item in value.items()})
    return value
