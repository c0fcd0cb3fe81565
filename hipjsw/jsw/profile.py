"""Joint space width between the roof and the femoral head, as a profile along the weight-bearing part.

The width at a place of the sourcil is the shortest distance from there to the head margin; the minimum over the
sourcil, lateral edge (70) to medial end (74), is the mJSW.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.landmarks import HipLandmarks

__all__ = ["JointSpaceWidth", "Unmeasurable", "measure_curves", "measure_landmarks", "nearest_on_polyline"]

#: Distance between profile places while looking for the minimum; the error of the minimum is below 0.0001 mm.
STEP_MM = 0.1
#: Pieces of a polyline that are looked at or passed over together.
_BLOCK = 8

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Unmeasurable:
    """A hip without a width, and why. A value, so that nobody averages over it by accident."""

    reason: str


@dataclass(frozen=True, eq=False)
class JointSpaceWidth:
    """What was measured on one hip.

    Args:
        mjsw_mm: Minimum joint space width; 0 where bone meets bone.
        place: Where the minimum lies along the sourcil, 0 lateral edge to 1 medial end.
        roof_witness_mm: Point ``(row, col)`` of the roof at the minimum, in the curves' frame.
        head_witness_mm: Nearest point ``(row, col)`` of the head margin.
        profile_mm: ``(n,)`` width at equal steps of arc length along the sourcil, lateral to medial.
        roof_mm: ``(n, 2)`` the places of the profile.
        head_mm: ``(m, 2)`` the head margin measured against.
    """

    mjsw_mm: float
    place: float
    roof_witness_mm: Floats
    head_witness_mm: Floats
    profile_mm: Floats
    roof_mm: Floats
    head_mm: Floats


def nearest_on_polyline(points: NDArray[Any], polyline: NDArray[Any]) -> tuple[Floats, Floats]:
    """Shortest distance from each point to a polyline.

    Args:
        points: ``(n, 2)``.
        polyline: ``(m, 2)`` vertices, m >= 2, open.

    Returns:
        Distances ``(n,)`` and nearest points ``(n, 2)``, in the same unit.
    """
    start, step = polyline[:-1], np.diff(polyline, axis=0)
    length2 = np.maximum((step**2).sum(axis=1), 1e-300)
    point, piece = _candidates(points, polyline)
    along = step[piece]
    from_start = points[point] - start[piece]
    share = from_start[:, 0] * (along[:, 0] / length2[piece])
    share += from_start[:, 1] * (along[:, 1] / length2[piece])
    np.clip(share, 0.0, 1.0, out=share)
    from_start -= share[:, None] * along
    distance2 = from_start[:, 0] ** 2 + from_start[:, 1] ** 2
    first = np.searchsorted(point, np.arange(len(points)))
    nearest = distance2 == np.repeat(np.minimum.reduceat(distance2, first), np.diff(first, append=len(point)))
    at = np.flatnonzero(nearest)
    best = at[np.searchsorted(point[at], np.arange(len(points)))]  # of equally near pieces the first
    foot = start[piece[best]] + share[best, None] * along[best]
    return np.linalg.norm(points - foot, axis=1), foot


def _candidates(points: Floats, polyline: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs of a point and a piece of the polyline among which each point's nearest surely is, in order.

    A block of pieces lies within a circle about one of its vertices; a block whose circle is farther away than some
    vertex is cannot hold the nearest place.
    """
    count = len(polyline) - 1
    first = np.arange(0, count, _BLOCK)
    last = np.minimum(first + _BLOCK, count)
    steps = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(polyline, axis=0), axis=1))])
    middle = (first + last) // 2
    radius = np.maximum(steps[middle] - steps[first], steps[last] - steps[middle])
    away = np.hypot(*(points[:, axis, None] - polyline[middle, axis] for axis in range(2)))
    upper = away.min(axis=1, keepdims=True)
    point, block = np.nonzero(away - radius <= upper * (1 + 1e-9) + 1e-9)
    lengths = (last - first)[block]
    nth = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.repeat(point, lengths), np.repeat(first[block], lengths) + nth


def measure_curves(
    roof_mm: NDArray[Any], head_mm: NDArray[Any], centre_mm: NDArray[Any]
) -> JointSpaceWidth | Unmeasurable:
    """Measure between two curves.

    Args:
        roof_mm: ``(n, 2)`` polyline of the sourcil, lateral to medial, ``(row, col)`` in mm.
        head_mm: ``(m, 2)`` polyline of the head margin.
        centre_mm: ``(2,)`` a point inside the head; a roof point nearer to it than the margin is bone on bone.

    Returns:
        The width, or why there is none (a curve that is missing or shorter than 5 mm).
    """
    for name, curve in (("sourcil", roof_mm), ("head margin", head_mm)):
        if not np.isfinite(curve).all():
            return Unmeasurable(f"{name} that is not finite numbers")
        if len(curve) < 2 or np.linalg.norm(np.diff(curve, axis=0), axis=1).sum() < 5.0:
            return Unmeasurable(f"{name} shorter than 5 mm")
    places = _equal_steps(np.asarray(roof_mm, dtype=np.float64), STEP_MM)
    width, nearest = nearest_on_polyline(places, np.asarray(head_mm, dtype=np.float64))
    inside = np.linalg.norm(places - centre_mm, axis=1) < np.linalg.norm(nearest - centre_mm, axis=1)
    width = np.where(inside, 0.0, width)
    at = int(width.argmin())
    return JointSpaceWidth(
        mjsw_mm=float(width[at]),
        place=at / (len(places) - 1),
        roof_witness_mm=places[at],
        head_witness_mm=nearest[at],
        profile_mm=width,
        roof_mm=places,
        head_mm=np.asarray(head_mm, dtype=np.float64),
    )


def measure_landmarks(landmarks: HipLandmarks, step_mm: float = STEP_MM) -> JointSpaceWidth | Unmeasurable:
    """Measure the label's own width, between the splines through 70-74 and 18-27, without pixels.

    Args:
        landmarks: One hip's landmarks in mm, ``(row, col)``.
        step_mm: Sampling of the splines.
    """
    centre_mm, _ = landmarks.head_circle()
    return measure_curves(landmarks.sourcil.sample(step_mm), landmarks.head_margin(step_mm), centre_mm)


def _equal_steps(curve: Floats, step: float) -> Floats:
    """Resample a polyline at equal steps of arc length, ends included."""
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
    wanted = np.linspace(0.0, arc[-1], max(int(np.ceil(arc[-1] / step)) + 1, 2))
    return np.column_stack([np.interp(wanted, arc, curve[:, axis]) for axis in range(2)])
