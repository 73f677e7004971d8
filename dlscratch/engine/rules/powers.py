"""Powers and roots. A slope that is infinite stays so; 0 times infinity gives its limit."""

import numpy as np

from ..custom import primitive
from ..modes import mode
from ..operation import composed, rule
from ..tensor import Array, Tensor, apply
from .guarded import settled

__all__ = ["root"]

rule(np.square, lambda g, y, x: g * (2 * x))
rule(np.sqrt, lambda g, y, x: g / (2 * y))  # infinite at 0
rule(np.cbrt, lambda g, y, x: g / (3 * y * y))  # infinite at 0
rule(np.reciprocal, lambda g, y, x: -(g / x) / x)  # minus infinity at 0


def _exponent(p, y):
    """p in the dtype of the result: p - 1 wraps for unsigned integers."""
    p = p if isinstance(p, Tensor) else np.asarray(p)
    return p.astype(y.dtype) if p.dtype.kind in "iub" else p


def _of_base(g, y, x, p):
    """p x^(p-1); for p = 0 it is 0, even where x is 0 or NaN."""
    if isinstance(p, (int, float)) and p != 0:
        return g * (p * np.power(x, p - 1))
    p = _exponent(p, y)
    flat = np.equal(p, 0) & ~np.greater(np.abs(x), 0)
    if flat.any():
        x = np.where(flat, 1, x)
    return g * (p * np.power(x, p - 1))


def _of_exponent(g, y, x, p):
    """y log x; 0 where y = x^p is 0, and for 0^0, as in PyTorch; NaN for x < 0."""
    quiet = np.equal(y, 0) | (np.equal(x, 0) & np.equal(p, 0))
    return g * y * np.log(np.where(quiet, 1, x)).astype(g.dtype)


rule(np.power, _of_base, _of_exponent)


def root(x: Array, p: float) -> Array:
    """x ** (1 / p) for x >= 0."""
    return np.sqrt(x) if p == 2 else x ** (1 / p)


def _of_root(g, y, x, p):
    """y^(1-p) / p, but 0 at 0, where it is infinite: what norms and deviations want there."""
    zero = np.equal(y, 0)
    return settled(np.where(zero, 0, g / (p * np.where(zero, 1, y) ** (p - 1))), g)


root = primitive(root, _of_root)


@composed(np.square)
def square(x):
    """x². Inside of a transform the square of a norm is what stood under its root: smooth at 0 too.

    Elsewhere somebody may ask for the gradient by the norm itself, which that would pass by.
    """
    of_a_root = isinstance(x, Tensor) and x.op is root.__wrapped__ and x.inputs is not None
    if of_a_root and x.kwargs["p"] == 2 and mode.nested:
        return x.inputs[0]
    return apply(np.square, x)
