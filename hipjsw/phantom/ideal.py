"""Ideal maps: what a network without any error would say of a phantom hip, drawn from its exact curves.

Unlike a label, which rests on 80 landmarks, they hold the very curves between which the exact width is taken.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

from hipjsw.anatomy.coverage import area_coverage
from hipjsw.phantom.pelvis import HalfPelvis

__all__ = ["ideal_maps"]

#: Sampling of the curves; the sagitta of such a chord on a femoral head is below 0.0001 mm.
_STEP_MM = 0.1
#: Side of the view, as of the hip views.
ACROSS_MM = 102.4


def ideal_maps(
    half: HalfPelvis,
    pixel_mm: float,
    turn_deg: float = 0.0,
    shift_mm: tuple[float, float] = (0.0, 0.0),
    across_mm: float = ACROSS_MM,
) -> NDArray[np.float32]:
    """Area coverage of femur, acetabulum and joint space.

    Args:
        half: The hip with its half of the pelvis.
        pixel_mm: Size of a pixel.
        turn_deg: Turn of the hip about the head's centre, clockwise on the film.
        shift_mm: ``(row, col)`` by which the head's centre lies off the view's.
        across_mm: Side of the view.

    Returns:
        ``(3, rows, cols)`` float32 in [0, 1].
    """
    side = round(across_mm / pixel_mm)
    cos, sin = np.cos(np.deg2rad(turn_deg)), np.sin(np.deg2rad(turn_deg))
    turn = np.array([[cos, sin], [-sin, cos]])
    middle = (side - 1) / 2 * pixel_mm + np.asarray(shift_mm)
    polygons = (Polygon((points @ turn.T + middle) / pixel_mm) for points in _outlines(half))
    femur, roof, below = polygons
    roof = shapely.difference(roof, femur)
    space = shapely.difference(shapely.difference(below, femur), roof)
    return np.stack([area_coverage(area, (side, side)) for area in (femur, roof, space)]).astype(np.float32)


def _outlines(half: HalfPelvis) -> tuple[NDArray[np.float64], ...]:
    """Closed outlines ``(n, 2)`` in mm of femur, acetabulum and all below the sourcil, as labels are made of them."""
    hip, landmarks = half.hip, half.landmarks
    sourcil = hip.sourcil.sample(_STEP_MM)
    centre = np.zeros(2)
    corner = (landmarks[67, 0], sourcil[-1, 1])
    roof = np.concatenate([landmarks[67:70], sourcil, [corner]])
    below = np.concatenate([sourcil, [(centre[0], sourcil[-1, 1]), centre]])
    return hip.femur.sample(_STEP_MM), roof, below
