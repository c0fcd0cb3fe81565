"""Who is in a phantom cohort: persons, their hips, their visits.

A person is a pure function of (seed, index): how many persons there are, in what order and by how many
processes they are drawn changes nothing. Widths follow what is known of adults: about 3.9 mm in women and 4.2
mm in men, SD 0.9, and roughly a tenth of hips narrowed by osteoarthritis to 2.0 mm or less, losing 0.1-0.2 mm
a year on average. Dates are made up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from hipjsw.anatomy.landmarks import Side
from hipjsw.phantom.build import draw_shared, draw_side
from hipjsw.phantom.disease import Disease, Narrowing, draw_disease, with_disease, with_loss
from hipjsw.phantom.pelvis import HalfPelvis, PelvisForm, draw_pelvis
from hipjsw.phantom.shape import Hip, HipForm

__all__ = ["PHANTOM_VERSION", "Disease", "Narrowing", "Person", "Visit", "draw_person", "stream"]

#: Changes whenever the same seed would give another film, point or truth.
PHANTOM_VERSION = "2"

_FIRST_NUMBER = 9_000_001
_VISITS = {
    "OAI": (("V00", 0), ("V06", 4), ("V10", 8)),
    "CHECK": (("T00", 0), ("T02", 2), ("T05", 5), ("T08", 8), ("T10", 10)),
}
#: Ages at the first visit: OAI enrolled at 45 to 79 years, CHECK at 45 to 65.
_AGES = {"OAI": (45, 79), "CHECK": (45, 65)}


def stream(seed: int, index: int, *purpose: int) -> np.random.Generator:
    """Random numbers of one person for one purpose, independent of all others.

    Purposes: 0 the person, 1 position and look, 2 bones, 3 noise, 4 each half of the pelvis, 5 soft tissue,
    6 collimation, 7 texture, 8 planting, 9 points, 10 header, 11 folds, 12 artefacts, 13 shading, 14 noise of views.
    """
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
        age_band: Age at the first visit, in bands of five years, e.g. ``60-64``.
        size: Size of the body: 1 for the average, less for the thin, more for the obese.
        pelvis: What shapes the pelvis.
        hips: What shapes each hip at the first visit.
        disease: What ails each hip.
        visits: The visits, in time's order.
        rotations_deg: Outward rotation of each leg on the film of each visit of the dataset's plan.
    """

    index: int
    dataset: str
    subject: str
    sex: str
    age_band: str
    size: float
    pelvis: PelvisForm
    hips: dict[Side, HipForm]
    disease: dict[Side, Disease]
    visits: tuple[Visit, ...]
    rotations_deg: dict[Side, tuple[float, ...]]

    @property
    def loss_mm_per_year(self) -> dict[Side, float]:
        """Yearly loss of joint space of each hip; 0 without osteoarthritis."""
        return {side: disease.loss_mm_per_year for side, disease in self.disease.items()}

    def form(self, side: Side, visit: Visit) -> HipForm:
        """What shapes one hip on the film of a visit."""
        worn = with_loss(self.hips[side], self.disease[side].loss_mm_per_year * visit.years)
        return replace(worn, rotation_deg=self.rotations_deg[side][visit.number])

    def hip(self, side: Side, visit: Visit) -> HalfPelvis:
        """The hip of one side, with its half of the pelvis, as it is at a visit."""
        return HalfPelvis(self.pelvis, Hip(self.form(side, visit)))


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


def _draw_age_band(dataset: str, rng: np.random.Generator) -> str:
    low, high = _AGES[dataset]
    start = int(rng.integers(low, high + 1)) // 5 * 5
    return f"{start}-{start + 4}"


def _draw_rotations(dataset: str, rng: np.random.Generator) -> dict[Side, tuple[float, ...]]:
    """Outward rotation of both legs at each visit: about 8 degrees inwards, alike on both sides."""
    visits = len(_VISITS[dataset])
    usual, each = rng.normal(-8.0, 4.0), rng.normal(0.0, 4.0, visits)
    drawn = {side: usual + each + rng.normal(0.0, 3.0, visits) for side in Side}
    return {side: tuple(np.clip(angles, -24.0, 10.0).tolist()) for side, angles in drawn.items()}


def draw_person(seed: int, index: int) -> Person:
    """Draw person ``index`` of the population ``seed``."""
    rng = stream(seed, index, 0)
    dataset = "OAI" if rng.random() < 0.6 else "CHECK"
    sex = "F" if rng.random() < (0.58 if dataset == "OAI" else 0.79) else "M"
    visits = _draw_visits(dataset, rng)
    age_band = _draw_age_band(dataset, rng)
    disease = draw_disease(sex, age_band, rng)
    shared = draw_shared(sex, rng)
    hips = {side: with_disease(draw_side(shared, rng), disease[side], rng) for side in Side}
    return Person(
        index=index,
        dataset=dataset,
        subject=str(_FIRST_NUMBER + (index if dataset == "OAI" else index ^ 1)),
        sex=sex,
        age_band=age_band,
        size=float(np.clip(np.exp(rng.normal(0.0, 0.13)), 0.78, 1.35)),
        pelvis=draw_pelvis(sex, rng),
        hips=hips,
        disease=disease,
        visits=visits,
        rotations_deg=_draw_rotations(dataset, rng),
    )
