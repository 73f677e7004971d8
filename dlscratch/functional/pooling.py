"""Pooling: one number for each window of an image."""

import functools
import operator

import numpy as np

from ..engine import custom_vjp
from ..engine.tensor import unwrap
from .folding import count, pair, places, windows
from .resampling import resample

__all__ = [
    "textbook_max_pool2d",
    "max_pool2d",
    "max_pool1d",
    "avg_pool2d",
    "avg_pool1d",
    "adaptive_avg_pool2d",
]


def textbook_max_pool2d(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    """y[c,i,j] = max over the window at (s i, s j), x being padded with -∞; the stride is the window's size unless given.

    x: (..., C, H, W) → (..., C, H', W'). Ties: the first entry wins. With ceil_mode a last window may hang over the border.
    Raises ValueError when more than half a window is padding.
    """
    w = _entries(x, kernel_size, stride, padding, dilation, ceil_mode, -np.inf)
    return np.take_along_axis(w, np.argmax(w, axis=-1)[..., None], axis=-1)[..., 0]


def _entries(x, kernel_size, stride, padding, dilation, ceil_mode, value):
    """The entries of each window in a row.  x: (..., H, W) → (..., H', W', K L)."""
    kernel, stride = pair(kernel_size), kernel_size if stride is None else stride
    if ceil_mode:
        out = count(x.shape[-2:], kernel, stride, padding, dilation, ceil_mode)
        x = np.pad(
            x,
            [(0, 0)] * (x.ndim - 2)
            + [(0, e) for e in _over(x, out, kernel, stride, padding, dilation)],
            constant_values=value,
        )
    w = windows(x, kernel, stride, padding, dilation, value)
    return np.reshape(w, (*w.shape[:-2], -1))


def _over(x, out, kernel, stride, padding, dilation):
    """How far the last windows hang over the padded image."""
    options = zip(x.shape[-2:], out, kernel, *map(pair, (stride, padding, dilation)), strict=True)
    return [max(0, (m - 1) * s + d * (k - 1) + 1 - n - 2 * p) for n, m, k, s, p, d in options]


def _geometry(x, kernel_size, stride, padding, dilation=1, ceil_mode=False, axes=("H", "W")):
    """How many windows there are, the places of their entries, how far they hang over. Averages and maxima: both are checked here."""
    if x.ndim not in (len(axes) + 1, len(axes) + 2):
        want = ", ".join(("C", *axes))
        raise ValueError(f"pooling: input {x.shape}; want (N, {want}) or ({want})")
    kernel, padding, stride = (
        pair(kernel_size),
        pair(padding),
        kernel_size if stride is None else stride,
    )
    if any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
        raise ValueError(
            f"pooling: padding {padding} is more than half of the window {kernel}; want at most half, or windows are empty"
        )
    out = count(x.shape[-2:], kernel, stride, padding, dilation, ceil_mode)
    return (
        out,
        places(out, kernel, stride, dilation),
        _over(x, out, kernel, stride, padding, dilation) if ceil_mode else (0, 0),
    )


def _forward(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    _, slices, over = _geometry(x, kernel_size, stride, padding, dilation, ceil_mode)
    x, _ = _padded(x, padding, over)
    entries = [x[(..., *place)] for place in slices]
    return functools.reduce(np.maximum, entries) if len(entries) > 1 else entries[0].copy(
        order="K"
    ), None


def _padded(x, padding, over):
    """x with -∞ around it, in x's order in memory, and where x lies in it."""
    (ph, pw), (eh, ew), (H, W) = pair(padding), over, x.shape[-2:]
    inside = (..., slice(ph, ph + H), slice(pw, pw + W))
    if not (ph or pw or eh or ew):
        return x, inside
    room = np.full_like(x, -np.inf, shape=(*x.shape[:-2], H + 2 * ph + eh, W + 2 * pw + ew))
    room[inside] = x
    return room, inside


def _backward(
    g, y, saved, needs, x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False
):
    """Each gradient goes to the first entry that is its window's maximum. The last one wins where no other did: a comparison less."""
    _, slices, over = _geometry(x, kernel_size, stride, padding, dilation, ceil_mode)
    x, inside = _padded(x, padding, over)
    kernel, stride, free = (
        pair(kernel_size),
        pair(kernel_size if stride is None else stride),
        np.ones_like(y, bool),
    )
    far = tuple(d * (k - 1) + 1 for k, d in zip(kernel, pair(dilation), strict=True))
    apart = all(map(operator.ge, stride, far))
    full = kernel == stride == far and all(
        n == m * k for n, m, k in zip(x.shape[-2:], y.shape[-2:], kernel, strict=True)
    )
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


_max_pool2d = custom_vjp(textbook_max_pool2d, _forward, _backward)


def max_pool2d(
    x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """y[c,i,j] = max over the window at (s i, s j), x being padded with -∞; the stride is the window's size unless given.

    x: (..., C, H, W) → (..., C, H', W'). Ties: the first entry wins. With ceil_mode a last window may hang over the border.
    return_indices=True gives also where the maxima stand, as numbers row · W + column.
    Raises ValueError when more than half a window is padding.
    """
    y = _max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode)
    if not return_indices:
        return y
    options = kernel_size, stride, padding, dilation, ceil_mode
    pixels = np.arange(x.shape[-2] * x.shape[-1]).reshape(x.shape[-2:])
    values, at = _entries(unwrap(x), *options, -np.inf), _entries(pixels, *options, -1)
    first = np.argmax((values == unwrap(y)[..., None]) & (at >= 0), axis=-1)
    return y, np.take_along_axis(np.broadcast_to(at, values.shape), first[..., None], axis=-1)[
        ..., 0
    ]


def max_pool1d(
    x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """y[c,i] = max over the window at s i, x being padded with -∞; options as in max_pool2d.  x: (..., C, L) → (..., C, L')."""
    options = {"dilation": (1, *np.atleast_1d(dilation).tolist()), "return_indices": return_indices}
    return _one_row(max_pool2d, x, kernel_size, stride, padding, ceil_mode, **options)


def _one_row(function, x, kernel_size, stride, padding, ceil_mode, **options):
    (k,), (s,), (p,) = map(
        np.atleast_1d, (kernel_size, kernel_size if stride is None else stride, padding)
    )
    _geometry(x, (1, k), (1, s), (0, p), options.get("dilation", 1), ceil_mode, axes=("L",))
    y = function(
        np.expand_dims(x, -2), (1, k), stride=(1, s), padding=(0, p), ceil_mode=ceil_mode, **options
    )
    return (
        tuple(np.squeeze(part, axis=-2) for part in y)
        if isinstance(y, tuple)
        else np.squeeze(y, axis=-2)
    )


def avg_pool2d(
    x,
    kernel_size,
    stride=None,
    padding=0,
    ceil_mode=False,
    count_include_pad=True,
    divisor_override=None,
):
    """y = A x Bᵀ, the mean of each window: row i of A holds 1/K where the window at s i lies, zeros elsewhere.

    x: (..., C, H, W) → (..., C, H', W'). Zeros in the padding count, unless count_include_pad=False; what hangs over it with
    ceil_mode does not. divisor_override is what sums are divided by instead. Errors as of max_pool2d, and for a divisor of 0.
    """
    if divisor_override == 0:
        raise ValueError(
            "avg_pool2d: divisor_override=0; want another number, or None for the size of the window"
        )
    (out, *_), matrices = _geometry(x, kernel_size, stride, padding, ceil_mode=ceil_mode), []
    options = map(pair, (kernel_size, kernel_size if stride is None else stride, padding))
    for n, m, k, s, p in zip(x.shape[-2:], out, *options, strict=True):
        start = np.arange(m) * s - p
        stop = np.minimum(start + k, n + p)
        matrices.append(_means(n, start, stop, stop - start if count_include_pad else None))
    if divisor_override is not None:
        A, B = ((M > 0) * 1.0 for M in matrices)
        matrices = A / divisor_override, B
    return resample(x, *matrices)


def avg_pool1d(x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    """y = x Aᵀ, the mean of each window, as avg_pool2d.  x: (..., C, L) → (..., C, L')."""
    return _one_row(
        avg_pool2d, x, kernel_size, stride, padding, ceil_mode, count_include_pad=count_include_pad
    )


def adaptive_avg_pool2d(x, output_size):
    """y = A x Bᵀ: the image cut into H' × W' windows as equal as can be, ⌊i H/H'⌋ to ⌈(i + 1) H/H'⌉, and the mean of each.

    x: (..., H, W) → (..., H', W') for output_size = (H', W') or one number; None keeps that axis. Raises ValueError for sizes below 1.
    """
    sizes = [
        (n, n if m is None else m) for n, m in zip(x.shape[-2:], pair(output_size), strict=True)
    ]
    if min(m for _, m in sizes) < 1:
        raise ValueError(
            f"adaptive_avg_pool2d: output_size={output_size}; want numbers >= 1, or None"
        )
    cuts = [(n, np.arange(m), m) for n, m in sizes]
    return resample(x, *(_means(n, i * n // m, -((i + 1) * n // -m)) for n, i, m in cuts))


def _means(n, start, stop, sizes=None):
    """The matrix (windows, n) of means over start <= j < stop, divided by `sizes` or by how many there are."""
    inside = (start[:, None] <= np.arange(n)) & (np.arange(n) < stop[:, None])
    return inside / (inside.sum(axis=1) if sizes is None else sizes)[:, None]
