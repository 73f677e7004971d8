"""Claims and checks: a sentence, what was measured, and the bound that it must meet.

A claim is what could have come out otherwise, and what a page is about. A check is algebra, parity
with PyTorch, an identity: needed everywhere, interesting nowhere. A ledger keeps every verdict.
"""

import math
import re
from typing import Any, NamedTuple

import numpy as np

from ..engine import Tensor

__all__ = ["claim", "claims", "check", "checks", "Claim", "Ledger", "interval"]


class Claim(NamedTuple):
    """One line of the ledger."""

    text: str
    holds: bool
    measured: str
    wanted: str

    def __str__(self):
        mark = "✓" if self.holds else "✗"
        return f"{mark} {self.text} [measured {self.measured}; wanted {self.wanted}]"

    @classmethod
    def read(cls, line: str) -> "Claim":
        """The claim that was printed as this line."""
        pattern = r"(?:check )?([✓✗]) (.*) \[measured (.*); wanted (.*)\]"
        verdict, text, measured, wanted = re.fullmatch(pattern, line).groups()
        return cls(text, verdict == "✓", measured, wanted)


class Ledger(list):
    """All claims made in this session, in order."""

    def record(self, made: Claim) -> None:
        """Add a claim, or replace the one with the same text: a cell that is run again."""
        places = [i for i, old in enumerate(self) if old.text == made.text]
        if places:
            self[places[0]] = made
        else:
            self.append(made)

    def table(self) -> str:
        """The claims as lines of text, and how many of them hold."""
        held = sum(made.holds for made in self)
        return "\n".join([*map(str, self), f"{held} of {len(self)} claims hold"])

    __repr__ = table


claims = Ledger()
checks = Ledger()


def claim(
    text: str,
    got: Any,
    *,
    above: float | None = None,
    below: float | None = None,
    between: tuple[float, float] | None = None,
    close_to: float | None = None,
    within: float | None = None,
    theory: float | None = None,
) -> None:
    """Print whether `got` meets its bound, as one line with ✓ or ✗, and record it in `claims`.

    The bound is one of: got > above; got < below; a <= got <= b for between=(a, b);
    |got - close_to| <= within. A claim that fails, or measures NaN, never raises.

    Parameters
    ----------
    text : the sentence.
    got : a number, or (S,) one number for each of S >= 2 seeds. Then the whole 95 % t-interval of
        the mean, mean ± t * std / sqrt(S), must meet the bound.
    above, below, between, close_to and within : the bound.
    theory : the value that was predicted, if any; it is printed beside what was measured, and an
        interval that excludes it never holds.

    Raises
    ------
    TypeError or ValueError for a bound that is missing, doubled or senseless, and for no number.

    Examples
    --------
    >>> claim("A fair coin falls on heads", [0.48, 0.51, 0.5], close_to=0.5, within=0.1, theory=0.5)
    ✓ A fair coin falls on heads [measured 0.4967 ± 0.038 (3 seeds), theory 0.5; wanted 0.5 ± 0.1]
    """
    made = _judged(text, got, _bound(above, below, between, close_to, within), theory)
    claims.record(made)
    print(made)


def check(
    text: str,
    got: Any,
    *,
    above: float | None = None,
    below: float | None = None,
    between: tuple[float, float] | None = None,
    close_to: float | None = None,
    within: float | None = None,
) -> None:
    """Print whether `got` meets its bound, for what could not have come out otherwise.

    Bounds and measurements are those of `claim`; the verdict is recorded in `checks`.

    Examples
    --------
    >>> check("The slope of a square is 2 x: largest error", 3e-11, below=1e-9)
    check ✓ The slope of a square is 2 x: largest error [measured 3e-11; wanted < 1e-09]
    """
    made = _judged(text, got, _bound(above, below, between, close_to, within))
    checks.record(made)
    print(f"check {made}")


def _judged(text, got, bound, theory=None):
    """The Claim that a measurement makes of a sentence and a bound."""
    low, high, strict, wanted = bound
    lowest, highest, measured = _measure(got)
    if strict:
        inside = low < lowest and highest < high
    else:
        inside = low <= lowest and highest <= high
    if theory is not None:
        predicted = _number("theory", theory)
        measured = f"{measured}, theory {predicted:.4g}"
        inside = inside and (lowest == highest or lowest <= predicted <= highest)
    return Claim(text, bool(inside), measured, wanted)


def interval(values: Any) -> tuple[np.ndarray, np.ndarray]:
    """(mean, half-width) of the 95 % t-interval of the mean over seeds.

    half = t(0.975, S - 1) * std / sqrt(S).  values: (S, ...) → two arrays of (...). Raises
    ValueError for fewer than 2 seeds. Source: Student 1908.

    Examples
    --------
    >>> mean, half = interval([1.0, 2.0, 3.0])
    >>> print(f"{mean:.2f} ± {half:.2f}")
    2.00 ± 2.48
    """
    from scipy.special import stdtrit

    values = np.asarray(values, np.float64)
    if values.ndim == 0 or len(values) < 2:
        raise ValueError(
            f"an interval needs at least 2 values, one for each seed; came shape {values.shape}"
        )
    with np.errstate(invalid="ignore"):  # infinities give NaN, which no bound accepts
        half = stdtrit(len(values) - 1, 0.975) * values.std(axis=0, ddof=1) / math.sqrt(len(values))
    return values.mean(axis=0), half


def _bound(above, below, between, close_to, within):
    """(low, high, whether they are excluded, the bound as text)."""
    bounds = {"above": above, "below": below, "between": between, "close_to": close_to}
    given = [name for name, value in bounds.items() if value is not None]
    if len(given) != 1:
        raise TypeError(
            "a claim has one bound: above, below, between or close_to; came "
            f"{', '.join(given) or 'none'}"
        )
    if (close_to is None) != (within is None):
        raise TypeError("close_to and within belong together: claim(..., close_to=2, within=0.1)")
    if above is not None:
        return _number("above", above), math.inf, True, f"> {above:.6g}"
    if below is not None:
        return -math.inf, _number("below", below), True, f"< {below:.6g}"
    if between is not None:
        if np.shape(between) != (2,):
            raise ValueError(f"between={between!r}: want two numbers, (low, high)")
        low, high = (_number("between", b) for b in between)
        if low > high:
            raise ValueError(f"between=({low}, {high}): the lower bound comes first")
        return low, high, False, f"in [{low:.6g}, {high:.6g}]"
    center = _number("close_to", close_to)
    if _number("within", within) < 0:
        raise ValueError(f"within={within}: a distance cannot be negative")
    return center - within, center + within, False, f"{close_to:.6g} ± {within:.6g}"


def _number(name, bound):
    try:
        value = float(bound)
    except (TypeError, ValueError):
        raise TypeError(f"{name}={bound!r}: want one number") from None
    if math.isnan(value):
        raise ValueError(f"{name} is NaN, which nothing can meet; compute the bound first")
    return value


def _measure(got):
    """(the lowest and highest value that the measurement allows, the measurement as text)."""
    values = np.asarray(got.data if isinstance(got, Tensor) else got)
    if values.dtype.kind not in "fiu":
        raise TypeError(
            f"got={got!r}: want a number, or one for each seed; measure by how much, not whether"
        )
    if values.ndim == 0:
        said = "NaN: there is no such number" if np.isnan(values) else f"{values:.4g}"
        return values, values, said
    if values.ndim != 1 or values.size < 2:
        raise ValueError(
            f"got has shape {values.shape}; want a number, or (S,) one for each of at least 2 "
            "seeds. Reduce it first (.mean(axis=...), .max()), or use float(got) for a single run"
        )
    missing = int(np.isnan(values).sum())
    if missing:
        return np.nan, np.nan, f"NaN: {missing} of {values.size} seeds gave no number"
    mean, half = interval(values)
    return mean - half, mean + half, f"{mean:.4g} ± {half:.2g} ({values.size} seeds)"
