"""The same small network here and in PyTorch, with the same weights, stepped side by side."""

import numpy as np
import pytest

from dlscratch import Tensor, layers, losses, optimizers
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
    dtype = next(iter(model.parameters())).dtype
    loss = losses.cross_entropy(model(Tensor(x.astype(dtype))), y)
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
    """The worst distance over 100 steps of lists of optimizers; `after(i)` runs after each step."""
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


def trajectory(name, options):
    """The worst distance of 100 steps from PyTorch's, whose scalars are float64 as well."""
    torch = pytest.importorskip("torch")
    ours, theirs = twins()
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # NAdam's product of the μ would be float32
    try:
        mine = getattr(optimizers, name)(ours.parameters(), **options)
        other = getattr(torch.optim, name)(theirs.parameters(), **options)
        return run_together(ours, theirs, [mine], [other])
    finally:
        torch.set_default_dtype(default)


def pseudocode(optimizer_of, reference, steps=STEPS):
    """The worst distance from `reference`, a generator that is sent gradients at its matrices."""
    ours, theirs = small(), small()
    optimizer = optimizer_of(ours)
    worst = 0.0
    rule = reference([p.data for p in theirs.parameters()])
    rule.send(None)
    for x, y in batches(steps):
        for model in (ours, theirs):
            model.zero_grad()
            backward(model, x, y)
        optimizer.step()
        moved = rule.send([p.grad.copy() for p in theirs.parameters()])
        for p, new in zip(theirs.parameters(), moved, strict=True):
            p.data = new
        a, b = ours.parameters().theta, theirs.parameters().theta
        worst = max(worst, float(np.max(np.abs(a - b)) / np.max(np.abs(b))))
    return remember(worst)


# An optimizer of each kind, with options that make it remember all that it can.
EVERY = {
    "SGD": dict(lr=0.1, momentum=0.9),
    "Lion": {},
    "Adagrad": {},
    "RMSprop": dict(momentum=0.5, centered=True),
    "Adadelta": {},
    "Adam": dict(amsgrad=True),
    "AdamW": {},
    "Adamax": {},
    "NAdam": {},
    "RAdam": {},
    "Adafactor": {},
    "LAMB": {},
    "Shampoo": {},
    "ScheduleFreeSGD": dict(lr=0.1),
    "ScheduleFreeAdamW": dict(warmup_steps=4),
    "LBFGS": dict(max_iter=4, line_search_fn="strong_wolfe", history_size=3),
    "SAM": dict(rho=0.1),
    "Muon": {},
}


def make(name, parameters, **others):
    """An optimizer of EVERY for these parameters; Muon's are the matrices among them."""
    options = EVERY[name] | others
    if name == "SAM":
        rho = options.pop("rho")
        return optimizers.SAM(
            optimizers.SGD(parameters, **(dict(lr=0.1, momentum=0.9) | options)), rho
        )
    if name == "Muon":
        parameters = [p for p in parameters if p.ndim == 2]
    return getattr(optimizers, name)(parameters, **options)


def advance(model, optimizer, pairs):
    """A step on each pair, by a closure, which all optimizers take."""
    for x, y in pairs:

        def closure(x=x, y=y):
            optimizer.zero_grad()
            return backward(model, x, y)

        optimizer.step(closure)
