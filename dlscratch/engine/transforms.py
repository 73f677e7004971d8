"""Functions of functions: from f to its gradient, products with vectors, Jacobian, Hessian.

All of them call f on Tensors that require a gradient and start a `backward_pass` (graph.py) from
what it returns.

Each takes arrays or Tensors and gives Tensors. They compose: inside a function that is being
differentiated, or where an argument is, the result stays differentiable; `create_graph=True` makes
it so elsewhere, also for what f closes over.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .graph import backward_pass
from .modes import mode, nesting, recording
from .rules.copies import alias
from .tensor import Array, Tensor

__all__ = ["gradients", "grad", "value_and_grad", "vjp", "jvp", "hvp", "jacobian", "hessian"]


def gradients(
    y: Tensor,
    xs: Sequence[Tensor],
    gradient: Any = None,
    *,
    create_graph: bool = False,
    retain_graph: bool = False,
) -> list[Tensor]:
    """[dL/dx for x in xs], for a y that is already computed; leaves every `.grad` alone.

    Parameters
    ----------
    y : L itself, a scalar; or, with `gradient`, any Tensor.
    xs : Tensors with requires_grad=True. Where y does not depend on one, zeros.
    gradient : dL/dy, of y's shape, so that L = sum(gradient * y).
    create_graph : make the results differentiable.
    retain_graph : keep y's graph for another backward pass.

    Examples
    --------
    >>> from dlscratch import Tensor, gradients
    >>> x = Tensor(3.0, requires_grad=True)
    >>> (slope,) = gradients(x**3, [x], create_graph=True)
    >>> slope
    Tensor(27., requires_grad=True)
    >>> gradients(slope, [x])
    [Tensor(18.)]
    """
    for i, x in enumerate(xs):
        if not _requires_grad(x):
            raise ValueError(
                f"gradients: xs[{i}] is no Tensor with requires_grad=True; "
                "make it one: Tensor(x, requires_grad=True)"
            )
    found = {}
    if y.requires_grad:
        gradient = y._first_gradient(gradient)
        found = backward_pass(y, gradient, xs, create_graph=create_graph, retain_graph=retain_graph)
    return [_as_tensor(found.get(x), x) for x in xs]


def _as_tensor(g, x):
    if g is None:
        return Tensor(np.zeros(x.shape, x.dtype))
    return g if isinstance(g, Tensor) else Tensor(g)


def _variable(x):
    """A stand-in for x whose gradient can be asked for, joined to x's own graph if it has one."""
    return alias(x) if _requires_grad(x) else Tensor(x, requires_grad=True)


def _requires_grad(x):
    return isinstance(x, Tensor) and x.requires_grad


def _evaluate(f, args, kwargs, positions):
    """f with variables at `positions`.

    Returns f's output; the variables; and whether what is computed from them must be differentiable
    in turn, since an argument is, or since we are inside a function that is being differentiated.
    """
    args = list(args)
    nested = mode.nested or any(_requires_grad(args[i]) for i in positions)
    with recording(), nesting():
        for i in positions:
            args[i] = _variable(args[i])
        y = f(*args, **kwargs)
    if not isinstance(y, Tensor):
        raise TypeError(
            f"{getattr(f, '__name__', 'f')} returned {type(y).__name__}, not a Tensor: "
            "it left NumPy on the way (math.sin, float(), .data, a comparison) or does not use the "
            "argument, so there is nothing to differentiate; want a Tensor that is computed from it"
        )
    return y, [args[i] for i in positions], nested


def _positions(argnums):
    return (argnums,) if isinstance(argnums, int) else tuple(argnums)


def _one_or_all(results, argnums):
    return results[0] if isinstance(argnums, int) else tuple(results)


def value_and_grad(
    f: Callable, argnums: int | tuple[int, ...] = 0, create_graph: bool = False
) -> Callable:
    """x -> (f(x), df/dx) for scalar f; `argnums` says with respect to which arguments.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import value_and_grad
    >>> value_and_grad(lambda x: np.sum(np.square(x)))(np.array([1.0, 2.0]))
    (Tensor(5.), Tensor([2., 4.]))
    """

    def both(*args, **kwargs):
        y, xs, nested = _evaluate(f, args, kwargs, _positions(argnums))
        if y.size != 1:
            raise ValueError(
                f"grad needs a scalar function; came shape {y.shape}. Reduce it (.sum()), "
                "or use vjp or jacobian"
            )
        keep_graph = create_graph or nested
        slopes = gradients(y, xs, create_graph=keep_graph)
        return (y if keep_graph else y.detach()), _one_or_all(slopes, argnums)

    return both


def grad(f: Callable, argnums: int | tuple[int, ...] = 0, create_graph: bool = False) -> Callable:
    """The function x -> df/dx of a scalar f; `grad(grad(f))` is the second derivative.

    Parameters
    ----------
    f : a function of arrays and Tensors that returns a Tensor of one entry.
    argnums : the argument that is differentiated; for a tuple of several, a tuple of gradients.
    create_graph : make the result differentiable also with respect to what f closes over.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import grad
    >>> grad(np.sin)(0.0)
    Tensor(1.)
    >>> grad(grad(grad(np.sin)))(0.0)
    Tensor(-1.)
    """
    both = value_and_grad(f, argnums, create_graph)
    return lambda *args, **kwargs: both(*args, **kwargs)[1]


def vjp(f: Callable, *xs: Array) -> tuple[Tensor, Callable]:
    """(f(*xs), v -> vᵀJ): the product of a row vector with the Jacobian, for each x.

    For a single x bare, for several a tuple.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import vjp
    >>> y, pullback = vjp(np.square, np.array([1.0, 2.0]))
    >>> pullback(np.array([1.0, 10.0]))
    Tensor([ 2., 40.])
    """
    y, variables, nested = _evaluate(f, xs, {}, range(len(xs)))

    def pullback(v):
        found = gradients(
            y, variables, v, create_graph=nested or _requires_grad(v), retain_graph=True
        )
        return found[0] if len(xs) == 1 else tuple(found)

    return (y if nested else y.detach()), pullback


def jvp(f: Callable, x: Array | tuple, v: Array | tuple) -> tuple[Tensor, Tensor]:
    """(f(x), J v): the derivative of f at x along v; tuples for several arguments.

    Forward mode out of two reverse passes: u -> uᵀJ is linear in u, its derivative along v is J v.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import jvp
    >>> y, along = jvp(np.square, np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    >>> along
    Tensor([ 2., 40.])
    """
    xs, vs = (x, v) if isinstance(x, tuple) else ((x,), (v,))
    y, variables, nested = _evaluate(f, xs, {}, range(len(xs)))
    u = Tensor(np.ones(y.shape, y.dtype), requires_grad=True)  # any would do, but 0 · inf
    product = _dot(gradients(y, variables, u, create_graph=True), vs)
    (along,) = gradients(product, [u], create_graph=nested or any(map(_requires_grad, vs)))
    return (y if nested else y.detach()), along


def hvp(f: Callable, x: Array | tuple, v: Array | tuple) -> Tensor | tuple[Tensor, ...]:
    """H v, the Hessian of scalar f at x times v: the gradient of <grad f, v>.

    It costs a few gradients, whatever the size of H. Tuples for several arguments.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import hvp
    >>> hvp(lambda x: np.sum(x**3), np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    Tensor([ 6., 12.])
    """
    xs, vs = (x, v) if isinstance(x, tuple) else ((x,), (v,))
    y, variables, nested = _evaluate(f, xs, {}, range(len(xs)))
    product = _dot(gradients(y, variables, create_graph=True), vs)
    found = gradients(product, variables, create_graph=nested or any(map(_requires_grad, vs)))
    return tuple(found) if isinstance(x, tuple) else found[0]


def _dot(gs, vs):
    with recording():
        for g, v in zip(gs, vs, strict=True):
            if np.shape(v) != g.shape:
                raise ValueError(
                    f"the vector has shape {np.shape(v)}, the argument {g.shape}; "
                    "they must be equal"
                )
        return sum(np.sum(g * v) for g, v in zip(gs, vs, strict=True))


def jacobian(
    f: Callable, argnums: int | tuple[int, ...] = 0, create_graph: bool = False
) -> Callable:
    """x -> J with J[i, j] = dy_i/dx_j, of shape y.shape + x.shape.

    One backward pass for each entry of y.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import jacobian
    >>> jacobian(np.square)(np.array([1.0, 2.0]))
    Tensor([[2., 0.],
            [0., 4.]])
    """

    def rows(*args, **kwargs):
        y, xs, nested = _evaluate(f, args, kwargs, _positions(argnums))
        basis = np.eye(y.size, dtype=y.dtype).reshape((y.size, *y.shape))
        found = [
            gradients(y, xs, e, create_graph=create_graph or nested, retain_graph=True)
            for e in basis
        ]
        with recording():
            stacked = [
                np.reshape(np.stack(column), y.shape + x.shape)
                for x, column in zip(xs, zip(*found, strict=True), strict=True)
            ]
        return _one_or_all(stacked, argnums)

    return rows


def hessian(
    f: Callable, argnums: int | tuple[int, ...] = 0, create_graph: bool = False
) -> Callable:
    """x -> H with H[i, j] = d²f/dx_i dx_j for scalar f, of shape x.shape + x.shape.

    For a tuple of argnums, a tuple of tuples: H[k][l] = d²f/dx_k dx_l.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import hessian
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 3.0]))
    Tensor([[6., 2.],
            [2., 0.]])
    """
    if not isinstance(argnums, int):
        rows = [jacobian(grad(f, i, create_graph=True), argnums, create_graph) for i in argnums]
        return lambda *args, **kwargs: tuple(row(*args, **kwargs) for row in rows)
    return jacobian(grad(f, argnums, create_graph=True), argnums, create_graph)
