"""The largest entry of each window, window by window at once: the fast twin of `max_pool2d`."""

import functools
import operator

import numpy as np

from ..folding import count, pair, places, windows
from .finite import all_finite

__all__ = ["max_pool", "max_pool_gradient", "entries", "places_of_maxima", "overhang", "lowest"]


def max_pool(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    """The values of max_pool2d: the maximum of as many strided views as windows have entries."""
    window = _Window(x, kernel_size, stride, padding, dilation, ceil_mode)
    x, _ = window.padded(x)
    views = [x[(..., *place)] for place in window.places]
    if len(views) == 1:
        return views[0].copy(order="K"), None
    return functools.reduce(np.maximum, views), None


def max_pool_gradient(
    g, y, saved, needs, x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False
):
    """A gradient goes to its window's first maximum, or its last NaN, as in PyTorch."""
    options = kernel_size, stride, padding, dilation, ceil_mode
    to_pixels = _to_the_first if all_finite(y, g) else _to_places
    dx = to_pixels(g, y, x, *options)
    return dx, *[None] * (len(needs) - 1)


def _to_the_first(g, y, x, *options):
    """The gradient by comparisons.

    The last entry wins where no other did: a comparison less.
    """
    window = _Window(x, *options)
    x, inside = window.padded(x)
    free = np.ones_like(y, bool)
    dx = np.empty_like(x) if window.tiles(x, y) else np.zeros_like(x)
    for place in window.places:
        won = free
        if place is not window.places[-1]:
            won = x[(..., *place)] == y
            won &= free
            free = free ^ won
        if window.apart:  # windows that do not overlap: written without being read
            np.multiply(g, won, out=dx[(..., *place)])
        else:
            dx[(..., *place)] += g * won
    return dx[inside]


def _to_places(g, y, x, *options):
    """The gradient by indices: where NaN equals nothing, and 0 · ∞ is NaN."""
    at = places_of_maxima(x, *options)
    images = int(np.prod(x.shape[:-2]))
    dx = np.zeros((images, x.shape[-2] * x.shape[-1]), g.dtype)
    rows = np.arange(images)[:, None]
    np.add.at(dx, (rows, at.reshape(images, -1)), g.reshape(images, -1))
    return dx.reshape(x.shape)


def places_of_maxima(x, *options):
    """Where each window's maximum stands, row · W + column: the first, or the last NaN.

    → (..., H', W').
    """
    pixels = np.arange(x.shape[-2] * x.shape[-1]).reshape(x.shape[-2:])
    values = entries(x, *options, lowest(x.dtype))
    at = np.broadcast_to(entries(pixels, *options, -1), values.shape)
    largest = values.max(axis=-1, keepdims=True)
    winner = np.argmax((values == largest) & (at >= 0), axis=-1)
    nan = np.isnan(values)
    last_nan = values.shape[-1] - 1 - np.argmax(nan[..., ::-1], axis=-1)
    winner = np.where(nan.any(axis=-1), last_nan, winner)
    return np.take_along_axis(at, winner[..., None], axis=-1)[..., 0]


def entries(x, kernel_size, stride, padding, dilation, ceil_mode, value):
    """The entries of each window in a row.

    x: (..., H, W) → (..., H', W', K L).
    """
    kernel = pair(kernel_size)
    stride = kernel if stride is None else stride
    if ceil_mode:
        out = count(x.shape[-2:], kernel, stride, padding, dilation, ceil_mode)
        over = overhang(x, out, kernel, stride, padding, dilation)
        width = [(0, 0)] * (x.ndim - 2) + [(0, n) for n in over]
        x = np.pad(x, width, constant_values=value)
    w = windows(x, kernel, stride, padding, dilation, value)
    return np.reshape(w, (*w.shape[:-2], kernel[0] * kernel[1]))


def overhang(x, out, kernel, stride, padding, dilation):
    """How far the last windows hang over the padded image."""
    options = map(pair, (stride, padding, dilation))
    sizes = zip(x.shape[-2:], out, kernel, *options, strict=True)
    return [max(0, (m - 1) * s + d * (k - 1) + 1 - n - 2 * p) for n, m, k, s, p, d in sizes]


def lowest(dtype):
    """What never is the largest number of a dtype: -∞, or the least integer."""
    if dtype.kind == "f":
        return -np.inf
    return np.iinfo(dtype).min if dtype.kind in "iu" else False


class _Window:
    """Where the windows of an image lie."""

    def __init__(self, x, kernel_size, stride, padding, dilation, ceil_mode):
        self.kernel = pair(kernel_size)
        self.stride = self.kernel if stride is None else pair(stride)
        self.padding = pair(padding)
        out = count(x.shape[-2:], self.kernel, self.stride, padding, dilation, ceil_mode)
        self.places = places(out, self.kernel, self.stride, dilation)
        self.over = (0, 0)
        if ceil_mode:
            self.over = overhang(x, out, self.kernel, self.stride, padding, dilation)
        dilations = pair(dilation)
        self.reach = tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, dilations, strict=True))
        self.apart = all(map(operator.ge, self.stride, self.reach))

    def padded(self, x):
        """x with -∞ around it, in x's order in memory, and where x lies in it."""
        (ph, pw), (eh, ew), (H, W) = self.padding, self.over, x.shape[-2:]
        inside = (..., slice(ph, ph + H), slice(pw, pw + W))
        if not (ph or pw or eh or ew):
            return x, inside
        shape = (*x.shape[:-2], H + 2 * ph + eh, W + 2 * pw + ew)
        room = np.full_like(x, lowest(x.dtype), shape=shape)
        room[inside] = x
        return room, inside

    def tiles(self, x, y):
        """Whether every pixel of x lies in one window, so that each is written."""
        sizes = zip(x.shape[-2:], y.shape[-2:], self.kernel, strict=True)
        covered = all(n == m * k for n, m, k in sizes)
        return self.kernel == self.stride == self.reach and covered
