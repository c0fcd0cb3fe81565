"""Where on a hip's probability maps the joint is: the head's circle and the angles under which the roof faces it.

Only the place is found here, on maps of about 0.8 mm a pixel; nothing is measured on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.landmarks import ADULT_HEAD_RADIUS_MM, fit_circle
from hipjsw.jsw.profile import Unmeasurable

__all__ = ["ACETABULUM", "FEMUR", "JOINT_SPACE", "WIDEST_MM", "JointPlace", "locate"]

FEMUR, ACETABULUM, JOINT_SPACE = 0, 1, 2

#: A joint space wider than this is not one.
WIDEST_MM = 14.0
#: Pixel size of the maps on which the place is found.
COARSE_MM = 0.8
#: Maps with larger pixels show no joint.
COARSEST_MM = 4.0
#: Least area of a structure.
LEAST_MM2 = 50.0
#: Least extent of the margin that faces the roof.
LEAST_MARGIN_MM = 10.0
#: So much more of the margin is taken to either side where the part that faces the roof makes no plausible circle.
MORE_MM = 6.0
#: Where the joint space is looked for; below 0.5, for a space thinner than a pixel never reaches that.
SPACE_PROBABILITY = 0.3
#: The joint faces upwards: the mean cosine of the angles under which it is seen from the head's centre.
UPWARDS = 0.5

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class JointPlace:
    """Where the joint is, in pixels of the maps.

    Args:
        centre_px: ``(2,)`` centre ``(row, col)`` of the circle through the margin that faces the roof.
        radius_px: Its radius.
        lateral_rad: Angle under which the facing margin begins, from straight up, positive medially.
        medial_rad: Angle under which it ends.
        femur: ``(rows, cols)`` where the largest femur may be, all other pieces left out.
        roof: ``(rows, cols)`` the same for the acetabulum.
    """

    centre_px: Floats
    radius_px: float
    lateral_rad: float
    medial_rad: float
    femur: NDArray[np.uint8]
    roof: NDArray[np.uint8]


def locate(probs: NDArray[Any], pixel_mm: float) -> JointPlace | Unmeasurable:
    """Find the joint.

    Args:
        probs: ``(3, rows, cols)`` float32, finite.
        pixel_mm: Pixel size.

    Returns:
        The place, or why there is no joint: a bone that is missing, bones that do not face each other, a head of
        implausible size, a joint that does not face upwards, pixels over 4 mm.

    Raises:
        ValueError: Maps of another shape, or a pixel size that is no length.
    """
    if probs.ndim != 3 or len(probs) != 3:
        raise ValueError(f"probabilities (3, rows, cols) of femur, acetabulum, joint space expected, got {probs.shape}")
    if not 0.0 < pixel_mm < np.inf:
        raise ValueError(f"a pixel size in mm above 0 expected, got {pixel_mm}")
    if min(probs.shape[1:]) * pixel_mm < LEAST_MARGIN_MM:
        return Unmeasurable(f"no femur found in a view of less than {LEAST_MARGIN_MM:.0f} mm")
    times = max(round(COARSE_MM / pixel_mm), 1)
    size_mm = times * pixel_mm
    coarse = np.stack([_reduced(plane, times) for plane in probs])
    femur, roof = (_largest(coarse[n] > 0.5, LEAST_MM2 / size_mm**2) for n in (FEMUR, ACETABULUM))
    if femur is None:
        return Unmeasurable("no femur found")
    if roof is None:
        return Unmeasurable("no acetabulum found")
    border, facing = _border(femur), _facing(roof, coarse[JOINT_SPACE], size_mm)
    margin = _touching(border, facing, 1)
    if len(margin) < 8 or np.ptp(margin, axis=0).max() * size_mm < LEAST_MARGIN_MM:
        return Unmeasurable("no joint found: femur and roof do not face each other")
    centre, radius = _head(margin, border, facing, size_mm)
    if not _plausible(radius * size_mm):
        return Unmeasurable(f"femoral head of {radius * size_mm:.0f} mm radius is implausible")
    up = np.arctan2(margin[:, 1] - centre[1], centre[0] - margin[:, 0])
    if np.cos(up).mean() < UPWARDS:
        return Unmeasurable("the joint does not face upwards; is the film upside down?")
    if pixel_mm > COARSEST_MM:
        return Unmeasurable(f"pixels of {pixel_mm:.1f} mm are too coarse to show a joint")
    return JointPlace(
        centre_px=times * centre + (times - 1) / 2,
        radius_px=times * radius,
        lateral_rad=float(up.min()),
        medial_rad=float(up.max()),
        femur=_enlarged(femur, probs.shape[1:], times),
        roof=_enlarged(roof, probs.shape[1:], times),
    )


def _reduced(plane: NDArray[Any], times: int) -> NDArray[np.float32]:
    """Means over blocks of pixels; what is left over at the lower and right border is left out."""
    rows, cols = (n // times for n in plane.shape)
    cut = np.ascontiguousarray(plane[: rows * times, : cols * times], dtype=np.float32)
    return cut if times == 1 else np.asarray(cv2.resize(cut, (cols, rows), interpolation=cv2.INTER_AREA))


def _enlarged(mask: NDArray[np.uint8], shape: tuple[int, ...], times: int) -> NDArray[np.uint8]:
    """The mask and a border of two coarse pixels round it, on the maps' own pixels."""
    wide = np.asarray(cv2.dilate(mask, np.ones((5, 5), np.uint8)), dtype=np.uint8)
    if times > 1:
        wide = np.repeat(np.repeat(wide, times, axis=0), times, axis=1)
    missing = [(0, n - m) for n, m in zip(shape, wide.shape, strict=True)]
    return np.pad(wide, missing, mode="edge") if any(after for _, after in missing) else wide


def _largest(mask: NDArray[np.bool_], least_px: float) -> NDArray[np.uint8] | None:
    """The largest piece of a mask, None if it has fewer pixels than told."""
    count, pieces, sizes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = sizes[1:, cv2.CC_STAT_AREA]
    if count < 2 or areas.max() < least_px:
        return None
    return np.asarray(pieces == 1 + areas.argmax(), dtype=np.uint8)


def _border(femur: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The femur's outermost pixels; the view's edge is no border."""
    inner = np.asarray(cv2.erode(femur, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE), dtype=np.uint8)
    return femur & (1 - inner)


def _facing(roof: NDArray[np.uint8], space: NDArray[np.float32], size_mm: float) -> NDArray[np.uint8]:
    """What a head's margin touches: the joint space near the roof or, without space, the roof."""
    near_roof = cv2.distanceTransform(1 - roof, cv2.DIST_L2, 3) * size_mm < WIDEST_MM
    return np.asarray((roof > 0) | (near_roof & (space > SPACE_PROBABILITY)), dtype=np.uint8)


def _touching(border: NDArray[np.uint8], facing: NDArray[np.uint8], reach: int) -> Floats:
    """Pixels ``(n, 2)`` of the border at most ``reach`` from what it faces."""
    near = np.asarray(cv2.dilate(facing, np.ones((2 * reach + 1,) * 2, np.uint8)), dtype=np.uint8)
    return np.argwhere(border & near).astype(np.float64)


def _head(margin: Floats, border: NDArray[np.uint8], facing: NDArray[np.uint8], size_mm: float) -> tuple[Floats, float]:
    """Circle through the margin; through more of it where an arc by whole pixels is too short for a circle."""
    centre, radius = _circle(margin, size_mm)
    if _plausible(radius * size_mm):
        return centre, radius
    return _circle(_touching(border, facing, round(MORE_MM / size_mm)), size_mm)


def _plausible(radius_mm: float) -> bool:
    low, high = ADULT_HEAD_RADIUS_MM
    return low <= radius_mm <= high


def _circle(points: Floats, size_mm: float) -> tuple[Floats, float]:
    """Circle through points, a second time without those over 1 mm off; radius infinite for points on one line."""
    try:
        centre, radius = fit_circle(points)
        residual = np.abs(np.linalg.norm(points - centre, axis=1) - radius) * size_mm
        if (residual <= 1.0).sum() >= 8:
            return fit_circle(points[residual <= 1.0])
    except ValueError:
        return points.mean(axis=0), np.inf
    return centre, radius
