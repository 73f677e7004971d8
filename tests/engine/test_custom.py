"""Checkpoints and fused operations equal what they stand for, at orders 1 and 2, however their inputs hang together."""

import numpy as np
import pytest

from dlscratch.engine import (
    Tensor,
    checkpoint,
    custom_vjp,
    grad,
    gradients,
    hessian,
    no_grad,
    primitive,
    vjp,
)

A = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, -1.0], [0.5, 0.0, 1.0]])
X, V = np.array([0.5, -1.2, 2.0]), np.array([1.0, 0.3, -0.7])


def mixed(x):
    return np.sum(np.sin(x) * np.exp(0.3 * np.roll(x, 1))) + np.prod(x)


def close(a, b, rtol=1e-12):
    np.testing.assert_allclose(getattr(a, "data", a), getattr(b, "data", b), rtol=rtol, atol=1e-13)


def orders(f, *xs):
    """The gradients of sum f(xs) of order 1, and those of the squared norm of these."""
    leaves = [Tensor(x, requires_grad=True) for x in xs]
    first = gradients(np.sum(f(*leaves)), leaves, create_graph=True)
    second = gradients(sum(np.sum(g * g) for g in first), leaves)
    plain = gradients(np.sum(f(*leaves)), leaves)
    for a, b in zip(first, plain, strict=True):
        close(a, b, rtol=1e-10)
    return [g.data for g in first + second]


W = Tensor(A, requires_grad=True)

INSIDES = {
    "one argument": (lambda x, y: np.tanh(A @ x) * x, lambda x, y: (x, y)),
    "closed over": (lambda x, y: np.tanh(W @ x) * y, lambda x, y: (x, y)),
    "one argument computed from the other": (
        lambda x, y: np.sin(x) * y,
        lambda x, y: (x, np.exp(x) * y),
    ),
    "one argument twice": (lambda x, y: np.sin(x) * y, lambda x, y: (x * y, x * y)),
    "the same Tensor twice": (lambda x, y: np.sin(x) * y, lambda x, y: (x, x)),
    "identity": (lambda x, y: x, lambda x, y: (x, y)),
}


CASES = [("checkpoint", name) for name in INSIDES]
CASES += [
    ("custom_vjp", name) for name in INSIDES if name != "closed over"
]  # a fused operation is told of all its inputs


@pytest.mark.parametrize("kind, name", CASES)
def test_twins_agree(kind, name):
    inside, outside = INSIDES[name]

    def direct(x, y):
        return inside(*outside(x, y)) * x

    def wrapped(x, y):
        if kind == "checkpoint":
            return checkpoint(inside, *outside(x, y)) * x
        return operation(*outside(x, y)) * x

    def backward(g, y, saved, needs, *arrays):
        return [gx.data for gx in vjp(inside, *arrays)[1](g)]

    operation = custom_vjp(inside, lambda *arrays: (inside(*arrays), None), backward)
    for got, wanted in zip(orders(wrapped, X, V), orders(direct, X, V), strict=True):
        close(got, wanted, rtol=1e-10)


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


def test_tensors_given_by_name_get_their_gradients():
    textbook = lambda x, weight, bias=None, power=1: (
        (x * weight) ** power + (0 if bias is None else bias)
    )  # noqa: E731
    seen = []

    def forward(x, weight, bias=None, power=1):
        return textbook(x, weight, bias, power), None

    def backward(g, y, saved, needs, x, weight, bias=None, power=1):
        seen.append(needs)
        return [
            power * g * (x * weight) ** (power - 1) * weight,
            power * g * (x * weight) ** (power - 1) * x,
            g,
        ]

    operation = custom_vjp(textbook, forward, backward)
    for call in (
        lambda x, w, b: operation(x, w, b, power=2),
        lambda x, w, b: operation(x, weight=w, bias=b, power=2),
        lambda x, w, b: operation(bias=b, power=2, weight=w, x=x),
        lambda x, w, b: operation(x, w, bias=b, power=2),
    ):
        leaves = [Tensor(v, requires_grad=True) for v in (X, V, X + V)]
        for got, wanted in zip(
            gradients(np.sum(call(*leaves)), leaves),
            (2 * X * V * V, 2 * X * X * V, np.ones(3)),
            strict=True,
        ):
            close(got, wanted)
        assert seen.pop() == (True,) * 3
    x = Tensor(X, requires_grad=True)
    np.sum(operation(x, weight=V)).backward()
    close(x.grad, V)
    assert seen.pop() == (True, False)
    with pytest.raises(TypeError, match="weight is missing"):
        operation(x, bias=V)
    with pytest.raises(TypeError, match="x came twice"):
        operation(x, V, x=V)


def test_fused_on_arrays_and_names():
    def textbook_square(x):
        return x * x

    square = custom_vjp(
        textbook_square, lambda x: (x * x, x), lambda g, y, saved, needs, x: (2 * g * saved,)
    )
    assert (
        square.__name__ == "square"
        and repr(square) == "<custom operation square>"
        and type(square(X)) is np.ndarray
    )
    assert not square(Tensor(X)).requires_grad
    y = square(Tensor(X, requires_grad=True))
    assert y.op is square
    with pytest.raises(ValueError, match="read-only"):
        y.data[0] = 1


@pytest.mark.parametrize(
    "same",
    [
        custom_vjp(lambda x: x, lambda x: (x, None), lambda g, y, saved, needs, x: (g,)),
        primitive(lambda x: x, lambda g, y, x: g),
    ],
    ids=["custom_vjp", "primitive"],
)
def test_an_operation_may_return_its_input(same):
    x = Tensor(X, requires_grad=True)
    np.sum(same(x) * 2).backward()
    x.data -= 1  # the leaf is still writable
    close(x.grad, np.full(3, 2.0))
