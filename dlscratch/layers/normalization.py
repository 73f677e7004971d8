"""Normalization layers: of each example by itself, and of each channel over a batch."""

import numpy as np

from .. import functional as F
from ..engine import Array, default_dtype
from ..functional.linear import check_same_dtype
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


def _give_affine(module, shape, wanted=True, bias=True):
    """Give the module weight = 1 and bias = 0, or None."""
    module.weight = Parameter(np.ones(shape, default_dtype())) if wanted else None
    module.bias = Parameter(np.zeros(shape, default_dtype())) if wanted and bias else None


class LayerNorm(Module):
    """y = (x - mean) / √(var + eps) · weight + bias over the last axes.

    x: (N, ..., D) → same.

    Parameters
    ----------
    normalized_shape : the sizes of those axes, or one size
    eps : keeps the quotient finite; equal numbers become 0
    elementwise_affine : whether there are weight and bias
    bias : whether there is a bias

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layers.LayerNorm(2)(np.array([[1.0, 3.0]], "float32")).data.round(3)
    array([[-1.,  1.]], dtype=float32)
    """

    def __init__(
        self,
        normalized_shape: int | tuple,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
    ):
        if isinstance(normalized_shape, int | np.integer):
            normalized_shape = (int(normalized_shape),)
        self.normalized_shape = tuple(normalized_shape)
        self.eps = eps
        _give_affine(self, self.normalized_shape, elementwise_affine, bias)

    def _check_dtype(self, x):
        if self.weight is not None:
            size = ", ".join(map(str, self.normalized_shape))
            check_same_dtype(f"{type(self).__name__}({size})", x, self.weight)

    def forward(self, x: Array) -> Array:
        self._check_dtype(x)
        return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)


class RMSNorm(LayerNorm):
    """y = x / √(mean x² + eps) · weight over the last axes.

    x: (N, ..., D) → same.

    Parameters
    ----------
    normalized_shape : the sizes of those axes, or one size
    eps : that of the dtype unless given
    elementwise_affine : whether there is a weight

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layers.RMSNorm(2)(np.array([[3.0, 4.0]], "float32")).data.round(3)
    array([[0.849, 1.131]], dtype=float32)
    """

    def __init__(
        self,
        normalized_shape: int | tuple,
        eps: float | None = None,
        elementwise_affine: bool = True,
    ):
        super().__init__(normalized_shape, eps, elementwise_affine, bias=False)

    def forward(self, x: Array) -> Array:
        self._check_dtype(x)
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)


class _Channels(Module):
    """What layers on channels share: the check of the input, of one of the `ranks`."""

    axes = {2: "(N, {C})", 3: "(N, {C}, L)", 4: "(N, {C}, H, W)"}
    ranks = ()

    def _checked(self, x):
        name = f"{type(self).__name__}({self.num_features})"
        if x.ndim not in self.ranks or x.shape[1] != self.num_features:
            want = " or ".join(self.axes[n].format(C=self.num_features) for n in self.ranks)
            raise ValueError(f"{name}: input {x.shape}; want {want}")
        if self.weight is not None:
            check_same_dtype(name, x, self.weight)
        return x


class BatchNorm1d(_Channels):
    """y = (x - mean) / √(var + eps) · weight + bias for each channel, over the batch.

    x: (N, C) or (N, C, L). In evaluation mean and var are running averages r ← (1 - momentum) r +
    momentum · batch, the variance unbiased.

    Parameters
    ----------
    num_features : the number of channels C
    eps : keeps the quotient finite; equal numbers become 0
    momentum : of the running averages; None for the average of all batches alike
    affine : whether there are weight and bias
    track_running_stats : if not, evaluation too takes the batch's own mean and variance
    bias : whether there is a bias

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> norm = layers.BatchNorm1d(1)
    >>> norm(np.array([[1.0], [3.0]], "float32")).data.round(3)
    array([[-1.],
           [ 1.]], dtype=float32)
    >>> norm.running_mean
    array([0.2], dtype=float32)
    """

    ranks = (2, 3)

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
    ):
        if momentum is not None and not 0 <= momentum <= 1:
            raise ValueError(
                f"{type(self).__name__}({num_features}): momentum={momentum}; "
                "want 0 to 1, the weight of the new, or None"
            )
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.track_running_stats = track_running_stats
        _give_affine(self, num_features, affine, bias)
        self.running_mean = np.zeros(num_features, default_dtype()) if track_running_stats else None
        self.running_var = np.ones(num_features, default_dtype()) if track_running_stats else None
        self.num_batches_tracked = np.array(0) if track_running_stats else None

    def forward(self, x: Array) -> Array:
        own = self.training or not self.track_running_stats
        counted = self.training and self.track_running_stats
        momentum = self.momentum
        if counted and momentum is None:
            momentum = 1 / (1 + float(self.num_batches_tracked))
        y = F.batch_norm(
            self._checked(x),
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            own,
            momentum,
            self.eps,
        )
        if counted:  # last: a batch that was refused does not count
            self.num_batches_tracked += 1
        return y


class BatchNorm2d(BatchNorm1d):
    """BatchNorm1d for images: each channel normalized over the batch and all pixels.

    x: (N, C, H, W).

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> y = layers.BatchNorm2d(1)(np.array([1.0, 3.0], "float32").reshape(1, 1, 1, 2))
    >>> y.data.round(3)
    array([[[[-1.,  1.]]]], dtype=float32)
    """

    ranks = (4,)


class InstanceNorm1d(BatchNorm1d):
    """y = (x - mean) / √(var + eps) [· weight + bias], each channel of each example by itself.

    x: (N, C, L), or (C, L) for one example. With track_running_stats in evaluation mean and var are
    running averages, as in BatchNorm1d; momentum=None leaves them.

    Parameters
    ----------
    num_features : the number of channels C
    eps, momentum, affine, track_running_stats, bias : as in BatchNorm1d, with other defaults

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> y = layers.InstanceNorm1d(2)(np.array([[[1.0, 3.0], [5.0, 25.0]]], "float32"))
    >>> y.round(3)
    array([[[-1.,  1.],
            [-1.,  1.]]], dtype=float32)
    """

    ranks = (3,)

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        bias: bool = True,
    ):
        super().__init__(num_features, eps, momentum, affine, track_running_stats, bias=bias)

    def forward(self, x: Array) -> Array:
        if x.ndim + 1 in self.ranks:
            return self.forward(x[None])[0]
        return F.instance_norm(
            self._checked(x),
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            self.momentum or 0.0,
            self.eps,
        )


class InstanceNorm2d(InstanceNorm1d):
    """InstanceNorm1d for images.

    x: (N, C, H, W), or (C, H, W) for one image.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> layers.InstanceNorm2d(3)(np.ones((2, 3, 4, 4), "float32")).shape
    (2, 3, 4, 4)
    """

    ranks = (4,)


class GroupNorm(_Channels):
    """y = (x - mean) / √(var + eps) · weight + bias over groups of channels of each example.

    x: (N, C), (N, C, L) or (N, C, H, W). Raises ValueError for groups that do not divide the
    channels.

    Parameters
    ----------
    num_groups : the number of groups
    num_channels : the number of channels C
    eps : keeps the quotient finite; equal numbers become 0
    affine : whether there are weight and bias
    bias : whether there is a bias

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> y = layers.GroupNorm(2, 4)(np.array([[1.0, 3.0, 5.0, 25.0]], "float32"))
    >>> y.data.round(3)
    array([[-1.,  1., -1.,  1.]], dtype=float32)
    """

    ranks = (2, 3, 4)

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        bias: bool = True,
    ):
        if num_groups < 1 or num_channels % num_groups:
            raise ValueError(
                f"GroupNorm({num_groups}, {num_channels}): num_groups must divide num_channels"
            )
        self.num_groups = num_groups
        self.num_features = num_channels
        self.eps = eps
        _give_affine(self, num_channels, affine, bias)

    def forward(self, x: Array) -> Array:
        return F.group_norm(self._checked(x), self.num_groups, self.weight, self.bias, eps=self.eps)
