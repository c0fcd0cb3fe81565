"""Osteoarthritis of a hip: where it narrows the joint, how far, how fast, and what it does to the bone.

Kinds of narrowing and their order of frequency are those of the radiographic literature (superior most often,
then axial and concentric); the figures themselves are made up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from scipy.special import ndtr, ndtri

from hipjsw.anatomy.landmarks import Side
from hipjsw.phantom.form import Dip, HipForm

__all__ = ["NORMAL_MM", "NORMAL_SD_MM", "OA_MM", "Disease", "Narrowing", "draw_disease", "with_disease", "with_loss"]

#: Healthy joints by sex: with the range's ends cut off their mean is 3.9 mm in women and 4.2 mm in men, SD 0.9.
NORMAL_MM = {"F": 3.87, "M": 4.19}
NORMAL_SD_MM = 0.92
#: Range of healthy joints.
_NORMAL_RANGE_MM = (2.05, 7.0)
#: Joint space of a hip at the onset of osteoarthritis; it goes down to bone on bone.
OA_MM = 3.0

_PRONE = {"45-49": 0.09, "50-54": 0.12, "55-59": 0.16, "60-64": 0.21, "65-69": 0.26, "70-74": 0.30, "75-79": 0.34}
_BOTH_SIDES = 0.80
#: Share of the loss by which the narrowing deepens; the rest is lost all along the roof.
_FOCAL = 0.4


class Narrowing(StrEnum):
    """Where osteoarthritis narrows the joint space most."""

    NONE = "none"
    SUPEROLATERAL = "superolateral"
    SUPEROMEDIAL = "superomedial"
    AXIAL = "axial"
    CONCENTRIC = "concentric"


_SHARES = {
    Narrowing.SUPEROLATERAL: 0.50,
    Narrowing.SUPEROMEDIAL: 0.26,
    Narrowing.AXIAL: 0.12,
    Narrowing.CONCENTRIC: 0.12,
}


@dataclass(frozen=True)
class Disease:
    """What ails a hip at the first visit.

    Args:
        narrowing: Its kind; ``none`` without osteoarthritis.
        severity: From 0 (none) to 1 (end stage).
        width_mm: Least radial width of the joint space.
        loss_mm_per_year: Yearly loss of it; 0 without osteoarthritis.
    """

    narrowing: Narrowing
    severity: float
    width_mm: float
    loss_mm_per_year: float

    @property
    def osteoarthritis(self) -> bool:
        """Whether the hip has osteoarthritis."""
        return self.narrowing is not Narrowing.NONE


def _healthy_mm(sex: str, normal: float) -> float:
    """A width of the healthy population for a standard normal number; its tails end at the range, without a heap."""
    low, high = (ndtr((bound - NORMAL_MM[sex]) / NORMAL_SD_MM) for bound in _NORMAL_RANGE_MM)
    return float(NORMAL_MM[sex] + NORMAL_SD_MM * ndtri(low + (high - low) * ndtr(normal)))


def draw_disease(sex: str, age_band: str, rng: np.random.Generator) -> dict[Side, Disease]:
    """Draw both hips' joints: a person's healthy widths are alike (correlation 0.75), arthritic ones less so.

    Args:
        sex: ``F`` or ``M``.
        age_band: Five years of age, e.g. ``60-64``; the older, the more often diseased.
        rng: Random numbers.
    """
    shared, prone = rng.normal(), rng.random() < _PRONE[age_band]
    kinds = list(_SHARES)
    drawn = {}
    for side in Side:
        width = _healthy_mm(sex, float(np.sqrt(0.75) * shared + 0.5 * rng.normal()))
        narrowed = max(OA_MM - 3.3 * float(rng.random()), 0.0)
        speed = float(np.clip(rng.gamma(4.0, 0.044), 0.02, 0.5))
        kind = kinds[int(rng.choice(len(kinds), p=list(_SHARES.values())))]
        severity = float(np.clip(1.0 - narrowed / OA_MM + rng.normal(0.0, 0.12), 0.08, 1.0))
        ill = prone and rng.random() < _BOTH_SIDES
        drawn[side] = Disease(kind, severity, narrowed, speed) if ill else Disease(Narrowing.NONE, 0.0, width, 0.0)
    return drawn


def _narrowed(form: HipForm, kind: Narrowing, rng: np.random.Generator) -> HipForm:
    depth, half = float(rng.uniform(0.9, 1.9)), float(rng.uniform(17.0, 24.0))
    if kind is Narrowing.SUPEROLATERAL:
        angle, trend = float(rng.uniform(4.0, 13.0)) - form.edge_deg, float(rng.normal(-0.2, 0.25))
    elif kind is Narrowing.SUPEROMEDIAL:
        angle, trend = float(rng.normal(9.0, 4.0)), float(rng.normal(0.3, 0.25))
    elif kind is Narrowing.AXIAL:
        angle, trend = form.medial_deg - float(rng.uniform(0.0, 6.0)), float(rng.normal(0.8, 0.3))
    else:
        angle, trend, depth = float(rng.normal(0.0, 10.0)), float(rng.normal(0.0, 0.15)), float(rng.uniform(0.05, 0.3))
    return replace(form, dip_mm=depth, dip_deg=angle, dip_half_deg=half, trend_mm=trend)


def _inside_ilium_deg(form: HipForm, away_mm: float, radius_mm: float) -> float:
    """Least angle at which a cyst so far from the head's centre lies medial of the ilium's border over the edge."""
    edge_col = -form.head_radius_mm * np.sin(np.deg2rad(form.edge_deg))
    return float(np.rad2deg(np.arcsin(np.clip((edge_col + radius_mm + 2.5) / away_mm, -1.0, 1.0))))


def _cysts(form: HipForm, severity: float, rng: np.random.Generator) -> tuple[tuple[float, float, float], ...]:
    """Cysts beside the narrowing, in the bone above the roof or in the head."""
    cysts = []
    for _ in range(int(rng.binomial(3, 0.6 * max(severity - 0.25, 0.0)))):
        radius, deep = float(rng.uniform(1.3, 4.2)), float(rng.uniform(1.2, 5.0))
        lowest, highest = 6.0 - form.edge_deg, form.medial_deg - 6.0
        angle = float(np.clip(form.dip_deg + rng.normal(0.0, 9.0), lowest, max(highest, lowest)))
        above = rng.random() < 0.6
        head = float(form.head_mm(np.array([angle]))[0])
        away = head + float(form.width_mm(np.array([angle]))[0]) + radius + deep if above else head - radius - deep
        if above:
            angle = max(angle, _inside_ilium_deg(form, away, radius))
        turn = np.deg2rad(angle)
        cysts.append((float(-np.cos(turn) * away), float(np.sin(turn) * away), radius))
    return tuple(cysts)


def with_disease(form: HipForm, disease: Disease, rng: np.random.Generator) -> HipForm:
    """A hip's form with what its joint's state does to it.

    Args:
        form: The hip as it would be in health.
        disease: What ails it.
        rng: Random numbers.
    """
    worn = _narrowed(form, disease.narrowing, rng)
    severity, flat = disease.severity, rng.uniform(0.3, 1.7)
    spur, collars, dense, worn_away = rng.uniform(1.5, 8.0), rng.uniform(0.4, 3.2, 2), rng.random(), rng.random()
    if not disease.osteoarthritis:
        small = float(spur / 4) if worn_away < 0.12 else 0.0
        return replace(form, min_width_mm=disease.width_mm, lip_mm=small, sclerosis=float(0.15 * dense))
    flattening = Dip(
        float(rng.normal(-8.0, 9.0)), float(flat * max(severity - 0.3, 0.0) / 0.7), float(rng.uniform(26, 38))
    )
    lateral, medial = np.where(collars * severity > 0.5, collars * severity, 0.0)
    worn = replace(
        worn,
        min_width_mm=disease.width_mm,
        flattening=flattening,
        lip_mm=float(spur * severity) if spur * severity > 1.0 else 0.0,
        collar_mm=(float(lateral), float(medial)),
        sclerosis=float(np.clip((0.45 + 0.55 * dense) * severity, 0.0, 1.0)),
    )
    return replace(worn, cysts=_cysts(worn, severity, rng))


def with_loss(form: HipForm, loss_mm: float) -> HipForm:
    """A hip's form after it lost some least width: partly where it is narrowest, partly everywhere; not below 0."""
    lost = min(loss_mm, form.min_width_mm)
    return (
        replace(form, min_width_mm=form.min_width_mm - lost, dip_mm=form.dip_mm + _FOCAL * lost) if lost > 0 else form
    )
