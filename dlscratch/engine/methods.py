"""The methods of ndarray, for Tensors: each is the NumPy function of the same name, which the dispatch differentiates."""

import numpy as np

from .table import COMPOSED, CONSTANT, RULES

__all__ = ["ArrayMethods"]


class ArrayMethods:
    """Names, arguments and meanings are those of `numpy.ndarray`; what writes in place or shows memory is left out on purpose."""

    __slots__ = ()

    def __getattr__(self, name):
        if name.startswith("_") or not hasattr(np.ndarray, name):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        function = f"np.{name}(t), or " if getattr(np, name, None) in (*RULES, *COMPOSED, *CONSTANT) else ""
        raise AttributeError(f"a Tensor has no .{name}, which has no gradient or is in place; want {function}the array's, t.data.{name}")

    def sum(self, axis=None, keepdims=False):
        return np.sum(self, axis=axis, keepdims=keepdims)

    def mean(self, axis=None, keepdims=False):
        return np.mean(self, axis=axis, keepdims=keepdims)

    def var(self, axis=None, ddof=0, keepdims=False):
        return np.var(self, axis=axis, ddof=ddof, keepdims=keepdims)

    def std(self, axis=None, ddof=0, keepdims=False):
        return np.std(self, axis=axis, ddof=ddof, keepdims=keepdims)

    def max(self, axis=None, keepdims=False):
        return np.max(self, axis=axis, keepdims=keepdims)

    def min(self, axis=None, keepdims=False):
        return np.min(self, axis=axis, keepdims=keepdims)

    def prod(self, axis=None, keepdims=False):
        return np.prod(self, axis=axis, keepdims=keepdims)

    def cumsum(self, axis=None):
        return np.cumsum(self, axis=axis)

    def cumprod(self, axis=None):
        return np.cumprod(self, axis=axis)

    def argmax(self, axis=None):
        return np.argmax(self, axis=axis)

    def argmin(self, axis=None):
        return np.argmin(self, axis=axis)

    def argsort(self, axis=-1):
        return np.argsort(self, axis=axis)

    def any(self, axis=None):
        return np.any(self, axis=axis)

    def all(self, axis=None):
        return np.all(self, axis=axis)

    def nonzero(self):
        return np.nonzero(self)

    def searchsorted(self, v, side="left", sorter=None):
        return np.searchsorted(self, v, side, sorter)

    def argpartition(self, kth, axis=-1):
        return np.argpartition(self, kth, axis=axis)

    def compress(self, condition, axis=None):
        return np.compress(condition, self, axis=axis)

    def reshape(self, *shape, order="C"):
        shape = shape[0] if len(shape) == 1 else shape
        if order == "C":
            return np.reshape(self, shape)
        turned = np.atleast_1d(shape)[::-1].tolist()
        return np.transpose(np.reshape(self.ravel(order), turned))

    def ravel(self, order="C"):
        return np.ravel(self, order=order)

    def flatten(self, order="C"):
        return np.ravel(self, order=order)

    def transpose(self, *axes):
        return np.transpose(self, (axes[0] if len(axes) == 1 else axes) or None)

    def swapaxes(self, axis1, axis2):
        return np.swapaxes(self, axis1, axis2)

    def squeeze(self, axis=None):
        return np.squeeze(self, axis=axis)

    def repeat(self, repeats, axis=None):
        return np.repeat(self, repeats, axis=axis)

    def take(self, indices, axis=None):
        return np.take(self, indices, axis=axis)

    def clip(self, min=None, max=None):
        return np.clip(self, min, max)

    def round(self, decimals=0):
        return np.round(self, decimals)

    def dot(self, other):
        return np.dot(self, other)

    def diagonal(self, offset=0, axis1=0, axis2=1):
        return np.diagonal(self, offset, axis1, axis2)

    def trace(self, offset=0, axis1=0, axis2=1):
        return np.trace(self, offset, axis1, axis2)

    def astype(self, dtype):
        return np.astype(self, dtype)

    def copy(self):
        return np.copy(self)
