"""Convolutional models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import functional as F
from ..engine import Array
from ..layers import (
    BatchNorm2d,
    Conv2d,
    ConvTranspose2d,
    Flatten,
    Linear,
    MaxPool2d,
    Module,
    ReLU,
    Sequential,
)

__all__ = ["LeNet", "ResNet", "UNet"]


class LeNet(Sequential):
    """LeNet-5 as it is written today: (N, 1, 28, 28) → (N, classes).

    ReLU and max pooling stand where the original had tanh and trained averages, and logits of a
    softmax at the end; the first convolution pads by 2 to the original's 32 × 32 pixels.
    Source: LeCun et al. 1998.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch.models import LeNet
    >>> LeNet(rng=0)(np.ones((2, 1, 28, 28), "float32")).shape
    (2, 10)
    """

    def __init__(self, classes: int = 10, *, rng: np.random.Generator | int | None = None):
        rng = np.random.default_rng(rng)
        super().__init__(
            Conv2d(1, 6, 5, padding=2, rng=rng),  # (N, 6, 28, 28)
            ReLU(),
            MaxPool2d(2),  # (N, 6, 14, 14)
            Conv2d(6, 16, 5, rng=rng),  # (N, 16, 10, 10)
            ReLU(),
            MaxPool2d(2),  # (N, 16, 5, 5)
            Flatten(),  # (N, 400)
            Linear(400, 120, rng=rng),
            ReLU(),
            Linear(120, 84, rng=rng),
            ReLU(),
            Linear(84, classes, rng=rng),
        )


class _Block(Module):
    """y = relu(x + f(x)), with two convolutions in f; x is thinned and padded to fit f(x)."""

    def __init__(self, inputs, outputs, stride, rng):
        self.stride = stride
        self.new_channels = outputs - inputs
        self.conv1 = Conv2d(inputs, outputs, 3, stride, padding=1, bias=False, rng=rng)
        self.bn1 = BatchNorm2d(outputs)
        self.conv2 = Conv2d(outputs, outputs, 3, padding=1, bias=False, rng=rng)
        self.bn2 = BatchNorm2d(outputs)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(self._shortcut(x) + y)

    def _shortcut(self, x):
        if self.stride == 1 and self.new_channels == 0:
            return x
        x = x[:, :, :: self.stride, :: self.stride]
        return np.pad(x, ((0, 0), (0, self.new_channels), (0, 0), (0, 0)))


class ResNet(Module):
    """A residual network for small images: (N, channels, H, W) → (N, classes).

    A 3 × 3 convolution, stages of basic blocks, the mean over the image, a Linear layer. Each stage
    after the first halves the image; its shortcut drops every other pixel and adds channels of
    zeros (option A of the paper), so it has no parameters. Source: He et al. 2016.

    Parameters
    ----------
    blocks_per_stage, widths : the number of blocks in each stage, and of its channels.
    classes, channels : of the output, and of the images.
    rng : draws the weights.

    Raises
    ------
    ValueError unless there is one number of blocks per width, and no width is below the last.

    Examples
    --------
    ResNet-20 for CIFAR-10:

    >>> import numpy as np
    >>> from dlscratch.models import ResNet
    >>> model = ResNet((3, 3, 3), (16, 32, 64), 10, rng=0)
    >>> sum(p.size for p in model.parameters())
    269722
    >>> model(np.ones((2, 3, 32, 32), "float32")).shape
    (2, 10)
    """

    def __init__(
        self,
        blocks_per_stage: Sequence[int],
        widths: Sequence[int],
        classes: int,
        channels: int = 3,
        *,
        rng: np.random.Generator | int | None = None,
    ):
        as_many = len(blocks_per_stage) == len(widths)
        some_in_each = min(blocks_per_stage, default=0) >= 1
        wider_and_wider = list(widths) == sorted(widths)
        if not (as_many and some_in_each and wider_and_wider):
            raise ValueError(
                f"ResNet: blocks {blocks_per_stage}, widths {widths}; "
                "want as many, blocks from 1 and no width below the last"
            )
        rng = np.random.default_rng(rng)
        width = widths[0]
        self.conv = Conv2d(channels, width, 3, padding=1, bias=False, rng=rng)
        self.bn = BatchNorm2d(width)
        self.blocks = []
        for stage, (count, outputs) in enumerate(zip(blocks_per_stage, widths, strict=True)):
            for k in range(count):
                halves = stage > 0 and k == 0
                self.blocks.append(_Block(width, outputs, 2 if halves else 1, rng))
                width = outputs
        self.head = Linear(width, classes, rng=rng)

    def forward(self, x: Array) -> Array:
        """The logits of images."""
        x = F.relu(self.bn(self.conv(x)))  # (N, widths[0], H, W)
        for block in self.blocks:
            x = block(x)
        x = np.mean(x, axis=(2, 3))  # (N, widths[-1])
        return self.head(x)  # (N, classes)


class UNet(Module):
    """One prediction a pixel: (N, channels, H, W) → (N, classes, H, W).

    `depth` halvings of the image, as many doublings, and a shortcut across at each size. Channels
    are width · 2^level. Convolutions are padded, so that the output is as large as the input; the
    original's are not. Raises ValueError unless 2^depth divides H and W.
    Source: Ronneberger et al. 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch.models import UNet
    >>> model = UNet(channels=1, classes=2, width=4, depth=2, rng=0)
    >>> model(np.ones((3, 1, 16, 8), "float32")).shape
    (3, 2, 16, 8)
    """

    def __init__(
        self,
        channels: int,
        classes: int,
        width: int,
        depth: int,
        *,
        rng: np.random.Generator | int | None = None,
    ):
        rng = np.random.default_rng(rng)
        widths = [width << level for level in range(depth + 1)]
        upwards = widths[-2::-1]
        self.down = [
            _two_convolutions(inputs, outputs, rng)
            for inputs, outputs in zip([channels, *widths], widths, strict=False)
        ]
        self.up = [ConvTranspose2d(2 * w, w, 2, stride=2, rng=rng) for w in upwards]
        self.merge = [_two_convolutions(2 * w, w, rng) for w in upwards]
        self.head = Conv2d(width, classes, 1, rng=rng)

    def forward(self, x: Array) -> Array:
        """The logits of each pixel."""
        self._check(np.shape(x))
        x = self.down[0](x)  # (N, width, H, W)
        passed = []
        for block in self.down[1:]:
            passed.append(x)
            x = block(F.max_pool2d(x, 2))  # half the image, twice the channels
        for up, merge in zip(self.up, self.merge, strict=True):
            x = np.concatenate([passed.pop(), up(x)], axis=1)
            x = merge(x)  # twice the image, half the channels
        return self.head(x)  # (N, classes, H, W)

    def _check(self, shape):
        factor = 2 ** len(self.up)
        if len(shape) != 4 or any(size % factor for size in shape[2:]):
            raise ValueError(
                f"UNet: input {shape}; want (N, C, H, W) with H and W divisible by {factor}; pad it"
            )


def _two_convolutions(inputs, outputs, rng):
    return Sequential(
        Conv2d(inputs, outputs, 3, padding=1, rng=rng),
        ReLU(),
        Conv2d(outputs, outputs, 3, padding=1, rng=rng),
        ReLU(),
    )
