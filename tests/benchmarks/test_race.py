"""The race is fair: both libraries compute the same, and its table says what was measured."""

import json

import numpy as np
import pytest

from dlscratch.__main__ import main
from tools.benchmark import peers, race
from tools.benchmark.further import ROWS
from tools.benchmark.peers import PEERS, peer
from tools.benchmark.workloads import LIBRARIES


@pytest.mark.parametrize("name", ROWS)
def test_both_train_alike(name):
    """The same losses from the same weights; where nothing is trained, the same logits."""
    torch = pytest.importorskip("torch")
    (ours, step), (theirs, their_step) = (
        ROWS[name](LIBRARIES[library]()) for library in ("dlscratch", "PyTorch")
    )
    if ours is not None:
        theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})
    np.testing.assert_allclose(
        [step() for _ in range(3)], [their_step() for _ in range(3)], rtol=2e-3
    )


def test_a_measurement_in_this_process():
    found = race.measure("dlscratch", "W1 MLP 64-128-128-10", seconds=0.0)
    assert found["ms"] > 0 and found["mb"] >= 0


def test_race_and_command(tmp_path, capsys):
    pytest.importorskip("torch")
    file, drawn = tmp_path / "race.json", tmp_path / "race.png"
    short = ["--rounds", "1", "--threads", "1", "--seconds", "0"]
    assert main(["benchmark", "W1", *short, "--json", str(file), "--picture", str(drawn)]) == 0
    assert drawn.read_bytes()[1:4] == b"PNG"
    results, said = json.loads(file.read_text()), capsys.readouterr().out
    (by,) = results.values()
    assert {"dlscratch", "PyTorch"} <= set(by) and all(
        len(r) == 1 and r[0]["ms"] > 0 for r in by.values()
    )
    ratio = by["dlscratch"][0]["ms"] / by["PyTorch"][0]["ms"]
    assert f"{ratio:6.2f}" in said and "geometric mean" in said and "GFLOP/s" in said


def test_table_and_picture_with_peers(tmp_path):
    """Medians of the ratios round by round, a mean over W rows and over all, others who ran."""
    times = lambda *ms: [{"ms": m, "mb": 2.4} for m in ms]  # noqa: E731
    results = {
        "W1 MLP 64-128-128-10": {
            "dlscratch": times(1, 2, 4),
            "PyTorch": times(4, 4, 4),
            "JAX": times(8, 8, 8),
        },
        "F6 inference, one MLP": {"dlscratch": times(2, 2, 2), "PyTorch": times(1, 1, 1)},
    }
    said = race.table(results, rate=100).splitlines()
    assert said[0].split()[-2:] == ["GFLOP/s", "JAX"]
    assert said[1][28:].split() == "4.00 ms 2.00 ms 0.50 0.25 1.00 2 / 2 4 (4%) 2.00".split()
    assert said[2].split()[-1] == "–"
    assert said[3].split()[-2:] == ["(1)", "0.50"] and said[4].split()[-2:] == ["(2)", "1.00"]
    race.picture(results, tmp_path / "race.png")
    assert (tmp_path / "race.png").stat().st_size > 5_000


@pytest.mark.parametrize(
    "name, row", [(name, row) for name, (*_, rows) in PEERS.items() for row in rows]
)
def test_peers_train_alike(name, row):
    pytest.importorskip(PEERS[name][0])
    (row,) = (r for r in ROWS if r.startswith(row))
    model, step = ROWS[row](LIBRARIES["dlscratch"]())
    theirs = peer(name, row, model)
    np.testing.assert_allclose([theirs() for _ in range(3)], [step() for _ in range(3)], rtol=2e-3)


def test_peers_join_only_where_installed(monkeypatch):
    monkeypatch.setattr(peers, "find_spec", lambda module: module != "jax")
    assert (
        peers.installed("W7 gradient penalty") == ["autograd"]
        and peers.installed("W6 GPT, 4 layers") == []
    )


@pytest.mark.parametrize(
    "request_, message",
    [
        ("W99", "no row begins with W99; want names from"),
        ("W1 W99", "no row begins with W99; want names from"),
        ("W1 --rounds 0", "rounds=0, threads=None; want at least one"),
        ("W1 --threads 0", "threads=0; want at least one"),
    ],
)
def test_bad_requests(capsys, request_, message):
    assert main(["benchmark", *request_.split()]) == 2
    assert message in capsys.readouterr().err


def test_a_failure_names_its_row():
    with pytest.raises(RuntimeError, match="W1 .* with dlscratch failed"):
        race.race(["W1"], seconds="no number", rounds=1)
