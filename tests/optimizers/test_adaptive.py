"""Adagrad, RMSprop and Adadelta follow PyTorch's trajectories."""

import pytest

from .twins import trajectory

CASES = [
    ("Adagrad", dict()),
    (
        "Adagrad",
        dict(lr=0.05, lr_decay=0.1, weight_decay=0.1, initial_accumulator_value=0.3, eps=1e-05),
    ),
    ("RMSprop", dict()),
    ("RMSprop", dict(lr=0.02, alpha=0.9, eps=0.0001, weight_decay=0.1)),
    ("RMSprop", dict(lr=0.005, centered=True, alpha=0.8, eps=0.001)),
    ("RMSprop", dict(lr=0.002, momentum=0.9, centered=True, eps=0.001, weight_decay=0.01)),
    ("Adadelta", dict()),
    ("Adadelta", dict(lr=0.5, rho=0.8, eps=0.0001, weight_decay=0.1)),
]


@pytest.mark.parametrize("name, options", CASES, ids=str)
def test_trajectory_equals_torch(name, options):
    assert trajectory(name, options) <= 1e-8
