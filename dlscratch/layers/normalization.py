"""Normalization layers."""

import numpy as np

from .. import functional as F
from ..engine import default_dtype
from .module import Module
from .parameters import Parameter

__all__ = [
    "LayerNorm",
    "RMSNorm",
    "BatchNorm1d",
    "BatchNorm2d",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "GroupNorm",
]


def _affine(module, shape, wanted=True, bias=True):
    """Give the module weight = 1 and bias = 0, or None."""
    module.weight = Parameter(np.ones(shape, default_dtype())) if wanted else None
    module.bias = Parameter(np.zeros(shape, default_dtype())) if wanted and bias else None


class LayerNorm(Module):
    """y = (x - mean) / √(var + eps) · weight + bias over the last axes, `normalized_shape` (an int or a tuple).  x: (N, ..., D)."""

    def __init__(self, normalized_shape, eps=1e-5, elementwise_affine=True, bias=True):
        self.normalized_shape = (
            (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        )
        self.eps = eps
        _affine(self, self.normalized_shape, elementwise_affine, bias)

    def forward(self, x):
        return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)


class RMSNorm(LayerNorm):
    """y = x / √(mean x² + eps) · weight over the last axes, `normalized_shape`; eps is the dtype's unless given.  x: (N, ..., D)."""

    def __init__(self, normalized_shape, eps=None, elementwise_affine=True):
        super().__init__(normalized_shape, eps, elementwise_affine, bias=False)

    def forward(self, x):
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)


class _Channels(Module):
    """What layers on the axis of channels share: the check of the input; a subclass names its numbers of axes."""

    axes = {2: "(N, {C})", 3: "(N, {C}, L)", 4: "(N, {C}, H, W)"}

    def _checked(self, x):
        if x.ndim not in self.ranks or x.shape[1] != self.num_features:
            want = " or ".join(self.axes[n].format(C=self.num_features) for n in self.ranks)
            raise ValueError(
                f"{type(self).__name__}({self.num_features}): input {x.shape}; want {want}"
            )
        return x


class BatchNorm1d(_Channels):
    """y = (x - mean) / √(var + eps) · weight + bias for each channel, over the batch.  x: (N, C) or (N, C, L).

    In evaluation mean and var are running averages r ← (1 - momentum) r + momentum · batch, the variance unbiased;
    of all batches alike if momentum=None; those of the batch itself if not track_running_stats.
    """

    ranks = (2, 3)

    def __init__(
        self,
        num_features,
        eps=1e-5,
        momentum=0.1,
        affine=True,
        track_running_stats=True,
        *,
        bias=True,
    ):
        if momentum is not None and not 0 <= momentum <= 1:
            raise ValueError(
                f"{type(self).__name__}({num_features}): momentum={momentum}; want 0 to 1, the weight of the new, or None"
            )
        self.num_features, self.eps, self.momentum, self.track_running_stats = (
            num_features,
            eps,
            momentum,
            track_running_stats,
        )
        _affine(self, num_features, affine, bias)
        self.running_mean = np.zeros(num_features, default_dtype()) if track_running_stats else None
        self.running_var = np.ones(num_features, default_dtype()) if track_running_stats else None
        self.num_batches_tracked = np.array(0) if track_running_stats else None

    def forward(self, x):
        own, counted, momentum = (
            self.training or not self.track_running_stats,
            self.training and self.track_running_stats,
            self.momentum,
        )
        if counted and momentum is None:
            momentum = 1 / (1 + float(self.num_batches_tracked))
        running = self.running_mean, self.running_var
        y = F.batch_norm(
            self._checked(x), *running, self.weight, self.bias, own, momentum, self.eps
        )
        if counted:  # last: a batch that was refused does not count
            self.num_batches_tracked += 1
        return y


class BatchNorm2d(BatchNorm1d):
    """BatchNorm1d for images: each channel normalized over the batch and all pixels.  x: (N, C, H, W)."""

    ranks = (4,)


class InstanceNorm1d(BatchNorm1d):
    """y = (x - mean) / √(var + eps) [· weight + bias], each channel of each example by itself.  x: (N, C, L).

    With track_running_stats in evaluation mean and var are running averages, as in BatchNorm1d; momentum=None leaves them.
    """

    ranks = (3,)

    def __init__(
        self,
        num_features,
        eps=1e-5,
        momentum=0.1,
        affine=False,
        track_running_stats=False,
        *,
        bias=True,
    ):
        super().__init__(num_features, eps, momentum, affine, track_running_stats, bias=bias)

    def forward(self, x):
        own = self.training or not self.track_running_stats
        running = self.running_mean, self.running_var
        return F.instance_norm(
            self._checked(x), *running, self.weight, self.bias, own, self.momentum or 0.0, self.eps
        )


class InstanceNorm2d(InstanceNorm1d):
    """InstanceNorm1d for images.  x: (N, C, H, W)."""

    ranks = (4,)


class GroupNorm(_Channels):
    """y = (x - mean) / √(var + eps) · weight + bias over each group of channels of each example.  x: (N, C), (N, C, L) or (N, C, H, W)."""

    ranks = (2, 3, 4)

    def __init__(self, num_groups, num_channels, eps=1e-5, affine=True, *, bias=True):
        if num_groups < 1 or num_channels % num_groups:
            raise ValueError(
                f"GroupNorm({num_groups}, {num_channels}): num_groups must divide num_channels"
            )
        self.num_groups, self.num_features, self.eps = num_groups, num_channels, eps
        _affine(self, num_channels, affine, bias)

    def forward(self, x):
        return F.group_norm(self._checked(x), self.num_groups, self.weight, self.bias, eps=self.eps)
