"""The verifier verified: right gradients pass, each kind of wrong one is caught."""

import numpy as np
import pytest

from dlscratch.engine import Tensor, custom_vjp
from dlscratch.testing import finite_difference, gradcheck, relative_error


def array(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def test_finite_difference_of_a_quadratic():
    A, x = array(4, 4), array(4, seed=1)
    slope = finite_difference(lambda x: x @ A @ x, x)
    assert np.allclose(slope, (A + A.T) @ x, rtol=1e-9, atol=1e-9)


def test_finite_difference_takes_eps_and_keeps_x():
    """The central difference of x³ is 3x² + h², exactly."""
    x = np.array([[1.0, 2.0]])
    assert np.allclose(finite_difference(lambda x: (x**3).sum(), x, eps=0.5), 3 * x**2 + 0.25)
    assert x.tolist() == [[1.0, 2.0]]


def test_finite_difference_wants_a_scalar():
    with pytest.raises(ValueError, match=r"f gave shape \(2,\)"):
        finite_difference(lambda x: x, np.ones(2))


RIGHT = [
    (lambda x: np.tanh(x), [array(3, 2)]),
    (lambda a, b: a @ b, [array(2, 3), array(3, 2, seed=1)]),
    (lambda x: 3 * x, [array(4)]),
    (lambda x: np.exp(x) / np.sum(np.exp(x), axis=-1, keepdims=True), [array(2, 3)]),
    (lambda x, i: x[i] ** 2, [array(5), np.array([1, 1, 3])]),
    (lambda x: 1e-6 * np.sin(x), [array(3)]),
]


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(("f", "xs"), RIGHT)
def test_right_gradients_pass(f, xs, order):
    assert gradcheck(f, *xs, order=order) < 1e-8


def test_float32_is_checked_in_float64():
    assert gradcheck(lambda x: np.sin(x), array(3).astype(np.float32)) < 1e-8


def wrong_gradient(factor):
    return custom_vjp(
        lambda x: x * x, lambda x: (x * x, None), lambda g, y, saved, needs, x: (factor * g * x,)
    )


def test_a_gradient_off_by_a_thousandth_is_measured_as_that():
    assert gradcheck(wrong_gradient(2), array(3)) < 1e-8
    assert gradcheck(wrong_gradient(2.002), array(3)) == pytest.approx(1e-3, rel=1e-3)


def test_order_2_compares_with_the_first_order_gradient_that_training_uses():
    assert gradcheck(wrong_gradient(2.002), array(3), order=2) == pytest.approx(1e-3, rel=1e-2)


def test_a_cut_graph_is_no_excuse():
    """A gradient of zero where the function moves is an error of 100 %, and is not skipped."""
    assert gradcheck(lambda x: Tensor(np.sin(x.data)), array(3)) == 1
    assert gradcheck(lambda x: np.exp(x.data) * x, array(3), order=1) > 0.1
    assert gradcheck(lambda x: np.exp(x.data) * x, array(3), order=2) == 1


def test_one_wrong_argument_among_many_counts():
    assert gradcheck(lambda a, b: a * b.data, array(3), array(3, seed=1)) == 1


def test_nan_is_not_hidden():
    assert np.isnan(gradcheck(lambda x: x * np.nan, array(2)))


def test_gradcheck_misuse():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="order=3"):
        gradcheck(np.sin, array(2), order=3)
    with pytest.raises(TypeError, match="no argument holds floats"):
        gradcheck(np.sin, np.arange(3))
    with pytest.raises(TypeError, match="f gave ndarray, not a Tensor"):
        gradcheck(lambda x: np.sin(x.data), array(2))
    with pytest.raises(ValueError, match="two values for one input"):
        gradcheck(lambda x: x * rng.normal(), array(2))


def test_relative_error():
    assert relative_error([1, 2.1], [1, 2]) == pytest.approx(0.05)
    assert relative_error([0, 0], [0, 0]) == 0 and relative_error([1], [0]) == float("inf")
    assert relative_error([1e-3], [0], floor=1) == pytest.approx(1e-3)
    assert np.isnan(relative_error([np.nan, 1], [1, 1])) and np.isnan(
        relative_error([1, 1], [np.nan, 1])
    )
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\) differ"):
        relative_error(np.ones(2), np.ones(3))
