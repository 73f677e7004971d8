"""Convolution row by row, the fast twins of `conv2d` and `conv_transpose2d`.

Neighbouring rows of an image are one matrix, so that one product makes a row of the output. The
batch lies innermost, (C, H, W, N), and every copied run is long. The image is copied L times only,
once for each kernel column, not K L times: the K rows that an output row meets then lie side by
side. This is faster than the product alone of all windows as columns.
"""

import functools
import math
import os

import numpy as np

from ..folding import count, pair

__all__ = [
    "conv",
    "conv_gradient",
    "conv_transpose",
    "conv_transpose_gradient",
    "Rows",
    "batch_last",
]


# The operations and their gradients ---------------------------------------------------------------


def conv(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """The values of conv2d, and what its gradient needs."""
    rows = Rows(x.shape[2:], weight, stride, padding, dilation, groups)
    spread = rows.spread(x)
    return rows.down(spread, bias), (rows, spread)


def conv_gradient(g, y, saved, needs, x, weight, bias=None, **options):
    """The gradients of conv2d's (x, weight, bias), given that of y."""
    rows, spread = saved
    dx = rows.up(g) if needs[0] else None
    dW = rows.weights(spread, g) if needs[1] else None
    db = _sum_over_channels(g) if needs[2:] == (True,) else None
    return dx, dW, db


def conv_transpose(
    x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    """The values of conv_transpose2d: the adjoint goes up where conv2d goes down."""
    size = _transposed_size(x, weight, stride, padding, output_padding, dilation)
    rows = Rows(size, weight, stride, padding, dilation, groups, x.shape[2:])
    y = rows.up(x)
    return y if bias is None else y + bias[:, None, None], rows


def conv_transpose_gradient(g, y, rows, needs, x, weight, bias=None, **options):
    """The gradients of conv_transpose2d's (x, weight, bias), given that of y."""
    spread = rows.spread(g)
    dx = rows.down(spread) if needs[0] else None
    dW = rows.weights(spread, x) if needs[1] else None
    db = _sum_over_channels(g) if needs[2:] == (True,) else None
    return dx, dW, db


def _transposed_size(x, weight, stride, padding, output_padding, dilation):
    options = map(pair, (stride, padding, output_padding, dilation))
    size = []
    for n, k, s, p, e, d in zip(x.shape[2:], weight.shape[2:], *options, strict=True):
        fits = 0 <= e < max(s, d)
        size.append((n - 1) * s - 2 * p + d * (k - 1) + 1 + e if fits else 0)
    if min(size) < 1:
        raise ValueError(
            f"conv_transpose2d: no output from {x.shape}, padding {padding} and "
            f"output_padding {output_padding}; want less padding, and output_padding below stride "
            "or dilation"
        )
    return tuple(size)


def _sum_over_channels(g):
    """Σ g over all axes but that of the channels, by BLAS."""
    C = g.shape[1]
    return batch_last(g).reshape(C, g.size // C) @ np.ones(g.size // C, g.dtype)


# Which rows and columns meet ----------------------------------------------------------------------


@functools.lru_cache(1024)
def _chains(size, out, kernel, stride, padding, dilation, up=False):
    """Which rows meet: (order of kernel rows, order of rows, sums).

    A sum is (first kernel row, first row, how many).

    Down, output row h sums kernel row k times row s h + d k - p of the image over k; up, the
    adjoint, goes the other way. Kernel rows and rows stand in such an order that each sum takes
    neighbours of both.
    """
    common = math.gcd(stride, dilation)
    step, far = (stride // common, dilation // common) if up else (1, dilation)
    kernels = sorted(range(kernel), key=lambda k: (k % step, -k if up else k))
    rows = sorted(range(out if up else size), key=lambda r: (r % far, r))
    place = {r: i for i, r in enumerate(rows)}
    sums = [[] for _ in range(size if up else out)]
    for i, k in enumerate(kernels):
        for h in range(out):
            p = stride * h + dilation * k - padding
            if 0 <= p < size:
                target, row = (p, h) if up else (h, p)
                sums[target].append((i, place[row]))
    return kernels, rows, [(*min(s), len(s)) if s else (0, 0, 0) for s in sums]


@functools.lru_cache(1024)
def _meetings(size, out, kernel, stride, padding, dilation):
    """For each kernel column, the windows in which it meets a pixel, and those pixels."""
    pairs = []
    for shift in (dilation * k - padding for k in range(kernel)):
        first = max(0, -(shift // stride))
        last = min(out, (size - 1 - shift) // stride + 1)
        pixels = slice(stride * first + shift, max(0, stride * (last - 1) + shift + 1), stride)
        pairs.append((slice(first, max(first, last)), pixels))
    return pairs


def _split(x, groups):
    """(N, C, H, W) → (groups, H, C/groups, W, N), a view where x lies as (C, H, W, N)."""
    x = batch_last(x)
    return x.reshape(groups, len(x) // groups, *x.shape[1:]).swapaxes(1, 2)


def batch_last(x):
    """x with its batch innermost in memory: (N, C, H, W) → (C, H, W, N), contiguous.

    Sixteen images at a time, a line of the cache: 2 to 3 times as fast as a plain copy.
    """
    view = x.transpose(1, 2, 3, 0)
    if view.flags.c_contiguous:
        return view
    y = np.empty(view.shape, x.dtype)
    for i in range(0, len(x), 16):
        y[..., i : i + 16] = view[..., i : i + 16]
    return y


# Products of rows ---------------------------------------------------------------------------------


_THREADS = int(
    os.environ.get("OPENBLAS_NUM_THREADS")
    or os.environ.get("OMP_NUM_THREADS")
    or os.cpu_count()
    or 1
)


def _multiply(A, B, out):
    """out = A @ B for A: (G, R, Q), B: (G, Q, n), in pieces of B's columns.

    OpenBLAS multiplies up to 10⁶ multiply-adds on one thread without repacking B, which few rows of
    A would not repay: 1.4 times as fast. With more threads, large products are left whole, to be
    shared.
    """
    (G, R, Q), n = A.shape, B.shape[2]
    work = R * Q * n
    parts = 1
    if _THREADS == 1 or work < 2_000_000:
        while work > 1_000_000 * parts and n % (64 * parts) == 0:
            parts *= 2
    if parts > 1:
        A = A[:, None]
        B = B.reshape(G, Q, parts, n // parts).swapaxes(1, 2)
        out = out.reshape(G, R, parts, n // parts).swapaxes(1, 2)
    np.matmul(A, B, out=out)


class Rows:
    """How the rows and columns of x, (N, C, H, W), and y, (N, O, H', W'), meet.

    `size` is (H, W). `vertical` and `horizontal` hold (size, out, kernel, stride, padding,
    dilation) of each axis.
    """

    def __init__(self, size, W, stride, padding, dilation, groups, out=None):
        # raises for options out of range
        most = count(size, W.shape[2:], stride, padding, dilation)
        self.size = size
        self.out = most if out is None else out
        self.groups = groups
        self.K, self.L = W.shape[2:]
        options = map(pair, (stride, padding, dilation))
        self.vertical, self.horizontal = zip(size, self.out, W.shape[2:], *options, strict=True)
        self.W = W.reshape(groups, len(W) // groups, *W.shape[1:])  # (groups, O, C, K, L)

    def spread(self, x):
        """x → (groups, H, L C, W' N): each row as each kernel column meets it, or zeros.

        Short rows, of few images, are not worth their calls: whole windows as columns then,
        (groups, 1, K L C, H' W' N).
        """
        kernels, rows, self.sums = _chains(*self.vertical)
        x = _split(x, self.groups)
        G, H, C, _, N = x.shape
        h, w = self.out
        if w * N < 256:
            return self._windows_as_columns(x)
        dilated = self.vertical[5] > 1
        x = x[:, rows] if dilated else x
        kernel, stride, padding = self.horizontal[2:5]
        if self.K == kernel == stride == 1 and padding == 0:
            return x.reshape(G, H, C, w * N)  # 1 × 1: nothing to copy
        spread = np.empty((G, H, self.L, C, w, N), x.dtype)
        for i, (windows, pixels) in enumerate(_meetings(*self.horizontal)):
            spread[:, :, i, :, : windows.start] = 0
            spread[:, :, i, :, windows.stop :] = 0
            spread[:, :, i, :, windows] = x[:, :, :, pixels]
        return spread.reshape(G, H, self.L * C, w * N)

    def _windows_as_columns(self, x):
        self.sums = [(0, 0, 1)]
        G, _, C, _, N = x.shape
        h, w = self.out
        spread = np.zeros((G, self.K, self.L, C, h, w, N), x.dtype)
        for k, (above, up) in enumerate(_meetings(*self.vertical)):
            for i, (windows, pixels) in enumerate(_meetings(*self.horizontal)):
                spread[:, k, i, :, above, windows] = x[:, up, :, pixels].swapaxes(1, 2)
        return spread.reshape(G, 1, self.K * self.L * C, h * w * N)

    def down(self, spread, b=None):
        """y, from the spread image: for each of its rows one product with the weights there."""
        (G, _, Q, n), O = spread.shape, self.W.shape[1]
        M = self.W.transpose(0, 1, 3, 4, 2).reshape(G, O, self.W[0, 0].size)
        y = np.empty((G, O, len(self.sums), n), np.result_type(M, spread))
        for h, (k, r, m) in enumerate(self.sums):
            weights = M[:, :, k * Q : (k + m) * Q]
            image = spread[:, r : r + m].reshape(G, m * Q, n)
            _multiply(weights, image, y[:, :, h])
        if b is not None:
            y += b.reshape(G, O, 1, 1)
        N = len(self.sums) * n // (self.out[0] * self.out[1])
        return y.reshape(G * O, *self.out, N).transpose(3, 0, 1, 2)

    def up(self, y):
        """The adjoint of spread and down, y → x.

        For each row of x one product, whose L parts are added where their pixels came from.
        """
        kernels, rows, sums = _chains(*self.vertical, up=True)
        meetings = _meetings(*self.horizontal)
        y = _split(y, self.groups)
        G, O, C, _, L = self.W.shape
        H, (w, N) = y.shape[1], y.shape[3:]
        dilated = self.vertical[5] > 1
        y = np.ascontiguousarray(y[:, rows] if dilated else y).reshape(G, H * O, w * N)
        M = self.W[:, :, :, kernels].transpose(0, 4, 2, 3, 1).reshape(G, L * C, self.K * O)
        x = np.zeros((G, C, *self.size, N), np.result_type(M, y))
        part = np.empty((G, L, C, w, N), x.dtype)
        for p, (k, r, m) in enumerate(sums):
            weights = M[:, :, k * O : (k + m) * O]
            image = y[:, r * O : (r + m) * O]
            _multiply(weights, image, part.reshape(G, L * C, w * N))
            for i, (places, pixels) in enumerate(meetings):
                x[:, :, p, pixels] += part[:, i, :, places]
        return x.reshape(G * C, *self.size, N).transpose(3, 0, 1, 2)

    def weights(self, spread, y):
        """Σ spread × y, the gradient of the weights, in both directions."""
        (G, _, Q, n), (O, C, K, L) = spread.shape, self.W.shape[1:]
        y = batch_last(y).reshape(G, O, len(self.sums), n)
        product = np.zeros((G, K * L * C, O), np.result_type(spread, y))
        for h, (k, r, m) in enumerate(self.sums):
            image = spread[:, r : r + m].reshape(G, m * Q, n)
            product[:, k * Q : (k + m) * Q] += image @ y[:, :, h].swapaxes(1, 2)
        return product.reshape(G, K, L, C, O).transpose(0, 4, 3, 1, 2).reshape(G * O, C, K, L)
