"""Samples for reductions: each axis form, with and without keepdims."""

import numpy as np

from .case import case, within

__all__ = ["SAMPLES"]

_FORMS = [
    dict(axis=None),
    dict(axis=0),
    dict(axis=-1, keepdims=True),
    dict(axis=(0, -1)),
    dict(axis=None, keepdims=True),
]
_FUNCTIONS = [np.sum, np.mean, np.var, np.std, np.prod, np.max, np.min, np.amax, np.amin, np.ptp]
_METHODS = [np.add, np.multiply, np.maximum, np.minimum, np.logaddexp]

SAMPLES = [
    *(case(function, (2, 3, 2), **form) for function in _FUNCTIONS for form in _FORMS),
    *(case(function, (2, 3), args=(0,)) for function in _FUNCTIONS),
    *(case(function, (2, 3), axis=(), label="axis=()") for function in (np.sum, np.mean, np.prod)),
    case(np.sum, (), label="0-d"),
    case(np.var, (2, 3), axis=1, ddof=1),
    case(np.std, (2, 3), ddof=1),
    case(
        np.prod, (5,), f=lambda x: np.prod(x * np.array([1, 0, 1, 1, 1], x.dtype)), label="one zero"
    ),
    case(
        np.prod,
        (2, 3),
        f=lambda x: np.prod(x * np.array([1, 0, 0], x.dtype), axis=1),
        label="two zeros",
    ),
    case(
        np.prod,
        (2, 3),
        f=lambda x: np.prod(x * np.array([[1, 0, 1], [1, 1, 1]], x.dtype), axis=1),
        label="one row with a zero, one without",
    ),
    case(np.average, (2, 3), axis=1),
    case(
        np.average,
        (2, 3),
        f=lambda x: np.average(x, axis=0, weights=np.arange(1, 7, dtype=x.dtype).reshape(2, 3)),
        label="weights",
    ),
    case(
        np.average,
        (2, 3),
        (2, 3),
        draw=within(0.5, 2),
        f=lambda x, w: np.average(x, weights=w),
        label="both",
    ),
    *(
        case(function, (2, 3), axis=axis)
        for function in (np.cumsum, np.cumprod)
        for axis in (None, 0, -1)
    ),
    case(
        np.cumprod,
        (7,),
        f=lambda x: np.cumprod(x * np.array([1, 1, 1, 0, 1, 1, 1], x.dtype)),
        label="one zero",
    ),
    case(
        np.cumprod,
        (2, 6),
        f=lambda x: np.cumprod(x * np.array([[1, 1, 0, 1, 0, 1], [1] * 6], x.dtype), axis=1),
        label="two zeros in one row",
    ),
    *(case(ufunc.reduce, (3, 2)) for ufunc in _METHODS),
    *(case(ufunc.reduce, (3, 2), axis=-1, keepdims=True) for ufunc in _METHODS),
    case(np.logaddexp.reduce, (3, 2), axis=None),
    *(
        case(ufunc.accumulate, (3, 2), axis=axis)
        for ufunc in (np.add, np.multiply)
        for axis in (0, 1)
    ),
]
