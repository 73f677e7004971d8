"""Recurrent networks: one layer, one direction, a whole sequence.

The textbook definitions stand first, step by step as on a board. `rnn`, `lstm` and `gru` give the
same numbers by the fast twins of `kernels/recurrent.py`, with hand-derived gradients.
"""

import functools

import numpy as np

from ..engine import Array, custom_vjp
from .activations import relu, sigmoid
from .kernels import recurrent as kernels
from .linear import check_same_dtype, linear

__all__ = ["textbook_rnn", "rnn", "textbook_lstm", "lstm", "textbook_gru", "gru"]


def textbook_rnn(
    x: Array,
    h: Array,
    W_ih: Array,
    W_hh: Array,
    b_ih: Array | None = None,
    b_hh: Array | None = None,
    nonlinearity: str = "tanh",
) -> tuple[Array, Array]:
    """`rnn`, step by step.

    h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), or relu of it.
    """
    squash = {"tanh": np.tanh, "relu": relu}[nonlinearity]
    hs = []
    for t in range(x.shape[1]):
        h = squash(linear(x[:, t], W_ih, b_ih) + linear(h, W_hh, b_hh))
        hs.append(h)
    return np.stack(hs, axis=1), h


def textbook_lstm(
    x: Array,
    h: Array,
    c: Array,
    W_ih: Array,
    W_hh: Array,
    b_ih: Array | None = None,
    b_hh: Array | None = None,
    W_hr: Array | None = None,
) -> tuple[Array, Array, Array]:
    """`lstm`, step by step.

    c_t = f ∘ c_{t-1} + i ∘ g and h_t = o ∘ tanh c_t.
    """
    hs = []
    for t in range(x.shape[1]):
        i, f, g, o = np.split(linear(x[:, t], W_ih, b_ih) + linear(h, W_hh, b_hh), 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        if W_hr is not None:
            h = linear(h, W_hr)
        hs.append(h)
    return np.stack(hs, axis=1), h, c


def textbook_gru(
    x: Array,
    h: Array,
    W_ih: Array,
    W_hh: Array,
    b_ih: Array | None = None,
    b_hh: Array | None = None,
) -> tuple[Array, Array]:
    """`gru`, step by step.

    h_t = (1 - z) ∘ n + z ∘ h_{t-1}, with n = tanh(p_n + r ∘ q_n), and r, z = σ(p + q).
    """
    hs = []
    for t in range(x.shape[1]):
        p_r, p_z, p_n = np.split(linear(x[:, t], W_ih, b_ih), 3, axis=-1)
        q_r, q_z, q_n = np.split(linear(h, W_hh, b_hh), 3, axis=-1)
        r = sigmoid(p_r + q_r)
        z = sigmoid(p_z + q_z)
        n = np.tanh(p_n + r * q_n)
        h = (1 - z) * n + z * h
        hs.append(h)
    return np.stack(hs, axis=1), h


# The operations that are recorded. Each has one output: all h, and the last c behind them --------


def _operation(textbook, step, **options):
    """The fast twin of `textbook`: (x, h, c or None, weights) → all h, and the last c behind."""

    @functools.wraps(textbook)
    def one_array(x, h, c, *weights):
        if c is None:
            output, _ = textbook(x, h, *weights, **options)
            return np.swapaxes(output, 0, 1)
        output, _, c = textbook(x, h, c, *weights)
        return np.concatenate([np.swapaxes(output, 0, 1), c[None]])

    forward = functools.partial(kernels.forward, step)
    backward = functools.partial(kernels.backward, step)
    return custom_vjp(one_array, forward, backward)


_RNN = {
    "tanh": _operation(textbook_rnn, kernels.TanhStep),
    "relu": _operation(textbook_rnn, kernels.ReluStep, nonlinearity="relu"),
}
_LSTM = _operation(textbook_lstm, kernels.LSTMStep)
_GRU = _operation(textbook_gru, kernels.GRUStep)


# The public functions -----------------------------------------------------------------------------


def rnn(
    x: Array,
    h: Array,
    W_ih: Array,
    W_hh: Array,
    b_ih: Array | None = None,
    b_hh: Array | None = None,
    nonlinearity: str = "tanh",
) -> tuple[Array, Array]:
    """The states of a recurrent network along sequences: (all h, the last h).

    h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), or relu of it.

    Parameters
    ----------
    x : (N, T, D), the sequences, T >= 1
    h : (N, H), the state before the first step
    W_ih, W_hh : (H, D) and (H, H), what input and state are multiplied with
    b_ih, b_hh : (H,), biases
    nonlinearity : "tanh" or "relu"

    Returns
    -------
    (N, T, H), the state after each step, and (N, H), the last one

    Raises
    ------
    ValueError for other shapes, no steps or another nonlinearity; TypeError for mixed dtypes.

    Source: Elman 1990.
    """
    if nonlinearity not in _RNN:
        raise ValueError(f"rnn: nonlinearity={nonlinearity!r}; want 'tanh' or 'relu'")
    _check("rnn", 1, x, h, None, W_ih, W_hh, b_ih, b_hh)
    y = _RNN[nonlinearity](x, h, None, W_ih, W_hh, b_ih, b_hh)
    return np.swapaxes(y, 0, 1), y[-1]


def lstm(
    x: Array,
    h: Array,
    c: Array,
    W_ih: Array,
    W_hh: Array,
    b_ih: Array | None = None,
    b_hh: Array | None = None,
    W_hr: Array | None = None,
) -> tuple[Array, Array, Array]:
    """The states of a long short-term memory along sequences: (all h, the last h, the last c).

    c_t = f ∘ c_{t-1} + i ∘ g and h_t = o ∘ tanh c_t. The gates i, f, g, o are, in this order, the
    blocks of W_ih x_t + b_ih + W_hh h_{t-1} + b_hh, under σ, but tanh for g.

    Parameters
    ----------
    x : (N, T, D), the sequences, T >= 1
    h, c : (N, H), the state before the first step
    W_ih, W_hh : (4 H, D) and (4 H, H), what input and state are multiplied with
    b_ih, b_hh : (4 H,), biases
    W_hr : (P, H), makes (N, P) of each h, which W_hh, (4 H, P), then meets; this has no fast twin

    Returns
    -------
    (N, T, H), h after each step, and the last h and c, (N, H); with W_hr, P in place of H but for c

    Raises
    ------
    ValueError for other shapes or no steps; TypeError for mixed dtypes.

    Source: Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000; projection: Sak et al.
    2014.
    """
    _check("lstm", 4, x, h, c, W_ih, W_hh, b_ih, b_hh, W_hr)
    if W_hr is not None:
        return textbook_lstm(x, h, c, W_ih, W_hh, b_ih, b_hh, W_hr)
    y = _LSTM(x, h, c, W_ih, W_hh, b_ih, b_hh)
    return np.swapaxes(y[:-1], 0, 1), y[-2], y[-1]


def gru(
    x: Array,
    h: Array,
    W_ih: Array,
    W_hh: Array,
    b_ih: Array | None = None,
    b_hh: Array | None = None,
) -> tuple[Array, Array]:
    """The states of a gated recurrent unit along sequences: (all h, the last h).

    h_t = (1 - z) ∘ n + z ∘ h_{t-1}, with n = tanh(p_n + r ∘ q_n), and r, z = σ(p + q).
    p = W_ih x_t + b_ih and q = W_hh h_{t-1} + b_hh hold the blocks r, z, n in this order.

    Parameters
    ----------
    x : (N, T, D), the sequences, T >= 1
    h : (N, H), the state before the first step
    W_ih, W_hh : (3 H, D) and (3 H, H), what input and state are multiplied with
    b_ih, b_hh : (3 H,), biases

    Returns
    -------
    (N, T, H), the state after each step, and (N, H), the last one

    Raises
    ------
    ValueError for other shapes or no steps; TypeError for mixed dtypes.

    Source: Cho et al. 2014, with r inside as in cuDNN and PyTorch.
    """
    _check("gru", 3, x, h, None, W_ih, W_hh, b_ih, b_hh)
    y = _GRU(x, h, None, W_ih, W_hh, b_ih, b_hh)
    return np.swapaxes(y, 0, 1), y[-1]


def _check(name, gates, x, h, c, W_ih, W_hh, b_ih, b_hh, W_hr=None):
    if x.ndim != 3 or W_ih.ndim != 2 or x.shape[1] < 1 or x.shape[2] != W_ih.shape[1]:
        raise ValueError(
            f"{name}: input {x.shape}; "
            f"want (N, T, {W_ih.shape[-1]}) with T >= 1 for W_ih {W_ih.shape}"
        )
    check_same_dtype(name, x, W_ih)
    N = len(x)
    G = len(W_ih)
    H = G // gates
    P = H if W_hr is None else len(W_hr)
    expected = {
        "h": (h, (N, P)),
        "c": (c, (N, H)),
        "W_hh": (W_hh, (G, P)),
        "W_hr": (W_hr, (P, H)),
        "b_ih": (b_ih, (G,)),
        "b_hh": (b_hh, (G,)),
    }
    for part, (array, shape) in expected.items():
        if array is None:
            continue
        if array.shape != shape:
            raise ValueError(
                f"{name}: {part} {array.shape}; "
                f"want {shape} for input {x.shape} and W_ih {W_ih.shape}"
            )
        check_same_dtype(name, array, W_ih, part)
