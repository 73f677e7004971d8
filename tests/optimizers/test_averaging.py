"""Averages of the weights are PyTorch's, and go in and out of the model without a trace."""

import numpy as np
import pytest

from dlscratch import optimizers

from .twins import run_together, small, twins


@pytest.mark.parametrize("name", ["EMA", "SWA"])
def test_averages_equal_torchs(name):
    torch = pytest.importorskip("torch")
    from torch.optim import swa_utils

    ours, theirs = twins()
    mine, other = optimizers.SGD(ours.parameters(), lr=0.3), torch.optim.SGD(theirs.parameters(), lr=0.3)
    average = optimizers.EMA(ours.parameters(), 0.9) if name == "EMA" else optimizers.SWA(ours.parameters())
    rule = swa_utils.get_ema_avg_fn(0.9) if name == "EMA" else swa_utils.get_swa_avg_fn()  # its default divides in float32
    twin, errors = swa_utils.AveragedModel(theirs, avg_fn=rule), []

    def after(i):
        average.update(), twin.update_parameters(theirs)
        vector = np.concatenate([p.detach().numpy().ravel() for p in twin.module.parameters()])
        errors.append(np.max(np.abs(average.x - vector)) / np.max(np.abs(vector)))

    assert run_together(ours, theirs, [mine], [other], after) <= 1e-8 and max(errors) <= 1e-8
    theta = ours.parameters().theta.copy()
    x = np.random.default_rng(0).normal(size=(4, 6))
    with average.swapped():
        np.testing.assert_allclose(ours(x).data, twin(torch.tensor(x)).detach().numpy(), rtol=1e-8)
        assert not np.array_equal(ours.parameters().theta, theta)
    assert np.array_equal(ours.parameters().theta, theta)


def test_an_error_inside_puts_theta_back():
    model = small()
    average, theta = optimizers.SWA(model.parameters()), model.parameters().theta
    average.update()
    theta += 1
    held = theta.copy()
    with pytest.raises(KeyError), average.swapped():
        raise KeyError
    assert np.array_equal(theta, held)


@pytest.mark.parametrize("make", [optimizers.SWA, lambda p: optimizers.EMA(p, 0.5)])
def test_state_moves(make):
    model = small()
    a, b = make(model.parameters()), make(model.copy().parameters())
    for _ in range(3):
        model.parameters().theta[...] += 1
        a.update()
    b.load_state_dict(a.state_dict())
    assert b.n == 3 and np.array_equal(a.x, b.x) and a.x is not b.x
    with pytest.raises(ValueError, match="x has shape"):
        b.load_state_dict(dict(n=1, x=np.ones(2)))


def test_bad_decay():
    with pytest.raises(ValueError, match="want a number in"):
        optimizers.EMA(small().parameters(), 1.1)
