"""BoneFinder's landmarks: which point is what, and whose side it is on.

160 points a film: 0-79 the patient's right hip (left in the image), 80-159 the left hip, each ``(row, col)``.
Source: BoneFinder (Lindner et al. 2013, IEEE Trans Med Imaging 32:1462-72) and its published point files.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.curve import Curve
from hipjsw.anatomy.points_file import PointsError

__all__ = [
    "ADULT_HEAD_RADIUS_MM",
    "HipLandmarks",
    "Region",
    "Side",
    "fit_circle",
    "split_sides",
]

POINTS_PER_HIP = 80
#: Plausible radius of an adult's projected femoral head (mean diameter 55 mm).
ADULT_HEAD_RADIUS_MM = (17.0, 42.0)


class Side(StrEnum):
    """The patient's side. On a film seen as usual the right hip is at the left of the image."""

    RIGHT = "right"
    LEFT = "left"


class Region:
    """Landmark ranges of one hip (slices into its 80 points)."""

    FEMUR = slice(0, 35)
    HEAD = slice(18, 28)
    TROCHANTER = slice(35, 40)
    POSTERIOR_WALL = slice(40, 45)
    ISCHIUM_PUBIS = slice(44, 60)
    FORAMEN = slice(60, 67)
    ROOF = slice(67, 75)
    SOURCIL = slice(70, 75)
    TEARDROP = slice(75, 80)


def fit_circle(points: NDArray[Any]) -> tuple[NDArray[np.float64], float]:
    """Least-squares circle through ``(n, 2)`` points, n >= 3 (Kasa's algebraic fit, centred for precision).

    Returns:
        Centre ``(2,)`` and radius, in the points' unit.

    Raises:
        ValueError: Points on one line.
    """
    mean = np.asarray(points, dtype=np.float64).mean(axis=0)
    p = np.asarray(points, dtype=np.float64) - mean
    matrix = np.column_stack([2 * p, np.ones(len(p))])
    solution, _, rank, _ = np.linalg.lstsq(matrix, (p**2).sum(axis=1), rcond=None)
    if rank < 3:
        raise ValueError("no circle goes through points on one line")
    centre = solution[:2]
    return centre + mean, float(np.sqrt(solution[2] + (centre**2).sum()))


@dataclass(frozen=True, eq=False)
class HipLandmarks:
    """The 80 landmarks of one hip.

    Args:
        points: ``(80, 2)`` points ``(row, col)`` in one unit (the caller's name says which).
        side: The patient's side they lie on.
    """

    points: NDArray[np.float64]
    side: Side

    def __post_init__(self) -> None:
        if self.points.shape != (POINTS_PER_HIP, 2):
            raise ValueError(f"a hip has {POINTS_PER_HIP} landmarks, got an array of shape {self.points.shape}")

    @property
    def femur(self) -> Curve:
        """Outline of the proximal femur, points 0-34, lateral shaft to medial shaft."""
        return Curve(self.points[Region.FEMUR])

    def head_margin(self, step: float) -> NDArray[np.float64]:
        """Femoral head margin, points 18-27 of the femur's spline, sampled at most ``step`` apart, ``(m, 2)``."""
        return self.femur.sample(step, Region.HEAD.start, Region.HEAD.stop - 1)

    @property
    def sourcil(self) -> Curve:
        """Weight-bearing roof, points 70 (lateral edge) to 74 (medial end): a spline of its own, for 70 is a corner."""
        return Curve(self.points[Region.SOURCIL])

    @property
    def lateral_ilium(self) -> Curve:
        """Ilium above the lateral edge, points 67-70."""
        return Curve(self.points[Region.ROOF.start : Region.SOURCIL.start + 1])

    def head_circle(self) -> tuple[NDArray[np.float64], float]:
        """Centre and radius of the circle fitted to points 18-27."""
        return fit_circle(self.points[Region.HEAD])


def split_sides(points: NDArray[np.float64]) -> dict[Side, HipLandmarks]:
    """Split a film's 160 points into the patient's right (0-79) and left (80-159) hip.

    Raises:
        PointsError: Not 160 points.
    """
    if points.shape != (2 * POINTS_PER_HIP, 2):
        raise PointsError(f"a film has {2 * POINTS_PER_HIP} points, this file {len(points)}")
    return {
        Side.RIGHT: HipLandmarks(points[:POINTS_PER_HIP], Side.RIGHT),
        Side.LEFT: HipLandmarks(points[POINTS_PER_HIP:], Side.LEFT),
    }
