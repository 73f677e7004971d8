"""Images of another size: resampled by matrices, pixels regrouped, borders added."""

from collections.abc import Sequence

import numpy as np

from ..engine import Array, custom_vjp
from .kernels.resampling import weighted_sums

__all__ = ["textbook_resample", "resample", "interpolate", "pixel_shuffle", "pad"]


# Averages of neighbours ---------------------------------------------------------------------------


def textbook_resample(
    x: Array, *matrices: np.ndarray, meets: tuple[np.ndarray, ...] | None = None
) -> Array:
    """`resample` by its definition: the product with one matrix for each of the last axes.

    y = A x Bᵀ; `meets` says nothing that finite numbers would show.
    """
    for axis, A in enumerate(matrices, x.ndim - len(matrices)):
        x = np.moveaxis(np.tensordot(A.astype(x.dtype), x, axes=((1,), (axis,))), 0, axis)
    return x


def _forward(x, *matrices, meets):
    return weighted_sums(x, matrices, meets), None


def _gradient(g, y, saved, needs, x, *matrices, meets):
    """The adjoint is a resampling, too: Aᵀ g B."""
    transposed = [A.T for A in matrices]
    return _resample(g, *transposed, meets=tuple(m.T for m in meets)), *[None] * len(matrices)


_resample = custom_vjp(textbook_resample, _forward, _gradient, pure=True)


def resample(x: Array, *matrices: np.ndarray, meets: tuple[np.ndarray, ...] | None = None) -> Array:
    """The map y = A x Bᵀ of the last axes of x, as every average over neighbours is one.

    `meets` holds for each matrix a mask of the entries that count, unless given those other than 0:
    a NaN or infinity spoils only the means that meet it.

    x: (..., H, W), A: (H', H), B: (W', W) → (..., H', W'). Raises TypeError when x does not
    hold floats.
    """
    if x.dtype.kind != "f":
        raise TypeError(
            f"an average of {x.dtype} is no {x.dtype}; want floats, make it float first: "
            "x.astype('float32')"
        )
    meets = tuple(A != 0 for A in matrices) if meets is None else meets
    return _resample(x, *matrices, meets=meets)


# Interpolation ------------------------------------------------------------------------------------


def interpolate(
    x: Array,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Array:
    """The image on another grid: pixel i lies at u = (i + ½) / scale - ½ in the old one.

    - "nearest": y[i] = x[⌊i / scale⌋], exactly (PyTorch rounds in float32, which misses by one
      pixel in 1 % of the ratios H/H').
    - "nearest-exact": y[i] = x[⌊(i + ½) / scale⌋], the pixel whose centre is the nearest.
    - "linear" and "bilinear": y[i] = (1 - λ) x[⌊u⌋] + λ x[⌊u⌋ + 1], λ = u - ⌊u⌋, along each axis.

    Parameters
    ----------
    x : (N, C, H, W), or (N, C, L)
    size : H' and W', one number for both, or L'
    scale_factor : in place of `size`, how many times as large; one number, or one for each axis
    mode : "nearest", "nearest-exact", "linear" for sequences or "bilinear" for images
    align_corners : whether the corner pixels lie on each other, u = i (H - 1) / (H' - 1);
        linear modes only
    recompute_scale_factor : whether the scale is taken from the sizes, H'/H
    antialias : whether the weights' triangle is widened by H/H' where pixels are lost; bilinear
        only

    Returns
    -------
    (N, C, H', W'), or (N, C, L')

    Raises
    ------
    ValueError for another shape or mode, options that do not fit it, or unless one of `size` and
    `scale_factor` is given

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[[0.0, 4.0]]])
    >>> interpolate(x, 4)
    array([[[0., 0., 4., 4.]]])
    >>> interpolate(x, 4, mode="linear")
    array([[[0., 1., 3., 4.]]])
    """
    old, axes = x.shape[2:], x.ndim - 2
    modes = ("nearest", "nearest-exact", {1: "linear", 2: "bilinear"}.get(axes))
    if axes not in (1, 2) or mode not in modes:
        raise ValueError(
            f"interpolate: input {x.shape} with mode {mode!r}; want (N, C, L) and nearest, "
            "nearest-exact or linear, or (N, C, H, W) and nearest, nearest-exact or bilinear"
        )
    if (size is None) == (scale_factor is None):
        raise ValueError(
            f"interpolate: size={size}, scale_factor={scale_factor}; want one of the two"
        )
    _check_options(mode, size, align_corners, recompute_scale_factor, antialias)
    scales = np.broadcast_to(1 if scale_factor is None else scale_factor, axes).tolist()
    if size is None:
        new = [int(n * s) for n, s in zip(old, scales, strict=True)]
    else:
        new = np.broadcast_to(size, axes).tolist()
    if min(*old, *new) < 1:
        raise ValueError(
            f"interpolate: from {old} to {tuple(new)} leaves no pixels; want sizes of at least 1"
        )
    # one step in the new image is a / b pixels of the old one
    from_sizes = scale_factor is None or recompute_scale_factor or list(old) == new
    steps = list(zip(old, new, strict=True)) if from_sizes else [(1, s) for s in scales]
    if mode.startswith("nearest"):
        for axis, (n, m, step) in enumerate(zip(old, new, steps, strict=True), 2):
            x = _nearest(x, axis, n, m, step, centres=mode == "nearest-exact")
        return x
    maps = [
        _linear(n, m, a / b, align_corners, antialias)
        for n, m, (a, b) in zip(old, new, steps, strict=True)
    ]
    matrices, meets = zip(*maps, strict=True)
    return resample(x, *matrices, meets=meets)


def _check_options(mode, size, align_corners, recompute_scale_factor, antialias):
    if mode.startswith("nearest") and align_corners is not None:
        raise ValueError(
            f"interpolate: align_corners={align_corners} with mode {mode!r}; "
            "want None, or mode linear or bilinear"
        )
    if recompute_scale_factor and size is not None:
        raise ValueError(
            f"interpolate: recompute_scale_factor=True with size={size}; "
            "want scale_factor in its place"
        )
    if antialias and (mode != "bilinear" or align_corners):
        raise ValueError(
            f"interpolate: antialias=True with mode {mode!r}, align_corners={align_corners}; "
            "want bilinear, without corners"
        )


def _nearest(x, axis, n, m, step, centres):
    """The m pixels of the n along an axis that lie nearest: ⌊i a / b⌋, or ⌊(i + ½) a / b⌋."""
    if m in (n, 2 * n) and not centres:
        step = n, m  # as PyTorch has it, when a factor such as 2.3 gives twice the pixels
    a, b = step
    if m % n == 0 and m * a == n * b:
        return _repeat(x, m // n, axis)
    i = np.arange(m)
    places = (2 * i + 1) * a // (2 * b) if centres else i * a // b
    return np.take(x, np.minimum(places, n - 1).astype(int), axis)


def _repeat(x, times, axis):
    """np.repeat(x, times, axis).

    Its gradient is a sum of slices here, several times as fast as adding by index.
    """
    shape = (*x.shape[:axis], x.shape[axis] * times, *x.shape[axis + 1 :])
    return np.reshape(np.stack([x] * times, axis=axis + 1), shape)


def _linear(n, m, step, align_corners, antialias):
    """The matrix (m, n) of linear interpolation, and the mask of what each new pixel meets."""
    i = np.arange(m)
    u = np.linspace(0, n - 1, m) if align_corners else (i + 0.5) * step - 0.5
    if antialias:
        A = np.maximum(0, 1 - np.abs(u[:, None] - np.arange(n)) / max(1, step))
        A /= A.sum(axis=1, keepdims=True)
        return A, A > 0
    u = np.clip(u, 0, n - 1)
    left = u.astype(int)
    right = np.minimum(left + 1, n - 1)
    A = np.zeros((m, n))
    A[i, left] += 1 - (u - left)
    A[i, right] += u - left
    meets = np.zeros((m, n), bool)
    meets[i, left] = True
    meets[i, right] = True  # as in PyTorch, also where its weight is 0
    return A, meets


# Pixels regrouped, borders ------------------------------------------------------------------------


def pixel_shuffle(x: Array, upscale_factor: int) -> Array:
    """The image r times as large: r² channels become blocks of r × r pixels.

    y[c, r i + a, r j + b] = x[c r² + a r + b, i, j], r = upscale_factor.

    x: (..., C r², H, W) → (..., C, r H, r W). Raises ValueError when r² does not divide the
    channels. Source: Shi et al. 2016.
    """
    r = upscale_factor
    if x.ndim < 3 or x.shape[-3] % (r * r):
        raise ValueError(
            f"pixel_shuffle: input {x.shape}; want (..., C·{r * r}, H, W) for upscale_factor={r}"
        )
    *N, C, H, W = x.shape
    n = len(N) + 1
    x = np.reshape(x, (*N, C // (r * r), r, r, H, W))
    x = np.transpose(x, (*range(n), n + 2, n, n + 3, n + 1))
    return np.reshape(x, (*N, C // (r * r), H * r, W * r))


_MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad(x: Array, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Array:
    """x with borders of the widths `pad` = (left, right, top, bottom, ...), last axis first.

    A negative number cuts as many pixels off.

    Parameters
    ----------
    x : any shape
    pad : two numbers for each of the last axes
    mode : "constant"; "reflect", the image mirrored in its last pixel; "replicate", that pixel; or
        "circular", the other side
    value : what borders hold in mode "constant", 0 unless given

    Raises
    ------
    ValueError for an odd or too long `pad`, one that cuts all off, another mode, a value where none
    is asked, or a mirror image longer than the image

    Examples
    --------
    >>> import numpy as np
    >>> pad(np.array([1.0, 2.0, 3.0]), (-1, 2), value=9.0)
    array([2., 3., 9., 9.])
    >>> pad(np.array([1.0, 2.0, 3.0]), (2, 0), "reflect")
    array([3., 2., 1., 2., 3.])
    """
    if len(pad) % 2 or len(pad) > 2 * x.ndim or mode not in _MODES:
        raise ValueError(
            f"pad: {tuple(pad)} of {x.shape}, mode {mode!r}; want two numbers for each of the last "
            f"axes and a mode of {sorted(_MODES)}"
        )
    if value is not None and mode != "constant":
        raise ValueError(f"pad: value={value} with mode {mode!r}; want None, or mode 'constant'")
    pairs = list(zip(pad[::2], pad[1::2], strict=True))[::-1]
    width = [(0, 0)] * (x.ndim - len(pairs)) + [(int(a), int(b)) for a, b in pairs]
    _check_width(x, pad, width, mode)
    if mode == "circular":  # what is cut off does not come in on the other side
        return np.pad(_cut(x, width), _borders(width), mode="wrap")
    options = {"constant_values": 0 if value is None else value} if mode == "constant" else {}
    return _cut(np.pad(x, _borders(width), mode=_MODES[mode], **options), width)


def _check_width(x, pad, width, mode):
    """Raise ValueError where nothing is left, or a mirror image would be longer than the image."""
    least = 0 if mode == "constant" else 1
    for n, (a, b) in zip(x.shape, width, strict=True):
        cut_off = max(0, -a) + max(0, -b)
        if min(a, b) < 0 and (n + a + b < least or (n < cut_off and mode == "constant")):
            raise ValueError(f"pad: {tuple(pad)} of {x.shape} cuts all of an axis off; want less")
        room = n - cut_off if mode == "circular" else n
        most = {"reflect": room - 1, "circular": room}.get(mode)
        if most is not None and max(a, b) > max(most, 0):
            raise ValueError(
                f"pad: {tuple(pad)} of {x.shape}: {mode} can add at most the size of the axis"
                f"{' - 1' if mode == 'reflect' else ''}; want less"
            )


def _borders(width):
    return [(max(a, 0), max(b, 0)) for a, b in width]


def _cut(x, width):
    """x without the pixels that negative widths cut off."""
    if min(map(min, width), default=0) >= 0:
        return x
    inside = [slice(max(0, -a), n - max(0, -b)) for n, (a, b) in zip(x.shape, width, strict=True)]
    return x[tuple(inside)]
