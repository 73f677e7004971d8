"""Tensor: an ndarray that remembers how it was made. The only file that knows NumPy's two dispatch protocols."""

import itertools

import numpy as np

from .graph import backward_pass, check_finite
from .methods import ArrayMethods
from .modes import mode
from .operation import COMPOSED, CONSTANT, RULES, Node, describe, refuse_unknown

__all__ = ["Array", "Tensor", "apply", "record", "unwrap", "now", "getitem"]

_blank = object.__new__  # a Tensor without the checks of __init__
_clock = itertools.count(
    1
)  # order of creation is a topological order; next() is atomic across threads


def now():
    """The next tick of the clock that orders nodes and writes."""
    return next(_clock)


def unwrap(x):
    """The array inside a Tensor; anything else as it is. Looks inside lists, tuples and dicts."""
    if isinstance(x, Tensor):
        return x._data
    if type(x) in (list, tuple):
        return type(x)(map(unwrap, x))
    return {k: unwrap(v) for k, v in x.items()} if type(x) is dict else x


def getitem(x, index):
    """x[index] as a function, so that it can be recorded; its rule is `scatter`."""
    return x[index]


def apply(op, *inputs, **kwargs):
    """Compute `op` on the arrays inside `inputs` and, if a gradient will be wanted, remember how."""
    arrays, traced = [], False
    for x in inputs:
        if isinstance(x, Tensor):
            traced = traced or x.requires_grad
            x = x._data
        arrays.append(x)
    y = op(*arrays, **kwargs)
    if traced and mode.record:
        entry = RULES[op]
        if kwargs or len(inputs) > len(entry.vjps):
            entry.check(op, inputs, kwargs)
    return record(op, inputs, kwargs, y, traced)


def record(op, inputs, kwargs, y, traced, saved=None):
    """Wrap the array `y` = op(*inputs, **kwargs) in a Tensor: a node of the graph if an input is `traced`, else a constant."""
    if mode.anomaly:
        check_finite(y, f"the output of {describe(op)}", inputs)
    out = _blank(Tensor)
    out._data, out._grad = y, None
    if traced and mode.record:
        if isinstance(y, np.ndarray):
            y.setflags(write=False)  # a write would corrupt gradients unseen; so NumPy refuses it
        out.requires_grad, out.op, out.inputs, out.kwargs, out.saved = (
            True,
            op,
            inputs,
            kwargs,
            saved,
        )
        out.order = next(_clock)
    else:
        out.requires_grad, out.op, out.inputs, out.order, out.written_at = False, None, (), 0, 0
    return out


class Tensor(ArrayMethods, Node):
    """An array that remembers the operation that made it: `y.backward()` then fills `x.grad` with dy/dx.

    It behaves as a NumPy array (operators, methods, `np.` functions). A leaf with `requires_grad=True` owns a copy of its
    numbers; change them by `t.data = new` or `t.data -= step`, after backward. `.data` and `.grad` are ndarrays.
    Raises TypeError when a gradient is asked of integers, or when an array would leave the graph unnoticed.
    """

    __slots__ = (
        "_data",
        "_grad",
        "requires_grad",
        "op",
        "inputs",
        "kwargs",
        "saved",
        "order",
        "written_at",
        "__weakref__",
    )
    __hash__ = object.__hash__

    def __init__(self, data, requires_grad=False):
        data = data._data if isinstance(data, Tensor) else data
        if not isinstance(data, np.ndarray) and hasattr(
            data, "__array_function__"
        ):  # CuPy's kind stays what it is: docs/gpu.md
            self._data = data.copy() if requires_grad else data
        else:
            self._data = np.array(data) if requires_grad else np.asarray(data)
        if self._data.dtype.kind not in "fiub":
            raise TypeError(
                f"Tensor of dtype {self._data.dtype}: want floats, integers or booleans"
            )
        if requires_grad and self._data.dtype.kind != "f":
            raise TypeError(
                f"a Tensor of {self._data.dtype} cannot require a gradient; make it float first: x.astype('float64')"
            )
        self._grad, self.requires_grad, self.written_at, self.order = None, requires_grad, 0, 0
        self.op, self.inputs, self.kwargs, self.saved = None, (), {}, None

    # What it holds ----------------------------------------------------------------------------------------------------

    @property
    def data(self):
        """The ndarray inside. On a leaf it can be assigned (same shape): the numbers are copied into place."""
        return self._data

    @data.setter
    def data(self, value):
        if self.op is not None:
            raise RuntimeError(
                f"this Tensor was computed by {describe(self.op)}; only leaves can be written. Use t.detach()"
            )
        value = unwrap(value)
        if value is not self._data:
            if np.shape(value) != self.shape:
                raise ValueError(
                    f"t.data = ...: came shape {np.shape(value)}, want {self.shape}; make a new Tensor instead"
                )
            self._data[...] = value
        self.mark_written()

    def mark_written(self):
        """Tell the graph that this leaf's numbers changed: a backward through an older graph will then raise."""
        self.written_at = now()

    @property
    def grad(self):
        """dL/dself as an ndarray, summed over all calls of backward since it was last None."""
        return self._grad

    @grad.setter
    def grad(self, value):
        self._grad = (
            None if value is None else np.array(unwrap(value), dtype=self.dtype).reshape(self.shape)
        )

    def accumulate_grad(self, g):
        """Add g to `.grad`: what the backward pass calls at every leaf."""
        if self._grad is None:
            self._grad = np.copy(g)
        else:
            self._grad += g

    def retain_grad(self):
        """Ask backward to add to `.grad` here too, although this Tensor is not a leaf; it starts at zero."""
        self._grad = np.zeros(self.shape, self.dtype)
        return self

    shape = property(lambda self: self._data.shape)
    ndim = property(lambda self: self._data.ndim)
    size = property(lambda self: self._data.size)
    dtype = property(lambda self: self._data.dtype)
    nbytes = property(lambda self: self._data.nbytes)
    T = property(lambda self: np.transpose(self))
    mT = property(lambda self: np.swapaxes(self, -1, -2))
    item = property(lambda self: self._data.item)
    tolist = property(lambda self: self._data.tolist)

    def detach(self):
        """The same numbers, without history."""
        return Tensor(self._data)

    def backward(self, seed=None, retain_graph=False):
        """Add dL/dleaf to `.grad` of every leaf, for L = self (a scalar) or, with `seed` of self's shape, L = sum(seed * self)."""
        backward_pass(self, self.seed(seed), retain=retain_graph)

    def seed(self, value=None):
        """The gradient that a walk from here starts with, checked: ones for a scalar, else a given array of this shape."""
        if not self.requires_grad:
            raise RuntimeError(
                "no gradient can flow from here: no input had requires_grad=True, or it ran under no_grad()"
            )
        if value is None:
            if self.size != 1:
                raise RuntimeError(
                    f"backward from shape {self.shape}, which is no scalar; reduce it (.sum(), .mean()) or pass seed="
                )
            return np.ones_like(self._data)
        if np.shape(value) != self.shape:
            raise ValueError(
                f"seed of shape {np.shape(value)} for an output of shape {self.shape}; they must be equal"
            )
        return value if isinstance(value, Tensor) else np.asarray(value, self.dtype)

    # How NumPy sees it ------------------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc, method, *args, **kwargs):
        if kwargs.get("out") is not None:
            raise TypeError(
                f"{describe(ufunc)}(..., out=) has no gradient; make a new array instead: y = x + t, not x += t"
            )
        args = [np.asarray(a) if type(a) in (list, tuple) else a for a in args]
        return dispatch(ufunc if method == "__call__" else getattr(ufunc, method), args, kwargs)

    def __array_function__(self, function, types, args, kwargs):
        return dispatch(function, args, kwargs)

    def __array__(self, dtype=None, copy=None):
        if self.requires_grad:
            raise TypeError(
                "a Tensor that needs a gradient does not turn into an array silently; use t.data for its numbers, "
                "np.stack or np.concatenate to build a Tensor out of Tensors"
            )
        return np.array(self._data, dtype=dtype, copy=copy)

    def __setitem__(self, index, value):
        raise TypeError(
            "writing into a Tensor has no gradient; use np.where, np.concatenate or, on a leaf, t.data[...] = value"
        )

    def __getitem__(self, index):
        return apply(getitem, self, unwrap(index))

    def __iter__(self):
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d Tensor")
        return (self[i] for i in range(len(self)))

    def __len__(self):
        return len(self._data)

    def __float__(self):
        return float(self._data)

    def __int__(self):
        return int(self._data)

    def __bool__(self):
        return bool(self._data)

    def __format__(self, spec):
        return format(self._data if self.ndim else self._data[()], spec)

    def __repr__(self):
        text = np.array2string(np.asarray(self._data), separator=", ", prefix="Tensor(")
        return f"Tensor({text}{', requires_grad=True' if self.requires_grad else ''})"

    def __deepcopy__(self, memo):
        if self.op is not None:
            raise RuntimeError(
                f"only leaves can be copied, and this was computed by {describe(self.op)}; copy t.detach()"
            )
        return type(self)(self._data.copy(), requires_grad=self.requires_grad)

    def __reduce__(self):
        return type(self), (np.array(self._data), self.requires_grad and self.op is None)


def dispatch(function, args, kwargs):
    """What a NumPy function does to a Tensor: its composition, its rule, its plain value, or a clear refusal."""
    composition = COMPOSED.get(function)
    if composition is not None:
        refuse_unknown(function, composition, kwargs)
        return composition(*args, **kwargs)
    if function in RULES:
        if any(isinstance(v, Tensor) for v in kwargs.values()):
            raise TypeError(
                f"{describe(function)}: pass Tensors by position, not by name: {sorted(kwargs)}"
            )
        return apply(function, *args, **kwargs)
    if function in CONSTANT:
        return function(*unwrap(args), **unwrap(kwargs))
    raise TypeError(
        f"{describe(function)} has no derivative rule; write it with functions that have one, "
        "add a rule in dlscratch/engine/rules, or pass the plain array t.data"
    )


Array = Tensor | np.ndarray
"""What public signatures mean by an array: a Tensor, or an ndarray."""
