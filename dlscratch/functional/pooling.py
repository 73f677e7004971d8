"""Pooling: one number for each window of an image."""

from collections.abc import Sequence

import numpy as np

from ..engine import Array, custom_vjp
from ..engine.tensor import unwrap
from .folding import Size, count, pair, single
from .kernels.pooling import entries, lowest, max_pool, max_pool_gradient, places_of_maxima
from .resampling import resample

__all__ = [
    "textbook_max_pool2d",
    "max_pool2d",
    "max_pool1d",
    "avg_pool2d",
    "avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool1d",
]


# The largest entry --------------------------------------------------------------------------------


def textbook_max_pool2d(
    x: Array,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> Array:
    """`max_pool2d` by its definition: the largest entry of each window, all in one array.

    y[c,i,j] = max over the window at (s i, s j), x being padded with -∞.

    x: (..., C, H, W) → (..., C, H', W'). Ties: the first entry wins.
    """
    w = entries(x, kernel_size, stride, padding, dilation, ceil_mode, lowest(x.dtype))
    return np.take_along_axis(w, np.argmax(w, axis=-1)[..., None], axis=-1)[..., 0]


_max_pool2d = custom_vjp(textbook_max_pool2d, max_pool, max_pool_gradient)


def max_pool2d(
    x: Array,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Array | tuple[Array, np.ndarray]:
    """The largest entry of each window of an image.

    y[c,i,j] = max over the window at (s i, s j), x being padded with -∞. Ties: the first entry
    wins, and gets the gradient. A window with a NaN gives NaN. Options are one number, or two for
    height and width.

    Parameters
    ----------
    x : (N, C, H, W), or (C, H, W) without a batch
    kernel_size : K, the size of the windows
    stride : s, the windows' size unless given
    padding : at most half a window
    dilation : d, the step from pixel to pixel within a window
    ceil_mode : whether a last window may hang over the border
    return_indices : whether to give also where the maxima stand, as numbers row · W + column

    Returns
    -------
    (N, C, H', W') or (C, H', W'), and the places if wanted, of the same shape

    Raises
    ------
    ValueError for shapes and options that do not fit

    Examples
    --------
    >>> import numpy as np
    >>> max_pool2d(np.arange(16.0).reshape(1, 4, 4), 2)
    array([[[ 5.,  7.],
            [13., 15.]]])
    """
    _check("max_pool2d", x, kernel_size, stride, padding, dilation, ceil_mode, ("H", "W"))
    options = kernel_size, stride, padding, dilation, ceil_mode
    y = _max_pool2d(x, *options)
    return (y, places_of_maxima(unwrap(x), *options)) if return_indices else y


def max_pool1d(
    x: Array,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Array | tuple[Array, np.ndarray]:
    """The largest entry of each window of a sequence.

    y[c,i] = max over the window at s i, x being padded with -∞; options and errors as of
    max_pool2d.

    x: (N, C, L) or (C, L) → (N, C, L') or (C, L').
    """
    (d,) = single("max_pool1d", dilation=dilation)
    options = {"dilation": (1, d), "return_indices": return_indices}
    return _one_row(max_pool2d, x, kernel_size, stride, padding, ceil_mode, **options)


# Means --------------------------------------------------------------------------------------------


def avg_pool2d(
    x: Array,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: float | None = None,
) -> Array:
    """The mean of each window of an image.

    y = A x Bᵀ, where row i of A holds 1/K where window i lies. Options are one number, or two for
    height and width.

    Parameters
    ----------
    x : (N, C, H, W), or (C, H, W) without a batch
    kernel_size : K, the size of the windows
    stride : s, the windows' size unless given
    padding : zeros around x, at most half a window
    ceil_mode : whether a last window may hang over the border; what hangs over does not count
    count_include_pad : whether the zeros of the padding count
    divisor_override : what sums are divided by instead of the number of entries

    Returns
    -------
    (N, C, H', W') or (C, H', W')

    Raises
    ------
    ValueError for shapes and options that do not fit, a divisor of 0; TypeError for integers

    Examples
    --------
    >>> import numpy as np
    >>> avg_pool2d(np.arange(16.0).reshape(1, 4, 4), 2)
    array([[[ 2.5,  4.5],
            [10.5, 12.5]]])
    """
    if divisor_override == 0:
        raise ValueError(
            "avg_pool2d: divisor_override=0; want another number, or None for the window's size"
        )
    out = _check("avg_pool2d", x, kernel_size, stride, padding, 1, ceil_mode, ("H", "W"))
    options = map(pair, (kernel_size, kernel_size if stride is None else stride, padding))
    matrices = []
    for n, m, k, s, p in zip(x.shape[-2:], out, *options, strict=True):
        start = np.arange(m) * s - p
        stop = np.minimum(start + k, n + p)
        sizes = stop - start if count_include_pad else None
        matrices.append(_means(n, start, stop, sizes))
    if divisor_override is not None:
        A, B = ((M > 0) * 1.0 for M in matrices)
        matrices = A / divisor_override, B
    return resample(x, *matrices)


def avg_pool1d(
    x: Array,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """The mean of each window of a sequence.

    y = x Aᵀ, where row i of A holds 1/K where window i lies; options and errors as of avg_pool2d.

    x: (N, C, L) or (C, L) → (N, C, L') or (C, L').
    """
    counted = {"count_include_pad": count_include_pad}
    return _one_row(avg_pool2d, x, kernel_size, stride, padding, ceil_mode, **counted)


def adaptive_avg_pool2d(x: Array, output_size: int | None | Sequence[int | None]) -> Array:
    """The means of H' × W' windows that share out an image as equally as can be.

    y = A x Bᵀ: window i goes from ⌊i H/H'⌋ to ⌈(i + 1) H/H'⌉.

    x: (N, C, H, W) or (C, H, W) → the same with (H', W') = output_size, or one number for both;
    None keeps an axis. Raises ValueError for other shapes and sizes below 1, TypeError for
    integers.

    Examples
    --------
    >>> import numpy as np
    >>> adaptive_avg_pool2d(np.arange(16.0).reshape(1, 4, 4), 1)
    array([[[7.5]]])
    """
    if x.ndim not in (3, 4):
        raise ValueError(f"adaptive_avg_pool2d: input {x.shape}; want (N, C, H, W) or (C, H, W)")
    given = zip(x.shape[-2:], pair(output_size), strict=True)
    sizes = [n if m is None else m for n, m in given]
    return resample(x, *_shares("adaptive_avg_pool2d", x.shape[-2:], sizes, output_size))


def adaptive_avg_pool1d(x: Array, output_size: int) -> Array:
    """The means of L' windows that share out a sequence as equally as can be.

    y = x Aᵀ: window i goes from ⌊i L/L'⌋ to ⌈(i + 1) L/L'⌉.

    x: (N, C, L) or (C, L) → (N, C, L') or (C, L'), L' = output_size. Errors as of
    adaptive_avg_pool2d.

    Examples
    --------
    >>> import numpy as np
    >>> adaptive_avg_pool1d(np.arange(6.0).reshape(1, 6), 2)
    array([[1., 4.]])
    """
    if x.ndim not in (2, 3):
        raise ValueError(f"adaptive_avg_pool1d: input {x.shape}; want (N, C, L) or (C, L)")
    sizes = single("adaptive_avg_pool1d", output_size=output_size)
    return resample(x, *_shares("adaptive_avg_pool1d", x.shape[-1:], sizes, output_size))


def _shares(name, old, new, output_size):
    """For each axis the matrix of the means of m windows that share out its n pixels."""
    if min(new) < 1:
        raise ValueError(f"{name}: output_size={output_size}; want numbers >= 1, or None")
    matrices = []
    for n, m in zip(old, new, strict=True):
        i = np.arange(m)
        matrices.append(_means(n, i * n // m, -((i + 1) * n // -m)))
    return matrices


def _means(n, start, stop, sizes=None):
    """The matrix (windows, n) of means over start <= j < stop, or of sums divided by `sizes`."""
    pixels = np.arange(n)
    inside = (start[:, None] <= pixels) & (pixels < stop[:, None])
    sizes = inside.sum(axis=1) if sizes is None else sizes
    return inside / sizes[:, None]


# What all share -----------------------------------------------------------------------------------


def _check(name, x, kernel_size, stride, padding, dilation, ceil_mode, axes):
    """How many windows there are, (H', W').

    Raises ValueError for shapes and options that do not fit.
    """
    if x.ndim not in (len(axes) + 1, len(axes) + 2):
        want = ", ".join(("C", *axes))
        raise ValueError(f"{name}: input {x.shape}; want (N, {want}) or ({want})")
    kernel, padding = pair(kernel_size), pair(padding)
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, pair(dilation), strict=True)]
    if any(2 * p > r for p, r in zip(padding, reach, strict=True)):
        raise ValueError(
            f"{name}: padding {padding} is more than half of the window {kernel}; "
            "want at most half, or windows are empty"
        )
    return count(
        x.shape[-2:], kernel, kernel if stride is None else stride, padding, dilation, ceil_mode
    )


def _one_row(function, x, kernel_size, stride, padding, ceil_mode, **options):
    """The pooling of a sequence, (N, C, L) or (C, L): of an image of one row."""
    name = function.__name__.replace("2d", "1d")
    stride = kernel_size if stride is None else stride
    k, s, p = single(name, kernel_size=kernel_size, stride=stride, padding=padding)
    if x.ndim not in (2, 3):
        raise ValueError(f"{name}: input {x.shape}; want (N, C, L) or (C, L)")
    image = np.expand_dims(x, -2)
    y = function(image, (1, k), stride=(1, s), padding=(0, p), ceil_mode=ceil_mode, **options)
    if isinstance(y, tuple):
        return tuple(np.squeeze(part, axis=-2) for part in y)
    return np.squeeze(y, axis=-2)
