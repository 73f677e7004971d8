"""Running sums and products, the product of all entries, and differences, which undo a sum."""

import numpy as np

from ..custom import primitive
from ..operation import composed, rule
from ..tensor import apply, unwrap
from .guarded import guarded, settled
from .precision import by_numpy, whole
from .reductions import axes_of, in_rows

__all__ = []


def _of_cumsum(g, y, x, axis=None):
    """Each entry is in all later sums: a running sum from the end."""
    if axis is None:
        return np.reshape(np.flip(np.cumsum(np.flip(g))), x.shape)
    return np.flip(np.cumsum(np.flip(g, axis), axis=axis), axis)


rule(np.cumsum, _of_cumsum)


@composed(np.add.accumulate)
def add_accumulate(x, axis=0):
    return np.cumsum(x, axis=axis)


@composed(np.diff)
def diff(x, n=1, axis=-1):
    """x[1:] - x[:-1], n times."""
    for _ in range(n):
        ahead = [slice(None)] * x.ndim
        behind = [slice(None)] * x.ndim
        ahead[axis] = slice(1, None)
        behind[axis] = slice(None, -1)
        differ = np.not_equal if x.dtype == bool else np.subtract
        x = differ(x[tuple(ahead)], x[tuple(behind)])
    return x


@composed(np.trapezoid)
def trapezoid(y, x=None, dx=1.0, axis=-1):
    """The integral by trapezoids: sum of (y[i] + y[i+1]) / 2 times the step from x[i] to x[i+1]."""
    if whole(y) and (x is None or whole(x)):
        return by_numpy(np.trapezoid, y, x, dx=dx, axis=axis)
    y = y if hasattr(y, "ndim") else np.asarray(y)
    y = np.moveaxis(y, axis, -1)
    if x is None:
        step = float(dx)
    else:
        x = x if hasattr(x, "ndim") else np.asarray(x)
        step = np.diff(x if x.ndim == 1 else np.moveaxis(x, axis, -1))
    return np.sum((y[..., 1:] + y[..., :-1]) / 2 * step, axis=-1)


# Products. d(product) / dx_i is the product of the others. Where no product is 0 (or has left the
# range of the dtype) it is y / x_i, which cannot overflow; otherwise it is the product of what
# stands before i and what stands after it, which is right with zeros too, to any order.


def _whole(y):
    """Where nothing was lost in y: finite and not too small."""
    size = np.abs(unwrap(y))
    return np.isfinite(size) & (size >= np.finfo(y.dtype).tiny)


def _of_cumprod(g, y, x, axis):
    if _whole(y).all():
        return _of_cumsum(g * y, None, x, axis) / x
    g, y, x = (np.moveaxis(t, axis, 0) for t in (g, y, x))
    before = np.concatenate([np.ones_like(y[:1]), y[:-1]])
    return np.moveaxis(before * _weighted(g, x), 0, axis)


def _weighted(g, x):
    """r_i = sum_{k >= i} g_k x_{i+1} ... x_k = g_i + x_{i+1} r_{i+1}, by doubling its reach."""
    r = g
    across = np.concatenate([x[1:], np.zeros_like(x[:1])])  # from r_i to the r that it reaches
    step = 1
    while step < len(x):
        r = np.concatenate([r[:-step] + across[:-step] * r[step:], r[-step:]])
        across = np.concatenate([across[:-step] * across[step:], np.zeros_like(across[-step:])])
        step *= 2
    return r


rule(np.cumprod, guarded(_of_cumprod))


@composed(np.cumprod)
def cumprod(x, axis=None):
    """x_0, x_0 x_1, x_0 x_1 x_2, ..."""
    if axis is None:
        x = np.ravel(x)
        axis = 0
    return apply(np.cumprod, x, axis=axis)


@composed(np.multiply.accumulate)
def multiply_accumulate(x, axis=0):
    return np.cumprod(x, axis=axis)


def product(x):
    """The product of each row, right even where a partial product leaves the range of the dtype."""
    with np.errstate(over="ignore", under="ignore"):
        y = np.prod(x, axis=-1)
    return y if _whole(y).all() else _scaled_product(x)


def _scaled_product(x):
    """The same from mantissas and exponents, pair by pair."""
    mantissa, exponent = np.frexp(x)
    exponent = exponent.sum(axis=-1)
    while mantissa.shape[-1] > 1:
        if mantissa.shape[-1] % 2:
            mantissa = np.concatenate([mantissa, np.ones_like(mantissa[..., :1])], axis=-1)
        mantissa, more = np.frexp(mantissa[..., ::2] * mantissa[..., 1::2])
        exponent = exponent + more.sum(axis=-1)
    return np.ldexp(mantissa.prod(axis=-1), exponent)


def _of_product(g, y, x):
    g = np.expand_dims(g, -1)
    y = np.expand_dims(y, -1)
    whole = _whole(y)
    if whole.all():
        return g * y / x
    others = _before(x) * np.flip(_before(np.flip(x, -1)), -1)
    if not whole.any():
        return settled(g * others, g)
    safe = np.where(whole, 1, x)  # the other rows' own partial products may overflow
    others = _before(safe) * np.flip(_before(np.flip(safe, -1)), -1)
    divided = np.where(whole, y, 0) / np.where(whole, x, 1)
    return settled(g * np.where(whole, divided, others), g)


def _before(x):
    """The product of the entries before each one."""
    return np.concatenate([np.ones_like(x[..., :1]), np.cumprod(x[..., :-1], axis=-1)], axis=-1)


product = primitive(product, _of_product)


@composed(np.prod)
def prod(x, axis=None, *, keepdims=False):
    """The product of each row, in the dtype that NumPy takes: small integers do not wrap."""
    if whole(x):
        return by_numpy(np.prod, x, axis=axis, keepdims=keepdims)
    y = product(in_rows(x, axis))
    return np.expand_dims(y, axes_of(x, axis)) if keepdims else y
