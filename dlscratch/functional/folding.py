"""Windows of images: which pixels a kernel meets, and the maps unfold and fold."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engine import Array, primitive

__all__ = ["pair", "single", "count", "places", "windows", "unfold", "fold"]

Size = int | Sequence[int]  # one number, or two for height and width


def pair(n: Any) -> tuple[Any, Any]:
    """An option for the height and the width: (n, n) for a number n, and (a, b) as it is.

    Raises ValueError for another number of entries.
    """
    if isinstance(n, int):  # nearly always: np.ndim of it would cost 1 µs
        return n, n
    if np.ndim(n) == 0:
        n = n.item() if isinstance(n, np.generic | np.ndarray) else n
        return n, n
    if len(n) != 2:
        raise ValueError(f"{tuple(n)}: want one number, or two, for the height and the width")
    return tuple(n)


def single(name: str, **options: Size) -> list[int]:
    """The one number that each option of an operation on sequences is or holds.

    Raises ValueError for several.
    """
    for option, value in options.items():
        if np.size(value) != 1:
            raise ValueError(f"{name}: {option}={value}; want one number, sequences have one axis")
    return [np.ravel(value)[0].item() for value in options.values()]


def count(
    size: tuple[int, int],
    kernel: tuple[int, int],
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> tuple[int, int]:
    """How many windows of an image there are, (H', W').

    H' = (H + 2 padding - dilation (K - 1) - 1) // stride + 1, and likewise W'.

    With ceil_mode the quotient is rounded up: a last window may hang over the border, if it begins
    in the image or the padding before it. Raises ValueError when none fits, or an option is out of
    range, and TypeError for options that are no integers.
    """
    stride, padding, dilation = pair(stride), pair(padding), pair(dilation)
    numbers = (*kernel, *stride, *padding, *dilation)
    if not all(isinstance(n, (int, np.integer)) for n in numbers):
        raise TypeError(
            f"kernel {kernel}, stride {stride}, padding {padding}, dilation {dilation}: "
            "want integers, or pairs of them"
        )
    if min(*kernel, *stride, *dilation) < 1 or min(padding) < 0:
        raise ValueError(
            f"kernel {kernel}, stride {stride}, dilation {dilation}, padding {padding}: "
            "want at least 1, 1, 1 and 0"
        )
    reach = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
    room = [n + 2 * p - r for n, p, r in zip(size, padding, reach, strict=True)]
    if any(r + (s - 1) * ceil_mode < 0 for r, s in zip(room, stride, strict=True)):
        raise ValueError(
            f"the kernel, {reach} with its dilation, is larger than the padded image "
            f"{tuple(size)} + 2·{padding}; want a smaller kernel, or more padding"
        )
    if not ceil_mode:
        return tuple(r // s + 1 for r, s in zip(room, stride, strict=True))
    return tuple(
        min(-(r // -s), (n + p - 1) // s) + 1
        for n, p, r, s in zip(size, padding, room, stride, strict=True)
    )


def places(
    out: tuple[int, int], kernel: tuple[int, int], stride: Size, dilation: Size = 1
) -> list[tuple[slice, slice]]:
    """For each place in the kernel, the slices of the padded image that it meets.

    `out` is (H', W'), the number of windows.
    """
    (h, w), (sh, sw), (dh, dw) = out, pair(stride), pair(dilation)
    return [
        (slice(dh * k, dh * k + sh * h, sh), slice(dw * m, dw * m + sw * w, sw))
        for k, m in np.ndindex(*kernel)
    ]


def windows(
    x: Array,
    kernel: tuple[int, int],
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
    value: float = 0,
) -> Array:
    """All windows of an image padded with `value`.

    x: (..., H, W) → (..., H', W', K, L).
    """
    (sh, sw), (ph, pw), (dh, dw) = pair(stride), pair(padding), pair(dilation)
    x = np.pad(x, [(0, 0)] * (x.ndim - 2) + [(ph, ph), (pw, pw)], constant_values=value)
    reach = (dh * (kernel[0] - 1) + 1, dw * (kernel[1] - 1) + 1)
    every = np.lib.stride_tricks.sliding_window_view(x, reach, axis=(-2, -1))
    return every[..., ::sh, ::sw, ::dh, ::dw]


# Unfold and fold are adjoint: each is the other's rule --------------------------------------------


def unfold(
    x: Array, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
) -> Array:
    """Each window of the image, padded with zeros, as a column.

    conv2d(x, W) = W.reshape(O, C K L) @ unfold(x). Options are one number, or two for height
    and width.

    Parameters
    ----------
    x : (N, C, H, W), or (C, H, W) without a batch
    kernel_size : the size of the windows, K × L
    dilation, padding, stride : as of conv2d

    Returns
    -------
    (N, C K L, H' W'), or (C K L, H' W')

    Raises
    ------
    ValueError for another number of axes, or a kernel larger than the image

    Examples
    --------
    >>> import numpy as np
    >>> unfold(np.arange(9.0).reshape(1, 1, 3, 3), 2)[0].astype(int)
    array([[0, 1, 3, 4],
           [1, 2, 4, 5],
           [3, 4, 6, 7],
           [4, 5, 7, 8]])
    """
    if x.ndim not in (3, 4):
        raise ValueError(f"unfold: input {x.shape}; want (N, C, H, W) or (C, H, W)")
    *batch, C, H, W = x.shape
    (ph, pw), kernel = pair(padding), pair(kernel_size)
    h, w = count((H, W), kernel, stride, padding, dilation)
    x = np.pad(x, [(0, 0)] * (x.ndim - 2) + [(ph, ph), (pw, pw)])
    entries = [x[(..., *place)] for place in places((h, w), kernel, stride, dilation)]
    return np.stack(entries, axis=-3).reshape(*batch, C * len(entries), h * w)


def fold(
    x: Array,
    output_size: Size,
    kernel_size: Size,
    dilation: Size = 1,
    padding: Size = 0,
    stride: Size = 1,
) -> Array:
    """The adjoint of unfold: each column is added back where its window was read.

    Pixels in several windows are sums. Options are one number, or two for height and width.

    Parameters
    ----------
    x : (N, C K L, H' W'), or (C K L, H' W') without a batch
    output_size : (H, W), the size of the image
    kernel_size, dilation, padding, stride : as of unfold

    Returns
    -------
    (N, C, H, W), or (C, H, W)

    Raises
    ------
    ValueError when the columns do not fit that size
    """
    (H, W), (ph, pw), kernel = pair(output_size), pair(padding), pair(kernel_size)
    h, w = count((H, W), kernel, stride, padding, dilation)
    K = kernel[0] * kernel[1]
    if x.ndim not in (2, 3) or x.shape[-2] % K or x.shape[-1] != h * w:
        raise ValueError(
            f"fold: columns {x.shape}; want (N, C·{K}, {h * w}) or (C·{K}, {h * w}) "
            f"for an image {(H, W)}"
        )
    columns = x.reshape(*x.shape[:-2], x.shape[-2] // K, K, h, w)
    image = np.zeros((*columns.shape[:-3], H + 2 * ph, W + 2 * pw), columns.dtype)
    for i, place in enumerate(places((h, w), kernel, stride, dilation)):
        image[(..., *place)] += columns[..., i, :, :]
    return image[..., ph : ph + H, pw : pw + W]


def _unfold_rule(g, y, x, kernel_size, dilation=1, padding=0, stride=1):
    return fold(g, x.shape[-2:], kernel_size, dilation=dilation, padding=padding, stride=stride)


def _fold_rule(g, y, x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    return unfold(g, kernel_size, dilation=dilation, padding=padding, stride=stride)


unfold = primitive(unfold, _unfold_rule)
fold = primitive(fold, _fold_rule)
