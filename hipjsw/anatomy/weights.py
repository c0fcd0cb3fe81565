"""Weights of pixels: which of a label map are judged, and which count more.

`outlined_weight` judges only what the points outline. Much of what the study's masks call background is bone that has
no outline: the shaft below the last points, the pelvis round the roof, the other hip. A network that finds such bone
is right, so nothing is judged there. In words, for a right hip, lengths as shares of the head's radius:

- The pelvis is all that lies medially of one line. The line comes from above, slanting medially by 50 degrees from the
  vertical, to point 67; follows the ilium to 70; crosses the head along the posterior wall, 40-44; follows the ischium
  to its lowest place, and falls from there straight down. Laterally of it lies soft tissue, and femur.
- Judged within it: roof and joint space; background in a band of 0.1 radii round the head's margin, which else would
  have no other side; background in the obturator foramen (60-66, drawn in by a fifth); and the femur, but for the
  head's core: within 0.6 radii of its centre the wall lies over the femur, and either name would be right.
- The shaft lies below the line from 0 to 34 and spreads by 4 degrees on either side. It is not judged.

`BorderWeight` is the U-Net's: it raises the pixels between femur and acetabulum, the more the narrower the joint.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

from hipjsw.anatomy.coverage import area_coverage
from hipjsw.anatomy.curve import Curve
from hipjsw.anatomy.landmarks import HipLandmarks, Region

__all__ = ["BorderWeight", "border_weight", "even_weight", "outlined_weight"]

#: Background this near to the head's margin is judged, whatever lies behind it (in head radii).
BAND = 0.1
#: What the wall covers of the head is not judged this near to the head's centre (in head radii).
CORE = 0.6
#: Spread of the iliac wing above point 67, from the vertical.
WING_DEG = 50.0
#: Spread of the shaft below points 0 and 34, from its sides.
SHAFT_DEG = 4.0
#: The foramen is judged within its outline drawn in to this share.
FORAMEN = 0.8

#: Sampling of the curves round what is not judged, and the most points a curve is sampled to.
STEP_PX, MOST_POINTS = 1.0, 1000

BACKGROUND, FEMUR, ACETABULUM = 0, 1, 2

#: Beyond so many sigma the border's weight is nothing (1e-8), whichever bone it is measured from.
_REACH = 6.0

Floats = NDArray[np.float64]
Weights = NDArray[np.float32]


def even_weight(landmarks: HipLandmarks, planes: NDArray[Any]) -> Weights:  # noqa: ARG001  (points do not matter)
    """Weight 1 everywhere; arguments and result as `outlined_weight`."""
    return np.ones(planes.shape[1:], dtype=np.float32)


def outlined_weight(landmarks: HipLandmarks, planes: NDArray[Any]) -> Weights:
    """Weight of a label map that is judged only where points outline what is seen (see the head of the module).

    Points 35-66 may be poor or missing numbers: a line through them that crosses itself is made valid.

    Args:
        landmarks: Landmarks in hip-view pixels ``(row, col)``, medial towards larger columns.
        planes: ``(4, rows, cols)`` the study's label map of them: background, femur, acetabulum, joint space.

    Returns:
        ``(rows, cols)`` float32 in [0, 1]: the share of each pixel that is judged.
    """
    shape = (planes.shape[1], planes.shape[2])
    centre, radius = landmarks.head_circle()
    far = float(sum(shape) + np.abs(landmarks.points[Region.FEMUR]).max())
    pelvis = _filled(_pelvis_outline(landmarks.points, far), shape)
    known = _filled(_band_outline(landmarks, centre, BAND * radius), shape)
    np.maximum(known, _filled(_foramen_outline(landmarks.points), shape), out=known)
    shaft = _filled(_shaft_outline(landmarks.points, far), shape)
    core = _filled(_circle(centre, CORE * radius), shape)

    unjudged = np.maximum(pelvis * (1.0 - known), shaft) * planes[BACKGROUND]
    unjudged += pelvis * core * planes[FEMUR]
    return np.asarray(1.0 - np.minimum(unjudged, 1.0), dtype=np.float32)


@dataclass(frozen=True)
class BorderWeight:
    """The weight map of the U-Net (Ronneberger 2015, arXiv 1505.04597), ``1 + w0 exp(-(d1 + d2)^2 / (2 sigma^2))``.

    d1 and d2 are the distances to the nearest pixel of femur and of acetabulum (coverage 0.5 and more).

    Args:
        w0: How much is added where the bones touch; positive.
        sigma_px: Width of the joint at which three fifths of it are added, in pixels; positive.

    Raises:
        ValueError: A number that is not positive.
    """

    w0: float = 10.0
    sigma_px: float = 5.0

    def __post_init__(self) -> None:
        if not (self.w0 > 0 and self.sigma_px > 0):
            raise ValueError(f"weight.w0 and weight.sigma_px must be positive, got {self.w0} and {self.sigma_px}")

    def nearness(self, coverage: NDArray[Any]) -> Weights:
        """The exponential alone, ``(rows, cols)`` in [0, 1]; 0 everywhere where a bone is missing.

        Args:
            coverage: ``(4, rows, cols)`` in [0, 1]: background, femur, acetabulum, joint space.
        """
        near = np.zeros(coverage.shape[1:], dtype=np.float32)
        window = _window(coverage[ACETABULUM] >= 0.5, _REACH * self.sigma_px)
        bones = [np.asarray(coverage[bone][window] < 0.5, dtype=np.uint8) for bone in (FEMUR, ACETABULUM)]
        if any(outside.all() for outside in bones):
            return near
        total = sum(cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) for outside in bones)
        near[window] = np.exp(np.square(total) / np.float32(-2 * self.sigma_px**2))
        return near

    def emphasis(self, nearness: Weights) -> Weights:
        """Nearness, as it was or resampled, to the factor by which a pixel is raised: 1 to ``1 + w0``."""
        return np.float32(1) + np.float32(self.w0) * nearness


def _window(mask: NDArray[np.bool_], reach: float) -> tuple[slice, slice]:
    """Rows and columns within ``reach`` of a mask; none for an empty one."""
    slices = []
    for axis in (1, 0):
        found = np.flatnonzero(mask.any(axis=axis))
        low, high = (found[0], found[-1]) if len(found) else (0, -1 - math.ceil(reach))
        slices.append(slice(max(int(low) - math.ceil(reach), 0), max(int(high) + math.ceil(reach) + 1, 0)))
    return slices[0], slices[1]


def border_weight(coverage: NDArray[Any], w0: float = 10.0, sigma_px: float = 5.0) -> Weights:
    """The weight map of `BorderWeight`, ``(rows, cols)`` float32, for a label map ``(4, rows, cols)``."""
    border = BorderWeight(w0, sigma_px)
    return border.emphasis(border.nearness(coverage))


def _pelvis_outline(points: Floats, far: float) -> Floats:
    """Closed by edges ``far`` away, out of any view."""
    ilium = _through(points[Region.ROOF.start : Region.SOURCIL.start + 1])
    wall = _through(points[Region.POSTERIOR_WALL.start : Region.ISCHIUM_PUBIS.stop])
    if len(wall):
        wall = wall[: int(wall[:, 0].argmax()) + 1]
    line = np.concatenate([ilium, wall])
    turn = np.deg2rad(WING_DEG)
    above = line[0] + 2 * far * np.array([-np.cos(turn), -np.sin(turn)])
    below = line[-1] + np.array([2 * far, 0.0])
    corners = [(below[0], 4 * far), (above[0], 4 * far)]
    return np.concatenate([[above], line, [below], corners])


def _band_outline(landmarks: HipLandmarks, centre: Floats, width: float) -> Floats:
    """The head's sector from its centre to ``width`` beyond its margin."""
    margin = landmarks.head_margin(STEP_PX)
    out = margin - centre
    out *= 1.0 + width / np.linalg.norm(out, axis=1, keepdims=True)
    return np.concatenate([[centre], centre + out])


def _foramen_outline(points: Floats) -> Floats:
    ring = _finite(points[Region.FORAMEN])
    middle = ring.mean(axis=0) if len(ring) else np.zeros(2)
    return np.asarray(middle + FORAMEN * (ring - middle))


def _shaft_outline(points: Floats, far: float) -> Floats:
    """The strip below the femur's two last points, along its two sides, spreading."""
    ends = points[[0, 34]]
    along = ends - points[[1, 33]]
    turn = np.deg2rad(SHAFT_DEG) * np.array([-1.0, 1.0])  # the lateral side outwards, the medial side inwards
    cos, sin = np.cos(turn), np.sin(turn)
    spread = np.column_stack([along[:, 0] * cos - along[:, 1] * sin, along[:, 1] * cos + along[:, 0] * sin])
    away = ends + 2 * far * spread / np.linalg.norm(spread, axis=1, keepdims=True)
    return np.concatenate([ends[::-1], away])


def _circle(centre: Floats, radius: float) -> Floats:
    angle = np.linspace(0.0, 2 * np.pi, 256, endpoint=False)
    return np.asarray(centre + radius * np.column_stack([np.cos(angle), np.sin(angle)]))


def _finite(points: Floats) -> Floats:
    """Those that are numbers, without equal neighbours."""
    kept = points[np.isfinite(points).all(axis=1)]
    if len(kept) < 2:
        return kept
    apart = np.linalg.norm(np.diff(kept, axis=0), axis=1) > 1e-6
    return np.asarray(kept[np.append(True, apart)])


def _through(points: Floats) -> Floats:
    """A smooth curve through the points that are numbers, as a polyline."""
    kept = _finite(points)
    if len(kept) < 2:
        return kept
    curve = Curve(kept)
    return curve.sample(max(STEP_PX, float(curve.knots[-1]) / MOST_POINTS))


def _filled(outline: Floats, shape: tuple[int, int]) -> Weights:
    """Coverage inside a closed outline; one that crosses itself is made valid first."""
    if len(outline) < 3:
        return np.zeros(shape, dtype=np.float32)
    polygon = Polygon(outline)
    return area_coverage(polygon if polygon.is_valid else shapely.make_valid(polygon), shape)
