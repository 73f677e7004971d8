"""An array that behaves as CuPy's does, on the CPU: it never turns into a NumPy array unasked.

What runs on it may run on a GPU. As CuPy 14 (read in its source): NumPy's protocols work, but
mixing with a numpy.ndarray of one axis or more is refused, and so are functions that CuPy has not,
`as_strided` (it does not ask the array), most `reduce`s and `at`s of ufuncs. A NumPy array may be
an index.
"""

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

__all__ = ["Device", "to_device"]

LACKING = {
    "vecdot",
    "matvec",
    "vecmat",
    "vectorize",
    "apply_along_axis",
    "einsum_path",
    "require",
    "block",
}
REDUCE, AT = {"add", "multiply"}, {"add", "subtract", "maximum", "minimum"}
GIVES_PYTHON = (
    "shape",
    "ndim",
    "size",
    "dtype",
    "nbytes",
    "strides",
    "itemsize",
    "flags",
    "item",
    "tolist",
)
GIVES_ARRAY = (
    "reshape",
    "transpose",
    "swapaxes",
    "sum",
    "mean",
    "var",
    "max",
    "min",
    "argmax",
    "argmin",
    "argsort",
    "any",
    "all",
    "copy",
    "ravel",
    "astype",
    "squeeze",
    "repeat",
    "take",
    "view",
    "cumsum",
    "prod",
    "clip",
    "fill",
    "diagonal",
)


def to_device(array):
    """What cupy.asarray would give."""
    return Device(np.array(array))


class Device(NDArrayOperatorsMixin):
    """Wraps a numpy.ndarray, which only this file sees."""

    def __init__(self, hidden, base=None):
        self._hidden, self.base = hidden, base

    def __array__(self, *_, **__):
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`.")

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        known = {
            "reduce": REDUCE,
            "accumulate": REDUCE,
            "at": AT,
            "__call__": {ufunc.__name__},
        }.get(method, ())
        if ufunc.__name__ in LACKING or ufunc.__name__ not in known:
            return NotImplemented
        out = options.pop("out", ())
        given = {"out": tuple(map(own, out))} if out else {}
        y = getattr(ufunc, method)(*map(bare, inputs), **bare(options), **given)
        return out[0] if out else wrapped(y)

    def __array_function__(self, function, types, args, options):
        if function.__name__ in LACKING or not set(types) <= {
            Device,
            np.ndarray,
        }:  # another type may know better
            return NotImplemented
        return wrapped(function(*bare(args), **bare(options)))

    def __getitem__(self, index):
        return wrapped(self._hidden[index_of(index)], self)

    def __setitem__(self, index, value):
        self._hidden[index_of(index)] = bare(value)

    def __len__(self):
        return len(self._hidden)

    def __float__(self):
        return float(self._hidden)

    def __int__(self):
        return int(self._hidden)

    def __bool__(self):
        return bool(self._hidden)

    def get(self):
        """A copy as a numpy.ndarray."""
        return np.array(self._hidden)

    T = property(lambda self: wrapped(self._hidden.T, self))
    __cuda_array_interface__ = property(lambda self: self._hidden.__array_interface__)


for _name in GIVES_PYTHON:
    setattr(Device, _name, property(lambda self, _name=_name: getattr(self._hidden, _name)))
for _name in GIVES_ARRAY:
    setattr(
        Device,
        _name,
        lambda self, *a, _name=_name, **o: wrapped(
            getattr(self._hidden, _name)(*bare(a), **bare(o)), self
        ),
    )


def own(x):
    if not isinstance(x, Device):
        raise TypeError(f"Unsupported type {type(x)}: out= wants an array of the device")
    return x._hidden


def bare(x):
    """The hidden arrays, in lists and the like too.

    A numpy.ndarray with axes is refused, a Tensor too.
    """
    if isinstance(x, Device):
        return x._hidden
    if (
        isinstance(x, np.ndarray)
        and x.ndim
        or hasattr(x, "__array_ufunc__")
        and not isinstance(x, np.ndarray | np.generic)
    ):
        raise TypeError(f"Unsupported type {type(x)}: it met an array of the device")
    if isinstance(x, dict):
        return {k: bare(v) for k, v in x.items()}
    return type(x)(map(bare, x)) if type(x) in (list, tuple) else x


def index_of(index):
    return (
        tuple(map(index_of, index))
        if isinstance(index, tuple)
        else index._hidden
        if isinstance(index, Device)
        else index
    )


def wrapped(y, of=None):
    """Arrays and NumPy's scalars are arrays of the device: CuPy's reductions give 0-d arrays.

    A view knows the owner of its memory.
    """
    if isinstance(y, np.ndarray | np.generic):
        view = of is not None and isinstance(y, np.ndarray) and np.may_share_memory(y, of._hidden)
        return Device(np.asarray(y), (of if of.base is None else of.base) if view else None)
    return (
        type(y)(map(wrapped, y))
        if type(y) in (list, tuple) and any(isinstance(i, np.ndarray) for i in y)
        else y
    )
