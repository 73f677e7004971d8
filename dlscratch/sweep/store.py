"""The file of a sweep: one line of JSON a finished run, added at once: a kill loses none."""

import json
import os
from pathlib import Path

__all__ = ["append", "key_of", "read"]

_START = b'{"code": "'  # of each line


def key_of(run: dict) -> str:
    """The text that equal parameters have in common, in whatever order they were given."""
    return json.dumps(run, sort_keys=True)


def append(path: Path, row: dict) -> None:
    """Add one line, and return when it is on the disk.

    row: {"code": fingerprint, "run": {parameter: value}, "result": {column: value},
    "seconds": float or None, "error": text or None}.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab") as file:
        file.write(json.dumps(row).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read(path: Path, code: str, names: list[str]) -> dict[str, dict]:
    """The rows of the file by `key_of(run)`, the newest of each; a half line is cut off.

    Parameters
    ----------
    path : Path
        The file; where there is none, nothing was done yet.
    code : str
        The fingerprint of the function that is swept now.
    names : list of str
        The parameters of a run, "seed" among them.

    Raises
    ------
    ValueError
        For a file that is no sweep's, or that of another sweep or of other code. It stays as it is.
    """
    content = path.read_bytes() if path.exists() else b""
    finished, _, half = content.rpartition(b"\n")
    rows = {}
    for number, line in enumerate(finished.splitlines(), 1):
        where = f"{path}, line {number}"
        row = _parse(line)
        if row is None or row["run"].keys() != set(names):
            raise ValueError(
                f"{where}: no run over {', '.join(names)}; name another file (out=, -o)"
            )
        if row["code"] != code:
            raise ValueError(
                f"{where}: other code ({row['code']}, now {code}); "
                "move it or name another (out=, -o)"
            )
        rows[key_of(row["run"])] = row
    if half:  # a kill came in the middle of a line
        begins_as_ours = _START.startswith(half[: len(_START)])
        if not begins_as_ours:
            raise ValueError(f"{path} is no file of a sweep; name another (out=, -o)")
        os.truncate(path, len(content) - len(half))
    return rows


def _parse(line):
    """The row that a line holds, or None."""
    if not line.startswith(_START):
        return None
    try:
        return json.loads(line)
    except ValueError:
        return None
