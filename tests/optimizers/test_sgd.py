"""SGD follows PyTorch's trajectories."""

import pytest

from .twins import trajectory

CASES = [
    ("SGD", dict(lr=0.1)),
    ("SGD", dict(lr=0.1, momentum=0.9, weight_decay=0.01)),
    ("SGD", dict(lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01)),
    ("SGD", dict(lr=0.1, momentum=0.9, dampening=0.5)),
]


@pytest.mark.parametrize("name, options", CASES, ids=str)
def test_trajectory_equals_torch(name, options):
    assert trajectory(name, options) <= 1e-8
