"""Samples for order statistics, for reductions that pass over NaN, and for sequences."""

import numpy as np

from .case import case, within

__all__ = ["SAMPLES"]


def _holes(x):
    """x with two entries missing."""
    return np.where(np.arange(x.size).reshape(x.shape) % 7 == 1, np.nan, x)


_ORDER = [
    *(case(np.median, shape) for shape in ((5,), (4,), (2, 3))),
    case(np.median, (3, 4), axis=0),
    case(np.median, (3, 4), axis=-1, keepdims=True),
    case(np.median, (2, 3, 2), axis=(0, 2)),
    *(case(np.quantile, (7,), args=(q,)) for q in (0, 0.3, 0.5, 1)),
    case(np.quantile, (2, 5), args=([0.1, 0.85],), axis=1),
    case(np.quantile, (2, 5), args=(0.4,), axis=0, keepdims=True),
    case(np.percentile, (6,), args=(37,)),
    case(np.percentile, (2, 4), args=([[25], [75]],), axis=1, keepdims=True),
]

_MISSING = [
    *(
        case(f, (3, 5), f=lambda x, f=f, k=k: f(_holes(x), **k), label=f"with NaN, {k}")
        for f in (np.nansum, np.nanmean, np.nanvar, np.nanstd, np.nanmax, np.nanmin, np.nanprod)
        for k in ({}, {"axis": 0}, {"axis": 1, "keepdims": True})
    ),
    *(
        case(f, (5,), label="nothing missing")
        for f in (np.nansum, np.nanmean, np.nanvar, np.nanstd, np.nanmax, np.nanmin, np.nanprod)
    ),
    case(np.nanvar, (7,), f=lambda x: np.nanvar(_holes(x), ddof=1), label="ddof=1"),
    *(
        case(f, (2, 5), f=lambda x, f=f: f(_holes(x), axis=1), label="with NaN")
        for f in (np.nancumsum, np.nancumprod)
    ),
]

_points = np.array([-2.1, -0.3, 0.2, 0.9, 2.0])

_SEQUENCES = [
    *(case(np.convolve, (5,), (3,), args=(mode,)) for mode in ("full", "same", "valid")),
    *(case(np.convolve, (2,), (4,), args=(mode,)) for mode in ("full", "same", "valid")),
    *(case(np.correlate, (5,), (2,), args=(mode,)) for mode in ("full", "same", "valid")),
    *(case(np.correlate, (3,), (6,), args=(mode,)) for mode in ("full", "same", "valid")),
    case(np.convolve, (4,), f=lambda x: np.convolve(x, x), label="with itself"),
    case(np.trapezoid, (5,)),
    case(np.trapezoid, (3, 4), dx=0.5, axis=0),
    case(np.trapezoid, (2, 4), (4,), f=lambda y, x: np.trapezoid(y, x), label="places"),
    case(np.trapezoid, (3, 2), (3, 2), f=lambda y, x: np.trapezoid(y, x, axis=0), label="both"),
    case(
        np.interp,
        (6,),
        (5,),
        f=lambda x, y: np.interp(x, _points.astype(x.dtype), y),
        label="x and y",
        draw=within(-2.5, 2.5),
    ),
    case(
        np.interp,
        (4,),
        f=lambda x: np.interp(x, [-1.0, 1.0], [3.0, 5.0], left=0, right=-1),
        label="beyond the ends",
    ),
]

SAMPLES = _ORDER + _MISSING + _SEQUENCES
