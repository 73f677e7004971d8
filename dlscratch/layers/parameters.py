"""Parameters: leaves of the graph that live side by side in one vector, as optimizers want them."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from ..engine import Array, Tensor
from ..engine.tensor import unwrap

__all__ = ["Parameter", "Parameters"]


class Vectors(NamedTuple):
    """The memory that parameters share: their numbers, and in the same places gradients."""

    theta: np.ndarray
    dtheta: np.ndarray


class Parameter(Tensor):
    """A Tensor that is learned; its numbers are a view of the model's vector theta.

    `.grad` is None until a backward pass reaches the parameter after the last `zero_grad()`, and
    then a view of dtheta. Optimizers leave a parameter without gradient where it is, as PyTorch's
    do.

    Parameters
    ----------
    data : the numbers that it starts with, which are copied
    requires_grad : whether it is learned; a frozen one keeps its numbers

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch.layers import Parameter
    >>> w = Parameter(np.array([1.0, 2.0]))
    >>> w.grad is None
    True
    >>> (3 * w * w).sum().backward()
    >>> w.grad
    array([ 6., 12.])
    """

    __slots__ = ("_vectors", "_start", "_room")

    def __init__(self, data: Array, requires_grad: bool = True):
        super().__init__(data, requires_grad=True)
        self.requires_grad = requires_grad
        self._vectors = None  # the Vectors that it lies in, once it is packed,
        self._start = 0  # its first place in them
        self._room = None  # and its part of dtheta, which holds the gradient, or zeros

    @property
    def grad(self) -> np.ndarray | None:
        """dL/dself as an ndarray, summed since the last `zero_grad()`; None if there was none."""
        return self._grad

    @grad.setter
    def grad(self, value: Array | None) -> None:
        if value is None:
            self.zero_grad()
        else:
            room = self._make_room()
            room[...] = unwrap(value)
            self._grad = room

    def accumulate_grad(self, g: np.ndarray) -> None:
        """Add g to `.grad`, which the backward pass calls; the first is copied into dtheta."""
        if self._grad is None:
            room = self._make_room()
            room[...] = g
            self._grad = room
        else:
            self._grad += g

    def zero_grad(self) -> None:
        """Have no gradient: `.grad` is None, and its part of dtheta is zero."""
        if self._grad is not None:
            self._grad[...] = 0
        self._grad = None

    def retain_grad(self) -> "Parameter":
        """Nothing to do, as for any leaf: its gradient is kept anyway."""
        return self

    def is_packed(self) -> bool:
        """Whether its numbers lie in the vectors that it was packed into: not after `astype`."""
        return self._vectors is not None and self._data.base is self._vectors.theta

    def _make_room(self):
        """Where the gradient goes: its part of dtheta, or an array of its own if not packed."""
        return self._room if self.is_packed() else np.zeros_like(self._data)

    def _settle(self, vectors, start):
        """Become a view of the vectors: theta has the numbers, dtheta takes the gradient."""
        span = slice(start, start + self.size)
        numbers = vectors.theta[span].reshape(self.shape)
        room = vectors.dtheta[span].reshape(self.shape)
        if self._grad is not None:
            room[...] = self._grad
            self._grad = room
        self._data = numbers
        self._vectors = vectors
        self._start = start
        self._room = room
        self.mark_written()


class Parameters:
    """Some parameters in order: a sequence, and two vectors, `theta` and `dtheta`.

    A model's parameters are packed side by side: every `p.data` is a view of theta (P,), every
    gradient of dtheta (P,), and a submodule's are a slice of its parent's. Any others, a part of a
    model or those of several, stay where they are (`pack=False`): theta and dtheta are then
    gathered copies that refuse to be written. `read` and `write` work for all; whatever moves
    parameters is written in terms of them.

    Parameters
    ----------
    parameters : an iterable of Parameter; tied ones, which come twice, are one entry
    pack : copy them into one new vector, unless they lie in a row already. If False, only those
        that lie in no vector yet are moved, into one of their own

    Raises
    ------
    TypeError : for anything but a Parameter
    ValueError : for no parameters, or mixed dtypes
    RuntimeError : when used after the numbers went elsewhere, as by `model.astype`, or into a
        longer vector among others

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> model = layers.Sequential(layers.Linear(3, 2, rng=0), layers.Linear(2, 1, rng=1))
    >>> parameters = model.parameters()
    >>> len(parameters), parameters.theta.shape
    (4, (11,))
    >>> parameters.theta[:] = 0
    >>> float(abs(model[0].weight.data).sum())
    0.0
    >>> biases = layers.Parameters([model[0].bias, model[1].bias], pack=False)
    >>> biases.write(np.array([1.0, 2.0, 3.0]))
    >>> model[1].bias.data
    array([3.], dtype=float32)
    """

    def __init__(self, parameters: Iterable[Parameter], pack: bool = True):
        self._list = list({id(p): p for p in parameters}.values())
        _check(self._list)
        homeless = [p for p in self._list if not p.is_packed()]
        if pack and (homeless or len(_pieces(self._list)) > 1):
            _pack(self._list)
        elif homeless:
            _pack(homeless)
        self._in_a_row = pack  # as long as nobody packs some of them among others

    @classmethod
    def of(cls, parameters: "Parameters | Iterable[Parameter]") -> "Parameters":
        """The same if they are Parameters, else these of an iterable, left where they are."""
        return parameters if isinstance(parameters, Parameters) else cls(parameters, pack=False)

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self._list)

    def __len__(self) -> int:
        return len(self._list)

    def __getitem__(self, index):
        return self._list[index]

    @property
    def size(self) -> int:
        """P, how many numbers there are."""
        return sum(p.size for p in self._list)

    @property
    def dtype(self) -> np.dtype:
        """Their dtype, which they share."""
        return self._list[0].dtype

    @property
    def theta(self) -> np.ndarray:
        """All numbers, (P,): the memory itself if they lie in a row.

        After writing into it call `mark_written()`.
        """
        return _joined([theta for theta, _ in self.stretches()])

    @property
    def dtheta(self) -> np.ndarray:
        """All gradients, (P,), zeros where there is none: the memory itself if in a row."""
        return _joined([dtheta for _, dtheta in self.stretches()])

    def read(self) -> np.ndarray:
        """A copy of all numbers, (P,)."""
        return np.concatenate([theta for theta, _ in self.stretches()])

    def read_grad(self) -> np.ndarray:
        """A copy of all gradients, (P,), zero where there is none."""
        return np.concatenate([dtheta for _, dtheta in self.stretches()])

    def write(self, values: np.ndarray) -> None:
        """Set all numbers, values: (P,); ValueError for another shape."""
        self._check_shape("write", values)
        start = 0
        for theta, _ in self.stretches():
            theta[...] = values[start : start + len(theta)]
            start += len(theta)
        self.mark_written()

    def write_grad(self, values: np.ndarray) -> None:
        """Set all gradients, values: (P,); ValueError for another shape."""
        self._check_shape("write_grad", values)
        for p, span in self.spans():
            p.grad = values[span].reshape(p.shape)

    def stretches(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """(theta, dtheta) of each stretch of memory that they fill, in order: few views.

        Raises RuntimeError when the numbers are no longer where they were.
        """
        pieces = _pieces(self._list)
        if self._in_a_row and len(pieces) > 1:
            raise RuntimeError(
                "the model was given new parameters after these were collected; "
                "make the optimizer after the model is complete"
            )
        return [(v.theta[start:stop], v.dtheta[start:stop]) for v, start, stop in pieces]

    def gradients(self) -> list[np.ndarray]:
        """The gradients that there are: flat views, as few as possible, to read and write."""
        pieces = _pieces([p for p in self._list if p._grad is not None])
        return [v.dtheta[start:stop] for v, start, stop in pieces]

    def mark_written(self) -> None:
        """Tell the graph that the numbers changed: a backward through an older one raises."""
        for p in self._list:
            p.mark_written()

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients; with set_to_none=False those that there are become zeros."""
        for _, dtheta in self.stretches():
            dtheta[...] = 0
        if set_to_none:
            for p in self._list:
                p._grad = None

    def spans(self) -> Iterator[tuple[Parameter, slice]]:
        """(parameter, its slice of the vectors) for each parameter, in order."""
        start = 0
        for p in self._list:
            yield p, slice(start, start + p.size)
            start += p.size

    def _check_shape(self, name, values):
        if np.shape(values) != (self.size,):
            raise ValueError(
                f"Parameters.{name}: expected shape {(self.size,)}, one entry a number, "
                f"got {np.shape(values)}"
            )


def _check(parameters):
    wrong = [p for p in parameters if not isinstance(p, Parameter)]
    if wrong:
        raise TypeError(
            f"parameters: expected Parameter, got {type(wrong[0]).__name__}; "
            "wrap it: Parameter(array)"
        )
    if not parameters:
        raise ValueError(
            "no parameters: the model holds none "
            "(are its layers attributes, or in a list of layers?)"
        )
    dtypes = {p.dtype for p in parameters}
    if len(dtypes) > 1:
        raise ValueError(
            f"parameters of dtypes {sorted(map(str, dtypes))} cannot share a vector; "
            "use model.astype(...)"
        )


def _pieces(parameters):
    """[vectors, start, stop] of each stretch: what follows in order and in memory is one."""
    pieces = []
    last = [None, 0, 0]
    # Attributes of Nodes and arrays, not properties: every zero_grad and every step comes here, and
    # it halves the time, 0.4 µs a parameter less.
    for p in parameters:
        vectors = p._vectors
        if vectors is None or p._data.base is not vectors.theta:  # not packed
            raise RuntimeError(
                f"a parameter of shape {p.shape} has left its vector since these were collected "
                "(astype?); make the optimizer, or whatever holds them, anew: of model.parameters()"
            )
        start = p._start
        if vectors is not last[0] or start != last[2]:
            last = [vectors, start, start]
            pieces.append(last)
        last[2] = start + p._data.size
    return pieces


def _pack(parameters):
    """Copy all numbers and gradients into new vectors, of which the parameters become views."""
    theta = np.concatenate([p._data.ravel() for p in parameters])
    vectors = Vectors(theta, np.zeros_like(theta))
    start = 0
    for p in parameters:
        p._settle(vectors, start)
        start += p.size


def _joined(parts):
    """All parts as one vector: the only part itself, else a copy that refuses to be written."""
    if len(parts) == 1:
        return parts[0]
    joined = np.concatenate(parts)
    if isinstance(joined, np.ndarray):
        joined.setflags(write=False)
    return joined
