"""Label maps from landmark curves, as area coverage.

``study`` are the masks of the 2024 study (docs/architecture.md names it), with splines where the study drew straight
lines: femur = the outline 0-34 closed; acetabulum = roof points 67-74 closed by the corner above 74 at the height of
67; joint space = sourcil 70-74, down from 74 to the height of the head's centre, to that centre and back to 70, less
the femur; background = the rest. Every pixel is judged.

``partial`` are the same masks, judged only where the points say what a pixel shows: `outlined_weight` says where.

``head`` are masks to find a hip by on a whole film: in place of the femur the disc of its head (the circle fitted to
18-27), roof and joint space as far as the disc leaves them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

from hipjsw.anatomy.coverage import area_coverage
from hipjsw.anatomy.landmarks import HipLandmarks
from hipjsw.anatomy.weights import even_weight, outlined_weight

__all__ = [
    "CLASSES",
    "FOREGROUND",
    "LABELS",
    "LabelError",
    "LabelPolygons",
    "label_coverage",
    "label_planes",
    "study_polygons",
]

#: Channel order of every label map and of every network's foreground (docs/conventions.md).
CLASSES = ("background", "femur", "acetabulum", "joint_space")
#: The classes that are something, in the order of the channels.
FOREGROUND = CLASSES[1:]

#: Sampling of curves into polygons; the sagitta of such a chord on a femoral head is below 0.001 px.
STEP_PX = 0.25
#: Chords in a quarter of a disc; its area is right to 0.0001 of it.
_QUAD_SEGS = 32

Planes = NDArray[np.float32]


class LabelError(ValueError):
    """Landmarks from which no labels can be made; the message says why."""


@dataclass(frozen=True)
class LabelPolygons:
    """The three structures as disjoint areas in pixels ``(row, col)``."""

    femur: shapely.Geometry
    acetabulum: shapely.Geometry
    joint_space: shapely.Geometry


def study_polygons(landmarks: HipLandmarks) -> LabelPolygons:
    """The study's three structures from landmarks in hip-view pixels (medial towards larger columns).

    Raises:
        LabelError: An outline that crosses itself, or a roof that does not lie above the head.
    """
    points = landmarks.points
    centre, radius = landmarks.head_circle()
    sourcil = landmarks.sourcil.sample(STEP_PX)
    ilium = landmarks.lateral_ilium.sample(STEP_PX)
    corner = (points[67, 0], points[74, 1])
    if not (points[70:75, 0] < centre[0]).all():
        raise LabelError("the sourcil (70-74) does not lie above the centre of the femoral head")
    if np.linalg.norm(points[70:75] - centre, axis=1).min() < 0.7 * radius:
        raise LabelError("the sourcil (70-74) lies deep inside the femoral head")
    femur = _simple("femoral outline (0-34)", landmarks.femur.sample(STEP_PX))
    roof = _simple("acetabular roof (67-74)", np.concatenate([ilium, sourcil[1:], [corner]]))
    below = _simple("joint space", np.concatenate([sourcil, [(centre[0], points[74, 1]), centre]]))
    return LabelPolygons(femur, _less(roof, femur), _less(_less(below, femur), roof))


def head_polygons(landmarks: HipLandmarks) -> LabelPolygons:
    """The head as a disc, and what it leaves of roof and joint space.

    Raises:
        LabelError: As for ``study_polygons``.
    """
    study = study_polygons(landmarks)
    centre, radius = landmarks.head_circle()
    head = shapely.Point(centre).buffer(radius, quad_segs=_QUAD_SEGS)
    return LabelPolygons(head, _less(study.acetabulum, head), _less(study.joint_space, head))


@dataclass(frozen=True)
class LabelWay:
    """A way to make labels.

    Args:
        polygons: From landmarks in view pixels to the three structures.
        weight: From landmarks and planes to how much each pixel is judged.
    """

    polygons: Callable[[HipLandmarks], LabelPolygons]
    weight: Callable[[HipLandmarks, Planes], NDArray[np.float32]]


#: The ways to make labels, by the name used in conf/labels.
LABELS: dict[str, LabelWay] = {
    "study": LabelWay(study_polygons, even_weight),
    "partial": LabelWay(study_polygons, outlined_weight),
    "head": LabelWay(head_polygons, even_weight),
}


def label_planes(
    landmarks: HipLandmarks, shape: tuple[int, int], labels: str = "study"
) -> tuple[Planes, NDArray[np.float32]]:
    """Draw a hip's labels, and which pixels are judged.

    Args:
        landmarks: Landmarks in hip-view pixels ``(row, col)``, medial towards larger columns.
        shape: ``(rows, cols)`` of the view.
        labels: A name in ``LABELS``.

    Returns:
        ``(4, rows, cols)`` share of each pixel in each of ``CLASSES``, the four sum to 1; and ``(rows, cols)`` the
        weight of each pixel in [0, 1], 0 where it is not to be judged. Both float32.

    Raises:
        LabelError: Landmarks from which no labels can be made; the points 35-66 and 75-79 are never the reason.
    """
    polygons = LABELS[labels].polygons(landmarks)
    planes = np.empty((len(CLASSES), *shape), dtype=np.float32)
    for plane, name in zip(planes[1:], CLASSES[1:], strict=True):
        plane[:] = area_coverage(getattr(polygons, name), shape)
    planes[0] = 1.0 - planes[1]
    planes[0] -= planes[2]
    planes[0] -= planes[3]
    np.clip(planes[0], 0.0, 1.0, out=planes[0])
    return planes, LABELS[labels].weight(landmarks, planes)


def label_coverage(landmarks: HipLandmarks, shape: tuple[int, int], labels: str = "study") -> Planes:
    """The label map alone, ``(4, rows, cols)``: the first of what `label_planes` gives, with its errors."""
    return label_planes(landmarks, shape, labels)[0]


def _less(area: shapely.Geometry, other: Polygon) -> shapely.Geometry:
    """An area without what another covers of it; only the part of the other near to it is looked at."""
    if area.is_empty:
        return area
    low_row, low_col, high_row, high_col = area.bounds
    near = shapely.clip_by_rect(other, low_row - 1.0, low_col - 1.0, high_row + 1.0, high_col + 1.0)
    return area if shapely.disjoint(area, near) else shapely.difference(area, near)


def _simple(name: str, outline: NDArray[np.float64]) -> Polygon:
    polygon = Polygon(outline)
    if not polygon.is_valid:
        raise LabelError(f"the {name} crosses itself: {shapely.is_valid_reason(polygon).split('[')[0].strip()}")
    return polygon
