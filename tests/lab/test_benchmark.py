"""The race is fair: both libraries compute the same, and its table says what was measured."""

import json

import numpy as np
import pytest

from dlscratch.__main__ import main
from dlscratch.lab import benchmark
from dlscratch.lab.further import ROWS
from dlscratch.lab.workloads import LIBRARIES


@pytest.mark.parametrize("name", ROWS)
def test_both_train_alike(name):
    """The same losses from the same weights; where nothing is trained, the same logits."""
    torch = pytest.importorskip("torch")
    (ours, step), (theirs, their_step) = (ROWS[name](LIBRARIES[library]()) for library in ("dlscratch", "PyTorch"))
    if ours is not None:
        theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})
    np.testing.assert_allclose([step() for _ in range(3)], [their_step() for _ in range(3)], rtol=2e-3)


def test_a_measurement_in_this_process():
    found = benchmark.measure("dlscratch", "W1 MLP 64-128-128-10", seconds=0.0)
    assert found["ms"] > 0 and found["mb"] >= 0


def test_race_and_command(tmp_path, capsys):
    pytest.importorskip("torch")
    file = tmp_path / "race.json"
    assert main(["benchmark", "W1", "--rounds", "1", "--threads", "1", "--seconds", "0", "--json", str(file)]) == 0
    results, said = json.loads(file.read_text()), capsys.readouterr().out
    (by,) = results.values()
    assert set(by) == {"dlscratch", "PyTorch"} and all(len(r) == 1 and r[0]["ms"] > 0 for r in by.values())
    ratio = by["dlscratch"][0]["ms"] / by["PyTorch"][0]["ms"]
    assert f"{ratio:6.2f}" in said and "geometric mean" in said and "GFLOP/s" in said


def test_bad_requests(capsys):
    assert main(["benchmark", "W99"]) == 2
    assert "want at least one round, and names from" in capsys.readouterr().err
    with pytest.raises(RuntimeError, match="W1 .* with dlscratch failed"):
        benchmark.race(["W1"], seconds="no number", rounds=1)
