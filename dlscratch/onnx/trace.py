"""A model as an ONNX file: the steps that its output remembers, translated one by one."""

import numpy as np

from ..engine import Tensor
from ..engine.modes import recording
from ..engine.operation import describe
from ..engine.tensor import unwrap
from ..files import write_whole
from .table import TABLE

__all__ = ["to_onnx"]


def to_onnx(model, example, path):
    """Write y = model(x), in evaluation mode, as ONNX: input "x", output "y", parameters under the names that state_dict has.

    example: (N, ...), typical floats or ids; the file takes any N. Two batches are traced: what differs between them but is no
    step of the graph is refused, and so is a file whose result, by ONNX's own evaluator, is not the model's. Raises ImportError
    without the package onnx, TypeError for a step that has no entry, ValueError for what would not hold for another batch; no
    file is then written. Source: the operators of ONNX, opset 18.
    """
    try:
        import onnx.reference
    except ImportError as error:
        raise ImportError("to_onnx needs the package onnx: pip install onnx") from error
    x = np.asarray(unwrap(example))
    if x.ndim == 0 or not len(x):
        raise ValueError(f"to_onnx: example {x.shape}; want a batch (N, ...) with N >= 1")
    other = np.concatenate(
        [np.roll(x, 1), x[:1]]
    )  # other values that are possible too, and one example more
    model = model.copy().eval()
    with recording():
        trace = _Trace(onnx, dict(model.named_parameters()), _run(model, x), _run(model, other))
        file = trace.file()
    onnx.checker.check_model(file, full_check=True)
    (got,), y = onnx.reference.ReferenceEvaluator(file).run(None, {"x": other}), trace.y[1]._data
    if not np.allclose(got, y, rtol=1e-3, atol=1e-4 * np.abs(y).max()):
        raise ValueError(
            f"to_onnx: another batch makes the file and the model differ by {np.abs(got - y).max():.2g}"
        )
    write_whole(path, file.SerializeToString())


def _run(model, batch):
    """(input, output): floats go in as a Tensor, ids as the array that an embedding's index then is."""
    for _, p in model.named_parameters():
        p.requires_grad = True  # of frozen ones too we want to know where they go
    x = Tensor(batch, requires_grad=True) if batch.dtype.kind == "f" else batch
    y = model(x)
    if not (isinstance(y, Tensor) and y.requires_grad):
        raise TypeError(
            f"to_onnx: the model gave {type(y).__name__}; want one Tensor, computed from its parameters or the input"
        )
    return x, y


def _steps(y, known):
    """y and all that it was computed from, but not what is `known`; oldest first."""
    stack = [y] if y not in known else []
    found = set(stack)
    while stack:
        for x in stack.pop().inputs:
            if isinstance(x, Tensor) and x.requires_grad and x not in found and x not in known:
                found.add(x)
                stack.append(x)
    return sorted(found, key=lambda t: t.order)


def _same(a, b):
    a, b = unwrap(a), unwrap(b)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(_same, a, b))
    return np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b


class _Trace:
    """A file in the making, from the graphs of two batches walked side by side. `a` and `b` are the step that is translated, in each."""

    def __init__(self, onnx, parameters, *runs):
        (self.x, self.y), self.onnx = zip(*runs), onnx
        self.names = {x: "x" for x in self.x if isinstance(x, Tensor)} | {
            p: name for name, p in parameters.items()
        }
        self.weights = [
            onnx.numpy_helper.from_array(p.data, name) for name, p in parameters.items()
        ]
        self.nodes, self.constants = [], {}

    def file(self):
        """The model as ONNX has it, with N for the size of a batch."""
        self.follow(*self.y)
        make, ends = self.onnx.helper, [self.info("x", *self.x), self.info("y", *self.y)]
        self.nodes.append(make.make_node("Identity", [self.names[self.y[0]]], ["y"]))
        used, opset = (
            {name for node in self.nodes for name in node.input},
            [make.make_opsetid("", 18)],
        )
        graph = make.make_graph(
            self.nodes, "dlscratch", ends[:1], ends[1:], [w for w in self.weights if w.name in used]
        )
        return make.make_model(
            graph, opset_imports=opset, ir_version=make.find_min_ir_version_for(opset)
        )

    def info(self, name, a, b):
        shape = [
            "N" if self.batch(m, n) else m if m == n else None for m, n in zip(a.shape, b.shape)
        ]
        return self.onnx.helper.make_tensor_value_info(name, self.type(a.dtype), shape)

    def batch(self, m, n):
        """Whether an axis of these two sizes is that of the batch."""
        return m != n and (m, n) == (len(self.x[0]), len(self.x[1]))

    def type(self, dtype):
        return self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))

    def follow(self, a, b):
        """Translate all steps up to a and b."""
        first, second = _steps(a, self.names), _steps(b, self.names)
        if [t.op for t in first] != [t.op for t in second]:
            raise ValueError(
                "to_onnx: the model takes other steps for another batch; want a forward without `if` on its input"
            )
        for a, b in zip(first, second):
            self.names[a] = self.names[b] = self.translate(a, b)

    def translate(self, a, b):
        """The name of the result of a step; a fused operation without an entry is translated as its textbook twin."""
        entry = TABLE.get(a.op) or TABLE.get(getattr(a.op, "__wrapped__", None))
        if entry is None and hasattr(a.op, "textbook"):
            a, b = (t.op.textbook(*t.inputs, **t.kwargs) for t in (a, b))
            self.follow(a, b)
            return self.names[a]
        self.a, self.b = a, b
        if a.op is None:
            return self.operand(a.data, b.data, a.dtype)
        if entry is None:
            raise TypeError(
                f"to_onnx: {describe(a.op)} has no entry in dlscratch/export/table.py; add one, or use another operation"
            )
        return (
            entry(self, *a.inputs, **a.kwargs)
            if _same(list(a.kwargs.values()), list(b.kwargs.values()))
            else self.refuse("an option")
        )

    def refuse(self, what):
        raise ValueError(
            f"to_onnx: {describe(self.a.op)}, with results of shapes {self.a.shape} and {self.b.shape}: {what} would not hold for another "
            "batch; want it computed from the input by operations that have a derivative"
        )

    def add(self, kind, *inputs, **attributes):
        """A node of the file; its name."""
        name = f"/{kind}.{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def constant(self, value, dtype=np.int64):
        value = np.array(value, dtype, order="C")
        key = value.dtype.str, value.shape, value.tobytes()
        if key not in self.constants:
            self.constants[key] = f"/constant.{len(self.constants)}"
            self.weights.append(self.onnx.numpy_helper.from_array(value, self.constants[key]))
        return self.constants[key]

    def value(self, i, dtype=None):
        """Argument i of the step, as `dtype` or that of the result."""
        return self.operand(self.a.inputs[i], self.b.inputs[i], dtype or self.a.dtype)

    def values(self):
        return [self.value(i) for i, x in enumerate(self.a.inputs) if x is not None]

    def operand(self, a, b, dtype):
        name = (
            self.names.get(a)
            if isinstance(a, Tensor)
            else "x"
            if a is self.x[0] and b is self.x[1]
            else None
        )
        if name is None:
            return self.constant(unwrap(a), dtype) if _same(a, b) else self.refuse("a constant")
        return name if a.dtype == dtype else self.add("Cast", name, to=self.type(dtype))
