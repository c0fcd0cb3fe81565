"""One hip as smooth curves whose joint space is known exactly.

Everything is in mm in the frame of a right hip: origin in the centre of the femoral head, ``(row, col)`` with
rows downwards and columns medially. Angles about the head run from straight up, positive medially. The roof
is the head's radius plus a smooth width, so bones touch where the width is 0 and never cross. The truth is
the shortest distance between the curves themselves; no pixel takes part.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from hipjsw.anatomy.curve import Curve

__all__ = ["CONTACT_MM", "Hip", "HipForm", "closest_approach"]

#: Curves closer than this touch: it is the precision to which a distance is refined.
CONTACT_MM = 1e-3

#: Angles about the head between which the femur's outline is the head's: its junctions with the neck.
HEAD_ARC_DEG = (-62.0, 166.0)
_LAST_STEPS_MM = 18.4


@dataclass(frozen=True)
class HipForm:
    """What shapes one hip. Lengths without a unit are multiples of the head's radius.

    Args:
        head_radius_mm: Mean radius of the projected femoral head.
        head_waves_mm: Amplitudes of the second and third harmonic of the head's outline.
        head_phases_deg: Their phases.
        neck_shaft_deg: Angle between neck and shaft.
        neck_length: Head centre to the crossing of neck and shaft axis.
        neck_half_width: Half the width of the neck at its narrowest.
        shaft_half_width: Half the width of the shaft.
        shaft_tilt_deg: Lean of the shaft; positive brings its lower end medially.
        trochanter: Reach of the greater trochanter beyond the shaft's axis, laterally.
        trochanter_tip: Rise of its tip above the neck's base.
        lesser: Reach of the lesser trochanter beyond the shaft's medial border.
        edge_deg: Centre-edge angle: how far lateral of straight up the roof begins.
        medial_deg: How far medially the sourcil reaches.
        min_width_mm: Least radial width of the joint space along the sourcil; 0 is bone on bone.
        trend_mm: Width at the lateral edge less width at the medial end, before the narrowing.
        dip_mm: Depth of the local narrowing.
        dip_deg: Angle at which it is deepest.
        dip_half_deg: Its half width at half depth.
    """

    head_radius_mm: float
    head_waves_mm: tuple[float, float]
    head_phases_deg: tuple[float, float]
    neck_shaft_deg: float
    neck_length: float
    neck_half_width: float
    shaft_half_width: float
    shaft_tilt_deg: float
    trochanter: float
    trochanter_tip: float
    lesser: float
    edge_deg: float
    medial_deg: float
    min_width_mm: float
    trend_mm: float
    dip_mm: float
    dip_deg: float
    dip_half_deg: float

    def head_mm(self, angle_deg: NDArray[np.float64]) -> NDArray[np.float64]:
        """Radius of the head's outline in mm at angles ``(n,)`` from straight up, positive medially."""
        radius = np.full_like(angle_deg, self.head_radius_mm)
        for order, amplitude, phase in zip((2, 3), self.head_waves_mm, self.head_phases_deg, strict=True):
            radius += amplitude * np.cos(order * np.deg2rad(angle_deg - phase))
        return radius

    def width_mm(self, angle_deg: NDArray[np.float64]) -> NDArray[np.float64]:
        """Radial width of the joint space in mm at angles ``(n,)`` along the sourcil; never negative."""
        grid = np.linspace(-self.edge_deg, self.medial_deg, 4001)
        relief = np.maximum(self._relief(angle_deg) - self._relief(grid).min(), 0.0)
        return np.asarray(relief + self.min_width_mm, dtype=np.float64)

    def _relief(self, angle_deg: NDArray[np.float64]) -> NDArray[np.float64]:
        middle, span = (self.medial_deg - self.edge_deg) / 2, self.medial_deg + self.edge_deg
        dip = np.exp(-np.log(2.0) * ((angle_deg - self.dip_deg) / self.dip_half_deg) ** 2)
        return np.asarray(-self.trend_mm * (angle_deg - middle) / span - self.dip_mm * dip, dtype=np.float64)


def _polar(angle_deg: NDArray[np.float64], radius: NDArray[np.float64]) -> NDArray[np.float64]:
    angle = np.deg2rad(angle_deg)
    return np.column_stack([-np.cos(angle) * radius, np.sin(angle) * radius])


def _to_chain(
    points: NDArray[np.float64], chain: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distance ``(n,)`` of points to a chain of straight pieces, and where on it (in pieces from its start).

    Only the two pieces beside the nearest corner are tried: right for a chain much finer than its bends.
    """
    corner = np.asarray(cKDTree(chain).query(points)[1])
    found, where = np.full(len(points), np.inf), np.zeros(len(points))
    for first in (corner - 1, corner):
        first = np.clip(first, 0, len(chain) - 2)
        step = chain[first + 1] - chain[first]
        share = ((points - chain[first]) * step).sum(axis=1) / (step**2).sum(axis=1)
        share = np.clip(share, 0.0, 1.0)
        distance = np.linalg.norm(points - chain[first] - share[:, None] * step, axis=1)
        nearer = distance < found
        found, where = np.where(nearer, distance, found), np.where(nearer, first + share, where)
    return found, where


def closest_approach(one: Curve, other: Curve, step: float = 0.05) -> tuple[float, NDArray[np.float64], Any]:
    """Shortest distance between two curves, refined far below 0.001 of their unit.

    Args:
        one: A curve.
        other: Another.
        step: Distance of the samples the search starts from, in the curves' unit.

    Returns:
        The distance and the two nearest points ``(2,)``, in the curves' unit; distance 0 where they touch
        (closer than `CONTACT_MM`).
    """
    ends = one.knots[-1], other.knots[-1]
    grids = [np.linspace(0.0, end, int(np.ceil(end / step)) + 1) for end in ends]
    distances, places = _to_chain(one.at(grids[0]), other.at(grids[1]))
    best = int(np.argmin(distances))
    s, t = float(grids[0][best]), float(places[best] * grids[1][1])
    reach = 2 * step
    while reach > 1e-7:
        around = np.linspace(-reach, reach, 17)
        some, others = np.clip(s + around, 0.0, ends[0]), np.clip(t + around, 0.0, ends[1])
        gaps = np.linalg.norm(one.at(some)[:, None] - other.at(others)[None], axis=2)
        i, j = np.unravel_index(int(np.argmin(gaps)), gaps.shape)
        s, t, reach = float(some[i]), float(others[j]), reach / 4
    a, b = one.at(np.array([s]))[0], other.at(np.array([t]))[0]
    distance = float(np.linalg.norm(a - b))
    return (0.0 if distance < CONTACT_MM else distance), a, b


@dataclass(frozen=True)
class Hip:
    """The curves of one hip in mm, right-hip frame.

    Args:
        form: What shapes it.
    """

    form: HipForm

    @cached_property
    def _anchors(self) -> tuple[NDArray[np.float64], dict[str, int]]:
        """Anchors of the femur's outline ``(n, 2)`` and the index of the named ones."""
        f, radius = self.form, self.form.head_radius_mm
        neck = np.deg2rad(180.0 - f.neck_shaft_deg)
        along = np.array([np.cos(neck), -np.sin(neck)])
        up = np.array([-np.sin(neck), -np.cos(neck)])
        axis, half = f.neck_length * along[1], f.shaft_half_width
        crossing = f.neck_length * along[0]
        low = crossing + np.array([8.5, 6.5, 4.5, 3.2, 2.2, 1.4, 0.8])
        width, length = f.neck_half_width, f.neck_length
        upper = [tuple((length - t) * along + h * width * up) for t, h in ((0.35, 1.24), (0.63, 1.06), (0.91, 1.03))]
        base_row, base_col = upper[0]
        tip = base_row - f.trochanter_tip
        lateral = [
            *[(row, axis - half * w) for row, w in zip(low[:6], (0.92, 0.92, 0.94, 0.97, 1.02, 1.16), strict=True)],
            (tip + 1.12, axis - f.trochanter),
            (tip + 0.68, axis - f.trochanter),
            (tip + 0.30, axis - f.trochanter * 0.88),
            (tip, min(axis - f.trochanter * 0.62, base_col - 0.36)),
            (tip + 0.35 * f.trochanter_tip, base_col - 0.13),
        ]
        lower = [tuple(t * along - h * width * up) for t, h in ((1.0, 1.07), (1.28, 1.0), (length - 0.37, 1.04))]
        below = lower[-1][0]
        side = axis + half
        medial = [
            (below + 0.26, side + 0.08 + 0.3 * f.lesser),
            (below + 0.62, side + 0.05 + f.lesser),
            (below + 1.0, side + 0.03 + 0.72 * f.lesser),
            (below + 1.45, side + 0.02),
            *[(row, axis + half * w) for row, w in zip(low[3::-1], (0.97, 0.94, 0.92, 0.92), strict=True)],
        ]
        start = len(lateral) + len(upper)
        angles = np.arange(HEAD_ARC_DEG[0], HEAD_ARC_DEG[1] + 0.5, 1.0)
        tilt = np.deg2rad(f.shaft_tilt_deg)
        turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
        before = radius * np.array([*lateral, *upper]) @ turn.T
        after = radius * np.array([*lower, *medial]) @ turn.T
        head = _polar(angles, f.head_mm(angles))
        last = start + len(head) - 1
        named = {"tip": 9, "head": start, "neck": last, "lesser": last + len(lower) + 2}
        return np.concatenate([before, head, after]), named

    @cached_property
    def femur(self) -> Curve:
        """Outline of the proximal femur, up the lateral shaft, over the head, down the medial shaft."""
        return Curve(self._anchors[0])

    @cached_property
    def sourcil(self) -> Curve:
        """Weight-bearing roof from its lateral edge to its medial end."""
        f = self.form
        angles = np.linspace(-f.edge_deg, f.medial_deg, int(2 * (f.edge_deg + f.medial_deg)))
        return Curve(_polar(angles, f.head_mm(angles) + f.width_mm(angles)))

    @cached_property
    def nearest(self) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        """Minimum joint space width in mm with its point on the sourcil and on the femur, each ``(2,)``."""
        return closest_approach(self.sourcil, self.femur)

    @property
    def mjsw_mm(self) -> float:
        """Exact minimum joint space width in mm: sourcil to femur; 0 where bone meets bone."""
        return self.nearest[0]

    @cached_property
    def femur_points(self) -> NDArray[np.float64]:
        """Landmarks 0-34 ``(35, 2)`` in mm, on the femur's curve."""
        knots, named = self.femur.knots, self._anchors[1]
        tip, head, neck, lesser = (float(knots[named[name]]) for name in ("tip", "head", "neck", "lesser"))
        start = float(np.interp(-self._low_row, -self.femur.points[: named["tip"], 0], knots[: named["tip"]]))
        step = _LAST_STEPS_MM
        rest = start + 2 * step
        lateral = rest + (tip - rest) * np.array([0.23, 0.43, 0.60, 0.75, 0.88, 1.0])
        upper = np.linspace(tip, head, 11)[1:]
        margin = np.linspace(head, neck, 10)[1:]
        lower = np.linspace(neck, lesser, 6)[1:]
        shaft = lesser + step * np.array([1.0, 2.0])
        parameters = np.concatenate([[start, start + step, rest], lateral, upper, margin, lower, shaft])
        return self.femur.at(parameters)

    @cached_property
    def _low_row(self) -> float:
        """Row in mm of the lowest landmark on the medial shaft; the lateral one lies level with it."""
        knots, lesser = self.femur.knots, self._anchors[1]["lesser"]
        return float(self.femur.at(knots[lesser : lesser + 1] + 2 * _LAST_STEPS_MM)[0, 0])

    @cached_property
    def sourcil_points(self) -> NDArray[np.float64]:
        """Landmarks 70-74 ``(5, 2)`` in mm, equally far apart along the sourcil."""
        return self.sourcil.at(np.linspace(0.0, self.sourcil.knots[-1], 5))
