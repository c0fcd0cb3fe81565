"""Outline of the proximal femur: shaft, trochanters, neck and head.

Anchors stand in multiples of the head's radius in the frame of an upright shaft, origin in the head's centre; they
become a smooth curve, which is then leant by the shaft's tilt and joined to the head. Proportions are those of
adult films: shaft width 0.58-0.64 and narrowest neck 0.62-0.70 of the head's diameter, trochanter's tip near the
level of the head's centre, lesser trochanter about two radii below it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from hipjsw.phantom.form import HipForm

__all__ = ["FemurOutline", "femur_outline", "polar"]

Points = NDArray[np.float64]

#: How far the shaft is drawn below the head's centre, in head radii.
_REACH = 7.0
#: Wavelengths in mm of the greater trochanter's roughness; a form gives one amplitude for each.
_GRAIN_MM = (8.3, 12.1, 17.7)


@dataclass(frozen=True, eq=False)
class FemurOutline:
    """Points of a femur's outline.

    Args:
        points: ``(n, 2)`` mm, up the lateral shaft, over trochanter, neck and head, down the medial shaft.
        tip: Index of the greater trochanter's tip.
        head: Index of the head's lateral junction with the neck.
        neck: Index of its medial junction.
        lesser: Index of the lesser trochanter's top.
    """

    points: Points
    tip: int
    head: int
    neck: int
    lesser: int


def polar(angle_deg: Points, radius: Points) -> Points:
    """Points ``(n, 2)`` at angles ``(n,)`` from straight up (positive medially) and radii ``(n,)`` about the head."""
    angle = np.deg2rad(angle_deg)
    return np.column_stack([-np.cos(angle) * radius, np.sin(angle) * radius])


def _smooth(anchors: Points, steps: Points) -> tuple[Points, Points, Points]:
    """A cubic curve through anchors: points, unit normals (outwards) and lengths, ``steps`` pieces an anchor pair."""
    knots = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(anchors, axis=0), axis=1) ** 0.75)])
    spline: Any = CubicSpline(knots, anchors, bc_type="natural")
    pieces = [np.linspace(a, b, int(n), endpoint=False) for a, b, n in zip(knots[:-1], knots[1:], steps, strict=True)]
    where = np.concatenate([*pieces, knots[-1:]])
    points, along = spline(where), spline(where, 1)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    normals = np.column_stack([-along[:, 1], along[:, 0]])
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    return points, normals, lengths


def _lean(points: Points, tilt_deg: float) -> Points:
    tilt = np.deg2rad(tilt_deg)
    turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
    return np.asarray(points @ turn.T, dtype=np.float64)


def _shaft(form: HipForm, side: float) -> list[tuple[float, float]]:
    """Anchors of the shaft's border from its lower end up; side -1 is lateral, 1 medial."""
    drop, reach = form.neck
    rows = np.concatenate([np.linspace(_REACH, drop + 1.9, 7), [drop + 1.45]])
    part = (rows - rows[-1]) / (_REACH - rows[-1])
    half = form.shaft_half_width * (1.0 - form.shaft_taper * part)
    return [(row, -reach + side * width) for row, width in zip(rows.tolist(), half.tolist(), strict=True)]


def _lateral(form: HipForm) -> tuple[Points, int]:
    """Anchors from the lateral shaft to the neck's upper border, upright frame, and the index of the tip."""
    drop, axis = form.neck[0], -form.neck[1]
    half, reach, tip = form.shaft_half_width, form.trochanter, drop - form.trochanter_tip
    flare, outer = reach - 1.1 * half, axis - 0.90 * reach
    saddle = _neck_point(form, 0.80, form.neck_half_width + form.neck_offset)
    low, inner = min(tip + 0.32, float(saddle[0]) + 0.18), min(axis + 0.06, float(saddle[1]) - 0.24)
    span = inner - outer
    rows = [
        *_shaft(form, -1.0),
        (drop + 0.98, axis - 1.03 * half),
        (drop + 0.56, axis - 1.11 * half),
        (drop + 0.18, axis - 1.1 * half - 0.42 * flare),
        (drop - 0.14, axis - 1.1 * half - 0.86 * flare),
        (drop - 0.40, axis - reach),
        (drop - 0.72, axis - 0.985 * reach),
        (tip + 0.30, outer),
        (tip + 0.09, outer + 0.135 * span),
        (tip, outer + 0.31 * span),
        (tip + 0.06, outer + 0.50 * span),
        (0.45 * tip + 0.55 * low, outer + 0.66 * span),
        (0.08 * tip + 0.92 * low, outer + 0.82 * span),
    ]
    middle = 0.5 * (np.array([low, inner]) + saddle) + (0.03, 0.0)
    return np.array([*rows, (low, inner), tuple(middle), tuple(saddle)]), len(_shaft(form, -1.0)) + 8


def _neck_point(form: HipForm, along: float, above: float) -> Points:
    """A point of the neck: so far along its axis from the head's centre, so far above the axis."""
    unit = np.array([form.neck[0], -form.neck[1]]) / np.hypot(*form.neck)
    return np.asarray(along * unit + above * np.array([unit[1], -unit[0]]), dtype=np.float64)


def _medial(form: HipForm) -> Points:
    """Anchors from the neck's lower border (calcar arc) down the medial shaft, upright frame."""
    drop, reach = form.neck
    half, low = form.shaft_half_width, form.neck_half_width - form.neck_offset
    length = float(np.hypot(drop, reach))
    turn = (reach - 1.22 * half + drop / length * (low + 0.05)) * length / reach
    neck = [(0.84, low + 0.03), (0.45 * turn + 0.46, low), (turn, low + 0.06)]
    points = [tuple(_neck_point(form, along, -below)) for along, below in neck]
    points += [(drop + 0.66, -reach + 1.1 * half), (drop + 1.05, -reach + 1.03 * half)]
    return np.array([*points, *_shaft(form, 1.0)[::-1]])


def _lesser_height(form: HipForm) -> float:
    """How far the lesser trochanter stands out on this film: outward rotation of the leg brings it forth."""
    return form.lesser * float(np.clip(1.0 + 0.035 * form.rotation_deg, 0.25, 1.8))


def _upper_part(form: HipForm, join: Points) -> tuple[Points, int]:
    radius = form.head_radius_mm
    anchors, tip = _lateral(form)
    all_anchors = np.concatenate([radius * _lean(anchors, form.shaft_tilt_deg), join])
    gaps = np.linalg.norm(np.diff(all_anchors, axis=0), axis=1)
    steps = np.ceil(gaps / np.where(np.arange(len(gaps)) < 7, 6.0, 1.2))
    steps[len(anchors) :] = 1
    points, normals, lengths = _smooth(all_anchors, steps)
    first, top = (int(steps[:index].sum()) for index in (len(_shaft(form, -1.0)) + 2, tip))
    notch = int(steps[: len(anchors) - 3].sum())
    window = np.clip(np.minimum(lengths - lengths[first], lengths[notch] - lengths) / 8.0, 0.0, 1.0)
    grain = np.zeros(len(points))
    for amplitude, wavelength in zip(form.trochanter_grain_mm, _GRAIN_MM, strict=False):
        grain += amplitude * np.sin(2 * np.pi * (lengths - lengths[top]) / wavelength)
    points = points + (grain * window**2 * (3 - 2 * window))[:, None] * normals
    return points[: int(steps[: len(anchors)].sum())], top


def _lower_part(form: HipForm, join: Points) -> tuple[Points, int]:
    radius = form.head_radius_mm
    anchors = np.concatenate([join, radius * _lean(_medial(form), form.shaft_tilt_deg)])
    gaps = np.linalg.norm(np.diff(anchors, axis=0), axis=1)
    steps = np.ceil(gaps / np.where(np.arange(len(gaps)) >= len(gaps) - 6, 6.0, 1.2))
    steps[: len(join) - 1] = 1
    points, normals, _ = _smooth(anchors, steps)
    where = (_lean(points, -form.shaft_tilt_deg)[:, 0] / radius - form.lesser_low) / form.lesser_half
    bump = _lesser_height(form) * radius * np.exp(-np.log(2.0) * np.abs(where) ** 3)
    points = points + bump[:, None] * normals
    keep = len(join)
    return points[keep:], int(np.argmin(np.abs(where[keep:])))


def femur_outline(form: HipForm) -> FemurOutline:
    """The outline of a form's femur, dense enough that a cubic spline through it is the outline."""
    first, last = form.head_arc_deg
    angles = np.arange(first, last + 0.5)
    head = polar(angles, form.head_mm(angles))
    before, tip = _upper_part(form, head[:10:3])
    after, lesser = _lower_part(form, head[-10::3])
    start, end = len(before), len(before) + len(head) - 1
    return FemurOutline(np.concatenate([before, head, after]), tip, start, end, end + 1 + lesser)
