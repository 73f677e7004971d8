"""What only a clone of the repository has: its folders tests/ and tools/."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

from . import notebooks

__all__ = ["exists", "root", "module"]


def exists() -> bool:
    """Whether there is a clone here."""
    try:
        root()
    except FileNotFoundError:
        return False
    return True


def root() -> Path:
    """The clone's folder.

    Raises FileNotFoundError where there is none.
    """
    folder = notebooks.folder().parent
    if not ((folder / "tests" / "samples").is_dir() and (folder / "tools").is_dir()):
        raise FileNotFoundError(
            "this needs a clone of the repository, with its folders tests/ and tools/, "
            f"and {folder} is none; run it inside one"
        )
    return folder


def module(name: str) -> ModuleType:
    """A module of the clone that is not installed, such as "tools.benchmark.race"."""
    folder = str(root())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(name)
