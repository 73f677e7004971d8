"""Optimizers follow PyTorch's trajectories; their state moves; wrong options are told."""

import numpy as np
import pytest

from dlscratch import Tensor, layers, losses, optimizers

rng = np.random.default_rng(0)
CASES = [
    ("SGD", dict(lr=0.1)),
    ("SGD", dict(lr=0.1, momentum=0.9, weight_decay=0.01)),
    ("SGD", dict(lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01)),
    ("SGD", dict(lr=0.1, momentum=0.9, dampening=0.5)),
    ("Adam", dict(lr=0.01)),
    ("Adam", dict(lr=0.01, betas=(0.8, 0.9), eps=1e-4, weight_decay=0.1)),
    ("AdamW", dict(lr=0.01)),
    ("AdamW", dict(lr=0.01, weight_decay=0.3)),
]


def small():
    return layers.Sequential(layers.Linear(6, 7, rng=0), layers.Tanh(), layers.Linear(7, 3, rng=1)).astype("float64")


@pytest.mark.parametrize("name, options", CASES)
def test_trajectory_equals_torch(name, options):
    torch = pytest.importorskip("torch")
    ours, theirs = small(), torch.nn.Sequential(torch.nn.Linear(6, 7), torch.nn.Tanh(), torch.nn.Linear(7, 3)).double()
    theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})
    a, b = getattr(optimizers, name)(ours.parameters(), **options), getattr(torch.optim, name)(theirs.parameters(), **options)
    for _ in range(100):
        x, y = rng.normal(size=(8, 6)), rng.integers(0, 3, 8)
        a.zero_grad(), b.zero_grad()
        losses.cross_entropy(ours(Tensor(x)), y).backward()
        torch.nn.functional.cross_entropy(theirs(torch.tensor(x)), torch.tensor(y)).backward()
        a.step(), b.step()
        for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
            np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=1e-8, atol=1e-10)


def test_state_moves():
    model = small()
    a, b = (optimizers.Adam(m.parameters(), lr=0.1) for m in (model, model.copy()))
    for _ in range(3):
        a.parameters.dtheta[:] = 1
        a.step()
    b.load_state_dict(a.state_dict())
    assert b.t == 3 and np.array_equal(a.m, b.m) and a.m is not b.m


@pytest.mark.parametrize("call, error, message", [
    (lambda p: optimizers.SGD(p, lr=-1), ValueError, "want a number >= 0"),
    (lambda p: optimizers.SGD(p, lr=1, nesterov=True), ValueError, "nesterov wants momentum"),
    (lambda p: optimizers.Adam(p, betas=(0.9, 1.0)), ValueError, "betas"),
    (lambda p: optimizers.Optimizer(p, lr=1).step(), NotImplementedError, "defines no update"),
    (lambda p: optimizers.Adam(p).load_state_dict({}), KeyError, "missing"),
    (lambda p: optimizers.Adam(p).load_state_dict(dict(t=1, lr=1, m=np.ones(2), v=np.ones(2))), ValueError, "m has shape"),
])  # fmt: skip
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call(small().parameters())
