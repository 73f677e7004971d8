"""Parameters: leaves of the graph that live side by side in one vector, so that an optimizer is its formula on vectors."""

import numpy as np

from ..engine import Tensor

__all__ = ["Parameter", "Parameters", "address"]


class Parameter(Tensor):
    """A Tensor that is learned. Its numbers are a view of the model's vector theta, its gradient a view of dtheta."""

    __slots__ = ()

    def __init__(self, data, requires_grad=True):
        super().__init__(data, requires_grad=True)
        self.requires_grad = requires_grad

    @property
    def grad(self):
        """dL/dself as an ndarray; None before the first backward of a model that was not packed yet."""
        return self._grad

    @grad.setter
    def grad(self, value):
        if value is None and self._grad is not None:
            self._grad[...] = 0  # a view stays in place: None means zero
        elif value is not None:
            self._grad = np.zeros_like(self._data) if self._grad is None else self._grad
            self._grad[...] = value


class Parameters:
    """The parameters of a model, in order of definition: a sequence, and two vectors `theta` and `dtheta` of their entries.

    Every `p.data` is a view of theta (P,), every `p.grad` a view of dtheta (P,). A submodule's are a slice of its parent's.
    Raises ValueError for no parameters or mixed dtypes; RuntimeError when the model was packed anew without these in a row.
    """

    def __init__(self, parameters):
        self._list = list({id(p): p for p in parameters}.values())  # tied weights are one entry
        if wrong := [p for p in self._list if not isinstance(p, Parameter)]:
            raise TypeError(
                f"parameters must be Parameter, came {type(wrong[0]).__name__}; wrap it: Parameter(array)"
            )
        if not self._list:
            raise ValueError(
                "no parameters: the model holds none (are its layers attributes, or in a list of layers?)"
            )
        if len(kinds := {p.dtype for p in self._list}) > 1:
            raise ValueError(
                f"parameters of dtypes {sorted(map(str, kinds))} cannot share a vector; use model.astype(...)"
            )
        self._vectors = self._find() or self._pack()

    def __iter__(self):
        return iter(self._list)

    def __len__(self):
        return len(self._list)

    def __getitem__(self, index):
        return self._list[index]

    @property
    def theta(self):
        """All numbers, (P,). Write into it in place, then call `mark_written()`."""
        return self._current()[0]

    @property
    def dtheta(self):
        """All gradients, (P,)."""
        return self._current()[1]

    def mark_written(self):
        """Tell the graph that the numbers changed, so that a backward through an older graph raises."""
        for p in self._list:
            p.mark_written()

    def zero_grad(self):
        """Set all gradients to zero."""
        self.dtheta[...] = 0

    def spans(self):
        """(parameter, its slice of the vectors) for each parameter, in order."""
        start = 0
        for p in self._list:
            yield p, slice(start, start + p.size)
            start += p.size

    def _current(self):
        if self._list[0]._data.base is not _owner(self._vectors[0]):
            self._vectors = self._find()
            if self._vectors is None:
                raise RuntimeError(
                    "the model was given new parameters after these were collected; "
                    "make the optimizer after the model is complete"
                )
        return self._vectors

    def _find(self):
        """The slices of (theta, dtheta) that these parameters already fill, or None."""
        base, gbase = self._list[0]._data.base, getattr(self._list[0]._grad, "base", None)
        if (
            base is None
            or gbase is None
            or base.ndim != 1
            or any(p._data.base is not base for p in self._list)
        ):
            return None
        starts = [(address(p._data) - address(base)) // base.itemsize for p in self._list]
        ends = [a + p.size for a, p in zip(starts, self._list, strict=True)]
        return (
            (base[starts[0] : ends[-1]], gbase[starts[0] : ends[-1]])
            if starts[1:] == ends[:-1]
            else None
        )

    def _pack(self):
        """Copy all numbers into one new vector and re-point the parameters to it."""
        theta = np.concatenate([p._data.ravel() for p in self._list])
        dtheta = np.zeros_like(theta)
        for p, span in self.spans():
            view = dtheta[span].reshape(p.shape)
            if p._grad is not None:
                view[...] = p._grad
            p._data, p._grad = theta[span].reshape(p.shape), view
            p.mark_written()
        return theta, dtheta


def _owner(array):
    return array if array.base is None else array.base


def address(array):
    """Where the numbers of an array begin in memory, the computer's or, for CuPy's, the GPU's."""
    interface = getattr(array, "__cuda_array_interface__", None) or array.__array_interface__
    return interface["data"][0]
