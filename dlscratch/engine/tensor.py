"""Tensor: an ndarray that remembers how it was made. Only this file knows NumPy's protocols.

`t + u` goes straight to `record`, which makes the node of the result. `np.exp(t)` and `t.sum()`
come back from NumPy through `__array_ufunc__` and `__array_function__` to `dispatch`, which looks
the function up in the registry (operation.py); one with a rule goes on to `apply`, which computes
with the arrays and calls `record`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from .graph import Node, backward_pass, check_finite, creation_order
from .hints import missing_attribute, refuse_options
from .modes import mode
from .operation import COMPOSED, CONSTANT, RULES, describe, refuse_unknown

__all__ = ["Array", "Tensor", "apply", "record", "unwrap", "getitem"]

Axis = int | tuple[int, ...] | None

_NO_OPTIONS = {}
_new_tensor = object.__new__  # without the checks of __init__


def unwrap(x: Any) -> Any:
    """The array inside a Tensor, also in lists, tuples and dicts; anything else as it is."""
    if isinstance(x, Tensor):
        return x._data
    if type(x) in (list, tuple):
        return type(x)(map(unwrap, x))
    return {k: unwrap(v) for k, v in x.items()} if type(x) is dict else x


def getitem(x: Any, index: Any) -> Any:
    """x[index] as a function, so that it can be recorded; its rule is `scatter`."""
    return x[index]


def apply(op: Callable, *inputs: Any, **kwargs: Any) -> "Tensor":
    """Compute `op` on the arrays inside `inputs` and record it if one requires a gradient."""
    arrays = []
    traced = False
    for x in inputs:
        if isinstance(x, Tensor):
            traced = traced or x.requires_grad
            x = x._data
        arrays.append(x)
    y = op(*arrays, **kwargs)
    if traced and mode.record:
        rule = RULES.get(op)
        if rule is None:
            name = describe(op)
            raise TypeError(
                f"{name}: no rule; expected a derivative in the registry: rule({name}, vjp)"
            )
        if kwargs or len(inputs) > len(rule.vjps):
            rule.check_call(inputs, kwargs)
    return record(op, inputs, kwargs, y, traced)


def record(
    op: Any, inputs: tuple, kwargs: dict, y: Any, traced: bool, saved: Any = None
) -> "Tensor":
    """Wrap the array y = op(*inputs, **kwargs) in a Tensor.

    It becomes a node of the graph if `traced` (an input requires a gradient), else a constant.
    """
    if mode.anomaly:
        check_finite(y, f"the output of {describe(op)}", inputs)
    out = _new_tensor(Tensor)
    out._data = y
    out._grad = None
    if traced and mode.record:
        if isinstance(y, np.ndarray):
            y.setflags(write=False)  # a write would corrupt gradients unseen; so NumPy refuses it
        out.requires_grad = True
        out.op = op
        out.inputs = inputs
        out.kwargs = kwargs
        out.saved = saved
        out.order = next(creation_order)
    else:
        out.requires_grad = False
        out.op = None
        out.inputs = ()
        out.order = 0
        out.written_at = 0
    return out


class Tensor(Node):
    """An array that remembers what made it: `y.backward()` fills `x.grad` with dy/dx.

    It behaves as a NumPy array (operators, methods, `np.` functions). A leaf with
    `requires_grad=True` owns a copy of its numbers; change them after backward, by
    `with no_grad(): t -= step` or `t.data = new`. `.data` and `.grad` are ndarrays.

    Parameters
    ----------
    data : an array or Tensor of floats, integers or booleans, or numbers in lists.
    requires_grad : whether `backward` shall compute its gradient; for floats only.

    Raises
    ------
    TypeError
        When a gradient is asked of integers, or an array would leave the graph unnoticed.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import Tensor
    >>> x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> y = np.sum(np.square(x))
    >>> y
    Tensor(14., requires_grad=True)
    >>> y.backward()
    >>> x.grad
    array([2., 4., 6.])
    """

    __slots__ = ()
    __hash__ = object.__hash__  # by identity, since == is elementwise: sets of nodes rest on it

    def __init__(self, data: Any, requires_grad: bool = False):
        if isinstance(data, Tensor):
            data = data._data
        of_another_library = not isinstance(data, np.ndarray) and hasattr(
            data, "__array_function__"
        )
        if of_another_library:  # CuPy's kind stays what it is: docs/gpu.md
            self._data = data.copy() if requires_grad else data
        else:
            self._data = np.array(data) if requires_grad else np.asarray(data)
        if self._data.dtype.kind not in "fiub":
            raise TypeError(
                f"Tensor of dtype {self._data.dtype}: want floats, integers or booleans"
            )
        if requires_grad and self._data.dtype.kind != "f":
            raise TypeError(
                f"a Tensor of {self._data.dtype} cannot require a gradient; make it float first: "
                "x.astype('float64')"
            )
        self._grad = None
        self.requires_grad = requires_grad
        self.op = None
        self.inputs = ()
        self.kwargs = {}
        self.saved = None
        self.order = 0
        self.written_at = 0

    # What it holds --------------------------------------------------------------------------------

    @property
    def data(self) -> np.ndarray:
        """The ndarray inside. On a leaf it can be assigned: the numbers are copied into place."""
        return self._data

    @data.setter
    def data(self, value: Any) -> None:
        self._refuse_unless_leaf()
        value = unwrap(value)
        if value is not self._data:
            if np.shape(value) != self.shape:
                raise ValueError(
                    f"t.data = ...: came shape {np.shape(value)}, want {self.shape}; "
                    "make a new Tensor instead"
                )
            self._data[...] = value
        self.mark_written()

    def _refuse_unless_leaf(self):
        if self.op is not None:
            raise RuntimeError(
                f"this Tensor was computed by {describe(self.op)}; only leaves can be written. "
                "Use t.detach()"
            )

    @property
    def grad(self) -> np.ndarray | None:
        """dL/dself, summed over all calls of backward since it was last None."""
        return self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            value = np.array(unwrap(value), dtype=self.dtype).reshape(self.shape)
        self._grad = value

    def retain_grad(self) -> "Tensor":
        """Ask backward to add to `.grad` here too, although this is no leaf; it starts at zero."""
        self._grad = np.zeros(self.shape, self.dtype)
        return self

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return self._data.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._data.ndim

    @property
    def size(self) -> int:
        """The number of entries."""
        return self._data.size

    @property
    def dtype(self) -> np.dtype:
        """The type of the entries."""
        return self._data.dtype

    @property
    def nbytes(self) -> int:
        """The bytes that the entries fill."""
        return self._data.nbytes

    @property
    def T(self) -> "Tensor":
        """The axes in reverse order."""
        return np.transpose(self)

    @property
    def mT(self) -> "Tensor":
        """The last two axes swapped: the transpose of each matrix."""
        return np.swapaxes(self, -1, -2)

    def item(self, *index: int) -> float:
        """The one number in it, or the one at `index`, as Python's."""
        return self._data.item(*index)

    def tolist(self) -> list:
        """The numbers as nested lists."""
        return self._data.tolist()

    def detach(self) -> "Tensor":
        """The same numbers, without history."""
        return Tensor(self._data)

    # Backward -------------------------------------------------------------------------------------

    def backward(self, gradient: Any = None, retain_graph: bool = False) -> None:
        """Add dL/dleaf to `.grad` of every leaf.

        L = self, a scalar; or, with `gradient` = dL/dself of self's shape,
        L = sum(gradient * self).
        The graph is freed as it is used, unless `retain_graph`. Raises RuntimeError when
        nothing requires a gradient, when self is no scalar and no gradient was given, when the
        graph was freed, or when a leaf was written since.
        """
        backward_pass(self, self._first_gradient(gradient), retain_graph=retain_graph)

    def _first_gradient(self, gradient=None):
        """dL/dself to start a backward pass with: 1 for a scalar, else an array of this shape."""
        if not self.requires_grad:
            raise RuntimeError(
                "no gradient can flow from here: no input had requires_grad=True, "
                "or it ran under no_grad()"
            )
        if gradient is None:
            if self.size != 1:
                raise RuntimeError(
                    f"backward from shape {self.shape}, which is no scalar; reduce it "
                    "(.sum(), .mean()) or pass gradient="
                )
            return np.ones_like(self._data)
        if np.shape(gradient) != self.shape:
            raise ValueError(
                f"gradient of shape {np.shape(gradient)} for an output of shape {self.shape}; "
                "they must be equal"
            )
        return gradient if isinstance(gradient, Tensor) else np.asarray(gradient, self.dtype)

    # Operators ------------------------------------------------------------------------------------
    # Each records the NumPy function whose rule it shares, without the detour through NumPy's
    # dispatch. It computes by Python's own operator, which on numbers is ten times faster than the
    # ufunc, and the same on arrays. Written out five times, since a call of a shared method would
    # cost a tenth of an operation's time.

    def __add__(self, other):
        inputs = (self, other)
        if isinstance(other, Tensor):
            traced = self.requires_grad or other.requires_grad
            return record(np.add, inputs, _NO_OPTIONS, self._data + other._data, traced)
        return record(np.add, inputs, _NO_OPTIONS, self._data + other, self.requires_grad)

    def __radd__(self, other):
        return record(np.add, (other, self), _NO_OPTIONS, other + self._data, self.requires_grad)

    def __sub__(self, other):
        inputs = (self, other)
        if isinstance(other, Tensor):
            traced = self.requires_grad or other.requires_grad
            return record(np.subtract, inputs, _NO_OPTIONS, self._data - other._data, traced)
        return record(np.subtract, inputs, _NO_OPTIONS, self._data - other, self.requires_grad)

    def __rsub__(self, other):
        return record(
            np.subtract, (other, self), _NO_OPTIONS, other - self._data, self.requires_grad
        )

    def __mul__(self, other):
        inputs = (self, other)
        if isinstance(other, Tensor):
            traced = self.requires_grad or other.requires_grad
            return record(np.multiply, inputs, _NO_OPTIONS, self._data * other._data, traced)
        return record(np.multiply, inputs, _NO_OPTIONS, self._data * other, self.requires_grad)

    def __rmul__(self, other):
        return record(
            np.multiply, (other, self), _NO_OPTIONS, other * self._data, self.requires_grad
        )

    def __truediv__(self, other):
        inputs = (self, other)
        if isinstance(other, Tensor):
            traced = self.requires_grad or other.requires_grad
            return record(np.divide, inputs, _NO_OPTIONS, self._data / other._data, traced)
        return record(np.divide, inputs, _NO_OPTIONS, self._data / other, self.requires_grad)

    def __rtruediv__(self, other):
        return record(np.divide, (other, self), _NO_OPTIONS, other / self._data, self.requires_grad)

    def __mod__(self, other):
        inputs = (self, other)
        if isinstance(other, Tensor):
            traced = self.requires_grad or other.requires_grad
            return record(np.remainder, inputs, _NO_OPTIONS, self._data % other._data, traced)
        return record(np.remainder, inputs, _NO_OPTIONS, self._data % other, self.requires_grad)

    def __rmod__(self, other):
        return record(
            np.remainder, (other, self), _NO_OPTIONS, other % self._data, self.requires_grad
        )

    def __pow__(self, exponent):
        # np.power is 10 to 100 times slower than these. Of integers their values or dtypes differ.
        if type(exponent) in (int, float) and self._data.dtype.kind == "f":
            if exponent == 2:
                return COMPOSED[np.square](self)  # which knows what the square of a norm is
            if exponent == 0.5:
                return apply(np.sqrt, self)
            if exponent == -1:
                return apply(np.reciprocal, self)
        return apply(np.power, self, exponent)

    def __rpow__(self, base):
        return apply(np.power, base, self)

    def __matmul__(self, other):
        return np.matmul(self, other)

    def __rmatmul__(self, other):
        return np.matmul(other, self)

    def __neg__(self):
        return apply(np.negative, self)

    def __pos__(self):
        return apply(np.positive, self)

    def __abs__(self):
        return apply(np.absolute, self)

    # These have no derivative, or derivative zero: they give plain arrays.

    def __floordiv__(self, other):
        return np.floor_divide(self._data, unwrap(other))

    def __rfloordiv__(self, other):
        return np.floor_divide(unwrap(other), self._data)

    def __lt__(self, other):
        return np.less(self._data, unwrap(other))

    def __le__(self, other):
        return np.less_equal(self._data, unwrap(other))

    def __gt__(self, other):
        return np.greater(self._data, unwrap(other))

    def __ge__(self, other):
        return np.greater_equal(self._data, unwrap(other))

    def __eq__(self, other):
        return np.equal(self._data, unwrap(other))

    def __ne__(self, other):
        return np.not_equal(self._data, unwrap(other))

    # `t += u` changes the numbers of a leaf, under no_grad. Where t is no leaf it is t = t + u, a
    # new Tensor.

    def __iadd__(self, other):
        return self._write(np.add, other) if self._is_written_in_place("+=") else self + other

    def __isub__(self, other):
        return self._write(np.subtract, other) if self._is_written_in_place("-=") else self - other

    def __imul__(self, other):
        return self._write(np.multiply, other) if self._is_written_in_place("*=") else self * other

    def __itruediv__(self, other):
        return self._write(np.divide, other) if self._is_written_in_place("/=") else self / other

    def __ipow__(self, other):
        return self._write(np.power, other) if self._is_written_in_place("**=") else self**other

    def __imod__(self, other):
        return self._write(np.remainder, other) if self._is_written_in_place("%=") else self % other

    def __imatmul__(self, other):
        return self._write(np.matmul, other) if self._is_written_in_place("@=") else self @ other

    def __ifloordiv__(self, other):
        in_place = self._is_written_in_place("//=")
        return self._write(np.floor_divide, other) if in_place else self // other

    def _owns_its_numbers(self):
        """Whether this is a leaf whose numbers nobody else holds: then `t += u` changes them.

        A constant may share its numbers with an array of the caller's. A subclass is a Parameter,
        which owns them when it is frozen, too.
        """
        return self.op is None and (self.requires_grad or type(self) is not Tensor)

    def _is_written_in_place(self, said):
        if self._owns_its_numbers():
            if self.requires_grad and mode.record:
                raise RuntimeError(
                    f"t {said} ... on a leaf that requires a gradient; write "
                    f"`with no_grad(): t {said} ...` to change its numbers, "
                    f"or t = t {said[:-1]} ... for a new Tensor"
                )
            return True
        if self.op is not None and not mode.record:
            raise RuntimeError(
                f"t {said} ... under no_grad, on a Tensor that was computed by "
                f"{describe(self.op)}; only leaves can be written. "
                f"Write t = t {said[:-1]} ... for a new Tensor"
            )
        return False

    def _write(self, ufunc, other):
        ufunc(self._data, unwrap(other), out=self._data)
        self.mark_written()
        return self

    # Methods: names, arguments and meanings are those of numpy.ndarray ----------------------------

    def sum(self, axis: Axis = None, *, keepdims: bool = False, **unknown: Any) -> "Tensor":
        """np.sum."""
        refuse_options("sum", unknown)
        return np.sum(self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Axis = None, *, keepdims: bool = False, **unknown: Any) -> "Tensor":
        """np.mean."""
        refuse_options("mean", unknown)
        return np.mean(self, axis=axis, keepdims=keepdims)

    def var(
        self, axis: Axis = None, *, ddof: int = 0, keepdims: bool = False, **unknown: Any
    ) -> "Tensor":
        """np.var: the mean squared deviation; ddof=1 divides by n - 1."""
        refuse_options("var", unknown)
        return np.var(self, axis=axis, ddof=ddof, keepdims=keepdims)

    def std(
        self, axis: Axis = None, *, ddof: int = 0, keepdims: bool = False, **unknown: Any
    ) -> "Tensor":
        """np.std: the root of the variance."""
        refuse_options("std", unknown)
        return np.std(self, axis=axis, ddof=ddof, keepdims=keepdims)

    def max(self, axis: Axis = None, *, keepdims: bool = False, **unknown: Any) -> "Tensor":
        """np.max: ties share the gradient."""
        refuse_options("max", unknown)
        return np.max(self, axis=axis, keepdims=keepdims)

    def min(self, axis: Axis = None, *, keepdims: bool = False, **unknown: Any) -> "Tensor":
        """np.min: ties share the gradient."""
        refuse_options("min", unknown)
        return np.min(self, axis=axis, keepdims=keepdims)

    def prod(self, axis: Axis = None, *, keepdims: bool = False, **unknown: Any) -> "Tensor":
        """np.prod."""
        refuse_options("prod", unknown)
        return np.prod(self, axis=axis, keepdims=keepdims)

    def cumsum(self, axis: int | None = None, **unknown: Any) -> "Tensor":
        """np.cumsum."""
        refuse_options("cumsum", unknown)
        return np.cumsum(self, axis=axis)

    def cumprod(self, axis: int | None = None, **unknown: Any) -> "Tensor":
        """np.cumprod."""
        refuse_options("cumprod", unknown)
        return np.cumprod(self, axis=axis)

    def reshape(self, *shape: Any, order: str = "C") -> "Tensor":
        """np.reshape: `t.reshape(2, 3)` or `t.reshape((2, 3))`."""
        if len(shape) == 1:
            shape = shape[0]
        if order == "C":
            return apply(np.reshape, self, shape)
        reversed_shape = np.atleast_1d(shape)[::-1].tolist()
        return np.transpose(np.reshape(self.ravel(order), reversed_shape))

    def ravel(self, order: str = "C") -> "Tensor":
        """np.ravel: all entries in one row."""
        return np.ravel(self, order=order)

    def flatten(self, order: str = "C", **unknown: Any) -> "Tensor":
        """np.ravel, which for Tensors is the same."""
        refuse_options("flatten", unknown)
        return np.ravel(self, order=order)

    def transpose(self, *axes: Any) -> "Tensor":
        """np.transpose: the axes in the given order; reversed, if none is given."""
        if len(axes) == 1:
            axes = axes[0]
        if np.ndim(axes) and len(axes) == 2 < self.ndim:
            raise ValueError(
                f"t.transpose{tuple(axes)}: want the order of all {self.ndim} axes; "
                f"to swap two: t.swapaxes{tuple(axes)}"
            )
        return np.transpose(self, axes or None)

    def swapaxes(self, axis1: int, axis2: int) -> "Tensor":
        """np.swapaxes."""
        return np.swapaxes(self, axis1, axis2)

    def squeeze(self, axis: Axis = None, **unknown: Any) -> "Tensor":
        """np.squeeze: without the axes of length 1."""
        refuse_options("squeeze", unknown)
        return np.squeeze(self, axis=axis)

    def repeat(self, repeats: Any, axis: int | None = None) -> "Tensor":
        """np.repeat: each entry several times (PyTorch's `repeat` is np.tile)."""
        return np.repeat(self, repeats, axis=axis)

    def take(self, indices: Any, axis: int | None = None, mode: str = "raise") -> "Tensor":
        """np.take."""
        return np.take(self, indices, axis=axis, mode=mode)

    def compress(self, condition: Any, axis: int | None = None) -> "Tensor":
        """np.compress."""
        return np.compress(condition, self, axis=axis)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> "Tensor":
        """np.diagonal."""
        return np.diagonal(self, offset, axis1, axis2)

    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> "Tensor":
        """np.trace."""
        return np.trace(self, offset, axis1, axis2)

    def dot(self, other: Any) -> "Tensor":
        """np.dot."""
        return np.dot(self, other)

    def clip(self, min: Any = None, max: Any = None) -> "Tensor":
        """np.clip."""
        return np.clip(self, min, max)

    def astype(self, dtype: Any) -> Any:
        """np.astype: of float to float a step of the graph; to integers a plain array."""
        return np.astype(self, dtype)

    def copy(self) -> "Tensor":
        """np.copy: a copy that the gradient passes through."""
        return np.copy(self)

    # Methods without a derivative: they give plain arrays.

    def argmax(self, axis: int | None = None, *, keepdims: bool = False, **unknown: Any) -> Any:
        """np.argmax."""
        refuse_options("argmax", unknown)
        return np.argmax(self, axis=axis, keepdims=keepdims)

    def argmin(self, axis: int | None = None, *, keepdims: bool = False, **unknown: Any) -> Any:
        """np.argmin."""
        refuse_options("argmin", unknown)
        return np.argmin(self, axis=axis, keepdims=keepdims)

    def any(self, axis: Axis = None, *, keepdims: bool = False, **unknown: Any) -> Any:
        """np.any."""
        refuse_options("any", unknown)
        return np.any(self, axis=axis, keepdims=keepdims)

    def all(self, axis: Axis = None, *, keepdims: bool = False, **unknown: Any) -> Any:
        """np.all."""
        refuse_options("all", unknown)
        return np.all(self, axis=axis, keepdims=keepdims)

    def argsort(self, axis: int = -1, kind: str | None = None, **unknown: Any) -> Any:
        """np.argsort."""
        refuse_options("argsort", unknown)
        return np.argsort(self, axis=axis, kind=kind)

    def argpartition(self, kth: Any, axis: int = -1) -> Any:
        """np.argpartition."""
        return np.argpartition(self, kth, axis=axis)

    def searchsorted(self, v: Any, side: str = "left", sorter: Any = None) -> Any:
        """np.searchsorted."""
        return np.searchsorted(self, v, side=side, sorter=sorter)

    def nonzero(self) -> Any:
        """np.nonzero."""
        return np.nonzero(self)

    def round(self, decimals: int = 0) -> Any:
        """np.round."""
        return np.round(self, decimals)

    # How Python and NumPy see it ------------------------------------------------------------------

    def __getitem__(self, index):
        return apply(getitem, self, unwrap(index))

    def __setitem__(self, index, value):
        if self._owns_its_numbers() and not mode.record:
            self._data[unwrap(index)] = unwrap(value)
            self.mark_written()
            return
        raise TypeError(
            "writing into a Tensor has no gradient; use np.where, np.concatenate or, on a leaf, "
            "with no_grad(): t[...] = value"
        )

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
        numbers = np.array2string(np.asarray(self._data), separator=", ", prefix="Tensor(")
        return f"Tensor({numbers}{', requires_grad=True' if self.requires_grad else ''})"

    def __getattr__(self, name):
        """Only for attributes that are not there: the error names NumPy's way."""
        raise missing_attribute(type(self).__name__, name)

    def __deepcopy__(self, memo):
        if self.op is not None:
            raise RuntimeError(
                f"only leaves can be copied, and this was computed by {describe(self.op)}; "
                "copy t.detach()"
            )
        return type(self)(self._data.copy(), requires_grad=self.requires_grad)

    def __reduce__(self):
        return type(self), (np.array(self._data), self.requires_grad and self.op is None)

    def __array_ufunc__(self, ufunc, method, *args, **kwargs):
        if kwargs.get("out") is not None:
            raise TypeError(
                f"{describe(ufunc)}(..., out=) has no gradient; make a new array instead: "
                "y = x + t, not x += t"
            )
        args = [np.asarray(a) if type(a) in (list, tuple) else a for a in args]
        return dispatch(ufunc if method == "__call__" else getattr(ufunc, method), args, kwargs)

    def __array_function__(self, function, types, args, kwargs):
        return dispatch(function, args, kwargs)

    def __array__(self, dtype=None, copy=None):
        if self.requires_grad:
            raise TypeError(
                "a Tensor that needs a gradient does not turn into an array silently; use t.data "
                "for its numbers, np.stack or np.concatenate to build a Tensor out of Tensors"
            )
        return np.array(self._data, dtype=dtype, copy=copy)


def dispatch(function, args, kwargs):
    """What a NumPy function does to a Tensor: its composition, rule, plain value, or a refusal."""
    composition = COMPOSED.get(function)
    if composition is not None:
        refuse_unknown(function, composition, kwargs)
        return composition(*args, **kwargs)
    if function in RULES:
        if kwargs and any(isinstance(v, Tensor) for v in kwargs.values()):
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
