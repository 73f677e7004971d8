"""checkpoint: the same values and gradients, and nothing kept, whatever the function returns."""

from typing import NamedTuple

import numpy as np
import pytest

from dlscratch.engine import Tensor, checkpoint, grad, gradients, hessian, no_grad, primitive
from dlscratch.engine.recompute import Recomputation

from .differences import A, X, close, mixed, orders

M = np.array([[0.5, -1.2, 2.0], [0.1, 0.4, -0.3]])


class Pair(NamedTuple):
    first: Tensor
    second: Tensor


def inner(x):
    for _ in range(4):
        x = np.tanh(x) * 1.1
    return x


SEVERAL = {
    "a tuple": lambda x: (inner(x), np.sin(inner(x))),
    "a list": lambda x: [inner(x), inner(x)[0], np.sum(inner(x))],
    "a dict": lambda x: {"a": inner(x), "b": np.exp(inner(x))},
    "a named tuple": lambda x: Pair(inner(x), np.cos(inner(x))),
    "tuples in a tuple": lambda x: (inner(x), (np.sin(inner(x)), [np.cos(inner(x))])),
    "an input among them": lambda x: (x, inner(x)),
    "one twice": lambda x: (lambda y: (y, y))(inner(x)),
    "two dtypes": lambda x: (inner(x), inner(x).astype("float32")),
    "constants among them": lambda x: (inner(x), np.argmax(x), None, "text", Tensor([1.0])),
    "only one": lambda x: (inner(x),),
}


def tensors(y):
    if isinstance(y, Tensor):
        return [y]
    parts = y.values() if isinstance(y, dict) else y if isinstance(y, (tuple, list)) else ()
    return [t for part in parts for t in tensors(part)]


def loss(y):
    """Every output counts, each in another way."""
    return sum((k + 1) * np.sum(np.square(t) + t) for k, t in enumerate(tensors(y)))


@pytest.mark.parametrize("f", SEVERAL.values(), ids=SEVERAL)
def test_several_outputs_have_the_same_values_and_gradients(f):
    results = []
    for call in (lambda x: f(x), lambda x: checkpoint(f, x)):
        x = Tensor(M, requires_grad=True)
        y = call(x)
        first = gradients(loss(y), [x], create_graph=True)
        second = gradients(np.sum(first[0] * first[0]), [x])
        loss(call(x)).backward()
        results.append(
            (type(y), [(t.shape, t.dtype) for t in tensors(y)], y, first, second, x.grad)
        )
    plain, recomputed = results
    assert plain[:2] == recomputed[:2]
    for a, b in zip(tensors(plain[2]), tensors(recomputed[2]), strict=True):
        np.testing.assert_array_equal(a.data, b.data)
    for a, b in zip((*plain[3], *plain[4]), (*recomputed[3], *recomputed[4]), strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-6)
    np.testing.assert_allclose(plain[5], recomputed[5], rtol=1e-6)


def test_what_is_no_tensor_comes_back_as_it_was():
    y, index, none, text, constant = checkpoint(
        SEVERAL["constants among them"], Tensor(M, requires_grad=True)
    )
    assert y.requires_grad and index == 2 and none is None and text == "text"
    assert constant.op is None and constant.data.tolist() == [1]


@pytest.mark.parametrize("f", [f for name, f in SEVERAL.items() if name != "an input among them"])
def test_several_outputs_keep_nothing_of_the_inside(f):
    x = Tensor(M, requires_grad=True)
    for y in tensors(checkpoint(f, x)):
        nodes = 0
        while y.op is not None and not isinstance(y.op, Recomputation):
            nodes += 1
            y = y.inputs[0]
        assert nodes <= 3 and y.inputs in ((x,), ())


def test_a_function_of_several_outputs_runs_again_once():
    runs = []

    def two(x):
        runs.append(1)
        return np.sin(x), np.cos(x)

    x = Tensor(M, requires_grad=True)
    a, b = checkpoint(two, x)
    np.sum(a * b + a).backward()
    assert len(runs) == 2


def test_one_output_of_several_may_go_unused():
    x = Tensor(M, requires_grad=True)
    a, b = checkpoint(lambda x: (np.sin(x), np.exp(x)), x)
    np.sum(b).backward()
    np.testing.assert_allclose(x.grad, np.exp(M))


def test_randomness_in_several_outputs_is_noticed():
    rng = np.random.default_rng(0)
    x = Tensor(M, requires_grad=True)
    a, b = checkpoint(lambda x: (x * rng.normal(), x * 2.0), x)
    with pytest.raises(RuntimeError, match="other values when it was run again"):
        np.sum(a + b).backward()


def test_custom_operations_are_recomputed():
    calls = []
    double = primitive(lambda x: (calls.append(1), 2 * x)[1], lambda g, y, x: 2 * g)
    x = Tensor(M, requires_grad=True)
    a, b = checkpoint(lambda x: (double(x), double(double(x))), x)
    np.sum(a + b).backward()
    assert len(calls) == 6 and np.all(x.grad == 6)


# One output -------------------------------------------------------------------------------------


def test_checkpoint_reaches_what_it_closes_over():
    results = []
    for wrap in (lambda f, x: f(x), checkpoint):
        w = Tensor(A, requires_grad=True)
        x = Tensor(X, requires_grad=True)
        h = np.exp(0.1 * w)  # computed, and used by the closure beside the leaf itself
        f = lambda x: np.tanh(h @ x) + w @ x  # noqa: E731, B023
        first = gradients(np.sum(wrap(f, x)), [w, x], create_graph=True)
        results.append([*first, *gradients(np.sum(first[0] * first[0]) + np.sum(first[1]), [w, x])])
        h = np.exp(0.1 * w)
        np.sum(wrap(f, x)).backward()
        results[-1].append(w.grad)
    for direct, recomputed in zip(*results, strict=True):
        close(recomputed, direct, rtol=1e-10)


def test_checkpoints_nest():
    inner = lambda x: np.tanh(x) * x  # noqa: E731
    outer = lambda x: checkpoint(inner, checkpoint(inner, x))  # noqa: E731
    for got, wanted in zip(
        orders(lambda x: checkpoint(outer, x), X), orders(lambda x: inner(inner(x)), X), strict=True
    ):
        close(got, wanted, rtol=1e-10)


def test_checkpoint_without_a_graph():
    assert type(checkpoint(np.tanh, X)) is np.ndarray
    with no_grad():
        assert not checkpoint(np.tanh, Tensor(X, requires_grad=True)).requires_grad


def test_checkpoint_in_a_transform():
    close(grad(lambda x: np.sum(checkpoint(np.tanh, x)))(X), 1 - np.tanh(X) ** 2)
    close(hessian(lambda x: checkpoint(mixed, x))(X), hessian(mixed)(X), rtol=1e-10)
    inner = lambda x: grad(lambda y: x * y * y * y)(x)  # noqa: E731
    close(grad(lambda x: checkpoint(inner, x))(2.0), grad(inner)(2.0))


def test_checkpoint_refuses_randomness():
    rng = np.random.default_rng(0)
    x = Tensor(X, requires_grad=True)
    y = np.sum(checkpoint(lambda x: x * rng.normal(size=3), x))
    with pytest.raises(RuntimeError, match="other values when it was run again.*random"):
        y.backward()
