"""Recurrent layers and cells. Parameters start uniform in ±1/√hidden_size, as in PyTorch."""

import math

import numpy as np

from .. import functional as F
from .. import initializers
from ..engine import Array, Tensor
from ..functional.linear import check_same_dtype
from .module import Module
from .parameters import Parameter

__all__ = ["Recurrent", "RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell"]

State = Array | tuple[Array, Array]  # h, or the pair (h, c) of an LSTM


class Recurrent(Module):
    """What layers and cells share: the parameters of a recurrence, states that start at zero.

    A subclass names the recurrence, how many `gates` its weights have as blocks, and how many
    arrays its state is.
    """

    function = None
    gates = 1
    states = 1

    input_size: int
    hidden_size: int
    bias: bool
    proj_size: int

    def __init__(self, input_size: int, hidden_size: int, bias: bool, proj_size: int = 0):
        if min(input_size, hidden_size) < 1 or not 0 <= proj_size < hidden_size:
            projected = f", proj_size={proj_size}" if proj_size else ""
            raise ValueError(
                f"{type(self).__name__}({input_size}, {hidden_size}{projected}): "
                "want sizes of at least 1, and 0 <= proj_size < hidden_size"
            )
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        self.proj_size = proj_size

    @property
    def output_size(self) -> int:
        """How many numbers h has: hidden_size, unless it is projected."""
        return self.proj_size or self.hidden_size

    def _add_parameters(self, suffix, inputs, rng):
        """The weights and biases of one recurrence, whose names end in `suffix`."""
        H = self.hidden_size
        G = self.gates * H
        shapes = {"weight_ih": (G, inputs), "weight_hh": (G, self.output_size)}
        if self.bias:
            shapes |= {"bias_ih": (G,), "bias_hh": (G,)}
        if self.proj_size:
            shapes |= {"weight_hr": (self.proj_size, H)}
        bound = 1 / math.sqrt(H)
        for name, shape in shapes.items():
            setattr(self, name + suffix, Parameter(initializers.uniform(rng, shape, -bound, bound)))

    def _run(self, x, states, suffix=""):
        """(all outputs, last states) of the recurrence whose parameters end in `suffix`."""
        names = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
        if self.proj_size:
            names.append("weight_hr")
        weights = [getattr(self, name + suffix, None) for name in names]
        output, *states = self.function(x, *states, *weights)
        return output, states

    def _first_states(self, x, state, shape):
        """The given state as a list of arrays, checked, or zeros. `shape` is that of h."""
        shapes = [shape, (*shape[:-1], self.hidden_size)][: self.states]  # c is not projected
        if state is None:
            return [np.zeros(s, x.dtype) for s in shapes]
        is_pair = isinstance(state, tuple | list)
        if is_pair != (self.states > 1) or (is_pair and len(state) != self.states):
            wanted = "a pair (h, c)" if self.states > 1 else "one array, h"
            raise TypeError(f"{self}: state of type {type(state).__name__}; want {wanted}")
        state = list(state) if is_pair else [state]
        for name, array, shape in zip("hc", state, shapes, strict=False):
            if array.shape != shape:
                raise ValueError(
                    f"{self}: state {name} {array.shape}; want {shape} for input {x.shape}"
                )
            check_same_dtype(self, array, x, f"state {name}")
        return state

    def _as_state(self, arrays):
        """One array, or the pair of an LSTM."""
        return tuple(arrays) if self.states > 1 else arrays[0]

    def __repr__(self):
        return f"{type(self).__name__}({self.input_size}→{self.hidden_size})"


def _each(state, f):
    """f of each array of a state, be it one, a pair or None."""
    if state is None:
        return None
    return tuple(map(f, state)) if isinstance(state, tuple | list) else f(state)


def _checked(layer, nonlinearity):
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"{layer}: nonlinearity={nonlinearity!r}; want 'tanh' or 'relu'")
    return nonlinearity


# Layers -------------------------------------------------------------------------------------------


class _Layer(Recurrent):
    num_layers: int
    batch_first: bool
    dropout: float
    bidirectional: bool

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        *,
        rng: np.random.Generator | int | None = None,
    ):
        if proj_size and self.function is not F.lstm:
            raise ValueError(
                f"{type(self).__name__}(proj_size={proj_size}): want 0; "
                "only an LSTM projects its state"
            )
        super().__init__(input_size, hidden_size, bias, proj_size)
        if num_layers < 1 or not 0 <= dropout <= 1:
            raise ValueError(
                f"{self}: num_layers={num_layers}, dropout={dropout}; "
                "want at least one layer and 0 <= dropout <= 1"
            )
        self.num_layers = num_layers
        self.batch_first = batch_first
        self.dropout = dropout
        self.bidirectional = bidirectional
        self.rng = np.random.default_rng(rng)
        self._directions = ("", "_reverse") if bidirectional else ("",)
        for k in range(num_layers):
            inputs = input_size if k == 0 else self.output_size * len(self._directions)
            for direction in self._directions:
                self._add_parameters(f"_l{k}{direction}", inputs, self.rng)

    def forward(self, x: Array, state: State | None = None) -> tuple[Tensor, State]:
        """(output, state) of sequences, or of one without its axis N, from a state or zeros."""
        if not hasattr(x, "dtype"):
            check_same_dtype(self, x, self.weight_ih_l0)
        if x.ndim == 2:
            return self._unbatched(x, state)
        if x.ndim != 3 or x.shape[2] != self.input_size:
            axes = "N, T" if self.batch_first else "T, N"
            raise ValueError(f"{self}: input {x.shape}; want ({axes}, {self.input_size})")
        x = x if self.batch_first else np.swapaxes(x, 0, 1)
        D = len(self._directions)
        states = self._first_states(x, state, (self.num_layers * D, len(x), self.output_size))
        check_same_dtype(self, x, self.weight_ih_l0)
        last = []
        for k in range(self.num_layers):
            x = F.dropout(x, self.dropout, self.training and k > 0, rng=self.rng)
            outputs = []
            for d, direction in enumerate(self._directions):
                first = [s[k * D + d] for s in states]
                turned = x[:, ::-1] if direction else x
                y, end = self._run(turned, first, f"_l{k}{direction}")
                outputs.append(y[:, ::-1] if direction else y)
                last.append(end)
            x = np.concatenate(outputs, axis=-1) if self.bidirectional else outputs[0]
        state = self._as_state([np.stack(s) for s in zip(*last, strict=True)])
        return (x if self.batch_first else np.swapaxes(x, 0, 1)), state

    def _unbatched(self, x, state):
        axis = 0 if self.batch_first else 1
        state = _each(state, lambda s: np.expand_dims(s, 1))
        y, state = self.forward(np.expand_dims(x, axis), state)
        return np.squeeze(y, axis), _each(state, lambda s: np.squeeze(s, 1))


class RNN(_Layer):
    """A recurrent network: layers and directions of a state that each step updates.

    h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), or relu of it.

    x: (T, N, D), state: (layers · directions, N, H) or None → output (T, N, directions · H), state;
    with batch_first (N, T, D) → (N, T, directions · H). Without a batch, N is missing everywhere.

    Parameters
    ----------
    input_size, hidden_size : D and H
    num_layers : each layer reads the outputs of the one below
    nonlinearity : "tanh" or "relu"
    bias, batch_first : whether there are biases, whether N comes first
    dropout : its p between layers, in training
    bidirectional : whether a second recurrence goes from the end to the beginning
    rng : what draws the first weights and the dropout

    Raises
    ------
    ValueError for other shapes and sizes, TypeError for another dtype than the weights'

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layer = layers.RNN(3, 4, batch_first=True, rng=0)
    >>> output, h = layer(np.ones((2, 5, 3), "float32"))
    >>> output.shape, h.shape
    ((2, 5, 4), (1, 2, 4))
    """

    nonlinearity: str

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        rng: np.random.Generator | int | None = None,
    ):
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, rng=rng
        )
        self.nonlinearity = _checked(self, nonlinearity)

    def function(self, *inputs: Array) -> tuple[Array, Array]:
        """One layer and direction: (all h, the last h)."""
        return F.rnn(*inputs, nonlinearity=self.nonlinearity)


class LSTM(_Layer):
    """A long short-term memory: a recurrent network whose gates keep, write and show its cell.

    c_t = f ∘ c_{t-1} + i ∘ g and h_t = o ∘ tanh c_t, with the gates of F.lstm.

    x: (T, N, D), state: (h, c), each (layers · directions, N, H), or None → output (T, N,
    directions · H), state; with batch_first (N, T, D) → (N, T, directions · H). Without a batch, N
    is missing everywhere.

    Parameters
    ----------
    input_size, hidden_size : D and H
    num_layers : each layer reads the outputs of the one below
    bias, batch_first : whether there are biases, whether N comes first
    dropout : its p between layers, in training
    bidirectional : whether a second recurrence goes from the end to the beginning
    proj_size : P > 0 projects each h to (N, P) by weight_hr: (P, H); slower
    rng : what draws the first weights and the dropout

    Raises
    ------
    ValueError for other shapes and sizes, TypeError for another dtype than the weights'

    Examples
    --------
    >>> import numpy as np
    >>> layer = LSTM(3, 4, batch_first=True, rng=0)
    >>> output, (h, c) = layer(np.ones((2, 5, 3), "float32"))
    >>> output.shape, h.shape, c.shape
    ((2, 5, 4), (1, 2, 4), (1, 2, 4))
    """

    function = staticmethod(F.lstm)
    gates = 4
    states = 2


class GRU(_Layer):
    """A gated recurrent unit: a recurrent network whose gates mix old and new state.

    h_t = (1 - z) ∘ n + z ∘ h_{t-1}, with the gates of F.gru.

    x: (T, N, D), state: (layers · directions, N, H) or None → output (T, N, directions · H), state;
    with batch_first (N, T, D) → (N, T, directions · H). Options and errors as of LSTM, but
    proj_size, which must be 0.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layer = layers.GRU(3, 4, batch_first=True, rng=0)
    >>> output, h = layer(np.ones((2, 5, 3), "float32"))
    >>> output.shape, h.shape
    ((2, 5, 4), (1, 2, 4))
    """

    function = staticmethod(F.gru)
    gates = 3


# Cells --------------------------------------------------------------------------------------------


class _Cell(Recurrent):
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        rng: np.random.Generator | int | None = None,
    ):
        super().__init__(input_size, hidden_size, bias)
        self._add_parameters("", input_size, np.random.default_rng(rng))

    def forward(self, x: Array, state: State | None = None) -> State:
        """The state after one step, of a batch or of one vector (D,)."""
        if not hasattr(x, "dtype"):
            check_same_dtype(self, x, self.weight_ih)
        if x.ndim == 1:
            state = self.forward(x[None], _each(state, lambda s: s[None]))
            return _each(state, lambda s: s[0])
        if x.ndim != 2 or x.shape[1] != self.input_size:
            raise ValueError(f"{self}: input {x.shape}; want (N, {self.input_size})")
        states = self._first_states(x, state, (len(x), self.hidden_size))
        check_same_dtype(self, x, self.weight_ih)
        _, states = self._run(x[:, None], states)
        return self._as_state(states)


class RNNCell(_Cell):
    """One step of an RNN.

    x: (N, D), h: (N, H) or None → (N, H), or without N. Errors as of RNN.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layers.RNNCell(3, 4, rng=0)(np.ones((2, 3), "float32")).shape
    (2, 4)
    """

    function = RNN.function
    nonlinearity: str

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        *,
        rng: np.random.Generator | int | None = None,
    ):
        super().__init__(input_size, hidden_size, bias, rng=rng)
        self.nonlinearity = _checked(self, nonlinearity)


class LSTMCell(_Cell):
    """One step of an LSTM.

    x: (N, D), state: (h, c), each (N, H), or None → (h, c), or without N.

    Examples
    --------
    >>> import numpy as np
    >>> h, c = LSTMCell(3, 4, rng=0)(np.ones((2, 3), "float32"))
    >>> h.shape, c.shape
    ((2, 4), (2, 4))
    """

    function = staticmethod(F.lstm)
    gates = 4
    states = 2


class GRUCell(_Cell):
    """One step of a GRU.

    x: (N, D), h: (N, H) or None → (N, H), or without N. Errors as of GRU.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layers.GRUCell(3, 4, rng=0)(np.ones((2, 3), "float32")).shape
    (2, 4)
    """

    function = staticmethod(F.gru)
    gates = 3
