"""One hip as smooth curves whose joint space is known exactly.

Everything is in mm in the frame of a right hip: origin in the centre of the femoral head, ``(row, col)`` with
rows downwards and columns medially. Angles about the head run from straight up, positive medially. The roof
is the head's radius plus a width that is never negative, so bones touch where the width is 0 and never cross. The
truth is the shortest distance between the curves themselves; no pixel takes part.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from hipjsw.anatomy.curve import Curve
from hipjsw.phantom.femur import FemurOutline, femur_outline, polar
from hipjsw.phantom.form import Dip, HipForm, Wave

__all__ = ["CONTACT_MM", "Dip", "Hip", "HipForm", "Wave", "closest_approach"]

Points = NDArray[np.float64]

#: Curves closer than this touch: it is the precision to which a distance is refined.
CONTACT_MM = 1e-3

_LAST_STEPS_MM = 18.4


def _to_chain(points: Points, chain: Points) -> tuple[Points, Points]:
    """Distance ``(n,)`` of points to a chain of straight pieces, and where on it (in pieces from its start).

    Only the two pieces beside the nearest corner are tried: right for a chain much finer than its bends.
    """
    corner = np.asarray(cKDTree(chain, balanced_tree=False, compact_nodes=False).query(points)[1])
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


def closest_approach(
    one: Curve, other: Curve, step: float = 0.05, span: tuple[float, float] | None = None
) -> tuple[float, Points, Points]:
    """Shortest distance between two curves, refined far below 0.001 of their unit.

    Args:
        one: A curve.
        other: Another.
        step: Distance of the samples the search starts from, in the curves' unit.
        span: The part of the other curve to search, as curve parameters; all of it if None.

    Returns:
        The distance and the two nearest points ``(2,)``, in the curves' unit; distance 0 where they touch
        (closer than `CONTACT_MM`).
    """
    spans = (0.0, float(one.knots[-1])), span or (0.0, float(other.knots[-1]))
    grids = [np.linspace(low, high, int(np.ceil((high - low) / step)) + 1) for low, high in spans]
    distances, places = _to_chain(one.at(grids[0]), other.at(grids[1]))
    best = int(np.argmin(distances))
    s, t = float(grids[0][best]), float(spans[1][0] + places[best] * (grids[1][1] - grids[1][0]))
    reach = 2 * step
    while reach > 1e-7:
        around = np.linspace(-reach, reach, 17)
        some, others = np.clip(s + around, *spans[0]), np.clip(t + around, *spans[1])
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
    def _outline(self) -> FemurOutline:
        return femur_outline(self.form)

    @cached_property
    def femur(self) -> Curve:
        """Outline of the proximal femur, up the lateral shaft, over the head, down the medial shaft."""
        return Curve(self._outline.points)

    @property
    def head_span(self) -> tuple[float, float]:
        """Parameters of the femur's curve between which it is the head's margin, lateral to medial junction."""
        knots = self.femur.knots
        return float(knots[self._outline.head]), float(knots[self._outline.neck])

    @cached_property
    def sourcil(self) -> Curve:
        """Weight-bearing roof from its lateral edge to its medial end."""
        f = self.form
        angles = np.linspace(-f.edge_deg, f.medial_deg, int(1.5 * (f.edge_deg + f.medial_deg)))
        return Curve(polar(angles, f.head_mm(angles) + f.width_mm(angles)))

    @cached_property
    def nearest(self) -> tuple[float, Points, Points]:
        """Minimum joint space width in mm with its point on the sourcil and on the femur, each ``(2,)``."""
        return closest_approach(self.sourcil, self.femur, 0.1, self.head_span)

    @property
    def mjsw_mm(self) -> float:
        """Exact minimum joint space width in mm: sourcil to femoral head; 0 where bone meets bone."""
        return self.nearest[0]

    @cached_property
    def femur_points(self) -> Points:
        """Landmarks 0-34 ``(35, 2)`` in mm, on the femur's curve."""
        knots, named = self.femur.knots, self._outline
        tip, head, neck, lesser = (float(knots[i]) for i in (named.tip, named.head, named.neck, named.lesser))
        step = _LAST_STEPS_MM
        low_row = self.femur.at(np.array([lesser + 2 * step]))[0, 0]
        start = float(np.interp(-low_row, -self.femur.points[: named.tip, 0], knots[: named.tip]))
        rest = start + 2 * step
        lateral = rest + (tip - rest) * np.array([0.205, 0.40, 0.58, 0.74, 0.88, 1.0])
        upper = np.linspace(tip, head, 11)[1:]
        margin = np.linspace(head, neck, 10)[1:]
        lower = np.linspace(neck, lesser, 6)[1:]
        shaft = lesser + step * np.array([1.0, 2.0])
        parameters = np.concatenate([[start, start + step, rest], lateral, upper, margin, lower, shaft])
        return self.femur.at(parameters)

    @cached_property
    def sourcil_points(self) -> Points:
        """Landmarks 70-74 ``(5, 2)`` in mm, equally far apart along the sourcil."""
        return self.sourcil.at(np.linspace(0.0, self.sourcil.knots[-1], 5))

    @cached_property
    def osteophytes(self) -> tuple[Points, ...]:
        """Closed outlines ``(n, 2)`` in mm of bone grown beyond the curves; none lies in the sourcil's joint space."""
        form = self.form
        collars = zip(form.head_arc_deg, form.collar_mm, (-1.0, 1.0), strict=True)
        grown = [self._collar(angle, height, side) for angle, height, side in collars if height > 0]
        return (*([self._lip()] if form.lip_mm > 0 else []), *grown)

    def _lip(self) -> Points:
        """Osteophyte of the roof's lateral edge: a spur that goes on from point 70 outwards and a little down."""
        form = self.form
        edge = self.sourcil.points[:1]
        turn = np.rad2deg(form.lip_mm / np.linalg.norm(edge))
        part = np.linspace(0.0, 1.0, 24)
        angles = -form.edge_deg - turn * part
        gap = np.linalg.norm(edge) - form.head_mm(np.array([-form.edge_deg]))
        under = np.maximum(form.head_mm(angles), form.head_radius_mm) + np.maximum(gap, 1.2 * part**0.5)
        thick = (1.2 + 0.45 * form.lip_mm) * np.sqrt(np.maximum(1.0 - part**2, 0.0))
        inner = np.concatenate([edge, polar(angles, under)[1:]])
        above = polar(np.array([-form.edge_deg + 7.0]), np.linalg.norm(edge) + thick[:1] + 1.0)
        return np.concatenate([inner, polar(angles, under + thick)[-2::-1], above])

    def _collar(self, angle_deg: float, height_mm: float, side: float) -> Points:
        """Osteophyte at a junction of head and neck: a bump on the head's outline, its foot inside the bone."""
        form = self.form
        half = float(np.rad2deg((2.0 + 1.3 * height_mm) / form.head_radius_mm))
        centre = angle_deg - side * (half - 4.0)
        if side < 0:
            centre = min(centre, -form.edge_deg - 6.0 - half)
        part = np.linspace(-1.0, 1.0, 33)
        head = form.head_mm(centre + half * part)
        bump = height_mm * (1.0 - part**2) ** 1.5 * (1.0 + 0.3 * side * part)
        outer = polar(centre + half * part, head + bump)
        return np.concatenate([outer, polar(centre + half * part, head - 1.5)[::-1]])
