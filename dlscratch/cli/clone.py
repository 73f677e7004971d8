"""What only a clone of the repository has: the folder tests/, where what proves and races the package stands."""

import importlib
import sys

from . import notebooks

__all__ = ["root", "tests"]


def root():
    """The clone's folder. Raises FileNotFoundError where there is none."""
    folder = notebooks.folder().parent
    if not (folder / "tests" / "samples").is_dir():
        raise FileNotFoundError(
            f"this needs a clone of the repository, with its folder tests/, and {folder} is none; run it inside one"
        )
    return folder


def tests(module):
    """A module of the folder tests/."""
    if (folder := str(root())) not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(f"tests.{module}")
