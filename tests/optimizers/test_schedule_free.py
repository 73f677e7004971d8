"""Schedule-free rules follow their paper's pseudo-code, and evaluate at the average."""

import numpy as np
import pytest

from dlscratch import optimizers

from .twins import backward, batches, pseudocode, small


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
    assert pseudocode(*CASES[name]) <= 1e-8


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
