"""One entry of the verification table, and its numbers: no zeros, no ties, set by the seed."""

from typing import Any, NamedTuple

import numpy as np

from dlscratch.engine.operation import describe

__all__ = ["Sample", "case", "apart", "within"]


class Sample(NamedTuple):
    """A use of `function`: `f` of arrays or Tensors, and `draw(rng)`, its float64 arrays."""

    function: Any
    f: Any
    draw: Any
    label: str
    smooth: bool  # differentiable more than twice wherever the numbers may fall


def case(function, *shapes, f=None, args=(), draw=None, label="", smooth=False, **options):
    """A Sample that calls function(*arrays, *args, **options), or `f` of the arrays."""
    said = ", ".join(
        [*map(str, shapes), *map(str, args), *(f"{k}={v}" for k, v in options.items())]
    )
    return Sample(
        function,
        f or (lambda *arrays: function(*arrays, *args, **options)),
        (draw or apart)(*shapes),
        f"{describe(function)}: {label or said}",
        smooth,
    )


def _shuffled(rng, values, shapes):
    values = iter(rng.permutation(values))
    return tuple(
        np.array([next(values) for _ in range(int(np.prod(s)))]).reshape(s) for s in shapes
    )


def _count(shapes):
    return sum(int(np.prod(s)) for s in shapes)


def apart(*shapes):
    """Numbers of either sign, all of different size, none within 0.4 of zero."""

    def draw(rng):
        sizes = np.linspace(0.4, 1.9, _count(shapes))
        return _shuffled(rng, sizes * rng.choice([-1, 1], sizes.size), shapes)

    return draw


def within(low, high):
    """Different numbers between low and high."""
    return lambda *shapes: (
        lambda rng: _shuffled(rng, np.linspace(low, high, _count(shapes)), shapes)
    )
