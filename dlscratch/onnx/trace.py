"""A model as an ONNX file: the steps that its output remembers, translated one by one."""

import os
from typing import Any, NamedTuple

import numpy as np

from ..engine import Tensor
from ..engine.modes import recording
from ..engine.operation import describe
from ..engine.tensor import unwrap
from ..files import write_whole
from .operators import TRANSLATIONS

__all__ = ["to_onnx"]

OPSET = 18


def to_onnx(model: Any, example: Any, path: str | os.PathLike) -> None:
    """Write y = model(x), in evaluation mode, as an ONNX file that takes batches of any size.

    The input is called "x", the output "y", and parameters have the names that state_dict gives
    them. The model runs on two batches: what differs between them but is no step of the graph is
    refused, and so is a file whose result, by ONNX's own evaluator, is not the model's. No file is
    written then.

    Parameters
    ----------
    model : Module
        It takes one array and returns one Tensor.
    example : array, (N, ...)
        A batch of typical floats or ids, N >= 1.
    path : path
        Where the file goes.

    Raises
    ------
    ImportError
        Without the package onnx.
    TypeError
        For a step that has no translation; its layer is named.
    ValueError
        For what would not hold for another batch.

    Source: the operators of ONNX, opset 18.

    Examples
    --------
    >>> import onnx
    >>> from dlscratch import layers
    >>> model = layers.Sequential(layers.Linear(3, 2, rng=0), layers.ReLU())
    >>> to_onnx(model, np.ones((4, 3), "float32"), "model.onnx")
    >>> [node.op_type for node in onnx.load("model.onnx").graph.node]
    ['Transpose', 'MatMul', 'Add', 'Relu', 'Identity']
    """
    try:
        import onnx.reference
    except ImportError as error:
        raise ImportError("to_onnx needs the package onnx: pip install onnx") from error
    x = np.asarray(unwrap(example))
    if x.ndim == 0 or not len(x):
        raise ValueError(f"to_onnx: example {x.shape}; want a batch (N, ...) with N >= 1")
    other = np.concatenate([np.roll(x, 1), x[:1]])  # other values, but possible; one example more
    model = model.copy().eval()
    parameters = dict(model.named_parameters())
    for p in parameters.values():
        p.requires_grad = True  # of frozen ones too we want to know where they go
    with recording():
        runs = [_run(model, batch) for batch in (x, other)]
        file = Translator(onnx, parameters, *runs).file()
    onnx.checker.check_model(file, full_check=True)
    (got,) = onnx.reference.ReferenceEvaluator(file).run(None, {"x": other})
    wanted = runs[1].y.data
    if not np.allclose(got, wanted, rtol=1e-3, atol=1e-4 * np.abs(wanted).max()):
        worst = np.abs(got - wanted).max()
        raise ValueError(f"to_onnx: for another batch, file and model differ by {worst:.2g}")
    write_whole(path, file.SerializeToString())


# Running the model -------------------------------------------------------------------------------


class Call(NamedTuple):
    """One call of a layer: the nodes made between its begin and its end are its steps."""

    layer: str
    begin: int
    end: int


class Run(NamedTuple):
    """A batch that went through the model."""

    x: Any
    y: Tensor
    calls: list[Call]


def _run(model, batch):
    """Floats go in as a Tensor, ids as the array that an embedding's index then is."""
    x = Tensor(batch, requires_grad=True) if batch.dtype.kind == "f" else batch
    calls = []
    handles = []
    for name, module in model.named_modules():
        handles += _listen(module, name, calls)
    try:
        y = model(x)
    finally:
        for handle in handles:
            handle.remove()
    if not (isinstance(y, Tensor) and y.requires_grad):
        raise TypeError(
            f"to_onnx: the model gave {type(y).__name__}; want one Tensor, computed from its "
            "parameters or the input"
        )
    return Run(x, y, calls)


def _listen(module, name, calls):
    """Note each call of this module in `calls`; the handles that undo it."""
    kind = type(module).__name__
    layer = f"the layer {name} ({kind})" if name else f"the model ({kind})"
    begins = []

    def before(module, inputs):
        begins.append(_now())

    def after(module, inputs, y):
        calls.append(Call(layer, begins.pop(), _now()))

    return [module.register_forward_pre_hook(before), module.register_forward_hook(after)]


def _now():
    """A number between the `order` of all nodes made so far and of all that are still to come."""
    return np.copy(Tensor(0.0, requires_grad=True)).order


# Translating what it did -------------------------------------------------------------------------


class Translator:
    """A file in the making, from the graphs of two batches that are walked side by side.

    `node` is the step that is being translated, and `twin` the same step of the other batch. What
    differs between the two hangs on the batch, so that it must be computed in the file, too.
    """

    def __init__(self, onnx, parameters, run, other):
        self.onnx = onnx
        self.run = run
        self.other = other
        self.node = self.twin = None
        self.names = {p: name for name, p in parameters.items()}  # {Tensor: what holds it}
        for x in (run.x, other.x):
            if isinstance(x, Tensor):
                self.names[x] = "x"
        to_file = onnx.numpy_helper.from_array
        self.weights = [to_file(p.data, name) for name, p in parameters.items()]
        self.nodes = []
        self.constants = {}  # {(dtype, shape, bytes): its name}

    def file(self):
        """The model as ONNX has it, with N for the size of a batch."""
        self._follow(self.run.y, self.other.y)
        make = self.onnx.helper
        result = self.names[self.run.y]
        self.nodes.append(make.make_node("Identity", [result], ["y"]))
        used = {name for node in self.nodes for name in node.input}
        weights = [w for w in self.weights if w.name in used]
        x = self._info("x", self.run.x, self.other.x)
        y = self._info("y", self.run.y, self.other.y)
        graph = make.make_graph(self.nodes, "dlscratch", [x], [y], weights)
        opset = [make.make_opsetid("", OPSET)]
        version = make.find_min_ir_version_for(opset)
        return make.make_model(graph, opset_imports=opset, ir_version=version)

    # What a translation may ask for

    def add(self, kind, *inputs, outputs=1, **attributes):
        """A new node of the file; the name of its result, or a list of names."""
        name = f"/{kind}.{len(self.nodes)}"
        results = [name] if outputs == 1 else [f"{name}.{i}" for i in range(outputs)]
        node = self.onnx.helper.make_node(kind, inputs, results, name, **attributes)
        self.nodes.append(node)
        return name if outputs == 1 else results

    def constant(self, value, dtype=np.int64):
        """The name of an array that does not hang on the input; the same array has one name."""
        value = np.array(value, dtype, order="C")
        key = value.dtype.str, value.shape, value.tobytes()
        if key not in self.constants:
            self.constants[key] = f"/constant.{len(self.constants)}"
            self.weights.append(self.onnx.numpy_helper.from_array(value, self.constants[key]))
        return self.constants[key]

    def value(self, i, dtype=None):
        """The name of argument i of the step, as `dtype` or that of the result."""
        return self.operand(self.node.inputs[i], self.twin.inputs[i], dtype or self.node.dtype)

    def values(self):
        """The names of all arguments that were given."""
        return [self.value(i) for i, x in enumerate(self.node.inputs) if x is not None]

    def operand(self, a, b, dtype):
        """The name of what is `a` for one batch and `b` for the other."""
        if a is self.run.x and b is self.other.x:
            name = "x"
        else:
            name = self.names.get(a) if isinstance(a, Tensor) else None
        if name is None:
            if not _same(a, b):
                self.refuse("a constant")
            return self.constant(unwrap(a), dtype)
        return name if a.dtype == dtype else self.add("Cast", name, to=self._type(dtype))

    def is_batch(self, m, n):
        """Whether an axis of these two sizes is that of the batch."""
        return m != n and (m, n) == (len(self.run.x), len(self.other.x))

    def refuse(self, what):
        """Raise ValueError: something in this step would be wrong for another batch."""
        raise ValueError(
            f"to_onnx: {describe(self.node.op)} in {self.layer()}, with results of shapes "
            f"{self.node.shape} and {self.twin.shape}: {what} would not hold for another batch; "
            "want it computed from the input by operations that have a derivative"
        )

    def layer(self):
        """The innermost layer that took this step, in words."""
        order = self.node.order
        around = [call for call in self.run.calls if call.begin < order < call.end]
        innermost = max(around, key=lambda call: call.begin, default=None)
        return innermost.layer if innermost else "the model"

    # How it goes through the graphs

    def _follow(self, y, other_y):
        """Translate all steps up to y."""
        steps = _steps(y, self.names)
        others = _steps(other_y, self.names)
        if [step.op for step in steps] != [step.op for step in others]:
            raise ValueError(
                "to_onnx: the model takes other steps for another batch; want a forward without "
                "`if` on its input"
            )
        for step, other in zip(steps, others, strict=True):
            name = self._translate(step, other)
            self.names[step] = self.names[other] = name

    def _translate(self, node, twin):
        """The name of a step's result. A fast operation without a translation is its textbook's."""
        self.node = node
        self.twin = twin
        translation = _translation(node.op)
        textbook = getattr(node.op, "textbook", None)
        if translation is None and textbook is not None:
            begin = _now()
            y, other_y = (textbook(*step.inputs, **step.kwargs) for step in (node, twin))
            self.run.calls.append(Call(self.layer(), begin, _now()))
            self._follow(y, other_y)
            return self.names[y]
        if node.op is None:
            return self.operand(node.data, twin.data, node.dtype)
        if translation is None:
            raise TypeError(
                f"to_onnx: {describe(node.op)} in {self.layer()} has no translation; add one to "
                "dlscratch/onnx/operators.py, or use another operation"
            )
        if not _same(list(node.kwargs.values()), list(twin.kwargs.values())):
            self.refuse("an option")
        return translation(self, *node.inputs, **node.kwargs)

    def _info(self, name, a, b):
        """The type and shape of the file's input or output."""
        shape = []
        for m, n in zip(a.shape, b.shape, strict=True):
            unknown = "N" if self.is_batch(m, n) else None
            shape.append(m if m == n else unknown)
        return self.onnx.helper.make_tensor_value_info(name, self._type(a.dtype), shape)

    def _type(self, dtype):
        return self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


def _translation(op):
    """What translates this operation, or the function that a primitive wraps; None if nothing."""
    return TRANSLATIONS.get(op) or TRANSLATIONS.get(getattr(op, "__wrapped__", None))


def _steps(y, known):
    """y and all that it was computed from, but not what is `known`; oldest first."""
    stack = [] if y in known else [y]
    found = set(stack)
    while stack:
        for x in stack.pop().inputs:
            is_step = isinstance(x, Tensor) and x.requires_grad
            if is_step and x not in found and x not in known:
                found.add(x)
                stack.append(x)
    return sorted(found, key=lambda node: node.order)


def _same(a, b):
    """Whether two arguments are equal, array by array."""
    a, b = unwrap(a), unwrap(b)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b)
    return a == b
