"""Files are written whole or not at all."""

import os
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path, content):
    """Write the bytes to a temporary file that then takes the old one's place: what is at `path` is one of the two, whole."""
    temporary = Path(
        f"{path}.tmp"
    )  # always this name: what a killed process left is overwritten by the next
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
