"""Convolutions as layers.

Weights and biases start uniform in ±1/√fan_in, fan_in = weight[0].size, as in PyTorch.
"""

import math

import numpy as np

from .. import functional as F
from .. import initializers
from ..engine import Array, Tensor
from ..functional.folding import Size
from ..functional.linear import check_same_dtype
from .module import Module
from .parameters import Parameter

__all__ = ["Conv1d", "Conv2d", "ConvTranspose1d", "ConvTranspose2d"]


_PADDING_MODES = "zeros reflect replicate circular".split()


class _Convolution(Module):
    """What the four share. A subclass names its function, and how many axes its kernel has."""

    rank: int
    function = None

    in_channels: int
    out_channels: int
    kernel_size: tuple
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size | str = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        rng: np.random.Generator | int | None = None,
    ):
        name = f"{type(self).__name__}({in_channels}→{out_channels})"
        divided = groups >= 1 and in_channels % groups == out_channels % groups == 0
        if min(in_channels, out_channels) < 1 or not divided:
            raise ValueError(f"{name}: groups={groups} must divide both; want all at least 1")
        if np.min(kernel_size) < 1:
            raise ValueError(f"{name}: kernel_size={kernel_size}; want at least 1")
        if padding_mode not in _PADDING_MODES:
            raise ValueError(f"{name}: padding mode {padding_mode!r}; want one of {_PADDING_MODES}")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.groups = groups
        self.stride = stride
        self.padding = 0 if isinstance(padding, str) and padding == "valid" else padding
        self.dilation = dilation
        self.kernel_size = tuple(np.broadcast_to(kernel_size, self.rank).tolist())
        self.padding_mode = padding_mode
        self._border = self._border_for_pad()
        rng = np.random.default_rng(rng)
        shape = (*self._channels(), *self.kernel_size)
        bound = 1 / math.sqrt(math.prod(shape[1:]))
        self.weight = Parameter(initializers.uniform(rng, shape, -bound, bound))
        self.bias = None
        if bias:
            self.bias = Parameter(initializers.uniform(rng, (out_channels,), -bound, bound))

    def _channels(self):
        """What begins the shape of the weight."""
        return self.out_channels, self.in_channels // self.groups

    def _border_for_pad(self):
        """What F.pad puts around x first, last axis first; None where it is not needed."""
        if isinstance(self.padding, str):
            return self._border_of_same_size()
        if self.padding_mode == "zeros":
            return None
        widths = np.broadcast_to(self.padding, self.rank).tolist()
        return tuple(n for n in widths[::-1] for _ in range(2))

    def _border_of_same_size(self):
        """The border with which y is as large as x."""
        if self.padding != "same":
            raise ValueError(f'{self}: padding={self.padding!r}; want numbers, "valid" or "same"')
        if np.any(np.not_equal(self.stride, 1)):
            raise ValueError(
                f'{self}: padding="same" with stride={self.stride}; '
                "want stride 1, or a number of zeros"
            )
        dilations = np.broadcast_to(self.dilation, self.rank).tolist()
        room = [d * (k - 1) for k, d in zip(self.kernel_size, dilations, strict=True)]
        return tuple(p for n in room[::-1] for p in (n // 2, n - n // 2))

    def _options(self):
        return {
            "stride": self.stride,
            "padding": self.padding if self._border is None else 0,
            "dilation": self.dilation,
            "groups": self.groups,
        }

    def forward(self, x: Array) -> Tensor:
        """The convolution of a batch (N, C, ...), or of one example (C, ...)."""
        weight = self.weight  # read once: a parametrization may compute it anew each time
        self._check(x, weight)
        if self._border is not None:
            mode = "constant" if self.padding_mode == "zeros" else self.padding_mode
            x = F.pad(x, self._border, mode)
        return self.function(x, weight, self.bias, **self._options())

    def _check(self, x, weight):
        has_channels = x.ndim in (self.rank + 1, self.rank + 2)
        if not has_channels or x.shape[-self.rank - 1] != self.in_channels:
            shape = f"{self.in_channels}, {('L', 'H, W')[self.rank - 1]}"
            raise ValueError(f"{self}: input {x.shape}; want (N, {shape}) or ({shape})")
        check_same_dtype(self, x, weight)

    def __repr__(self):
        size = "×".join(map(str, self.kernel_size))
        return f"{type(self).__name__}({self.in_channels}→{self.out_channels}, {size})"


class Conv1d(_Convolution):
    """The convolution of sequences with learned kernels, y = W ⋆ x + b.

    x: (N, C, L) → (N, O, L'), or without N; weight: (O, C/groups, K).

    L' = (L + 2 padding - dilation (K - 1) - 1) // stride + 1. Options are those of F.conv1d and of
    Conv2d. Raises ValueError for groups that do not divide the channels, another shape of x, or a
    kernel larger than the padded x.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layer = layers.Conv1d(2, 8, kernel_size=3, padding=1, rng=0)
    >>> layer(np.ones((4, 2, 10), "float32")).shape
    (4, 8, 10)
    """

    rank = 1
    function = staticmethod(F.conv1d)


class Conv2d(_Convolution):
    """The convolution of images with learned kernels, y = W ⋆ x + b.

    x: (N, C, H, W) → (N, O, H', W'), or without N; weight: (O, C/groups, K, K).

    H' = (H + 2 padding - dilation (K - 1) - 1) // stride + 1. Options are one number, or two
    for height and width.

    Parameters
    ----------
    in_channels, out_channels : C and O
    kernel_size : K
    stride, padding, dilation, groups : as of F.conv2d; padding="same" keeps H and W
    bias : whether there is a b
    padding_mode : "zeros", or one of F.pad's
    rng : what draws the first weights

    Raises
    ------
    ValueError for groups that do not divide the channels, another shape of x, or a kernel
    larger than the padded x

    Examples
    --------
    >>> import numpy as np
    >>> layer = Conv2d(3, 8, kernel_size=3, padding=1, rng=0)
    >>> layer(np.ones((2, 3, 28, 28), "float32")).shape
    (2, 8, 28, 28)
    """

    rank = 2
    function = staticmethod(F.conv2d)


class _ConvTranspose(_Convolution):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        output_padding: Size = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Size = 1,
        padding_mode: str = "zeros",
        *,
        rng: np.random.Generator | int | None = None,
    ):
        name = type(self).__name__
        if padding_mode != "zeros":
            raise ValueError(
                f"{name}: padding_mode={padding_mode!r}; "
                "want 'zeros', the only one with an adjoint here"
            )
        if isinstance(padding, str):
            raise ValueError(f"{name}: padding={padding!r}; want numbers")
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, rng=rng
        )
        self.output_padding = output_padding

    def _channels(self):
        return self.in_channels, self.out_channels // self.groups

    def _options(self):
        return super()._options() | {"output_padding": self.output_padding}


class ConvTranspose1d(_ConvTranspose):
    """The adjoint of Conv1d, plus b: it makes sequences longer by its stride.

    x: (N, C, L) → (N, O, L'), or without N; weight: (C, O/groups, K).

    L' = (L - 1) stride - 2 padding + dilation (K - 1) + 1 + output_padding. Raises ValueError for
    groups that do not divide the channels, or another shape of x.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layer = layers.ConvTranspose1d(8, 2, kernel_size=2, stride=2, rng=0)
    >>> layer(np.ones((4, 8, 10), "float32")).shape
    (4, 2, 20)
    """

    rank = 1
    function = staticmethod(F.conv_transpose1d)


class ConvTranspose2d(_ConvTranspose):
    """The adjoint of Conv2d, plus b: it makes images larger by its stride.

    x: (N, C, H, W) → (N, O, H', W'), or without N; weight: (C, O/groups, K, K).

    H' = (H - 1) stride - 2 padding + dilation (K - 1) + 1 + output_padding. Options and errors
    as of ConvTranspose1d.

    Examples
    --------
    >>> import numpy as np
    >>> layer = ConvTranspose2d(8, 3, kernel_size=2, stride=2, rng=0)
    >>> layer(np.ones((1, 8, 14, 14), "float32")).shape
    (1, 3, 28, 28)
    """

    rank = 2
    function = staticmethod(F.conv_transpose2d)
