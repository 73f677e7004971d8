"""Layers that change the size of images and learn nothing."""

from .. import functional as F
from .function import Function

__all__ = [
    "MaxPool1d",
    "MaxPool2d",
    "AvgPool1d",
    "AvgPool2d",
    "AdaptiveAvgPool2d",
    "Upsample",
    "PixelShuffle",
]


class MaxPool1d(Function):
    """The largest entry of each window.  x: (N, C, L) → (N, C, L'); the stride is the window's size unless given."""

    function, options = F.max_pool1d, "kernel_size stride padding dilation return_indices ceil_mode"


class MaxPool2d(Function):
    """The largest entry of each window.  x: (N, C, H, W) → (N, C, H', W'); the stride is the window's size unless given."""

    function, options = F.max_pool2d, "kernel_size stride padding dilation return_indices ceil_mode"


class AvgPool1d(Function):
    """The mean of each window.  x: (N, C, L) → (N, C, L'); zeros in the padding count unless count_include_pad=False."""

    function, options = F.avg_pool1d, "kernel_size stride padding ceil_mode count_include_pad"


class AvgPool2d(Function):
    """The mean of each window.  x: (N, C, H, W) → (N, C, H', W'); zeros in the padding count unless count_include_pad=False."""

    function, options = (
        F.avg_pool2d,
        "kernel_size stride padding ceil_mode count_include_pad divisor_override",
    )


class AdaptiveAvgPool2d(Function):
    """The means of H' × W' windows that share out the image.  x: (N, C, H, W) → (N, C, H', W'), (H', W') = output_size."""

    function, options = F.adaptive_avg_pool2d, "output_size"


class Upsample(Function):
    """The image on a finer grid, see `interpolate`.  x: (N, C, H, W) → (N, C, H', W'), of `size` or `scale_factor` times as large."""

    function, options = F.interpolate, "size scale_factor mode align_corners recompute_scale_factor"


class PixelShuffle(Function):
    """Channels become blocks of r × r pixels.  x: (N, C r², H, W) → (N, C, r H, r W), r = upscale_factor."""

    function, options = F.pixel_shuffle, "upscale_factor"
