"""verify: both halves, a breach in each, and the half that is left without PyTorch."""

import os

import numpy as np
import pytest

from dlscratch.__main__ import main
from dlscratch.cli import verify
from tests import samples

WRONG = """
import dlscratch.functional
right = dlscratch.functional.softplus
dlscratch.functional.softplus = lambda x, *rest, **options: right(x, *rest, **options) * 1.001
"""


@pytest.fixture
def comparisons(monkeypatch):
    """Few of them, for the others pass or fail in the suite itself."""
    pytest.importorskip("torch")
    monkeypatch.setattr(samples, "SAMPLES", samples.SAMPLES[:3])
    monkeypatch.setattr(verify, "COMPARISONS", ["tests/functional/test_activations.py"])


def test_verify(comparisons, capfd):
    assert main(["verify", "-k", "softplus"]) == 0
    out = capfd.readouterr().out
    assert (
        "samples at order 1: worst relative error" in out
        and "samples at order 2: worst relative error" in out
    )
    assert "softplus" in out.split("worst relative error  ")[1]


def test_a_breach_of_parity(comparisons, capfd, monkeypatch, tmp_path):
    (tmp_path / "wrong.py").write_text(WRONG)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p wrong")
    assert main(["verify", "-k", "softplus"]) == 1
    assert "1.0e-03" in capfd.readouterr().out.split("worst relative error  ")[1]


def test_words_that_no_comparison_holds(comparisons, capfd):
    assert main(["verify", "-k", "cauliflower"]) == 2
    assert (
        "no comparison with PyTorch was made: no test's name holds cauliflower"
        in capfd.readouterr().err
    )


def test_a_breach_of_a_derivative(capsys, monkeypatch):
    wrong = samples.Sample(
        np.square,
        lambda x: x * x.detach(),
        lambda rng: (rng.normal(size=3),),
        "half the slope",
        True,
    )
    monkeypatch.setattr(samples, "SAMPLES", [*samples.SAMPLES[:2], wrong])
    monkeypatch.setattr(verify.importlib.util, "find_spec", lambda name: None)
    assert main(["verify"]) == 1
    assert (
        "3 samples at order 1: worst relative error 5.0e-01 (half the slope), bound 1e-05"
        in capsys.readouterr().out
    )


def test_an_error_that_is_no_number_is_a_breach(monkeypatch):
    monkeypatch.setattr(samples, "SAMPLES", samples.SAMPLES[:3])
    monkeypatch.setattr(
        verify,
        "gradcheck",
        lambda f, *xs, order: float("nan") if f is samples.SAMPLES[1].f else 0.0,
    )
    monkeypatch.setattr(verify.importlib.util, "find_spec", lambda name: None)
    assert main(["verify"]) == 1


def test_without_torch_the_other_half_is_named(capsys, monkeypatch):
    monkeypatch.setattr(samples, "SAMPLES", samples.SAMPLES[:3])
    monkeypatch.setattr(
        verify.importlib.util, "find_spec", lambda name: None if name == "torch" else True
    )
    assert main(["verify"]) == 0
    out = capsys.readouterr().out
    assert "3 samples at order 2" in out
    assert (
        "Not done: the comparison with PyTorch, which needs torch. To get it: " in out
        and '-m pip install "torch>=' in out
    )
