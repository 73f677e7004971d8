"""Layers that change the size of images and learn nothing.

A batch may be left out: (C, H, W).
"""

from .. import functional as F
from .function import Function

__all__ = [
    "MaxPool1d",
    "MaxPool2d",
    "AvgPool1d",
    "AvgPool2d",
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "Upsample",
    "PixelShuffle",
]


class MaxPool1d(Function):
    """The largest entry of each window.

    x: (N, C, L) → (N, C, L'); options as of F.max_pool1d.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layers.MaxPool1d(2)(np.array([[[1.0, 5.0, 2.0, 0.0]]]))
    array([[[5., 2.]]])
    """

    function = F.max_pool1d
    options = "kernel_size stride padding dilation return_indices ceil_mode"


class MaxPool2d(Function):
    """The largest entry of each window.

    x: (N, C, H, W) → (N, C, H', W'); options as of F.max_pool2d.

    Examples
    --------
    >>> import numpy as np
    >>> MaxPool2d(2)(np.arange(16.0).reshape(1, 1, 4, 4))[0, 0]
    array([[ 5.,  7.],
           [13., 15.]])
    """

    function = F.max_pool2d
    options = "kernel_size stride padding dilation return_indices ceil_mode"


class AvgPool1d(Function):
    """The mean of each window.

    x: (N, C, L) → (N, C, L'); options as of F.avg_pool1d.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layers.AvgPool1d(2)(np.array([[[1.0, 5.0, 2.0, 0.0]]]))
    array([[[3., 1.]]])
    """

    function = F.avg_pool1d
    options = "kernel_size stride padding ceil_mode count_include_pad"


class AvgPool2d(Function):
    """The mean of each window.

    x: (N, C, H, W) → (N, C, H', W'); options as of F.avg_pool2d.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layers.AvgPool2d(2)(np.arange(16.0).reshape(1, 1, 4, 4))[0, 0]
    array([[ 2.5,  4.5],
           [10.5, 12.5]])
    """

    function = F.avg_pool2d
    options = "kernel_size stride padding ceil_mode count_include_pad divisor_override"


class AdaptiveAvgPool1d(Function):
    """The means of L' windows that share out the sequence.

    x: (N, C, L) → (N, C, output_size).

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layers.AdaptiveAvgPool1d(2)(np.array([[[1.0, 5.0, 2.0, 0.0]]]))
    array([[[3., 1.]]])
    """

    function = F.adaptive_avg_pool1d
    options = "output_size"


class AdaptiveAvgPool2d(Function):
    """The means of H' × W' windows that share out the image.

    x: (N, C, H, W) → (N, C, *output_size).

    Examples
    --------
    >>> import numpy as np
    >>> AdaptiveAvgPool2d(1)(np.ones((2, 3, 5, 7))).shape  # one mean for each channel
    (2, 3, 1, 1)
    """

    function = F.adaptive_avg_pool2d
    options = "output_size"


class Upsample(Function):
    """The image on a finer grid, `scale_factor` times as large or of a `size`: F.interpolate.

    x: (N, C, H, W) → (N, C, H', W'), or (N, C, L) → (N, C, L').

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layers.Upsample(scale_factor=2)(np.array([[[[1.0, 2.0]]]]))[0, 0]
    array([[1., 1., 2., 2.],
           [1., 1., 2., 2.]])
    """

    function = F.interpolate
    options = "size scale_factor mode align_corners recompute_scale_factor"


class PixelShuffle(Function):
    """The image r times as large: r² channels become blocks of r × r pixels.

    x: (N, C r², H, W) → (N, C, r H, r W), r = upscale_factor.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layers.PixelShuffle(2)(np.arange(4.0).reshape(1, 4, 1, 1))[0, 0]
    array([[0., 1.],
           [2., 3.]])
    """

    function = F.pixel_shuffle
    options = "upscale_factor"
