"""Transforms against analytic results and torch.func.

They compose, nest, and see what a function closes over.
"""

import threading

import numpy as np
import pytest

from dlscratch.engine import (
    Tensor,
    checkpoint,
    grad,
    gradients,
    hessian,
    hvp,
    jacobian,
    jvp,
    no_grad,
    value_and_grad,
    vjp,
)

from .differences import A, V, X, close, mixed


def quadratic(x):
    return 0.5 * (x @ A @ x)


# Analytic -----------------------------------------------------------------------------------------


def test_orders_of_a_power():
    f = lambda x: x**5  # noqa: E731
    wanted = [5 * 1.5**4, 20 * 1.5**3, 60 * 1.5**2, 120 * 1.5, 120, 0]
    for value in wanted:
        f = grad(f)
        close(f(1.5), value)


def test_tanh_to_the_fourth_order():
    y = np.tanh(0.3)
    d = grad(np.tanh)
    close(d(0.3), 1 - y**2)
    close(grad(d)(0.3), -2 * y * (1 - y**2))
    close(grad(grad(d))(0.3), (6 * y**2 - 2) * (1 - y**2))
    close(grad(grad(grad(d)))(0.3), (16 * y - 24 * y**3) * (1 - y**2))


def test_quadratic_form():
    S = 0.5 * (A + A.T)
    close(grad(quadratic)(X), S @ X)
    close(hessian(quadratic)(X), S)
    close(hvp(quadratic, X, V), S @ V)
    value, slope = value_and_grad(quadratic)(X)
    close(value, 0.5 * X @ A @ X)
    close(slope, S @ X)


def test_linear_map():
    f = lambda x: A @ x  # noqa: E731
    close(jacobian(f)(X), A)
    y, pull = vjp(f, X)
    close(y, A @ X)
    close(pull(V), V @ A)
    close(pull(2 * V), 2 * V @ A)  # as often as wanted
    y, along = jvp(f, X, V)
    close(y, A @ X)
    close(along, A @ V)
    assert np.all(hessian(lambda x: np.sum(f(x)))(X).data == 0)


def test_results_are_constants_unless_asked():
    for made in (
        grad(mixed)(X),
        value_and_grad(mixed)(X)[0],
        hvp(mixed, X, V),
        jvp(np.sin, X, V)[0],
        jacobian(np.sin)(X),
    ):
        assert isinstance(made, Tensor) and not made.requires_grad
    assert grad(mixed, create_graph=True)(X).requires_grad


def test_arguments_are_left_alone():
    x = Tensor(X, requires_grad=True)
    grad(mixed)(x), hvp(mixed, x, V), hessian(mixed)(x), jvp(np.sin, x, V)
    assert x.grad is None and np.array_equal(x.data, X)
    given = X.copy()
    grad(mixed)(given)
    assert given.flags.writeable and np.array_equal(given, X)


# Arguments ----------------------------------------------------------------------------------------


def test_argnums():
    f = lambda a, b, power: np.sum(a**power * b)  # noqa: E731
    a, b = np.array([1.0, 2.0]), np.array([3.0, 5.0])
    close(grad(f)(a, b, 3), 3 * a**2 * b)
    close(grad(f, 1)(a, b, power=3), a**3)
    both = grad(f, (0, 1))(a, b, 3)
    assert isinstance(both, tuple)
    close(both[0], 3 * a**2 * b)
    close(both[1], a**3)
    assert isinstance(grad(f, (1,))(a, b, 3), tuple)
    (aa, ab), (ba, bb) = hessian(f, (0, 1))(a, b, 3)
    close(aa, np.diag(6 * a * b))
    close(ab, np.diag(3 * a**2))
    close(ba, ab)
    assert np.all(bb.data == 0)
    ja, jb = jacobian(lambda a, b: np.outer(a, b), (0, 1))(a, b)
    assert ja.shape == jb.shape == (2, 2, 2)
    close(ja, np.einsum("ik,j->ijk", np.eye(2), b))


def test_tuples_of_arguments():
    f = lambda a, b: a * np.sin(b)  # noqa: E731
    a, b, u, v = np.array([2.0]), np.array([0.7]), np.array([3.0]), np.array([-1.0])
    close(jvp(f, (a, b), (u, v))[1], u * np.sin(b) + a * np.cos(b) * v)
    pa, pb = vjp(f, a, b)[1](np.ones(1))
    close(pa, np.sin(b))
    close(pb, a * np.cos(b))
    ha, hb = hvp(lambda a, b: np.sum(f(a, b)), (a, b), (u, v))
    close(ha, np.cos(b) * v)
    close(hb, np.cos(b) * u - a * np.sin(b) * v)


def test_unused_arguments_have_gradient_zero():
    w = Tensor(2.0, requires_grad=True)
    close(grad(lambda a, b: np.sum(w * a), 1)(X, V), np.zeros(3))
    close(hvp(np.sum, X, V), np.zeros(3))
    close(jvp(lambda x: x * 0 + np.ones(3), X, V)[1], np.zeros(3))
    close(grad(lambda x: Tensor(2.0))(1.0), 0)


def test_what_is_no_function_of_tensors():
    for f in (lambda x: float(x) ** 2, lambda x: x.data, lambda x: x > 1, lambda x: [x]):
        with pytest.raises(TypeError, match="returned .*, not a Tensor: it left NumPy on the way"):
            grad(f)(1.0)


def test_float32_stays():
    x = X.astype("float32")
    for made in (
        grad(mixed)(x),
        hvp(mixed, x, V.astype("float32")),
        hessian(mixed)(x),
        jvp(np.sin, x, x)[1],
    ):
        assert made.dtype == np.float32


# Nesting ------------------------------------------------------------------------------------------


def test_perturbations_are_not_confused():
    """d/dx [x d/dy (x + y)] at 1 is 1, not 2. Source: Siskind & Pearlmutter 2005."""
    close(grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0), 1)
    close(grad(lambda x: x * grad(lambda y: x * y)(2.0))(3.0), 6)


def test_nested_gradients_see_closures():
    """d/dx (d/dy x² y³ at y=2) = 2 x · 12, whether the inner gradient was told or not."""
    for told in (False, True):
        close(grad(lambda x: grad(lambda y: x * x * y**3, create_graph=told)(2.0))(5.0), 120)
    close(grad(lambda x: hvp(lambda y: x * y**3, 2.0, 1.0))(5.0), 12)
    close(
        grad(lambda x: jvp(lambda y: np.sin(x * y), 2.0, 1.0)[1])(0.4),
        np.cos(0.8) - 0.8 * np.sin(0.8),
    )
    close(grad(lambda x: np.sum(jacobian(lambda y: x * y * y)(X)))(5.0), 2 * X.sum())


def test_inner_argument_may_be_traced():
    close(grad(lambda x: grad(np.sin)(x) * x)(0.3), np.cos(0.3) - 0.3 * np.sin(0.3))
    close(grad(lambda x: value_and_grad(np.exp)(x)[0])(0.3), np.exp(0.3))
    close(grad(lambda x: vjp(np.sin, x)[1](x))(0.3), np.cos(0.3) - 0.3 * np.sin(0.3))


def test_closures_of_the_outside_world_need_create_graph():
    w = Tensor(3.0, requires_grad=True)
    f = lambda x: w * x * x  # noqa: E731
    assert not grad(f)(2.0).requires_grad
    slope = grad(f, create_graph=True)(2.0)
    ((slope - 1) ** 2).backward()  # a gradient penalty: 2 (2 w x - 1) 2 x
    close(w.grad, 2 * 11 * 4)


def test_hypergradient():
    """Three steps of descent on (θ - a)², then its loss, whose slope in lr has a closed form."""
    lr, theta, a = Tensor(0.1, requires_grad=True), 3.0, 1.0
    loss = lambda t: (t - a) ** 2  # noqa: E731
    t = Tensor(theta)
    for _ in range(3):
        t = t - lr * grad(loss, create_graph=True)(t)
    loss(t).backward()
    close(lr.grad, (theta - a) ** 2 * 6 * (1 - 0.2) ** 5 * -2)


def test_transforms_work_under_no_grad():
    with no_grad():
        close(grad(mixed)(X), grad(mixed)(X))
        assert not (Tensor(1.0, requires_grad=True) * 2).requires_grad
        close(grad(grad(np.sin))(0.3), -np.sin(0.3))


def test_backward_in_threads():
    """Graphs are built and differentiated in four threads at once; each gets its own gradients."""
    results = {}

    def work(k):
        x = Tensor(np.full(3, k + 1.0), requires_grad=True)
        y = x
        for _ in range(200):
            y = y * 1.0 + x * 0.01
        np.sum(y * x).backward()
        results[k] = x.grad

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    for k in range(4):
        close(results[k], results[0] * (k + 1), rtol=1e-9)


# torch.func ---------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")  # torch.func's own
def test_against_torch_func():
    torch = pytest.importorskip("torch")

    def theirs(x):
        return torch.sum(torch.sin(x) * torch.exp(0.3 * torch.roll(x, 1))) + torch.prod(x)

    x, v = torch.tensor(X), torch.tensor(V)
    close(grad(mixed)(X), torch.func.grad(theirs)(x).numpy())
    close(hessian(mixed)(X), torch.func.hessian(theirs)(x).numpy(), rtol=1e-10)
    close(
        hvp(mixed, X, V), torch.func.jvp(torch.func.grad(theirs), (x,), (v,))[1].numpy(), rtol=1e-10
    )
    ours, his = (
        (lambda m: lambda x: m.tanh(m.outer(x, x) @ x))(np),
        (lambda m: lambda x: m.tanh(m.outer(x, x) @ x))(torch),
    )
    close(jacobian(ours)(X), torch.func.jacrev(his)(x).numpy(), rtol=1e-9)
    close(jvp(ours, X, V)[1], torch.func.jvp(his, (x,), (v,))[1].numpy(), rtol=1e-9)
    close(vjp(ours, X)[1](V), torch.func.vjp(his, x)[1](v)[0].numpy(), rtol=1e-9)
    third = torch.func.jacfwd(torch.func.hessian(theirs))(x).numpy()
    close(jacobian(hessian(mixed))(X), third, rtol=1e-9)


def test_a_norm_that_was_squared_has_its_own_gradient():
    x = Tensor(np.array([3.0, 4.0]), requires_grad=True)
    n = np.linalg.norm(x)
    (slope,) = gradients(n**2, [n])
    assert slope.item() == pytest.approx(10)


@pytest.mark.parametrize("f", [np.log, np.sqrt])
def test_jvp_where_the_slope_is_infinite(f):
    with np.errstate(divide="ignore", invalid="ignore"):
        assert np.isinf(jvp(f, np.array(0.0), np.array(1.0))[1].data)


def test_rows_picked_by_bytes_of_a_long_table():
    table = Tensor(np.zeros((300, 2)), requires_grad=True)
    np.sum(table[np.array([0, 255, 255], np.uint8)]).backward()
    assert table.grad[:, 0].nonzero()[0].tolist() == [0, 255] and table.grad[255, 0] == 2


def test_a_checkpoint_of_the_identity_leaves_its_argument_writable():
    w = Tensor(np.ones(2), requires_grad=True)
    np.sum(checkpoint(lambda x: x, w)).backward()
    with no_grad():
        w -= w.grad
    assert np.array_equal(w.data, [0, 0])
