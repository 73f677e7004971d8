"""Trajectories: equal twins train alike, and part when the rules differ."""

import pytest

from dlscratch.losses import mse_loss
from dlscratch.optimizers import SGD
from dlscratch.testing import trajectory

from ..lab.models import data, model
from .test_parity import nn, torch, twin


def run(theirs, lr=0.05):
    ours, batches = model(), [data(seed) for seed in range(30)]
    optimizers = SGD(ours.parameters(), 0.05), torch.optim.SGD(theirs.parameters(), lr=lr)
    return trajectory(ours, theirs, *optimizers, mse_loss, nn.functional.mse_loss, batches)


def test_trajectories_of_equal_twins():
    gaps = run(twin().double())
    assert gaps.shape == (30,) and gaps.max() < 1e-10


def test_trajectories_part_when_the_rules_differ():
    gaps = run(twin().double(), lr=0.06)
    assert gaps[0] < 1e-12 and gaps[1:].max() > 1e-3


def test_trajectory_wants_one_dtype():
    with pytest.raises(ValueError, match="our model is float64, PyTorch's torch.float32"):
        run(twin())
