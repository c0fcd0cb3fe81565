"""Sub-pixel head margin and sourcil from class probabilities.

Both curves are radii over the angle about the head's centre. The middle between them is half-way between the place
where the femur's probability falls through 0.5 and the one where the acetabulum's rises through it. How far apart
they are is the joint space's probability summed along the ray: whatever blurs an edge, a pixel or a network that is
not sure, leaves that sum as it is, so a gap of a fraction of a pixel is measured as well as a wide one. Nothing is
thresholded into a mask for this: a hard mask biases the minimum by about half a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hipjsw.jsw.locating import WIDEST_MM, JointPlace, locate
from hipjsw.jsw.profile import JointSpaceWidth, Unmeasurable, measure_curves
from hipjsw.jsw.rays import RAY_STEP_PX, RAY_TURN_RAD, Rays, along, cast, crossing, refined
from hipjsw.jsw.smoothing import smooth
from hipjsw.jsw.sourcil_ends import Ends, fine_ends, rough_ends

__all__ = ["JointContours", "find_joint", "measure_joint", "measure_probabilities"]

#: Half-power wavelength of the smoothing: undulations shorter than some pixels are the grid's, those of a bone's
#: surface shorter than some millimetres are hardly seen on a film and mostly noise.
GRID_WAVE_PX, BONE_WAVE_MM = 4.0, 6.0
#: Next to its two ends the space is blurred by the corners. There the crossings of the two bones stand in for the
#: sum, with less weight, and nearer still nothing does: the curves are carried on.
END_PX, END_MM = 1.5, 0.5
EDGE_SHARE, EDGE_WEIGHT = 0.4, 0.1
#: The space's probability is summed this far beyond both edges; as far inside them it counts as whole.
TAIL_PX, TAIL_MM = 1.5, 0.8
SHORTEST_MM = 10.0
#: Bone that is looked at below the head's margin and above the roof's edge, and how sure it has to be.
BELOW_MM, ABOVE_MM, SURE_BELOW, SURE_ABOVE = 5.0, 3.0, 0.8, 0.7

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


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


class _Edges(NamedTuple):
    """Along each ray, px: the head's margin, the roof's edge, the space between, and where all are there."""

    head: Floats
    roof: Floats
    gap: Floats
    found: Mask


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
    return measure_joint(find_joint(probs, pixel_mm), pixel_mm, region)


def measure_joint(
    joint: JointContours | Unmeasurable, pixel_mm: float, region: str = "sourcil"
) -> JointSpaceWidth | Unmeasurable:
    """Measure between a joint's curves; arguments and result as of ``measure_probabilities``."""
    if isinstance(joint, Unmeasurable):
        return joint
    return measure_curves(joint.sourcil_px * pixel_mm, joint.head_px * pixel_mm, joint.centre_px * pixel_mm, region)


def find_joint(probs: NDArray[Any], pixel_mm: float) -> JointContours | Unmeasurable:
    """Find head margin and sourcil; arguments as ``measure_probabilities``."""
    probs = np.asarray(probs, dtype=np.float32)
    if not np.isfinite(probs).all():
        return Unmeasurable("probabilities that are not finite numbers")
    place = locate(probs, pixel_mm)
    if isinstance(place, Unmeasurable):
        return place
    for _ in range(2):
        centre, radius = refined(probs, place, pixel_mm)
        place = replace(place, centre_px=centre, radius_px=radius)
    return _trace(cast(probs, place, pixel_mm), place, pixel_mm)


def _trace(rays: Rays, place: JointPlace, pixel_mm: float) -> JointContours | Unmeasurable:
    """Follow both edges over the angles and cut the roof to the sourcil."""
    theta = rays.theta_rad
    edges = _edges(rays, pixel_mm)
    rough = rough_ends(theta, edges.gap, edges.roof - edges.head, edges.found)
    if rough is None or (rough[1] - rough[0]) * place.radius_px * pixel_mm < SHORTEST_MM:
        return Unmeasurable(f"sourcil not found or shorter than {SHORTEST_MM:.0f} mm")
    trim = max(END_PX, END_MM / pixel_mm) / place.radius_px
    within = _between(theta, rough, trim)
    on_roof, on_head = edges.found & within, np.isfinite(edges.head) & _between(theta, rough, -4 * trim)
    if on_roof.sum() < max(10, 0.8 * within.sum()) or on_head.sum() < 10:
        return Unmeasurable("head margin or roof broken")
    reason = _implausible(rays, edges, on_roof, pixel_mm)
    if reason:
        return Unmeasurable(reason)
    wave = max(GRID_WAVE_PX, BONE_WAVE_MM / pixel_mm) / (RAY_TURN_RAD * place.radius_px)
    middle, width = _smoothed_gap(theta, edges, rough, trim, wave)
    ends = fine_ends(rays, middle - width / 2, middle + width / 2, rough, pixel_mm)
    return _contours(rays, place, edges.head, on_head, (middle, width), ends, wave)


def _edges(rays: Rays, pixel_mm: float) -> _Edges:
    radii = rays.radii_px
    head = crossing(rays.femur[:, ::-1], radii[::-1])
    roof = crossing(np.where(radii >= head[:, None] - ABOVE_MM / pixel_mm, rays.roof, np.float32(0)), radii)
    found = np.isfinite(head) & np.isfinite(roof) & ((roof - head) * pixel_mm < WIDEST_MM)
    tail = max(TAIL_PX, TAIL_MM / pixel_mm)
    low, high = head[:, None], roof[:, None]
    summed = np.where((radii > low - tail) & (radii < high + tail), rays.space, np.float32(0))
    summed[(radii > low + tail) & (radii < high - tail) & (rays.space > 0.5)] = 1.0
    return _Edges(head, roof, summed.sum(axis=1, dtype=np.float64) * RAY_STEP_PX, found)


def _between(theta: Floats, ends: Ends, trim: float) -> Mask:
    return (theta >= ends[0] + trim) & (theta <= ends[1] - trim)


def _smoothed_gap(theta: Floats, edges: _Edges, rough: Ends, trim: float, wave: float) -> tuple[Floats, Floats]:
    """Middle and width of the gap over all angles, px."""
    inside, nearly = _between(theta, rough, trim), _between(theta, rough, EDGE_SHARE * trim)
    weight = np.where(edges.found & nearly, np.where(inside, 1.0, EDGE_WEIGHT), 0.0)
    width = np.where(inside, edges.gap, edges.roof - edges.head)
    middle, smoothed = smooth(np.stack([(edges.head + edges.roof) / 2, width]), weight, wave)
    return middle, smoothed


def _contours(
    rays: Rays,
    place: JointPlace,
    head_r: Floats,
    on_head: Mask,
    gap: tuple[Floats, Floats],
    ends: Ends,
    wave: float,
) -> JointContours:
    """The two curves; beyond the sourcil's ends the head's margin goes on as the femur's own edge."""
    theta, (middle, width) = rays.theta_rad, gap
    margin = smooth(head_r, on_head.astype(np.float64), wave)
    under = np.flatnonzero(_between(theta, ends, 0.0))
    shift = np.interp(theta, theta[under], (middle - width / 2 - margin)[under])
    head = margin + shift
    wide = np.flatnonzero(on_head)
    shown = slice(min(wide[0], under[0]), max(wide[-1], under[-1]) + 1)
    places = np.concatenate([ends[:1], theta[under], ends[1:]])
    sourcil = np.interp(places, theta, head + width)
    return JointContours(
        centre_px=place.centre_px,
        radius_px=place.radius_px,
        head_px=along(place.centre_px, head[shown], theta[shown]),
        sourcil_px=along(place.centre_px, sourcil, places),
    )


def _implausible(rays: Rays, edges: _Edges, on_roof: Mask, pixel_mm: float) -> str:
    """Why the maps round the two edges are no joint's; empty where they are one's."""
    radii, head, roof = rays.radii_px, edges.head[on_roof, None], edges.roof[on_roof, None]
    above = (radii > roof) & (radii < roof + ABOVE_MM / pixel_mm)
    if rays.space[on_roof][above].mean() > 0.5:
        return "joint space and acetabulum are claimed for the same place"
    below = (radii < head) & (radii > head - BELOW_MM / pixel_mm)
    if rays.femur[on_roof][below].mean() < SURE_BELOW or rays.roof[on_roof][above].mean() < SURE_ABOVE:
        return "no solid head below or no solid roof above the joint"
    return ""
