"""Arrays on disk: whole or absent, plain .npy, and read by batches without being loaded."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dlscratch.data import batches, memmap

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("dtype", ["f4", "u1", ">i2", "c16", [("a", "f4"), ("b", "i8")]])
@pytest.mark.parametrize("row", [(), (3,), (2, 1, 5)])
def test_blocks_become_one_array(tmp_path, dtype, row):
    rng = np.random.default_rng(0)
    blocks = [
        np.frombuffer(rng.bytes(n * int(np.prod(row)) * np.dtype(dtype).itemsize), dtype).reshape(
            n, *row
        )
        for n in (4, 0, 7, 1)
    ]
    memmap.write(tmp_path / "x.npy", (b for b in blocks))
    got, plain = memmap.open(tmp_path / "x.npy"), np.load(tmp_path / "x.npy")
    assert (
        isinstance(got, np.memmap)
        and got.shape == (12, *row)
        and got.dtype == dtype
        and not got.flags.writeable
    )
    assert got.tobytes() == plain.tobytes() == b"".join(b.tobytes() for b in blocks)
    assert [f.name for f in tmp_path.iterdir()] == ["x.npy"]


def test_one_array_in_any_layout(tmp_path):
    array = np.asfortranarray(np.arange(12.0).reshape(4, 3))
    memmap.write(tmp_path / "x.npy", array)
    memmap.write(tmp_path / "y.npy", [array[::2], array[1::2].tolist()])
    assert np.array_equal(memmap.open(tmp_path / "x.npy"), array)
    assert np.array_equal(memmap.open(tmp_path / "y.npy"), array[[0, 2, 1, 3]])


def test_batches_read_only_their_rows(tmp_path):
    memmap.write(tmp_path / "X.npy", (np.full((100, 4), i, np.float32) for i in range(10)))
    memmap.write(tmp_path / "y.npy", (np.full(100, i) for i in range(10)))
    X, y = memmap.open(tmp_path / "X.npy"), memmap.open(tmp_path / "y.npy")
    epoch = list(batches(np.random.default_rng(0), X, y, size=64))
    assert all(
        type(a) is np.ndarray and a.shape == (len(b), 4) and (a[:, 0] == b).all() for a, b in epoch
    )
    assert np.bincount(np.concatenate([b for _, b in epoch])).tolist() == [100] * 10


def test_larger_than_memory(tmp_path):
    """A process that may take 60 MB more than it has writes and reads 240 MB.

    There is room for two blocks of 24 MB, not for three.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("needs Linux to limit memory")
    code = """
import re, resource, sys
import numpy as np
from dlscratch.data import batches, memmap
has = int(re.search(r"VmData:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) << 10
resource.setrlimit(resource.RLIMIT_DATA, (has + (60 << 20),) * 2)
try:
    np.ones(72 << 20, np.uint8)
    sys.exit("the limit does not hold")
except MemoryError:
    pass
memmap.write(sys.argv[1], (np.full((24, 1 << 20), i, np.uint8) for i in range(10)))
X = memmap.open(sys.argv[1])
order = batches(np.random.default_rng(0), X, size=20)
print(X.nbytes >> 20, sum(int(b[:, -1].astype(int).sum()) for b in order))
"""
    run = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "x.npy"], cwd=ROOT, capture_output=True, text=True
    )
    assert run.stdout.split() == ["240", "1080"], run.stderr


def test_a_writer_that_fails_leaves_nothing(tmp_path):
    def breaks():
        yield np.zeros((5, 2))
        raise RuntimeError("the source broke off")

    with pytest.raises(RuntimeError, match="broke off"):
        memmap.write(tmp_path / "x.npy", breaks())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_writer_that_is_killed_leaves_no_array(tmp_path):
    code = """
import os, signal, sys
import numpy as np
from dlscratch.data import memmap
def blocks():
    yield np.zeros((1000, 100))
    os.kill(os.getpid(), signal.SIGKILL)
memmap.write(sys.argv[1], blocks())
"""
    assert (
        subprocess.run([sys.executable, "-c", code, tmp_path / "x.npy"], cwd=ROOT).returncode == -9
    )
    assert not (tmp_path / "x.npy").exists()
    memmap.write(tmp_path / "x.npy", np.ones((3, 2)))
    assert memmap.open(tmp_path / "x.npy").sum() == 6


def test_written_once(tmp_path):
    memmap.write(tmp_path / "x.npy", np.ones(3))
    with pytest.raises(FileExistsError, match="written only once"):
        memmap.write(tmp_path / "x.npy", np.zeros(3))
    assert memmap.open(tmp_path / "x.npy").tolist() == [1, 1, 1]


BAD = [
    ([], "0 rows"),
    ([np.zeros((0, 2))], "0 rows"),
    ([np.zeros((2, 2)), np.zeros((2, 3))], r"float64 \(2, 3\) after float64 with rows \(2,\)"),
    ([np.zeros((2, 2)), np.zeros((2, 2), np.float32)], "make all alike"),
    ([np.zeros((2, 2)), np.zeros(2)], "make all alike"),
    ([1.0, 2.0], r"a block float64 \(\); want arrays"),
    ([np.array(["a", None], object)], "a block object"),
]


@pytest.mark.parametrize("blocks, message", BAD)
def test_misuse(tmp_path, blocks, message):
    with pytest.raises(ValueError, match=message):
        memmap.write(tmp_path / "x.npy", blocks)
    assert list(tmp_path.iterdir()) == []


def test_files_that_are_not_whole(tmp_path):
    memmap.write(tmp_path / "x.npy", np.ones((100, 3)))
    (tmp_path / "short.npy").write_bytes((tmp_path / "x.npy").read_bytes()[:-1])
    (tmp_path / "other.npy").write_bytes(b"not an array")
    for name in ("short", "other"):
        with pytest.raises(ValueError, match=f"{name}.npy: not a whole .npy file"):
            memmap.open(tmp_path / f"{name}.npy")
    with pytest.raises(FileNotFoundError):
        memmap.open(tmp_path / "none.npy")
