"""Seeded batches: every example once an epoch, in an order drawn from the generator."""

from collections.abc import Iterator

import numpy as np

from .split import check_rng

__all__ = ["batches"]


def batches(
    rng: np.random.Generator, *arrays: np.ndarray, size: int, drop_last: bool = False
) -> Iterator:
    """One shuffled epoch: an iterator over ceil(N / size) batches, the last maybe smaller.

    The order is drawn when `batches` is called, and each call draws a new one. Of an array on
    disk (`memmap.open`) only the rows of a batch are read, when it comes.

    Parameters
    ----------
    rng : Generator
    *arrays : ndarray
        Each (N, ...); the same rows of each make a batch.
    size : int
        How many examples a batch has.
    drop_last : bool
        Leave out a last batch of fewer examples: floor(N / size) batches then, none for N < size.

    Returns
    -------
    iterator
        Of tuples of arrays (size, ...), or of bare arrays where one array was given.

    Raises
    ------
    TypeError
        For a seed in place of a Generator, and for what is no array.
    ValueError
        For arrays of different lengths, and for a size below 1.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = np.arange(10).reshape(5, 2)
    >>> y = np.array([0, 1, 2, 3, 4])
    >>> for inputs, targets in batches(rng, X, y, size=2):
    ...     print(inputs.shape, targets)
    (2, 2) [2 4]
    (2, 2) [3 0]
    (1, 2) [1]
    >>> [len(targets) for _, targets in batches(rng, X, y, size=2, drop_last=True)]
    [2, 2]
    """
    check_rng("batches", rng)
    for array in arrays:
        if not isinstance(array, np.ndarray):
            kind = type(array).__name__
            raise TypeError(f"batches: came {kind}, want arrays; make it one: np.asarray(X)")
    lengths = [len(a) for a in arrays]
    if not arrays or len(set(lengths)) != 1:
        raise ValueError(
            f"batches: arrays of lengths {lengths}; give at least one, all with the same first axis"
        )
    if size < 1:
        raise ValueError(f"batches: size={size}; want at least 1")
    order = rng.permutation(lengths[0])
    end = len(order) - len(order) % size if drop_last else len(order)
    rows = (order[start : start + size] for start in range(0, end, size))
    if len(arrays) == 1:
        return (arrays[0][r] for r in rows)
    return (tuple(a[r] for a in arrays) for r in rows)
