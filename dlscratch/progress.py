"""A progress bar, the only one: in every place it looks alike and is switched off alike."""

import os
import sys
from collections.abc import Iterable
from typing import Any

__all__ = ["bar"]


def bar(iterable: Iterable | None, description: str, enabled: bool = True, **options: Any) -> Any:
    """The iterable itself, with a bar that follows it on stdout; it is gone at the end.

    DLSCRATCH_PROGRESS=0 in the environment switches all bars off. Without an iterable
    (None) the bar moves by `.update(n)`. What is returned is tqdm's bar, which is a context
    manager, too; `options` are tqdm's, such as total=100 or leave=True. Raises TypeError
    for what is no iterable. Source: https://tqdm.github.io.

    Examples
    --------
    >>> [2 * i for i in bar(range(3), "doubling", enabled=False)]
    [0, 2, 4]
    """
    from tqdm import tqdm

    if iterable is not None and not isinstance(iterable, Iterable):
        kind = type(iterable).__name__
        raise TypeError(f"bar: expected an iterable or None, got {kind}; a count is range(n)")

    silent = not enabled or os.environ.get("DLSCRATCH_PROGRESS") == "0"
    settings = {"leave": False, "file": sys.stdout} | options  # stderr shows red in notebooks
    return tqdm(iterable, desc=description, disable=silent, **settings)
