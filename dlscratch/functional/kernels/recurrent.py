"""Recurrences over time, with hand-derived gradients: the fast twins of `rnn`, `lstm` and `gru`.

Forward has two phases, `project_inputs` and the steps; backward has two, `backward_through_time`
and `weight_gradients`. A kind of recurrence is a `Step`: what one step computes, and how a gradient
comes back through it.

Arrays are columns, (H, N), one for each example, and gates are stacked, (gates, H, N): a gate is
then one block of memory, and BLAS can share a product of columns among threads.
"""

import numpy as np

__all__ = ["Step", "TanhStep", "ReluStep", "LSTMStep", "GRUStep", "forward", "backward"]


# One step of each kind ----------------------------------------------------------------------------


class Step:
    """One step of a recurrence and its gradient.

    Both are in terms of p = W_ih x_t + b_ih and q = W_hh h_{t-1} + b_hh.

    `sigmoid_gates` names the blocks that σ squashes. The weights of these come halved: σ(a) =
    tanh(a/2)/2 + 1/2, so that one call of tanh serves all gates. `only_the_sum` says that the step
    sees p + q alone, which is then one product.
    """

    sigmoid_gates: tuple = ()
    only_the_sum = True

    @staticmethod
    def forward(preactivations, h, c, h_new):
        """(c_t, what `backward` needs), from [p + q] or [p, q]; h_t is written into h_new."""
        raise NotImplementedError

    @staticmethod
    def backward(dh, dc, *saved):
        """(dp, dq, the part of dh_{t-1} that does not flow through q, dc_{t-1}).

        Writes into none of its arguments.
        """
        raise NotImplementedError


class TanhStep(Step):
    """The step of an RNN, h_t = tanh(p + q)."""

    @staticmethod
    def forward(preactivations, h, c, h_new):
        np.tanh(preactivations[0][0], out=h_new)
        return None, (h_new,)

    @staticmethod
    def backward(dh, dc, h_new):
        d = (1 - h_new * h_new) * dh
        return d, d, None, None


class ReluStep(Step):
    """The step of an RNN with relu, h_t = max(p + q, 0)."""

    @staticmethod
    def forward(preactivations, h, c, h_new):
        np.maximum(preactivations[0][0], 0, out=h_new)
        return None, (h_new,)

    @staticmethod
    def backward(dh, dc, h_new):
        d = (h_new > 0) * dh
        return d, d, None, None


class LSTMStep(Step):
    """The step of an LSTM.

    c_t = f ∘ c_{t-1} + i ∘ g, h_t = o ∘ tanh c_t, where i, f, g, o are the blocks of p + q.
    """

    sigmoid_gates = (0, 1, 3)

    @staticmethod
    def forward(preactivations, h, c, h_new):
        (gates,) = preactivations
        np.tanh(gates, out=gates)
        _sigmoid_from_tanh_of_half(gates[:2])
        _sigmoid_from_tanh_of_half(gates[3])
        i, f, g, o = gates
        c_new = f * c
        c_new += i * g
        tanh_c = np.tanh(c_new)
        np.multiply(o, tanh_c, out=h_new)
        return c_new, (gates, tanh_c, c)

    @staticmethod
    def backward(dh, dc, gates, tanh_c, c):
        i, f, g, o = gates
        dc = dc + (1 - tanh_c * tanh_c) * o * dh
        d = gates - gates * gates  # σ' = σ (1 - σ), but for g it is
        np.subtract(1, g * g, out=d[2])
        # over views: `d[0] *= g` would also assign to d[0], four passes more as they are counted
        for slope, factor in zip(d, (g, c, i, tanh_c), strict=True):
            slope *= factor
        d[:3] *= dc
        d[3] *= dh
        dc *= f
        return d, d, None, dc


class GRUStep(Step):
    """The step of a GRU.

    h_t = (1 - z) ∘ n + z ∘ h_{t-1}, n = tanh(p_n + r ∘ q_n), r and z = σ(p + q).
    """

    sigmoid_gates = (0, 1)
    only_the_sum = False

    @staticmethod
    def forward(preactivations, h, c, h_new):
        p, q = preactivations
        gates = p[:2] + q[:2]
        np.tanh(gates, out=gates)
        _sigmoid_from_tanh_of_half(gates)
        r, z = gates
        n = r * q[2]
        n += p[2]
        np.tanh(n, out=n)
        np.subtract(h, n, out=h_new)  # h_t = n + z (h - n)
        h_new *= z
        h_new += n
        return None, (gates, n, q[2], h)

    @staticmethod
    def backward(dh, dc, gates, n, q_n, h):
        r, z = gates
        direct = z * dh
        dp = np.empty((3, *n.shape), n.dtype)
        np.subtract(gates, gates * gates, out=dp[:2])  # σ' = σ (1 - σ)
        np.multiply(dh - direct, 1 - n * n, out=dp[2])
        dp[0] *= dp[2] * q_n
        dp[1] *= (h - n) * dh
        dq = dp.copy()
        dq[2] *= r
        return dp, dq, direct, None


def _sigmoid_from_tanh_of_half(a):
    """tanh(a/2) becomes σ(a) = tanh(a/2)/2 + 1/2, in place."""
    a *= 0.5
    a += 0.5


# Forward ------------------------------------------------------------------------------------------


def forward(step, x, h, c, W_ih, W_hh, b_ih, b_hh):
    """The states of a recurrence, and what `backward` needs.

    y is all h, (T, N, H), and with cells the last c behind them.
    """
    (N, T, D), H = x.shape, h.shape[1]
    inputs, columns = project_inputs(x, h)
    states = columns[:, D + 2 :]  # (T + 1, H, N): step t reads the state t and writes t + 1
    products = _weights(step, W_ih, W_hh, b_ih, b_hh, columns)
    c = None if c is None else c.T
    saved = []
    for t in range(T):
        preactivations = [(W @ z[t]).reshape(len(W) // H, H, N) for W, z in products]
        c, kept = step.forward(preactivations, states[t], c, states[t + 1])
        saved.append(kept)
    y = np.empty((T + (c is not None), N, H), x.dtype)
    y[:T] = states[1:].swapaxes(1, 2)
    if c is not None:
        y[T] = c.T
    return y, (inputs, saved)


def project_inputs(x, h):
    """x as (T, N, D), and room for all columns [x_t; 1; 1; h_{t-1}]: (T + 1, D + 2 + H, N).

    Of the states, h_0 is known.

    With the weights [W_ih, b_ih, b_hh, W_hh], input, biases and state then are a single product in
    each step, and what a step writes is already where the next one reads.
    """
    (N, T, D), H = x.shape, h.shape[1]
    # first time, then columns: strides of T D numbers would fall into one line of the cache
    inputs = np.ascontiguousarray(x.swapaxes(0, 1))
    columns = np.empty((T + 1, D + 2 + H, N), x.dtype)
    columns[:T, :D] = inputs.swapaxes(1, 2)
    columns[:, D : D + 2] = 1
    columns[0, D + 2 :] = h.T
    return inputs, columns


def _weights(step, W_ih, W_hh, b_ih, b_hh, columns):
    """The products of a step, (weights, columns that they meet): of p + q, or of p and of q."""
    D, H = W_ih.shape[1], W_hh.shape[1]
    no_bias = np.zeros(len(W_ih), W_ih.dtype)
    b_ih = no_bias if b_ih is None else b_ih
    b_hh = no_bias if b_hh is None else b_hh
    W = np.concatenate([W_ih, b_ih[:, None], b_hh[:, None], W_hh], axis=1)
    for k in step.sigmoid_gates:
        W[k * H : (k + 1) * H] *= 0.5
    if step.only_the_sum:
        return [(W, columns)]
    return [(W[:, : D + 1], columns[:, : D + 1]), (W[:, D + 1 :], columns[:, D + 1 :])]


# Backward -----------------------------------------------------------------------------------------


def backward(step, g, y, saved, needs, x, h, c, W_ih, W_hh, b_ih, b_hh):
    """The gradients of a recurrence's (x, h, c, W_ih, W_hh, b_ih, b_hh), given g, that of y."""
    inputs, saved = saved
    dp, dq, dh, dc = backward_through_time(step, g, saved, c is not None, W_hh)
    states = np.concatenate([h[None], y[: len(inputs) - 1]])  # h_{t-1} of each step, (T, N, H)
    dx, *weights = weight_gradients(dp, dq, needs, inputs, states, W_ih)
    return dx, dh.T, None if dc is None else dc.T, *weights


def backward_through_time(step, g, saved, has_cells, W_hh):
    """dp and dq of all steps, (G, T, N), and the gradients of the first h and c, (H, N)."""
    g = np.ascontiguousarray(g.swapaxes(1, 2))
    T, (_, H, N), G = len(saved), g.shape, len(W_hh)
    # all steps side by side: one product then gives the gradient of each weight
    dp = np.empty((G, T, N), g.dtype)
    dq = dp if step.only_the_sum else np.empty_like(dp)
    dh = np.zeros((H, N), g.dtype)
    dc = g[T] if has_cells else None
    for t in reversed(range(T)):
        dh += g[t]
        dp_t, dq_t, direct, dc = step.backward(dh, dc, *saved[t])
        dq_t = dq_t.reshape(G, N)
        dp[:, t] = dp_t.reshape(G, N)
        if not step.only_the_sum:
            dq[:, t] = dq_t
        dh = W_hh.T @ dq_t
        if direct is not None:
            dh += direct
    return dp, dq, dh, dc


def weight_gradients(dp, dq, needs, inputs, states, W_ih):
    """The gradients of (x, W_ih, W_hh, b_ih, b_hh): sums over steps and examples."""
    T, N, D = inputs.shape
    dp, dq = dp.reshape(len(dp), T * N), dq.reshape(len(dq), T * N)
    ones = np.ones(T * N, dp.dtype)
    dx = (dp.T @ W_ih).reshape(T, N, D).swapaxes(0, 1) if needs[0] else None
    dW_ih = dp @ inputs.reshape(T * N, D) if needs[3] else None
    dW_hh = dq @ states.reshape(T * N, states.shape[-1]) if needs[4] else None
    db_ih = dp @ ones if needs[5] else None
    db_hh = dq @ ones if needs[6] else None
    return dx, dW_ih, dW_hh, db_ih, db_hh
