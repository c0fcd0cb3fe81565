"""How well a hip's curves lie on the edges of bone that a film shows.

Along the femur's outline and the sourcil the film is sampled across the curve. Where a curve is an edge of bone the
film is brighter on the bone's side; how much brighter, in units of what the film varies by near there, is the curve's
contrast. Neither exposure nor contrast changes it, a film in the wrong sense changes its sign only. All distances are
taken in the femoral head's own size, so no spacing is needed and every hip costs the same.

Curves of a usual fit have contrast; curves of a lost fit cross edges anyhow, and what they gain at one they lose at
another.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from hipjsw.anatomy.curve import Curve
from hipjsw.anatomy.landmarks import HipLandmarks, Region, fit_circle

__all__ = ["MISPLACED_BELOW", "NO_FIT", "EdgeFit", "better_fit", "edge_fit"]

Floats = NDArray[np.float64]

#: A score below which points do not lie on the bone. Of 840 phantom hips of both looks with a shape model's errors one
#: lies below (a film of the wide look), of 2520 lost fits 99 %.
MISPLACED_BELOW = 0.25
#: How much better a second place must fit to be believed.
BETTER_BY = 0.03

#: The head's radius that distances here are told for.
_RADIUS_MM = 26.0
#: Samples along the femur's outline and along the sourcil.
_FEMUR, _SOURCIL = 180, 24
#: Places across a curve, in mm outwards: as far as the film's own variation is judged, and the two bands compared.
_ACROSS_MM = np.arange(-8.0, 8.01, 0.5)
_INNER = (_ACROSS_MM >= -2.0) & (_ACROSS_MM <= -0.25)
_OUTER = (_ACROSS_MM >= 0.25) & (_ACROSS_MM <= 2.0)
#: What a place varies by is taken for no less than this share of what is usual along the hip's curves.
_LEAST_VARIATION = 0.3
#: Weights of head, femur and roof in the score.
_WEIGHTS = (0.25, 0.5, 0.25)


@dataclass(frozen=True)
class EdgeFit:
    """Mean contrast across a hip's curves: about 1 on an edge, 0 on none, negative on a film in the wrong sense.

    Args:
        head: Across the femoral head's margin.
        femur: Across the rest of the femur's outline: trochanter, neck, shaft.
        roof: Across the sourcil.
    """

    head: float
    femur: float
    roof: float

    @property
    def score(self) -> float:
        """All three in one, whatever the film's sense; 0 for no fit at all."""
        return abs(float(np.dot(_WEIGHTS, (self.head, self.femur, self.roof))))


#: Of points that lie beyond the film or make no curve.
NO_FIT = EdgeFit(0.0, 0.0, 0.0)


def edge_fit(pixels: NDArray[Any], landmarks_px: HipLandmarks) -> EdgeFit:
    """How well a hip's curves fit a film.

    Args:
        pixels: ``(rows, cols)`` of the film, bone bright.
        landmarks_px: The hip's landmarks in pixels of the film.

    Returns:
        The fit; `NO_FIT` where the points make no curves or all lie beyond the film.
    """
    try:
        centre, radius = fit_circle(landmarks_px.points[Region.HEAD])
        places, normals, parts = _samples(landmarks_px, centre)
    except ValueError:
        return NO_FIT
    last = np.asarray(pixels.shape) - 1
    seen = ((places >= 0) & (places <= last)).all(axis=1)
    if not seen.any():
        return NO_FIT
    contrast = _contrast(pixels, places[seen], normals[seen] * (radius / _RADIUS_MM))
    parts = parts[seen]
    return EdgeFit(*(float(contrast[parts == part].mean()) if (parts == part).any() else 0.0 for part in range(3)))


def better_fit(first: Iterable[EdgeFit], second: Iterable[EdgeFit]) -> tuple[bool, float, float]:
    """Whether points fit a film better at a second place than at a first.

    Args:
        first: Fits of the film's hips at the first place.
        second: The same at the second.

    Returns:
        Whether the second is better by more than chance, and the mean scores of both.
    """
    one, two = (float(np.mean([fit.score for fit in fits] or [0.0])) for fits in (first, second))
    return two > one + BETTER_BY and two >= MISPLACED_BELOW, one, two


def _contrast(pixels: NDArray[Any], places: Floats, steps: Floats) -> Floats:
    """Contrast ``(n,)`` across a curve at places ``(n, 2)`` in pixels; ``steps`` are 1 mm outwards, in pixels."""
    across = places[:, None] + _ACROSS_MM[None, :, None] * steps[:, None]
    grey = map_coordinates(pixels, across.transpose(2, 0, 1), output=np.float64, order=1, mode="nearest")
    varies = grey.std(axis=1)
    rounding = 1e-9 * float(np.abs(grey).max()) + 1e-300
    usual = varies + _LEAST_VARIATION * float(np.median(varies)) + rounding
    return np.asarray((grey[:, _INNER].mean(axis=1) - grey[:, _OUTER].mean(axis=1)) / usual)


def _samples(landmarks: HipLandmarks, centre: Floats) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """Places ``(n, 2)`` along the curves, unit normals away from the bone, and the part each is of.

    Raises:
        ValueError: Points that make no curve.
    """
    femur, sourcil = landmarks.femur, landmarks.sourcil
    at, out = _along(femur, _FEMUR)
    row, col = landmarks.points[Region.FEMUR].T
    area = float((row * np.roll(col, -1) - col * np.roll(row, -1)).sum())
    knots, parameter = femur.knots, np.linspace(0.0, femur.knots[-1], _FEMUR)
    on_head = (parameter >= knots[Region.HEAD.start]) & (parameter <= knots[Region.HEAD.stop - 1])
    above, down = _along(sourcil, _SOURCIL)
    towards_head = float(((centre - above) * down).sum())
    return (
        np.concatenate([at, above]),
        np.concatenate([out * (1.0 if area < 0 else -1.0), down * (1.0 if towards_head > 0 else -1.0)]),
        np.concatenate([np.where(on_head, 0, 1), np.full(_SOURCIL, 2)]),
    )


def _along(curve: Curve, count: int) -> tuple[Floats, Floats]:
    """Evenly many places ``(count, 2)`` on a curve and the unit normals there, to the left of its way."""
    end = curve.knots[-1]
    parameter = np.linspace(0.0, end, count)
    way = curve.at(np.minimum(parameter + 1e-4 * end, end)) - curve.at(np.maximum(parameter - 1e-4 * end, 0.0))
    length = np.linalg.norm(way, axis=1, keepdims=True)
    way = way / np.where(length > 0, length, 1.0)
    return curve.at(parameter), np.column_stack([-way[:, 1], way[:, 0]])
