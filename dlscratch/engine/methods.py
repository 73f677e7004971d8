"""The methods of ndarray, for Tensors: each is the NumPy function of the same name, which the dispatch differentiates."""

import functools

import numpy as np

__all__ = ["ArrayMethods"]


class ArrayMethods:
    """Names, arguments and meanings are those of `numpy.ndarray`; in-place methods are left out on purpose."""

    __slots__ = ()

    def reshape(self, *shape):
        return np.reshape(self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes):
        return np.transpose(self, (axes[0] if len(axes) == 1 else axes) or None)

    def clip(self, min=None, max=None):
        return np.clip(self, min, max)

    def flatten(self):
        return np.ravel(self)

    def astype(self, dtype):
        return np.astype(self, dtype)


def _reduction(function):
    return functools.wraps(function)(lambda self, axis=None, **options: function(self, axis=axis, **options))


def _other(function):
    return functools.wraps(function)(lambda self, *args, **options: function(self, *args, **options))


for _name in "sum mean var std max min prod cumsum cumprod argmax argmin any all".split():
    setattr(ArrayMethods, _name, _reduction(getattr(np, _name)))
for _name in "argsort ravel swapaxes squeeze repeat take round dot diagonal trace copy".split():
    setattr(ArrayMethods, _name, _other(getattr(np, _name)))
