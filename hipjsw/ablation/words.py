"""Numbers and comparisons in words."""

from __future__ import annotations

import math

from hipjsw.ablation.comparing import Comparison
from hipjsw.ablation.measures import Measure
from hipjsw.ablation.result import DifferenceRow

__all__ = ["NONE", "capital", "decimals", "difference_words", "number_words", "p_words"]

#: What stands for a number that is not there.
NONE = "–"
_LEAST_DECIMALS, _MOST_DECIMALS = 3, 6


def decimals(*sizes: float | None) -> int:
    """Decimals at which the smallest of some sizes still shows: 3 to 6; sizes of 0 and None do not count."""
    known = [abs(size) for size in sizes if size]
    if not known:
        return _LEAST_DECIMALS
    return min(max(math.ceil(-math.log10(min(known)) - 1e-9), _LEAST_DECIMALS), _MOST_DECIMALS)


def number_words(value: float | None, digits: int = 3, unit: str = "", signed: bool = False) -> str:
    """A number with a true minus sign; a dash where there is none.

    Args:
        value: The number; None where undefined.
        digits: Decimals.
        unit: Put behind it.
        signed: With a plus sign where it is positive.
    """
    if value is None or not math.isfinite(value):
        return NONE
    text = f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("+-")
    return text.replace("-", "−") + (f" {unit}" if unit else "")


def p_words(p: float | None) -> str:
    """As ``p = 0.012`` or ``p < 0.001``; a dash where there is none."""
    if p is None or not math.isfinite(p):
        return NONE
    return "p < 0.001" if p < 0.001 else f"p = {p:.2f}" if p >= 0.0995 else f"p = {p:.3f}"


def capital(text: str) -> str:
    """The first letter large, but for a word like mJSW."""
    return text if text[1:2].isupper() else text[:1].upper() + text[1:]


def difference_words(measure: Measure, comparison: Comparison) -> str:
    """How far the arm lies from the other, on how many runs and hips; without a full stop.

    Args:
        measure: By which they are compared.
        comparison: One that has a value.
    """
    row = comparison.row
    value = row.value
    if value is None:
        raise ValueError(f"{row.arm} and {row.than} have no difference of {measure.name} to put in words")
    digits = decimals(value, *_half_width(row))
    first, second = (number_words(x, digits, measure.unit) for x in (comparison.first, comparison.second))
    away = "no difference" if value == 0 else f"{'higher' if value > 0 else 'lower'} by {_away(row, digits, measure)}"
    inside = "; ".join([", ".join(_sureness(row, digits, measure)), _counts(row)])
    return f"{capital(measure.label)} {first} against {second}: {away} ({inside}){_notes(comparison)}"


def _half_width(row: DifferenceRow) -> tuple[float, ...]:
    return () if row.low is None or row.high is None else ((row.high - row.low) / 2,)


def _away(row: DifferenceRow, digits: int, measure: Measure) -> str:
    return number_words(abs(row.value or 0.0), digits, measure.unit)


def _sureness(row: DifferenceRow, digits: int, measure: Measure) -> list[str]:
    """Interval, turned so that it is of what was said, and p, Holm's beside it where it is another."""
    if row.low is None or row.high is None:
        return ["without an interval"]
    ends = (row.low, row.high) if (row.value or 0.0) >= 0 else (-row.high, -row.low)
    low, high = number_words(ends[0], digits), number_words(ends[1], digits, measure.unit)
    said = [f"95 % interval {low} to {high}"]
    if row.p is not None:
        said.append(p_words(row.p))
        if row.p_holm is not None and p_words(row.p_holm) != p_words(row.p):
            said.append(f"{p_words(row.p_holm)} after Holm's correction")
    return said


def _counts(row: DifferenceRow) -> str:
    runs = f"{row.seeds[0]} and {row.seeds[1]} runs"
    return f"{runs}, {row.num_hips} hips of {row.num_persons} persons" if row.num_hips else runs


def _notes(comparison: Comparison) -> str:
    """What limits the comparison, each after a semicolon."""
    row = comparison.row
    notes = []
    if row.num_hips and comparison.num_shared > row.num_hips:
        notes.append(f"left out: {_hips(comparison.num_shared - row.num_hips)} without a value in both")
    if comparison.num_alone:
        notes.append(f"left out: {_hips(comparison.num_alone)} that only one of them was tested on")
    if sum(comparison.num_missing):
        notes.append(_missing(comparison))
    if sum(comparison.num_without):
        first, second = comparison.num_without
        notes.append(f"finished runs without any value: {first} against {second}")
    if max(row.seeds) == 1:
        notes.append(
            "with one run a side nothing is known of how training seeds vary, so that it stays open: "
            "SEEDS=3 (or seeds=3) can settle it"
        )
    elif min(row.seeds) == 1:
        notes.append("with one run on one side, how training seeds vary is known of the other side alone")
    return "".join(f"; {note}" for note in notes)


def _missing(comparison: Comparison) -> str:
    """Measurements without a value, a run and hip each: which arm has more of them is to be seen."""
    parts = zip(comparison.num_missing, comparison.num_wanted, strict=True)
    first, second = (f"{missing} of {wanted}" for missing, wanted in parts)
    return (
        f"{sum(comparison.num_missing)} of {sum(comparison.num_wanted)} measurements missing, {first} against {second}"
    )


def _hips(number: int) -> str:
    return "1 hip" if number == 1 else f"{number} hips"
