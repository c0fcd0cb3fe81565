"""The 2024 study's minimum joint space width: integer borders of hard masks, averaged, and the shortest way between.

Kept to show that study's Table 5 as printed, in true mm, and beside `hipjsw.jsw.contour`; not for measuring.

**A reconstruction** from what is published (Ileana, "Deep Learning for Automated Segmentation of the Hip Joint in
X-ray Images", TU Delft, June 2024), not the study's program. What pins it:

- The mask is hard; its borders are whole pixels, averaged; the width is the least distance between the borders of
  femur and roof in the weight-bearing part. (Its description.)
- Its figure 2 prints 0.2986 and 0.9658 for films of 0.10 mm. These are ``sqrt(260)/6`` and ``sqrt(2720)/6`` pixels
  times 0.1/0.9. Of whole sixths, 260 is only 2, 16 or 8, 14 and 2720 only 4, 52 or 28, 44 squared and summed: all even
  and none a multiple of six. So the two points differ by broken thirds of a pixel, in rows and in columns, as means of
  three whole pixels do; they were not averaged down a column.
- On perfect masks of synthetic hips it was measured to be too small: bias -0.328, mean absolute error 0.341 mm. Pixels
  inside the two bones would be too far apart, so one of the borders lies outside its bone.

Here the borders are those of the femur and of femur and joint space together, each pixel averaged with the one before
and the one after. Of the ways tried it is the one that gives both printed distances, and such errors, on ideal hips
(``tests/jsw/test_study.py``). Which pixels the study averaged, and which part it took for weight-bearing, remains a
guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from hipjsw.jsw.profile import Unmeasurable

__all__ = ["StudyWidth", "Units", "study_width"]

#: ``mm``: pixels times the pixel's size. ``as_printed``: pixels times the film's spacing over the pixel's size.
Units = Literal["mm", "as_printed"]

#: Pieces hang together by edges and corners, as OpenCV's contours do; a border faces what it shares an edge with.
CORNERS = np.ones((3, 3), dtype=np.bool_)
EDGES = ndimage.generate_binary_structure(2, 1)

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class StudyWidth:
    """What the study would have measured on one hip; points ``(row, col)`` in view pixels.

    Args:
        value: Least distance between the two borders, in ``unit``. Only for ``unit="mm"`` is it a length.
        unit: ``mm``, or ``as_printed`` for the study's own number, which has no unit.
        width_px: The same distance in view pixels.
        head_px: ``(2,)`` the averaged border point of the femur at the minimum.
        roof_px: ``(2,)`` that of the roof.
        head_border_px: ``(n, 2)`` all averaged border points of the femur that face the joint.
        roof_border_px: ``(m, 2)`` those of the roof.
    """

    value: float
    unit: Units
    width_px: float
    head_px: Floats
    roof_px: Floats
    head_border_px: Floats
    roof_border_px: Floats


def study_width(
    masks: NDArray[Any], pixel_mm: float, units: Units = "mm", source_spacing_mm: float | None = None
) -> StudyWidth | Unmeasurable:
    """Measure hard masks as the study did.

    Args:
        masks: ``(3, rows, cols)`` bool: femur, acetabulum, joint space (argmax of a softmax, or each sigmoid over 0.5:
            masks may overlap, and what roof and space both claim is roof).
        pixel_mm: Size of the view's square pixels in mm; 0.9 in the study.
        units: ``mm``, or ``as_printed`` for the study's mistake: pixels times ``source_spacing_mm / pixel_mm``.
        source_spacing_mm: Pixel size of the film that the view was taken from; needed for ``as_printed`` alone.

    Returns:
        The width (0 where the bones touch), or why there is none: no femur, no acetabulum, or no joint between them.

    Raises:
        ValueError: Masks that are not bool or not three, another unit, a size that is not positive, or
            ``as_printed`` without the film's spacing.
    """
    scale = _scale(pixel_mm, units, source_spacing_mm)
    masks = np.asarray(masks)
    if masks.ndim != 3 or masks.shape[0] != 3 or masks.dtype != np.bool_:
        raise ValueError(
            f"masks are (3, rows, cols) bool of femur, acetabulum, joint space, not {masks.shape} {masks.dtype}; "
            "take the argmax of probabilities, or threshold them, first"
        )
    femur, roof = _largest(masks[0]), _largest(masks[1])
    if femur is None:
        return Unmeasurable("no femur found")
    if roof is None:
        return Unmeasurable("no acetabulum found")
    below = _largest(femur | (masks[2] & ~roof))
    if below is None or not (below & femur).any():
        return Unmeasurable("no joint found: a joint space larger than the femur, and not at it")
    head_border = _averaged_border(femur, masks[2] | roof)
    roof_border = _averaged_border(below, roof)
    if len(head_border) == 0 or len(roof_border) == 0:
        return Unmeasurable("no joint found: femur and roof do not face each other")
    found = cKDTree(roof_border).query(head_border)
    distance, nearest = np.asarray(found[0]), np.asarray(found[1])
    at = int(distance.argmin())
    width_px = float(distance[at])
    return StudyWidth(
        value=width_px * scale,
        unit=units,
        width_px=width_px,
        head_px=head_border[at],
        roof_px=roof_border[int(nearest[at])],
        head_border_px=head_border,
        roof_border_px=roof_border,
    )


def _scale(pixel_mm: float, units: str, source_spacing_mm: float | None) -> float:
    """What a distance in pixels is multiplied by."""
    for name, size in (("pixel_mm", pixel_mm), ("source_spacing_mm", source_spacing_mm)):
        if size is not None and not (np.isfinite(size) and size > 0):
            raise ValueError(f"{name} is a size in mm above 0, not {size}")
    if units == "mm":
        return pixel_mm
    if units != "as_printed":
        raise ValueError(f"units is one of {', '.join(get_args(Units))}, not {units!r}")
    if source_spacing_mm is None:
        raise ValueError("units='as_printed' needs source_spacing_mm, the film's own pixel size; or take units='mm'")
    return source_spacing_mm / pixel_mm


def _largest(mask: Mask) -> Mask | None:
    """The largest piece of a mask, None if it is empty."""
    pieces, count = ndimage.label(mask, structure=CORNERS)
    if count == 0:
        return None
    sizes = np.bincount(np.asarray(pieces).ravel())
    return np.asarray(pieces == 1 + int(np.argmax(sizes[1:])))


def _averaged_border(piece: Mask, other: Mask) -> Floats:
    """Border points ``(n, 2)`` of a piece where it touches another mask, each the mean of three border pixels."""
    contours, _ = cv2.findContours(piece.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    border = contours[0][:, 0, ::-1].astype(np.int64)
    facing = ndimage.binary_dilation(other, structure=EDGES)[tuple(border.T)]
    averaged = (np.roll(border, 1, axis=0) + border + np.roll(border, -1, axis=0)) / 3.0
    return np.asarray(averaged[facing], dtype=np.float64)
