"""Label maps from landmark curves, as area coverage.

``study`` are the masks of the 2024 study (docs/architecture.md names it), with splines where the study drew straight
lines: femur = the outline 0-34 closed; acetabulum = roof points 67-74 closed by the corner above 74 at the height of
67; joint space = sourcil 70-74, down from 74 to the height of the head's centre, to that centre and back to 70, less
the femur; background = the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

from hipjsw.anatomy.coverage import polygon_coverage
from hipjsw.anatomy.landmarks import HipLandmarks

__all__ = ["CLASSES", "LABELS", "LabelError", "LabelPolygons", "label_coverage"]

#: Channel order of every label map and of every network's foreground (docs/conventions.md).
CLASSES = ("background", "femur", "acetabulum", "joint_space")

#: Sampling of curves into polygons; the sagitta of such a chord on a femoral head is below 0.001 px.
STEP_PX = 0.25


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
    return LabelPolygons(femur, roof.difference(femur), below.difference(femur).difference(roof))


#: The ways to make labels, by the name used in conf/labels.
LABELS: dict[str, Callable[[HipLandmarks], LabelPolygons]] = {"study": study_polygons}


def label_coverage(landmarks: HipLandmarks, shape: tuple[int, int], labels: str = "study") -> NDArray[np.float32]:
    """Draw a hip's labels.

    Args:
        landmarks: Landmarks in hip-view pixels ``(row, col)``, medial towards larger columns.
        shape: ``(rows, cols)`` of the view.
        labels: A name in ``LABELS``.

    Returns:
        ``(4, rows, cols)`` share of each pixel in each of ``CLASSES``; the four sum to 1.

    Raises:
        LabelError: Landmarks from which no labels can be made.
    """
    polygons = LABELS[labels](landmarks)
    planes = np.zeros((len(CLASSES), *shape))
    for plane, name in zip(planes[1:], CLASSES[1:], strict=True):
        for part in shapely.get_parts(getattr(polygons, name)):
            if isinstance(part, Polygon) and part.area > 0:
                plane += _polygon_coverage(part, shape)
    foreground = planes[1:].clip(0.0, 1.0)
    foreground /= np.maximum(foreground.sum(axis=0), 1.0)
    planes[1:] = foreground
    planes[0] = 1.0 - foreground.sum(axis=0)
    return planes.astype(np.float32)


def _polygon_coverage(polygon: Polygon, shape: tuple[int, int]) -> NDArray[np.float64]:
    covered = polygon_coverage(np.asarray(polygon.exterior.coords)[:-1], shape)
    for hole in polygon.interiors:
        covered -= polygon_coverage(np.asarray(hole.coords)[:-1], shape)
    return covered


def _simple(name: str, outline: NDArray[np.float64]) -> Polygon:
    polygon = Polygon(outline)
    if not polygon.is_valid:
        raise LabelError(f"the {name} crosses itself: {shapely.is_valid_reason(polygon).split('[')[0].strip()}")
    return polygon
