"""Modules that hold others: in a row, in a list, in a dict; and the one that does nothing."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any

from ..engine import Array
from .module import Module

__all__ = ["Sequential", "ModuleList", "ModuleDict", "Identity"]


class _Numbered(Module):
    """What Sequential and ModuleList share: modules named "0", "1", ..., edited as a list."""

    def _set_modules(self, modules):
        """Hold these and no others."""
        modules = [self._checked(module, place) for place, module in enumerate(modules)]
        attributes = vars(self)
        for name in [name for name in attributes if name.isdigit()]:
            del attributes[name]
        attributes.update({str(i): module for i, module in enumerate(modules)})

    def _checked(self, module, place):
        if isinstance(module, Module):
            return module
        repair = "np.tanh is Tanh()"
        if isinstance(module, type):
            repair = f"call the class: {module.__name__}()"
        if isinstance(module, list | tuple):
            repair = f"unpack it: {type(self).__name__}(*layers)"
        if isinstance(module, Mapping):
            repair = f"names are 0, 1, ...: {type(self).__name__}(*layers.values())"
        raise TypeError(
            f"{type(self).__name__}: argument {place} is {type(module).__name__}; "
            f"want a Module ({repair})"
        )

    def __iter__(self) -> Iterator[Module]:
        return (value for name, value in vars(self).items() if name.isdigit())

    def __len__(self):
        return sum(name.isdigit() for name in vars(self))

    def __getitem__(self, index):
        return list(self)[index]

    def __setitem__(self, index, module):
        modules = list(self)
        modules[index] = module
        self._set_modules(modules)

    def __delitem__(self, index):
        modules = list(self)
        del modules[index]
        self._set_modules(modules)

    def append(self, module: Module):
        """Add one module at the end; returns the container."""
        vars(self)[str(len(self))] = self._checked(module, len(self))
        return self

    def insert(self, index: int, module: Module):
        """Put one module before the one at `index`; returns the container."""
        modules = list(self)
        modules.insert(index, module)
        self._set_modules(modules)
        return self

    def extend(self, modules: Iterable[Module]):
        """Add modules at the end; returns the container."""
        self._set_modules([*self, *modules])
        return self

    def pop(self, index: int = -1) -> Module:
        """Take one module out and return it."""
        module = self[index]
        del self[index]
        return module


class Sequential(_Numbered):
    """y = f_n(... f_2(f_1(x))): modules applied one after the other, named "0", "1", ...

    It is edited as a list is: append, insert, extend, pop, `model[1] = ...`, `del model[1]`; a
    slice is a Sequential of the same modules. Make the optimizer afterwards. Raises TypeError for
    what is no Module.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch.layers import Linear, ReLU, Sequential
    >>> model = Sequential(Linear(4, 8, rng=0), ReLU(), Linear(8, 3, rng=1))
    >>> model(np.ones((2, 4), "float32")).shape
    (2, 3)
    >>> model.insert(2, ReLU())
    Sequential(
      (0): Linear(4→8)
      (1): ReLU()
      (2): ReLU()
      (3): Linear(8→3)
    )
    >>> len(model[:2])
    2
    """

    def __init__(self, *modules: Module):
        self._set_modules(modules)

    def forward(self, x: Array) -> Array:
        for module in self:
            x = module(x)
        return x

    def __getitem__(self, index):
        found = super().__getitem__(index)
        return Sequential(*found) if isinstance(index, slice) else found


class ModuleList(_Numbered):
    """A list of modules, named "0", "1", ...; a plain list in an attribute does the same.

    Examples
    --------
    >>> from dlscratch.layers import Linear, ModuleList
    >>> blocks = ModuleList(Linear(3, 3, rng=i) for i in range(2))
    >>> len(blocks.append(Linear(3, 1, rng=2)))
    3
    >>> [name for name, _ in blocks.named_parameters()][:3]
    ['0.weight', '0.bias', '1.weight']
    """

    def __init__(self, modules: Iterable[Module] | None = None):
        self._set_modules(() if modules is None else modules)

    def __getitem__(self, index):
        found = super().__getitem__(index)
        return ModuleList(found) if isinstance(index, slice) else found


class ModuleDict(Module):
    """A dict of modules, named by their keys; a plain dict in an attribute does the same.

    Raises ValueError for a key that is no string, holds a dot or is the name of a method.

    Examples
    --------
    >>> from dlscratch.layers import Linear, ModuleDict
    >>> heads = ModuleDict({"mean": Linear(3, 1, rng=0), "variance": Linear(3, 1, rng=1)})
    >>> list(heads.keys())
    ['mean', 'variance']
    >>> [name for name, _ in heads.named_parameters()][:2]
    ['mean.weight', 'mean.bias']
    """

    def __init__(self, modules: Mapping[str, Module] | None = None):
        self.update(modules or {})

    def update(self, modules: Mapping[str, Module]) -> None:
        """Add these modules, in place of others of the same keys."""
        for key, module in dict(modules).items():
            self[key] = module

    def __setitem__(self, key, module):
        if not isinstance(module, Module):
            raise TypeError(f"ModuleDict[{key!r}]: want a Module, got {type(module).__name__}")
        self.add_module(key, module)

    def _modules(self):
        return dict(self.named_children())

    def __getitem__(self, key):
        return self._modules()[key]

    def __delitem__(self, key):
        del vars(self)[key]

    def __iter__(self):
        return iter(self._modules())

    def __len__(self):
        return len(self._modules())

    def __contains__(self, key):
        return key in self._modules()

    def keys(self) -> KeysView[str]:
        """The keys, in order."""
        return self._modules().keys()

    def values(self) -> ValuesView[Module]:
        """The modules, in order."""
        return self._modules().values()

    def items(self) -> ItemsView[str, Module]:
        """(key, module) for each, in order."""
        return self._modules().items()


class Identity(Module):
    """y = x, whatever arguments it is made with: it takes the place of a layer taken out.

    Examples
    --------
    >>> from dlscratch.layers import Identity, Linear, Sequential
    >>> model = Sequential(Linear(4, 8, rng=0), Linear(8, 3, rng=1))
    >>> model[1] = Identity()
    """

    def __init__(self, *args: Any, **options: Any):
        pass

    def forward(self, x: Array) -> Array:
        return x
