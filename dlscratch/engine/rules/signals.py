"""Convolution, correlation and interpolation of sequences; Fourier transforms are refused."""

import numpy as np

from ..operation import composed, describe, rule
from ..tensor import Tensor, apply, unwrap
from .precision import by_numpy, whole

__all__ = ["REFUSED"]


def convolution(a, v):
    """y_k = sum_i a_i v_{k-i}, of length len(a) + len(v) - 1."""
    return np.convolve(a, v, "full")


rule(
    convolution,
    lambda g, y, a, v: np.correlate(g, v, "valid"),
    lambda g, y, a, v: np.correlate(g, a, "valid"),
)


@composed(np.convolve)
def convolve(a, v, mode="full"):
    """sum_i a_i v_{k-i}: for all k, for as many as the longer has, or where both overlap."""
    if mode not in ("full", "same", "valid"):
        raise ValueError(f"np.convolve: expected mode 'full', 'same' or 'valid', got {mode!r}")
    for sequence in (a, v):
        if np.ndim(sequence) != 1 or np.size(sequence) == 0:
            raise ValueError(
                "np.convolve on Tensors: expected two sequences (N,) that are not empty, "
                f"got shapes {np.shape(a)} and {np.shape(v)}; np.ravel makes a sequence"
            )
    y = apply(convolution, a, v)
    long = max(len(a), len(v))
    short = min(len(a), len(v))
    if mode == "same":
        start = (short - 1) // 2
        return y[start : start + long]
    return y if mode == "full" else y[short - 1 : long]


@composed(np.correlate)
def correlate(a, v, mode="valid"):
    """y_k = sum_i a_{i+k} v_i: a convolution with v reversed."""
    if len(v) > len(a):
        return np.flip(np.correlate(v, a, mode))
    return np.convolve(a, np.flip(v), mode)


@composed(np.interp)
def interp(x, xp, fp, left=None, right=None):
    """The height at x of the line through the points (xp, fp), with xp increasing.

    Beyond its ends it is `left` and `right`, which are fp[0] and fp[-1] unless given. It has slopes
    in x and fp; on a point the slope in x is that of the piece to its right. float32 stays float32.
    """
    x = x if hasattr(x, "dtype") else np.asarray(x)
    fp = fp if hasattr(fp, "dtype") else np.asarray(fp)
    if whole(x, fp):
        return by_numpy(np.interp, x, xp, fp, left, right)
    places = unwrap(x)
    xp = np.asarray(unwrap(xp)).astype(fp.dtype if whole(x) else x.dtype)
    if not isinstance(fp, Tensor):
        fp = fp.astype(xp.dtype)
    last = len(xp) - 1
    left = fp[0] if left is None else float(left)
    right = fp[last] if right is None else float(right)
    y = right
    if last:
        i = np.clip(np.searchsorted(xp, places, side="right") - 1, 0, last - 1)
        y = fp[i] + (x - xp[i]) / (xp[i + 1] - xp[i]) * (fp[i + 1] - fp[i])
        y = np.where(np.equal(places, xp[last]), fp[last], y)
        y = np.where(np.greater(places, xp[last]), right, y)
    return np.where(np.less(places, xp[0]), left, y)


# Fourier transforms give complex numbers, and a Tensor holds real ones.

REFUSED = [
    getattr(np.fft, name)
    for name in """
        fft ifft rfft irfft hfft ihfft fft2 ifft2 rfft2 irfft2 fftn ifftn rfftn irfftn
    """.split()
]


def _refusal(function):
    def refuse(*args, **kwargs):
        raise TypeError(
            f"{describe(function)} has no derivative rule: expected real numbers, which Tensors "
            "hold, and it works with complex ones; the real and the imaginary part of the spectrum "
            "of x (n,) are x @ np.cos(w) and -(x @ np.sin(w)) for w = 2 * np.pi / n * "
            "np.outer(np.arange(n), np.arange(n // 2 + 1)); or pass the plain array t.data"
        )

    return refuse


for _function in REFUSED:
    composed(_function)(_refusal(_function))
