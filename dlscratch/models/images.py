"""Convolutional models."""

import numpy as np

from .. import functional as F
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
    """LeNet-5 as it is written today: ReLU and max pooling where the original had tanh and trained averages, and softmax logits.

    x: (N, 1, 28, 28) → (N, classes); the first convolution pads by 2 to the 32 × 32 of the original. Source: LeCun et al. 1998.
    """

    def __init__(self, classes=10, *, rng=None):
        rng = np.random.default_rng(rng)
        super().__init__(
            Conv2d(1, 6, 5, padding=2, rng=rng),
            ReLU(),
            MaxPool2d(2),
            Conv2d(6, 16, 5, rng=rng),
            ReLU(),
            MaxPool2d(2),
            Flatten(),
            Linear(400, 120, rng=rng),
            ReLU(),
            Linear(120, 84, rng=rng),
            ReLU(),
            Linear(84, classes, rng=rng),
        )


class _Block(Module):
    """y = relu(x + f(x)), f being convolution, normalization, relu, convolution, normalization; x is thinned and padded to fit f."""

    def __init__(self, inputs, outputs, stride, rng):
        self.stride, self.more = stride, outputs - inputs
        self.conv1, self.bn1 = (
            Conv2d(inputs, outputs, 3, stride, padding=1, bias=False, rng=rng),
            BatchNorm2d(outputs),
        )
        self.conv2, self.bn2 = (
            Conv2d(outputs, outputs, 3, padding=1, bias=False, rng=rng),
            BatchNorm2d(outputs),
        )

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.stride > 1 or self.more:
            x = np.pad(
                x[:, :, :: self.stride, :: self.stride], ((0, 0), (0, self.more), (0, 0), (0, 0))
            )
        return F.relu(x + y)


class ResNet(Module):
    """A residual network for small images: a 3 × 3 convolution, stages of basic blocks, the mean over the image, a Linear layer.

    Each stage after the first halves the image; its shortcut drops every other pixel and adds channels of zeros (option A of the
    paper), so it has no parameters. ResNet-20 for CIFAR-10: ResNet((3, 3, 3), (16, 32, 64), 10).  x: (N, channels, H, W) →
    (N, classes). Raises ValueError unless there is one number of blocks per width and widths grow. Source: He et al. 2016.
    """

    def __init__(self, blocks_per_stage, widths, classes, channels=3, *, rng=None):
        if (
            len(blocks_per_stage) != len(widths)
            or list(widths) != sorted(widths)
            or min(blocks_per_stage, default=0) < 1
        ):
            raise ValueError(
                f"ResNet: blocks {blocks_per_stage}, widths {widths}; want as many, blocks from 1 and no width below the last"
            )
        rng, width = np.random.default_rng(rng), widths[0]
        self.conv, self.bn, self.blocks = (
            Conv2d(channels, width, 3, padding=1, bias=False, rng=rng),
            BatchNorm2d(width),
            [],
        )
        for stage, (count, outputs) in enumerate(zip(blocks_per_stage, widths)):
            for k in range(count):
                self.blocks.append(_Block(width, outputs, 2 if stage and k == 0 else 1, rng))
                width = outputs
        self.head = Linear(width, classes, rng=rng)

    def forward(self, x):
        """The logits of images."""
        x = F.relu(self.bn(self.conv(x)))
        for block in self.blocks:
            x = block(x)
        return self.head(np.mean(x, axis=(2, 3)))


def _double(inputs, outputs, rng):
    return Sequential(
        Conv2d(inputs, outputs, 3, padding=1, rng=rng),
        ReLU(),
        Conv2d(outputs, outputs, 3, padding=1, rng=rng),
        ReLU(),
    )


class UNet(Module):
    """One prediction a pixel: `depth` halvings of the image, as many doublings, and a shortcut across at each size.

    Convolutions are padded, so that the output is as large as the input; the original's are not. Channels are width · 2^level.
    x: (N, channels, H, W) → (N, classes, H, W). Raises ValueError unless 2^depth divides H and W. Source: Ronneberger et al. 2015.
    """

    def __init__(self, channels, classes, width, depth, *, rng=None):
        rng, widths = np.random.default_rng(rng), [width << level for level in range(depth + 1)]
        self.down = [_double(n, m, rng) for n, m in zip([channels, *widths], widths)]
        self.up = [ConvTranspose2d(2 * w, w, 2, stride=2, rng=rng) for w in widths[-2::-1]]
        self.merge = [_double(2 * w, w, rng) for w in widths[-2::-1]]
        self.head = Conv2d(width, classes, 1, rng=rng)

    def forward(self, x):
        """The logits of each pixel."""
        if x.ndim != 4 or any(n % 2 ** len(self.up) for n in x.shape[2:]):
            raise ValueError(
                f"UNet: input {x.shape}; want (N, C, H, W) with H and W divisible by {2 ** len(self.up)}; pad it"
            )
        x, passed = self.down[0](x), []
        for block in self.down[1:]:
            passed.append(x)
            x = block(F.max_pool2d(x, 2))
        for up, merge in zip(self.up, self.merge):
            x = merge(np.concatenate([passed.pop(), up(x)], axis=1))
        return self.head(x)
