"""Pooling: one number for each window of an image."""

import functools
import operator

import numpy as np

from ..engine import fused
from .folding import count, pair, places, windows
from .resampling import resample

__all__ = ["textbook_max_pool2d", "max_pool2d", "max_pool1d", "avg_pool2d", "avg_pool1d", "adaptive_avg_pool2d"]


def textbook_max_pool2d(x, kernel_size, stride=None, padding=0, dilation=1):
    """y[c,i,j] = max over the window at (s i, s j), x being padded with -∞; the stride is the window's size unless given.

    x: (..., C, H, W) → (..., C, H', W'). Ties: the first entry wins. Raises ValueError when more than half a window is padding.
    """
    w = windows(x, pair(kernel_size), kernel_size if stride is None else stride, padding, dilation, value=-np.inf)
    w = np.reshape(w, (*w.shape[:-2], -1))
    return np.take_along_axis(w, np.argmax(w, axis=-1)[..., None], axis=-1)[..., 0]


def _geometry(x, kernel_size, stride, padding, dilation=1, axes=("H", "W")):
    """How many windows there are, and the places of their entries. Averages and maxima have the same, so both are checked here."""
    if x.ndim not in (len(axes) + 1, len(axes) + 2):
        want = ", ".join(("C", *axes))
        raise ValueError(f"pooling: input {x.shape}; want (N, {want}) or ({want})")
    kernel, padding, stride = pair(kernel_size), pair(padding), kernel_size if stride is None else stride
    if any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
        raise ValueError(f"pooling: padding {padding} is more than half of the window {kernel}; want at most half, or windows are empty")
    out = count(x.shape[-2:], kernel, stride, padding, dilation)
    return out, places(out, kernel, stride, dilation)


def _forward(x, kernel_size, stride=None, padding=0, dilation=1):
    _, slices = _geometry(x, kernel_size, stride, padding, dilation)
    x, _ = _padded(x, padding)
    entries = [x[(..., *place)] for place in slices]
    return functools.reduce(np.maximum, entries) if len(entries) > 1 else entries[0].copy(order="K"), None


def _padded(x, padding):
    """x with -∞ around it, in x's order in memory, and where x lies in it."""
    (ph, pw), (H, W) = pair(padding), x.shape[-2:]
    inside = (..., slice(ph, ph + H), slice(pw, pw + W))
    if not (ph or pw):
        return x, inside
    room = np.full_like(x, -np.inf, shape=(*x.shape[:-2], H + 2 * ph, W + 2 * pw))
    room[inside] = x
    return room, inside


def _backward(g, y, saved, needs, x, kernel_size, stride=None, padding=0, dilation=1):
    """Each gradient goes to the first entry that is its window's maximum. The last one wins where no other did: a comparison less."""
    (_, slices), (x, inside) = _geometry(x, kernel_size, stride, padding, dilation), _padded(x, padding)
    kernel, stride, free = pair(kernel_size), pair(kernel_size if stride is None else stride), np.ones_like(y, bool)
    far = tuple(d * (k - 1) + 1 for k, d in zip(kernel, pair(dilation), strict=True))
    apart = all(map(operator.ge, stride, far))
    full = kernel == stride == far and all(n == m * k for n, m, k in zip(x.shape[-2:], y.shape[-2:], kernel, strict=True))
    dx = (np.empty_like if full else np.zeros_like)(x)
    for place in slices:
        won = x[(..., *place)] == y if place is not slices[-1] else free
        won &= free
        free = free ^ won
        if apart:  # windows that do not overlap: written without being read
            np.multiply(g, won, out=dx[(..., *place)])
        else:
            dx[(..., *place)] += g * won
    return (dx[inside], *[None] * (len(needs) - 1))


max_pool2d = fused(textbook_max_pool2d, _forward, _backward)


def max_pool1d(x, kernel_size, stride=None, padding=0, dilation=1):
    """y[c,i] = max over the window at s i, x being padded with -∞.  x: (..., C, L) → (..., C, L')."""
    return _one_row(max_pool2d, x, kernel_size, stride, padding, dilation=(1, *np.atleast_1d(dilation).tolist()))


def _one_row(function, x, kernel_size, stride, padding, **options):
    (k,), (s,), (p,) = map(np.atleast_1d, (kernel_size, kernel_size if stride is None else stride, padding))
    _geometry(x, (1, k), (1, s), (0, p), options.get("dilation", 1), axes=("L",))
    return np.squeeze(function(np.expand_dims(x, -2), (1, k), stride=(1, s), padding=(0, p), **options), axis=-2)


def avg_pool2d(x, kernel_size, stride=None, padding=0, count_include_pad=True):
    """y = A x Bᵀ, the mean of each window: row i of A holds 1/K where the window at s i lies, zeros elsewhere.

    x: (..., C, H, W) → (..., C, H', W'). Zeros in the padding count, unless count_include_pad=False. Errors as of max_pool2d.
    """
    out, _ = _geometry(x, kernel_size, stride, padding)
    options = zip(x.shape[-2:], out, *map(pair, (kernel_size, kernel_size if stride is None else stride, padding)), strict=True)
    return resample(x, *(_means(n, np.arange(m) * s - p, np.arange(m) * s - p + k, k * count_include_pad) for n, m, k, s, p in options))


def avg_pool1d(x, kernel_size, stride=None, padding=0, count_include_pad=True):
    """y = x Aᵀ, the mean of each window, as avg_pool2d.  x: (..., C, L) → (..., C, L')."""
    return _one_row(avg_pool2d, x, kernel_size, stride, padding, count_include_pad=count_include_pad)


def adaptive_avg_pool2d(x, output_size):
    """y = A x Bᵀ: the image cut into H' × W' windows as equal as can be, ⌊i H/H'⌋ to ⌈(i + 1) H/H'⌉, and the mean of each.

    x: (..., H, W) → (..., H', W') for output_size = (H', W') or one number; None keeps that axis. Raises ValueError for sizes below 1.
    """
    sizes = [(n, n if m is None else m) for n, m in zip(x.shape[-2:], pair(output_size), strict=True)]
    if min(m for _, m in sizes) < 1:
        raise ValueError(f"adaptive_avg_pool2d: output_size={output_size}; want numbers >= 1, or None")
    cuts = [(n, np.arange(m), m) for n, m in sizes]
    return resample(x, *(_means(n, i * n // m, -((i + 1) * n // -m)) for n, i, m in cuts))


def _means(n, start, stop, count=0):
    """The matrix (windows, n) of means over start <= j < stop, divided by `count` or by how many there are."""
    inside = (start[:, None] <= np.arange(n)) & (np.arange(n) < stop[:, None])
    return inside / (count or inside.sum(axis=1, keepdims=True))
