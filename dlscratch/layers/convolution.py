"""Layers for images."""

import math

import numpy as np

from .. import functional as F
from .. import initializers
from ..functional.convolution import pair
from .module import Module
from .parameters import Parameter

__all__ = ["Conv2d", "MaxPool2d"]


class Conv2d(Module):
    """y = W ⋆ x + b.  x: (N, C, H, W) → (N, O, H', W'), H' = (H + 2 padding - kernel) // stride + 1; weight: (O, C, K, K).

    Both start uniform in ±1/√(C K K), as in PyTorch. Raises ValueError for another number of channels or a kernel larger than the image.
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, bias=True, *, rng=None):
        rng = np.random.default_rng(rng)
        shape = (out_channels, in_channels, *pair(kernel_size))
        bound = 1 / math.sqrt(math.prod(shape[1:]))
        self.stride, self.padding = pair(stride), pair(padding)
        self.weight = Parameter(initializers.uniform(rng, shape, -bound, bound))
        self.bias = Parameter(initializers.uniform(rng, (out_channels,), -bound, bound)) if bias else None

    def forward(self, x):
        O, C, K, L = self.weight.shape
        if x.ndim != 4 or x.shape[1] != C:
            raise ValueError(f"Conv2d({C}→{O}): input {x.shape}; want (N, {C}, H, W)")
        if x.shape[2] + 2 * self.padding[0] < K or x.shape[3] + 2 * self.padding[1] < L:
            raise ValueError(f"Conv2d({C}→{O}): the kernel {(K, L)} is larger than the padded image {x.shape[2:]}; pad more")
        bias = () if self.bias is None else (self.bias,)
        return F.conv2d(x, self.weight, *bias, stride=self.stride, padding=self.padding)


class MaxPool2d(Module):
    """The largest entry of each window.  x: (N, C, H, W) → (N, C, H', W'); the stride is the window's size unless given."""

    def __init__(self, kernel_size, stride=None):
        self.kernel_size, self.stride = kernel_size, stride

    def forward(self, x):
        if x.ndim != 4:
            raise ValueError(f"MaxPool2d: input {x.shape}; want (N, C, H, W)")
        return F.max_pool2d(x, size=self.kernel_size, stride=self.stride)
