"""Lion follows its paper's pseudo-code."""

import numpy as np

from dlscratch import optimizers

from .twins import pseudocode


def lion(W, lr=1e-3, b1=0.9, b2=0.99, decay=0.1):
    m = [np.zeros_like(w) for w in W]
    while True:
        G = yield W
        W = [
            w - lr * (np.sign(b1 * mi + (1 - b1) * g) + decay * w)
            for w, mi, g in zip(W, m, G, strict=True)
        ]
        m = [b2 * mi + (1 - b2) * g for mi, g in zip(m, G, strict=True)]


def test_trajectory_equals_the_papers():
    make = lambda m: optimizers.Lion(m.parameters(), lr=1e-3, weight_decay=0.1)
    assert pseudocode(make, lion) <= 1e-8
