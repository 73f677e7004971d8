"""In which dtype numbers are added up: float16 overflows at 65504, and small integers wrap."""

import numpy as np

__all__ = ["accumulated", "restored"]


def accumulated(x):
    """x as it is added up: float16 as float32, as in NumPy's mean, integers as float64."""
    if x.dtype.kind != "f":
        return x.astype("float64")
    return x.astype("float32") if x.dtype == np.float16 else x


def restored(y, x):
    """The result y for an x that was `accumulated`: float16 again if x was."""
    return y.astype("float16") if x.dtype == np.float16 else y
