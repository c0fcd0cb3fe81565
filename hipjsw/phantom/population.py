"""Who is in a phantom cohort: persons, their hips, their visits.

A person is a pure function of (seed, index): how many persons there are, in what order and by how many
processes they are drawn changes nothing. Widths follow what is known of adults: about 3.9 mm in women and 4.2
mm in men, SD 0.9, and roughly a tenth of hips narrowed by osteoarthritis to 2.0 mm or less, losing 0.1-0.2 mm
a year. Dates are made up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from hipjsw.anatomy.landmarks import Side
from hipjsw.phantom.pelvis import HalfPelvis, PelvisForm
from hipjsw.phantom.shape import Hip, HipForm

__all__ = ["PHANTOM_VERSION", "Person", "Visit", "draw_person", "stream"]

#: Changes whenever the same seed would give another film, point or truth.
PHANTOM_VERSION = "1"

_FIRST_NUMBER = 9_000_001
_VISITS = {
    "OAI": (("V00", 0), ("V06", 4), ("V10", 8)),
    "CHECK": (("T00", 0), ("T02", 2), ("T05", 5), ("T08", 8), ("T10", 10)),
}
_NORMAL_MM = {"F": 3.9, "M": 4.2}
_HEAD_RADIUS_MM = {"F": 26.3, "M": 28.9}


def stream(seed: int, index: int, *purpose: int) -> np.random.Generator:
    """Random numbers of one person for one purpose, independent of all others."""
    return np.random.default_rng(np.random.SeedSequence([seed, index, *purpose]))


@dataclass(frozen=True)
class Visit:
    """One visit of a person, i.e. one film.

    Args:
        number: Its place in the dataset's plan of visits, from 0.
        name: The dataset's name for it, e.g. ``V06``.
        years: Years since the first visit.
        day: Date of the film.
    """

    number: int
    name: str
    years: int
    day: date


@dataclass(frozen=True)
class Person:
    """A made-up person.

    Args:
        index: Place in the cohort, from 0.
        dataset: ``OAI`` or ``CHECK``.
        subject: Seven-digit number within the dataset; the two datasets may use the same one.
        sex: ``F`` or ``M``.
        pelvis: What shapes the pelvis.
        hips: What shapes each hip at the first visit.
        loss_mm_per_year: Yearly loss of joint space of each hip; 0 without osteoarthritis.
        visits: The visits, in time's order.
    """

    index: int
    dataset: str
    subject: str
    sex: str
    pelvis: PelvisForm
    hips: dict[Side, HipForm]
    loss_mm_per_year: dict[Side, float]
    visits: tuple[Visit, ...]

    def hip(self, side: Side, visit: Visit) -> HalfPelvis:
        """The hip of one side, with its half of the pelvis, as it is at a visit."""
        form = self.hips[side]
        width = max(form.min_width_mm - self.loss_mm_per_year[side] * visit.years, 0.0)
        return HalfPelvis(self.pelvis, Hip(replace(form, min_width_mm=width)))


def _draw_visits(dataset: str, rng: np.random.Generator) -> tuple[Visit, ...]:
    plan = _VISITS[dataset]
    count = int(rng.choice([1, 2, 3], p=[0.65, 0.22, 0.13]))
    later = sorted(rng.permutation(np.arange(1, len(plan)))[: count - 1].tolist())
    start = date(2004, 1, 15) + timedelta(days=int(rng.integers(0, 700)))
    drift = rng.integers(-20, 21, len(plan))
    return tuple(
        Visit(
            n,
            plan[n][0],
            plan[n][1],
            start + timedelta(days=round(plan[n][1] * 365.25) + (int(drift[n]) if n else 0)),
        )
        for n in (0, *later)
    )


def _draw_widths(sex: str, rng: np.random.Generator) -> dict[Side, tuple[float, float]]:
    """Least width in mm and yearly loss of each side; a person's hips are alike (correlation 0.75)."""
    shared, prone = rng.normal(), rng.random() < 0.16
    drawn = {}
    for side in Side:
        width = _NORMAL_MM[sex] + 0.9 * (np.sqrt(0.75) * shared + 0.5 * rng.normal())
        width, loss = float(np.clip(width, 2.05, 7.0)), 0.0
        narrowed = 2.0 * max(rng.random() ** 0.8 * 1.08 - 0.08, 0.0)
        speed = float(rng.uniform(0.1, 0.2))
        if prone and rng.random() < 0.6:
            width, loss = narrowed, speed
        drawn[side] = (width, loss)
    return drawn


def _draw_form(sex: str, rng: np.random.Generator) -> HipForm:
    """What both hips of a person share."""
    return HipForm(
        head_radius_mm=float(np.clip(rng.normal(_HEAD_RADIUS_MM[sex], 1.4), 23.0, 32.0)),
        head_waves_mm=(float(rng.normal(0.0, 0.25)), float(rng.normal(0.0, 0.08))),
        head_phases_deg=(float(rng.uniform(0, 180)), float(rng.uniform(0, 120))),
        neck_shaft_deg=float(np.clip(rng.normal(128.0, 5.0), 114.0, 142.0)),
        neck_length=float(np.clip(rng.normal(1.95, 0.08), 1.75, 2.15)),
        neck_half_width=float(np.clip(rng.normal(0.69, 0.025), 0.62, 0.76)),
        shaft_half_width=float(np.clip(rng.normal(0.58, 0.025), 0.51, 0.65)),
        shaft_tilt_deg=float(np.clip(rng.normal(5.0, 2.5), -2.0, 12.0)),
        trochanter=float(np.clip(rng.normal(1.0, 0.05), 0.86, 1.14)),
        trochanter_tip=float(np.clip(rng.normal(0.34, 0.08), 0.18, 0.55)),
        lesser=float(np.clip(rng.normal(0.26, 0.06), 0.10, 0.40)),
        edge_deg=float(np.clip(rng.normal(33.0, 6.0), 16.0, 47.0)),
        medial_deg=float(rng.uniform(26.0, 39.0)),
        min_width_mm=4.0,
        trend_mm=float(rng.normal(0.8, 0.45)),
        dip_mm=float(abs(rng.normal(0.5, 0.25))),
        dip_deg=float(rng.normal(10.0, 11.0)),
        dip_half_deg=float(rng.uniform(17.0, 25.0)),
    )


def _draw_side(shared: HipForm, width: float, loss: float, rng: np.random.Generator) -> HipForm:
    """One hip: the shared form with a little of its own, and osteoarthritis's narrowing where it has it."""
    dip, where = abs(shared.dip_mm + rng.normal(0.0, 0.1)), shared.dip_deg + rng.normal(0.0, 4.0)
    diseased = float(rng.uniform(0.8, 1.8)), float(rng.normal(-10.0, 10.0)), float(rng.uniform(20.0, 25.0))
    narrow = loss > 0
    return replace(
        shared,
        head_radius_mm=shared.head_radius_mm * float(1 + rng.normal(0.0, 0.006)),
        neck_shaft_deg=shared.neck_shaft_deg + float(rng.normal(0.0, 1.2)),
        neck_length=shared.neck_length + float(rng.normal(0.0, 0.03)),
        shaft_tilt_deg=shared.shaft_tilt_deg + float(rng.normal(0.0, 1.0)),
        trochanter_tip=shared.trochanter_tip + float(rng.normal(0.0, 0.03)),
        lesser=float(np.clip(shared.lesser + rng.normal(0.0, 0.05), 0.08, 0.42)),
        edge_deg=float(np.clip(shared.edge_deg + rng.normal(0.0, 2.0), 15.0, 48.0)),
        medial_deg=float(np.clip(shared.medial_deg + rng.normal(0.0, 1.5), 25.0, 40.0)),
        min_width_mm=width,
        trend_mm=(0.5 if narrow else 1.0) * shared.trend_mm + float(rng.normal(0.0, 0.2)),
        dip_mm=diseased[0] if narrow else float(dip),
        dip_deg=diseased[1] if narrow else float(where),
        dip_half_deg=diseased[2] if narrow else shared.dip_half_deg,
    )


def draw_person(seed: int, index: int) -> Person:
    """Draw person ``index`` of the population ``seed``."""
    rng = stream(seed, index, 0)
    dataset = "OAI" if rng.random() < 0.6 else "CHECK"
    sex = "F" if rng.random() < (0.58 if dataset == "OAI" else 0.79) else "M"
    visits = _draw_visits(dataset, rng)
    widths = _draw_widths(sex, rng)
    shared = _draw_form(sex, rng)
    hips = {side: _draw_side(shared, *widths[side], rng) for side in Side}
    pelvis = PelvisForm(
        half_distance_mm=float(np.clip(rng.normal(91.0, 3.0), 83.0, 98.0)),
        wing_height=float(np.clip(rng.normal(1.0, 0.04), 0.9, 1.1)),
        wing_width=float(np.clip(rng.normal(1.0, 0.06), 0.85, 1.15)),
        arch=float(np.clip(rng.normal(1.3 if sex == "F" else 0.9, 0.15), 0.5, 1.7)),
    )
    number = _FIRST_NUMBER + (index if dataset == "OAI" else index ^ 1)
    losses = {side: widths[side][1] for side in Side}
    return Person(index, dataset, str(number), sex, pelvis, hips, losses, visits)
