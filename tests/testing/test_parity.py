"""Parity: equal twins agree, and a difference is found where it is."""

import importlib.util

import numpy as np
import pytest

from dlscratch import testing
from dlscratch.testing import against_torch

from ..lab.models import data, model

torch = pytest.importorskip("torch")
nn = torch.nn


def array(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


NAMES = ["0.weight", "0.bias", "1.weight", "1.bias", "3.weight", "3.bias"]
BUFFERS = ["1.running_mean", "1.running_var", "1.num_batches_tracked"]


def twin(width=3, activation=None, momentum=0.1):
    norm = nn.BatchNorm1d(4, momentum=momentum)
    return nn.Sequential(nn.Linear(width, 4), norm, activation or nn.ReLU(), nn.Linear(4, 2))


def test_equal_twins_agree_and_stay_as_they_were():
    ours, theirs = model(), twin()
    before, theirs_before = (
        ours.state_dict(),
        {k: v.clone() for k, v in theirs.state_dict().items()},
    )
    errors = against_torch(ours, theirs, data()[0])
    assert list(errors) == ["output", "input0", *NAMES, *BUFFERS]
    assert (
        max(v for k, v in errors.items() if k != "0.bias") < 1e-10
    )  # BatchNorm removes it: both gradients are noise
    assert all(np.array_equal(before[k], v) for k, v in ours.state_dict().items())
    assert all(torch.equal(theirs_before[k], v) for k, v in theirs.state_dict().items())


def test_evaluation_mode_is_taken_over():
    errors = against_torch(model().eval(), twin(), data()[0])
    assert max(errors.values()) < 1e-12


def test_float32_models_are_compared_in_float64():
    ours = model(dtype="float32").eval()
    assert max(against_torch(ours, twin(), data()[0]).values()) < 1e-12
    assert next(iter(ours.parameters())).dtype == np.float32


def test_a_difference_is_found_where_it_is():
    errors = against_torch(model(), twin(activation=nn.LeakyReLU(0.1)), data()[0])
    assert min(errors[k] for k in ("output", "input0", "0.weight", "1.weight", "3.weight")) > 1e-3
    assert (
        errors["3.bias"] < 1e-12 and errors["1.running_mean"] < 1e-12
    )  # nothing below them differs


def test_a_buffer_that_differs_is_found():
    errors = against_torch(model(), twin(momentum=0.2), data()[0])
    assert errors["1.running_mean"] == pytest.approx(0.5) and errors["output"] < 1e-12


def test_names_and_shapes_must_match():
    with pytest.raises(ValueError, match="different names: ours .*0.bias.*PyTorch's .*4.bias"):
        against_torch(model(), twin().append(nn.Linear(2, 2)), data()[0])
    with pytest.raises(ValueError, match=r"0.weight: ours has shape \(4, 3\), PyTorch's \(4, 5\)"):
        against_torch(model(), twin(width=5), data()[0])


def test_without_torch_the_repair_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert not testing.has_torch()
    with pytest.raises(ImportError, match="pip install torch"):
        against_torch(np.tanh, np.tanh, array(2))


def test_functions_against_torch():
    torch = pytest.importorskip("torch")
    assert testing.has_torch()
    errors = against_torch(
        lambda a, b: np.tanh(a @ b), lambda a, b: torch.tanh(a @ b), array(2, 3), array(3, 2)
    )
    assert errors.keys() == {"output", "input0", "input1"} and max(errors.values()) < 1e-12
    errors = against_torch(lambda a, i: a[i], lambda a, i: 2 * a[i], array(4), np.array([0, 2]))
    assert errors == {"output": pytest.approx(0.5), "input0": pytest.approx(0.5)}
    errors = against_torch(lambda a, b: a * 1.0, lambda a, b: a * 1.0 + 0 * b, array(4), array(4))
    assert errors == {"output": 0, "input0": 0, "input1": 0}
