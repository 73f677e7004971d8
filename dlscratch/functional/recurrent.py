"""Recurrent networks: one layer, one direction, a whole sequence. Each fast operation stands below its textbook definition."""

import functools

import numpy as np

from ..engine import fused
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


def textbook_lstm(x, h, c, W_ih, W_hh, b_ih=None, b_hh=None):
    """c_t = f ∘ c_{t-1} + i ∘ g, h_t = o ∘ tanh c_t, with i, f, o = σ and g = tanh of W_ih x_t + b_ih + W_hh h_{t-1} + b_hh; see `lstm`."""
    hs = []
    for t in range(x.shape[1]):
        i, f, g, o = np.split(linear(x[:, t], W_ih, b_ih) + linear(h, W_hh, b_hh), 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
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


# One step in columns, p = W_ih x_t + b_ih and q = W_hh h + b_hh being (gates, H, N): (p, q, h, c) → (h, c, *what the slope needs).
# Its slope is linear in the gradients dh and dc. The factors, for all steps at once: (all that was kept) → factors; and
# the pull, for each step: (dh, dc, *factors) → (dp, dq, dh, dc), where the last dh leaves out what flows through q ---------------


def _tanh_step(p, q, h, c):
    y = np.tanh(p[0] + q[0])
    return y, None, y


def _relu_step(p, q, h, c):
    y = np.maximum(p[0] + q[0], 0)
    return y, None, y


def _rnn_pull(dh, dc, slope):
    d = (slope * dh)[None]
    return d, d, 0, None


_SCALE = np.float32([0.5, 0.5, 1, 0.5]).reshape(4, 1, 1)  # σ(a) = tanh(a / 2) / 2 + 1 / 2: one tanh serves all gates
_SHIFT = 1 - _SCALE


def _lstm_step(p, q, h, c):
    q += p
    q *= _SCALE
    np.tanh(q, out=q)
    q *= _SCALE
    q += _SHIFT
    i, f, g, o = q
    new = f * c
    new += i * g
    shown = np.tanh(new)
    return o * shown, new, q, shown, c


def _lstm_factors(gates, shown, c):
    i, f, g, o = (gates[:, k] for k in range(4))
    slopes = (1 - gates) * (gates + (_SCALE == 1))  # σ (1 - σ), and 1 - tanh² for g
    for k, factor in enumerate((g, c, i, shown)):
        slopes[:, k] *= factor
    return slopes, o * (1 - shown * shown), f


def _lstm_pull(dh, dc, slopes, through, f):
    dc, d = dc + through * dh, np.empty_like(slopes)
    np.multiply(slopes[:3], dc, out=d[:3])
    np.multiply(slopes[3], dh, out=d[3])
    return d, d, 0, dc * f


def _gru_step(p, q, h, c):
    r, z = sigmoid(p[:2] + q[:2])
    n = np.tanh(p[2] + r * q[2])
    return n + z * (h - n), None, r, z, n, q[2], h


def _gru_factors(r, z, n, q_n, h):
    new = (1 - z) * (1 - n * n)
    gates = (new * q_n * r * (1 - r), (h - n) * z * (1 - z))
    return np.stack([*gates, new], axis=1), np.stack([*gates, new * r], axis=1), z


def _gru_pull(dh, dc, slopes_p, slopes_q, z):
    return slopes_p * dh, slopes_q * dh, z * dh, None


# All steps: one matrix product for the gradient of each weight ----------------------------------------------------------------


def _packed(textbook, options):
    """`textbook` as one array: (T, H, N) of all outputs and, if there are cells, the last c behind them."""

    @functools.wraps(textbook)
    def packed(x, h, c, *weights):
        output, *states = textbook(x, h, *weights, **options) if c is None else textbook(x, h, c, *weights)
        output = np.transpose(output, (1, 2, 0))
        return output if c is None else np.concatenate([output, states[-1].T[None]])

    return packed


def _forward(step, x, h, c, W_ih, W_hh, b_ih, b_hh):
    (N, T, _), H = x.shape, h.shape[1]
    y, kept = np.empty((T + (c is not None), H, N), x.dtype), []
    inputs = (W_ih @ x.transpose(1, 2, 0)).reshape(T, -1, H, N)
    inputs += 0 if b_ih is None else b_ih.reshape(-1, H, 1)
    h, c = h.T, None if c is None else c.T
    for t, p in enumerate(inputs):
        q = W_hh @ h
        if b_hh is not None:
            q += b_hh[:, None]
        y[t], c, *keep = step(p, q.reshape(p.shape), h, c)
        h = y[t]
        kept.append(keep)
    if c is not None:
        y[T] = c
    return y, kept


def _backward(factors, pull, g, y, kept, needs, x, h, c, W_ih, W_hh, b_ih, b_hh):
    T, dh, dc = len(kept), 0, None if c is None else g[-1]
    dp, dq = [None] * T, [None] * T
    each = list(zip(*factors(*map(np.stack, zip(*kept)))))
    for t in reversed(range(T)):
        dp[t], dq[t], dh, dc = pull(g[t] + dh, dc, *each[t])
        dh = dh + W_hh.T @ dq[t].reshape(len(W_hh), -1)
    same = dp[0] is dq[0]
    dp = np.stack(dp, axis=-2).reshape(len(W_ih), T, -1)
    dq = dp if same else np.stack(dq, axis=-2).reshape(dp.shape)
    dx = np.tensordot(dp, W_ih, (0, 0)).swapaxes(0, 1) if needs[0] else None
    dW_ih = np.tensordot(dp, x, ((1, 2), (1, 0))) if needs[3] else None
    dW_hh = np.tensordot(dq, np.concatenate([h.T[None], y[: T - 1]]), ((1, 2), (0, 2))) if needs[4] else None
    biases = [d.sum(axis=(1, 2)) if need else None for d, need in zip((dp, dq), needs[5:])]
    return dx, dh.T, None if c is None else dc.T, dW_ih, dW_hh, *biases


def _twin(textbook, step, factors, pull, **options):
    return fused(_packed(textbook, options), functools.partial(_forward, step), functools.partial(_backward, factors, pull))


_RNN = {
    "tanh": _twin(textbook_rnn, _tanh_step, lambda y: (1 - y * y,), _rnn_pull),
    "relu": _twin(textbook_rnn, _relu_step, lambda y: ((y > 0).astype(y.dtype),), _rnn_pull, nonlinearity="relu"),
}
_LSTM = _twin(textbook_lstm, _lstm_step, _lstm_factors, _lstm_pull)
_GRU = _twin(textbook_gru, _gru_step, _gru_factors, _gru_pull)


def _check(name, gates, x, h, c, W_ih, W_hh, b_ih, b_hh):
    if x.ndim != 3 or W_ih.ndim != 2 or x.shape[1] < 1 or x.shape[2] != W_ih.shape[1]:
        raise ValueError(f"{name}: input {x.shape}; want (N, T, {W_ih.shape[-1]}) with T >= 1 for W_ih {W_ih.shape}")
    N, G, H = len(x), len(W_ih), len(W_ih) // gates
    named = {"h": (h, (N, H)), "c": (c, (N, H)), "W_hh": (W_hh, (G, H)), "b_ih": (b_ih, (G,)), "b_hh": (b_hh, (G,))}
    for part, (array, want) in named.items():
        if array is not None and array.shape != want:
            raise ValueError(f"{name}: {part} {array.shape}; want {want} for input {x.shape} and W_ih {W_ih.shape}")


def rnn(x, h, W_ih, W_hh, b_ih=None, b_hh=None, nonlinearity="tanh"):
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), or relu of it → (all h, the last h).

    x: (N, T, D), h: (N, H), W_ih: (H, D), W_hh: (H, H), biases: (H,) → (N, T, H), (N, H).
    Raises ValueError for other shapes, no steps or another nonlinearity.  Source: Elman 1990.
    """
    if nonlinearity not in _RNN:
        raise ValueError(f"rnn: nonlinearity={nonlinearity!r}; want 'tanh' or 'relu'")
    _check("rnn", 1, x, h, None, W_ih, W_hh, b_ih, b_hh)
    y = _RNN[nonlinearity](x, h, None, W_ih, W_hh, b_ih, b_hh)
    return np.transpose(y, (2, 0, 1)), y[-1].T


def lstm(x, h, c, W_ih, W_hh, b_ih=None, b_hh=None):
    """c_t = f ∘ c_{t-1} + i ∘ g and h_t = o ∘ tanh c_t → (all h, the last h, the last c).

    The gates i, f, g, o are, in this order, the blocks of W_ih x_t + b_ih + W_hh h_{t-1} + b_hh, under σ, but tanh for g.
    x: (N, T, D), h and c: (N, H), W_ih: (4 H, D), W_hh: (4 H, H), biases: (4 H,) → (N, T, H), (N, H), (N, H).
    Raises ValueError for other shapes or no steps.  Source: Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000.
    """
    _check("lstm", 4, x, h, c, W_ih, W_hh, b_ih, b_hh)
    y = _LSTM(x, h, c, W_ih, W_hh, b_ih, b_hh)
    return np.transpose(y[:-1], (2, 0, 1)), y[-2].T, y[-1].T


def gru(x, h, W_ih, W_hh, b_ih=None, b_hh=None):
    """h_t = (1 - z) ∘ n + z ∘ h_{t-1} → (all h, the last h), with n = tanh(p_n + r ∘ q_n) and r, z = σ(p + q).

    p = W_ih x_t + b_ih and q = W_hh h_{t-1} + b_hh hold the blocks r, z, n in this order.
    x: (N, T, D), h: (N, H), W_ih: (3 H, D), W_hh: (3 H, H), biases: (3 H,) → (N, T, H), (N, H).
    Raises ValueError for other shapes or no steps.  Source: Cho et al. 2014, with r inside as in cuDNN and PyTorch.
    """
    _check("gru", 3, x, h, None, W_ih, W_hh, b_ih, b_hh)
    y = _GRU(x, h, None, W_ih, W_hh, b_ih, b_hh)
    return np.transpose(y, (2, 0, 1)), y[-1].T
