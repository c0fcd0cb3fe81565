"""Skin folds, fat planes, muscle, the cleft, calcified vessels: soft tissue with edges finer than a coarse grid."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hipjsw.phantom.placement import Placement
from hipjsw.phantom.solid import Element, Patch, Stroke
from hipjsw.phantom.spine import ellipse

__all__ = ["fold_elements"]

Line = list[tuple[float, float]]

#: Fat between muscles and under the skin of the patient's left side: anchors in mm (pelvis frame), width, amount, blur.
_PLANES: tuple[tuple[str, Line, float, float, float], ...] = (
    ("gluteal fold", [(98, 12), (112, 40), (116, 75), (108, 112)], 4.0, -0.11, 1.2),
    ("gluteal fat", [(-70, 150), (-40, 146), (-12, 150), (15, 158)], 5.0, -0.10, 2.0),
    ("gluteus minimus fat", [(-60, 122), (-35, 124), (-18, 132), (-8, 142)], 4.0, -0.04, 2.0),
    ("psoas fat", [(-90, 52), (-40, 56), (5, 74), (40, 98), (62, 112)], 4.0, -0.06, 2.0),
    ("obturator fat", [(-30, 58), (-5, 55), (15, 50)], 2.4, -0.05, 1.2),
    ("thigh fat", [(60, 178), (110, 172), (170, 160), (210, 150)], 5.0, -0.09, 2.5),
    ("inner thigh fat", [(80, 60), (120, 78), (170, 88)], 3.5, -0.05, 2.0),
)
_SKIN: Line = [(-52.0, 182.0), (-30.0, 150.0), (-12.0, 118.0), (2.0, 84.0)]
_VESSEL: Line = [(8.0, 78.0), (40.0, 92.0), (80.0, 100.0), (130.0, 104.0)]
_SIDES = (-1.0, 1.0)


@lru_cache
def _smoothing(count: int) -> NDArray[np.float64]:
    """Matrix ``(60, count)`` that makes a smooth line of so many anchors: interpolated, then averaged along it."""
    place = np.linspace(0, count - 1, 60)
    linear = np.clip(1 - np.abs(place[:, None] - np.arange(count)), 0.0, None)
    wide = np.pad(linear, ((6, 6), (0, 0)), "edge")
    return np.asarray(sum(wide[shift : shift + 60] for shift in range(13)) / 13, dtype=np.float64)


class _Folds:
    """Lines of one film, their anchors a little aside of where they usually run."""

    def __init__(self, placement: Placement, rng: np.random.Generator) -> None:
        self.placement, self.rng = placement, rng
        self.elements: list[Element] = []

    def line(self, name: str, points: Line, width_mm: float, amount: float, soft_mm: float) -> None:
        """Add a line through ``(row, col)`` points of the pelvis frame in mm."""
        anchors = np.array(points, dtype=np.float64) + self.rng.normal(0.0, 2.5, (len(points), 2))
        smooth = _smoothing(len(points)) @ anchors
        self.elements.append(Stroke(name, self.placement.pelvis_to_mm(smooth), width_mm, amount, soft_mm))

    def side(self, side: float, size: float) -> None:
        """Fat planes, skin fold and vessels of one side."""
        rng = self.rng
        for name, points, width, amount, soft in _PLANES:
            anchors = [(float(r), side * float(c)) for r, c in points]
            self.line(name, anchors, width, amount * float(rng.uniform(0.3, 1.3)), soft)
        if size > 1.05 or rng.random() < 0.25:
            low = float(rng.normal(0.0, 12.0))
            self.line("skin fold", [(r + low, side * c) for r, c in _SKIN], 6.0, 0.05, 2.0)
            self.line("skin fold", [(r + low + 4.5, side * c) for r, c in _SKIN], 5.0, -0.05, 1.8)
        if rng.random() < 0.15:
            self.line("calcified vessel", [(r, side * c) for r, c in _VESSEL], 1.2, 0.09, 0.4)
            self.line("calcified vessel", [(r, side * c + 6.0) for r, c in _VESSEL], 1.2, 0.09, 0.4)

    def muscles(self, side: float) -> None:
        """Strands of the thigh, along it, and of the gluteal muscles, aslant."""
        rng = self.rng
        for _ in range(int(rng.integers(10, 18))):
            start = float(rng.uniform(50, 130)), side * float(rng.uniform(35, 165))
            long = float(rng.uniform(25, 90))
            lean = side * float(rng.normal(-0.12, 0.16))
            amount = float(rng.choice([-1.0, 1.0]) * rng.uniform(0.012, 0.035))
            ends = [(start[0] + long * t, start[1] + lean * long * t) for t in (0.0, 0.33, 0.67, 1.0)]
            self.line("muscle", ends, float(rng.uniform(1.5, 5.0)), amount, float(rng.uniform(0.5, 1.5)))
        for _ in range(int(rng.integers(6, 12))):
            start = float(rng.uniform(-110, 10)), side * float(rng.uniform(110, 175))
            long = float(rng.uniform(30, 80))
            ends = [(start[0] + long * t, start[1] - side * 0.5 * long * t) for t in (0.0, 0.33, 0.67, 1.0)]
            amount = float(rng.choice([-1.0, 1.0]) * rng.uniform(0.012, 0.03))
            self.line("muscle", ends, float(rng.uniform(1.5, 4.0)), amount, float(rng.uniform(0.5, 1.5)))


def fold_elements(placement: Placement, size: float, rng: np.random.Generator) -> list[Element]:
    """What draws folds, fat planes, strands of muscle, cleft, calcified vessels and phleboliths.

    Args:
        placement: Where the pelvis lies.
        size: Body size, 1 for the average.
        rng: Random numbers.
    """
    folds = _Folds(placement, rng)
    for side in _SIDES:
        folds.side(side, size)
    for side in _SIDES:
        folds.muscles(side)
    folds.line("cleft", [(20, 0), (50, 0.5), (80, 0), (100, 0)], 2.6, -0.12, 0.9)
    for _ in range(int(rng.integers(0, 4))):
        at = float(rng.uniform(-25, 20)), float(rng.uniform(-55, 55))
        spot = ellipse(*at, *[float(v) for v in rng.uniform(0.8, 2.2, 2)])
        folds.elements.append(Patch("phlebolith", placement.pelvis_to_mm(spot), 0.14, 0.4))
    return folds.elements
