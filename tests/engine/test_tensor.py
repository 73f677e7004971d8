"""A leaf is changed in place under no_grad, and only there; powers and methods are NumPy's."""

import operator

import numpy as np
import pytest

from dlscratch import layers
from dlscratch.engine import Tensor, gradients, no_grad

# Writes in place ----------------------------------------------------------------------------------

IN_PLACE = {
    "+=": operator.iadd,
    "-=": operator.isub,
    "*=": operator.imul,
    "/=": operator.itruediv,
    "**=": operator.ipow,
    "%=": operator.imod,
    "//=": operator.ifloordiv,
}


def leaf():
    return Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)


@pytest.mark.parametrize("change", IN_PLACE.values(), ids=IN_PLACE)
@pytest.mark.parametrize("other", [2.0, np.array([3.0, 0.5]), Tensor([2.0, 3.0])], ids=str)
def test_a_leaf_is_changed_in_place_under_no_grad(change, other):
    t = leaf()
    array = t.data
    wanted = change(t.data.copy(), getattr(other, "data", other))
    with no_grad():
        u = change(t, other)
    assert u is t and t.data is array and t.requires_grad and t.op is None
    np.testing.assert_array_equal(t.data, wanted)


def test_a_matrix_is_multiplied_in_place():
    t = leaf()
    array = t.data
    with no_grad():
        t @= np.array([[0.0, 1.0], [1.0, 0.0]])
    assert t.data is array and t.data.tolist() == [[2, 1], [4, 3]]


def test_a_step_of_descent_changes_the_model():
    model = layers.Linear(3, 2, rng=0)
    before = model.state_dict()
    before = {name: array.copy() for name, array in before.items()}
    np.sum(np.square(model(np.ones((4, 3), "float32")))).backward()
    with no_grad():
        for p in model.parameters():
            p -= 0.1 * p.grad
    for name, p in model.named_parameters():
        np.testing.assert_allclose(model.state_dict()[name], before[name] - 0.1 * p.grad, rtol=1e-6)
        assert np.any(p.data != before[name]) and p.dtype == np.float32


def test_a_frozen_parameter_is_changed_in_place():
    p = layers.Linear(2, 2, rng=0).weight
    p.requires_grad = False
    array, before = p.data, p.data.copy()
    with no_grad():
        p *= 3
    assert p.data is array
    np.testing.assert_array_equal(array, 3 * before)


@pytest.mark.parametrize("said, change", IN_PLACE.items(), ids=IN_PLACE)
def test_a_leaf_is_not_changed_where_operations_are_recorded(said, change):
    t = leaf()
    with pytest.raises(RuntimeError) as error:
        change(t, 2.0)
    assert f"with no_grad(): t {said} ..." in str(error.value)
    assert t.data.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("change", IN_PLACE.values(), ids=IN_PLACE)
def test_a_computed_tensor_is_never_written(change):
    y = leaf() * 1
    with no_grad(), pytest.raises(RuntimeError, match="computed by np.multiply; only leaves"):
        change(y, 2.0)
    assert y.data.tolist() == [[1, 2], [3, 4]]


def test_a_sum_of_losses_keeps_its_gradient():
    t = leaf()
    total = 0
    for row in t:
        total += np.sum(row * row)
    total *= 2
    assert gradients(total, [t])[0].data.tolist() == (4 * t.data).tolist()


def test_a_constant_never_writes_into_an_array_that_others_hold():
    array = np.ones(3)
    for run in (lambda t: operator.iadd(t, 1), lambda t: operator.imul(t[:2], 5)):
        for quiet in (True, False):
            t = Tensor(array)
            if quiet:
                with no_grad():
                    run(t)
            else:
                run(t)
    assert array.tolist() == [1, 1, 1]


def test_a_write_in_place_is_noticed_by_an_older_graph():
    t = leaf()
    y = np.sum(t * t)
    with no_grad():
        t += 1
    with pytest.raises(RuntimeError, match="was written after np.multiply used it"):
        y.backward()
    z = np.sum(t * t)
    with no_grad():
        t[0] = 7.0
    with pytest.raises(RuntimeError, match="was written after np.multiply used it"):
        z.backward()


def test_entries_of_a_leaf_are_assigned_under_no_grad():
    t = leaf()
    with no_grad():
        t[0] = Tensor([7.0, 8.0])
        t[t > 7] = 0
    assert t.data.tolist() == [[7, 0], [3, 4]]
    with no_grad(), pytest.raises(TypeError, match="writing into a Tensor"):
        (t * 1)[0] = 5


def test_a_shape_that_does_not_fit_is_refused_in_place():
    t = leaf()
    with no_grad(), pytest.raises(ValueError, match="broadcast"):
        t += np.ones((3, 2, 2))
    assert t.shape == (2, 2)


# Powers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int64", "float32", "float64"])
@pytest.mark.parametrize(
    "exponent", [-2, -1, 0, 0.5, 1, 2, 3, -1.0, 2.0, np.float32(2), np.int8(2)]
)
def test_powers_are_those_of_numpy(dtype, exponent):
    x = np.array([1, 4, 9]).astype(dtype)
    try:
        wanted = np.power(x, exponent)
    except (ValueError, TypeError, OverflowError) as error:
        with pytest.raises(type(error)):
            Tensor(x) ** exponent
        return
    got = Tensor(x) ** exponent
    assert got.dtype == wanted.dtype
    np.testing.assert_allclose(got.data, wanted, rtol=1e-6)


def test_integers_to_negative_powers_are_refused():
    with pytest.raises(ValueError, match="negative integer powers"):
        Tensor([2, 4, 10]) ** -1


# Methods ------------------------------------------------------------------------------------------


def test_operators_and_methods_are_written_out():
    """What search and editors find: each stands in the class by name, with a signature."""
    for name in "add sub mul truediv mod pow matmul".split():
        assert Tensor.__dict__[f"__{name}__"].__name__ == f"__{name}__"
        assert Tensor.__dict__[f"__r{name}__"].__name__ == f"__r{name}__"
        assert Tensor.__dict__[f"__i{name}__"].__name__ == f"__i{name}__"
    assert Tensor.sum.__name__ == "sum" and "axis" in Tensor.sum.__code__.co_varnames


@pytest.mark.parametrize("name", "sum mean var std max min prod argmax argmin any all".split())
def test_reductions_take_numpys_options(name):
    x = np.arange(6.0).reshape(2, 3)
    for options in ({}, {"axis": 1}, {"axis": -1, "keepdims": True}):
        got = getattr(Tensor(x), name)(**options)
        wanted = getattr(x, name)(**options)
        np.testing.assert_allclose(getattr(got, "data", got), wanted)


def test_two_axes_of_several_are_swapped_by_swapaxes():
    t = Tensor(np.zeros((2, 3, 4)))
    assert t.transpose(2, 0, 1).shape == (4, 2, 3) and t.transpose().shape == (4, 3, 2)
    assert Tensor(np.zeros((2, 3))).transpose(0, 1).shape == (2, 3)
    with pytest.raises(ValueError, match=r"order of all 3 axes.*t\.swapaxes\(1, 2\)"):
        t.transpose(1, 2)
