"""Peers that happen to be installed join the race: JAX and tinygrad (jit), autograd, MyGrad.

They run the rows that are short to write, and start from this package's weights, so that their
losses must be ours. JAX and tinygrad take the cores they like; tinygrad needs clang.
"""

import functools
from importlib import import_module
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np

from .workloads import images

__all__ = ["PEERS", "installed", "load", "peer"]

# name → module, its NumPy, the rows that it can run: JAX would compile 10,000 operations for
# minutes, MyGrad has no second derivatives
PEERS = {
    "JAX": ("jax", "jax.numpy", ("W1", "W2", "W7")),
    "autograd": ("autograd", "autograd.numpy", ("W1", "W2", "W7", "W8")),
    "MyGrad": ("mygrad", "mygrad", ("W1", "W2", "W8")),
    "tinygrad": ("tinygrad", "tinygrad.nn", ("W1", "W2")),
}


def installed(row):
    """The peers that are here and can run this row."""
    return [
        name for name, (module, _, rows) in PEERS.items() if row[:2] in rows and find_spec(module)
    ]


def load(name):
    """(module, its NumPy) of a peer."""
    return [import_module(m) for m in PEERS[name][:2]]


def peer(name, row, model):
    """step() of this row with this peer, which starts from our `model`; it returns the loss."""
    lib, xp = load(name)
    if name == "tinygrad":
        return _tinygrad(lib, xp, row, model)
    loss = _LOSSES[row[:2]](xp, getattr(lib, "grad", None))
    both = (
        lib.value_and_grad(loss)
        if hasattr(lib, "value_and_grad")
        else functools.partial(_value_and_grad, lib, loss)
    )
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


def _tinygrad(lib, nn, row, model):
    """Its tensors have methods, not NumPy's functions; its optimizer is compiled with the rest."""
    leaves = [lib.Tensor(np.array(p.data)) for p in model.parameters()]
    loss, adam = _LOSSES[row[:2]](_methods(lib.Tensor), None), nn.optim.Adam(leaves)

    @lib.TinyJit
    def compiled():
        adam.zero_grad()
        value = loss(leaves)
        value.backward()
        return value.realize(
            *adam.schedule_step()
        )  # together, or the loss would be that of the new weights

    def step():
        with lib.Context(TRAINING=1):
            return compiled().item()

    return step


def _methods(tensor):
    return SimpleNamespace(
        constant=tensor,
        maximum=tensor.maximum,
        exp=tensor.exp,
        log=tensor.log,
        sum=tensor.sum,
        mean=tensor.mean,
        max=lambda x, axis, keepdims: x.max(axis=axis, keepdim=keepdims),
    )


def _update(both, state):
    """The loss, and the state (t, parameters, m, v) after a step of Adam."""
    (t, p, m, v), (value, gradients) = state, both(state[1])
    t = t + 1
    m = [0.9 * a + 0.1 * g for a, g in zip(m, gradients)]
    v = [0.999 * a + 0.001 * (g * g) for a, g in zip(v, gradients)]
    p = [
        x - 1e-3 / (1 - 0.9**t) * a / ((b / (1 - 0.999**t)) ** 0.5 + 1e-8)
        for x, a, b in zip(p, m, v)
    ]
    return value, (t, p, m, v)


def _layers(parameters, act, h):
    *hidden, (V, c) = zip(parameters[::2], parameters[1::2])
    return functools.reduce(lambda h, Wb: act(h @ Wb[0].T + Wb[1]), hidden, h) @ V.T + c


def _classification(xp, sizes, batch):
    x, t = images(batch, sizes[0])
    x, hot = map(getattr(xp, "constant", np.asarray), (x, np.eye(10, dtype="float32")[t]))

    def loss(parameters):
        z = _layers(parameters, lambda h: xp.maximum(h, 0), x)
        z = z - xp.max(z, axis=1, keepdims=True)
        return xp.mean(xp.log(xp.sum(xp.exp(z), axis=1)) - xp.sum(z * hot, axis=1))

    return loss


def _penalty(xp, grad, parameters):
    g = grad(lambda x: xp.sum(_layers(parameters, lambda h: xp.maximum(h, 0.2 * h), x)))(
        images(256, 2)[0]
    )
    return xp.mean((xp.sum(g * g, axis=1) ** 0.5 - 1) ** 2)


_LOSSES = {
    "W1": lambda xp, grad: _classification(xp, [64, 128, 128, 10], 64),
    "W2": lambda xp, grad: _classification(xp, [784, 512, 512, 10], 128),
    "W7": lambda xp, grad: functools.partial(_penalty, xp, grad),
    "W8": lambda xp, grad: (
        lambda p: functools.reduce(
            lambda y, _: y * np.float32(0.999) + np.float32(0.001), range(5000), p[0]
        )
    ),
}
