"""A file is written whole or not at all, whoever else writes it, whatever stands at its path."""

import contextlib
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dlscratch import files

ROOT = Path(__file__).parents[1]
posix = pytest.mark.skipif(os.name != "posix", reason="modes, links and signals of POSIX")


def names(folder):
    return sorted(p.name for p in folder.iterdir())


@contextlib.contextmanager
def umask(mask):
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


# What goes wrong ----------------------------------------------------------------------


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_exception_leaves_the_old_files_and_nothing_else(tmp_path, error):
    files.write_whole(tmp_path / "a", b"old")
    with pytest.raises(error), files.whole(tmp_path / "a", tmp_path / "b") as drafts:
        for draft in drafts:
            draft.write_bytes(b"new")
        raise error
    assert names(tmp_path) == ["a"] and (tmp_path / "a").read_bytes() == b"old"


@pytest.mark.parametrize("call", ["fsync", "replace", "chmod"])
def test_a_failing_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, call):
    path = tmp_path / "a"
    files.write_whole(path, b"old")

    def full(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(OSError, match="no space left"):
        files.write_whole(path, b"new")
    assert names(tmp_path) == ["a"] and path.read_bytes() == b"old"


def test_no_file_changes_unless_all_drafts_are_written(tmp_path):
    with (
        pytest.raises(FileNotFoundError, match="b: nothing was written to its draft"),
        files.whole(tmp_path / "a", tmp_path / "b") as (a, _),
    ):
        a.write_bytes(b"new")
    assert names(tmp_path) == []


def test_drafts_have_the_files_names_and_are_not_seen_under_them(tmp_path):
    with files.whole(tmp_path / "a.png", tmp_path / "b.html") as drafts:
        assert [d.name for d in drafts] == ["a.png", "b.html"]
        assert all(d.parent.parent == tmp_path for d in drafts), "on the same disk, for the rename"
        for draft in drafts:
            draft.write_bytes(b"new")
        assert all(name.startswith(".unfinished-") for name in names(tmp_path))
    assert names(tmp_path) == ["a.png", "b.html"]


def test_a_long_name_can_be_written(tmp_path):
    files.write_whole(tmp_path / ("n" * 255), b"all")
    assert names(tmp_path) == ["n" * 255]


@pytest.mark.parametrize(
    "make, error, match",
    [
        (lambda p: p / "none" / "a", FileNotFoundError, "existing folder .*none; make it first"),
        (lambda p: p, IsADirectoryError, "got a folder"),
        (lambda p: Path(os.devnull), OSError, "got a device"),
    ],
)
def test_what_is_no_place_for_a_file_is_refused(tmp_path, make, error, match):
    with pytest.raises(error, match=match):
        files.write_whole(make(tmp_path), b"new")
    assert names(tmp_path) == [] and Path(os.devnull).exists()


# Several writers ----------------------------------------------------------------------


def write_often(path, byte, failures):
    said = []
    for _ in range(40):
        try:
            files.write_whole(path, byte * 100_000)
        except Exception as error:
            said.append(repr(error))
    failures.put(said)


def test_writers_of_one_path_all_succeed_and_it_is_always_one_of_their_files(tmp_path):
    path, context = tmp_path / "a", multiprocessing.get_context("spawn")
    path.write_bytes(b"0" * 100_000)
    failures = context.Queue()
    writers = [
        context.Process(target=write_often, args=(path, byte, failures)) for byte in (b"1", b"2")
    ]
    for writer in writers:
        writer.start()
    seen = set()
    while any(writer.is_alive() for writer in writers) and failures.qsize() < 2:
        content = path.read_bytes()
        assert len(content) == 100_000 and len(set(content)) == 1
        seen.add(content[:1])
    assert [failures.get(), failures.get()] == [[], []]
    for writer in writers:
        writer.join()
    assert seen & {b"1", b"2"} and names(tmp_path) == ["a"]


def test_one_draft_does_not_disturb_another_of_the_same_file(tmp_path):
    path = tmp_path / "a"
    with files.whole(path) as (outer,):
        outer.write_bytes(b"outer")
        files.write_whole(path, b"inner")
        assert path.read_bytes() == b"inner" and outer.read_bytes() == b"outer"
    assert path.read_bytes() == b"outer" and names(tmp_path) == ["a"]


# What a killed process leaves ---------------------------------------------------------

KILLED = """
import os, signal, sys
from dlscratch import files
with files.whole(sys.argv[1]) as (draft,):
    draft.write_bytes(b"half")
    print("begun", flush=True)
    sys.stdin.read()
"""


def begun(path):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"begun\n"
    return process


@posix
def test_a_killed_writer_leaves_the_old_file_and_the_next_writer_clears_up(tmp_path):
    path = tmp_path / "a"
    files.write_whole(path, b"old")
    with begun(path) as process:
        process.send_signal(signal.SIGKILL)
    assert path.read_bytes() == b"old" and len(names(tmp_path)) == 2
    files.write_whole(tmp_path / "b", b"another file")
    assert names(tmp_path) == ["a", "b"]


@posix
def test_a_writer_that_lives_is_not_cleared_up(tmp_path):
    with begun(tmp_path / "a") as process:
        files.write_whole(tmp_path / "b", b"another file")
        assert len(names(tmp_path)) == 2
        process.communicate(b"")
    assert process.returncode == 0 and (tmp_path / "a").read_bytes() == b"half"


def test_what_another_machine_left_is_cleared_up_after_a_day_and_other_names_never(tmp_path):
    foreign, alike = tmp_path / ".unfinished-elsewhere-1-xyz", tmp_path / ".unfinished-essay"
    for folder in (foreign, alike):
        folder.mkdir()
        (folder / "a").write_bytes(b"half")
    files.write_whole(tmp_path / "b", b"all")
    assert foreign.exists()
    for folder in (foreign, alike):
        os.utime(folder, (time.time() - 90_000,) * 2)
    files.write_whole(tmp_path / "b", b"all")
    assert not foreign.exists() and (alike / "a").exists()


# Modes and links ----------------------------------------------------------------------


@posix
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_a_new_file_has_the_mode_that_open_gives(tmp_path, mask):
    with umask(mask):
        files.write_whole(tmp_path / "a", b"new")
        with open(tmp_path / "b", "wb"):
            pass
    mode = (tmp_path / "a").stat().st_mode
    assert mode == (tmp_path / "b").stat().st_mode
    assert stat.S_IMODE(mode) == 0o666 & ~mask


@posix
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o666, 0o755])
def test_an_existing_file_keeps_its_mode(tmp_path, mode):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(mode)
    with umask(0o022):
        files.write_whole(path, b"new")
    assert path.read_bytes() == b"new" and stat.S_IMODE(path.stat().st_mode) == mode


def test_a_file_that_is_read_only_stays(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda *_: False)  # the superuser may write everywhere
    with pytest.raises(PermissionError, match="a is read-only"):
        files.write_whole(path, b"new")
    assert path.read_bytes() == b"old" and names(tmp_path) == ["a"]


@posix
@pytest.mark.parametrize("relative", [True, False])
@pytest.mark.parametrize("dangling", [True, False])
def test_a_link_is_followed_and_stays(tmp_path, relative, dangling):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir(), there.mkdir()
    if not dangling:
        (there / "a").write_bytes(b"old")
    (here / "middle").symlink_to("../there/a" if relative else there / "a")
    (here / "link").symlink_to("middle" if relative else here / "middle")
    files.write_whole(here / "link", b"new")
    assert (here / "link").is_symlink() and (here / "middle").is_symlink()
    assert (there / "a").read_bytes() == b"new" and not (there / "a").is_symlink()
    assert names(here) == ["link", "middle"] and names(there) == ["a"]


@posix
def test_of_two_hard_links_the_other_keeps_the_old_file(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    os.link(tmp_path / "a", tmp_path / "b")
    files.write_whole(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new" and (tmp_path / "b").read_bytes() == b"old"
