"""A weight computed from others that learn in its place: weight and spectral normalization.

Names are those of `torch.nn.utils.parametrizations`: "parametrizations.weight.original0", "parametrizations.weight.0._u".
"""

import math

import numpy as np

from .. import functional as F
from .convolution import ConvTranspose1d, ConvTranspose2d
from .module import Module
from .parameters import Parameter

__all__ = ["weight_norm", "spectral_norm"]


def weight_norm(module, name="weight", dim=0):
    """Make module.weight g v / |v|, one norm for each index of `dim` (None: one in all), and let g and v learn apart; returns the module.

    g: (O, 1, ...) is parametrizations.weight.original0, and v: (O, ...), which was the weight, original1.
    Raises TypeError when there is no such weight. Source: Salimans & Kingma 2016.
    """
    return _parametrized(module, name, _WeightNorm(_weight_of(module, name), dim))


def spectral_norm(module, name="weight", n_power_iterations=1, eps=1e-12, dim=None, *, rng=None):
    """Make module.weight W / σ(W), so that it lengthens no vector, and let W learn; returns the module.

    W, parametrizations.weight.original, counts as a matrix, rows along `dim` (outputs, unless given). The vectors of σ = uᵀ W v
    are kept, and improved by power iteration at each call in training. Raises TypeError when there is no such weight, ValueError
    for n_power_iterations < 1. Source: Miyato et al. 2018.
    """
    if n_power_iterations < 1:
        raise ValueError(f"spectral_norm: n_power_iterations={n_power_iterations}; want at least 1")
    dim = (
        int(isinstance(module, ConvTranspose1d | ConvTranspose2d)) if dim is None else dim
    )  # which has its outputs on axis 1
    return _parametrized(
        module, name, _SpectralNorm(_weight_of(module, name), n_power_iterations, eps, dim, rng)
    )


class _WeightNorm(Module):
    def __init__(self, v, dim):
        self.dim = None if dim == -1 else dim  # as in PyTorch
        axes = None if self.dim is None else tuple(i for i in range(v.ndim) if i != dim % v.ndim)
        self.original0 = Parameter(
            np.asarray(np.sqrt(np.sum(v.data**2, axis=axes, keepdims=axes is not None)))
        )
        self.original1 = v

    def forward(self):
        g, v = self.original0, self.original1
        if self.dim is None:
            return np.reshape(F.weight_norm(np.reshape(v, (1, -1)), np.reshape(g, (1, 1))), v.shape)
        return F.weight_norm(v, g, self.dim)


class _Vectors(Module):
    """u and v: buffers whose names in PyTorch begin with an underscore."""

    def _named_state(self, prefix=""):
        return ((f"{prefix}._{name}", vars(self)[name]) for name in "uv")


class _SpectralNorm(Module):
    def __init__(self, W, n_power_iterations, eps, dim, rng):
        self.original, self.n_power_iterations, self.eps, self.dim = W, n_power_iterations, eps, dim
        rng, vectors = np.random.default_rng(rng), _Vectors()
        vectors.u, vectors.v = (
            rng.standard_normal(n).astype(W.dtype) for n in self._matrix().shape
        )
        setattr(self, "0", vectors)
        self._iterate(15)

    def _matrix(self):
        W = np.moveaxis(self.original.data, self.dim, 0)
        return W.reshape(len(W), -1)

    def _iterate(self, times):
        W, vectors = self._matrix(), vars(self)["0"]
        for _ in range(times):
            for own, A, other in ((vectors.u, W, vectors.v), (vectors.v, W.T, vectors.u)):
                own[...] = A @ other
                own /= max(math.sqrt(np.dot(own, own)), self.eps)

    def forward(self):
        if self.training:
            self._iterate(self.n_power_iterations)
        u, v = (
            array.copy() for array in (vars(self)["0"].u, vars(self)["0"].v)
        )  # this call's: the next one moves them
        return np.moveaxis(
            F.spectral_norm(np.moveaxis(self.original, self.dim, 0), u, v), 0, self.dim
        )


def _weight_of(module, name):
    weight = vars(module).get(name)
    if not isinstance(weight, Parameter) or weight.ndim < 2:
        came = f"{type(weight).__name__} {np.shape(weight)}"
        raise TypeError(
            f"{name} of {module}: {came}; want a Parameter of at least two axes, such as the weight of Linear or Conv2d"
        )
    return weight


def _parametrized(module, name, parametrization):
    """The module with `name` computed by `parametrization()` whenever it is read: by a property of a class of its own."""
    vars(module).pop(name)
    vars(module).setdefault("parametrizations", {})[name] = parametrization
    read = property(lambda self: self.parametrizations[name]())
    module.__class__ = type(
        f"Parametrized{type(module).__name__.removeprefix('Parametrized')}",
        (type(module),),
        {name: read},
    )
    return module
