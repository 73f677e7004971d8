"""What a model is made of: the shapes that pass through it, its parameters and its arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..engine import Array, Tensor, no_grad
from .attention import MultiheadAttention
from .convolution import Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d
from .linear import Linear
from .module import Module
from .recurrent import Recurrent

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["summary"]


def summary(model: Module, *inputs: Array) -> DataFrame:
    """A row for each module that computes or holds parameters, and one for the total.

    Columns are class, output (a shape), parameters and FLOPs: 2 × multiply-adds of Linear,
    convolution, attention and recurrent layers, of all calls and the whole batch; other layers
    count as 0. What was never called has the output None. The model runs once, in evaluation mode,
    and is left as it was.

    Raises TypeError when `model` is no Module, no input is given, or attention or a recurrent layer
    inside gets its own by name.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch.layers import Linear, ReLU, Sequential, summary
    >>> summary(Sequential(Linear(4, 8), ReLU(), Linear(8, 3)), np.ones((1, 4), "float32"))
            class  output  parameters  FLOPs
    name
    0      Linear  (1, 8)          40     64
    1        ReLU  (1, 8)           0      0
    2      Linear  (1, 3)          27     48
    total            None          67    112
    """
    from pandas import DataFrame

    if not isinstance(model, Module) or not inputs:
        raise TypeError(
            f"summary({type(model).__name__}, {len(inputs)} inputs): "
            "want a Module and an input, such as X[:1]"
        )
    outputs, flops = _run(model, inputs)
    rows = [
        (name or "model", type(m).__name__, outputs.get(m), count, flops.get(m, 0))
        for name, m, count in _parts(model)
    ]
    parameters = sum(count for _, _, _, count, _ in rows)
    arithmetic = sum(count for _, _, _, _, count in rows)
    rows.append(("total", "", None, parameters, arithmetic))
    frame = DataFrame(rows, columns=["name", "class", "output", "parameters", "FLOPs"])
    return frame.set_index("name")


def _run(model, inputs):
    """{module: shape of its last output} and {module: FLOPs of its calls} of one forward pass."""
    outputs = {}
    flops = {}

    def note(module, inputs, output):
        outputs[module] = _shape(output)
        flops[module] = flops.get(module, 0) + _flops(module, inputs, output)

    handles = [module.register_forward_hook(note) for _, module in _layers(model)]
    try:
        with no_grad(), model.evaluation():
            model(*(x if isinstance(x, Tensor) else Tensor(x) for x in inputs))
    finally:
        for handle in handles:
            handle.remove()
    return outputs, flops


def _layers(model):
    """(name, module), without those that compute a weight: they count as parts of its layer."""
    return [
        (name, module)
        for name, module in model.named_modules()
        if "parametrizations" not in name.split(".")
    ]


def _parts(model):
    """(name, module, its own parameters) for what holds no module, or parameters of its own.

    What is tied counts once, and so does a module that stands in two places.
    """
    counted = set()
    for name, module in _layers(model):
        inside = {
            id(p)
            for _, child in _layers(module)
            if child is not module
            for _, p in child.named_parameters()
        }
        own = {
            id(p): p.size
            for _, p in module.named_parameters()
            if id(p) not in inside and id(p) not in counted
        }
        if own or len(_layers(module)) == 1:
            yield name, module, sum(own.values())
        counted.update(own)


def _shape(y):
    """The shape of an output, or those of several."""
    return tuple(map(_shape, y)) if isinstance(y, tuple | list) else getattr(y, "shape", ())


def _flops(module, inputs, output):
    if isinstance(module, Linear | Conv1d | Conv2d):
        return 2 * output.size * module.weight.data[0].size  # an output sums over a row of weights
    if isinstance(module, ConvTranspose1d | ConvTranspose2d):
        x = _by_place(module, inputs, 1)[0]
        return 2 * x.size * module.weight.data[0].size  # an input is multiplied by a row of weights
    if isinstance(module, Recurrent):
        return _flops_of_recurrent(module, *_by_place(module, inputs, 1))
    if isinstance(module, MultiheadAttention):
        return _flops_of_attention(module, *_by_place(module, inputs, 3))
    return 0


def _by_place(module, inputs, count):
    """The first inputs of a module. Raises TypeError where they came by name."""
    if len(inputs) < count:
        raise TypeError(
            f"summary: want the inputs of {module} by place; "
            "hooks, which count here, do not see names"
        )
    return inputs[:count]


def _flops_of_recurrent(module, x):
    """Each step multiplies by all matrices; the lengths that weight_norm learns are none."""
    weights = sum(
        p.size
        for name, p in module.named_parameters()
        if p.ndim == 2 and not name.endswith("original0")
    )
    steps = x.size // x.shape[-1]
    return 2 * steps * weights


def _flops_of_attention(module, query, key, value):
    """The projections of Q, K, V (that of the output is a Linear), Q Kᵀ and P V."""
    keys = key.shape[-2 if module.batch_first else 0]
    projections = 2 * module.embed_dim * (query.size + key.size + value.size)
    return projections + 4 * query.size * keys
