"""Checkpoints and custom operations equal what they stand for, at orders 1 and 2."""

import numpy as np
import pytest

from dlscratch.engine import Tensor, checkpoint, custom_vjp, gradients, primitive, vjp

from .differences import A, V, X, close, orders

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
# a custom operation is told of all its inputs
CASES += [("custom_vjp", name) for name in INSIDES if name != "closed over"]


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


def test_a_primitive_refuses_tensors_by_name():
    """It would compute with them past its rules, in silence."""
    scaled = primitive(lambda x, s: x * s, lambda g, y, x, s: g * s, lambda g, y, x, s: g * x)
    with pytest.raises(TypeError, match="expected Tensors by position.*came by name: s"):
        scaled(Tensor(X, requires_grad=True), s=Tensor(V))


def test_custom_operations_on_arrays_and_names():
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
