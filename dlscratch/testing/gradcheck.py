"""Gradients against finite differences, at first and second order."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine import Tensor, gradients

__all__ = ["finite_difference", "gradcheck", "relative_error"]


def finite_difference(
    f: Callable[[np.ndarray], Any], x: Any, eps: float | None = None
) -> np.ndarray:
    """The gradient of a scalar function by central differences, in float64.

    (f(x + h e_i) - f(x - h e_i)) / 2h in each place i.  x: any shape → the same shape. h is `eps`,
    or 6e-6 max(1, |x_i|), where the error of the formula, h², and that of rounding, 1e-16 / h,
    balance. Raises ValueError when f is not scalar. Source: Nocedal & Wright 2006, section 8.1.

    Examples
    --------
    >>> finite_difference(lambda x: np.sum(x**3), [1.0, 2.0]).round(6)
    array([ 3., 12.])
    """
    x = np.array(x, np.float64)
    slope = np.empty_like(x)
    for i in np.ndindex(x.shape):
        h = eps or np.cbrt(np.finfo(float).eps) * max(1.0, abs(x[i]))
        ahead = x.copy()
        behind = x.copy()
        ahead[i] += h
        behind[i] -= h
        width = ahead[i] - behind[i]  # 2h as rounding made it
        slope[i] = (_scalar(f(ahead)) - _scalar(f(behind))) / width
    return slope


def _scalar(y):
    y = y.data if isinstance(y, Tensor) else np.asarray(y)
    if y.size != 1:
        raise ValueError(
            f"finite_difference: f gave shape {y.shape}; want one number, so reduce it (.sum())"
        )
    return y.item()


def gradcheck(f: Callable, *xs: Any, order: int = 1, eps: float | None = None) -> float:
    """The worst relative error of the engine's gradients of f, against central differences.

    Order 1 differentiates s(x) = <f(x), v> for a fixed random v. Order 2 differentiates
    <grad s(x), u> and compares with differences of the first-order gradient, which is the one
    that training uses.

    Parameters
    ----------
    f : callable
        Of Tensors; returns a Tensor, or a tuple of them.
    *xs : array
        Its arguments. Floats are made float64; integers are passed on as they are.
    order : {1, 2}
        Of the derivative that is checked.
    eps : float, optional
        The step of the differences, see `finite_difference`.

    Returns
    -------
    float
        max |analytic - numeric| / max |numeric|, the largest over the arguments; a slope below
        1e-3 |s| counts as that.

    Raises
    ------
    TypeError
        When f gives no Tensor, or no argument holds floats.
    ValueError
        When f is random, or for another order.

    Examples
    --------
    >>> gradcheck(np.tanh, [0.5, -1.0]) < 1e-8
    True
    >>> gradcheck(lambda x: np.exp(x.data) * x, [0.5, -1.0]) > 0.1  # a part has left the graph
    True
    """
    if order not in (1, 2):
        raise ValueError(f"gradcheck: order={order}; want 1 or 2")
    leaves = as_leaves(xs)
    if not any(isinstance(x, Tensor) for x in leaves):
        raise TypeError("gradcheck: no argument holds floats, so there is nothing to differentiate")
    s = _paired_with_random(f)
    if order == 2:
        s = _slope_along_random(s)
    y = s(leaves)
    if not np.array_equal(y.data, s(leaves).data, equal_nan=True):
        raise ValueError(
            "gradcheck: f gave two values for one input; let it make its generator anew in "
            "each call"
        )
    floats = _floats(leaves)
    errors = []
    for x, analytic in zip(floats, gradients(y, floats), strict=True):
        numeric = finite_difference(_in_one_leaf(s, leaves, x), x.data, eps)
        errors.append(relative_error(analytic.data, numeric, floor=1e-3 * abs(y.item())))
    return float(np.max(errors))


def relative_error(a: Any, b: Any, floor: float = 0.0) -> float:
    """max |a - b| / max |b|, or 0 where a = b; NaN if either holds NaN.

    floor: a smaller max |b| counts as this. Raises ValueError for different shapes.

    Examples
    --------
    >>> relative_error([1.0, 2.5], [1.0, 2.0])
    0.25
    """
    a = np.asarray(a, np.float64)
    b = np.asarray(b, np.float64)
    if a.shape != b.shape:
        raise ValueError(
            f"shapes {a.shape} and {b.shape} differ, so there is nothing to compare; want one shape"
        )
    off = np.max(np.abs(a - b), initial=0.0)
    scale = max(np.max(np.abs(b), initial=0.0), floor)
    if off == 0:
        return 0.0
    return float(off / scale) if scale != 0 else float("inf")


def as_leaves(xs):
    """Float arrays as float64 Tensors to differentiate; anything else as an array."""
    arrays = [np.asarray(x.data if isinstance(x, Tensor) else x) for x in xs]
    return [
        Tensor(x.astype(np.float64), requires_grad=True) if x.dtype.kind == "f" else x
        for x in arrays
    ]


def _floats(leaves):
    return [x for x in leaves if isinstance(x, Tensor)]


def _paired_with_random(f):
    """leaves → <f(*leaves), v>, with a v that depends on nothing but the shape of f."""

    def s(leaves, create_graph=True):
        y = f(*leaves)
        if isinstance(y, tuple | list):  # as of np.split, or np.linalg.eigh
            y = np.concatenate([np.ravel(part) for part in y])
        if not isinstance(y, Tensor):
            raise TypeError(
                f"gradcheck: f gave {type(y).__name__}, not a Tensor: it left NumPy on the way "
                "(.data, float(), math)"
            )
        return np.sum(y * np.random.default_rng(0).normal(size=y.shape))

    return s


def _slope_along_random(s):
    """leaves → <grad s, u>: the derivative of s along a fixed random direction."""

    def along(leaves, create_graph=True):
        rng = np.random.default_rng(1)
        found = gradients(s(leaves), _floats(leaves), create_graph=create_graph)
        return sum(np.sum(g * rng.normal(size=g.shape)) for g in found)

    return along


def _in_one_leaf(s, leaves, x):
    """s as a function of the array in one leaf alone."""

    def function(value):
        moved = [value if leaf is x else leaf for leaf in leaves]
        return s(as_leaves(moved), create_graph=False)

    return function
