"""The command sweep: claims at every setting, on stored runs that a second call takes over."""

import json
import sys

import pytest

from dlscratch.__main__ import main

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="sweeps are tested where processes can be killed"
)
PARAMETERS = "seed = 0  # 0-9  #@param\ndepth = 3  # 1-9  #@param\nname = 'digits'  #@param"
CLAIM = """n = depth + seed
print('✓' if n < 5 else '✗', 'It is shallow [measured', n, '; wanted < 5]')
1 / (depth - 9)"""


@pytest.fixture
def book(clone):
    from tools.notebooks.sample import runnable

    return runnable(clone / "notebooks" / "part0_a" / "07_d.ipynb", PARAMETERS, CLAIM)


def test_sweep(clone, book, capsys):
    assert (
        main(
            ["sweep", "7", "-p", "depth", "1,4", "-p", "name=digits", "--seeds", "2", "--jobs", "2"]
        )
        == 0
    )
    out = capsys.readouterr().out
    assert (
        "depth 1, name digits" in out
        and "1 It is shallow" in out
        and "1.00" in out
        and "0.50" in out
    )
    runs = clone / "build" / "sweeps" / "07_d_depth_name.jsonl"
    rows = [json.loads(line) for line in runs.read_bytes().splitlines()]
    assert {(r["run"]["depth"], r["run"]["seed"]): r["result"]["held 1"] for r in rows} == {
        (1, 0): 1,
        (1, 1): 1,
        (4, 0): 1,
        (4, 1): 0,
    }
    assert (
        rows[0]["result"]["wanted 1"] == "< 5"
        and runs.with_suffix(".png").read_bytes()[:4] == b"\x89PNG"
    )
    assert main(["sweep", "7", "-p", "depth", "1,4", "-p", "name=digits", "--seeds", "2"]) == 0
    assert len(runs.read_bytes().splitlines()) == 4
    book.write_text(
        book.read_text(encoding="utf-8").replace("< 5 else", "< 6 else"), encoding="utf-8"
    )
    assert main(["sweep", "7", "-p", "depth", "1,4", "-p", "name=digits"]) == 2
    assert "other code (" in capsys.readouterr().err


def test_a_run_that_fails_is_told(clone, book, capsys):
    assert main(["sweep", "7", "-p", "depth", "9"]) == 1
    assert (
        "failed at depth 9, seed 0: RuntimeError: 07_d.ipynb, executed cell"
        in capsys.readouterr().out
    )


@pytest.mark.parametrize(
    "request_, message",
    [
        (["sweep", "7", "-p", "width", "1"], "07_d.ipynb has no parameter width"),
        (["sweep", "7", "-p", "depth", "1,x"], "depth wants a whole number"),
        (["sweep", "7", "-p", "depth"], "-p depth: want a name and a value"),
        (["sweep", "5", "-p", "depth", "1"], "05_b.ipynb has no parameter seed"),
        (["sweep", "7", "-p", "depth", "1", "--seeds", "0"], "seeds=0; want how many"),
        (["sweep", "7", "-p", "depth", "1", "--jobs", "-1"], "jobs=-1; want how many"),
        (["sweep", "7", "-p", "seed", "1,2"], "say how many, such as --seeds 5"),
        (
            ["sweep", "7", "-p", "depth", "1", "-p", "depth=2"],
            "-p depth 1 -p depth 2: want each name once",
        ),
        (["sweep", "7", "-p", "depth", "1", "--address", "tcp://x:1"], 'is for engine="dask"'),
    ],
)
def test_what_cannot_be_swept_is_said(clone, book, capsys, request_, message):
    assert main(request_) == 2
    assert message in capsys.readouterr().err
