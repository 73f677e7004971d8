"""A rate is chosen together with its double."""

import numpy as np
import pytest

from dlscratch.lab import steady_rate

RATES = [0.1, 0.2, 0.4, 0.8]


def test_the_best_rate_at_the_brink_is_not_taken():
    assert steady_rate(RATES, [0.5, 0.3, 0.2, np.nan]) == 0.2
    assert steady_rate(RATES, [0.5, 0.3, 0.2, np.inf]) == 0.2
    assert steady_rate(RATES, [0.5, 0.3, 0.2, 0.25]) == 0.4


def test_the_highest_rate_only_vouches_for_the_one_before_it():
    assert steady_rate(RATES, [4.0, 3.0, 2.0, 1.0]) == 0.4


def test_a_finite_loss_beats_one_that_is_not():
    assert steady_rate(RATES, [1e9, 1e9, np.nan, np.nan]) == 0.1


def test_refusals_name_the_repair():
    with pytest.raises(ValueError, match=r"at least 2 rates"):
        steady_rate([0.1], [0.2])
    with pytest.raises(ValueError, match=r"rates \(4,\), losses \(3,\)"):
        steady_rate(RATES, [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"not ascending; sort them"):
        steady_rate(RATES[::-1], [1.0] * 4)
    with pytest.raises(ValueError, match=r"begin the grid at a lower rate"):
        steady_rate(RATES, [np.nan] * 4)
