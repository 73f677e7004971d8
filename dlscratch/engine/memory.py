"""What memory asks of array code: keep freed arrays at hand, do many passes over few numbers."""

import numpy as np

__all__ = ["blocks", "keep_freed"]

# numbers: 128 KB of float32, so that the five arrays of an operation with a hand-derived gradient
# fit into a core's 1 MB cache
BLOCK = 1 << 15


def blocks(n: int) -> list[slice]:
    """The slices that cut n numbers into blocks of at most BLOCK."""
    return [slice(i, i + BLOCK) for i in range(0, n, BLOCK)]


def keep_freed() -> None:
    """Free one array of almost 32 MB, so that Linux's C library keeps smaller ones for reuse.

    Until then it returns large arrays to the system, and each training step has its memory mapped
    and zeroed anew, page by page: a third to a half of the time of a convolutional network. The
    array is never touched, so it costs nothing; on other systems nothing happens. Source: the
    dynamic threshold in mallopt(3), whose upper limit is 32 MB.
    """
    np.empty((32 << 20) - (64 << 10), np.uint8)
