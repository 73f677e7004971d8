"""Convolution (strictly: cross-correlation), a linear layer that patches share.

W is `weight` and b `bias` in the formulas. The fast twins multiply whole rows of the image:
`kernels/convolution.py`.
"""

import numpy as np

from ..engine import Array, custom_vjp
from .folding import Size, pair, single, windows
from .kernels import convolution as kernels
from .linear import check_same_dtype

__all__ = [
    "textbook_conv2d",
    "conv2d",
    "conv1d",
    "textbook_conv_transpose2d",
    "conv_transpose2d",
    "conv_transpose1d",
]


def textbook_conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Array:
    """`conv2d` by its definition: the product of each window with the kernel.

    y[n,o,i,j] = b[o] + Σ_{c,k,l} W[o,c,k,l] x[n, c, s i + d k, s j + d l].

    x, padded with zeros: (N, C, H, W), W: (O, C/groups, K, L), b: (O,) → (N, O, H', W').
    """
    N, C, H, V = x.shape
    O, _, K, L = weight.shape
    parts = np.reshape(x, (N, groups, C // groups, H, V))
    W = np.reshape(weight, (groups, O // groups, C // groups, K, L))
    patches = windows(parts, (K, L), stride, padding, dilation)
    y = np.einsum("ngcijkl,gockl->ngoij", patches, W)
    y = np.reshape(y, (N, O, *y.shape[3:]))
    return y if bias is None else y + np.reshape(bias, (1, O, 1, 1))


def textbook_conv_transpose2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Array:
    """`conv_transpose2d` as a convolution of an image with zeros between its pixels.

    y[n, o, s p + d k, s q + d l] += W[c,o,k,l] x[n,c,p,q], then `padding` is cut off. The same:
    conv2d, with W turned by 180°, of x with stride - 1 zeros between its pixels.

    x: (N, C, H, W), W: (C, O/groups, K, L), b: (O,) → (N, O, H', W').
    """
    N, C, H, V = x.shape
    _, narrow, K, L = weight.shape
    (sh, sw), (ph, pw), (dh, dw) = pair(stride), pair(padding), pair(dilation)
    eh, ew = pair(output_padding)
    x = np.pad(np.reshape(x, (N, C, H, 1, V, 1)), [(0, 0)] * 3 + [(0, sh - 1), (0, 0), (0, sw - 1)])
    x = np.reshape(x, (N, C, H * sh, V * sw))[:, :, : (H - 1) * sh + 1, : (V - 1) * sw + 1]
    # how far the kernel reaches, on each side
    fh, fw = dh * (K - 1), dw * (L - 1)
    x = np.pad(x, ((0, 0), (0, 0), (fh, fh + eh), (fw, fw + ew)))
    turned = np.reshape(weight, (groups, C // groups, narrow, K, L))
    turned = np.swapaxes(turned, 1, 2)[..., ::-1, ::-1]
    turned = np.reshape(turned, (groups * narrow, C // groups, K, L))
    y = textbook_conv2d(x, turned, bias, dilation=dilation, groups=groups)
    return y[:, :, ph : y.shape[2] - ph, pw : y.shape[3] - pw]


_conv2d = custom_vjp(textbook_conv2d, kernels.conv, kernels.conv_gradient)
_conv_transpose2d = custom_vjp(
    textbook_conv_transpose2d, kernels.conv_transpose, kernels.conv_transpose_gradient
)


# Two dimensions -----------------------------------------------------------------------------------


def conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Array:
    """The convolution of images: each number of y is a sum over one window of x.

    y[n,o,i,j] = b[o] + Σ_{c,k,l} W[o,c,k,l] x[n, c, s i + d k, s j + d l].

    Options are one number, or two for height and width. With groups, each group of output channels
    sees its own C/groups channels of x.

    Parameters
    ----------
    x : (N, C, H, W), or (C, H, W) without a batch
    weight : (O, C/groups, K, L)
    bias : (O,)
    stride, dilation : steps s from window to window, and d within a window
    padding : zeros around x; "valid" is 0, "same" makes y as large as x (with stride 1)
    groups : into how many parts the channels are divided

    Returns
    -------
    (N, O, H', W') or (O, H', W'), H' = (H + 2 padding - dilation (K - 1) - 1) // stride + 1

    Raises
    ------
    ValueError for shapes and options that do not fit, TypeError for mixed dtypes

    Examples
    --------
    >>> import numpy as np
    >>> image = np.arange(16.0).reshape(1, 1, 4, 4)
    >>> edge = np.array([[[[1.0, -1.0]]]])  # the difference of horizontal neighbours
    >>> conv2d(image, edge)[0, 0, 0]
    array([-1., -1., -1.])
    """
    channels = weight.shape[1] * groups if weight.ndim == 4 else "C"
    _check("conv2d", x, weight, bias, groups, channels, len(weight), ("H", "W"))
    x, padding = _with_border("conv2d", x, weight.shape[2:], stride, padding, dilation)
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return _batched(_conv2d, x, weight, bias, options)


def conv_transpose2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Array:
    """The adjoint of conv2d, plus b: each pixel (p, q) adds its value times the kernel.

    y[n, o, s p + d k, s q + d l] += W[c,o,k,l] x[n,c,p,q], and `padding` is cut off.

    Parameters
    ----------
    x : (N, C, H, W), or (C, H, W) without a batch
    weight : (C, O/groups, K, L)
    bias : (O,)
    stride, padding, dilation, groups : those of the conv2d whose adjoint this is
    output_padding : pixels to add at the end, which that convolution's stride dropped

    Returns
    -------
    (N, O, H', W'), H' = (H - 1) stride - 2 padding + dilation (K - 1) + 1 + output_padding

    Raises
    ------
    ValueError for shapes and options that do not fit, TypeError for mixed dtypes

    Source: Zeiler et al., Deconvolutional networks, 2010.
    """
    outputs = weight.shape[1] * groups if weight.ndim == 4 else 0
    _check("conv_transpose2d", x, weight, bias, groups, len(weight), outputs, ("H", "W"))
    options = {"stride": stride, "padding": padding, "output_padding": output_padding}
    options |= {"groups": groups, "dilation": dilation}
    return _batched(_conv_transpose2d, x, weight, bias, options)


def _batched(operation, x, weight, bias, options):
    """The operation of a batch of images, or of one image (C, H, W)."""
    if x.ndim == 4:
        return operation(x, weight, bias, **options)
    return operation(x[None], weight, bias, **options)[0]


def _with_border(name, x, kernel, stride, padding, dilation):
    """(x, padding as numbers); where "same" needs a zero more at the end, x has it already."""
    if not isinstance(padding, str):
        return x, padding
    if padding == "valid":
        return x, 0
    if padding != "same":
        raise ValueError(f'{name}: padding={padding!r}; want numbers, "valid" or "same"')
    if max(pair(stride)) > 1:
        raise ValueError(f'{name}: padding="same" with stride={stride}; want stride 1, or numbers')
    room = [d * (k - 1) for k, d in zip(kernel, pair(dilation), strict=True)]
    odd = [(0, n % 2) for n in room]
    if any(n % 2 for n in room):
        x = np.pad(x, [(0, 0)] * (x.ndim - 2) + odd)
    return x, tuple(n // 2 for n in room)


def _check(name, x, W, b, groups, C, O, axes):
    rank = len(axes)
    fits = W.ndim == rank + 2 and x.ndim in (rank + 1, rank + 2) and x.shape[-rank - 1] == C
    if not fits or groups < 1 or len(W) % groups:
        one = f"({C}, {', '.join(axes)})"
        raise ValueError(
            f"{name}: input {x.shape}; want (N, {one[1:]} or {one} for weight {W.shape}, "
            f"its first axis divisible by groups={groups}"
        )
    check_same_dtype(name, x, W)
    if b is None:
        return
    if b.shape != (O,):
        raise ValueError(f"{name}: bias {b.shape}; want ({O},), one number for each output channel")
    check_same_dtype(name, b, W, "bias")


# One dimension: images of one row -----------------------------------------------------------------


def conv1d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Array:
    """The convolution of sequences: each number of y is a sum over one window of x.

    y[n,o,i] = b[o] + Σ_{c,k} W[o,c,k] x[n, c, s i + d k], x padded with zeros.

    Parameters
    ----------
    x : (N, C, L), or (C, L) without a batch
    weight : (O, C/groups, K)
    bias : (O,)
    stride, padding, dilation, groups : as of conv2d

    Returns
    -------
    (N, O, L') or (O, L'), L' = (L + 2 padding - dilation (K - 1) - 1) // stride + 1

    Raises
    ------
    ValueError for shapes and options that do not fit, TypeError for mixed dtypes
    """
    channels = weight.shape[1] * groups if weight.ndim == 3 else "C"
    _check("conv1d", x, weight, bias, groups, channels, len(weight), ("L",))
    stride, dilation = single("conv1d", stride=stride, dilation=dilation)
    if not isinstance(padding, str):
        padding = (0, *single("conv1d", padding=padding))
    options = {"stride": (1, stride), "padding": padding, "dilation": (1, dilation)}
    return _one_row(conv2d, x, weight, bias, groups=groups, **options)


def conv_transpose1d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Array:
    """The adjoint of conv1d, plus b: each entry p adds its value times the kernel.

    y[n, o, s p + d k - padding] += W[c,o,k] x[n,c,p].

    Parameters
    ----------
    x : (N, C, L), or (C, L) without a batch
    weight : (C, O/groups, K)
    bias : (O,)
    stride, padding, output_padding, groups, dilation : as of conv_transpose2d

    Returns
    -------
    (N, O, L') or (O, L'), L' = (L - 1) stride - 2 padding + dilation (K - 1) + 1 + output_padding

    Raises
    ------
    ValueError for shapes and options that do not fit, TypeError for mixed dtypes
    """
    outputs = weight.shape[1] * groups if weight.ndim == 3 else 0
    _check("conv_transpose1d", x, weight, bias, groups, len(weight), outputs, ("L",))
    s, p, e, d = single(
        "conv_transpose1d",
        stride=stride,
        padding=padding,
        output_padding=output_padding,
        dilation=dilation,
    )
    options = {"stride": (1, s), "padding": (0, p), "output_padding": (0, e), "dilation": (1, d)}
    return _one_row(conv_transpose2d, x, weight, bias, groups=groups, **options)


def _one_row(function, x, weight, bias, **options):
    y = function(np.expand_dims(x, -2), np.expand_dims(weight, -2), bias, **options)
    return np.squeeze(y, axis=-2)
