"""Windows of images: which pixels each position of a kernel meets, and the two linear maps unfold and fold between them."""

import numpy as np

from ..engine import primitive

__all__ = ["pair", "count", "places", "windows", "unfold", "fold"]


def pair(n):
    """(n, n) for a number, and (a, b) as it is."""
    return tuple(n) if hasattr(n, "__iter__") else (n, n)


def count(size, kernel, stride=1, padding=0, dilation=1, ceil_mode=False):
    """How many windows fit, (H', W') with H' = (H + 2 padding - dilation (K - 1) - 1) // stride + 1.

    With ceil_mode the quotient is rounded up: a last window may hang over the border, if it begins in the image or the padding
    before it. Raises ValueError when none fits, or an option is out of range.
    """
    stride, padding, dilation = pair(stride), pair(padding), pair(dilation)
    if not all(isinstance(n, (int, np.integer)) for n in (*kernel, *stride, *padding, *dilation)):
        raise TypeError(
            f"kernel {kernel}, stride {stride}, padding {padding}, dilation {dilation}: want integers, or pairs of them"
        )
    if min(*kernel, *stride, *dilation) < 1 or min(padding) < 0:
        raise ValueError(
            f"kernel {kernel}, stride {stride}, dilation {dilation}, padding {padding}: want at least 1, 1, 1 and 0"
        )
    far = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
    room = [n + 2 * p - f for n, p, f in zip(size, padding, far, strict=True)]
    if any(r + (s - 1) * ceil_mode < 0 for r, s in zip(room, stride, strict=True)):
        raise ValueError(
            f"the kernel, {far} with its dilation, is larger than the padded image {tuple(size)} + 2·{padding}; pad more"
        )
    if not ceil_mode:
        return tuple(r // s + 1 for r, s in zip(room, stride, strict=True))
    return tuple(
        min(-(r // -s), (n + p - 1) // s) + 1
        for n, p, r, s in zip(size, padding, room, stride, strict=True)
    )


def places(out, kernel, stride, dilation=1):
    """For each of the K L positions in the kernel, the two slices of the padded image that it meets in (H', W') windows."""
    (h, w), (sh, sw), (dh, dw) = out, pair(stride), pair(dilation)
    return [
        (slice(dh * k, dh * k + sh * h, sh), slice(dw * m, dw * m + sw * w, sw))
        for k, m in np.ndindex(*kernel)
    ]


def windows(x, kernel, stride=1, padding=0, dilation=1, value=0):
    """All windows of an image padded with `value`.  x: (..., H, W) → (..., H', W', K, L)."""
    (sh, sw), (ph, pw), (dh, dw) = pair(stride), pair(padding), pair(dilation)
    x = np.pad(x, [(0, 0)] * (x.ndim - 2) + [(ph, ph), (pw, pw)], constant_values=value)
    far = (dh * (kernel[0] - 1) + 1, dw * (kernel[1] - 1) + 1)
    return np.lib.stride_tricks.sliding_window_view(x, far, axis=(-2, -1))[
        ..., ::sh, ::sw, ::dh, ::dw
    ]


def unfold(x, kernel_size, dilation=1, padding=0, stride=1):
    """Each window of the image, padded with zeros, as a column: a convolution is then W.reshape(O, C K L) @ unfold(x).

    x: (N, C, H, W) → (N, C K L, H' W'). Raises ValueError for another number of axes, or a kernel larger than the image.
    """
    if x.ndim != 4:
        raise ValueError(f"unfold: input {x.shape}; want (N, C, H, W)")
    (ph, pw), kernel = pair(padding), pair(kernel_size)
    h, w = count(x.shape[2:], kernel, stride, padding, dilation)
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    return np.stack(
        [x[(..., *place)] for place in places((h, w), kernel, stride, dilation)], axis=2
    ).reshape(len(x), -1, h * w)


def fold(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """The adjoint of unfold: each column is added back where its window was read, so pixels in several windows are sums.

    x: (N, C K L, H' W') → (N, C, H, W) with (H, W) = output_size. Raises ValueError when the columns do not fit that size.
    """
    (H, W), (ph, pw), kernel = pair(output_size), pair(padding), pair(kernel_size)
    (h, w), entries = count((H, W), kernel, stride, padding, dilation), kernel[0] * kernel[1]
    if x.ndim != 3 or x.shape[1] % entries or x.shape[2] != h * w:
        raise ValueError(
            f"fold: columns {x.shape}; want (N, C·{entries}, {h * w}) for an image {(H, W)}"
        )
    columns = x.reshape(len(x), -1, entries, h, w)
    image = np.zeros((*columns.shape[:2], H + 2 * ph, W + 2 * pw), columns.dtype)
    for i, place in enumerate(places((h, w), kernel, stride, dilation)):
        image[(..., *place)] += columns[:, :, i]
    return image[..., ph : ph + H, pw : pw + W]


unfold = primitive(
    unfold,
    lambda g, y, x, kernel_size, dilation=1, padding=0, stride=1: fold(
        g, x.shape[2:], kernel_size, dilation=dilation, padding=padding, stride=stride
    ),
)
fold = primitive(
    fold,
    lambda g, y, x, output_size, kernel_size, dilation=1, padding=0, stride=1: unfold(
        g, kernel_size, dilation=dilation, padding=padding, stride=stride
    ),
)
