"""Every sample's derivatives of orders 1 and 2, and 3 where smooth, by central differences."""

import pytest

from dlscratch.engine import primitive
from tests.samples import SAMPLES
from tests.samples.case import case

from .differences import LIMITS, Check


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.label)
def test_gradient(sample, order):
    assert Check(sample).error(order) < LIMITS[order]


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.smooth], ids=lambda s: s.label)
def test_third_order(sample):
    assert Check(sample).error(3) < LIMITS[3]


def test_the_check_sees_a_wrong_rule():
    """A rule that closes over a smooth array is right at order 1 and must be caught at order 2."""
    kept = {}

    def cube(x):
        kept["x"] = x
        return x**3

    smuggled = primitive(cube, lambda g, y, x: g * (3 * kept["x"] ** 2))
    check = Check(case(cube, (3,), f=smuggled))
    assert check.error(1) < LIMITS[1]
    assert check.error(2) > 0.1


if __name__ == "__main__":  # the figures for the record
    for order in (1, 2, 3):
        errors = [(Check(s).error(order), s.label) for s in SAMPLES if order < 3 or s.smooth]
        print(order, len(errors), sorted(errors)[-4:])
