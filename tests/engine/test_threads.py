"""Two models trained in two Python threads at once become what they become in turn, bit for bit."""

import sys
import threading

import numpy as np
import pytest

from dlscratch import functional as F
from dlscratch import optimizers
from dlscratch.engine import Tensor, no_grad
from dlscratch.layers import Sequential

from .test_memory import MODELS


@pytest.fixture
def hasty():
    """Threads that take turns every 10 microseconds, within each operation."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def train(kind, seed, results):
    rng, (parts, shape) = np.random.default_rng(seed), MODELS[kind]
    model, losses = Sequential(*parts()), []
    optimizer = optimizers.Adam(model.parameters(), lr=0.01)
    for _ in range(8):
        x, t = rng.normal(size=shape).astype("float32"), rng.integers(0, 3, shape[0])
        optimizer.zero_grad()
        loss = F.cross_entropy(model(Tensor(x)), t)
        loss.backward()
        optimizer.step()
        with no_grad():
            losses.append(float(np.sum(model(Tensor(x)))))
    results[kind, seed] = [np.array(losses), *model.state_dict().values()]


@pytest.mark.parametrize(
    "kinds",
    [(k, k) for k in MODELS] + [("dense", "lstm"), ("convolutional", "transformer")],
    ids=" and ".join,
)
def test_two_threads(kinds, hasty):
    alone, together = {}, {}
    runs = list(zip(kinds, (1, 2)))
    for kind, seed in runs:
        train(kind, seed, alone)
    threads = [threading.Thread(target=train, args=(*run, together)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together.keys() == alone.keys()
    for run in runs:
        for a, b in zip(alone[run], together[run], strict=True):
            np.testing.assert_array_equal(a, b)
