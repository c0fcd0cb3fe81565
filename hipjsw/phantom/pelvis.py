"""One half of the bony pelvis round a hip, and the hip's 80 landmarks.

Only the hip's own curves (``shape.py``) carry a truth; what stands here makes the film a pelvis: ilium, ischium and
pubis with the foramen between, the walls of the socket, teardrop, and inner line of the greater trochanter. Same
frame: mm, right hip, origin in the centre of the femoral head, ``(row, col)``, columns medially.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray

from hipjsw.anatomy.curve import Curve
from hipjsw.phantom.outline import ring, simple
from hipjsw.phantom.shape import Hip

__all__ = ["HalfPelvis", "PelvisForm", "draw_pelvis"]

Points = NDArray[np.float64]
#: The size all outlines are given for: radius of the head, half the distance of the heads.
_RADIUS_MM, _MIDDLE_MM = 27.5, 92.0


@dataclass(frozen=True)
class PelvisForm:
    """What shapes a pelvis.

    Args:
        half_distance_mm: Half the distance between the two femoral heads' centres.
        wing_height: Height of the iliac wing, 1 for the average.
        wing_width: Its reach to the side, 1 for the average.
        arch: Width of the pubic arch, 1 for the average (women wider).
        foramen: Size of the obturator foramen, 1 for the average.
        tilt: Forward (positive) or backward tilt of the pelvis on the film, about -1 to 1.
        twist: Turn of the pelvis about its long axis on the film, about -1 to 1; positive moves the symphysis towards
            larger columns.
        version_mm: How far the posterior wall's rim lies medially of its usual course over the head.
        quirks: Eight numbers of SD 1: how this half departs from the average outline, slowly, by about 1.5 mm.
    """

    half_distance_mm: float
    wing_height: float = 1.0
    wing_width: float = 1.0
    arch: float = 1.0
    foramen: float = 1.0
    tilt: float = 0.0
    twist: float = 0.0
    version_mm: float = 0.0
    quirks: tuple[float, ...] = (0.0,) * 8


def draw_pelvis(sex: str, rng: np.random.Generator) -> PelvisForm:
    """Draw the pelvis of a woman (``F``) or a man (``M``): both halves alike, lying straight."""
    female = sex == "F"

    def normal(mean: float, sd: float, low: float, high: float) -> float:
        return float(np.clip(rng.normal(mean, sd), low, high))

    return PelvisForm(
        half_distance_mm=normal(91.5 if female else 91.0, 3.5, 82.0, 100.0),
        wing_height=normal(0.97 if female else 1.04, 0.05, 0.85, 1.16),
        wing_width=normal(1.03 if female else 0.98, 0.07, 0.8, 1.2),
        arch=normal(1.35 if female else 0.85, 0.16, 0.5, 1.75),
        foramen=normal(1.0, 0.08, 0.8, 1.2),
        version_mm=normal(0.0, 3.5, -7.0, 8.0),
        quirks=tuple(float(v) for v in rng.normal(0.0, 1.0, 8)),
    )


@dataclass(frozen=True)
class HalfPelvis:
    """Outlines of one half of a pelvis in the frame of its hip.

    Args:
        form: What shapes it.
        hip: The hip it holds.
    """

    form: PelvisForm
    hip: Hip

    @property
    def scale(self) -> float:
        """This hip's size against the one all outlines are given for."""
        return self.hip.form.head_radius_mm / _RADIUS_MM

    def placed(self, rows: Sequence[tuple[float, float]], front: float = 0.0) -> Points:
        """Points of the average pelvis, fitted to this one.

        Args:
            rows: ``(row, col)`` in mm for a head of 27.5 mm radius and heads 184 mm apart.
            front: 1 for what lies in front (symphysis), -1 for what lies behind (sacroiliac joint): it moves with
                tilt and twist, the more the nearer it is to the midline.
        """
        f, scale = self.form, self.scale
        points = np.array(rows, dtype=np.float64) * scale
        middle = _MIDDLE_MM * scale
        near = 25.0 * scale
        reach = np.clip((points[:, 1] - near) / (middle - near), 0.0, None)
        far = np.clip(np.linalg.norm(points, axis=1) / (60.0 * scale), 0.0, 1.0)
        phase = points / (45.0 * scale)
        q = f.quirks
        slow = np.column_stack(
            [
                q[0] * np.sin(phase[:, 1] + q[1]) + q[2] * np.cos(phase[:, 0] + 2 * q[3]),
                q[4] * np.sin(phase[:, 0] + q[5]) + q[6] * np.cos(phase[:, 1] + 2 * q[7]),
            ]
        )
        points += 1.5 * slow * (far * (1 - np.clip(reach, 0.0, 1.0) ** 2))[:, None]
        points[:, 1] += reach * (f.half_distance_mm - middle) + 9.0 * f.twist * front * np.clip(reach, 0.0, 1.0)
        points[:, 0] += 9.0 * f.tilt * front * np.clip(reach, 0.0, 1.2)
        return points

    @cached_property
    def _wing(self) -> Points:
        """Anchors from above the lateral ilium over the crest to the pelvic brim."""
        side = [(-60, -24), (-72, -33), (-86, -46), (-100, -54.5), (-115, -55), (-129, -46), (-140, -29)]
        crest = [(-146, -6), (-143, 16), (-132, 35), (-117, 47), (-100, 50)]
        brim = [(-83, 46), (-68, 39), (-54, 33), (-40, 31.5), (-24, 34), (-8, 37.5), (6, 41)]
        anchors = self.placed([*side, *crest, *brim], front=-0.3)
        anchors[:3, 1] += np.array([0.5, 0.3, 0.1]) * (self.hip.sourcil.points[0, 1] + 16.0 * self.scale)
        rise = np.clip((-anchors[:, 0] - 45.0) / 90.0, 0.0, 1.0)
        anchors[:, 0] *= 1 + (self.form.wing_height - 1) * rise
        anchors[:, 1] += (self.form.wing_width - 1 - 0.10 * self.form.twist) * 60.0 * rise * (anchors[:, 1] < 30.0)
        return anchors

    @cached_property
    def outer_ilium(self) -> Curve:
        """Outer border from beside the teardrop over brim and crest to the sourcil's lateral edge."""
        edge = self.hip.sourcil.points[0]
        bulge = np.array([[0.0, 1.2], [0.0, 2.2], [0.0, 2.2], [0.0, 1.1]]) * self.scale
        near = edge + np.array([[0.72], [0.48], [0.26], [0.10]]) * (self._wing[0] - edge) + bulge
        foot = self.placed([(21, 42)])
        return Curve(np.concatenate([foot, self._wing[::-1], near, edge[None]]))

    @cached_property
    def crest(self) -> Points:
        """The iliac crest, from the lateral spine to the sacroiliac joint, ``(n, 2)``."""
        return Curve(self._wing[3:12]).sample(1.0)

    @cached_property
    def brim(self) -> Points:
        """The pelvic brim, from the sacroiliac joint down to the pubis, ``(n, 2)``."""
        pubis = self.placed([(3, 45), (5, 56)], front=0.6)
        return Curve(np.concatenate([self._wing[12:18], pubis])).sample(1.0)

    @cached_property
    def ilium(self) -> Points:
        """Closed outline ``(n, 2)`` of the ilium with the roof; the sourcil is part of it."""
        end, radius = self.hip.sourcil.points[-1], self.hip.form.head_radius_mm
        angle = np.deg2rad(np.array([118.0, 98.0, 78.0, 58.0]))
        reach = radius + np.array([3.6, 4.2, 4.4, 4.4])
        fossa = np.column_stack([-np.cos(angle) * reach, np.sin(angle) * reach])
        foot = self.placed([(21, 42), (24, 34)])
        inner = Curve(np.concatenate([foot, fossa, end[None]])).sample(0.5)
        return simple(np.concatenate([self.outer_ilium.sample(0.5), self.hip.sourcil.sample(0.1)[1:], inner[-2:0:-1]]))

    @cached_property
    def posterior_wall(self) -> Curve:
        """Border of the posterior wall over the head, landmarks 40-44."""
        edge = self.hip.sourcil.points[0]
        rest = self.placed([(-10, -15), (3, -9), (15, 1), (26, 11)])
        rest[:3, 1] += self.form.version_mm * np.array([0.7, 1.0, 0.7])
        return Curve(np.concatenate([edge[None] + (5.0, 1.0), rest]))

    @cached_property
    def ischium_pubis(self) -> Curve:
        """Border of the ischium, round the tuberosity, along the lower ramus and over the pubis, 44-59."""
        arch = self.form.arch
        low = self.placed([(35, 15), (46, 16), (57, 21), (66, 31), (68, 41), (63.5, 51), (57, 61), (50, 71)], front=0.4)
        low[5:, 0] -= 4.0 * (arch - 1) * np.arange(1, 4)
        medial = self.placed([(46, 82.5), (41, 87.5)], front=1.0)
        upper = [(30, 89.3), (19, 89), (12.5, 84), (12, 75), (8, 62), (3, 50), (-4, 41)]
        rest = self.placed(upper, front=0.9)
        return Curve(np.concatenate([self.posterior_wall.points[-1:], low, medial, rest, self.placed([(-14, 34)])]))

    @cached_property
    def foramen(self) -> Points:
        """Closed outline ``(n, 2)`` of the obturator foramen."""
        rows = [(21, 46), (17, 56), (19, 66), (27, 70.5), (37, 66), (46, 56), (50, 47), (44, 40.5), (32, 39.5)]
        points = self.placed(rows, front=0.6)
        middle = points.mean(axis=0)
        size = self.form.foramen * np.array(
            [
                1 - 0.22 * self.form.tilt + 0.06 * self.form.quirks[3],
                1 + 0.12 * self.form.twist + 0.05 * self.form.quirks[6],
            ]
        )
        return ring(middle + (points - middle) * size)

    def _foramen_arc(self, start: float, end: float) -> Points:
        """Part of the foramen's border, in shares of its length, as an open line ``(n, 2)``."""
        places = np.linspace(start, end, 40) % 1.0 * len(self.foramen)
        return np.asarray(self.foramen[places.astype(int) % len(self.foramen)])

    @cached_property
    def ischium(self) -> Points:
        """Closed outline ``(n, 2)`` of posterior wall and ischium down to the tuberosity.

        Its inner border is the ilioischial line.
        """
        border = self.ischium_pubis
        outer = border.sample(1.0, 0, 6)
        inner = self.placed([(22, 34.5), (6, 33), (-10, 31), (-24, 27)])
        top = np.concatenate([inner, self.placed([(-27, 12)]), self.posterior_wall.points[:1]])
        lateral = self._foramen_arc(0.72, 0.93)
        parts = (self.posterior_wall.sample(1.0)[:-1], outer, lateral, Curve(top).sample(1.0)[:-1])
        return simple(np.concatenate(parts))

    @cached_property
    def pubis(self) -> Points:
        """Closed outline ``(n, 2)`` of the pubic body and its upper ramus, along the brim to the socket."""
        upper = self.ischium_pubis.sample(1.0, 10)
        back = self.placed([(-20, 26), (-8, 20), (8, 22), (18, 33)])
        body = self._foramen_arc(1.0, 1.36)
        low = self.placed([(42, 76)], front=1.0)
        foot = self.ischium_pubis.sample(1.0, 9, 10)
        return np.concatenate([upper, Curve(back).sample(1.0), body, low, foot[:-1]])

    @cached_property
    def lower_ramus(self) -> Points:
        """Closed outline ``(n, 2)`` of the ramus between tuberosity and pubic body."""
        outer = self.ischium_pubis.sample(1.0, 4, 10)
        inner = self._foramen_arc(0.74, 0.36)
        return np.concatenate([outer, inner[::-1]])

    @cached_property
    def pubic_ring(self) -> tuple[Points, ...]:
        """Ischium, pubis and lower ramus as one: closed outline ``(n, 2)`` and the foramen as its hole."""
        bridge = self.placed([(4, 30), (4, 48), (14, 60), (24, 50), (36, 42), (36, 37), (22, 29)], front=0.5)
        outlines = (self.ischium, self.pubis, self.lower_ramus, bridge)
        parts = [shapely.Polygon(part).buffer(0) for part in outlines]
        hole = shapely.Polygon(self.foramen).buffer(0)
        rim = hole.buffer(2.6)  # bone all round the foramen, however the pelvis lies
        whole = shapely.union_all([*parts, rim]).difference(hole)
        whole = whole.buffer(1.2, 4).buffer(-2.4, 4).buffer(1.2, 4)
        body = max(shapely.get_parts(whole), key=lambda part: part.area)
        holes = [np.asarray(hole.coords)[:-1] for hole in body.interiors if shapely.Polygon(hole).area > 4.0]
        return np.asarray(body.exterior.coords)[:-1], *holes

    @cached_property
    def anterior_wall(self) -> Points:
        """Closed outline ``(n, 2)`` of the anterior wall, which lies more medially over the head."""
        edge = self.hip.sourcil.points[0]
        rows = [(-13, 0), (-3, 9), (7, 18), (16, 29), (10, 42), (-8, 40), (-20, 26), (-25, 8)]
        return ring(np.concatenate([edge[None] + (3.0, 5.0), self.placed(rows)]))

    @cached_property
    def spine(self) -> Points:
        """Closed outline ``(n, 2)`` of the ischial spine."""
        return ring(self.placed([(-8, 30), (-3, 36), (2, 43.5), (5, 43), (6, 36), (10, 30), (0, 26)], front=-0.4))

    @cached_property
    def teardrop(self) -> Curve:
        """Teardrop, landmarks 75-79."""
        return Curve(self.placed([(3, 34.5), (13, 32.2), (22, 34), (16, 38.8), (4, 40.5)]))

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
