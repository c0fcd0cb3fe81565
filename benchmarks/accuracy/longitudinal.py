"""Phantom persons who lose joint space, followed: what of the known loss is seen, and how small a loss could be.

A measurement is whatever turns (person, side, visit) into a width or None: a trained run looking at `drawn_view`, or
the exact width itself. Only hips with osteoarthritis lose space, so only theirs are followed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from tables import Part, Table, signed

from hipjsw.anatomy.landmarks import HipLandmarks, Side, split_sides
from hipjsw.imaging.view import ViewSpec
from hipjsw.phantom.film import place
from hipjsw.phantom.population import Person, Visit, draw_person
from hipjsw.phantom.views import draw_view, hip_view
from hipjsw.statistics.follow_up import FollowUp, follow_up, smallest_detectable_change

__all__ = ["Followed", "FollowedHip", "Measure", "drawn_view", "followed", "followed_hips", "longitudinal_part"]

Measure = Callable[[Person, Side, Visit], float | None]

SEED = 77
PERSONS = 3000
#: Smallest detectable difference of human readers, published.
HUMAN_SDC_MM = 0.46
#: A retake is another film of the same day: the population's bones under this much another seed.
RETAKE = 1_000_003


@dataclass(frozen=True, eq=False)
class FollowedHip:
    """One hip at its first and last visit, with its exact widths."""

    person: Person
    side: Side
    first: Visit
    last: Visit
    first_mm: float
    last_mm: float

    @property
    def years(self) -> int:
        return self.last.years - self.first.years


@dataclass(frozen=True)
class Followed:
    """What was seen of the loss; changes are later less earlier, so loss is negative.

    Args:
        num_hips: Hips followed.
        unmeasurable: How many lack a width at one visit or both; they are left out of all below.
        mean_years: Mean time between the visits.
        true: The exact change.
        measured: The measured change, and the share beyond the smallest detectable one (that of the errors).
        true_yearly: Exact change a year.
        measured_yearly: Measured change a year.
        error_mean_mm: Mean of measured less exact change.
        sdc_error_mm: Smallest detectable change by the errors: 1.96 SD of measured less exact change.
        sdc_retest_mm: The same by two films of one day (`smallest_detectable_change`); None without retakes.
        num_retests: Hips measured twice.
        sdc_yearly_mm: ``sdc_error_mm`` over the mean time.
    """

    num_hips: int
    unmeasurable: int
    mean_years: float
    true: FollowUp
    measured: FollowUp
    true_yearly: FollowUp
    measured_yearly: FollowUp
    error_mean_mm: float
    sdc_error_mm: float
    sdc_retest_mm: float | None
    num_retests: int
    sdc_yearly_mm: float


def followed_hips(persons: int = PERSONS, seed: int = SEED, first: int = 0) -> list[FollowedHip]:
    """Hips with osteoarthritis that came at least twice and had space left to lose at the first visit."""
    found = []
    for index in range(first, first + persons):
        person = draw_person(seed, index)
        if len(person.visits) < 2:
            continue
        visits = person.visits[0], person.visits[-1]
        for side in Side:
            if person.disease[side].osteoarthritis:
                widths = [person.hip(side, visit).hip.mjsw_mm for visit in visits]
                if widths[0] > 0:
                    found.append(FollowedHip(person, side, *visits, *widths))
    return found


def drawn_view(
    person: Person, side: Side, visit: Visit, spec: ViewSpec, seed: int = SEED, retake: int = 0, look: str = "realistic"
) -> tuple[np.ndarray, np.ndarray, HipLandmarks]:
    """Draw one hip as a network sees it, without a film between.

    Args:
        person: Whose hip.
        side: Which.
        visit: When.
        spec: What the view shows.
        seed: The population's seed.
        retake: 0 for the film of the cohort; any other number for a film of the same day, the person laid down anew:
            position, soft tissue, exposure and noise are others, the hip's curves and its width the same.
        look: ``realistic`` or ``wide``.

    Returns:
        The image and the mask of what the film covers, both ``spec.stored_shape``, and the exact landmarks in view
        pixels.
    """
    film = place(seed + RETAKE * retake, person, visit, look)
    on_film = split_sides(film.points_mm)[side]
    view = hip_view(film, on_film, spec)
    image, inside = draw_view(film, view, spec)
    return image, inside, HipLandmarks(view.from_film_mm(on_film.points), side)


def followed(hips: Sequence[FollowedHip], measure: Measure, again: Measure | None = None) -> Followed | None:
    """Measure hips at both visits and compare with what they truly lost.

    Args:
        hips: The hips.
        measure: From a person, side and visit to a width in mm, or None.
        again: The same from another film of the same day (``retake`` of `drawn_view`), asked at the first visit.

    Returns:
        What was seen; None where fewer than two hips have both widths.
    """
    known = []
    for hip in hips:
        widths = [measure(hip.person, hip.side, visit) for visit in (hip.first, hip.last)]
        if widths[0] is not None and widths[1] is not None:
            known.append((hip, widths[0], widths[1]))
    if len(known) < 2:
        return None
    persons = [hip.person.index for hip, _, _ in known]
    years = np.array([hip.years for hip, _, _ in known], dtype=np.float64)
    true = np.array([hip.last_mm - hip.first_mm for hip, _, _ in known])
    seen = np.array([last - first for _, first, last in known])
    error = seen - true
    sdc = 1.96 * float(error.std(ddof=1))
    readings = _retested(known, again)
    return Followed(
        num_hips=len(hips),
        unmeasurable=len(hips) - len(known),
        mean_years=float(years.mean()),
        true=_summed(true, persons, sdc),
        measured=_summed(seen, persons, sdc),
        true_yearly=_summed(true / years, persons),
        measured_yearly=_summed(seen / years, persons),
        error_mean_mm=float(error.mean()),
        sdc_error_mm=sdc,
        sdc_retest_mm=smallest_detectable_change(readings) if len(readings) else None,
        num_retests=len(readings),
        sdc_yearly_mm=sdc / float(years.mean()),
    )


def _retested(known: Sequence[tuple[FollowedHip, float, float]], again: Measure | None) -> list[tuple[float, float]]:
    if again is None:
        return []
    pairs = ((first, again(hip.person, hip.side, hip.first)) for hip, first, _ in known)
    return [(first, second) for first, second in pairs if second is not None]


def _summed(change_mm: np.ndarray, persons: Sequence[int], sdc_mm: float | None = None) -> FollowUp:
    found = follow_up(change_mm, persons, sdc_mm)
    if found is None:
        raise ValueError("no change to sum up; follow at least two hips")
    return found


def _estimate(summary: FollowUp, name: str) -> str:
    found = getattr(summary, name)
    if found is None:
        return ""
    write = signed if name in ("mean_mm", "srm") else "{:.3f}".format
    if found.interval is None:
        return write(found.value)
    return f"{write(found.value)} ({write(found.interval.low)} to {write(found.interval.high)})"


def longitudinal_part(found: Followed, measure_name: str, seed: int = SEED) -> Part:
    """What was seen as a part of the document."""
    header = ["", "exact", "measured"]
    rows = [
        [title, _estimate(exact, name), _estimate(seen, name)]
        for title, exact, seen, name in (
            ("mean change (mm)", found.true, found.measured, "mean_mm"),
            ("SD of the change (mm)", found.true, found.measured, "sd_mm"),
            ("standardised response mean", found.true, found.measured, "srm"),
            ("share beyond the smallest detectable change", found.true, found.measured, "detected"),
            ("mean change a year (mm)", found.true_yearly, found.measured_yearly, "mean_mm"),
            ("standardised response mean of the yearly change", found.true_yearly, found.measured_yearly, "srm"),
        )
    ]
    retest = "" if found.sdc_retest_mm is None else f"{found.sdc_retest_mm:.3f}"
    detectable = [
        ["by the errors of the change", f"{found.sdc_error_mm:.3f}", str(found.num_hips - found.unmeasurable)],
        ["by two films of one day", retest, str(found.num_retests) if found.num_retests else ""],
        ["human readers, published", f"{HUMAN_SDC_MM:.2f}", ""],
    ]
    tables = [
        Table("Change from the first to the last visit, with 95 % intervals clustered by person.", header, rows),
        Table(
            f"Smallest detectable change, mm; by the errors it is {found.sdc_yearly_mm:.3f} mm a year over "
            f"{found.mean_years:.1f} years.",
            ["", "mm", "hips"],
            detectable,
        ),
    ]
    scale = (
        f"{measure_name}: {found.num_hips} hips with osteoarthritis and two visits or more of {found.true.num_persons} "
        f"persons, seed {seed}; {found.unmeasurable} unmeasurable at a visit. The measured change errs by "
        f"{signed(found.error_mean_mm)} mm on average."
    )
    numbers: dict[str, Any] = asdict(found) | {"human_sdc_mm": HUMAN_SDC_MM}
    return Part("longitudinal", scale, tables, numbers)
