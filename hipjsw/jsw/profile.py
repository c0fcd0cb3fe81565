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
    row, col = (points[:, axis, None] - start[:, axis] for axis in range(2))  # from each step's start to each point
    share = row * (step[:, 0] / length2)
    share += col * (step[:, 1] / length2)
    np.clip(share, 0.0, 1.0, out=share)
    row -= share * step[:, 0]
    col -= share * step[:, 1]
    row *= row
    col *= col
    row += col
    best = row.argmin(axis=1)
    rows = np.arange(len(points))
    foot = start[best] + share[rows, best, None] * step[best]
    return np.linalg.norm(points - foot, axis=1), foot


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
