"""Counts and means of a phantom population, beside what is published of real hips.

Widths, places and losses come from the curves (``truth.py``), not from the numbers a person was drawn with.

Published figures: joint space of symptom-free hips, Lequesne et al. 2004 (Ann Rheum Dis 63:1145-51: 446 hips, 4.19 +-
0.92 mm, range 2-7, women less than men, lateral widest in nearly 80 %); 2.0 mm defines osteoarthritis and 2.5 mm marks
risk on plain films; loss in osteoarthritis about 0.2 mm a year; mean projected head diameter 55 mm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.landmarks import Side
from hipjsw.phantom.population import Person
from hipjsw.phantom.truth import hip_truth

__all__ = ["PUBLISHED", "CensusRow", "census", "markdown"]

#: What is published of each figure; a dash where nothing comparable is.
PUBLISHED = {
    "hips": "-",
    "mJSW mm, mean": "women 3.9, men 4.2 (normal)",
    "mJSW mm, SD": "0.92 (Lequesne 2004)",
    "share <= 2.0 mm": "defines osteoarthritis",
    "share <= 2.5 mm": "at risk",
    "minimum lateral": "-",
    "minimum central": "-",
    "minimum medial": "-",
    "lateral third widest": "0.8 (Lequesne 2004, normal)",
    "loss mm a year, mean": "0.2 (osteoarthritis)",
    "loss mm a year, SD": "-",
    "head diameter mm, mean": "55",
    "head diameter mm, SD": "-",
}


@dataclass(frozen=True)
class CensusRow:
    """One group of hips at their first visit.

    Args:
        group: Who they are.
        figures: Value of each figure named in `PUBLISHED`; not a number where the group has none.
    """

    group: str
    figures: dict[str, float]


@dataclass(frozen=True)
class _Counted:
    """What is counted of one hip."""

    sex: str
    osteoarthritis: bool
    mjsw_mm: float
    place: float
    lateral_widest: bool
    diameter_mm: float
    loss_mm_per_year: float


def _count(person: Person, side: Side) -> _Counted:
    first, last = person.visits[0], person.visits[-1]
    hip = person.hip(side, first).hip
    truth, loss = hip_truth(hip), float("nan")
    if last.years > first.years:
        later = person.hip(side, last).hip.mjsw_mm
        loss = (truth.mjsw_mm - later) / (last.years - first.years)
    return _Counted(
        sex=person.sex,
        osteoarthritis=person.disease[side].osteoarthritis,
        mjsw_mm=truth.mjsw_mm,
        place=truth.place,
        lateral_widest=truth.lateral_mm > max(truth.central_mm, truth.medial_mm),
        diameter_mm=2 * hip.form.head_radius_mm,
        loss_mm_per_year=loss,
    )


def _mean(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def _sd(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(known.std()) if len(known) else float("nan")


def _row(group: str, hips: Sequence[_Counted]) -> CensusRow:
    def column(get: Callable[[_Counted], float]) -> NDArray[np.float64]:
        return np.array([get(hip) for hip in hips], dtype=np.float64)

    width, place = column(lambda hip: hip.mjsw_mm), column(lambda hip: hip.place)
    loss, diameter = column(lambda hip: hip.loss_mm_per_year), column(lambda hip: hip.diameter_mm)
    values = [
        float(len(hips)),
        _mean(width),
        _sd(width),
        _mean((width <= 2.0).astype(np.float64)),
        _mean((width <= 2.5).astype(np.float64)),
        _mean((place < 1 / 3).astype(np.float64)),
        _mean(((place >= 1 / 3) & (place < 2 / 3)).astype(np.float64)),
        _mean((place >= 2 / 3).astype(np.float64)),
        _mean(column(lambda hip: float(hip.lateral_widest))),
        _mean(loss),
        _sd(loss),
        _mean(diameter),
        _sd(diameter),
    ]
    return CensusRow(group, dict(zip(PUBLISHED, values, strict=True)))


def census(persons: Iterable[Person]) -> tuple[CensusRow, ...]:
    """Count a population by sex and osteoarthritis.

    Args:
        persons: The persons; both hips of each are counted as at the first visit, the yearly loss from the first to
            the last visit of those with several.

    Returns:
        Women and men, without and with osteoarthritis and together, then all.
    """
    hips = [_count(person, side) for person in persons for side in Side]
    rows = []
    for sex, name in (("F", "women"), ("M", "men")):
        own = [hip for hip in hips if hip.sex == sex]
        rows.append(_row(f"{name}, healthy", [hip for hip in own if not hip.osteoarthritis]))
        rows.append(_row(f"{name}, osteoarthritis", [hip for hip in own if hip.osteoarthritis]))
        rows.append(_row(f"{name}, all", own))
    return (*rows, _row("all", hips))


def markdown(rows: Sequence[CensusRow]) -> str:
    """A census as a Markdown table: a figure a line, a group a column, what is published at the right."""
    groups = [row.group for row in rows]
    lines = [f"| figure | {' | '.join(groups)} | published |", f"|---|{'---:|' * len(groups)}---|"]
    for name, published in PUBLISHED.items():
        cells = [_cell(name, row.figures[name]) for row in rows]
        lines.append(f"| {name} | {' | '.join(cells)} | {published} |")
    return "\n".join(lines) + "\n"


def _cell(name: str, value: float) -> str:
    if not np.isfinite(value):
        return "-"
    if name == "hips":
        return f"{value:.0f}"
    places = 1 if name.startswith("head") else 3 if name.startswith("share") else 2
    return f"{round(value, places) + 0.0:.{places}f}"
