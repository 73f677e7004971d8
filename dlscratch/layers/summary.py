"""What a model is made of: the shapes that pass through it, its parameters and its arithmetic."""

from typing import NamedTuple

from ..engine import Tensor, no_grad
from .attention import MultiheadAttention
from .convolution import Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d
from .linear import Linear
from .module import Module
from .recurrent import Recurrent

__all__ = ["Row", "Summary", "summary"]


class Row(NamedTuple):
    """One module: its name, class, the shape that it gave last (None if it was not called), and its two counts."""

    name: str
    kind: str
    output: tuple | None
    parameters: int
    flops: int


class Summary(NamedTuple):
    """A table as text, whose totals are `.parameters` and `.flops`."""

    rows: tuple
    parameters: int
    flops: int

    def __repr__(self):
        lines = [("name", "class", "output", "parameters", "FLOPs")]
        lines += [(r.name, r.kind, _said(r.output), f"{r.parameters:,}", f"{r.flops:,}") for r in self.rows]
        lines.append(("total", "", "", f"{self.parameters:,}", f"{self.flops:,}"))
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        text = ["  ".join(f"{s:{side}{w}}" for s, side, w in zip(line, "<<<>>", widths, strict=True)) for line in lines]
        rule = "-" * len(text[0])
        return "\n".join([text[0], rule, *text[1:-1], rule, text[-1]])


def summary(model, *inputs):
    """One row for each module that computes or holds parameters, for this input: name, class, output shape, parameters, FLOPs.

    FLOPs are 2 × multiply-adds of Linear, convolution, attention and recurrent layers, of all calls and the whole batch; others
    count as 0. The model runs once, in evaluation mode, and is left as it was.
    Raises TypeError when `model` is no Module or no input is given.
    """
    if not isinstance(model, Module) or not inputs:
        raise TypeError(f"summary({type(model).__name__}, {len(inputs)} inputs): want a Module and an input, such as X[:1]")
    outputs, flops, modes = {}, {}, [(m, m.training) for m in model.modules()]

    def note(module, inputs, output):
        outputs[module] = _shape(output)
        flops[module] = flops.get(module, 0) + _flops(module, inputs, output)

    handles = [m.register_forward_hook(note) for m in dict.fromkeys(model.modules())]
    try:
        with no_grad():
            model.eval()(*(x if isinstance(x, Tensor) else Tensor(x) for x in inputs))
    finally:
        for handle in handles:
            handle.remove()
        for m, training in modes:
            m.training = training
    rows = tuple(
        Row(name or "model", type(m).__name__, outputs.get(m), count, flops.get(m, 0)) for name, m, count in _parts(model)
    )
    return Summary(rows, sum(r.parameters for r in rows), sum(r.flops for r in rows))


def _parts(model):
    """(name, module, its own parameters) for the modules without others inside, and for others with parameters of their own.

    What is tied counts once, and so does a module that stands in two places.
    """
    counted, listed = set(), set()
    for name, m in model.named_modules():
        inside = {id(p) for child in m.modules() if child is not m for _, p in child.named_parameters()}
        own = {id(p): p.size for _, p in m.named_parameters() if id(p) not in inside | counted}
        if m not in listed and (own or len(list(m.modules())) == 1):
            yield name, m, sum(own.values())
        counted.update(own)
        listed.add(m)


def _said(shape):
    return "not called" if shape is None else str(shape)


def _shape(y):
    """The shape of an output, or those of several."""
    return tuple(map(_shape, y)) if isinstance(y, tuple | list) else getattr(y, "shape", ())


def _flops(module, inputs, y):
    x = inputs[0]
    if isinstance(module, MultiheadAttention):  # the projections of Q, K, V (that of the output is a Linear), Q Kᵀ and P V
        key, value = inputs[1:3]
        return 2 * module.embed_dim * (x.size + key.size + value.size) + 4 * x.size * key.shape[-2 if module.batch_first else 0]
    if isinstance(module, Recurrent):  # each step multiplies by all matrices
        return 2 * (x.size // x.shape[-1]) * sum(p.size for _, p in module.named_parameters() if p.ndim == 2)
    if isinstance(module, Linear | Conv1d | Conv2d):  # each output is a sum over one row of weights
        return 2 * y.size * module.weight.data[0].size
    if isinstance(module, ConvTranspose1d | ConvTranspose2d):  # each input is multiplied by one
        return 2 * x.size * module.weight.data[0].size
    return 0
