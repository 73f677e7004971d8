"""RNN, LSTM and GRU in the words of ONNX, which orders their gates and axes in its own way."""

import numpy as np

from ..engine import Tensor
from ..functional import recurrent

__all__ = ["RECURRENT"]


def _recurrence(kind, gates, **options):
    """The translation of one layer in one direction: (x, h, c, weights) → (T, N, H), c behind it.

    gates: ONNX's blocks of weights, each by its place among ours.
    """

    def translate(t, x, h, c, W_ih, W_hh, b_ih=None, b_hh=None):
        H = W_hh.shape[1]
        rows = t.constant(np.concatenate([np.arange(k * H, (k + 1) * H) for k in gates]))
        first_axis = t.constant([0])
        directions = lambda name: t.add("Unsqueeze", name, first_axis)
        in_order = lambda i: t.add("Gather", t.value(i), rows, axis=0)

        def bias(i, given):
            return t.constant(np.zeros(len(W_ih)), x.dtype) if given is None else in_order(i)

        steps_first = t.add("Transpose", t.value(0), perm=[1, 0, 2])
        inputs = [steps_first, directions(in_order(3)), directions(in_order(4))]
        has_bias = b_ih is not None or b_hh is not None
        both = t.add("Concat", bias(5, b_ih), bias(6, b_hh), axis=0) if has_bias else ""
        inputs += [directions(both) if has_bias else "", ""]  # the last: all sequences are as long
        inputs += ["" if _is_zero(h) else directions(t.value(1))]
        if c is None:
            y, _ = t.add(kind, *inputs, outputs=2, hidden_size=H, **options)
            return t.add("Squeeze", y, t.constant([1]))
        inputs += ["" if _is_zero(c) else directions(t.value(2))]
        y, _, last_c = t.add(kind, *inputs, outputs=3, hidden_size=H, **options)
        return t.add("Concat", t.add("Squeeze", y, t.constant([1])), last_c, axis=0)

    return translate


def _is_zero(state):
    """Whether a recurrence starts from nothing, whatever the size of the batch."""
    return not isinstance(state, Tensor) and not np.any(state)


def _relu_rnn(t, *inputs):
    """ONNX has it, but its own evaluator, which proves each file, has not."""
    raise TypeError(
        f'to_onnx: {t.layer()} has nonlinearity="relu", which has no translation; use "tanh", '
        "an LSTM or a GRU"
    )


RECURRENT = {
    recurrent._RNN["tanh"]: _recurrence("RNN", [0]),
    recurrent._RNN["relu"]: _relu_rnn,
    recurrent._LSTM: _recurrence("LSTM", [0, 3, 1, 2]),  # ours i f g o, ONNX's i o f g
    recurrent._GRU: _recurrence("GRU", [1, 0, 2], linear_before_reset=1),  # r z n and z r n
}
