"""L-BFGS goes where PyTorch's goes, with as many evaluations."""

import numpy as np
import pytest

from dlscratch import optimizers
from dlscratch.layers import Parameter

from .twins import backward, distance, torch_backward, twins


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


@pytest.mark.parametrize(
    "options, steps",
    [
        (dict(lr=0.002), 10),
        (dict(lr=1.0, line_search_fn="strong_wolfe"), 4),
        (dict(lr=0.3, line_search_fn="strong_wolfe", history_size=3), 6),
        (dict(lr=50.0, line_search_fn="strong_wolfe", max_iter=7), 8),
        (dict(line_search_fn="strong_wolfe", max_iter=5, max_eval=30), 8),
    ],
    ids=str,
)
def test_lbfgs_equals_torch_on_rosenbrock(options, steps):
    torch = pytest.importorskip("torch")
    start = np.array([-1.2, 1.0, 0.7, -0.5])
    x, z = Parameter(start), torch.tensor(start, requires_grad=True)
    mine, other, counts = (
        optimizers.LBFGS([x], **options),
        torch.optim.LBFGS([z], **options),
        [0, 0],
    )

    def closure():
        counts[0] += 1
        mine.zero_grad()
        y = rosenbrock(x)
        y.backward()
        return y

    def torch_closure():
        counts[1] += 1
        other.zero_grad()
        y = rosenbrock(z)
        y.backward()
        return y

    for _ in range(steps):
        assert float(mine.step(closure)) == pytest.approx(
            float(other.step(torch_closure).detach()), rel=1e-6, abs=1e-12
        )
        np.testing.assert_allclose(x.data, z.detach().numpy(), rtol=1e-6)
        assert counts[0] == counts[1]
    if "line_search_fn" in options and "max_iter" not in options:
        assert np.abs(x.grad).max() < 1e-3


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_lbfgs_on_a_network_equals_torch(search):
    torch = pytest.importorskip("torch")
    ours, theirs = twins()
    mine = optimizers.LBFGS(
        ours.parameters(), lr=0.2, line_search_fn=search, max_iter=1, max_eval=9
    )
    other = torch.optim.LBFGS(
        theirs.parameters(), lr=0.2, line_search_fn=search, max_iter=1, max_eval=9
    )
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(200, 6)), rng.integers(0, 3, 200)

    def closure():
        mine.zero_grad()
        return backward(ours, x, y)

    def torch_closure():
        other.zero_grad()
        return torch_backward(theirs, x, y)

    worst = 0.0
    for _ in range(100):
        mine.step(closure), other.step(torch_closure)
        worst = max(worst, distance(ours, theirs))
    assert worst <= 1e-8


def test_lbfgs_stops_where_the_gradient_is_zero():
    x = Parameter(np.zeros(3))
    optimizer = optimizers.LBFGS([x])

    def closure():
        optimizer.zero_grad()
        y = np.sum(x * x)
        y.backward()
        return y

    optimizer.step(closure)
    assert optimizer.t == 0 and not x.data.any()
