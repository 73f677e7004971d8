"""Arrays on disk, larger than memory: ordinary .npy files, read as if they were in memory.

They are written once, block by block.
"""

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ..files import whole

__all__ = ["write", "open"]


def write(path: str | os.PathLike, blocks: np.ndarray | Iterable[np.ndarray]) -> None:
    """Write blocks of rows one after another into one .npy file.

    An array (n, ...), or an iterable of (n_i, ...) → a file of (Σ n_i, ...). No block is kept
    once the next one has come, and the file appears under its name when it is whole. Raises
    FileExistsError where there is one already, ValueError for no rows, or a block whose row
    shape or dtype differs from the first one's.

    Examples
    --------
    >>> write("squares.npy", (np.arange(10 * i, 10 * i + 10) ** 2 for i in range(3)))
    >>> squares = open("squares.npy")
    >>> squares.shape, int(squares[29])
    ((30,), 841)
    """
    path = Path(path)
    if path.exists():
        raise FileExistsError(
            f"{path} exists and is written only once; open it, or delete it first"
        )
    with whole(path) as (draft,), draft.open("wb") as file:
        _write(file, [blocks] if isinstance(blocks, np.ndarray) else blocks)


def open(path: str | os.PathLike) -> np.memmap:
    """The array in a .npy file, left on disk: read-only; `batches` reads its batches alone.

    Raises FileNotFoundError, and ValueError for a file that is no .npy file or was cut short.
    """
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except ValueError as error:
        raise ValueError(
            f"{path}: not a whole .npy file ({error}); write it anew with memmap.write"
        ) from error


def _write(file, blocks):
    """Header, rows, and the header again, over itself, when the number of rows is known."""
    like = None
    rows = 0
    for block in map(np.asarray, blocks):
        if like is None:
            if block.ndim == 0 or block.dtype.hasobject:
                raise ValueError(
                    f"memmap.write: a block {block.dtype} {block.shape}; "
                    "want arrays (n, …) of numbers"
                )
            like = np.empty((0, *block.shape[1:]), block.dtype)  # a view would keep the block
            _header(file, like, 0)
        if block.dtype != like.dtype or block.shape[1:] != like.shape[1:] or not block.ndim:
            raise ValueError(
                f"memmap.write: {block.dtype} {block.shape} after {like.dtype} with rows "
                f"{like.shape[1:]}; make all alike"
            )
        numbers = np.ascontiguousarray(block)  # no copy where it lies in order
        file.write(numbers.reshape(-1).view("u1").data)
        rows += len(block)
    if not rows:
        raise ValueError("memmap.write: 0 rows; give at least one block that has some")
    file.seek(0)
    _header(file, like, rows)


def _header(file, like, rows):
    """It has room for any number of rows."""
    descr = np.lib.format.dtype_to_descr(like.dtype)
    shape = (rows, *like.shape[1:])
    header = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
