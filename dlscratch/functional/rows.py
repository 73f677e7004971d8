"""Convolution row by row, the fast twins' machinery: neighbouring rows are one matrix, so one product makes a row of the output.

Batch innermost, (C, H, W, N), so that every copied run is long. The image is copied L times only, once for each kernel column, not
K L times: the K rows that an output row meets then lie side by side. Faster than the product alone of all windows as columns.
"""

import functools
import math
import os

import numpy as np

from .folding import count, pair

__all__ = ["Rows", "batch_last"]


@functools.lru_cache(1024)
def _chains(size, out, kernel, stride, padding, dilation, up=False):
    """Which rows meet, as slices: (order of kernel rows, order of rows, [(first kernel row, first row, how many) of each sum]).

    Down, output row h sums kernel row k times row s h + d k - p of the image over k; up, the adjoint, goes the other way.
    Kernel rows and rows are put in such an order that each sum takes neighbours of both.
    """
    common = math.gcd(stride, dilation)
    step, far = (stride // common, dilation // common) if up else (1, dilation)
    kernels = sorted(range(kernel), key=lambda k: (k % step, -k if up else k))
    rows = sorted(range(out if up else size), key=lambda r: (r % far, r))
    place, sums = {r: i for i, r in enumerate(rows)}, [[] for _ in range(size if up else out)]
    for i, k in enumerate(kernels):
        for h in range(out):
            p = stride * h + dilation * k - padding
            if 0 <= p < size:
                target, row = (p, h) if up else (h, p)
                sums[target].append((i, place[row]))
    return kernels, rows, [(*min(s), len(s)) if s else (0, 0, 0) for s in sums]


@functools.lru_cache(1024)
def _meetings(size, out, kernel, stride, padding, dilation):
    """For each kernel column, the windows in which it meets a pixel, and those pixels, as slices."""
    pairs = []
    for shift in (dilation * k - padding for k in range(kernel)):
        first, last = max(0, -(shift // stride)), min(out, (size - 1 - shift) // stride + 1)
        pixels = slice(stride * first + shift, max(0, stride * (last - 1) + shift + 1), stride)
        pairs.append((slice(first, max(first, last)), pixels))
    return pairs


def _split(x, groups):
    """(N, C, H, W) → (groups, H, C/groups, W, N), a view of (C, H, W, N): no copy where x has that order in memory already."""
    x = batch_last(x)
    return x.reshape(groups, -1, *x.shape[1:]).swapaxes(1, 2)


def batch_last(x):
    """(N, C, H, W) → (C, H, W, N), contiguous. Sixteen images at a time, a line of the cache: 2 to 3 times as fast as a plain copy."""
    view = x.transpose(1, 2, 3, 0)
    if view.flags.c_contiguous:
        return view
    y = np.empty(view.shape, x.dtype)
    for i in range(0, len(x), 16):
        y[..., i : i + 16] = view[..., i : i + 16]
    return y


_THREADS = int(
    os.environ.get("OPENBLAS_NUM_THREADS")
    or os.environ.get("OMP_NUM_THREADS")
    or os.cpu_count()
    or 1
)


def _multiply(A, B, out):
    """out = A @ B for A: (G, R, Q), B: (G, Q, n), in pieces of B's columns.

    OpenBLAS multiplies up to 10⁶ multiply-adds on one thread without repacking B, which few rows of A would not repay: 1.4 times
    as fast. With more threads, large products are left whole, to be shared.
    """
    (G, R, Q), n, parts = A.shape, B.shape[2], 1
    while (
        (_THREADS == 1 or R * Q * n < 2_000_000)
        and R * Q * n > 1_000_000 * parts
        and n % (64 * parts) == 0
    ):
        parts *= 2
    if parts > 1:
        A, (B, out) = (
            A[:, None],
            (a.reshape(G, -1, parts, n // parts).swapaxes(1, 2) for a in (B, out)),
        )
    np.matmul(A, B, out=out)


class Rows:
    """How rows and columns meet in the convolution of x (N, C, H, W), which has `size` (H, W), to y (N, O, H', W')."""

    def __init__(self, size, W, stride, padding, dilation, groups, out=None):
        self.size, self.groups, (self.K, self.L) = size, groups, W.shape[2:]
        most = count(
            size, W.shape[2:], stride, padding, dilation
        )  # raises for options out of range
        self.out = most if out is None else out
        options = zip(
            size, self.out, W.shape[2:], *map(pair, (stride, padding, dilation)), strict=True
        )
        self.vertical, self.horizontal = options
        self.W = W.reshape(groups, -1, *W.shape[1:])  # (groups, O, C, K, L)

    def spread(self, x):
        """x → (groups, H, L C, W' N): each row as each kernel column meets it, zeros where that is outside.

        Short rows, of few images, are not worth their calls: whole windows as columns then, (groups, 1, K L C, H' W' N).
        """
        kernels, rows, self.sums = _chains(*self.vertical)
        x, (h, w) = _split(x, self.groups), self.out
        G, H, C, _, N = x.shape
        if w * N < 256:
            self.sums = [(0, 0, 1)]
            spread, rows = (
                np.zeros((G, self.K, self.L, C, h, w, N), x.dtype),
                _meetings(*self.vertical),
            )
            for k, (above, up) in enumerate(rows):
                for i, (windows, pixels) in enumerate(_meetings(*self.horizontal)):
                    spread[:, k, i, :, above, windows] = x[:, up, :, pixels].swapaxes(1, 2)
            return spread.reshape(G, 1, -1, h * w * N)
        x = x if self.vertical[5] == 1 else x[:, rows]
        if self.horizontal[2:5] == (1, 1, 0) == (self.K, *self.horizontal[3:5]):
            return x.reshape(G, H, C, -1)  # 1 × 1: nothing to copy
        spread = np.empty((G, H, self.L, C, w, N), x.dtype)
        for i, (windows, pixels) in enumerate(_meetings(*self.horizontal)):
            spread[:, :, i, :, : windows.start] = spread[:, :, i, :, windows.stop :] = 0
            spread[:, :, i, :, windows] = x[:, :, :, pixels]
        return spread.reshape(G, H, self.L * C, -1)

    def down(self, spread, b=None):
        """y, from the spread image: for each of its rows one product with all the weights that meet the image there."""
        (G, _, Q, n), O = spread.shape, self.W.shape[1]
        M = self.W.transpose(0, 1, 3, 4, 2).reshape(G, O, -1)
        y = np.empty((G, O, len(self.sums), n), np.result_type(M, spread))
        for h, (k, r, m) in enumerate(self.sums):
            _multiply(
                M[:, :, k * Q : (k + m) * Q], spread[:, r : r + m].reshape(G, m * Q, n), y[:, :, h]
            )
        if b is not None:
            y += b.reshape(G, O, 1, 1)
        return y.reshape(G * O, *self.out, -1).transpose(3, 0, 1, 2)

    def up(self, y):
        """The adjoint of spread and down: for each row of x one product, whose L parts are added where their pixels came from."""
        kernels, rows, sums = _chains(*self.vertical, up=True)
        y, (G, O, C, _, L), meetings = (
            _split(y, self.groups),
            self.W.shape,
            _meetings(*self.horizontal),
        )
        w, N = y.shape[3:]
        y = np.ascontiguousarray(y[:, rows] if self.vertical[5] > 1 else y).reshape(G, -1, w * N)
        M = self.W[:, :, :, kernels].transpose(0, 4, 2, 3, 1).reshape(G, L * C, -1)
        x, part = (
            np.zeros((G, C, *self.size, N), np.result_type(M, y)),
            np.empty((G, L, C, w, N), np.result_type(M, y)),
        )
        for p, (k, r, m) in enumerate(sums):
            _multiply(
                M[:, :, k * O : (k + m) * O], y[:, r * O : (r + m) * O], part.reshape(G, L * C, -1)
            )
            for i, (places, pixels) in enumerate(meetings):
                x[:, :, p, pixels] += part[:, i, :, places]
        return x.reshape(-1, *self.size, N).transpose(3, 0, 1, 2)

    def weights(self, spread, y):
        """Σ spread × y, the gradient of the weights, in both directions."""
        (G, _, Q, n), (O, C, K, L) = spread.shape, self.W.shape[1:]
        y, product = (
            batch_last(y).reshape(G, O, -1, n),
            np.zeros((G, K * L * C, O), np.result_type(spread, y)),
        )
        for h, (k, r, m) in enumerate(self.sums):
            product[:, k * Q : (k + m) * Q] += spread[:, r : r + m].reshape(G, m * Q, n) @ y[
                :, :, h
            ].swapaxes(1, 2)
        return product.reshape(G, K, L, C, O).transpose(0, 4, 3, 1, 2).reshape(-1, C, K, L)
