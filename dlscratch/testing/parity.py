"""Layers and functions against their twins in PyTorch: values, gradients, buffers."""

import copy
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine import Tensor
from .gradcheck import as_leaves, relative_error

__all__ = ["against_torch", "has_torch"]


def has_torch() -> bool:
    """Whether PyTorch is installed; without it, comparisons are left out and all else runs."""
    return importlib.util.find_spec("torch") is not None


def import_torch():
    """The module torch. Raises ImportError with the repair where there is none."""
    if not has_torch():
        raise ImportError(
            "PyTorch, to compare with, is not installed: pip install torch, or ask "
            "testing.has_torch()"
        )
    import torch

    return torch


def against_torch(layer: Callable, torch_layer: Callable, *inputs: Any) -> dict[str, float]:
    """How far a layer, or a function, is from its twin in PyTorch, in float64.

    Both are copied, and PyTorch's copy gets our weights by name.

    Parameters
    ----------
    layer, torch_layer : Module and torch.nn.Module, or two functions
        The twins.
    *inputs : array
        Floats are differentiated; integers are passed on as they are.

    Returns
    -------
    dict
        {"output": e, "input0": e, parameter or buffer: e, ...} where each e is
        max |ours - theirs| / max |theirs|: of the output, of the gradients of sum(output * v) for
        a random v, and of the buffers after the call.

    Raises
    ------
    ImportError
        Without PyTorch.
    ValueError
        When names or shapes differ.
    """
    torch = import_torch()
    ours, theirs = _doubled(layer, torch_layer)
    xs = as_leaves(inputs)
    zs = [_to_torch(torch, x) for x in xs]
    y = ours(*xs)
    z = theirs(*zs)
    v = np.random.default_rng(0).normal(size=y.shape)
    y.backward(v)
    z.backward(torch.tensor(v))
    pairs = {f"input{i}": (x.grad, zs[i].grad) for i, x in enumerate(xs) if isinstance(x, Tensor)}
    if hasattr(ours, "named_parameters"):
        pairs |= _pairs_by_name(ours, theirs)
    errors = {"output": relative_error(y.data, z.detach().numpy())}
    for name, (a, b) in pairs.items():
        errors[name] = relative_error(_or_zero(a, like=b), _or_zero(b, like=a))
    return errors


def _to_torch(torch, x):
    is_leaf = isinstance(x, Tensor)
    return torch.tensor(x.data if is_leaf else x, requires_grad=is_leaf)


def _pairs_by_name(ours, theirs):
    """{name: (ours, theirs)} of the gradients of parameters, and of the values of buffers."""
    twins = dict(theirs.named_parameters())
    pairs = {name: (p.grad, twins[name].grad) for name, p in ours.named_parameters()}
    state = theirs.state_dict()
    for name, buffer in ours.state_dict().items():
        if name not in pairs:
            pairs[name] = (buffer, state[name])
    return pairs


def _or_zero(a, like):
    """A gradient that was never written is zero: a difference, unless the other one is, too."""
    if a is not None:
        return np.asarray(a)
    return 0.0 if like is None else np.zeros(like.shape)


def _doubled(layer, torch_layer):
    """Copies of the twins in float64, with the same weights and mode; functions as they are."""
    if not hasattr(layer, "named_parameters"):
        return layer, torch_layer
    ours = layer.copy()
    ours.astype(np.float64)
    ours.zero_grad()
    theirs = copy.deepcopy(torch_layer).double()
    theirs.zero_grad()
    theirs.train(ours.training)
    copy_weights(ours, theirs)
    return ours, theirs


def copy_weights(ours, theirs):
    """Our parameters and buffers into the PyTorch module's, by name.

    Raises ValueError when names or shapes differ.
    """
    torch = import_torch()
    target = theirs.state_dict()
    state = {name: np.asarray(value) for name, value in ours.state_dict().items()}
    our_names = {name for name, _ in ours.named_parameters()}
    their_names = {name for name, _ in theirs.named_parameters()}
    if our_names != their_names or not state.keys() <= target.keys():
        raise ValueError(
            f"the twins have different names: ours {sorted(state)}, PyTorch's {sorted(target)}; "
            "want the same model in both"
        )
    for name, value in state.items():
        if value.shape != tuple(target[name].shape):
            raise ValueError(
                f"{name}: ours has shape {value.shape}, PyTorch's {tuple(target[name].shape)}; "
                "want the same model in both"
            )
    with torch.no_grad():
        for name, value in state.items():
            target[name].copy_(torch.tensor(value))
