"""Sweeps survive a killed worker, a killed sweep, an exception, and Ctrl-C.

Runs leave a mark each time they start.
"""

import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from dlscratch.sweep.grid import sweep

pytestmark = pytest.mark.skipif(
    sys.platform == "win32",
    reason="Windows has no SIGKILL, and does not tell a child of its parent's death",
)
needs_dask = pytest.mark.skipif(
    find_spec("distributed") is None, reason="the package distributed is missing"
)
GRID = {"a": [1, 2, 3], "b": [0.5]}


def marked(folder, name):
    """Count one more start of this run."""
    with open(Path(folder) / name, "a") as file:
        file.write("x")
    return os.path.getsize(Path(folder) / name)


def starts(folder):
    return {path.name: path.stat().st_size for path in Path(folder).iterdir()}


def product(a, b, seed):
    return a * b + seed


def deadly(a, b, seed, folder):
    tries = marked(folder, f"{a} {seed}")
    if a == 1 and seed == 0 and tries == 1 or a == 3 and seed == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if a == 2 and seed == 1:
        raise ZeroDivisionError("on purpose")
    return {"got": a * b + seed}


@pytest.mark.parametrize("engine", ["joblib", pytest.param("dask", marks=needs_dask)])
def test_a_killed_worker_and_an_exception_end_no_other_run(tmp_path, engine):
    (tmp_path / "marks").mkdir()
    grid = GRID | {"folder": [str(tmp_path / "marks")]}
    frame = sweep(deadly, grid, 2, engine=engine, jobs=2, out=tmp_path / "runs.jsonl").set_index(
        ["a", "seed"]
    )
    assert len(frame) == 6 and len((tmp_path / "runs.jsonl").read_bytes().splitlines()) == 6
    good = frame[frame.error.isna()]
    assert (
        set(good.index) == {(1, 0), (1, 1), (2, 0), (3, 0)}
        and (good.got == [0.5, 1.5, 1.0, 1.5]).all()
    )
    assert "ZeroDivisionError: on purpose" in frame.error[2, 1] and "in deadly" in frame.error[2, 1]
    assert "killed" in frame.error[3, 1]
    # Four deaths are the limit. Two of them may be a neighbour's, before the run has begun;
    # the last two are its own, since it is alone.
    assert starts(tmp_path / "marks")["1 0"] >= 2 and 2 <= starts(tmp_path / "marks")["3 1"] <= 4
    assert (
        starts(tmp_path / "marks")["2 1"] <= 3
    )  # an exception is no reason to do it again, an unlucky neighbour may be


SCRIPT = """
import sys, time
from importlib.util import find_spec
from pathlib import Path
from dlscratch.sweep import sweep
marks = Path(sys.argv[1])
def slow(a, seed):
    with open(marks / f"{a} {seed}", "a") as file:
        file.write("x")
    while len(list(marks.iterdir())) > 6 and not (marks.parent / "go").exists():
        time.sleep(0.05)  # the first sweep gets no further, however late it is stopped
    time.sleep(0.1)
    return a + seed
if __name__ == "__main__":
    frame = sweep(slow, {"a": list(range(4))}, 3, jobs=2, out=sys.argv[2])
    print(frame.to_json(orient="records"))
"""


@pytest.fixture
def script(tmp_path):
    (tmp_path / "slow.py").write_text(SCRIPT)
    (tmp_path / "marks").mkdir()
    return [
        sys.executable,
        "-W",
        "error",
        str(tmp_path / "slow.py"),
        str(tmp_path / "marks"),
        str(tmp_path / "runs.jsonl"),
    ]


ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}


def stopped_by(script, number, out):
    """The sweep, which got the signal after four finished runs; what it had stored by then."""
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    running = subprocess.Popen(script, start_new_session=True, env=ENVIRONMENT, **pipes)
    while not out.exists() or out.read_bytes().count(b"\n") < 4:
        assert running.poll() is None, running.communicate()
        time.sleep(0.02)
    os.kill(running.pid, number)
    _, err = running.communicate(timeout=20)
    return running, err, [json.loads(line)["run"] for line in out.read_text().splitlines()]


def alive(session):
    return [
        p
        for p in psutil.process_iter()
        if p.status() != psutil.STATUS_ZOMBIE and os.getsid(p.pid) == session
    ]


def wait_for(condition, seconds=15):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_sweep_goes_on_where_it_was(tmp_path, script, number):
    running, err, stored = stopped_by(script, number, tmp_path / "runs.jsonl")
    assert running.returncode == -number and 4 <= len(stored) < 12
    assert ("KeyboardInterrupt" in err) == (number == signal.SIGINT)
    wait_for(lambda: not alive(running.pid))  # no worker goes on by itself
    before = starts(tmp_path / "marks")
    (tmp_path / "go").touch()
    finished = subprocess.run(script, check=True, capture_output=True, text=True, env=ENVIRONMENT)
    frame = pd.DataFrame(json.loads(finished.stdout.splitlines()[-1]))
    assert (
        len(frame) == 12
        and (frame.value == frame.a + frame.seed).all()
        and frame.error.isna().all()
    )
    again = {
        name for name, count in starts(tmp_path / "marks").items() if count > before.get(name, 0)
    }
    assert again == {f"{a} {seed}" for a in range(4) for seed in range(3)} - {
        f"{run['a']} {run['seed']}" for run in stored
    }


def test_a_larger_grid_and_failed_runs_are_what_is_left_to_do(tmp_path):
    (tmp_path / "marks").mkdir()
    grid = {"a": [2], "b": [0.5], "folder": [str(tmp_path / "marks")]}
    sweep(deadly, grid, 2, jobs=1, out=tmp_path / "runs.jsonl")
    frame = sweep(deadly, grid | {"a": [2, 4]}, [1, 0], jobs=1, out=tmp_path / "runs.jsonl")
    assert list(frame.seed) == [1, 0, 1, 0] and starts(tmp_path / "marks") == {
        "2 0": 1,
        "2 1": 2,
        "4 0": 1,
        "4 1": 1,
    }


def kinds(a, seed):
    from threadpoolctl import threadpool_info

    numbers = dict(
        nan=np.float32("nan"),
        inf=-np.inf,
        half=np.float16(0.5),
        count=np.int64(2**60),
        flag=np.bool_(True),
    )
    return (
        numbers
        | dict(text="ü", none=None)
        | {"zero_d": np.array(1.5), "threads": max(p["num_threads"] for p in threadpool_info())}
    )


def test_what_a_run_returns_comes_back_also_from_the_file(tmp_path):
    for _ in range(2):
        row = sweep(kinds, {"a": [np.float64(1)]}, [7], jobs=1, out=tmp_path / "runs.jsonl").iloc[0]
        assert (
            np.isnan(row["nan"])
            and row.inf == -np.inf
            and row.half == 0.5
            and row["count"] == 2**60
            and row.flag is np.True_
        )
        assert (
            row.text == "ü"
            and row.none is None
            and row.zero_d == 1.5
            and row.threads == 1
            and row.a == 1
            and row.seed == 7
        )


def wrong(a, seed):
    return [[1, 2], {"a": 1}, {"x": 1j}, {"x": np.zeros(2)}][a]


def test_what_is_no_result_is_the_error_of_its_run(tmp_path):
    frame = sweep(wrong, {"a": range(4)}, 1, jobs=1, out=tmp_path / "runs.jsonl")
    wanted = [
        "list; want a number",
        "the result has a, which is a parameter",
        "complex; want",
        "ndarray; want",
    ]
    assert all(words in error for error, words in zip(frame.error, wanted, strict=True))


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(grid={}), "no values for grid; want grid={'lr'"),
        (dict(grid={"a": [], "b": [1]}), "no values for a"),
        (dict(seeds=0), "seeds=0; want how many"),
        (dict(seeds=[]), "no values for seed"),
        (dict(jobs=0), "jobs=0; want how many runs at a time"),
        (dict(jobs=-1), "jobs=-1; want"),
        (dict(grid={"a": [1, 1], "b": [1]}), "a value stands twice"),
        (dict(grid={"a": [1], "seed": [1]}), "grid has seed, which is a column of its own"),
        (dict(grid={"a": [1], "c": [1]}), r"a run is product\(a, c, seed\), but: missing"),
        (dict(grid={"a": [[1]], "b": [1]}), r"\[1\] is list; want a number"),
        (dict(engine="ray"), "engine='ray'; want 'joblib' or 'dask'"),
        (dict(address="tcp://here:1"), 'is for engine="dask"'),
    ],
)
def test_a_bad_request_is_said_before_anything_runs(tmp_path, arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        sweep(**dict(fn=product, grid=GRID, seeds=2, out=tmp_path / "runs.jsonl") | arguments)
    assert not list(tmp_path.iterdir())


def test_a_missing_dask_is_named_with_its_repair(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ImportError, match="python -m pip install distributed"):
        sweep(product, GRID, 1, engine="dask", out=tmp_path / "runs.jsonl")
