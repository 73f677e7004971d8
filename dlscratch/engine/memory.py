"""What a processor's memory asks of array code: keep freed arrays at hand, and do many passes over few numbers."""

import ctypes
import sys

__all__ = ["blocks", "keep_freed"]

BLOCK = 1 << 15  # numbers: 128 KB of float32, so that the five arrays of a fused operation fit into a core's 1 MB cache


def blocks(n):
    """The slices that cut n numbers into blocks of at most BLOCK."""
    return [slice(i, i + BLOCK) for i in range(0, n, BLOCK)]


def keep_freed():
    """Ask the C library to keep large freed arrays for the next ones, where it is glibc; elsewhere nothing happens.

    By default glibc returns them to the system, and each training step pays again to have its memory mapped and zeroed, page
    by page: a third to a half of the time of a convolutional network. Both thresholds are needed; the second cannot be larger.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(-1, 1 << 30)  # M_TRIM_THRESHOLD: bytes free at the top of the heap before it shrinks
        libc.mallopt(-3, 1 << 25)  # M_MMAP_THRESHOLD: bytes from which an array is mapped on its own
