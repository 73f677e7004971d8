"""The methods of ndarray, for Tensors: each is the NumPy function of the same name, which the dispatch differentiates."""

import functools

import numpy as np

from .operation import COMPOSED, CONSTANT, RULES

__all__ = ["ArrayMethods"]


class ArrayMethods:
    """Names, arguments and meanings are those of `numpy.ndarray`; in-place methods are left out on purpose."""

    __slots__ = ()

    def __getattr__(self, name):
        if name.startswith("_") or not hasattr(np.ndarray, name):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        function = (
            f"np.{name}(t), or "
            if getattr(np, name, None) in (*RULES, *COMPOSED, *CONSTANT)
            else ""
        )
        raise AttributeError(
            f"a Tensor has no .{name}, which has no gradient or is in place; want {function}the array's, t.data.{name}"
        )

    def reshape(self, *shape, order="C"):
        shape = shape[0] if len(shape) == 1 else shape
        if order == "C":
            return np.reshape(self, shape)
        turned = np.atleast_1d(shape)[::-1].tolist()
        return np.transpose(np.reshape(self.ravel(order), turned))

    def transpose(self, *axes):
        return np.transpose(self, (axes[0] if len(axes) == 1 else axes) or None)

    def clip(self, min=None, max=None):
        return np.clip(self, min, max)

    def flatten(self, order="C"):
        return np.ravel(self, order=order)

    def astype(self, dtype):
        return np.astype(self, dtype)

    def compress(self, condition, axis=None):
        return np.compress(condition, self, axis=axis)


def _reduction(function):
    return functools.wraps(function)(
        lambda self, axis=None, **options: function(self, axis=axis, **options)
    )


def _other(function):
    return functools.wraps(function)(
        lambda self, *args, **options: function(self, *args, **options)
    )


for _name in "sum mean var std max min prod cumsum cumprod argmax argmin any all".split():
    setattr(ArrayMethods, _name, _reduction(getattr(np, _name)))
for _name in "argsort argpartition nonzero searchsorted ravel swapaxes squeeze repeat take round dot diagonal trace copy".split():
    setattr(ArrayMethods, _name, _other(getattr(np, _name)))
