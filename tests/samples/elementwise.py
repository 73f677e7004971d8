"""Samples for elementwise functions: rows, broadcasting both ways, scalars, and each option."""

import numpy as np

from dlscratch.engine.rules.copies import alias
from dlscratch.engine.rules.logspace import logistic, logistic2

from .case import apart, case, within

__all__ = ["SAMPLES"]

_ANY = "negative positive square exp exp2 expm1 sin cos arctan sinh cosh tanh arcsinh sinc"
_ANGLES = "deg2rad radians rad2deg degrees"
_POSITIVE = "sqrt cbrt log log2 log10 reciprocal"
_UNIT = "arcsin arccos arctanh tan log1p"
_KINKED = "absolute fabs"
_TWO = "add subtract multiply divide arctan2 hypot logaddexp logaddexp2"
_TWO_KINKED = "maximum minimum fmax fmin copysign"


def _each(names, *shapes, **options):
    return [case(getattr(np, name), *shapes, **options) for name in names.split()]


SAMPLES = [
    *_each(_ANY, (3, 2), smooth=True),
    *_each(_ANGLES, (3,), smooth=True),
    *_each(_POSITIVE, (3, 2), draw=within(0.5, 2), smooth=True),
    *_each(_UNIT, (3, 2), draw=within(-0.7, 0.8), smooth=True),
    case(np.arccosh, (3, 2), draw=within(1.3, 3), smooth=True),
    case(np.exp, (), smooth=True),
    case(np.cbrt, (3,), label="negative", draw=within(-2, -0.5), smooth=True),
    case(np.sinc, (4,), label="near zero", draw=within(-8e-4, 7e-4), smooth=True),
    case(np.sinc, (6,), label="on both sides of 0.3", draw=within(0.2, 0.41), smooth=True),
    case(logistic.__wrapped__, (2, 3), f=logistic, label="logistic", smooth=True),
    case(logistic2.__wrapped__, (2, 3), f=logistic2, label="logistic2", smooth=True),
    *_each(_KINKED, (2, 3)),
    *_each(_TWO, (2, 3), (2, 3), smooth=True),
    *_each(_TWO, (2, 3), (3,), smooth=True),
    *_each(_TWO, (2, 1), (), smooth=True),
    *_each(_TWO_KINKED, (2, 3), (2, 3)),
    *_each(_TWO_KINKED, (3,), (2, 1)),
    case(np.add, (2,), args=(2.5,), smooth=True),
    case(np.multiply, (2, 1, 2), (3, 1), smooth=True),
    case(np.divide, (3,), f=lambda x: 2 / x, label="2 / x", smooth=True),
    case(np.subtract, (3,), f=lambda x: 1 - x, label="1 - x", smooth=True),
    case(np.remainder, (3,), (3,), f=lambda a, b: np.remainder(5.03 * a, b), label="5.03 a mod b"),
    case(np.fmod, (3,), (3,), f=lambda a, b: np.fmod(5.03 * a, b), label="5.03 a fmod b"),
    case(np.remainder, (2, 2), f=lambda x: 10.03 * x % 3, label="10.03 x % 3"),
    case(np.hypot, (2,), f=lambda x: np.hypot([3, 4], x), label="with a list"),
    # Powers: by numbers, by arrays, of numbers
    case(np.power, (2, 3), (3,), draw=within(0.5, 2), smooth=True),
    *(
        case(np.power, (2, 3), args=(p,), f=lambda x, p=p: x**p, label=f"x ** {p}", smooth=True)
        for p in (3, 2, 1, 0, -1, -2, np.float64(3))
    ),
    *(
        case(np.power, (4,), f=lambda x, p=p: x**p, draw=within(0.5, 2), label=f"x ** {p}")
        for p in (0.5, -0.5, 1.7)
    ),
    case(
        np.power,
        (2, 3),
        f=lambda x: np.power(x, np.array([1, 2, 3], np.int8)),
        label="integer exponents",
        smooth=True,
    ),
    case(np.power, (2, 3), f=lambda p: 2**p, label="2 ** p", smooth=True),
    # Choices
    case(
        np.where,
        (2, 3),
        (3,),
        f=lambda a, b: np.where(np.arange(6).reshape(2, 3) % 2 == 0, a, b),
        label="mask",
    ),
    case(np.where, (2, 3), f=lambda x: np.where(x > 0, x, 0.1 * x * x), label="of itself"),
    case(
        np.where,
        (3,),
        (2, 1),
        f=lambda a, b: np.where([2, 0, 5], a, b),
        label="integers as condition",
    ),
    case(
        np.select,
        (4,),
        (4,),
        f=lambda a, b: np.select([a > 0.7, a < 0], [a * a, a * b], b),
        label="three ways",
    ),
    case(np.clip, (3, 4), args=(-0.8, 1.0)),
    case(np.clip, (6,), args=(-0.81, None)),
    case(np.clip, (6,), args=(None, 0.81)),
    case(
        np.clip,
        (6,),
        (6,),
        f=lambda x, low: np.clip(x, low, 1.5),
        label="bounds that are differentiated",
    ),
    case(np.nan_to_num, (2, 3), nan=1.0),
    # Copies and casts
    case(np.copy, (2, 3)),
    case(alias.__wrapped__, (2, 3), f=alias),
    case(np.astype, (2, 3), args=("float64",)),
    case(np.diff, (2, 4)),
    case(np.diff, (4, 2), axis=0, n=2),
    case(np.diff, (2, 3, 2), axis=-2),
    # Products of several rules, where a mistake in one order of summation would show
    case(
        np.multiply,
        (3,),
        f=lambda x: x * x * x + np.sin(x) * x,
        label="one input, many paths",
        draw=apart,
        smooth=True,
    ),
]
