"""doctor: what is here, what is not, and the repair.

Above all where something is missing or broken.
"""

import importlib.metadata
import json
import os
import re
import subprocess
import sys

import pytest

from dlscratch.__main__ import main
from dlscratch.cli import notebooks as nb
from dlscratch.cli import parts
from dlscratch.data import downloads

from .test_commands import user


def test_on_this_machine():
    done = user("doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"python     {sys.version.split()[0]}, {sys.executable}" in done.stdout
    assert re.search(r"\nmachine .*\d+ cores.* memory [\d.]+ GB", done.stdout)
    assert re.search(r"\nblas .*threads: \d", done.stdout)
    assert f"notebooks  {len(nb.find())} in {nb.folder()}" in done.stdout
    assert f"✓ needed: numpy {importlib.metadata.version('numpy')}, " in done.stdout


def test_without_pytorch(tmp_path):
    """A broken build, as of another platform: everything else is reported, and the code is 0."""
    (tmp_path / "torch.py").write_text(
        'raise ImportError("libtorch_cpu.so: cannot open shared object file")'
    )
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    }
    done = user("doctor", env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    torch = done.stdout.partition("– torch: ")[2].partition("\n✓")[0]
    assert "repair: " in torch and '"torch>=' in torch, done.stdout
    assert "missing" in torch or (
        "cannot be imported (ImportError: libtorch_cpu.so" in torch and "--force-reinstall" in torch
    )


@pytest.mark.parametrize("extra, code", [("", 1), ("gpu", 0)])
@pytest.mark.parametrize(
    "requirement, state, how",
    [
        ("no-such-package>=2", "no-such-package missing", 'install "no-such-package>=2"'),
        ("numpy>=99", r"numpy [\d.]+, wanted >=99", 'install "numpy>=99"'),
        (
            "nbval",
            r"nbval [\d.]+ cannot be imported \(ImportError: broken\)",
            'install --force-reinstall "nbval"',
        ),
    ],
)
def test_a_lack_and_its_repair(capsys, monkeypatch, tmp_path, requirement, state, how, extra, code):
    (tmp_path / "nbval.py").write_text("raise ImportError('broken')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "nbval", raising=False)
    monkeypatch.setattr(parts, "_asked", lambda: [(requirement, extra)])
    assert main(["doctor"]) == code
    said = capsys.readouterr().out
    assert re.search(f"{'– gpu' if extra else '✗ needed'}: {state}\n  repair: .*{how}", said), said


def test_the_installed_package_asks_for_the_same_as_the_clone(monkeypatch, tmp_path):
    """Without a pyproject.toml the metadata are read.

    These have all forms that setuptools writes.
    """
    lines = [
        "numpy>=2.0",
        'pooch>=1.8; extra == "data"',
        'x>1; sys_platform == "win32" and extra == "a"',
        "y; python_version < '3'",
    ]
    monkeypatch.setattr(parts, "__file__", str(tmp_path / "a" / "b" / "c.py"))
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: lines)
    assert parts._asked() == [
        ("numpy>=2.0", ""),
        ("pooch>=1.8", "data"),
        ('x>1; sys_platform == "win32"', "a"),
        (lines[3], ""),
    ]
    assert [part.name for part in parts.parts() if sys.platform != "win32" or part.name != "x"] == [
        "numpy",
        "pooch",
    ]


def test_repair_knows_what_is_imported_under_another_name():
    assert '-m pip install "scikit-learn>=' in parts.repair("sklearn")


def test_data_and_threads(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(parts, "_asked", lambda: [])
    monkeypatch.setenv("DLSCRATCH_DATA", str(tmp_path))
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "file").write_bytes(b"x" * 500_000)
    main(["doctor"])
    out = capsys.readouterr().out
    assert (
        f"data       {tmp_path}, writable; in it: mnist (0.5 MB)\n" in out
        and "OMP_NUM_THREADS=3" in out
    )
    monkeypatch.setattr(os, "access", lambda *_: False)
    main(["doctor"])
    assert "NOT writable: set DLSCRATCH_DATA" in capsys.readouterr().out


def test_without_the_small_helpers(capsys, monkeypatch, tmp_path):
    """psutil, threadpoolctl and pooch: what only they know is unknown, and the rest is said.

    Without a clone, too.
    """
    for name in ("psutil", "threadpoolctl", "pooch"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delenv("DLSCRATCH_DATA", raising=False)
    for module in (downloads, nb):
        monkeypatch.setattr(module, "__file__", str(tmp_path / "a" / "b" / "c.py"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(parts, "_asked", lambda: [])
    main(["doctor"])
    out = capsys.readouterr().out
    for said in (
        "memory unknown",
        "threads unknown",
        "downloads need pooch",
        "notebooks  none: no folder notebooks/ here",
    ):
        assert said in out


def test_the_console_script_is_the_same_command():
    """Where dlscratch is installed from this pyproject.toml."""
    import tomllib

    project = tomllib.loads((nb.folder().parent / "pyproject.toml").read_text(encoding="utf-8"))[
        "project"
    ]
    module, _, name = project["scripts"]["dlscratch"].partition(":")
    code = "import sys; sys.argv[1:] = ['claims', '00', '--json']; "
    code += f"from {module} import {name}; {name}()"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, cwd=nb.folder().parent, encoding="utf-8"
    )
    assert done.returncode == 0 and len(json.loads(done.stdout)) == 12
