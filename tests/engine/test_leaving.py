"""Nothing leaves the graph silently: whatever would lose a gradient raises and names the repair."""

import copy
import pickle

import numpy as np
import pytest

from dlscratch.engine import Tensor, gradients, no_grad


@pytest.fixture
def t():
    return Tensor([1.0, 2.0, 3.0], requires_grad=True)


WAYS_OUT = {
    "asarray": (lambda t: np.asarray(t), r"t\.data"),
    "array": (lambda t: np.array(t), r"t\.data"),
    "array of a list": (lambda t: np.array([t, t]), "np.stack"),
    "array of a nested list": (lambda t: np.array([[t], [t]]), "np.stack"),
    "asarray with dtype": (lambda t: np.asarray(t, "float32"), r"t\.data"),
    "Tensor of a list": (lambda t: Tensor([t, t]), "np.stack"),
    "write into a buffer": (lambda t: np.zeros(3).__setitem__(slice(None), t), r"t\.data"),
    "write into a row": (lambda t: np.zeros((2, 3)).__setitem__(0, t), r"t\.data"),
    "array of numbers": (lambda t: np.array([t[0], t[1]]), "np.stack"),
    "full": (lambda t: np.full(3, t), r"t\.data"),
    "full_like": (lambda t: np.full_like(t, t), r"np\.full_like"),
    "asanyarray": (lambda t: np.asanyarray(t), r"t\.data"),
    "out=": (lambda t: np.exp(t, out=np.zeros(3)), r"np\.exp\(\.\.\., out=\).*y = x \+ t"),
    "out of a Tensor": (lambda t: np.exp(np.ones(3), out=(t,)), r"np\.exp\(\.\.\., out=\)"),
    "out= of a function": (lambda t: np.sum(t, axis=0, out=np.zeros(())), "np.sum.*out"),
    "out= of a composition": (lambda t: np.mean(t, out=np.zeros(())), "out"),
    "setitem": (lambda t: t.__setitem__(0, 5.0), "np.where"),
    "copyto": (lambda t: np.copyto(np.zeros(3), t), "np.copyto"),
    "put": (lambda t: np.put(np.zeros(3), [0], t), r"t\.data|np\.put"),
    "place": (lambda t: np.place(t, [True, False, True], [1.0]), "np.place"),
    "fill_diagonal": (lambda t: np.fill_diagonal(t, 0), "np.fill_diagonal"),
    "ufunc.at": (lambda t: np.add.at(np.zeros(3), [0, 1, 2], t), r"np\.add\.at"),
    "ufunc.outer": (lambda t: np.multiply.outer(t, t), r"np\.multiply\.outer"),
    "ufunc.reduceat": (lambda t: np.add.reduceat(t, [0, 2]), r"np\.add\.reduceat"),
    "unique": (lambda t: np.unique(t), r"np\.unique"),
    "histogram": (lambda t: np.histogram(t), r"np\.histogram"),
}


@pytest.mark.parametrize("way, said", WAYS_OUT.values(), ids=WAYS_OUT)
def test_way_out_is_shut(t, way, said):
    with pytest.raises(TypeError, match=said):
        way(t)
    assert t.data.tolist() == [1, 2, 3]


@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "pow", "mod", "matmul"])
def test_an_array_cannot_take_a_tensor_in_place(t, name):
    array = np.ones((3, 3) if name == "matmul" else 3)
    with pytest.raises(TypeError, match=r"out=\) has no gradient"):
        getattr(array, f"__i{name}__")(
            t if name != "matmul" else Tensor(np.eye(3), requires_grad=True)
        )
    assert np.all(array == 1)


def test_array_first_gives_a_tensor(t):
    for y in (
        np.ones(3) + t,
        np.float64(2) * t,
        np.ones((2, 3)) @ t,
        2 - t,
        [1, 2, 3] * t,
        np.ones(3) ** t,
        np.ones(3) / t,
    ):
        assert isinstance(y, Tensor) and y.requires_grad


def test_rebinding_is_no_write(t):
    u = v = t * 1
    u += 1
    assert u is not v and v.data.tolist() == [1, 2, 3] and u.requires_grad


def test_a_constant_may_leave(t):
    assert np.array_equal(np.asarray(Tensor([1, 2])), [1, 2])
    assert np.array_equal(np.asarray(t.detach()), [1, 2, 3])
    with no_grad():
        assert np.array_equal(np.asarray(t * 2), [2, 4, 6])
    assert np.array([Tensor(1.0), Tensor(2.0)]).tolist() == [1, 2]
    buffer = np.zeros(3)
    buffer[...] = t.detach()
    assert buffer.tolist() == [1, 2, 3]


def test_comparisons_and_choices_are_plain(t):
    for y in (
        t > 1,
        t == t,
        t <= 2.0,
        1 < t,
        t != 0,
        np.argmax(t),
        t.argmax(),
        np.sign(t),
        t // 2,
        7 // t,
        np.isnan(t),
        t.argsort(),
    ):
        assert not isinstance(y, Tensor)
    assert (t > 1.5).tolist() == [False, True, True] and (7 // t).tolist() == [7, 3, 2]


def test_numbers_and_text():
    t = Tensor(2.5, requires_grad=True)
    assert float(t) == 2.5 and int(t) == 2 and t.item() == 2.5 and bool(t) and f"{t:.2f}" == "2.50"
    assert repr(t) == "Tensor(2.5, requires_grad=True)" and repr(Tensor([1, 2])) == "Tensor([1, 2])"


def test_copies_are_leaves(t):
    for u in (copy.deepcopy(t), pickle.loads(pickle.dumps(t))):
        assert u is not t and u.requires_grad and u.op is None and u.data.tolist() == [1, 2, 3]
        assert not np.shares_memory(u.data, t.data)
    with pytest.raises(RuntimeError, match="only leaves can be copied.*detach"):
        copy.deepcopy(t * 2)


def test_a_leaf_owns_its_numbers():
    array = np.ones(3)
    t = Tensor(array, requires_grad=True)
    array[0] = 5
    assert t.data[0] == 1


def test_iteration_keeps_the_graph(t):
    a, b, c = t
    (g,) = gradients(a * b * c, [t])
    assert g.data.tolist() == [6, 3, 2] and len(t) == 3
    with pytest.raises(TypeError, match="0-d"):
        iter(a)


def test_methods_are_those_of_ndarray():
    own = "retain_grad detach backward".split()
    functions = [name for name, f in vars(Tensor).items() if callable(f) and name[0] != "_"]
    methods = [name for name in functions if name not in (*own, "item", "tolist")]
    assert len(methods) >= 30 and all(hasattr(np.ndarray, name) for name in methods)
    x = np.arange(1.0, 7).reshape(2, 3)
    arguments = {
        "reshape": (3, 2),
        "swapaxes": (0, 1),
        "repeat": (2,),
        "take": ([1, 0],),
        "dot": (x.T,),
        "astype": ("float32",),
        "clip": (2, 5),
        "searchsorted": (3.0,),
        "argpartition": (1,),
        "compress": ([True, False], 0),
    }
    for name in methods:
        a = x[0] if name == "searchsorted" else x
        got, wanted = (getattr(a, name)(*arguments.get(name, ())) for a in (Tensor(a), a))
        np.testing.assert_allclose(getattr(got, "data", got), wanted, err_msg=name)


@pytest.mark.parametrize("order", ["C", "F"])
def test_orders_of_entries(order):
    x = np.arange(24.0).reshape(2, 3, 4)
    shaped = [lambda a, s=s: a.reshape(*s, order=order) for s in ((4, -1), (24,), ((6, 2, 2),))]
    for call in (lambda a: a.ravel(order), lambda a: a.flatten(order), *shaped):
        t = Tensor(x, requires_grad=True)
        assert np.array_equal(call(t).data, call(x))
        (g,) = gradients(call(t), [t], gradient=call(x * x))
        assert np.array_equal(g.data, x * x)
    with pytest.raises(ValueError, match="order='K'; want 'C'"):
        Tensor(x).ravel("K")


def test_what_ndarray_has_and_a_tensor_has_not():
    t = Tensor([1.0])
    with pytest.raises(
        AttributeError, match=r"no \.sort.*want np\.sort\(t\), or the array's, t\.data\.sort"
    ):
        t.sort()
    with pytest.raises(AttributeError, match=r"no \.view.*t\.reshape.*the array's, t\.data\.view"):
        t.view("float32")
    with pytest.raises(AttributeError, match="'Tensor' object has no attribute 'cuda'"):
        t.cuda()
    assert not hasattr(t, "strides")
