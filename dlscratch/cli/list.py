"""The notebooks: number, title, question, cost.

example:
  python -m dlscratch list
"""

import argparse

from . import notebooks

__all__ = ["arguments", "run"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(args: argparse.Namespace) -> int:
    """One line a notebook."""
    for path in notebooks.find():
        book = notebooks.read(path)
        cost = f" ({notebooks.cost(book)})" if notebooks.cost(book) else ""
        print(f"{path.name[:2]}  {notebooks.title(book)}: {notebooks.question(book)}{cost}")
    return 0
