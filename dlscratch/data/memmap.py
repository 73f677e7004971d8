"""Arrays on disk, larger than memory: written once, block by block, as an ordinary .npy file, and read as if they were in memory."""

from pathlib import Path

import numpy as np

from ..files import whole

__all__ = ["write", "open"]


def write(path, blocks):
    """Write blocks of rows one after another: an array (n, …), or an iterable of (n_i, …) → one .npy file of (Σ n_i, …).

    No block is kept once the next one has come, and the file appears under its name when it is whole. Raises FileExistsError where there
    is one already, ValueError for no rows or a block whose row shape or dtype differs from the first one's.
    """
    path = Path(path)
    if path.exists():
        raise FileExistsError(
            f"{path} exists and is written only once; open it, or delete it first"
        )
    with whole(path) as (draft,), draft.open("wb") as file:
        _write(file, [blocks] if isinstance(blocks, np.ndarray) else blocks)


def open(path):
    """The array in a .npy file, left on disk: np.memmap, read-only; `batches` reads from it the rows of each batch alone.

    Raises FileNotFoundError, and ValueError for a file that is no .npy file or was cut short.
    """
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except ValueError as error:
        raise ValueError(
            f"{path}: not a whole .npy file ({error}); write it anew with memmap.write"
        ) from error


def _write(file, blocks):
    """The header has room for any number of rows, so it is written again, over itself, when that number is known."""
    like, rows = None, 0
    for block in map(np.asarray, blocks):
        if like is None:
            if block.ndim == 0 or block.dtype.hasobject:
                raise ValueError(
                    f"memmap.write: a block {block.dtype} {block.shape}; want arrays (n, …) of numbers"
                )
            like = np.empty(
                (0, *block.shape[1:]), block.dtype
            )  # no view, which would keep the block
            _header(file, like, 0)
        if (
            block.dtype != like.dtype
            or block.shape[1:] != like.shape[1:]
            or block.ndim != like.ndim
        ):
            raise ValueError(
                f"memmap.write: {block.dtype} {block.shape} after {like.dtype} with rows {like.shape[1:]}; make all alike"
            )
        file.write(
            np.ascontiguousarray(block).reshape(-1).view("u1").data
        )  # no copy where it lies in order
        rows += len(block)
    if not rows:
        raise ValueError("memmap.write: 0 rows; give at least one block that has some")
    file.seek(0)
    _header(file, like, rows)


def _header(file, like, rows):
    descr = np.lib.format.dtype_to_descr(like.dtype)
    np.lib.format.write_array_header_1_0(
        file, {"descr": descr, "fortran_order": False, "shape": (rows, *like.shape[1:])}
    )
