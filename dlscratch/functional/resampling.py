"""Images of another size: resampling along each axis by a matrix, pixels regrouped, borders added."""

import numpy as np

__all__ = ["resample", "interpolate", "pixel_shuffle", "pad"]


def resample(x, *matrices):
    """y = A x Bᵀ for the last axes of x: every average over neighbours (pooling, interpolation) is such a map.

    x: (..., H, W), A: (H', H), B: (W', W) → (..., H', W'). Raises TypeError when x does not hold floats.
    """
    if x.dtype.kind != "f":
        raise TypeError(
            f"an average of {x.dtype} is no {x.dtype}; make it float first: x.astype('float32')"
        )
    for axis, A in enumerate(matrices, x.ndim - len(matrices)):
        x = np.moveaxis(np.tensordot(A.astype(x.dtype), x, axes=((1,), (axis,))), 0, axis)
    return x


def interpolate(
    x,
    size=None,
    scale_factor=None,
    mode="nearest",
    align_corners=None,
    recompute_scale_factor=None,
    antialias=False,
):
    """The image seen through a finer or coarser grid: pixel i of the new one lies at u = (i + ½) / scale - ½ in the old one.

    "nearest": y[i] = x[⌊i / scale⌋], exactly (PyTorch rounds in float32, which misses by one pixel in 1 % of the ratios H/H').
    "linear" and "bilinear": y[i] = (1 - λ) x[⌊u⌋] + λ x[⌊u⌋ + 1], λ = u - ⌊u⌋, along each axis; align_corners=True puts
    the corner pixels on each other, u = i (H - 1) / (H' - 1); recompute_scale_factor=True takes the scale from the sizes, H'/H;
    antialias=True (bilinear only) widens the weights' triangle by H/H' where pixels are lost.
    x: (N, C, H, W) → (N, C, H', W'), or (N, C, L) → (N, C, L'). Raises ValueError for another shape or mode, options that do
    not fit it, or unless one of `size` and `scale_factor` is given.
    """
    old, axes = x.shape[2:], x.ndim - 2
    if mode not in {1: ("nearest", "linear"), 2: ("nearest", "bilinear")}.get(axes, ()):
        raise ValueError(
            f"interpolate: input {x.shape} with mode {mode!r}; want (N, C, L) and nearest or linear, "
            "or (N, C, H, W) and nearest or bilinear"
        )
    if (size is None) == (scale_factor is None):
        raise ValueError(
            f"interpolate: size={size}, scale_factor={scale_factor}; want one of the two"
        )
    scales = np.broadcast_to(1 if scale_factor is None else scale_factor, axes).tolist()
    _fitting(mode, size, align_corners, recompute_scale_factor, antialias)
    new = (
        [int(n * s) for n, s in zip(old, scales, strict=True)]
        if size is None
        else np.broadcast_to(size, axes).tolist()
    )
    scale_factor = None if recompute_scale_factor or list(old) == new else scale_factor
    if min(*old, *new) < 1:
        raise ValueError(
            f"interpolate: from {old} to {tuple(new)} leaves no pixels; want sizes of at least 1"
        )
    steps = [
        (n, m) if scale_factor is None else (1, s) for n, m, s in zip(old, new, scales, strict=True)
    ]
    if mode == "nearest":
        for axis, (n, m, (a, b)) in enumerate(zip(old, new, steps, strict=True), 2):
            a, b = (
                (n, m) if m in (n, 2 * n) else (a, b)
            )  # as PyTorch has it, when a factor such as 2.3 gives twice the pixels
            x = (
                _repeat(x, m // n, axis)
                if m % n == 0 and m * a == n * b
                else np.take(x, (np.arange(m) * a // b).astype(int), axis)
            )
        return x
    return resample(
        x,
        *(
            _linear(n, m, a / b, align_corners, antialias)
            for n, m, (a, b) in zip(old, new, steps, strict=True)
        ),
    )


def _fitting(mode, size, align_corners, recompute_scale_factor, antialias):
    if mode == "nearest" and align_corners is not None:
        raise ValueError(
            f"interpolate: align_corners={align_corners} with mode 'nearest'; want None, or mode linear or bilinear"
        )
    if recompute_scale_factor and size is not None:
        raise ValueError(
            f"interpolate: recompute_scale_factor=True with size={size}; want scale_factor in its place"
        )
    if antialias and (mode != "bilinear" or align_corners):
        raise ValueError(
            f"interpolate: antialias=True with mode {mode!r}, align_corners={align_corners}; want bilinear, without corners"
        )


def _repeat(x, times, axis):
    """np.repeat(x, times, axis), whose gradient is a sum of slices here, several times as fast as adding by index."""
    return np.reshape(
        np.stack([x] * times, axis=axis + 1), (*x.shape[:axis], -1, *x.shape[axis + 1 :])
    )


def _linear(n, m, step, align_corners, antialias):
    """The matrix (m, n) of linear interpolation: at most two weights in each row, larger than zero within one pixel of u."""
    u = np.linspace(0, n - 1, m) if align_corners else (np.arange(m) + 0.5) * step - 0.5
    if not antialias:
        return np.maximum(0, 1 - np.abs(np.clip(u, 0, n - 1)[:, None] - np.arange(n)))
    weights = np.maximum(0, 1 - np.abs(u[:, None] - np.arange(n)) / max(1, step))
    return weights / weights.sum(axis=1, keepdims=True)


def pixel_shuffle(x, upscale_factor):
    """y[c, r i + a, r j + b] = x[c r² + a r + b, i, j]: the channels of a pixel become a block of r × r pixels, r = upscale_factor.

    x: (..., C r², H, W) → (..., C, r H, r W). Raises ValueError when r² does not divide the channels. Source: Shi et al. 2016.
    """
    r = upscale_factor
    if x.ndim < 3 or x.shape[-3] % (r * r):
        raise ValueError(
            f"pixel_shuffle: input {x.shape}; want (..., C·{r * r}, H, W) for upscale_factor={r}"
        )
    *N, C, H, W = x.shape
    x = np.reshape(x, (*N, C // (r * r), r, r, H, W))
    n = len(N) + 1
    return np.reshape(
        np.transpose(x, (*range(n), n + 2, n, n + 3, n + 1)), (*N, C // (r * r), H * r, W * r)
    )


_MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad(x, pad, mode="constant", value=None):
    """x with borders: `pad` = (left, right, top, bottom, ...) begins with the last axis, as in PyTorch.

    Borders hold `value`, 0 unless given (constant), the image mirrored in its last pixel (reflect), that pixel (replicate) or the
    other side (circular). Raises ValueError for an odd or too long `pad`, a negative one, another mode, a value where none is
    asked, or a mirror image longer than the image.
    """
    if len(pad) % 2 or len(pad) > 2 * x.ndim or min(pad) < 0 or mode not in _MODES:
        raise ValueError(
            f"pad: {tuple(pad)} of {x.shape}, mode {mode!r}; want two numbers >= 0 for each of the last axes "
            f"and a mode of {sorted(_MODES)}; cut by x[..., a:b]"
        )
    width = [(0, 0)] * (x.ndim - len(pad) // 2) + list(zip(pad[::2], pad[1::2], strict=True))[::-1]
    most = {"reflect": 1, "circular": 0}.get(mode)
    if most is not None and any(
        max(w) > n - most for n, w in zip(x.shape, width, strict=True) if max(w)
    ):
        raise ValueError(
            f"pad: {tuple(pad)} of {x.shape}: {mode} can add at most the size of the axis{' - 1' * most}"
        )
    if value is not None and mode != "constant":
        raise ValueError(f"pad: value={value} with mode {mode!r}; want None, or mode 'constant'")
    options = {"constant_values": 0 if value is None else value} if mode == "constant" else {}
    return np.pad(x, width, mode=_MODES[mode], **options)
