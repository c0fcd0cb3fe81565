"""Probability maps sampled along rays from the head's centre."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.landmarks import ADULT_HEAD_RADIUS_MM, fit_circle
from hipjsw.jsw.locating import ACETABULUM, FEMUR, JOINT_SPACE, WIDEST_MM, JointPlace

__all__ = ["RAY_STEP_PX", "RAY_TURN_RAD", "Rays", "along", "cast", "crossing", "mean_between", "refined"]

#: Steps along a ray.
RAY_STEP_PX = 0.5
#: From ray to ray: about 0.4 mm on the head's margin. Rays lie at whole multiples, wherever the joint was found.
RAY_TURN_RAD = float(np.deg2rad(0.8))
#: Rays go so far beyond the margin that faces the roof.
BEYOND_DEG = 10.0
#: How far a head's margin may lie inside its circle, and how far the roof and the bone above it beyond it.
INSIDE_MM, OUTSIDE_MM = 7.0, WIDEST_MM + 4.0
#: Rays by which the head's circle is refined, and how far off its circle a margin may be to count.
_REFINING, _OFF_MM = 33, 1.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rays:
    """The maps along the rays, pieces that are not the joint's left out.

    Args:
        theta_rad: ``(rays,)`` angles from straight up, positive medially, equally far apart.
        radii_px: ``(steps,)`` distances from the centre.
        femur: ``(rays, steps)`` probability of the femur.
        roof: ``(rays, steps)`` probability of the acetabulum.
        space: ``(rays, steps)`` probability of the joint space.
    """

    theta_rad: Floats
    radii_px: Floats
    femur: NDArray[np.float32]
    roof: NDArray[np.float32]
    space: NDArray[np.float32]


def cast(probs: NDArray[Any], place: JointPlace, pixel_mm: float) -> Rays:
    """Sample the maps along the rays that meet the joint.

    Args:
        probs: ``(3, rows, cols)`` probabilities of femur, acetabulum, joint space.
        place: Where the joint is.
        pixel_mm: Pixel size.
    """
    beyond = np.deg2rad(BEYOND_DEG)
    first, last = (place.lateral_rad - beyond) / RAY_TURN_RAD, (place.medial_rad + beyond) / RAY_TURN_RAD
    theta = RAY_TURN_RAD * np.arange(np.floor(first), np.ceil(last) + 1)
    inner = max(place.radius_px - INSIDE_MM / pixel_mm, 1.0)
    radii = np.arange(inner, place.radius_px + OUTSIDE_MM / pixel_mm, RAY_STEP_PX)
    sampler = _Sampler(place.centre_px, theta, radii, probs.shape[1:])
    femur, roof = sampler(probs[FEMUR], place.femur), sampler(probs[ACETABULUM], place.roof)
    return Rays(theta, radii, femur, roof, sampler(probs[JOINT_SPACE]))


def refined(probs: NDArray[Any], place: JointPlace, pixel_mm: float) -> tuple[Floats, float]:
    """The head's circle through its margin as the probability shows it, to a fraction of a pixel.

    Args:
        probs: As for ``cast``.
        place: Where the joint is, by whole pixels.
        pixel_mm: Pixel size.

    Returns:
        Centre ``(2,)`` and radius in pixels; the place's own where the margin is not found, or is no head's.
    """
    theta = np.linspace(place.lateral_rad, place.medial_rad, _REFINING)
    reach = 0.5 * INSIDE_MM / pixel_mm
    radii = np.arange(max(place.radius_px - reach, 1.0), place.radius_px + reach, RAY_STEP_PX)
    femur = _Sampler(place.centre_px, theta, radii, probs.shape[1:])(probs[FEMUR], place.femur)
    radius = crossing(femur[:, ::-1], radii[::-1])
    points = along(place.centre_px, radius, theta)[np.isfinite(radius)]
    least, own = _REFINING // 3, (place.centre_px, place.radius_px)
    try:
        centre, radius_px = fit_circle(points) if len(points) >= least else own
        near = points[np.abs(np.linalg.norm(points - centre, axis=1) - radius_px) * pixel_mm <= _OFF_MM]
        circle = fit_circle(near) if len(near) >= least else own
    except ValueError:
        return own
    low, high = ADULT_HEAD_RADIUS_MM
    return circle if low <= circle[1] * pixel_mm <= high else own


class _Sampler:
    """Bilinear interpolation of planes at one grid of rays; beyond a plane its border goes on."""

    def __init__(self, centre_px: Floats, theta: Floats, radii: Floats, shape: tuple[int, ...]) -> None:
        rows, cols = shape
        row = np.clip(centre_px[0] - np.cos(theta)[:, None] * radii, 0.0, rows - 1.0)
        col = np.clip(centre_px[1] + np.sin(theta)[:, None] * radii, 0.0, cols - 1.0)
        top, left = np.minimum(row.astype(np.intp), rows - 2), np.minimum(col.astype(np.intp), cols - 2)
        self.down, self.right = (row - top).astype(np.float32), (col - left).astype(np.float32)
        self.corner, self.cols = top * cols + left, cols

    def __call__(self, plane: NDArray[Any], mask: NDArray[np.uint8] | None = None) -> NDArray[np.float32]:
        flat = np.ascontiguousarray(plane if mask is None else plane * mask, dtype=np.float32).ravel()
        above = flat[self.corner]
        above += self.right * (flat[self.corner + 1] - above)
        under = flat[self.corner + self.cols]
        under += self.right * (flat[self.corner + self.cols + 1] - under)
        above += self.down * (under - above)
        return np.asarray(above)


def crossing(values: NDArray[Any], radii: Floats) -> Floats:
    """Radius at which each row of ``values`` (rays, radii) first rises through 0.5; NaN where it never does."""
    if values.shape[1] < 2:
        return np.full(len(values), np.nan)
    above = values >= 0.5
    rises = ~above[:, :-1] & above[:, 1:]
    at = rises.argmax(axis=1)
    rows = np.arange(len(values))
    low, high = values[rows, at].astype(np.float64), values[rows, at + 1].astype(np.float64)
    share = np.divide(0.5 - low, high - low, out=np.zeros_like(low), where=high > low)
    radius = radii[at] + share * (radii[at + 1] - radii[at])
    return np.where(rises[rows, at], radius, np.nan)


def mean_between(values: NDArray[Any], radii: Floats, low: Floats, high: Floats) -> Floats:
    """Mean of each row of ``values`` (rays, radii) over the radii from ``low`` to ``high``, steps taken in part."""
    half = RAY_STEP_PX / 2
    start, stop = np.maximum(radii - half, low[:, None]), np.minimum(radii + half, high[:, None])
    share = np.maximum(stop - start, 0.0)
    total = share.sum(axis=1)
    mean: Floats = np.divide((values * share).sum(axis=1), total, out=np.zeros(len(total)), where=total > 0)
    return mean


def along(centre_px: Floats, radius_px: Floats, theta_rad: Floats) -> Floats:
    """Points ``(n, 2)`` at radii over angles about a centre."""
    points: Floats = centre_px + radius_px[:, None] * np.column_stack([-np.cos(theta_rad), np.sin(theta_rad)])
    return points
