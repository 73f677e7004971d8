"""python -m dlscratch: what it prints and the code that it exits with."""

import os
import subprocess
import sys

import pytest

from dlscratch.__main__ import _values, main
from dlscratch.lab import notebooks as nb

from .notebooks.sample import runnable

CLAIM = "print('✓' if depth < 5 else '✗', 'It is shallow [measured', depth, '; wanted < 5]')"


@pytest.fixture
def clone(tmp_path, monkeypatch):
    monkeypatch.setattr(nb, "folder", lambda: tmp_path)
    monkeypatch.chdir(tmp_path)
    runnable(tmp_path / "part0_a" / "05_b.ipynb", "depth = 3  # 1-9  #@param", CLAIM)
    runnable(tmp_path / "part0_a" / "06_c.ipynb", "depth = 8  # 1-9  #@param", CLAIM)
    return tmp_path


def test_list(clone, capsys):
    assert main(["list"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "05  Sample: Is it so?"


def test_run(clone, capsys):
    assert main(["run", "5"]) == 0
    out = capsys.readouterr().out
    assert "✓ It is shallow [measured 3 ; wanted < 5]" in out and "1 of 1 claims hold" in out
    assert (clone / "build" / "notebooks" / "05_b.html").exists()


def test_a_claim_that_fails_with_the_defaults_is_a_failure(clone, capsys):
    assert main(["run", "6"]) == 1
    assert "✗ It is shallow" in capsys.readouterr().out


def test_a_claim_that_flips_with_other_parameters_is_none(clone, capsys):
    assert main(["run", "5", "-p", "depth", "7"]) == 0
    assert "0 of 1 claims hold" in capsys.readouterr().out


@pytest.mark.parametrize("request_, message", [
    (["run", "9"], "no notebook 9; there are 05, 06"),
    (["run", "5", "-p", "width=1"], "no parameter width; it has depth"),
    (["run", "5", "-p", "depth"], "-p depth: want a name and a value"),
    (["run", "5", "-p", "depth", "'a'"], "executed cell"),
])  # fmt: skip
def test_what_cannot_be_done_is_said(clone, capsys, request_, message):
    assert main(request_) == 2
    assert message in capsys.readouterr().err


def test_values():
    pairs = [["a", "1"], ["b=2.5"], ["c=[1, 2]"], ["d", "mnist"], ["e=x=y"]]
    assert _values(pairs) == {"a": 1, "b": 2.5, "c": [1, 2], "d": "mnist", "e": "x=y"}


def test_exercises(clone, capsys):
    assert main(["exercises", "5"]) == 0
    assert nb.read(capsys.readouterr().out.strip()).cells


def test_claims_of_the_committed_notebooks(capsys):
    assert main(["claims"]) == 0
    out = capsys.readouterr().out
    assert "00_start_here" in out and "✓" in out and "✗" not in out


def test_a_pipe_that_has_no_tick_gets_one():
    run = [sys.executable, "-m", "dlscratch", "claims"]
    done = subprocess.run(run, capture_output=True, cwd=nb.folder().parent, env=os.environ | {"PYTHONIOENCODING": "cp1252"})
    assert done.returncode == 0 and "✓".encode() in done.stdout, done.stderr


def test_verify(capsys):
    assert main(["verify"]) == 0
    assert "worst relative error" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["verify", "benchmark"])
def test_what_needs_a_clone_says_so(clone, capsys, command):
    """With the package alone there are no samples and no rows."""
    assert main([command]) == 2
    assert "this needs a clone of the repository, with its folder tests/" in capsys.readouterr().err
