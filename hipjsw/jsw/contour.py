"""Sub-pixel head margin and sourcil from class probabilities.

Both curves are radii over the angle about the head's centre. The middle between them is half-way between the place
where the femur's probability falls through 0.5 and the one where the acetabulum's rises through it. How far apart
they are is the joint space's probability summed along the ray: whatever blurs an edge, a pixel or a network that is
not sure, leaves that sum as it is, so a gap of a fraction of a pixel is measured as well as a wide one. Nothing is
thresholded into a mask for this: a hard mask biases the minimum by about half a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hipjsw.jsw.locating import ACETABULUM, FEMUR, JOINT_SPACE, WIDEST_MM, JointPlace, locate
from hipjsw.jsw.profile import JointSpaceWidth, Unmeasurable, measure_curves
from hipjsw.jsw.smoothing import smooth

__all__ = ["JointContours", "find_joint", "measure_probabilities"]

#: Undulations of the gap shorter than this many pixels are the grid's, not the bone's (half power).
GRID_WAVES_PX = 4.0
#: Undulations of a bone's surface shorter than this are taken for noise (half power).
BONE_WAVE_MM = 6.0
#: Next to its two ends the space is blurred by the corners; so much is left out and carried on from inside.
END_PX, END_MM = 1.5, 0.5
EDGE, EDGE_WEIGHT = 0.4, 0.2
#: Steps along a ray, and from ray to ray on the head's margin.
RAY_STEP_PX = 0.5
ARC_STEP_MM = 0.4
#: The space's probability is summed from so far below the head's margin to so far above the roof's edge.
TAIL_PX, TAIL_MM = 2.0, 1.2
#: How far a head's margin may lie inside its circle.
INSIDE_MM = 7.0
SHORTEST_MM = 10.0
#: The ends are looked for within this much of the roof's edge.
END_LOOK_MM = 2.0
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


@dataclass(frozen=True, eq=False)
class _Rays:
    """Probabilities along rays from the head's centre: ``(rays, steps)``, radii ``(steps,)``, angles ``(rays,)``."""

    theta: Floats
    radii: Floats
    femur: Floats
    roof: Floats
    space: Floats


def measure_probabilities(
    probs: NDArray[Any], pixel_mm: float, region: str = "sourcil"
) -> JointSpaceWidth | Unmeasurable:
    """Measure one hip view.

    Args:
        probs: ``(3, rows, cols)`` probability or coverage of femur, acetabulum, joint space; medial towards larger
            columns.
        pixel_mm: Size of the view's square pixels in mm.
        region: What the minimum is taken over, one of `hipjsw.jsw.profile.REGIONS`.

    Returns:
        The width (its points in mm of the view: pixel times ``pixel_mm``), or why there is none.
    """
    joint = find_joint(probs, pixel_mm)
    if isinstance(joint, Unmeasurable):
        return joint
    return measure_curves(joint.sourcil_px * pixel_mm, joint.head_px * pixel_mm, joint.centre_px * pixel_mm, region)


def find_joint(probs: NDArray[Any], pixel_mm: float) -> JointContours | Unmeasurable:
    """Find head margin and sourcil; arguments as ``measure_probabilities``."""
    probs = np.asarray(probs)
    if not np.isfinite(probs).all():
        return Unmeasurable("probabilities that are not finite numbers")
    place = locate(probs, pixel_mm)
    if isinstance(place, Unmeasurable):
        return place
    rays = _cast(probs, place, pixel_mm)
    return _trace(rays, place, pixel_mm)


def _cast(probs: NDArray[Any], place: JointPlace, pixel_mm: float) -> _Rays:
    """Sample the maps, the largest pieces alone, along the rays that meet the joint."""
    step = ARC_STEP_MM / (place.radius_px * pixel_mm)
    beyond = np.deg2rad(10.0)
    theta = np.arange(place.lateral_rad - beyond, place.medial_rad + beyond, step)
    radii = np.arange(
        max(place.radius_px - INSIDE_MM / pixel_mm, 1.0), place.radius_px + (WIDEST_MM + 4.0) / pixel_mm, RAY_STEP_PX
    )
    at = np.stack([place.centre_px[0] - np.cos(theta)[:, None] * radii, place.centre_px[1] + np.sin(theta)[:, None] * radii])
    planes = (probs[FEMUR] * place.femur, probs[ACETABULUM] * place.roof, probs[JOINT_SPACE])
    femur, roof, space = (ndimage.map_coordinates(np.asarray(p, np.float32), at, order=1, output=np.float32) for p in planes)
    return _Rays(theta, radii, femur, roof, space)


def _trace(rays: _Rays, place: JointPlace, pixel_mm: float) -> JointContours | Unmeasurable:
    """Follow both edges over the angles and cut the roof to the sourcil."""
    theta, radii = rays.theta, rays.radii
    head_r = _crossing(rays.femur[:, ::-1], radii[::-1])
    above_head = radii[None] >= head_r[:, None] - 3.0 / pixel_mm
    roof_r = _crossing(np.where(above_head, rays.roof, 0.0), radii)
    found = np.isfinite(head_r) & np.isfinite(roof_r) & ((roof_r - head_r) * pixel_mm < WIDEST_MM)
    tail = max(TAIL_PX, TAIL_MM / pixel_mm)
    summed = (radii[None] > head_r[:, None] - tail) & (radii[None] < roof_r[:, None] + tail)
    gap = np.where(summed, rays.space, 0.0).sum(axis=1) * RAY_STEP_PX
    rough = _rough_ends(gap, theta, head_r, roof_r, found)
    if rough is None or (rough[1] - rough[0]) * place.radius_px * pixel_mm < SHORTEST_MM:
        return Unmeasurable(f"sourcil not found or shorter than {SHORTEST_MM:.0f} mm")
    trim = max(END_PX, END_MM / pixel_mm) / place.radius_px
    within = (theta >= rough[0] + trim) & (theta <= rough[1] - trim)
    on_roof = found & within
    on_head = np.isfinite(head_r) & (theta >= rough[0] - 4 * trim) & (theta <= rough[1] + 4 * trim)
    if on_roof.sum() < max(10, 0.8 * within.sum()) or on_head.sum() < 10:
        return Unmeasurable("head margin or roof broken")
    reason = _implausible(rays, head_r, roof_r, on_roof, pixel_mm)
    if reason:
        return Unmeasurable(reason)
    wave = max(GRID_WAVES_PX * pixel_mm, BONE_WAVE_MM) / ARC_STEP_MM
    middle, width = _smoothed_gap(theta, head_r, roof_r, gap, found, rough, trim, wave)
    margin = smooth(head_r, on_head.astype(float), wave)
    lateral, medial = _ends(rays, middle - width / 2, middle + width / 2, rough, pixel_mm)
    under = (theta >= lateral) & (theta <= medial)
    shift = np.where(under, (middle - width / 2) - margin, np.nan)
    first, last = np.flatnonzero(under)[[0, -1]]
    shift[:first], shift[last + 1 :] = shift[first], shift[last]
    head = margin + shift
    wide = np.flatnonzero(on_head)
    keep = slice(wide[0], wide[-1] + 1)
    places = np.concatenate([[lateral], theta[under], [medial]])
    sourcil = np.interp(places, theta, head + width)
    return JointContours(
        place.centre_px,
        place.radius_px,
        _polar(place.centre_px, head[keep], theta[keep]),
        _polar(place.centre_px, sourcil, places),
    )


def _smoothed_gap(
    theta: Floats,
    head_r: Floats,
    roof_r: Floats,
    gap: Floats,
    found: NDArray[np.bool_],
    rough: tuple[float, float],
    trim: float,
    wave: float,
) -> tuple[Floats, Floats]:
    """Middle and width of the gap over all angles; next to its ends from the crossings alone, which count less."""
    weight = np.where(found & (theta >= rough[0] + trim) & (theta <= rough[1] - trim), 1.0, 0.0)
    edge = found & (weight == 0) & (theta >= rough[0] + EDGE * trim) & (theta <= rough[1] - EDGE * trim)
    weight[edge] = EDGE_WEIGHT
    width = np.where(edge, roof_r - head_r, gap)
    middle, smoothed = smooth(np.stack([(head_r + roof_r) / 2, width]), weight, wave)
    return middle, smoothed


def _implausible(rays: _Rays, head_r: Floats, roof_r: Floats, on_roof: NDArray[np.bool_], pixel_mm: float) -> str:
    """Why the maps round the two edges are no joint's; empty where they are one's."""
    radii = rays.radii
    above = (radii[None] > roof_r[:, None]) & (radii[None] < roof_r[:, None] + 3.0 / pixel_mm) & on_roof[:, None]
    if rays.space[above].mean() > 0.5:
        return "joint space and acetabulum are claimed for the same place"
    below = (radii[None] < head_r[:, None]) & (radii[None] > head_r[:, None] - 5.0 / pixel_mm) & on_roof[:, None]
    if rays.femur[below].mean() < 0.8 or rays.roof[above].mean() < 0.7:
        return "no solid head below or no solid roof above the joint"
    return ""


def _crossing(values: NDArray[Any], radii: Floats) -> Floats:
    """Radius at which each row of ``values`` (rays, radii) first rises through 0.5; NaN where it never does."""
    above = values >= 0.5
    rises = ~above[:, :-1] & above[:, 1:]
    at = rises.argmax(axis=1)
    rows = np.arange(len(values))
    low, high = values[rows, at].astype(np.float64), values[rows, at + 1].astype(np.float64)
    share = np.divide(0.5 - low, high - low, out=np.zeros_like(low), where=high > low)
    radius = radii[at] + share * (radii[at + 1] - radii[at])
    return np.where(rises.any(axis=1), radius, np.nan)


def _rough_ends(
    gap: Floats, theta: Floats, head_r: Floats, roof_r: Floats, found: NDArray[np.bool_]
) -> tuple[float, float] | None:
    """Angles of the lateral edge and the medial end: where the joint space between the edges begins and stops.

    Between the edges the joint space's probability is 1 along the sourcil and falls to 0 beyond its ends; the fall
    through 0.5 is the end, to a fraction of a ray. A gap thinner than a pixel holds no such probability: there the
    roof so near to the head is the sign of the sourcil, for beyond its ends the roof stops or leaves the head.
    """
    between = roof_r - head_r
    presence = np.divide(gap, between, out=np.zeros_like(gap), where=found & (between > THIN_PX))
    thin = found & (between <= THIN_PX)
    known = np.where(found, np.where(thin, np.maximum(presence, 0.75), presence), 0.0)
    inside = np.flatnonzero(known >= 0.5)
    if len(inside) < 2:
        return None
    return _end(theta, known, inside[0], -1), _end(theta, known, inside[-1], +1)


def _ends(
    rays: _Rays, head_r: Floats, roof_r: Floats, rough: tuple[float, float], pixel_mm: float
) -> tuple[float, float]:
    """The ends, once both edges are known: where what lies between them, and just above the roof, stops.

    Laterally the joint space stops along a ray. Medially it and the bone above it stop along one line that crosses the
    edge aslant, so as much is looked at above the edge as below.
    """
    theta, radii = rays.theta, rays.radii
    near = END_LOOK_MM / pixel_mm
    below = np.minimum(roof_r - head_r, near)
    both = rays.space + rays.roof
    under = _mean_between(both, radii, roof_r - below, roof_r)
    around = _mean_between(both, radii, roof_r - below, roof_r + below)
    ends = []
    for presence, end, direction in ((under, rough[0], -1), (around, rough[1], 1)):
        near_end = np.abs(theta - end) < 4.0 / pixel_mm / radii[0]
        inside = np.flatnonzero(near_end & (presence >= 0.5))
        ends.append(_end(theta, presence, inside[-1 if direction > 0 else 0], direction) if len(inside) else end)
    return ends[0], ends[1]


def _mean_between(values: NDArray[Any], radii: Floats, low: Floats, high: Floats) -> Floats:
    """Mean of each row of ``values`` (rays, radii) over the radii from ``low`` to ``high``, steps taken in part."""
    half = RAY_STEP_PX / 2
    start, stop = np.maximum(radii - half, low[:, None]), np.minimum(radii + half, high[:, None])
    share = np.maximum(stop - start, 0.0)
    total = share.sum(axis=1)
    return np.divide((values * share).sum(axis=1), total, out=np.zeros(len(total)), where=total > 0)


def _end(theta: Floats, presence: Floats, last: int, direction: int) -> float:
    beyond = last + direction
    if not 0 <= beyond < len(theta):
        return float(theta[last])
    share = (presence[last] - 0.5) / max(presence[last] - presence[beyond], 1e-9)
    return float(theta[last] + min(share, 1.0) * (theta[beyond] - theta[last]))


def _polar(centre: Floats, radius: Floats, theta: Floats) -> Floats:
    points: Floats = centre + radius[:, None] * np.column_stack([-np.cos(theta), np.sin(theta)])
    return points
