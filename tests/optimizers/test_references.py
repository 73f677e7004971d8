"""Optimizers that PyTorch has not, against their papers' pseudo-code written out here; and those that need a closure."""

import numpy as np
import pytest

from dlscratch import optimizers
from tests.parity import remember

from .twins import backward, batches, distance, small, torch_backward, twins


def run(optimizer_of, reference, steps=100):
    """The worst relative distance of a run from `reference`: a generator given a list of matrices that is sent gradients at them."""
    ours, theirs = small(), small()
    optimizer, worst = optimizer_of(ours), 0.0
    rule = reference([p.data for p in theirs.parameters()])
    rule.send(None)
    for x, y in batches(steps):
        for model in (ours, theirs):
            model.zero_grad()
            backward(model, x, y)
        optimizer.step()
        for p, new in zip(
            theirs.parameters(),
            rule.send([p.grad.copy() for p in theirs.parameters()]),
            strict=True,
        ):
            p.data = new
        a, b = ours.parameters().theta, theirs.parameters().theta
        worst = max(worst, float(np.max(np.abs(a - b)) / np.max(np.abs(b))))
    return remember(worst)


def lion(W, lr=1e-3, b1=0.9, b2=0.99, decay=0.1):
    m = [np.zeros_like(w) for w in W]
    while True:
        G = yield W
        W = [
            w - lr * (np.sign(b1 * mi + (1 - b1) * g) + decay * w)
            for w, mi, g in zip(W, m, G, strict=True)
        ]
        m = [b2 * mi + (1 - b2) * g for mi, g in zip(m, G, strict=True)]


def lamb(W, lr=0.01, b1=0.9, b2=0.999, eps=1e-6, decay=0.1):
    m, v, t = [0.0] * len(W), [0.0] * len(W), 0
    while True:
        G = yield W
        t, W = t + 1, list(W)
        for i, g in enumerate(G):
            m[i] = b1 * m[i] + (1 - b1) * g
            v[i] = b2 * v[i] + (1 - b2) * g**2
            r = m[i] / (1 - b1**t) / (np.sqrt(v[i] / (1 - b2**t)) + eps) + decay * W[i]
            W[i] = W[i] - lr * np.sqrt((W[i] ** 2).sum()) / np.sqrt((r**2).sum()) * r


def power(S, exponent):
    """By the singular value decomposition: not the way of the package."""
    U, s, _ = np.linalg.svd(S)
    return U @ np.diag(s**exponent) @ U.T


def shampoo(W, lr=0.1, eps=1e-4):
    L = [eps * np.eye(len(w)) for w in W]
    R = [eps * np.eye(w.shape[-1]) for w in W]
    while True:
        G = yield W
        W = list(W)
        for i, g in enumerate(G):
            if g.ndim == 1:  # one axis: the power is -1/2
                L[i] = L[i] + np.outer(g, g)
                W[i] = W[i] - lr * power(L[i], -1 / 2) @ g
            else:
                L[i], R[i] = L[i] + g @ g.T, R[i] + g.T @ g
                W[i] = W[i] - lr * power(L[i], -1 / 4) @ g @ power(R[i], -1 / 4)


def schedule_free(W, lr=0.3, beta=0.9, decay=0.05, warmup=10, beta2=None, eps=1e-8):
    x, z, v, sums, t = list(W), list(W), [0.0] * len(W), 0.0, 0
    y = list(W)
    while True:
        G = yield y
        t += 1
        gamma = lr * min(1, t / warmup) * (np.sqrt(1 - beta2**t) if beta2 else 1)
        sums += gamma**2
        c = gamma**2 / sums
        for i, g in enumerate(G):
            step = g
            if beta2:
                v[i] = beta2 * v[i] + (1 - beta2) * g**2
                step = g / (np.sqrt(v[i]) + eps)
            z[i] = z[i] - gamma * step - gamma * decay * y[i]
            x[i] = (1 - c) * x[i] + c * z[i]
        y = [(1 - beta) * zi + beta * xi for zi, xi in zip(z, x, strict=True)]


CASES = {
    "Lion": (lambda m: optimizers.Lion(m.parameters(), lr=1e-3, weight_decay=0.1), lion),
    "LAMB": (lambda m: optimizers.LAMB(m.parameters(), lr=0.01, weight_decay=0.1), lamb),
    "Shampoo": (lambda m: optimizers.Shampoo(m.parameters()), shampoo),
    "ScheduleFreeSGD": (
        lambda m: optimizers.ScheduleFreeSGD(
            m.parameters(), 0.3, weight_decay=0.05, warmup_steps=10
        ),
        schedule_free,
    ),
    "ScheduleFreeAdamW": (
        lambda m: optimizers.ScheduleFreeAdamW(
            m.parameters(), 0.01, betas=(0.95, 0.99), weight_decay=0.05, warmup_steps=10
        ),
        lambda W: schedule_free(W, lr=0.01, beta=0.95, beta2=0.99),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_trajectory_equals_the_papers(name):
    assert run(*CASES[name]) <= 1e-8


def test_shampoo_on_three_axes():
    from dlscratch.layers import Parameter

    rng = np.random.default_rng(0)
    W, G = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 3, 4))
    w, s = Parameter(W), Parameter(np.array(2.0))
    optimizer = optimizers.Shampoo([w, s], lr=0.5, eps=0.1)
    w.grad, s.grad = G, 3.0
    optimizer.step()
    A, B, C = (
        power(0.1 * np.eye(n) + np.einsum(f"{i},{j}->{i[k]}{j[k]}", G, G), -1 / 6)
        for k, (n, i, j) in enumerate([(2, "abc", "dbc"), (3, "abc", "adc"), (4, "abc", "abe")])
    )
    np.testing.assert_allclose(w.data, W - 0.5 * np.einsum("ai,bj,ck,ijk", A, B, C, G), rtol=1e-10)
    assert s.data == 2.0 - 0.5 * 3.0  # no axis, no matrix


def test_schedule_free_evaluates_at_the_average():
    model = small()
    optimizer = optimizers.ScheduleFreeSGD(model.parameters(), lr=0.3, momentum=0.8)
    start, theta = model.parameters().theta.copy(), model.parameters().theta
    optimizer.eval()  # nothing learned yet: nothing changes
    assert np.array_equal(theta, start)
    z, trail = start.copy(), []
    for x, y in batches(5):
        optimizer.zero_grad()
        backward(model, x, y)
        z = z - 0.3 * model.parameters().dtheta
        trail.append(z)
        optimizer.step()
    held = theta.copy()
    optimizer.eval()
    np.testing.assert_allclose(theta, np.mean(trail, axis=0), rtol=1e-12)
    optimizer.train()
    assert np.array_equal(theta, held)


@pytest.mark.parametrize("base", ["SGD", "Adam"])
def test_sam_equals_its_two_steps_in_torch(base):
    torch = pytest.importorskip("torch")
    ours, theirs = twins()
    mine = optimizers.SAM(getattr(optimizers, base)(ours.parameters(), lr=0.05), rho=0.1)
    other, rho, worst = getattr(torch.optim, base)(theirs.parameters(), lr=0.05), 0.1, 0.0
    for x, y in batches():

        def closure():
            mine.zero_grad()
            return backward(ours, x, y)

        loss = mine.step(closure)
        other.zero_grad()
        assert loss.item() == pytest.approx(torch_backward(theirs, x, y).item(), rel=1e-8)
        with torch.no_grad():
            size = torch.sqrt(sum((p.grad**2).sum() for p in theirs.parameters()))
            climb = [rho * p.grad / size for p in theirs.parameters()]
            for p, e in zip(theirs.parameters(), climb, strict=True):
                p += e
        other.zero_grad()
        torch_backward(theirs, x, y)
        with torch.no_grad():
            for p, e in zip(theirs.parameters(), climb, strict=True):
                p -= e
        other.step()
        worst = max(worst, distance(ours, theirs))
    assert worst <= 1e-8


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
    from dlscratch.layers import Parameter

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
    from dlscratch.layers import Parameter

    x = Parameter(np.zeros(3))
    optimizer = optimizers.LBFGS([x])

    def closure():
        optimizer.zero_grad()
        y = np.sum(x * x)
        y.backward()
        return y

    optimizer.step(closure)
    assert optimizer.t == 0 and not x.data.any()
