"""Convolution (strictly: cross-correlation) of images: a linear layer that every patch of the image shares."""

import numpy as np

from ..engine import fused

__all__ = ["textbook_conv2d", "conv2d", "pair"]


def pair(n):
    """(n, n) for an int, and (a, b) as it is."""
    return (n, n) if isinstance(n, int) else tuple(n)


def textbook_conv2d(x, W, b=None, stride=1, padding=0):
    """y[n,o,i,j] = b[o] + Σ_{c,k,l} W[o,c,k,l] x[n, c, s i + k, s j + l], x being padded with zeros.

    x: (N, C, H, W), W: (O, C, K, L), b: (O,) → (N, O, H', W') with H' = (H + 2 padding - K) // stride + 1.
    """
    (sh, sw), (ph, pw) = pair(stride), pair(padding)
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(x, W.shape[2:], axis=(2, 3))[:, :, ::sh, ::sw]
    y = np.einsum("ncijkl,ockl->noij", windows, W)
    return y if b is None else y + np.reshape(b, (1, -1, 1, 1))


def _slots(shape, W, stride, padding):
    """For each kernel position, the slice of the padded image (C, H, W, N) that it meets."""
    (sh, sw), (ph, pw) = pair(stride), pair(padding)
    h, w = (shape[2] + 2 * ph - W.shape[2]) // sh + 1, (shape[3] + 2 * pw - W.shape[3]) // sw + 1
    places = [
        (slice(None), slice(k, k + sh * h, sh), slice(m, m + sw * w, sw))
        for k in range(W.shape[2])
        for m in range(W.shape[3])
    ]
    return places, h, w


def _forward(x, W, b=None, stride=1, padding=0):
    """Batch innermost (C, H, W, N): every copied run is then long, whatever the number of channels."""
    (ph, pw), (N, C) = pair(padding), x.shape[:2]
    places, h, w = _slots(x.shape, W, stride, padding)
    image = np.pad(x.transpose(1, 2, 3, 0), ((0, 0), (ph, ph), (pw, pw), (0, 0)))
    columns = np.empty((len(places), C, h, w, N), x.dtype)
    for column, place in zip(columns, places, strict=True):
        column[...] = image[place]
    kernel = W.transpose(0, 2, 3, 1).reshape(len(W), -1)
    y = kernel @ columns.reshape(kernel.shape[1], -1)
    if b is not None:
        y += b[:, None]
    return y.reshape(len(W), h, w, N).transpose(3, 0, 1, 2), columns


def _backward(g, y, columns, needs, x, W, b=None, stride=1, padding=0):
    g = np.ascontiguousarray(g.transpose(1, 2, 3, 0)).reshape(len(W), -1)
    dx = _image_gradient(g, columns.shape, x, W, stride, padding) if needs[0] else None
    dW = None
    if needs[1]:
        O, C, K, L = W.shape
        dW = (columns.reshape(K * L * C, -1) @ g.T).T.reshape(O, K, L, C).transpose(0, 3, 1, 2)
    return dx, dW, *([g.sum(axis=1) if needs[2] else None] if len(needs) > 2 else [])


def _image_gradient(g, shape, x, W, stride, padding):
    """Each column's gradient is added back where the column was read."""
    (ph, pw), (N, C, H, width) = pair(padding), x.shape
    places, _, _ = _slots(x.shape, W, stride, padding)
    columns = (W.transpose(0, 2, 3, 1).reshape(len(W), -1).T @ g).reshape(shape)
    image = np.zeros((C, H + 2 * ph, width + 2 * pw, N), g.dtype)
    for column, place in zip(columns, places, strict=True):
        image[place] += column
    return image[:, ph : ph + H, pw : pw + width].transpose(3, 0, 1, 2)


conv2d = fused(textbook_conv2d, _forward, _backward)
