"""Recurrent layers and cells. Parameters start uniform in ±1/√hidden_size, as in PyTorch."""

import math

import numpy as np

from .. import functional as F
from .. import initializers
from .module import Module
from .parameters import Parameter

__all__ = ["Recurrent", "RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell"]


class Recurrent(Module):
    """What layers and cells share: the four parameters of one recurrence, and states that start at zero."""

    function, gates, states = (
        None,
        1,
        1,
    )  # the recurrence, how many blocks its weights have, and how many arrays its state

    def __init__(self, input_size, hidden_size, bias, proj_size=0):
        if min(input_size, hidden_size) < 1 or not 0 <= proj_size < hidden_size:
            sizes = f"{input_size}, {hidden_size}" + f", proj_size={proj_size}" * (proj_size != 0)
            raise ValueError(
                f"{type(self).__name__}({sizes}): want sizes of at least 1, and 0 <= proj_size < hidden_size"
            )
        self.input_size, self.hidden_size, self.bias, self.proj_size = (
            input_size,
            hidden_size,
            bias,
            proj_size,
        )

    def _add(self, suffix, inputs, rng):
        H, bound = self.hidden_size, 1 / math.sqrt(self.hidden_size)
        shapes = {
            "weight_ih": (self.gates * H, inputs),
            "weight_hh": (self.gates * H, self.proj_size or H),
        }
        shapes |= {"bias_ih": (self.gates * H,), "bias_hh": (self.gates * H,)} if self.bias else {}
        shapes |= {"weight_hr": (self.proj_size, H)} if self.proj_size else {}
        for name, shape in shapes.items():
            setattr(self, name + suffix, Parameter(initializers.uniform(rng, shape, -bound, bound)))

    def _step(self, x, states, suffix=""):
        """(all outputs, last states) of the recurrence whose parameters end in `suffix`."""
        names = (
            "weight_ih",
            "weight_hh",
            "bias_ih",
            "bias_hh",
            *("weight_hr",) * (self.proj_size > 0),
        )
        weights = [getattr(self, name + suffix, None) for name in names]
        output, *states = self.function(x, *states, *weights)
        return output, states

    def _start(self, x, state, shape):
        """The given state as a list of arrays, checked; zeros if there is none. `shape` is that of h; c has no projection."""
        shapes = [shape, (*shape[:-1], self.hidden_size)][: self.states]
        if state is None:
            return [np.zeros(s, x.dtype) for s in shapes]
        if isinstance(state, tuple | list) != (self.states > 1) or (
            self.states > 1 and len(state) != self.states
        ):
            raise TypeError(
                f"{self}: state of type {type(state).__name__}; want {'a pair (h, c)' if self.states > 1 else 'one array, h'}"
            )
        state = list(state) if self.states > 1 else [state]
        for name, array, shape in zip("hc", state, shapes):
            if array.shape != shape:
                raise ValueError(
                    f"{self}: state {name} {array.shape}; want {shape} for input {x.shape}"
                )
        return state

    def _each(self, state, f):
        """f of each array of a state."""
        return (
            tuple(map(f, state))
            if isinstance(state, tuple | list)
            else None
            if state is None
            else f(state)
        )

    def _end(self, state):
        return tuple(state) if self.states > 1 else state[0]

    def __repr__(self):
        return f"{type(self).__name__}({self.input_size}→{self.hidden_size})"


class _Layer(Recurrent):
    def __init__(
        self,
        input_size,
        hidden_size,
        num_layers=1,
        bias=True,
        batch_first=False,
        dropout=0.0,
        bidirectional=False,
        proj_size=0,
        *,
        rng=None,
    ):
        if proj_size and self.function is not F.lstm:
            raise ValueError(
                f"{type(self).__name__}(proj_size={proj_size}): want 0; only an LSTM projects its state"
            )
        super().__init__(input_size, hidden_size, bias, proj_size)
        if num_layers < 1 or not 0 <= dropout < 1:
            raise ValueError(
                f"{self}: num_layers={num_layers}, dropout={dropout}; want at least one layer and 0 <= dropout < 1"
            )
        self.num_layers, self.batch_first, self.dropout, self.bidirectional = (
            num_layers,
            batch_first,
            dropout,
            bidirectional,
        )
        self.rng = np.random.default_rng(rng)
        self._directions = ("", "_reverse")[: 1 + bidirectional]
        for k in range(num_layers):
            for direction in self._directions:
                self._add(
                    f"_l{k}{direction}",
                    input_size if k == 0 else (proj_size or hidden_size) * len(self._directions),
                    self.rng,
                )

    def forward(self, x, state=None):
        """(output, state) of a batch of sequences, or of one without its axis N, from a state or from zeros."""
        if x.ndim == 2:
            batch = 0 if self.batch_first else 1
            y, state = self.forward(
                np.expand_dims(x, batch), self._each(state, lambda s: np.expand_dims(s, 1))
            )
            return np.squeeze(y, batch), self._each(state, lambda s: np.squeeze(s, 1))
        if x.ndim != 3 or x.shape[2] != self.input_size:
            raise ValueError(
                f"{self}: input {x.shape}; want ({'N, T' if self.batch_first else 'T, N'}, {self.input_size})"
            )
        x = x if self.batch_first else np.swapaxes(x, 0, 1)
        states, last = (
            self._start(
                x,
                state,
                (
                    self.num_layers * len(self._directions),
                    len(x),
                    self.proj_size or self.hidden_size,
                ),
            ),
            [],
        )
        for k in range(self.num_layers):
            x = F.dropout(x, self.dropout, self.training and k > 0, rng=self.rng)
            outputs = []
            for direction in self._directions:
                turned = x[:, ::-1] if direction else x
                y, end = self._step(turned, [s[len(last)] for s in states], f"_l{k}{direction}")
                outputs.append(y[:, ::-1] if direction else y)
                last.append(end)
            x = np.concatenate(outputs, axis=-1) if self.bidirectional else y
        state = self._end([np.stack(s) for s in zip(*last)])
        return (x if self.batch_first else np.swapaxes(x, 0, 1)), state


class _Cell(Recurrent):
    def __init__(self, input_size, hidden_size, bias=True, *, rng=None):
        super().__init__(input_size, hidden_size, bias)
        self._add("", input_size, np.random.default_rng(rng))

    def forward(self, x, state=None):
        """The state after one step, of a batch or of one vector (D,)."""
        if x.ndim == 1:
            return self._each(
                self.forward(x[None], self._each(state, lambda s: s[None])), lambda s: s[0]
            )
        if x.ndim != 2 or x.shape[1] != self.input_size:
            raise ValueError(f"{self}: input {x.shape}; want (N, {self.input_size})")
        return self._end(
            self._step(x[:, None], self._start(x, state, (len(x), self.hidden_size)))[1]
        )


class RNN(_Layer):
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), or relu of it, in `num_layers` layers and one or two directions.

    x: (T, N, D), state: (layers · directions, N, H) or None → output (T, N, directions · H), state; with batch_first
    (N, T, D) → (N, T, directions · H). `dropout` acts between layers, in training. Raises ValueError for other shapes.
    """

    def __init__(
        self,
        input_size,
        hidden_size,
        num_layers=1,
        nonlinearity="tanh",
        bias=True,
        batch_first=False,
        dropout=0.0,
        bidirectional=False,
        *,
        rng=None,
    ):
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, rng=rng
        )
        self.nonlinearity = nonlinearity

    def function(self, *inputs):
        """One layer and direction."""
        return F.rnn(*inputs, nonlinearity=self.nonlinearity)


class LSTM(_Layer):
    """c_t = f ∘ c_{t-1} + i ∘ g and h_t = o ∘ tanh c_t, gates as in `functional.lstm`, in layers and directions.

    x: (T, N, D), state: (h, c), each (layers · directions, N, H), or None → output (T, N, directions · H), state; with
    batch_first (N, T, D) → (N, T, directions · H). With proj_size = P > 0, weight_hr: (P, H) makes of each h its (N, P), slower.
    `dropout` acts between layers, in training. Raises ValueError for other shapes.
    """

    function, gates, states = staticmethod(F.lstm), 4, 2


class GRU(_Layer):
    """h_t = (1 - z) ∘ n + z ∘ h_{t-1}, gates as in `functional.gru`, in `num_layers` layers and one or two directions.

    x: (T, N, D), state: (layers · directions, N, H) or None → output (T, N, directions · H), state; with batch_first
    (N, T, D) → (N, T, directions · H). `dropout` acts between layers, in training. Raises ValueError for other shapes.
    """

    function, gates = staticmethod(F.gru), 3


class RNNCell(_Cell):
    """One step of an RNN.  x: (N, D), h: (N, H) or None → (N, H). Raises ValueError for other shapes."""

    function = RNN.function

    def __init__(self, input_size, hidden_size, bias=True, nonlinearity="tanh", *, rng=None):
        super().__init__(input_size, hidden_size, bias, rng=rng)
        self.nonlinearity = nonlinearity


class LSTMCell(_Cell):
    """One step of an LSTM.  x: (N, D), state: (h, c), each (N, H), or None → (h, c). Raises ValueError for other shapes."""

    function, gates, states = staticmethod(F.lstm), 4, 2


class GRUCell(_Cell):
    """One step of a GRU.  x: (N, D), h: (N, H) or None → (N, H). Raises ValueError for other shapes."""

    function, gates = staticmethod(F.gru), 3
