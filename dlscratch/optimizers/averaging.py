"""Averages of the parameter vector over training: often better than where training stands."""

from contextlib import contextmanager

import numpy as np

from ..engine import Tensor, no_grad
from ..layers.module import Module
from ..layers.normalization import BatchNorm1d, InstanceNorm1d
from ..layers.parameters import Parameter

__all__ = ["EMA", "SWA", "AveragedModel", "get_ema_avg_fn", "get_swa_avg_fn", "update_bn"]


class SWA:
    """x ← x + (theta - x) / n at the n-th update: the mean of all thetas seen.  Source: Izmailov et al. 2018.

    `with average.swapped():` evaluates or saves the model with x in place of theta, and then puts theta back. Buffers
    (BatchNorm's running averages) stay those of the model.
    """

    def __init__(self, parameters):
        self.parameters, self.n = parameters, 0
        self.x = parameters.theta.copy()

    def update(self):
        """Take in theta as it is now; the first one is copied."""
        self.n += 1
        self.x += (self.weight() if self.n > 1 else 1.0) * (self.parameters.theta - self.x)

    def weight(self):
        """How much the newest theta counts."""
        return 1 / self.n

    @contextmanager
    def swapped(self):
        """x in the model for the length of a `with` block."""
        theta = self.parameters.theta.copy()
        self._write(self.x)
        try:
            yield
        finally:
            self._write(theta)

    def _write(self, values):
        self.parameters.theta[...] = values
        self.parameters.mark_written()

    def state_dict(self):
        """{name: array}: the average and how many it holds."""
        return {"x": self.x.copy(), "n": np.array(self.n)}

    def load_state_dict(self, state):
        """Continue from a `state_dict()` of as many parameters."""
        if np.shape(state["x"]) != self.x.shape:
            raise ValueError(
                f"{type(self).__name__}.load_state_dict: x has shape {np.shape(state['x'])}, want {self.x.shape}"
            )
        self.n, self.x[...] = int(state["n"]), state["x"]


class EMA(SWA):
    """x ← decay x + (1 - decay) theta: a mean that forgets, over about 1 / (1 - decay) updates.  Source: Polyak & Juditsky 1992."""

    def __init__(self, parameters, decay=0.999):
        if not 0 <= decay <= 1:
            raise ValueError(f"EMA: decay={decay}; want a number in [0, 1]")
        self.decay = decay
        super().__init__(parameters)

    def weight(self):
        return 1 - self.decay


class AveragedModel(Module):
    """A copy of the model, `module`, whose theta is avg_fn(average, theta, how many it holds): their mean, unless given.

    `update_parameters(model)` takes the model in. Buffers are averaged, too, if use_buffers, else they are the newest. Use SWA or
    EMA to average inside of the model itself.
    """

    def __init__(self, model, avg_fn=None, use_buffers=False):
        self.module, self.n_averaged = model.copy(), np.array(0)
        self.avg_fn, self.use_buffers = avg_fn or get_swa_avg_fn(), use_buffers

    def forward(self, *inputs, **options):
        return self.module(*inputs, **options)

    def update_parameters(self, model):
        """Take in the model as it is now; the first one is copied. Raises KeyError or ValueError for another kind of model."""
        average, newest = self.module.state_dict(), model.state_dict()
        if (
            self.n_averaged > 0
        ):  # named_parameters() would leave out further names of tied weights, which then were the newest
            mixed = [
                name
                for name, value in model._named_state()
                if self.use_buffers or isinstance(value, Parameter)
            ]
            newest |= {
                name: self.avg_fn(average[name], newest[name], int(self.n_averaged))
                for name in mixed
            }
        self.module.load_state_dict(newest)
        self.n_averaged += 1


def get_ema_avg_fn(decay=0.999):
    """For AveragedModel: decay x + (1 - decay) theta. Raises ValueError unless 0 <= decay <= 1."""
    if not 0 <= decay <= 1:
        raise ValueError(f"get_ema_avg_fn: decay={decay}; want a number in [0, 1]")
    return lambda average, newest, n: decay * average + (1 - decay) * newest


def get_swa_avg_fn():
    """For AveragedModel: x + (theta - x) / (n + 1), the mean."""
    return lambda average, newest, n: average + (newest - average) / (n + 1)


@no_grad()
def update_bn(loader, model):
    """Set the running averages of the model's BatchNorm layers to the means over one pass through `loader`: those of an average are stale.

    loader: inputs x, or tuples that begin with x.
    """
    norms = [
        m
        for m in model.modules()
        if isinstance(m, BatchNorm1d)
        and m.track_running_stats
        and not isinstance(m, InstanceNorm1d)
    ]
    momenta, was_training = [m.momentum for m in norms], model.training
    for m in norms:
        m.running_mean[...], m.running_var[...], m.num_batches_tracked[...] = 0, 1, 0
    model.train()
    try:
        for n, batch in enumerate(loader if norms else ()):
            for m in norms:
                m.momentum = 1 / (n + 1)  # a mean of all so far
            model(Tensor(batch[0] if isinstance(batch, tuple | list) else batch))
    finally:
        for m, momentum in zip(norms, momenta, strict=True):
            m.momentum = momentum
        model.train(was_training)
