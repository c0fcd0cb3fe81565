"""BoneFinder's two numberings of a hip's 80 points, told apart and turned into one.

Of the older numbering only two curves are published: the femur and the roof. Where the other points stand in it is not
known; here, as in the phantom, they keep their order in the places that are left.

The two are told by the longest step along the femur, which one numbering makes short and the other long, measured in
radii of the femoral head that the same numbering finds; so the unit does not matter, nor where the points lie.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.landmarks import POINTS_PER_HIP, Region, fit_circle

__all__ = ["LONGEST_STEP", "OLDER_INDEX", "Numbering", "longest_step", "numbering_of", "renumbered"]

Points = NDArray[np.float64]

#: Old indices of the points 0-79. Femur and roof are BoneFinder's; between them the rest keeps its order.
OLDER_INDEX = (
    *(*range(10), 73, 10, 74, 11, 75, 12, 76, 77, 13, 78, *range(14, 29)),  # femur 0-34
    *range(29, 61),  # trochanter, walls, ischium, pubis, foramen 35-66
    *(61, 62, 63, 79, 64, 65, 66, 67),  # roof 67-74
    *range(68, 73),  # teardrop 75-79
)

#: Longest step along the femur in radii of the head that a right numbering has.
LONGEST_STEP = 1.3


class Numbering(StrEnum):
    """Which of BoneFinder's numberings."""

    CURRENT = "current"
    OLDER = "older"


def longest_step(points: NDArray[Any]) -> float:
    """The longest step along the femur (points 0-34), in radii of the femoral head (18-27).

    Args:
        points: ``(80, 2)`` points of a hip in any unit.

    Returns:
        The ratio; infinite where the head's points lie on a line or are equal.
    """
    femur = np.asarray(points, dtype=np.float64)[Region.FEMUR]
    steps = np.linalg.norm(np.diff(femur, axis=0), axis=1)
    try:
        radius = fit_circle(femur[Region.HEAD])[1]
    except ValueError:
        return float("inf")
    return float(steps.max() / radius) if radius > 0 else float("inf")


def numbering_of(points: NDArray[Any]) -> Numbering | None:
    """Which numbering a hip's points are in.

    Args:
        points: ``(80, 2)`` points of a hip in any unit, at any place, either way round.

    Returns:
        The numbering under which the femur has no long step (the better one, should both), None where neither.

    Raises:
        ValueError: Not 80 points.
    """
    points = np.asarray(points, dtype=np.float64)
    if points.shape != (POINTS_PER_HIP, 2):
        raise ValueError(f"a hip has {POINTS_PER_HIP} landmarks, got an array of shape {points.shape}")
    steps = {Numbering.CURRENT: longest_step(points), Numbering.OLDER: longest_step(renumbered(points))}
    best = min(steps, key=lambda numbering: steps[numbering])
    return best if steps[best] <= LONGEST_STEP else None


def renumbered(points: NDArray[Any]) -> Points:
    """The points of a hip in the older numbering, put into the current one.

    Femur and roof (the two curves that labels and widths rest on) are BoneFinder's; where the others stand in the
    older numbering is not published, so those are right for the phantom and a guess for anything else.

    Args:
        points: ``(80, 2)`` points in the older numbering.
    """
    return np.asarray(np.asarray(points, dtype=np.float64)[list(OLDER_INDEX)], dtype=np.float64)
