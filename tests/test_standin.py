"""What may run on a GPU: what runs on an array that never becomes a NumPy array unasked.

docs/gpu.md says what it means.
"""

import numpy as np
import pytest

from dlscratch import Tensor, functional, gradients, layers, no_grad, optimizers
from dlscratch.layers.parameters import Parameters
from tools.benchmark.workloads import LIBRARIES, WORKLOADS, Library

from .standin import Device, to_device


class Optimizers:
    """Optimizers for models whose parameters go to the device first, as docs/gpu.md says."""

    def __getattr__(self, name):
        def make(parameters, **options):
            for p in parameters:
                p._data, p._grad = to_device(p.data), None
            return getattr(optimizers, name)(Parameters(parameters), **options)

        return make


def tensor(a, requires_grad=False):
    return Tensor(to_device(a), requires_grad=requires_grad) if a.dtype.kind == "f" else a


SLOPES = lambda y, xs, keep: gradients(y, xs, create_graph=keep)
DEVICE = Library(layers, functional, Optimizers(), tensor, SLOPES, no_grad)


def refused_by(f):
    """The package's function in which the stand-in said no; None where all ran."""
    try:
        f()
    except TypeError as error:
        assert (
            "not allowed" in str(error)
            or "Unsupported type" in str(error)
            or "no implementation found" in str(error)
        ), error
        frames, at = [], error.__traceback__
        while at:
            frames.append(at.tb_frame.f_code)
            at = at.tb_next
        return [
            code.co_name
            for code in frames
            if "dlscratch" in code.co_filename and "lambda" not in code.co_name
        ][-1]


# The workloads of the benchmark: None where a training step runs, else the first function that the
# device refuses.
STEPS = {
    "W1": None,
    "W2": None,
    "W3": "batch_last",
    "W4": "batch_last",
    "W5": "project_inputs",
    "W6": "_centred",
    "W7": "affine_gradient",
    "W8": None,
}


@pytest.mark.parametrize("name", WORKLOADS)
def test_training_steps(name):
    model, step = WORKLOADS[name](DEVICE)
    assert refused_by(step) == STEPS[name[:2]]


def test_a_network_learns_on_the_device_what_it_learns_on_the_cpu():
    name = "W1 MLP 64-128-128-10"
    (ours, step), (theirs, other) = (
        WORKLOADS[name](LIBRARIES["dlscratch"]()),
        WORKLOADS[name](DEVICE),
    )
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        q._data[...] = to_device(p.data)
    assert [other() for _ in range(5)] == [step() for _ in range(5)]
    assert all(isinstance(a, Device) for p in theirs.parameters() for a in (p.data, p.grad))
    np.testing.assert_array_equal(theirs.parameters().theta.get(), ours.parameters().theta)


OPS = {
    "arithmetic": (lambda x: (x + 1) * x / (2 + x * x) - x**3, None),
    "exponentials": (
        lambda x: np.exp(np.tanh(x)) + np.log(1 + np.square(x)) + np.sqrt(np.abs(x)),
        None,
    ),
    "choices": (
        lambda x: np.where(x > 0, x, 0.1 * x) + np.maximum(x, 0.5) + np.clip(x, -1, 1),
        None,
    ),
    "sums": (
        lambda x: x.mean(axis=0) + x.var(axis=0, keepdims=True) + np.max(x, axis=1, keepdims=True),
        None,
    ),
    "shapes": (lambda x: np.concatenate([x.T, np.reshape(x, (4, 4))]).swapaxes(0, 1), None),
    "products": (lambda x: np.matmul(x, x) + np.einsum("ij,kj->ik", x, x), None),
    "activations": (
        lambda x: functional.relu(x) + functional.sigmoid(x) + functional.silu(x),
        None,
    ),
    "softmax": (lambda x: functional.softmax(x) * functional.log_softmax(x), None),
    "attention": (lambda x: functional.scaled_dot_product_attention(x, x, x), "_weighted_values"),
    "layer norm": (lambda x: functional.layer_norm(x, 4), "_centred"),
    "gelu": (lambda x: functional.gelu(x, approximate="tanh"), None),
    "a slice": (lambda x: x[1:, ::2], "scatter"),
    "convolution": (
        lambda x: functional.conv2d(x[None, None], x[None, None, :2, :2]),
        "_windows_as_columns",
    ),
}


@pytest.mark.parametrize("name", OPS)
def test_operations_and_their_gradients(name):
    f, refused = OPS[name]
    X = np.random.default_rng(0).normal(size=(4, 4))
    x, there = Tensor(X, requires_grad=True), Tensor(to_device(X), requires_grad=True)
    f(x).sum().backward()
    assert refused_by(lambda: f(there).sum().backward()) == refused
    if refused is None:
        np.testing.assert_allclose(there.grad.get(), x.grad, rtol=1e-13)


def test_the_stand_in_refuses_what_cupy_refuses():
    x, a = to_device(np.ones((2, 2))), np.ones((2, 2))
    no = [
        lambda: np.asarray(x),
        lambda: x + a,
        lambda: a * x,
        lambda: np.concatenate([x, a]),
        lambda: np.maximum.reduce(x),
    ]
    no += [
        lambda: np.logaddexp.at(x, 0, 1.0),
        lambda: np.vecdot(x, x),
        lambda: a[x > 0],
        lambda: np.add(a, x, out=a),
    ]
    no += [
        lambda: np.lib.stride_tricks.as_strided(x, (1,), (8,)),
        lambda: x @ Tensor(a),
        lambda: np.testing.assert_allclose(x, a),
    ]
    for f in no:
        with pytest.raises(TypeError):
            f()
    assert (
        float((x[np.array([0, 1])] + np.float64(1)).sum()) == 8
    )  # an index and a number may come from NumPy
