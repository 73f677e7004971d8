"""Seeded batches: every example once an epoch, in an order drawn from the generator."""

import numpy as np

from .split import check_rng

__all__ = ["batches"]


def batches(rng, *arrays, size):
    """One shuffled epoch: an iterator over ceil(N / size) batches, the last of which may be smaller.

    Each array: (N, ...) → tuples of (size, ...), or bare arrays where one array was given. The order is drawn when
    `batches` is called, and each call draws a new one. Raises TypeError for a seed in place of a Generator and for what is no
    array, ValueError for arrays of different lengths or a size below 1.
    """
    check_rng("batches", rng)
    if wrong := [type(a).__name__ for a in arrays if not isinstance(a, np.ndarray)]:
        raise TypeError(f"batches: came {wrong[0]}, want arrays; make it one: np.asarray(X)")
    lengths = [len(a) for a in arrays]
    if not arrays or len(set(lengths)) != 1:
        raise ValueError(
            f"batches: arrays of lengths {lengths}; give at least one, all with the same first axis"
        )
    if size < 1:
        raise ValueError(f"batches: size={size}; want at least 1")
    order = rng.permutation(lengths[0])
    rows = (order[start : start + size] for start in range(0, len(order), size))
    return (arrays[0][r] if len(arrays) == 1 else tuple(a[r] for a in arrays) for r in rows)
