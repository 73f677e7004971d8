"""run and exercises: what they write, refuse, and leave alone."""

import re
import signal
import subprocess
import sys
import time

import nbformat
import papermill
import pytest
from nbclient import NotebookClient

from dlscratch import cli
from dlscratch.__main__ import main
from dlscratch.cli import notebooks as nb
from tools.notebooks.sample import runnable


def files(folder):
    return sorted(p.name for p in folder.rglob("*")) if folder.exists() else []


def test_run(clone, capsys):
    assert main(["run", "5"]) == 0
    out = capsys.readouterr().out
    assert "✓ It is shallow [measured 3 ; wanted < 5]" in out and "1 of 1 claims hold" in out
    assert files(clone / "build" / "notebooks") == ["05_b.html", "05_b.ipynb"]
    assert "It is shallow" in (clone / "build" / "notebooks" / "05_b.html").read_text(
        encoding="utf-8"
    )


def test_a_claim_that_fails_with_the_defaults_is_a_failure(clone, capsys):
    assert main(["run", "6"]) == 1
    assert "✗ It is shallow" in capsys.readouterr().out


def test_a_claim_that_flips_with_other_parameters_is_none(clone, capsys):
    assert main(["run", "5", "-p", "depth", "7", "-p", "name=spirals"]) == 0
    assert "0 of 1 claims hold" in capsys.readouterr().out


@pytest.mark.parametrize(
    "request_, message",
    [
        ("9", "no notebook 9; there are 05, 06"),
        (
            "5 -p dept=1",
            "05_b.ipynb has no parameter dept (did you mean depth?); it has depth=3, name='digits'",
        ),
        ("5 -p colour 1", "05_b.ipynb has no parameter colour; it has depth=3"),
        ("5 -p depth 1 -p depth=2", "-p depth 1 -p depth 2: want each name once"),
        ("5 -p depth", "-p depth: want a name and a value"),
        ("5 -p depth 5 6", "-p depth 5 6: want a name and a value"),
        (
            "5 -p depth 1.5",
            "05_b.ipynb: depth wants a whole number, like its default 3; came '1.5'",
        ),
        ("5 -p depth deep", "05_b.ipynb: depth wants a whole number"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_runs(clone, capsys, request_, message):
    assert main(["run", *request_.split()]) == 2
    assert message in capsys.readouterr().err
    assert files(clone / "build") == []


@pytest.mark.parametrize(
    "default, given, value",
    [
        (3, "5", 5),
        (0.5, "1", 1.0),
        (0.5, "1e-3", 1e-3),
        (0.5, "-2", -2.0),
        (True, "false", False),
        (True, "False", False),
        ("a", "b", "b"),
        ("a", "5", "5"),
        ("a", "'b'", "b"),
        ("a", "", ""),
        ([0.1], "[1, 0.2]", [1.0, 0.2]),
        ([1], "1,2", [1, 2]),
        ([], "['a']", ["a"]),
        (3, 5, 5),
        (0.5, 2, 2.0),
    ],
)
def test_a_value_takes_the_type_of_the_default(default, given, value):
    (fitted,) = nb.fitted("a.ipynb", {"x": default}, {"x": given}).values()
    assert fitted == value and type(fitted) is type(value)
    assert not isinstance(value, list) or [type(v) for v in fitted] == [type(v) for v in value]


@pytest.mark.parametrize(
    "default, given, wanted",
    [
        (3, "True", "a whole number"),
        (3, "1e3", "a whole number"),
        (3, "", "a whole number"),
        (0.5, "fast", "a number"),
        (0.5, "True", "a number"),
        (True, "1", "True or False"),
        ([1], "1", "a list"),
        ([1], "['a']", "a whole number"),
        ("a", 5, "text"),
    ],
)
def test_a_value_of_another_type_is_refused(default, given, wanted):
    with pytest.raises(ValueError, match=f"a.ipynb: x.* wants {wanted}, like its default .*; came"):
        nb.fitted("a.ipynb", {"x": default}, {"x": given})


def test_a_cell_that_fails_is_kept_and_what_was_there_stays(clone, capsys):
    assert main(["run", "5"]) == 0
    before = (clone / "build" / "notebooks" / "05_b.ipynb").read_bytes()
    runnable(
        clone / "notebooks" / "part0_a" / "05_b.ipynb", "depth = 3  # 1-9  #@param", "depth / 0"
    )
    assert main(["run", "5"]) == 2
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert files(clone / "build" / "notebooks") == ["05_b.html", "05_b.ipynb", "05_b_failed.ipynb"]
    assert (clone / "build" / "notebooks" / "05_b.ipynb").read_bytes() == before
    failed = nb.read(clone / "build" / "notebooks" / "05_b_failed.ipynb")
    assert any(
        o.get("ename") == "ZeroDivisionError" for c in failed.cells for o in c.get("outputs", [])
    )


def test_the_bar_is_shown_unless_it_is_not_wanted(clone, capsys, monkeypatch):
    assert main(["run", "5"]) == 0  # the suite says DLSCRATCH_PROGRESS=0
    assert "Executing" not in capsys.readouterr().err
    monkeypatch.setenv("DLSCRATCH_PROGRESS", "1")
    assert main(["run", "5"]) == 0
    assert re.search(r"Executing: 100%.* 4/4", capsys.readouterr().err)


@pytest.mark.parametrize("where", ["execution", "page"])
def test_stopped_in_the_middle(clone, capsys, monkeypatch, where):
    """A KeyboardInterrupt while the notebook is being written, or its page: on any system."""

    def stop(*args, **options):
        (clone / args[1]).write_text("half a notebook") if where == "execution" else None
        raise KeyboardInterrupt

    assert main(["run", "5"]) == 0
    before = {p.name: p.read_bytes() for p in (clone / "build" / "notebooks").iterdir()}
    monkeypatch.setattr(
        *((papermill, "execute_notebook") if where == "execution" else (nb, "_html")), stop
    )
    assert main(["run", "5", "-p", "depth", "4"]) == 130
    assert "dlscratch: stopped" in capsys.readouterr().err
    assert {p.name: p.read_bytes() for p in (clone / "build" / "notebooks").iterdir()} == before


CONSOLE = """
import pathlib, signal, sys
# as in a terminal, also where the tests run in the background
signal.signal(signal.SIGINT, signal.default_int_handler)
from dlscratch.cli import notebooks
notebooks.folder = lambda: pathlib.Path("notebooks").resolve()
from dlscratch.__main__ import script
script()
"""
SLEEP = "import os, pathlib, time\npathlib.Path(name).write_text(str(os.getpid()))\ntime.sleep(600)"


@pytest.mark.skipif(
    sys.platform == "win32", reason="Windows sends Ctrl-C to a whole console, the tests included"
)
def test_ctrl_c_ends_the_kernel_and_leaves_nothing(clone):
    pid = clone / "pid"
    runnable(
        clone / "notebooks" / "part0_a" / "05_b.ipynb",
        f"name = {str(pid)!r}  # a file  #@param",
        SLEEP,
    )
    run = subprocess.Popen(
        [sys.executable, "-c", CONSOLE, "run", "5"], cwd=clone, stderr=subprocess.PIPE, text=True
    )
    wait_for(lambda: pid.exists() and pid.read_text())
    run.send_signal(signal.SIGINT)
    assert "dlscratch: stopped" in run.communicate(timeout=60)[1] and run.returncode == 130
    assert files(clone / "build" / "notebooks") == []
    wait_for(lambda: not alive(int(pid.read_text())))


def wait_for(happens, seconds=60):
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.05)


def alive(pid):
    import psutil

    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_exercises(clone, capsys):
    assert main(["exercises", "5"]) == 0
    assert nb.read(capsys.readouterr().out.strip()).cells
    assert main(["exercises", "5"]) == 2
    assert "may hold your work" in capsys.readouterr().err


def test_the_checks_of_a_blank_copy_say_not_yet(clone, capsys):
    path = clone / "notebooks" / "part0_a" / "05_b.ipynb"
    book = nb.read(
        runnable(path, "depth = 3", "answer = 1", 'print("Yes." if answer == 1 else "Not yet.")')
    )
    book.cells[-2].metadata["tags"] = ["solution"]
    nbformat.write(book, path)
    assert main(["exercises", "5"]) == 0
    blank = NotebookClient(nb.read(capsys.readouterr().out.strip())).execute()
    assert blank.cells[-1].outputs[0].text == "Not yet.\n"


def test_a_file_needs_no_clone(clone, tmp_path, capsys, monkeypatch):
    """An installed package runs any notebook that is named by its file."""
    monkeypatch.setattr(cli.clone, "exists", lambda: False)
    monkeypatch.setattr(nb, "folder", lambda: 1 / 0)
    file = str(tmp_path / "notebooks" / "part0_a" / "05_b.ipynb")
    assert main(["run", file, "-p", "depth", "4"]) == 0
    assert "1 of 1 claims hold" in capsys.readouterr().out
    assert main(["exercises", file]) == 0
    assert main(["run", "no_such.ipynb"]) == 2
    assert "give a notebook's number or its file" in capsys.readouterr().err
