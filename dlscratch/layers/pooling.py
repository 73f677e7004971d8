"""Layers that change the size of images and learn nothing."""

from .. import functional as F
from .function import Function

__all__ = ["MaxPool1d", "MaxPool2d", "AvgPool1d", "AvgPool2d", "AdaptiveAvgPool2d", "Upsample", "PixelShuffle"]


class MaxPool1d(Function):
    """The largest entry of each window.  x: (N, C, L) → (N, C, L'); the stride is the window's size unless given."""

    function, defaults = F.max_pool1d, {"kernel_size": ..., "stride": None, "padding": 0, "dilation": 1}


class MaxPool2d(Function):
    """The largest entry of each window.  x: (N, C, H, W) → (N, C, H', W'); the stride is the window's size unless given."""

    function, defaults = F.max_pool2d, {"kernel_size": ..., "stride": None, "padding": 0, "dilation": 1}


class AvgPool1d(Function):
    """The mean of each window.  x: (N, C, L) → (N, C, L'); zeros in the padding count unless count_include_pad=False."""

    function, defaults = F.avg_pool1d, {"kernel_size": ..., "stride": None, "padding": 0, "count_include_pad": True}


class AvgPool2d(Function):
    """The mean of each window.  x: (N, C, H, W) → (N, C, H', W'); zeros in the padding count unless count_include_pad=False."""

    function, defaults = F.avg_pool2d, {"kernel_size": ..., "stride": None, "padding": 0, "count_include_pad": True}


class AdaptiveAvgPool2d(Function):
    """The means of H' × W' windows that share out the image.  x: (N, C, H, W) → (N, C, H', W'), (H', W') = output_size."""

    function, defaults = F.adaptive_avg_pool2d, {"output_size": ...}


class Upsample(Function):
    """The image on a finer grid, see `interpolate`.  x: (N, C, H, W) → (N, C, H', W'), of `size` or `scale_factor` times as large."""

    function, defaults = F.interpolate, {"size": None, "scale_factor": None, "mode": "nearest", "align_corners": False}


class PixelShuffle(Function):
    """Channels become blocks of r × r pixels.  x: (N, C r², H, W) → (N, C, r H, r W), r = upscale_factor."""

    function, defaults = F.pixel_shuffle, {"upscale_factor": ...}
