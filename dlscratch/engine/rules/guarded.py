"""What np.where left out has no say: 0 times infinity, or times NaN, is 0 where g is 0.

So `np.where(x > 0, x * np.log(x), 0)` has the slope 0 at x = 0. The logarithm was not chosen there,
hence g is 0, while its slope is infinite. PyTorch and the bare chain rule give NaN.
"""

import functools
from collections.abc import Callable

import numpy as np

from ..operation import RULES, rule
from ..tensor import Array, unwrap

__all__ = ["guard_elementwise", "guarded", "settled"]

SAFE = {np.add, np.subtract, np.negative, np.positive}  # no slope to multiply with
SILENT = {  # finite, and so without a warning, where their slopes are 0 / 0 if g is 0
    *(np.sqrt, np.cbrt, np.power, np.arcsin, np.arccos, np.arccosh),
}


def settled(gx: Array | None, g: Array) -> Array | None:
    """gx, but 0 where it is NaN and g is 0."""
    array = gx if type(gx) is np.ndarray else unwrap(gx)
    if array is None:
        return gx
    if type(array) is np.ndarray and array.size:
        # argmax points to a NaN, if there is one: a quarter to a half of the time of max.
        suspect = array.item(array.argmax())
    else:  # a number, or an array of another library: a GPU's
        suspect = array.max(initial=0) if array.ndim else array
    if suspect == suspect:
        return gx
    return np.where(np.isnan(array) & np.equal(g, 0), 0, gx)


def guarded(vjp: Callable) -> Callable:
    """The rule `vjp`, but 0 where it gives NaN and g is 0.

    To look for NaN costs half a microsecond.
    """

    @functools.wraps(vjp)
    def safe(g, y, *inputs):
        gx = vjp(g, y, *inputs)
        if isinstance(gx, np.generic) and gx == gx:  # a number: a tenth less time
            return gx
        return settled(gx, g)

    return safe


def _silently(vjp):
    """The rule without NumPy's warning of 0 / 0, which costs 1.4 µs."""

    @functools.wraps(vjp)
    def silent(*args):
        with np.errstate(invalid="ignore"):
            return vjp(*args)

    return silent


def guard_elementwise() -> None:
    """Guard the rules of all ufuncs, so that the pages of the table need not say it."""
    for function in [f for f in RULES if isinstance(f, np.ufunc) and f.signature is None]:
        if function not in SAFE:
            vjps = RULES[function].vjps
            if function in SILENT:
                vjps = map(_silently, vjps)
            rule(function, *map(guarded, vjps))
