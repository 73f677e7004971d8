"""Readers: every type round-trips, and a file that is not what it says is refused."""

import gzip
import io
import struct
import tarfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlscratch.data import read_cifar10, read_idx

CODES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
SMALL = struct.pack(">HBBII", 0, 8, 2, 2, 3) + bytes(range(6))


def written(path, data):
    path.write_bytes(data)
    return path


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from(sorted(CODES)),
    st.lists(st.integers(0, 4), min_size=1, max_size=4),
    st.booleans(),
)
def test_idx_round_trip(tmp_path_factory, code, shape, zipped):
    array = np.random.default_rng(0).integers(0, 100, shape).astype(CODES[code])
    data = struct.pack(f">HBB{len(shape)}I", 0, code, len(shape), *shape) + array.tobytes()
    got = read_idx(
        written(tmp_path_factory.mktemp("idx") / "file", gzip.compress(data) if zipped else data)
    )
    assert (
        got.shape == tuple(shape)
        and np.array_equal(got, array)
        and got.dtype.isnative
        and got.flags.writeable
    )


BROKEN = {
    "another magic number": (b"PNG!" + SMALL[4:], "starts with 50 4e 47 21; want 00 00"),
    "another type": (SMALL[:2] + b"\x07" + SMALL[3:], "starts with 00 00 07 02"),
    "nothing": (b"", "starts with nothing"),
    "half a header": (SMALL[:7], "7 bytes, but its header alone has 12"),
    "one byte short": (SMALL[:-1], r"17 bytes, but its header \(2, 3\) promises 18"),
    "one byte more": (SMALL + b"!", "19 bytes"),
    "half a gzip": (gzip.compress(SMALL)[:-5], "not a whole gzip file"),
    "no gzip after all": (b"\x1f\x8b" + SMALL, "not a whole gzip file"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_idx_refuses(tmp_path, case):
    data, message = BROKEN[case]
    with pytest.raises(ValueError, match=message):
        read_idx(written(tmp_path / "file", data))


def archive(path, batches, mode="w:gz"):
    with tarfile.open(path, mode) as tar:
        for name, data in batches.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


NAMES = [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]
RECORDS = {
    name: bytes([i]) + bytes([10 * i]) * 1024 + b"\x01" * 1024 + b"\x02" * 1024
    for i, name in enumerate(NAMES)
}


def test_cifar_planes_and_order(tmp_path):
    X, y, X_test, y_test = read_cifar10(
        archive(tmp_path / "c.tar.gz", {"readme.html": b"", **dict(reversed(RECORDS.items()))})
    )
    assert X.shape == (5, 3, 32, 32) and y.tolist() == [0, 1, 2, 3, 4] and y_test.tolist() == [5]
    assert (
        X[:, 0, 5, 7].tolist() == [0, 10, 20, 30, 40]
        and (X[:, 1] == 1).all()
        and (X_test[:, 2] == 2).all()
    )


def test_cifar_refuses(tmp_path):
    short = {**RECORDS, "data_batch_3.bin": RECORDS["data_batch_3.bin"][:-1]}
    with pytest.raises(ValueError, match="data_batch_3.bin has 3072 bytes, not a multiple of 3073"):
        read_cifar10(archive(tmp_path / "a", short))
    with pytest.raises(ValueError, match="test_batch.bin has 0 bytes"):
        read_cifar10(archive(tmp_path / "b", {**RECORDS, "test_batch.bin": b""}))
    with pytest.raises(ValueError, match="label 77"):
        read_cifar10(
            archive(tmp_path / "c", {**RECORDS, "data_batch_1.bin": b"\x4d" + bytes(3072)})
        )
    with pytest.raises(ValueError, match="holds no data_batch_1.bin, data_batch_2.bin"):
        read_cifar10(archive(tmp_path / "d", {"test_batch.bin": RECORDS["test_batch.bin"]}))
    with pytest.raises(ValueError, match="not a whole tar archive"):
        read_cifar10(written(tmp_path / "e", b"no archive at all"))
    random = {n: b"\0" + np.random.default_rng(i).bytes(3072) for i, n in enumerate(NAMES)}
    whole = archive(tmp_path / "f", random).read_bytes()
    with pytest.raises(ValueError, match="not a whole tar archive"):
        read_cifar10(written(tmp_path / "g", whole[: len(whole) // 2]))
