"""Functions of functions: from f to its gradient, its products with vectors, its Jacobian, its Hessian.

Each takes arrays or Tensors and gives Tensors. They compose: inside a function that is being differentiated, or where an
argument is, the result stays differentiable; `create_graph=True` makes it so elsewhere, also for what f closes over.
"""

import numpy as np

from .graph import backward_pass
from .modes import mode, nesting, recording
from .rules.copies import alias
from .tensor import Tensor

__all__ = ["gradients", "grad", "value_and_grad", "vjp", "jvp", "hvp", "jacobian", "hessian"]


def gradients(y, xs, seed=None, *, create_graph=False, retain_graph=False):
    """[dL/dx for x in xs] for L = y (a scalar) or sum(seed * y); leaves every `.grad` alone. Zeros where y ignores x."""
    for i, x in enumerate(xs):
        if not _is_traced(x):
            raise ValueError(
                f"gradients: xs[{i}] is no Tensor with requires_grad=True; make it one: Tensor(x, requires_grad=True)"
            )
    found = {}
    if y.requires_grad:
        found = backward_pass(y, y.seed(seed), xs, create_graph=create_graph, retain=retain_graph)
    return [_as_tensor(found.get(x), x) for x in xs]


def _as_tensor(g, x):
    if g is None:
        return Tensor(np.zeros(x.shape, x.dtype))
    return g if isinstance(g, Tensor) else Tensor(g)


def _traced(x):
    """A stand-in for x whose gradient can be asked for, joined to x's own graph if it has one."""
    return alias(x) if _is_traced(x) else Tensor(x, requires_grad=True)


def _is_traced(x):
    return isinstance(x, Tensor) and x.requires_grad


def _evaluate(f, args, kwargs, positions):
    """f with the arguments at `positions` traced: (f's output, the traced arguments, whether they were so already)."""
    args = list(args)
    nested = mode.nested or any(_is_traced(args[i]) for i in positions)
    with recording(), nesting():
        for i in positions:
            args[i] = _traced(args[i])
        y = f(*args, **kwargs)
    if not isinstance(y, Tensor):
        raise TypeError(
            f"{getattr(f, '__name__', 'f')} returned {type(y).__name__}, not a Tensor: it left NumPy on the way "
            "(math.sin, float(), .data, a comparison), so there is nothing to differentiate"
        )
    return y, [args[i] for i in positions], nested


def _positions(argnums):
    return (argnums,) if isinstance(argnums, int) else tuple(argnums)


def _one_or_all(results, argnums):
    return results[0] if isinstance(argnums, int) else tuple(results)


def value_and_grad(f, argnums=0, create_graph=False):
    """x -> (f(x), df/dx) for scalar f; `argnums` (an int or a tuple) says with respect to which arguments."""

    def both(*args, **kwargs):
        y, xs, nested = _evaluate(f, args, kwargs, _positions(argnums))
        if y.size != 1:
            raise ValueError(
                f"grad needs a scalar function; came shape {y.shape}. Reduce it (.sum()), or use vjp or jacobian"
            )
        keep = create_graph or nested
        return (y if keep else y.detach()), _one_or_all(
            gradients(y, xs, create_graph=keep), argnums
        )

    return both


def grad(f, argnums=0, create_graph=False):
    """x -> df/dx for scalar f. `grad(grad(f))` is the second derivative."""
    both = value_and_grad(f, argnums, create_graph)
    return lambda *args, **kwargs: both(*args, **kwargs)[1]


def vjp(f, *xs):
    """(f(*xs), v -> vᵀJ): the product of a row vector with the Jacobian, one for each x (bare for a single x)."""
    y, traced, nested = _evaluate(f, xs, {}, range(len(xs)))

    def pullback(v):
        found = gradients(y, traced, v, create_graph=nested or _is_traced(v), retain_graph=True)
        return found[0] if len(xs) == 1 else tuple(found)

    return (y if nested else y.detach()), pullback


def jvp(f, x, v):
    """(f(x), J v): the derivative of f at x along v; tuples for several arguments.

    Forward mode out of two reverse passes: u -> uᵀJ is linear in u, and its own derivative along v is J v.
    """
    xs, vs = (x, v) if isinstance(x, tuple) else ((x,), (v,))
    y, traced, nested = _evaluate(f, xs, {}, range(len(xs)))
    u = Tensor(np.zeros(y.shape, y.dtype), requires_grad=True)
    product = _dot(gradients(y, traced, u, create_graph=True), vs)
    (along,) = gradients(product, [u], create_graph=nested or any(map(_is_traced, vs)))
    return (y if nested else y.detach()), along


def hvp(f, x, v):
    """H v, the Hessian of scalar f at x times v, at the cost of a few gradients: the gradient of <grad f, v>."""
    xs, vs = (x, v) if isinstance(x, tuple) else ((x,), (v,))
    y, traced, nested = _evaluate(f, xs, {}, range(len(xs)))
    product = _dot(gradients(y, traced, create_graph=True), vs)
    found = gradients(product, traced, create_graph=nested or any(map(_is_traced, vs)))
    return tuple(found) if isinstance(x, tuple) else found[0]


def _dot(gs, vs):
    with recording():
        for g, v in zip(gs, vs, strict=True):
            if np.shape(v) != g.shape:
                raise ValueError(
                    f"the vector has shape {np.shape(v)}, the argument {g.shape}; they must be equal"
                )
        return sum(np.sum(g * v) for g, v in zip(gs, vs, strict=True))


def jacobian(f, argnums=0, create_graph=False):
    """x -> J with J[i, j] = dy_i/dx_j, of shape y.shape + x.shape: one walk for each entry of y."""

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


def hessian(f, argnums=0, create_graph=False):
    """x -> H with H[i, j] = d²f/dx_i dx_j for scalar f, of shape x.shape + x.shape; for a tuple, a tuple of tuples."""
    if not isinstance(argnums, int):
        rows = [jacobian(grad(f, i, create_graph=True), argnums, create_graph) for i in argnums]
        return lambda *args, **kwargs: tuple(row(*args, **kwargs) for row in rows)
    return jacobian(grad(f, argnums, create_graph=True), argnums, create_graph)
