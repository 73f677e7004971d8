"""What every command has in common: help, exit codes, errors in one line; and the small ones."""

import os
import re
import subprocess
import sys
import types

import pytest

from dlscratch.__main__ import main
from dlscratch.cli import COMMANDS, NEED_A_CLONE
from dlscratch.cli import notebooks as nb

ROOT = nb.folder().parent


def user(*arguments, **options):
    """What a user sees who types the command in a shell."""
    run = [sys.executable, "-m", "dlscratch", *arguments]
    return subprocess.run(run, capture_output=True, cwd=ROOT, encoding="utf-8", **options)


def test_help_names_commands_and_codes():
    done = user("--help")
    assert done.returncode == 0 and all(f"    {name}" in done.stdout for name in COMMANDS)
    assert "130  stopped" in done.stdout and "Where there is none" in done.stdout
    assert "In a clone" not in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_each_help_has_an_example(capsys, name):
    with pytest.raises(SystemExit) as stopped:
        main([name, "--help"])
    assert stopped.value.code == 0
    assert f"  python -m dlscratch {name}" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["dance"], [], ["run"], ["list", "--fast"]])
def test_a_line_that_cannot_be_read(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2 and "usage: python -m dlscratch" in capsys.readouterr().err


def test_list(clone, capsys):
    assert main(["list"]) == 0
    assert (
        capsys.readouterr().out.splitlines()[0]
        == "05  Sample: Is it so? (about 3 s on one core, 90 MB)"
    )


def test_a_package_that_is_missing_is_named_with_the_repair(clone, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "papermill", None)
    assert main(["run", "5"]) == 2
    error = capsys.readouterr().err
    assert (
        "run needs papermill, which is not installed; doctor names all that is missing. " in error
    )
    assert '-m pip install "papermill>=' in error


@pytest.mark.parametrize("command", ["verify", "benchmark"])
def test_what_needs_a_clone_says_so(clone, capsys, command):
    assert main([command]) == 2
    assert (
        "this needs a clone of the repository, with its folders tests/ and tools/"
        in capsys.readouterr().err
    )


def test_an_installed_package_offers_only_what_works(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(nb, "__file__", str(tmp_path / "a" / "b" / "c.py"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    offered = [name for name in COMMANDS if re.search(rf"^    {name}\b", said, re.M)]
    assert offered == [name for name in COMMANDS if name not in NEED_A_CLONE]
    assert f"there are also: {', '.join(NEED_A_CLONE)}." in said


def test_what_needs_notebooks_says_so(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(nb, "__file__", str(tmp_path / "a" / "b" / "c.py"))
    monkeypatch.chdir(tmp_path)
    assert main(["list"]) == 2
    assert "run this inside a clone" in capsys.readouterr().err


def test_a_pipe_that_has_no_tick_gets_one():
    done = user("claims", "00", env=os.environ | {"PYTHONIOENCODING": "cp1252"})
    assert done.returncode == 0 and "✓" in done.stdout, done.stderr


def test_a_reader_who_has_seen_enough():
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "dlscratch", "claims"],
            stdout=write,
            stderr=subprocess.PIPE,
            cwd=ROOT,
        )
    finally:
        os.close(write)
    assert done.stderr == b"" or sys.platform == "win32", (
        "Windows reports a closed pipe as OSError 22, which says so"
    )


def test_benchmark_writes_what_it_measured(capsys, monkeypatch, tmp_path):
    from tools.benchmark import race

    row = {library: [{"ms": ms, "mb": 1}] * 2 for library, ms in (("PyTorch", 1), ("dlscratch", 2))}
    monkeypatch.setattr(race, "race", lambda *_: {"W1 MLP, Adam": row})
    monkeypatch.setattr(race, "table", lambda results, rate: f"{len(results)} row")
    monkeypatch.setattr(race, "gemm_rate", lambda threads: 1)
    torch = types.ModuleType("torch")
    torch.Tensor = type("Tensor", (), {})  # SciPy, which seaborn imports, looks for it
    monkeypatch.setitem(sys.modules, "torch", torch)
    assert (
        main(
            [
                "benchmark",
                "W1",
                "--json",
                str(tmp_path / "a.json"),
                "--picture",
                str(tmp_path / "a.png"),
            ]
        )
        == 0
    )
    assert capsys.readouterr().out == "1 row\n"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "a.png"]
