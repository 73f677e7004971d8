"""A module as a function of its parameters: what MAML, hypergradients and ensembles need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..engine import Array, Tensor
from ..engine.tensor import unwrap
from .module import Module, places
from .parameters import Parameter

__all__ = ["functional_call"]


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: Mapping[str, Array] | Sequence[Mapping[str, Array]],
    args: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """module(*args, **kwargs), computed with these arrays in place of its own.

    Gradients go to the Tensors that were given, and on to what they were computed from, so that a
    step of gradient descent can itself be differentiated. Afterwards the module is as it was.

    Parameters
    ----------
    module : the model.
    parameter_and_buffer_dicts : {name: array or Tensor}, or several such dicts; names are those of
        `named_parameters` and `named_buffers`. What is not named stays the module's own.
    args, kwargs : what the module is called with; args is a tuple, or the only argument.
    tie_weights : whether what is given for one name of a tied weight holds for all its names.
    strict : whether all parameters and buffers must be given.

    Raises
    ------
    KeyError for names that the module does not have or, with strict, that were not given.

    Examples
    --------
    One step of gradient descent on the weights w, and the gradient through it with respect to w:

    >>> import numpy as np
    >>> from dlscratch import gradients
    >>> from dlscratch.layers import Linear, functional_call
    >>> model = Linear(2, 1, bias=False, rng=0).astype("float64")
    >>> x = np.array([[1.0, 2.0]])
    >>> w = model.weight
    >>> (slope,) = gradients(np.sum(model(x) ** 2), [w], create_graph=True)
    >>> after = np.sum(functional_call(model, {"weight": w - 0.05 * slope}, x) ** 2)
    >>> after.backward()
    >>> w.grad.shape
    (1, 2)
    """
    given = _merged(parameter_and_buffer_dicts)
    found = {}
    for prefix, owner in module.named_modules(remove_duplicate=False):
        for name, container, key in places(owner, prefix):
            if not isinstance(container[key], Module):
                found[name] = container, key
    _check_names(module, given, found, strict)
    if tie_weights:
        given |= _for_other_names(given, found)
    if args is None:
        args = ()
    inputs = args if isinstance(args, tuple) else (args,)
    own = {name: found[name][0][found[name][1]] for name in given}
    try:
        for name, value in given.items():
            container, key = found[name]
            container[key] = (
                _as_tensor(value) if isinstance(own[name], Parameter) else unwrap(value)
            )
        return module(*inputs, **(kwargs or {}))
    finally:
        for name, value in own.items():
            container, key = found[name]
            container[key] = value


def _as_tensor(value):
    return value if isinstance(value, Tensor) else Tensor(value)


def _merged(dicts):
    """One dict of one or, as in PyTorch, of several in a list or tuple."""
    merged = {}
    for each in dicts if isinstance(dicts, list | tuple) else [dicts]:
        merged |= each
    return merged


def _check_names(module, given, found, strict):
    state = [name for name, _ in module.named_parameters(remove_duplicate=False)]
    state += [name for name, _ in module.named_buffers(remove_duplicate=False)]
    unknown = sorted(given.keys() - set(state))
    fixed = sorted(name for name in given.keys() & found.keys() if type(found[name][0]) is tuple)
    if fixed:
        raise TypeError(
            f"functional_call: {fixed[0]} lies in a tuple, where nothing can be replaced; "
            "expected a list: self.parts = [...]"
        )
    missing = sorted(set(state) - given.keys()) if strict else []
    if unknown or missing:
        raise KeyError(
            f"functional_call: missing {missing}, unexpected {unknown}; expected names of "
            f"{type(module).__name__}.named_parameters(): {state[:8]}"
        )


def _for_other_names(given, found):
    """{name: array} for the names of tied weights of which another name was given."""
    by_identity = {}
    for name, (container, key) in found.items():
        by_identity.setdefault(id(container[key]), []).append(name)
    others = {}
    for name, value in given.items():
        container, key = found[name]
        for other in by_identity[id(container[key])]:
            if other not in given:
                others[other] = value
    return others
