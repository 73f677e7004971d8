"""Readers of two published file formats that check what they read before they trust it.

IDX, in which MNIST came, and CIFAR-10's binary one.
"""

import gzip
import math
import os
import tarfile
import zlib
from pathlib import Path

import numpy as np

__all__ = ["read_idx", "read_cifar10", "gunzip"]

_IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_BATCHES = [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]
_RECORD = 1 + 3 * 32 * 32  # one byte of label, then the red, the green and the blue plane


def read_idx(path: str | os.PathLike) -> np.ndarray:
    """The array in an IDX file, plain or gzipped, in the shape and type that it names.

    The bytes are 0, 0, type, ndim, then ndim sizes of 4 bytes, then the entries; they come in
    native byte order. Raises ValueError for another magic number, and for a length that
    differs from the header's. Source: LeCun, Cortes & Burges, THE MNIST DATABASE.

    Examples
    --------
    >>> from pathlib import Path
    >>> _ = Path("three-idx1").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]))
    >>> read_idx("three-idx1")
    array([7, 8, 9], dtype=uint8)
    """
    data = gunzip(Path(path).read_bytes(), path)
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in _IDX_TYPES:
        known = ", ".join(f"0x{code:02x}" for code in _IDX_TYPES)
        raise ValueError(
            f"{path}: starts with {data[:4].hex(' ') or 'nothing'}; "
            f"want 00 00, one of {known}, and ndim"
        )
    dtype = np.dtype(_IDX_TYPES[data[2]])
    ndim = data[3]
    start = 4 + 4 * ndim
    if len(data) < start:
        raise ValueError(
            f"{path}: {len(data)} bytes, but its header alone has {start}; "
            "the file was cut short: fetch it anew"
        )
    shape = tuple(np.frombuffer(data, ">u4", ndim, 4).tolist())
    want = start + math.prod(shape) * dtype.itemsize
    if len(data) != want:
        raise ValueError(
            f"{path}: {len(data)} bytes, but its header {shape} promises {want}; "
            "it was cut short or joined: fetch it anew"
        )
    entries = np.frombuffer(data, dtype, offset=start)
    return entries.reshape(shape).astype(dtype.newbyteorder("="))


def read_cifar10(
    path: str | os.PathLike,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """CIFAR-10 from its binary archive: five batches for training and one for testing.

    cifar-10-binary.tar.gz → X_train: (50000, 3, 32, 32), y_train: (50000,), X_test:
    (10000, 3, 32, 32), y_test: (10000,), all bytes. Raises ValueError for a broken archive, a
    missing batch, a length that is no multiple of 3073, and a label above 9.
    Source: Krizhevsky, Learning multiple layers of features from tiny images, 2009.
    """
    found = {}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = Path(member.name).name
                if name in _BATCHES and member.isfile():
                    data = archive.extractfile(member).read()
                    found[name] = _cifar_batch(data, f"{path}: {name}")
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path}: not a whole tar archive ({error}); fetch it anew") from error
    if missing := [name for name in _BATCHES if name not in found]:
        raise ValueError(
            f"{path}: holds no {', '.join(missing)}; "
            "want the archive of the binary version, cifar-10-binary.tar.gz"
        )
    training = [found[name] for name in _BATCHES[:-1]]
    X = np.concatenate([images for images, _ in training])
    y = np.concatenate([labels for _, labels in training])
    return X, y, *found["test_batch.bin"]


def _cifar_batch(data, where):
    if not data or len(data) % _RECORD:
        raise ValueError(
            f"{where} has {len(data)} bytes, not a multiple of {_RECORD}; "
            "the file was cut short: fetch it anew"
        )
    records = np.frombuffer(data, np.uint8).reshape(-1, _RECORD)
    highest = records[:, 0].max()
    if highest > 9:
        raise ValueError(
            f"{where} has the label {highest}, but CIFAR-10 has the classes 0 to 9; "
            "is this another set?"
        )
    return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0]


def gunzip(data: bytes, where: str | os.PathLike) -> bytes:
    """The bytes inside gzipped bytes, and other bytes as they are.

    where: what an error names. Raises ValueError for gzip that is broken or cut short.
    """
    if data[:2] != b"\x1f\x8b":
        return data
    try:
        return gzip.decompress(data)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{where}: not a whole gzip file ({error}); fetch it anew") from error
