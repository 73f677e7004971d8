"""Bad input: each error names what came and how to repair it."""

import numpy as np
import pytest

from dlscratch.engine import (
    Tensor,
    grad,
    gradients,
    hvp,
    jvp,
    no_grad,
    rule,
    vjp,
)


def leaf(*shape):
    return Tensor(np.arange(1.0, 1 + np.prod(shape, dtype=int)).reshape(shape), requires_grad=True)


# Backward -----------------------------------------------------------------------------------------


def test_second_backward():
    x = leaf(3)
    y = np.sum(x * x)
    y.backward()
    with pytest.raises(RuntimeError, match="graph behind this np.sum was freed.*retain_graph=True"):
        y.backward()


def test_backward_into_a_freed_part():
    x = leaf(3)
    shared = x * x
    np.sum(shared).backward()
    with pytest.raises(RuntimeError, match="np.multiply was freed"):
        np.sum(shared * 2).backward()


def test_what_lies_behind_a_target_is_not_freed():
    """As in PyTorch: gradients(y, [h]) ends at h, whose own history stays for another backward."""
    x = Tensor([1.0, 2.0], requires_grad=True)
    h = x * x
    (slope,) = gradients(np.sum(h**3), [h])
    np.testing.assert_allclose(slope.data, 3 * x.data**4)
    h.backward(slope)
    np.testing.assert_allclose(x.grad, 6 * x.data**5)


def test_a_target_on_the_way_to_another_is_passed():
    x = Tensor([1.0, 2.0], requires_grad=True)
    h = x * x
    at_h, at_x = gradients(np.sum(h**3), [h, x])
    np.testing.assert_allclose(at_x.data, at_h.data * 2 * x.data)


def test_retained_graph_adds_up():
    x = leaf(3)
    y = np.sum(x * x)
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [4, 8, 12]


def test_backward_from_no_scalar():
    with pytest.raises(RuntimeError, match=r"backward from shape \(3,\).*reduce it.*gradient="):
        (leaf(3) * 2).backward()
    x = leaf(3)
    (x * 2).backward(gradient=[1, 0, 2])
    assert x.grad.tolist() == [2, 0, 4]
    y = x * 2
    with pytest.raises(ValueError, match=r"gradient of shape \(2,\) for an output of shape \(3,\)"):
        y.backward(gradient=[1.0, 2.0])


def test_backward_without_a_graph():
    for y in (Tensor(2.0), np.sum(Tensor([1.0, 2.0]))):
        with pytest.raises(RuntimeError, match="no gradient can flow.*requires_grad=True"):
            y.backward()
    with no_grad():
        y = np.sum(leaf(3))
    with pytest.raises(RuntimeError, match=r"no_grad\(\)"):
        y.backward()


def test_gradient_may_be_a_tensor():
    x, u = leaf(3), leaf(3)
    (x * x).backward(gradient=u)
    assert type(x.grad) is np.ndarray and x.grad.tolist() == [2, 8, 18]


def test_gradients_wants_what_requires_a_gradient():
    x = leaf(3)
    for stranger in (Tensor([1.0]), np.ones(3)):
        with pytest.raises(ValueError, match=r"xs\[1\] is no Tensor with requires_grad=True"):
            gradients(np.sum(x), [x, stranger])
    unused = leaf(2)
    assert gradients(np.sum(x), [unused])[0].data.tolist() == [0, 0]


# Dtypes and shapes --------------------------------------------------------------------------------


def test_integers_have_no_gradient():
    for data in ([1, 2], True, np.arange(3)):
        with pytest.raises(TypeError, match=r"cannot require a gradient.*astype"):
            Tensor(data, requires_grad=True)
    with pytest.raises(TypeError, match="cannot require a gradient"):
        grad(lambda x: x * x)(3)
    for data in (1j, "abc", [object()], None):
        with pytest.raises(TypeError, match="want floats, integers or booleans"):
            Tensor(data)


def test_float16_is_storage():
    x = Tensor(np.ones(3, "float16"), requires_grad=True)
    np.sum(x.astype("float32") * 2).backward()
    assert x.grad.dtype == np.float16 and x.grad.tolist() == [2, 2, 2]


SHAPES = {
    "add": (lambda: leaf(2) + leaf(3), r"\(2,\) \(3,\)"),
    "matmul": (
        lambda: leaf(2, 3) @ leaf(2, 3),
        r"matmul of shapes \(2, 3\) and \(2, 3\): 3 columns meet 2 rows",
    ),
    "matmul of a vector": (
        lambda: leaf(2, 3) @ leaf(2),
        r"\(2, 3\) and \(2, 1\): 3 columns meet 2 rows",
    ),
    "matmul of a scalar": (lambda: leaf(2) @ leaf(), r"scalar has no rows; use \*"),
    "tensordot": (
        lambda: np.tensordot(leaf(2, 3), leaf(2, 3), axes=1),
        r"np.tensordot of shapes \(2, 3\) and \(2, 3\)",
    ),
    "reshape": (lambda: leaf(2, 3).reshape(4, 2), r"size 6 into shape \(4,\s?2\)"),
    "concatenate": (lambda: np.concatenate([leaf(2, 3), leaf(2, 2)]), "dimension"),
    "einsum": (lambda: np.einsum("ij,jk", leaf(2, 3), leaf(2, 3)), "label 'j'"),
    "einsum, too few": (lambda: np.einsum("ij,jk", leaf(2, 3)), "names 2 operands; came 1"),
    "split": (lambda: np.split(leaf(5), 2), "equal division"),
    "cross": (lambda: np.cross(leaf(2), leaf(2)), "three entries"),
    "average": (lambda: np.average(leaf(2, 3), weights=np.ones(3)), "must have the shape of x"),
    "pad": (lambda: np.pad(leaf(3), 1, mode="mean"), "mode 'mean'; want constant, edge"),
    "pad by edge, with a constant": (
        lambda: np.pad(leaf(3), 1, mode="edge", constant_values=2),
        "goes with mode 'constant'",
    ),
    "norm": (lambda: np.linalg.norm(leaf(2, 3), 1), "ord=1.*want None"),
    "svd": (lambda: np.linalg.svd(leaf(2, 3)), "full_matrices=False"),
    "assigned data": (
        lambda: setattr(leaf(3), "data", np.ones(2)),
        r"came shape \(2,\), want \(3,\)",
    ),
    "jvp": (
        lambda: jvp(np.sin, leaf(3), np.ones(2)),
        r"vector has shape \(2,\), the argument \(3,\)",
    ),
    "hvp": (lambda: hvp(lambda x: np.sum(x * x), leaf(3), np.ones(2)), r"vector has shape \(2,\)"),
    "vjp": (lambda: vjp(np.sin, leaf(3))[1](np.ones(2)), r"gradient of shape \(2,\)"),
    "grad of a vector": (
        lambda: grad(np.sin)(leaf(3)),
        r"scalar function; came shape \(3,\).*jacobian",
    ),
}


@pytest.mark.parametrize("call, said", SHAPES.values(), ids=SHAPES)
def test_shape_mismatch(call, said):
    with pytest.raises(ValueError, match=said):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.moveaxis(x, 2, 0),
        lambda x: np.take(x, [0], axis=2),
        lambda x: np.sum(x, axis=5),
        lambda x: np.roll(x, 1, 3),
        lambda x: np.flip(x, 2),
        lambda x: np.expand_dims(x, 4),
        lambda x: np.mean(x, axis=2),
        lambda x: np.prod(x, axis=-3),
    ],
)
def test_axis_out_of_range(call):
    with pytest.raises(np.exceptions.AxisError, match="out of bounds"):
        call(leaf(2, 3))


def test_unsupported_options():
    x = leaf(3)
    cases = {
        "where": lambda: np.sum(x, where=[True, False, True]),
        "initial": lambda: np.max(x, initial=0),
        "dtype": lambda: np.add(x, x, dtype="float32"),
        "order": lambda: np.reshape(x, (3, 1), order="F"),
        "copy": lambda: np.nan_to_num(x, copy=False),
        "np.mean does not take dtype; on Tensors it knows x, axis, keepdims": lambda: np.mean(
            x, dtype="float32"
        ),
        "by position, not by name": lambda: np.sum(a=x),
        "subscripts as a string": lambda: np.einsum(x, [0], [0]),
        "UPLO": lambda: np.linalg.eigh(leaf(2, 2), UPLO="U"),
    }
    for said, call in cases.items():
        with pytest.raises(TypeError, match=said):
            call()


def test_a_tensor_where_no_derivative_is():
    rule(no_slope := lambda x, p: x + p, lambda g, y, x, p: g)
    from dlscratch.engine.tensor import apply

    with pytest.raises(TypeError, match=r"no derivative in argument 1; pass that Tensor's \.data"):
        apply(no_slope, leaf(2), leaf(2))


# Writes -------------------------------------------------------------------------------------------


def step(x):
    x.data -= 0.1 * x.data


def assign(x):
    x.data = np.zeros(3)


def mark(x):
    x.data[0] = 7
    x.mark_written()


@pytest.mark.parametrize("write", [step, assign, mark])
@pytest.mark.parametrize("requires", [True, False])
def test_write_between_forward_and_backward(write, requires):
    x, w = Tensor(np.ones(3), requires_grad=requires), leaf(3)
    y = np.sum((np.reshape(x, (3,)) if requires else x) * w)
    write(x)
    with pytest.raises(
        RuntimeError, match=r"shape \(3,\) was written after np.* backward before the update"
    ):
        y.backward()
    assert w.grad is None
    np.sum(x * w).backward()  # a new forward pass is in order
    assert w.grad.tolist() == x.data.tolist()


def test_write_after_backward():
    x = leaf(3)
    for _ in range(3):
        x.grad = None
        np.sum(x * x).backward()
        x.data -= 0.5 * x.grad
    assert x.data.tolist() == [0, 0, 0]


def test_results_are_read_only():
    x = leaf(2, 3)
    for y in (x * 2, x[0], x.T, np.exp(x), np.concatenate([x, x])):
        with pytest.raises(ValueError, match="read-only"):
            y.data[...] = 0
        with pytest.raises(RuntimeError, match=r"computed by .*only leaves can be written.*detach"):
            y.data = np.zeros(y.shape)
    x.data[0, 0] = 5  # views are locked, the leaf is not
    assert x.data.flags.writeable


def test_retain_grad_fills_inner_nodes():
    x = leaf(3)
    y = (x * x).retain_grad()
    z = y * 2
    np.sum(z + y).backward()
    assert y.grad.tolist() == [3, 3, 3] and z.grad is None and x.grad.tolist() == [6, 12, 18]


def test_grad_is_checked_and_copied():
    x = leaf(3)
    given = np.ones(3, "float32")
    x.grad = given
    given[0] = 9
    assert x.grad.dtype == np.float64 and x.grad.tolist() == [1, 1, 1]
    with pytest.raises(ValueError):
        x.grad = np.ones(2)
