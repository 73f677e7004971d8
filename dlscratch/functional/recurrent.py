"""Recurrent networks: one layer, one direction, a whole sequence. Each fast operation stands below its textbook definition."""

import functools

import numpy as np

from ..engine import custom_vjp
from .activations import relu, sigmoid
from .linear import linear

__all__ = ["textbook_rnn", "rnn", "textbook_lstm", "lstm", "textbook_gru", "gru"]


def textbook_rnn(x, h, W_ih, W_hh, b_ih=None, b_hh=None, nonlinearity="tanh"):
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), or relu of it; see `rnn`."""
    f, hs = {"tanh": np.tanh, "relu": relu}[nonlinearity], []
    for t in range(x.shape[1]):
        h = f(linear(x[:, t], W_ih, b_ih) + linear(h, W_hh, b_hh))
        hs.append(h)
    return np.stack(hs, axis=1), h


def textbook_lstm(x, h, c, W_ih, W_hh, b_ih=None, b_hh=None, W_hr=None):
    """c_t = f ∘ c_{t-1} + i ∘ g, h_t = o ∘ tanh c_t, with i, f, o = σ and g = tanh of W_ih x_t + b_ih + W_hh h_{t-1} + b_hh; see `lstm`."""
    hs = []
    for t in range(x.shape[1]):
        i, f, g, o = np.split(linear(x[:, t], W_ih, b_ih) + linear(h, W_hh, b_hh), 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c) if W_hr is None else linear(sigmoid(o) * np.tanh(c), W_hr)
        hs.append(h)
    return np.stack(hs, axis=1), h, c


def textbook_gru(x, h, W_ih, W_hh, b_ih=None, b_hh=None):
    """h_t = (1 - z) ∘ n + z ∘ h_{t-1}, n = tanh(p_n + r ∘ q_n), r, z = σ(p + q), p = W_ih x_t + b_ih, q = W_hh h_{t-1} + b_hh."""
    hs = []
    for t in range(x.shape[1]):
        p_r, p_z, p_n = np.split(linear(x[:, t], W_ih, b_ih), 3, axis=-1)
        q_r, q_z, q_n = np.split(linear(h, W_hh, b_hh), 3, axis=-1)
        r, z = sigmoid(p_r + q_r), sigmoid(p_z + q_z)
        n = np.tanh(p_n + r * q_n)
        h = (1 - z) * n + z * h
        hs.append(h)
    return np.stack(hs, axis=1), h


# One step: (preactivations, h, c, out) → (c, what its slope needs), and h is written into `out`. All are (gates, H, N), so that a gate
# is one block of memory. The pull through a step: (dh, dc, *what was kept) → (dp, dq, dh, dc) with p = W_ih x_t + b_ih and
# q = W_hh h_{t-1} + b_hh, where the last dh leaves out what flows through q. It writes into none of its arguments ---------------


def _tanh_step(a, h, c, out):
    np.tanh(a[0], out=out)
    return None, (out,)


def _tanh_pull(dh, dc, y):
    d = (1 - y * y) * dh
    return d, d, None, None


def _relu_step(a, h, c, out):
    np.maximum(a[0], 0, out=out)
    return None, (out,)


def _relu_pull(dh, dc, y):
    d = (y > 0) * dh
    return d, d, None, None


def _sigmoid_of_double(a):
    """a becomes σ(2 a) = tanh(a) / 2 + 1 / 2, once the tanh has been taken."""
    a *= 0.5
    a += 0.5


def _lstm_step(a, h, c, out):
    np.tanh(a, out=a)  # the weights of i, f and o come halved: one tanh serves all gates
    _sigmoid_of_double(a[:2])
    _sigmoid_of_double(a[3])
    i, f, g, o = a
    new = f * c
    new += i * g
    shown = np.tanh(new)
    np.multiply(o, shown, out=out)
    return new, (a, shown, c)


def _lstm_pull(dh, dc, gates, shown, c):
    i, f, g, o = gates
    d = gates - gates * gates  # σ' = σ (1 - σ), but for g it is
    np.subtract(1, g * g, out=d[2])
    dc = dc + (1 - shown * shown) * o * dh
    for slope, factor in zip(d, (g, c, i, shown)):
        slope *= factor
    d[:3] *= dc
    d[3] *= dh
    dc *= f
    return d, d, None, dc


def _gru_step(p, q, h, c, out):
    gates = p[:2] + q[:2]
    np.tanh(gates, out=gates)  # the weights of r and z come halved
    _sigmoid_of_double(gates)
    r, z = gates
    n = r * q[2]
    n += p[2]
    np.tanh(n, out=n)
    np.subtract(h, n, out=out)
    out *= z
    out += n
    return None, (gates, n, q[2], h)


def _gru_pull(dh, dc, gates, n, q_n, h):  # gates: r, z
    direct = gates[1] * dh
    dp = np.empty((3, *n.shape), n.dtype)
    np.subtract(gates, gates * gates, out=dp[:2])
    np.multiply(dh - direct, 1 - n * n, out=dp[2])
    dp[0] *= dp[2] * q_n
    dp[1] *= (h - n) * dh
    dq = dp.copy()
    dq[2] *= gates[0]
    return dp, dq, direct, None


# All steps. [x_t; 1; 1; h_{t-1}] is one array (T + 1, D + 2 + H, N), in which a step finds h and writes the next one: with the weights
# [W_ih, b_ih, b_hh, W_hh], input, biases and recurrence are one product per step. In columns, BLAS can share it among threads --------


def _packed(textbook, options):
    """`textbook` as one array: (T, N, H) of all outputs and, if there are cells, the last c behind them."""

    @functools.wraps(textbook)
    def packed(x, h, c, *weights):
        output, *states = (
            textbook(x, h, *weights, **options) if c is None else textbook(x, h, c, *weights)
        )
        output = np.swapaxes(output, 0, 1)
        return output if c is None else np.concatenate([output, states[-1][None]])

    return packed


def _forward(step, halved, joined, x, h, c, W_ih, W_hh, b_ih, b_hh):
    (N, T, D), H = x.shape, h.shape[1]
    rows = np.ascontiguousarray(
        x.swapaxes(0, 1)
    )  # first time, then columns: strides of T D numbers would fall into one cache line
    z, kept = np.empty((T + 1, D + 2 + H, N), x.dtype), []
    z[:T, :D], z[:, D : D + 2], z[0, D + 2 :] = rows.swapaxes(1, 2), 1, h.T
    biases = [np.zeros(len(W_ih), W_ih.dtype) if b is None else b for b in (b_ih, b_hh)]
    W = np.concatenate([W_ih, *(b[:, None] for b in biases), W_hh], axis=1)
    for k in halved:
        W[k * H : (k + 1) * H] *= 0.5
    parts = [
        (W[:, k], z[:, k])
        for k in ([slice(None)] if joined else [slice(D + 1), slice(D + 1, None)])
    ]
    c = None if c is None else c.T
    for t in range(T):
        c, keep = step(
            *((w @ v[t]).reshape(-1, H, N) for w, v in parts), z[t, D + 2 :], c, z[t + 1, D + 2 :]
        )
        kept.append(keep)
    y = np.empty((T + (c is not None), N, H), x.dtype)
    y[:T] = z[1:, D + 2 :].swapaxes(1, 2)
    if c is not None:
        y[T] = c.T
    return y, (rows, kept)


def _backward(pull, joined, g, y, saved, needs, x, h, c, W_ih, W_hh, b_ih, b_hh):
    (rows, kept), (N, T, _) = saved, x.shape
    g = np.ascontiguousarray(g.swapaxes(1, 2))
    dh, dc = np.zeros_like(g[0]), None if c is None else g[T]
    dp = np.empty(
        (len(W_ih), T, N), y.dtype
    )  # all steps side by side: one product then gives the gradient of each weight
    dq = dp if joined else np.empty_like(dp)
    for t in reversed(range(T)):
        dh += g[t]
        dp_t, dq_t, direct, dc = pull(dh, dc, *kept[t])
        dp[:, t], dq_t = dp_t.reshape(-1, N), dq_t.reshape(-1, N)
        if not joined:
            dq[:, t] = dq_t
        dh = W_hh.T @ dq_t
        if direct is not None:
            dh += direct
    dp, dq, ones = dp.reshape(-1, T * N), dq.reshape(-1, T * N), np.ones(T * N, y.dtype)
    dx = (dp.T @ W_ih).reshape(T, N, -1).swapaxes(0, 1) if needs[0] else None
    dW_ih = dp @ rows.reshape(T * N, -1) if needs[3] else None
    dW_hh = dq @ np.concatenate([h[None], y[: T - 1]]).reshape(T * N, -1) if needs[4] else None
    biases = [d @ ones if need else None for d, need in zip((dp, dq), needs[5:])]
    return dx, dh.T, None if c is None else dc.T, dW_ih, dW_hh, *biases


def _twin(textbook, step, pull, halved=(), joined=True, **options):
    forward, backward = (
        functools.partial(_forward, step, halved, joined),
        functools.partial(_backward, pull, joined),
    )
    return custom_vjp(_packed(textbook, options), forward, backward)


_RNN = {
    "tanh": _twin(textbook_rnn, _tanh_step, _tanh_pull),
    "relu": _twin(textbook_rnn, _relu_step, _relu_pull, nonlinearity="relu"),
}
_LSTM = _twin(textbook_lstm, _lstm_step, _lstm_pull, halved=(0, 1, 3))
_GRU = _twin(textbook_gru, _gru_step, _gru_pull, halved=(0, 1), joined=False)


def _check(name, gates, x, h, c, W_ih, W_hh, b_ih, b_hh, W_hr=None):
    if x.ndim != 3 or W_ih.ndim != 2 or x.shape[1] < 1 or x.shape[2] != W_ih.shape[1]:
        raise ValueError(
            f"{name}: input {x.shape}; want (N, T, {W_ih.shape[-1]}) with T >= 1 for W_ih {W_ih.shape}"
        )
    N, G, H = len(x), len(W_ih), len(W_ih) // gates
    P = H if W_hr is None else len(W_hr)
    named = {
        "h": (h, (N, P)),
        "c": (c, (N, H)),
        "W_hh": (W_hh, (G, P)),
        "W_hr": (W_hr, (P, H)),
        "b_ih": (b_ih, (G,)),
        "b_hh": (b_hh, (G,)),
    }
    for part, (array, want) in named.items():
        if array is not None and array.shape != want:
            raise ValueError(
                f"{name}: {part} {array.shape}; want {want} for input {x.shape} and W_ih {W_ih.shape}"
            )


def rnn(x, h, W_ih, W_hh, b_ih=None, b_hh=None, nonlinearity="tanh"):
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), or relu of it → (all h, the last h).

    x: (N, T, D), h: (N, H), W_ih: (H, D), W_hh: (H, H), biases: (H,) → (N, T, H), (N, H).
    Raises ValueError for other shapes, no steps or another nonlinearity.  Source: Elman 1990.
    """
    if nonlinearity not in _RNN:
        raise ValueError(f"rnn: nonlinearity={nonlinearity!r}; want 'tanh' or 'relu'")
    _check("rnn", 1, x, h, None, W_ih, W_hh, b_ih, b_hh)
    y = _RNN[nonlinearity](x, h, None, W_ih, W_hh, b_ih, b_hh)
    return np.swapaxes(y, 0, 1), y[-1]


def lstm(x, h, c, W_ih, W_hh, b_ih=None, b_hh=None, W_hr=None):
    """c_t = f ∘ c_{t-1} + i ∘ g and h_t = o ∘ tanh c_t, or W_hr times that → (all h, the last h, the last c).

    The gates i, f, g, o are, in this order, the blocks of W_ih x_t + b_ih + W_hh h_{t-1} + b_hh, under σ, but tanh for g.
    x: (N, T, D), h and c: (N, H), W_ih: (4 H, D), W_hh: (4 H, H), biases: (4 H,) → (N, T, H), (N, H), (N, H).
    With W_hr: (P, H), h is (N, P) and W_hh (4 H, P), and no fast twin. Raises ValueError for other shapes or no steps.
    Source: Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000; projection: Sak et al. 2014.
    """
    _check("lstm", 4, x, h, c, W_ih, W_hh, b_ih, b_hh, W_hr)
    if W_hr is not None:
        return textbook_lstm(x, h, c, W_ih, W_hh, b_ih, b_hh, W_hr)
    y = _LSTM(x, h, c, W_ih, W_hh, b_ih, b_hh)
    return np.swapaxes(y[:-1], 0, 1), y[-2], y[-1]


def gru(x, h, W_ih, W_hh, b_ih=None, b_hh=None):
    """h_t = (1 - z) ∘ n + z ∘ h_{t-1} → (all h, the last h), with n = tanh(p_n + r ∘ q_n) and r, z = σ(p + q).

    p = W_ih x_t + b_ih and q = W_hh h_{t-1} + b_hh hold the blocks r, z, n in this order.
    x: (N, T, D), h: (N, H), W_ih: (3 H, D), W_hh: (3 H, H), biases: (3 H,) → (N, T, H), (N, H).
    Raises ValueError for other shapes or no steps.  Source: Cho et al. 2014, with r inside as in cuDNN and PyTorch.
    """
    _check("gru", 3, x, h, None, W_ih, W_hh, b_ih, b_hh)
    y = _GRU(x, h, None, W_ih, W_hh, b_ih, b_hh)
    return np.swapaxes(y, 0, 1), y[-1]
