"""Convolutions as layers. Weights and biases start uniform in ±1/√fan_in, fan_in = weight[0].size, as in PyTorch."""

import math

import numpy as np

from .. import functional as F
from .. import initializers
from .module import Module
from .parameters import Parameter

__all__ = ["Conv1d", "Conv2d", "ConvTranspose1d", "ConvTranspose2d"]


class _Convolution(Module):
    """What the four share; a subclass names the function, how many axes its kernel has and what begins its weight's shape."""

    rank, function, channels = (
        None,
        None,
        lambda self: (self.out_channels, self.in_channels // self.groups),
    )

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        groups=1,
        bias=True,
        padding_mode="zeros",
        *,
        rng=None,
    ):
        if (
            min(in_channels, out_channels, groups) < 1
            or in_channels % groups
            or out_channels % groups
        ):
            raise ValueError(
                f"{type(self).__name__}({in_channels}→{out_channels}): groups={groups} must divide both; all are at least 1"
            )
        if np.min(kernel_size) < 1:
            raise ValueError(
                f"{type(self).__name__}({in_channels}→{out_channels}): kernel_size={kernel_size}; want at least 1"
            )
        rng = np.random.default_rng(rng)
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.stride, self.padding, self.dilation = stride, padding, dilation
        self.kernel_size = tuple(np.broadcast_to(kernel_size, self.rank).tolist())
        self.padding_mode = padding_mode
        self._border = self._around()
        shape = (*self.channels(), *self.kernel_size)
        bound = 1 / math.sqrt(math.prod(shape[1:]))
        self.weight = Parameter(initializers.uniform(rng, shape, -bound, bound))
        self.bias = (
            Parameter(initializers.uniform(rng, (out_channels,), -bound, bound)) if bias else None
        )

    def _around(self):
        """What F.pad puts around x first: where the padding is "same" (y as large as x) or not of zeros; else None."""
        if self.padding == "valid":
            self.padding = 0
        if self.padding != "same" and self.padding_mode == "zeros":
            return None
        if self.padding != "same":
            return tuple(
                p for n in np.broadcast_to(self.padding, self.rank).tolist()[::-1] for p in (n, n)
            )
        if np.any(np.not_equal(self.stride, 1)):
            raise ValueError(
                f'{self}: padding="same" with stride={self.stride}; want stride 1, or a number of zeros'
            )
        room = [
            d * (k - 1)
            for k, d in zip(
                self.kernel_size, np.broadcast_to(self.dilation, self.rank).tolist(), strict=True
            )
        ]
        return tuple(p for n in room[::-1] for p in (n // 2, n - n // 2))

    def options(self):
        options = {
            name: getattr(self, name) for name in ("stride", "padding", "dilation", "groups")
        }
        return options if self._border is None else options | {"padding": 0}

    def forward(self, x):
        if self._border is not None:
            x = F.pad(
                x, self._border, "constant" if self.padding_mode == "zeros" else self.padding_mode
            )
        return self.function(x, self.weight, self.bias, **self.options())

    def __repr__(self):
        return f"{type(self).__name__}({self.in_channels}→{self.out_channels}, {'×'.join(map(str, self.kernel_size))})"


class Conv1d(_Convolution):
    """y = W ⋆ x + b.  x: (N, C, L) → (N, O, L'), L' = (L + 2 padding - dilation (K - 1) - 1) // stride + 1; weight: (O, C/groups, K).

    Raises ValueError for groups that do not divide the channels, another shape of x, or a kernel larger than the padded x.
    """

    rank, function = 1, staticmethod(F.conv1d)


class Conv2d(_Convolution):
    """y = W ⋆ x + b.  x: (N, C, H, W) → (N, O, H', W'), H' = (H + 2 padding - dilation (K - 1) - 1) // stride + 1.

    weight: (O, C/groups, K, K). padding="same" keeps H and W; padding_mode is one of F.pad's. Raises ValueError as Conv1d does.
    """

    rank, function = 2, staticmethod(F.conv2d)


class _ConvTranspose(_Convolution):
    channels = lambda self: (self.in_channels, self.out_channels // self.groups)

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        output_padding=0,
        groups=1,
        bias=True,
        dilation=1,
        padding_mode="zeros",
        *,
        rng=None,
    ):
        if padding_mode != "zeros":
            raise ValueError(
                f"{type(self).__name__}: padding_mode={padding_mode!r}; want 'zeros', the only one that has an adjoint here"
            )
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, rng=rng
        )
        self.output_padding = output_padding

    def options(self):
        return super().options() | {"output_padding": self.output_padding}


class ConvTranspose1d(_ConvTranspose):
    """The adjoint of Conv1d, plus b.  x: (N, C, L) → (N, O, L'), L' = (L - 1) stride - 2 padding + dilation (K - 1) + 1 + output_padding.

    weight: (C, O/groups, K). Raises ValueError for groups that do not divide the channels, or another shape of x.
    """

    rank, function = 1, staticmethod(F.conv_transpose1d)


class ConvTranspose2d(_ConvTranspose):
    """The adjoint of Conv2d, plus b.  x: (N, C, H, W) → (N, O, H', W'), sizes as in ConvTranspose1d; weight: (C, O/groups, K, K)."""

    rank, function = 2, staticmethod(F.conv_transpose2d)
