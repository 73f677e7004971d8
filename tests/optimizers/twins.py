"""The same small network here and in PyTorch, with the same weights, stepped side by side."""

import numpy as np
import pytest

from dlscratch import Tensor, layers, losses
from tests.parity import remember

STEPS = 100


def small(rng=0):
    return layers.Sequential(
        layers.Linear(6, 7, rng=rng), layers.Tanh(), layers.Linear(7, 3, rng=rng + 1)
    ).astype("float64")


def twins():
    torch = pytest.importorskip("torch")
    ours, theirs = (
        small(),
        torch.nn.Sequential(torch.nn.Linear(6, 7), torch.nn.Tanh(), torch.nn.Linear(7, 3)).double(),
    )
    theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})
    return ours, theirs


def batches(steps=STEPS, seed=0):
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=(8, 6)), rng.integers(0, 3, 8)) for _ in range(steps)]


def backward(model, x, y):
    loss = losses.cross_entropy(model(Tensor(x)), y)
    loss.backward()
    return loss


def torch_backward(model, x, y):
    import torch

    loss = torch.nn.functional.cross_entropy(model(torch.tensor(x)), torch.tensor(y))
    loss.backward()
    return loss


def distance(ours, theirs):
    """The largest difference of two models' parameters, relative to the largest parameter."""
    a = np.concatenate([p.data.ravel() for p in ours.parameters()])
    b = np.concatenate([p.detach().numpy().ravel() for p in theirs.parameters()])
    return float(np.max(np.abs(a - b)) / np.max(np.abs(b)))


def run_together(ours, theirs, mine, torchs, after=lambda i: None, steps=STEPS):
    """The worst distance over 100 steps; `mine` and `torchs` are lists of optimizers. `after(i)` runs after each step."""
    worst = 0.0
    for i, (x, y) in enumerate(batches(steps)):
        for o in (*mine, *torchs):
            o.zero_grad()
        backward(ours, x, y), torch_backward(theirs, x, y)
        for o in (*mine, *torchs):
            o.step()
        after(i)
        worst = max(worst, distance(ours, theirs))
    return remember(worst)
