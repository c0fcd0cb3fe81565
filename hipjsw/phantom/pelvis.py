"""One half of the bony pelvis round a hip, and the hip's 80 landmarks.

Only the hip's own curves (``shape.py``) carry a truth; what stands here makes the film a pelvis: ilium, pubic
and ischial ring with its foramen, the walls of the socket, teardrop, and inner line of the greater
trochanter. Same frame: mm, right hip, origin in the centre of the femoral head, ``(row, col)``, columns
medially.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from hipjsw.anatomy.curve import Curve
from hipjsw.phantom.shape import Hip

__all__ = ["HalfPelvis", "PelvisForm", "ring"]

Points = NDArray[np.float64]


def ring(points: Points, step: float = 0.5) -> Points:
    """A smooth closed curve through ``(n, 2)`` points, sampled about ``step`` apart, ``(m, 2)``."""
    closed = np.concatenate([points, points[:1]])
    knots = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    count = int(np.ceil(knots[-1] / step))
    spline = CubicSpline(knots, closed, bc_type="periodic")
    return np.asarray(spline(np.linspace(0.0, knots[-1], count, endpoint=False)), dtype=np.float64)


@dataclass(frozen=True)
class PelvisForm:
    """What shapes a pelvis, both halves alike.

    Args:
        half_distance_mm: Half the distance between the two femoral heads' centres.
        wing_height: Height of the iliac wing, 1 for the average.
        wing_width: Its reach to the side, 1 for the average.
        arch: Width of the pubic arch, 1 for the average (women wider).
    """

    half_distance_mm: float
    wing_height: float
    wing_width: float
    arch: float


@dataclass(frozen=True)
class HalfPelvis:
    """Outlines of one half of a pelvis in the frame of its hip.

    Args:
        form: What shapes it.
        hip: The hip it holds.
    """

    form: PelvisForm
    hip: Hip

    def _scaled(self, rows: Sequence[tuple[float, float]]) -> Points:
        """Points given for a head of 27.5 mm radius and heads 184 mm apart, fitted to this hip's size."""
        points = np.array(rows, dtype=np.float64) * (self.hip.form.head_radius_mm / 27.5)
        middle = 92.0 * self.hip.form.head_radius_mm / 27.5
        reach = np.clip((points[:, 1] - 25.0) / (middle - 25.0), 0.0, None)
        points[:, 1] += reach * (self.form.half_distance_mm - middle)
        return points

    @cached_property
    def _wing(self) -> Points:
        """Anchors from above the lateral ilium over the crest to the pelvic brim."""
        anchors = self._scaled(
            [
                *[
                    (-52, -23),
                    (-64, -25),
                    (-80, -31),
                    (-97, -46),
                    (-111, -54),
                    (-124, -44),
                    (-133, -20),
                    (-136, 10),
                ],
                *[
                    (-129, 36),
                    (-114, 54),
                    (-98, 57),
                    (-82, 45),
                    (-68, 33),
                    (-50, 27),
                    (-34, 28),
                    (-20, 32),
                    (-6, 37),
                ],
                (8, 40),
            ]
        )
        rise = np.clip((-anchors[:, 0] - 45.0) / 90.0, 0.0, 1.0)
        anchors[:, 0] *= 1 + (self.form.wing_height - 1) * rise
        anchors[:, 1] += (self.form.wing_width - 1) * 60.0 * rise * np.sign(10.0 - anchors[:, 1])
        return anchors

    @cached_property
    def outer_ilium(self) -> Curve:
        """Outer border from beside the teardrop over brim and crest to the sourcil's lateral edge."""
        edge = self.hip.sourcil.points[0]
        near = edge + np.array([(-15.0, -2.2), (-8.0, -0.4), (-3.0, -0.7)])
        return Curve(np.concatenate([self._scaled([(20, 38)]), self._wing[::-1], near, edge[None]]))

    @cached_property
    def ilium(self) -> Points:
        """Closed outline ``(n, 2)`` of the ilium with the roof; the sourcil is part of it."""
        end, radius = self.hip.sourcil.points[-1], self.hip.form.head_radius_mm
        angle = np.deg2rad(np.array([118.0, 98.0, 78.0, 58.0]))
        reach = radius + np.array([5.0, 6.6, 6.8, 5.6])
        fossa = np.column_stack([-np.cos(angle) * reach, np.sin(angle) * reach])
        inner = Curve(np.concatenate([self._scaled([(20, 38), (22, 30)]), fossa, end[None]])).sample(0.5)
        return np.concatenate([self.outer_ilium.sample(0.5), self.hip.sourcil.sample(0.1)[1:], inner[-2:0:-1]])

    @cached_property
    def posterior_wall(self) -> Curve:
        """Border of the posterior wall over the head, landmarks 40-44."""
        edge = self.hip.sourcil.points[0]
        return Curve(np.concatenate([edge[None] + (5.0, 1.0), self._scaled([(-9, -12), (3, -6), (14, 3), (25, 13)])]))

    @cached_property
    def ischium_pubis(self) -> Curve:
        """Border of the ischium, round the tuberosity, along the lower ramus and over the pubis, 44-59."""
        arch = self.form.arch
        lower = self._scaled([(33, 17), (44, 19), (55, 25), (61, 37), (60, 49), (52, 60), (44.5, 70), (38, 80)])
        lower[4:, 0] -= 5.0 * (arch - 1) * np.arange(1, 5)
        upper = self._scaled(
            [(34, 88), (25, 90.3), (16, 90), (10.5, 84), (10, 74), (6, 60), (0, 48), (-10, 38), (-18, 34)]
        )
        return Curve(np.concatenate([self.posterior_wall.points[-1:], lower, upper]))

    @cached_property
    def pubic_ring(self) -> Points:
        """Closed outline ``(n, 2)`` of posterior wall, ischium and pubis; the foramen is a hole in it."""
        back = self._scaled([(-21, 25), (-24, 12), (-24, -2)])
        top = Curve(np.concatenate([self.ischium_pubis.points[-1:], back, self.posterior_wall.points[:1]]))
        parts = (
            self.posterior_wall.sample(0.5)[:-1],
            self.ischium_pubis.sample(0.5)[:-1],
            top.sample(0.5)[:-1],
        )
        return np.concatenate(parts)

    @cached_property
    def _foramen_anchors(self) -> Points:
        return self._scaled([(20, 46), (16, 58), (19, 70), (29, 70), (39, 60), (45, 49), (38, 40), (28, 40)])

    @cached_property
    def foramen(self) -> Points:
        """Closed outline ``(n, 2)`` of the obturator foramen."""
        return ring(self._foramen_anchors)

    @cached_property
    def anterior_wall(self) -> Points:
        """Closed outline ``(n, 2)`` of the anterior wall, which lies more medially over the head."""
        edge = self.hip.sourcil.points[0]
        rows = [(-14, 2), (-3, 11), (8, 19), (16, 28), (10, 42), (-8, 40), (-20, 26), (-25, 8)]
        return ring(np.concatenate([edge[None] + (3.0, 5.0), self._scaled(rows)]))

    @cached_property
    def teardrop(self) -> Curve:
        """Teardrop, landmarks 75-79."""
        return Curve(self._scaled([(4, 35), (14, 33), (22, 34.5), (16, 39), (5, 41)]))

    @cached_property
    def trochanter_line(self) -> Curve:
        """Inner line of the greater trochanter, 35-39, from near landmark 6 towards the neck's base."""
        six, eleven = self.hip.femur_points[[6, 11]]
        away = eleven - six
        down = np.array([-away[1], away[0]]) * -1.0
        steps = [(0.10, 0.02), (0.32, 0.05), (0.58, 0.22), (0.78, 0.52), (0.88, 0.95)]
        return Curve(np.array([six + a * away + b * np.abs(down) * (1.0, 0.0) for a, b in steps]))

    @cached_property
    def landmarks(self) -> Points:
        """All 80 landmarks of the hip ``(80, 2)`` in mm, BoneFinder's order; each lies on its curve."""
        hip, wall, ischium = self.hip, self.posterior_wall, self.ischium_pubis
        round_foramen = self.foramen[np.linspace(0, len(self.foramen), 7, endpoint=False).astype(int)]
        ilium = self.outer_ilium
        up = ilium.knots[-1] - np.array([33.0, 21.0, 10.0])
        parts = [
            hip.femur_points,
            self.trochanter_line.points,
            wall.at(np.linspace(0.0, wall.knots[-1], 5)),
            ischium.at(np.linspace(0.0, ischium.knots[-1], 16)[1:]),
            round_foramen,
            ilium.at(up),
            hip.sourcil_points,
            self.teardrop.points,
        ]
        return np.concatenate(parts)
