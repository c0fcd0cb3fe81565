"""Sub-pixel head margin and sourcil from class probabilities.

Both curves are radii over the angle about the head's centre. Along each ray the margin is where the femur's
probability falls through 0.5 and the roof where the acetabulum's rises through it; a smoothing spline over the arc
takes out what is finer than bone is. Probabilities are never thresholded into a mask for this: a hard mask biases the
minimum by about half a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.interpolate import make_smoothing_spline
from skimage.measure import find_contours

from hipjsw.anatomy.landmarks import ADULT_HEAD_RADIUS_MM, fit_circle
from hipjsw.jsw.profile import JointSpaceWidth, Unmeasurable, measure_curves

__all__ = ["JointContours", "find_joint", "measure_probabilities"]

FEMUR, ACETABULUM, JOINT_SPACE = 0, 1, 2

#: Undulations of head or roof shorter than about this are taken for noise (half power of the smoothing spline).
SHORTEST_WAVE_MM = 12.0
#: Next to its two ends the roof's edge is blurred by the corner; that much is left out and carried on smoothly.
END_MM = 1.5
#: A joint space wider than this is not one.
WIDEST_MM = 14.0
ANGLE_STEP_DEG = 0.5
#: Where the joint space is looked for; below 0.5, for a space thinner than a pixel never reaches that.
SPACE_PROBABILITY = 0.3
#: A gap below this holds too little of any pixel to be seen as joint space.
THIN_PX = 1.25

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class JointContours:
    """The two curves of a joint in view pixels.

    Args:
        centre_px: ``(2,)`` centre ``(row, col)`` of the circle fitted to the margin under the joint space.
        radius_px: Its radius.
        head_px: ``(n, 2)`` head margin, lateral to medial.
        sourcil_px: ``(m, 2)`` weight-bearing roof, lateral edge to medial end.
    """

    centre_px: Floats
    radius_px: float
    head_px: Floats
    sourcil_px: Floats


def measure_probabilities(probs: NDArray[Any], pixel_mm: float) -> JointSpaceWidth | Unmeasurable:
    """Measure one hip view.

    Args:
        probs: ``(3, rows, cols)`` probability or coverage of femur, acetabulum, joint space; medial towards larger
            columns.
        pixel_mm: Size of the view's square pixels in mm.

    Returns:
        The width (its points in mm of the view: pixel times ``pixel_mm``), or why there is none.
    """
    joint = find_joint(probs, pixel_mm)
    if isinstance(joint, Unmeasurable):
        return joint
    return measure_curves(joint.sourcil_px * pixel_mm, joint.head_px * pixel_mm, joint.centre_px * pixel_mm)


def find_joint(probs: NDArray[Any], pixel_mm: float) -> JointContours | Unmeasurable:
    """Find head margin and sourcil; arguments as ``measure_probabilities``."""
    probs = np.asarray(probs, dtype=np.float64)
    if not np.isfinite(probs).all():
        return Unmeasurable("probabilities that are not finite numbers")
    joint = _facing_margin(probs, pixel_mm)
    if isinstance(joint, Unmeasurable):
        return joint
    centre, radius = _circle(joint, pixel_mm)
    low, high = ADULT_HEAD_RADIUS_MM
    if not low <= radius * pixel_mm <= high:
        return Unmeasurable(f"femoral head of {radius * pixel_mm:.0f} mm radius is implausible")
    up = np.arctan2(joint[:, 1] - centre[1], centre[0] - joint[:, 0])
    if np.cos(up).mean() < 0.5:
        return Unmeasurable("the joint does not face upwards; is the film upside down?")
    step = np.deg2rad(ANGLE_STEP_DEG)
    theta = np.arange(up.min() - 20 * step, up.max() + 20 * step, step)
    return _trace(probs, theta, centre, radius, pixel_mm)


def _facing_margin(probs: Floats, pixel_mm: float) -> Floats | Unmeasurable:
    """Points ``(n, 2)`` of the femur's margin that face the joint: they touch its space or, without space, the roof."""
    contours: list[Floats] = find_contours(probs[FEMUR], 0.5)  # type: ignore[no-untyped-call]
    roof = _largest(probs[ACETABULUM] > 0.5, 50.0 / pixel_mm**2)
    if not contours:
        return Unmeasurable("no femur found")
    if roof is None:
        return Unmeasurable("no acetabulum found")
    margin = max(contours, key=len)
    near_roof = ndimage.distance_transform_edt(~roof) * pixel_mm < WIDEST_MM
    facing = roof | (near_roof & (probs[JOINT_SPACE] > SPACE_PROBABILITY))
    away = ndimage.distance_transform_edt(~facing)
    near = margin[ndimage.map_coordinates(away, margin.T, order=1, mode="nearest") <= 1.5]
    if len(near) < 8 or np.ptp(near, axis=0).max() * pixel_mm < 10.0:
        return Unmeasurable("no joint found: femur and roof do not face each other")
    return near


def _largest(mask: NDArray[np.bool_], least_px: float) -> NDArray[np.bool_] | None:
    """The largest piece of a mask, None if it has fewer pixels than told."""
    pieces, count = ndimage.label(mask, structure=np.ones((3, 3)))
    sizes = np.bincount(pieces.ravel(), minlength=2)[1:]
    if count == 0 or sizes.max() < least_px:
        return None
    return np.asarray(pieces == 1 + sizes.argmax())


def _circle(points: Floats, pixel_mm: float) -> tuple[Floats, float]:
    """Circle through points, a second time without those over 1 mm off; radius infinite for points on one line."""
    try:
        centre, radius = fit_circle(points)
        residual = np.abs(np.linalg.norm(points - centre, axis=1) - radius) * pixel_mm
        if (residual <= 1.0).sum() >= 8:
            return fit_circle(points[residual <= 1.0])
    except ValueError:
        return points.mean(axis=0), np.inf
    return centre, radius


def _trace(
    probs: Floats, theta: Floats, centre: Floats, radius: float, pixel_mm: float
) -> JointContours | Unmeasurable:
    """Follow both edges over the angles and cut the roof to the sourcil."""
    radii = np.arange(0.6 * radius, radius + (WIDEST_MM + 4.0) / pixel_mm, 0.25)
    direction = np.column_stack([-np.cos(theta), np.sin(theta)])
    rays = centre + radii[None, :, None] * direction[:, None, :]
    femur, roof, space = (ndimage.map_coordinates(p, np.moveaxis(rays, -1, 0), order=1) for p in probs)

    head_r = _crossing(femur[:, ::-1], radii[::-1])
    roof_r = _crossing(np.where(radii[None] < head_r[:, None] - 3.0 / pixel_mm, 0.0, roof), radii)
    gap = roof_r - head_r
    found = np.isfinite(gap) & (gap * pixel_mm < WIDEST_MM)
    ends = _sourcil_ends(space, radii, theta, head_r, roof_r, found)
    if ends is None or (ends[1] - ends[0]) * radius * pixel_mm < 10.0:
        return Unmeasurable("sourcil not found or shorter than 10 mm")
    lateral, medial = ends
    trim = END_MM / (radius * pixel_mm)
    within = (theta >= lateral + trim) & (theta <= medial - trim)
    on_roof, on_head = found & within, np.isfinite(head_r)
    on_head &= (theta >= lateral - 4 * trim) & (theta <= medial + 4 * trim)
    if on_roof.sum() < max(10, 0.8 * within.sum()) or on_head.sum() < 10:
        return Unmeasurable("head margin or roof broken")
    above = (radii[None] > roof_r[:, None]) & (radii[None] < roof_r[:, None] + 3.0 / pixel_mm) & on_roof[:, None]
    if space[above].mean() > 0.5:
        return Unmeasurable("joint space and acetabulum are claimed for the same place")
    below = (radii[None] < head_r[:, None]) & (radii[None] > head_r[:, None] - 8.0 / pixel_mm) & on_roof[:, None]
    if femur[below].mean() < 0.8 or roof[above].mean() < 0.7:
        return Unmeasurable("no solid head below or no solid roof above the joint")
    places = np.linspace(lateral, medial, 200)
    wide = theta[on_head]
    head = _smooth(wide, head_r[on_head], wide, radius, pixel_mm)
    sourcil = _smooth(theta[on_roof], roof_r[on_roof], places, radius, pixel_mm)
    return JointContours(centre, radius, _polar(centre, head, wide), _polar(centre, sourcil, places))


def _crossing(values: Floats, radii: Floats) -> Floats:
    """Radius at which each row of ``values`` (rays, radii) first rises through 0.5; NaN where it never does."""
    above = values >= 0.5
    rises = ~above[:, :-1] & above[:, 1:]
    at = rises.argmax(axis=1)
    rows = np.arange(len(values))
    low, high = values[rows, at], values[rows, at + 1]
    share = np.divide(0.5 - low, high - low, out=np.zeros_like(low), where=high > low)
    radius = radii[at] + share * (radii[at + 1] - radii[at])
    return np.where(rises.any(axis=1), radius, np.nan)


def _sourcil_ends(
    space: Floats, radii: Floats, theta: Floats, head_r: Floats, roof_r: Floats, found: NDArray[np.bool_]
) -> tuple[float, float] | None:
    """Angles of the lateral edge and the medial end: where the joint space between the edges begins and stops.

    Between the edges the joint space's probability is 1 along the sourcil and falls to 0 beyond its ends; the fall
    through 0.5 is the end, to a fraction of a ray. A gap thinner than a pixel holds no such probability: there the
    roof so near to the head is the sign of the sourcil, for beyond its ends the roof stops or leaves the head.
    """
    between = (radii[None] > head_r[:, None]) & (radii[None] < roof_r[:, None])
    width = between.sum(axis=1)
    presence = np.where(between, space, 0.0).sum(axis=1) / np.maximum(width, 1)
    thin = (roof_r - head_r) < THIN_PX
    known = np.where(found, np.where(thin, np.maximum(presence, 0.75), presence), 0.0)
    inside = np.flatnonzero(known >= 0.5)
    if len(inside) < 2:
        return None
    return _end(theta, known, inside[0], -1), _end(theta, known, inside[-1], +1)


def _end(theta: Floats, presence: Floats, last: int, direction: int) -> float:
    beyond = last + direction
    if not 0 <= beyond < len(theta):
        return float(theta[last])
    share = (presence[last] - 0.5) / max(presence[last] - presence[beyond], 1e-9)
    return float(theta[last] + min(share, 1.0) * (theta[beyond] - theta[last]))


def _smooth(theta: Floats, radius: Floats, at: Floats, head_radius: float, pixel_mm: float) -> Floats:
    """Smoothing spline of a radius over the arc, its half-power wavelength ``SHORTEST_WAVE_MM``; px in, px out."""
    arc_mm = theta * head_radius * pixel_mm
    penalty = (SHORTEST_WAVE_MM / (2 * np.pi)) ** 4 / float(np.median(np.diff(arc_mm)))
    spline = make_smoothing_spline(arc_mm, radius, lam=penalty)
    return np.asarray(spline(at * head_radius * pixel_mm), dtype=np.float64)


def _polar(centre: Floats, radius: Floats, theta: Floats) -> Floats:
    points: Floats = centre + radius[:, None] * np.column_stack([-np.cos(theta), np.sin(theta)])
    return points
