"""What a model is made of: the shapes that pass through it, its parameters and its arithmetic."""

from ..engine import Tensor, no_grad
from .attention import MultiheadAttention
from .convolution import Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d
from .linear import Linear
from .module import Module
from .recurrent import Recurrent

__all__ = ["summary"]


def summary(model, *inputs):
    """A DataFrame with a row for each module that computes or holds parameters: class, output shape, parameters, FLOPs; then "total".

    FLOPs are 2 × multiply-adds of Linear, convolution, attention and recurrent layers, of all calls and the whole batch; others
    count as 0. What was never called has the output None. The model runs once, in evaluation mode, and is left as it was.
    Raises TypeError when `model` is no Module, no input is given, or attention or a recurrent layer inside gets its own by name.
    """
    from pandas import DataFrame

    if not isinstance(model, Module) or not inputs:
        raise TypeError(
            f"summary({type(model).__name__}, {len(inputs)} inputs): want a Module and an input, such as X[:1]"
        )
    outputs, flops, modes = {}, {}, [(m, m.training) for m in model.modules()]

    def note(module, inputs, output):
        outputs[module] = _shape(output)
        flops[module] = flops.get(module, 0) + _flops(module, inputs, output)

    handles = [m.register_forward_hook(note) for m in dict.fromkeys(m for _, m in _layers(model))]
    try:
        with no_grad():
            model.eval()(*(x if isinstance(x, Tensor) else Tensor(x) for x in inputs))
    finally:
        for handle in handles:
            handle.remove()
        for m, training in modes:
            m.training = training
    rows = [
        (name or "model", type(m).__name__, outputs.get(m), count, flops.get(m, 0))
        for name, m, count in _parts(model)
    ]
    rows.append(("total", "", None, sum(row[3] for row in rows), sum(row[4] for row in rows)))
    return DataFrame(rows, columns=["name", "class", "output", "parameters", "FLOPs"]).set_index(
        "name"
    )


def _layers(model):
    """(name, module), without those that compute a layer's weight: they count as a part of the layer."""
    return [
        (name, m) for name, m in model.named_modules() if "parametrizations" not in name.split(".")
    ]


def _parts(model):
    """(name, module, its own parameters) for the modules without others inside, and for others with parameters of their own.

    What is tied counts once, and so does a module that stands in two places.
    """
    counted, listed = set(), set()
    for name, m in _layers(model):
        inside = {
            id(p) for _, child in _layers(m) if child is not m for _, p in child.named_parameters()
        }
        own = {id(p): p.size for _, p in m.named_parameters() if id(p) not in inside | counted}
        if m not in listed and (own or len(_layers(m)) == 1):
            yield name, m, sum(own.values())
        counted.update(own)
        listed.add(m)


def _shape(y):
    """The shape of an output, or those of several."""
    return tuple(map(_shape, y)) if isinstance(y, tuple | list) else getattr(y, "shape", ())


def _flops(module, inputs, y):
    if isinstance(module, Linear | Conv1d | Conv2d):  # each output is a sum over one row of weights
        return 2 * y.size * module.weight.data[0].size
    if not isinstance(module, ConvTranspose1d | ConvTranspose2d | Recurrent | MultiheadAttention):
        return 0
    if len(inputs) < (3 if isinstance(module, MultiheadAttention) else 1):
        raise TypeError(
            f"summary: want the inputs of {module} by place; hooks, which count here, do not see names"
        )
    x = inputs[0]
    if isinstance(
        module, MultiheadAttention
    ):  # the projections of Q, K, V (that of the output is a Linear), Q Kᵀ and P V
        key, value = inputs[1:3]
        return (
            2 * module.embed_dim * (x.size + key.size + value.size)
            + 4 * x.size * key.shape[-2 if module.batch_first else 0]
        )
    if isinstance(
        module, Recurrent
    ):  # each step multiplies by all matrices; the lengths that weight_norm learns are none
        weights = sum(
            p.size
            for name, p in module.named_parameters()
            if p.ndim == 2 and not name.endswith("original0")
        )
        return 2 * (x.size // x.shape[-1]) * weights
    return 2 * x.size * module.weight.data[0].size  # each input is multiplied by one row of weights
