"""Averages of the parameter vector over training: often better than where training stands."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..engine import Array, Tensor, no_grad
from ..layers.module import Module
from ..layers.normalization import BatchNorm1d, InstanceNorm1d
from ..layers.parameters import Parameter, Parameters

__all__ = ["EMA", "SWA", "AveragedModel", "get_ema_avg_fn", "get_swa_avg_fn", "update_bn"]


class SWA:
    """The mean of all thetas seen: x ← x + (theta - x) / n at the n-th update.

    Source: Izmailov et al. 2018.

    `with average.swapped():` evaluates or saves the model with x in place of theta, and then puts
    theta back. Buffers (BatchNorm's running averages) stay those of the model.

    Parameters
    ----------
    parameters : any: of a model, of a part of it, or of several

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> w = layers.Parameter(np.array([1.0]))
    >>> average = SWA([w])
    >>> for value in (1.0, 2.0, 6.0):
    ...     w.data = np.array([value])
    ...     average.update()
    >>> with average.swapped():
    ...     w.data.round(6)
    array([3.])
    >>> w.data
    array([6.])
    """

    def __init__(self, parameters: Parameters | Iterable[Parameter]):
        self.parameters = Parameters.of(parameters)
        self.n = 0
        self.x = self.parameters.read()

    def update(self) -> None:
        """Take in theta as it is now; the first one is copied."""
        self.n += 1
        weight = self.weight() if self.n > 1 else 1.0
        self.x += weight * (self.parameters.theta - self.x)

    def weight(self) -> float:
        """How much the newest theta counts."""
        return 1 / self.n

    @contextmanager
    def swapped(self) -> Iterator[None]:
        """x in the model for the length of a `with` block."""
        theta = self.parameters.read()
        self.parameters.write(self.x)
        try:
            yield
        finally:
            self.parameters.write(theta)

    def state_dict(self) -> dict[str, np.ndarray]:
        """{name: array}: the average and how many it holds."""
        return {"x": self.x.copy(), "n": np.array(self.n)}

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        """Continue from a `state_dict()` of as many parameters."""
        if np.shape(state["x"]) != self.x.shape:
            raise ValueError(
                f"{type(self).__name__}.load_state_dict: x has shape {np.shape(state['x'])}, "
                f"expected {self.x.shape}"
            )
        self.n = int(state["n"])
        self.x[...] = state["x"]


class EMA(SWA):
    """A mean of about the last 1 / (1 - decay) thetas: x ← decay x + (1 - decay) theta.

    Used as `SWA` is.  Source: Polyak & Juditsky 1992.

    Parameters
    ----------
    parameters : any: of a model, of a part of it, or of several
    decay : how much of x stays, in [0, 1]

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> w = layers.Parameter(np.array([1.0]))
    >>> average = EMA([w], decay=0.9)
    >>> for value in (1.0, 2.0):
    ...     w.data = np.array([value])
    ...     average.update()
    >>> average.x.round(6)
    array([1.1])
    """

    def __init__(self, parameters: Parameters | Iterable[Parameter], decay: float = 0.999):
        self.decay = _checked("EMA", decay)
        super().__init__(parameters)

    def weight(self) -> float:
        return 1 - self.decay


def _checked(name, decay):
    if not 0 <= decay <= 1:
        raise ValueError(f"{name}: expected a number in [0, 1], got decay={decay}")
    return float(decay)


class AveragedModel(Module):
    """A copy of a model, `module`, whose theta is the mean of those taken in, or avg_fn's.

    `update_parameters(model)` takes the model in. Use SWA or EMA to average inside of the model
    itself.

    Parameters
    ----------
    model : what is copied
    avg_fn : (average, newest, how many) → average, as from `get_ema_avg_fn`
    use_buffers : whether buffers are averaged, too, in place of the newest

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> model = layers.Linear(1, 1, bias=False, rng=0)
    >>> average = optimizers.AveragedModel(model)
    >>> for weight in (1.0, 3.0):
    ...     model.weight.data = np.array([[weight]], "float32")
    ...     average.update_parameters(model)
    >>> average.module.weight.data
    array([[2.]], dtype=float32)
    """

    def __init__(self, model: Module, avg_fn: Callable | None = None, use_buffers: bool = False):
        self.module = model.copy()
        self.n_averaged = np.array(0)
        self.avg_fn = avg_fn or get_swa_avg_fn()
        self.use_buffers = use_buffers

    def forward(self, *inputs: Array, **options: Any) -> Array:
        return self.module(*inputs, **options)

    def update_parameters(self, model: Module) -> None:
        """Take in the model as it is now; the first one is copied.

        Raises KeyError or ValueError for another kind of model.
        """
        average = self.module.state_dict()
        newest = model.state_dict()
        if self.n_averaged > 0:
            n = int(self.n_averaged)
            # of all names: named_parameters() leaves out further ones of tied weights, which
            # then would be the newest
            for name, value in model._named_state():
                if self.use_buffers or isinstance(value, Parameter):
                    newest[name] = self.avg_fn(average[name], newest[name], n)
        self.module.load_state_dict(newest)
        self.n_averaged += 1


def get_ema_avg_fn(decay: float = 0.999) -> Callable:
    """A fading mean for AveragedModel, decay x + (1 - decay) theta, with decay in [0, 1]."""
    decay = _checked("get_ema_avg_fn", decay)
    return lambda average, newest, n: decay * average + (1 - decay) * newest


def get_swa_avg_fn() -> Callable:
    """The mean of all thetas for AveragedModel, x + (theta - x) / (n + 1)."""
    return lambda average, newest, n: average + (newest - average) / (n + 1)


@no_grad()
def update_bn(loader: Iterable, model: Module) -> None:
    """Set the running averages of the BatchNorm layers to the means over one pass.

    Those of an averaged model are stale.

    Parts of a model in training mode that are in evaluation mode stay as they are: they are frozen.
    Of a model that is in evaluation mode all are set, as in PyTorch. Afterwards each module has its
    own mode again.

    Parameters
    ----------
    loader : inputs x, or tuples that begin with x
    model : the model, whose modes are as they were afterwards
    """
    modes = [(m, m.training) for m in model.modules()]
    if not model.training:
        model.train()
    norms = [m for m in model.modules() if _averages(m) and m.training]
    momenta = [m.momentum for m in norms]
    for m in norms:
        m.running_mean[...] = 0
        m.running_var[...] = 1
        m.num_batches_tracked[...] = 0
    try:
        for n, batch in enumerate(loader if norms else ()):
            for m in norms:
                m.momentum = 1 / (n + 1)  # a mean of all so far
            model(Tensor(batch[0] if isinstance(batch, tuple | list) else batch))
    finally:
        for m, momentum in zip(norms, momenta, strict=True):
            m.momentum = momentum
        for m, training in modes:
            m.training = training


def _averages(module):
    """Whether it is a BatchNorm that keeps running averages."""
    is_norm = isinstance(module, BatchNorm1d) and not isinstance(module, InstanceNorm1d)
    return is_norm and module.track_running_stats
