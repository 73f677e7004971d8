"""Normalization layers."""

import numpy as np

from .. import functional as F
from ..engine import Tensor, default_dtype
from .module import Module
from .parameters import Parameter

__all__ = ["LayerNorm", "BatchNorm1d"]


class LayerNorm(Module):
    """y = (x - mean) / √(var + eps) · weight + bias over the last axes, `normalized_shape` (an int or a tuple).  x: (N, ..., D)."""

    def __init__(self, normalized_shape, eps=1e-5):
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps = eps
        self.weight = Parameter(np.ones(self.normalized_shape, default_dtype()))
        self.bias = Parameter(np.zeros(self.normalized_shape, default_dtype()))

    def forward(self, x):
        n = len(self.normalized_shape)
        if x.shape[-n:] != self.normalized_shape:
            raise ValueError(f"LayerNorm{self.normalized_shape}: input {x.shape} ends in {x.shape[-n:]}, expected {self.normalized_shape}")
        return F.layer_norm(x, self.weight, self.bias, ndim=n, eps=self.eps)


class BatchNorm1d(Module):
    """y = (x - mean) / √(var + eps) · weight + bias for each channel, over the batch.  x: (N, C) or (N, C, L).

    In evaluation mean and var are running averages r ← (1 - momentum) r + momentum · batch, the variance unbiased.
    """

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.weight = Parameter(np.ones(num_features, default_dtype()))
        self.bias = Parameter(np.zeros(num_features, default_dtype()))
        self.running_mean = np.zeros(num_features, default_dtype())
        self.running_var = np.ones(num_features, default_dtype())
        self.num_batches_tracked = np.array(0)

    def forward(self, x):
        if x.ndim not in (2, 3) or x.shape[1] != self.num_features:
            C = self.num_features
            raise ValueError(f"BatchNorm1d({C}): input {x.shape}; want (N, {C}) or (N, {C}, L)")
        if self.training:
            self._track(x.data if isinstance(x, Tensor) else x)
            return F.batch_norm(x, self.weight, self.bias, eps=self.eps)
        shape = (1, -1) + (1,) * (x.ndim - 2)
        mean, var, weight, bias = (np.reshape(v, shape) for v in (self.running_mean, self.running_var, self.weight, self.bias))
        return (x - mean) / np.sqrt(var + self.eps) * weight + bias

    def _track(self, x):
        axes = (0, *range(2, x.ndim))
        count = x.size // self.num_features
        if count < 2:
            raise ValueError(f"BatchNorm1d: one value a channel ({x.shape}) has no variance; use a larger batch or model.eval()")
        self.running_mean += self.momentum * (x.mean(axis=axes) - self.running_mean)
        self.running_var += self.momentum * (x.var(axis=axes) * (count / (count - 1)) - self.running_var)
        self.num_batches_tracked += 1
