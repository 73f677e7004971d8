"""Claims: the printed line, the verdict at each bound, intervals, the ledger, misuse."""

import re

import numpy as np
import pytest

from dlscratch.engine import Tensor
from dlscratch.lab import claim, claims
from dlscratch.lab.claim import interval


@pytest.fixture(autouse=True)
def empty_ledger():
    claims.clear()
    yield
    claims.clear()


@pytest.mark.parametrize(
    ("got", "bound", "line"),
    [
        (0.96123, dict(above=0.95), "✓ it works [measured 0.9612; wanted > 0.95]"),
        (0.95, dict(above=0.95), "✗ it works [measured 0.95; wanted > 0.95]"),
        (1e-9, dict(below=1e-7), "✓ it works [measured 1e-09; wanted < 1e-07]"),
        (1e-7, dict(below=1e-7), "✗ it works [measured 1e-07; wanted < 1e-07]"),
        (1.8, dict(between=(1.8, 2.2)), "✓ it works [measured 1.8; wanted in [1.8, 2.2]]"),
        (2.21, dict(between=(1.8, 2.2)), "✗ it works [measured 2.21; wanted in [1.8, 2.2]]"),
        (-1.95, dict(close_to=-2, within=0.1), "✓ it works [measured -1.95; wanted -2 ± 0.1]"),
        (-2.11, dict(close_to=-2, within=0.1), "✗ it works [measured -2.11; wanted -2 ± 0.1]"),
        (0, dict(close_to=0, within=0), "✓ it works [measured 0; wanted 0 ± 0]"),
        (np.int64(7), dict(above=6), "✓ it works [measured 7; wanted > 6]"),
    ],
)
def test_the_line_and_the_verdict(got, bound, line, capsys):
    claim("it works", got, **bound)
    assert claims[-1].holds is line.startswith("✓")
    assert capsys.readouterr().out == line + "\n"
    assert re.sub(r"\[measured [^;]*; wanted", "#", line).startswith(f"{line[0]} it works #")


@pytest.mark.parametrize(
    "bound", [dict(above=0), dict(below=0), dict(between=(0, 1)), dict(close_to=0, within=9)]
)
@pytest.mark.parametrize("got", [float("nan"), [1.0, float("nan")], [1.0, float("inf")]])
def test_nan_never_passes_and_never_raises(bound, got):
    claim("nan", got, **bound)
    assert claims[-1].holds is False


def test_a_tensor_is_a_number():
    claim("tensor", Tensor(np.array(3.0), requires_grad=True) * 1, above=2)
    assert claims[-1].holds


@pytest.mark.parametrize("values", [3.0, [3.0]])
def test_interval_wants_two_values(values):
    with pytest.raises(ValueError, match="at least 2 values"):
        interval(values)


def test_interval_is_students():
    """Five values 1..5: mean 3, std sqrt(2.5), t(0.975, 4) = 2.776445 from the tables."""
    mean, half = interval([1, 2, 3, 4, 5])
    assert mean == 3 and half == pytest.approx(2.776445 * np.sqrt(2.5 / 5), rel=1e-6)
    mean, half = interval(np.array([[1, 10], [3, 10]]))
    assert (
        mean.tolist() == [2, 10] and half[0] == pytest.approx(12.706205, rel=1e-6) and half[1] == 0
    )


def test_interval_covers_the_truth_95_times_in_100():
    draws = np.random.default_rng(0).normal(size=(5, 20_000))
    mean, half = interval(draws)
    assert 0.945 < np.mean(np.abs(mean) < half) < 0.955


@pytest.mark.parametrize(
    ("bound", "holds"),
    [
        (dict(above=1.036), True),
        (dict(above=1.038), False),
        (dict(below=4.964), True),
        (dict(below=4.962), False),
        (dict(between=(1, 5)), True),
        (dict(between=(1.1, 5)), False),
        (dict(between=(1, 4.9)), False),
        (dict(close_to=3, within=2), True),
        (dict(close_to=3, within=1.9), False),
    ],
)
def test_the_whole_interval_must_meet_the_bound(bound, holds, capsys):
    claim("seeds", np.arange(1, 6), **bound)  # 3 ± 1.963
    assert claims[-1].holds is holds
    assert "[measured 3 ± 2 (5 seeds); " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("bound", "message"),
    [
        (dict(), "came none"),
        (dict(above=1, below=2), "came above, below"),
        (dict(close_to=1), "belong together"),
        (dict(above=1, within=2), "belong together"),
        (dict(above="high"), "want one number"),
        (dict(above=[1, 2]), "want one number"),
    ],
)
def test_a_missing_or_doubled_bound(bound, message):
    with pytest.raises(TypeError, match=message):
        claim("misuse", 1.0, **bound)
    assert not claims


@pytest.mark.parametrize(
    ("bound", "message"),
    [
        (dict(between=(2, 1)), "lower bound comes first"),
        (dict(between=1), "want two numbers"),
        (dict(close_to=1, within=-1), "cannot be negative"),
        (dict(above=float("nan")), "above is NaN"),
    ],
)
def test_a_senseless_bound(bound, message):
    with pytest.raises(ValueError, match=message):
        claim("misuse", 1.0, **bound)


@pytest.mark.parametrize("got", [True, "0.9", 1j, [True, False], None])
def test_what_is_no_number(got):
    with pytest.raises(TypeError, match="by how much, not whether"):
        claim("misuse", got, above=0)


@pytest.mark.parametrize("got", [[0.9], [], np.ones((5, 2))])
def test_what_is_not_one_number_a_seed(got):
    with pytest.raises(ValueError, match="at least 2 seeds"):
        claim("misuse", got, above=0)


def test_the_ledger_keeps_the_last_verdict_in_order():
    claim("first", 1, above=2)
    claim("second", [1, 2], above=-99)
    claim("first", 3, above=2)
    assert [c.text for c in claims] == ["first", "second"] and claims[0].holds
    claim("third", 1, above=2)
    assert claims.table().splitlines() == [
        "✓ first [measured 3; wanted > 2]",
        "✓ second [measured 1.5 ± 6.4 (2 seeds); wanted > -99]",
        "✗ third [measured 1; wanted > 2]",
        "2 of 3 claims hold",
    ]
    assert repr(claims) == claims.table()
