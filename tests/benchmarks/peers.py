"""Peers that happen to be installed join the race: JAX (jit), autograd and MyGrad, on the rows that are short to write for them.

They start from this package's weights, so that their losses must be ours. JAX takes all cores, whatever the number of threads.
"""

import functools
from importlib import import_module
from importlib.util import find_spec

import numpy as np

from .workloads import images

__all__ = ["PEERS", "installed", "load", "peer"]

# name → module, its NumPy, the rows that it can run: JAX would compile 10,000 operations for minutes, MyGrad has no second derivatives
PEERS = {
    "JAX": ("jax", "jax.numpy", ("W1", "W2", "W7")),
    "autograd": ("autograd", "autograd.numpy", ("W1", "W2", "W7", "W8")),
    "MyGrad": ("mygrad", "mygrad", ("W1", "W2", "W8")),
}


def installed(row):
    """The peers that are here and can run this row."""
    return [name for name, (module, _, rows) in PEERS.items() if row[:2] in rows and find_spec(module)]


def load(name):
    """(module, its NumPy) of a peer."""
    return [import_module(m) for m in PEERS[name][:2]]


def peer(name, row, model):
    """step() of this row with this peer, which trains from the weights of our `model` on and returns the loss."""
    lib, xp = load(name)
    loss = _LOSSES[row[:2]](xp, getattr(lib, "grad", None))
    both = lib.value_and_grad(loss) if hasattr(lib, "value_and_grad") else functools.partial(_value_and_grad, lib, loss)
    if model is None:
        return lambda: float(both([np.array(0.5, "float32")])[1][0])
    update = getattr(lib, "jit", lambda f: f)(functools.partial(_update, both))
    weights = [np.array(p.data) for p in model.parameters()]
    state = 0, weights, *([np.zeros_like(w) for w in weights] for _ in range(2))

    def step():
        nonlocal state
        value, state = update(state)
        return float(value)

    return step


def _value_and_grad(mygrad, loss, parameters):
    leaves = list(map(mygrad.tensor, parameters))
    y = loss(leaves)
    y.backward()
    return y.item(), [p.grad for p in leaves]


def _update(both, state):
    """The loss, and the state (t, parameters, m, v) after a step of Adam."""
    (t, p, m, v), (value, gradients) = state, both(state[1])
    t = t + 1
    m = [0.9 * a + 0.1 * g for a, g in zip(m, gradients)]
    v = [0.999 * a + 0.001 * (g * g) for a, g in zip(v, gradients)]
    p = [x - 1e-3 / (1 - 0.9**t) * a / ((b / (1 - 0.999**t)) ** 0.5 + 1e-8) for x, a, b in zip(p, m, v)]
    return value, (t, p, m, v)


def _layers(parameters, act, h):
    *hidden, (V, c) = zip(parameters[::2], parameters[1::2])
    return functools.reduce(lambda h, Wb: act(h @ Wb[0].T + Wb[1]), hidden, h) @ V.T + c


def _classification(xp, sizes, batch):
    x, t = images(batch, sizes[0])
    hot = np.eye(10, dtype="float32")[t]

    def loss(parameters):
        z = _layers(parameters, lambda h: xp.maximum(h, 0), x)
        z = z - xp.max(z, axis=1, keepdims=True)
        return xp.mean(xp.log(xp.sum(xp.exp(z), axis=1)) - xp.sum(z * hot, axis=1))

    return loss


def _penalty(xp, grad, parameters):
    g = grad(lambda x: xp.sum(_layers(parameters, lambda h: xp.maximum(h, 0.2 * h), x)))(images(256, 2)[0])
    return xp.mean((xp.sum(g * g, axis=1) ** 0.5 - 1) ** 2)


_LOSSES = {
    "W1": lambda xp, grad: _classification(xp, [64, 128, 128, 10], 64),
    "W2": lambda xp, grad: _classification(xp, [784, 512, 512, 10], 128),
    "W7": lambda xp, grad: functools.partial(_penalty, xp, grad),
    "W8": lambda xp, grad: lambda p: functools.reduce(lambda y, _: y * np.float32(0.999) + np.float32(0.001), range(5000), p[0]),
}
