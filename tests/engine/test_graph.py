"""Sums of gradients write only into their own arrays; a gradient that does not fit is refused."""

import numpy as np
import pytest

from dlscratch.engine import Tensor, custom_vjp, primitive
from dlscratch.engine.graph import GradientSums
from dlscratch.engine.operation import rule
from dlscratch.engine.tensor import apply

NODE, OTHER = Tensor(np.zeros(3)), Tensor(np.zeros(3))


def test_the_first_gradient_is_held_as_it_came():
    sums, g = GradientSums(in_place=True), np.ones(3)
    sums.add(NODE, g, fresh=False)
    assert sums[NODE] is g and sums.writable(NODE) is None


def test_the_second_makes_a_new_array_and_the_third_is_added_into_that():
    sums, g = GradientSums(in_place=True), np.ones(3)
    sums.add(NODE, g, fresh=False)
    sums.add(NODE, g, fresh=False)
    total = sums[NODE]
    sums.add(NODE, g, fresh=False)
    assert sums[NODE] is total is sums.writable(NODE) and total.tolist() == [3, 3, 3]
    assert g.tolist() == [1, 1, 1] and sums.writable(OTHER) is None


def test_a_fresh_gradient_is_written_at_once():
    sums, g = GradientSums(in_place=True), np.ones(3)
    sums.add(NODE, g, fresh=True)
    sums.add(NODE, g * 2, fresh=False)
    assert sums[NODE] is g and g.tolist() == [3, 3, 3]


def test_nothing_is_written_where_the_sums_must_be_differentiable():
    sums, g = GradientSums(in_place=False), np.ones(3)
    for _ in range(3):
        sums.add(NODE, g, fresh=True)
    assert g.tolist() == [1, 1, 1] and sums[NODE].tolist() == [3, 3, 3]
    assert sums.writable(NODE) is None


def test_a_gradient_that_two_nodes_share_is_not_written():
    """h + y passes one array to h and to y; what w adds to the sum of h later is not y's."""
    x, y = (Tensor(np.ones(3), requires_grad=True) for _ in range(2))
    h = np.exp(x)
    w = 2 * h
    (w + (h + y)).backward(np.array([1.0, 2.0, 3.0]))
    assert y.grad.tolist() == [1, 2, 3]
    np.testing.assert_allclose(x.grad, [3 * np.e, 6 * np.e, 9 * np.e], rtol=1e-15)


# Operations whose gradient does not fit -----------------------------------------------------------


def x():
    return Tensor(np.ones((2, 3)), requires_grad=True)


def wrong_rule(gradient):
    def bent(x):
        return 2 * x

    return primitive(bent, lambda g, y, x: gradient(g))


@pytest.mark.parametrize(
    "gradient, error, said",
    [
        (lambda g: g[0], ValueError, r"gradient of bent: expected shape \(2, 3\).*got \(3,\)"),
        (lambda g: g.T, ValueError, r"gradient of bent: expected shape \(2, 3\).*got \(3, 2\)"),
        (lambda g: np.sum(g), ValueError, r"gradient of bent: expected shape \(2, 3\).*got \(\)"),
        (lambda g: 2.0, TypeError, r"gradient of bent: expected an array.*\(2, 3\).*got float"),
        (lambda g: (g,), TypeError, r"gradient of bent: expected an array.*\(2, 3\).*got tuple"),
    ],
    ids=["a row", "transposed", "summed", "a number", "a tuple"],
)
def test_a_misshapen_gradient_is_refused(gradient, error, said):
    with pytest.raises(error, match=said):
        np.sum(wrong_rule(gradient)(x())).backward()


def custom(backward):
    def textbook_bent(x, w):
        return x * w

    return custom_vjp(textbook_bent, lambda x, w: (x * w, None), backward)


@pytest.mark.parametrize(
    "backward, said",
    [
        (lambda g, y, s, needs, x, w: (g * w,), r"bent: expected 2 gradients.*got 1"),
        (lambda g, y, s, needs, x, w: (g * w, g * x, g), r"bent: expected 2 gradients.*got 3"),
        (lambda g, y, s, needs, x, w: g * w, r"bent: expected a tuple of 2.*got ndarray"),
        (lambda g, y, s, needs, x, w: None, r"bent: expected a tuple of 2.*got NoneType"),
    ],
    ids=["too few", "too many", "an array", "nothing"],
)
def test_a_wrong_number_of_gradients_is_refused(backward, said):
    with pytest.raises(TypeError, match=said):
        np.sum(custom(backward)(x(), x())).backward()


def test_a_gradient_that_nobody_needs_may_be_left_out():
    operation = custom(lambda g, y, s, needs, x, w: (g * w,))
    t = x()
    np.sum(operation(t, np.full((2, 3), 5.0))).backward()
    assert np.all(t.grad == 5)


def test_a_forward_without_a_pair_is_refused():
    for forward in (lambda x: x * 2, lambda x: (x, 1, 2), lambda x: None):
        operation = custom_vjp(lambda x: x * 2, forward, lambda g, y, s, needs, x: (2 * g,))
        with pytest.raises(TypeError, match=r"forward returned .*; expected a pair \(y, saved\)"):
            operation(x())


def test_a_missing_part_of_a_custom_operation_is_named():
    def textbook_bent(x):
        return x

    with pytest.raises(
        TypeError, match="custom_vjp of bent: backward is a NoneType; expected a fun"
    ):
        custom_vjp(textbook_bent, lambda x: (x, None), None)


def test_a_missing_rule_is_named():
    def bent(x):
        return x * 2

    with pytest.raises(TypeError, match=r"bent: no rule; expected a function vjp\(g, y, \*inputs"):
        primitive(bent)
    with pytest.raises(TypeError, match="bent: rule 1 is a NoneType; expected a function"):
        primitive(bent, lambda g, y, x: g, None)
    with pytest.raises(
        TypeError, match=r"bent: rule 0 takes 1 arguments; expected vjp\(g, y, \*in"
    ):
        primitive(bent, lambda g: 2 * g)
    with pytest.raises(TypeError, match=r"bent: no rule; expected .* rule\(bent, vjp\)"):
        apply(bent, x())


def test_a_rule_that_takes_other_arguments_is_named():
    def bent(x, w, *, power=1):
        return x * w

    operation = primitive(bent, lambda g, y, x: g)
    with pytest.raises(TypeError, match="2 positional arguments"):
        operation(x(), x())
    operation = primitive(bent, lambda g, y, x, w: g * w, lambda g, y, x: g)
    with pytest.raises(TypeError, match=r"bent: rule 1 is vjp\(g, y, x\); expected.*for 2 inputs"):
        np.sum(operation(x(), x())).backward()


def test_a_type_error_inside_a_rule_comes_through():
    def bent(x):
        return x * 2

    operation = primitive(bent, lambda g, y, x: g + "text")
    with pytest.raises(TypeError) as error:
        np.sum(operation(x())).backward()
    assert "rule 0" not in str(error.value)


def test_a_variadic_rule_is_checked_too():
    def gather(*parts):
        return sum(parts)

    rule(gather, lambda g, y, needs, *parts: [g], variadic=True)
    with pytest.raises(TypeError, match="gather: expected 3 gradients, one for each input, got 1"):
        np.sum(apply(gather, x(), x(), x())).backward()
