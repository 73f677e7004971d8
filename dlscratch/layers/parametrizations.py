"""A weight computed from others that learn in its place: weight and spectral normalization.

Names are those of `torch.nn.utils.parametrizations`: "parametrizations.weight.original0",
"parametrizations.weight.0._u".
"""

from __future__ import annotations

import functools
import math

import numpy as np

from .. import functional as F
from .convolution import ConvTranspose1d, ConvTranspose2d
from .module import Module
from .parameters import Parameter

__all__ = ["weight_norm", "spectral_norm"]


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Make module.weight g v / |v|, and let length g and direction v learn apart.

    v: (O, ...), which was the weight, is parametrizations.weight.original1, and g: (O, 1, ...), one
    norm for each index of `dim` (None: one in all), original0. Returns the module. Raises TypeError
    when there is no such weight. Source: Salimans & Kingma 2016.

    Examples
    --------
    >>> from dlscratch.layers import Linear, weight_norm
    >>> layer = weight_norm(Linear(3, 2, rng=0))
    >>> [(name, p.shape) for name, p in layer.named_parameters()][1:]
    [('parametrizations.weight.original0', (2, 1)), ('parametrizations.weight.original1', (2, 3))]
    """
    return _parametrized(module, name, _WeightNorm(_weight_of(module, name), dim))


def spectral_norm(
    module: Module,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
    *,
    rng: np.random.Generator | int | None = None,
) -> Module:
    """Make module.weight W / σ(W), so that it lengthens no vector, and let W learn.

    Parameters
    ----------
    module, name : the layer, which is returned, and its weight, which becomes
        parametrizations.weight.original.
    n_power_iterations : steps of power iteration at each call in training. The vectors of
        σ = uᵀ W v are kept from call to call.
    eps : the least norm by which u and v are divided.
    dim : the axis of the rows of W, seen as a matrix; that of the outputs, unless given.
    rng : draws the first u and v.

    Raises
    ------
    TypeError when there is no such weight, ValueError for n_power_iterations < 1.
    Source: Miyato et al. 2018.
    """
    if n_power_iterations < 1:
        raise ValueError(f"spectral_norm: n_power_iterations={n_power_iterations}; want at least 1")
    if dim is None:
        dim = 1 if isinstance(module, ConvTranspose1d | ConvTranspose2d) else 0
    weight = _weight_of(module, name)
    return _parametrized(module, name, _SpectralNorm(weight, n_power_iterations, eps, dim, rng))


class _WeightNorm(Module):
    def __init__(self, v, dim):
        self.dim = None if dim == -1 else dim  # as in PyTorch
        self.original0 = Parameter(np.asarray(np.sqrt(self._squares(v.data))))
        self.original1 = v

    def _squares(self, v):
        """|v|² for each index of `dim`, or of all of v."""
        if self.dim is None:
            return np.sum(v**2)
        others = tuple(i for i in range(v.ndim) if i != self.dim % v.ndim)
        return np.sum(v**2, axis=others, keepdims=True)

    def forward(self):
        g = self.original0
        v = self.original1
        if self.dim is not None:
            return F.weight_norm(v, g, self.dim)
        as_row = F.weight_norm(np.reshape(v, (1, -1)), np.reshape(g, (1, 1)))
        return np.reshape(as_row, v.shape)


class _SpectralNorm(Module):
    def __init__(self, weight, n_power_iterations, eps, dim, rng):
        self.original = weight
        self.n_power_iterations = n_power_iterations
        self.eps = eps
        self.dim = dim
        rng = np.random.default_rng(rng)
        rows, columns = self._matrix().shape
        vectors = Module()
        vectors.register_buffer("_u", rng.standard_normal(rows).astype(weight.dtype))
        vectors.register_buffer("_v", rng.standard_normal(columns).astype(weight.dtype))
        self.add_module("0", vectors)
        self._iterate(15)

    @property
    def vectors(self):
        return self.get_submodule("0")

    def _matrix(self):
        W = np.moveaxis(self.original.data, self.dim, 0)
        return W.reshape(len(W), -1)

    def _iterate(self, times):
        W = self._matrix()
        u = self.vectors._u
        v = self.vectors._v
        for _ in range(times):
            for own, A, other in ((u, W, v), (v, W.T, u)):
                own[...] = A @ other
                own /= max(math.sqrt(np.dot(own, own)), self.eps)

    def forward(self):
        if self.training:
            self._iterate(self.n_power_iterations)
        u = self.vectors._u.copy()  # those of this call: the next one moves them
        v = self.vectors._v.copy()
        rows_first = np.moveaxis(self.original, self.dim, 0)
        return np.moveaxis(F.spectral_norm(rows_first, u, v), 0, self.dim)


def _weight_of(module, name):
    weight = vars(module).get(name)
    if not isinstance(weight, Parameter) or weight.ndim < 2:
        got = f"{type(weight).__name__} {np.shape(weight)}"
        raise TypeError(
            f"{name} of {module}: {got}; want a Parameter of at least two axes, "
            "such as the weight of Linear or Conv2d"
        )
    return weight


def _parametrized(module, name, parametrization):
    """The module, in which `name` is computed by `parametrization()` whenever it is read."""
    attributes = vars(module)
    del attributes[name]
    attributes.setdefault("parametrizations", {})[name] = parametrization
    module.__class__ = _with_computed(type(module), name)
    return module


@functools.cache
def _with_computed(cls, name):
    """The class whose instances compute `name`, by a property; it is Parametrized... by name."""

    def read(self):
        return self.parametrizations[name]()

    def write(self, value):
        raise TypeError(
            f"{type(self).__name__}.{name} is computed, so it cannot be set; write into what it is "
            f'computed from: layer.parametrizations["{name}"].original... .data = array'
        )

    def reduce(self):  # by this pickle and copy find the class, which stands in no module
        return _remade, (cls, name), vars(self)

    called = f"Parametrized{cls.__name__.removeprefix('Parametrized')}"
    return type(called, (cls,), {name: property(read, write), "__reduce__": reduce})


def _remade(cls, name):
    made = _with_computed(cls, name)
    return made.__new__(made)
