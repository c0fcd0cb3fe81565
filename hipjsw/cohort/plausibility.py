"""Whether points can be a hip: what is checked without a look at the pixels.

Every fault names its rule, the number that failed and the limit. Found are points that no adult's hip has. Not found
are points that make a hip but of another bone or place (the film's edges tell those: ``edge_fit``), a child whose head
is as large as a small adult's, a film mirrored before its points were set, and which of two hips is the wrong one.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import shapely
from numpy.typing import NDArray

from hipjsw.anatomy.landmarks import ADULT_HEAD_RADIUS_MM, HipLandmarks, Region, Side
from hipjsw.anatomy.numbering import LONGEST_STEP, longest_step
from hipjsw.imaging.spacing import PixelSpacing

__all__ = ["LONGEST_STEP_MM", "Fault", "hip_faults", "pair_faults"]

#: A rule's name and what was found.
Fault = tuple[str, str]
Floats = NDArray[np.float64]

#: Longest step between neighbours of femur or roof: 17 to 20 mm in a right order, 71 to 78 mm in a wrong one.
LONGEST_STEP_MM = 40.0
#: How far the head's points may lie off their circle, in radii; flattened heads reach half of it.
_OFF_CIRCLE = 0.15
#: How deep the roof may lie inside the femur, in radii of the head: bones may touch and slightly overlap.
_DEPTH = 0.3
#: How far the nearest point of the sourcil may lie from the head's centre, in radii.
_FAR = 2.0
#: Two heads of one person: ratio of radii, least distance in radii, tilt of the line through them.
_UNLIKE, _NEAR, _TILT_DEG = 1.25, 3.0, 20.0
#: How far lateral of the head's centre the shaft's ends may lie in the mean, in radii of the head: 1.94 at most in 600
#: phantoms that lie straight, 2.77 at least in 600 in a frog-leg pose.
_SHAFT_LATERAL = 2.4
#: Sampling of curves in which crossings are looked for.
_STEP_MM = 1.0


def hip_faults(landmarks_mm: HipLandmarks, film_shape: tuple[int, int], spacing: PixelSpacing) -> list[Fault]:
    """What is wrong with a hip's points by themselves.

    Args:
        landmarks_mm: The hip's landmarks on the film in mm.
        film_shape: ``(rows, cols)`` of the film.
        spacing: The film's spacing.

    Returns:
        ``(rule, message)`` of each fault, empty for a plausible hip.
    """
    faults = _step_faults(landmarks_mm) + _outside_faults(landmarks_mm, film_shape, spacing)
    try:
        centre_mm, radius_mm = landmarks_mm.head_circle()
    except ValueError:
        return [("head_radius", "the femoral head's points (18-27) lie on a line, so it has no radius"), *faults]
    faults += _head_faults(landmarks_mm, centre_mm, radius_mm)
    if any(rule in ("head_radius", "step_length") for rule, _ in faults):
        return faults  # what follows is told in these
    sides = _side_faults(landmarks_mm)
    pose = [] if sides else _pose_faults(landmarks_mm, centre_mm, radius_mm)
    return faults + sides + pose + _roof_faults(landmarks_mm, centre_mm, radius_mm)


def pair_faults(hips: Mapping[Side, HipLandmarks]) -> list[Fault]:
    """What is wrong with two hips together; which of them is the wrong one, their points cannot say.

    Args:
        hips: The film's hips in mm (any one unit), of one or both sides.

    Returns:
        ``(rule, message)`` of each fault, empty for a plausible pair and for a single hip.
    """
    if len(hips) < 2:
        return []
    try:
        (right, right_mm), (left, left_mm) = (hips[side].head_circle() for side in (Side.RIGHT, Side.LEFT))
    except ValueError:
        return []  # said of the hip itself
    faults: list[Fault] = []
    unlike = max(right_mm, left_mm) / max(min(right_mm, left_mm), 1e-9)
    if unlike > _UNLIKE:
        sizes = f"the heads' radii of {right_mm:.1f} mm (right) and {left_mm:.1f} mm (left)"
        faults.append(("head_radius", f"{sizes} differ by a factor of {unlike:.2f}, more than {_UNLIKE:g}"))
    down_mm, across_mm = (float(v) for v in left - right)
    apart = float(np.hypot(down_mm, across_mm)) / max((right_mm + left_mm) / 2, 1e-9)
    if apart < _NEAR:
        faults.append(("misplaced", f"the two heads are {apart:.1f} radii apart, less than {_NEAR:g}: one hip twice?"))
    elif across_mm < 0:
        faults.append(("sides_swapped", f"the right hip's head lies {-across_mm:.0f} mm right of the left hip's"))
    elif (tilt_deg := float(np.degrees(np.arctan2(abs(down_mm), across_mm)))) > _TILT_DEG:
        message = f"the line through the heads is tilted by {tilt_deg:.0f} degrees, more than {_TILT_DEG:g}"
        faults.append(("misplaced", message))
    return faults


def _step_faults(landmarks_mm: HipLandmarks) -> list[Fault]:
    faults: list[Fault] = []
    for name, region in (("femur (0-34)", Region.FEMUR), ("roof (67-74)", Region.ROOF)):
        steps_mm = np.linalg.norm(np.diff(landmarks_mm.points[region], axis=0), axis=1)
        if steps_mm.max() > LONGEST_STEP_MM:
            where = region.start + int(steps_mm.argmax())
            step = f"a step of {steps_mm.max():.1f} mm along the {name} from point {where}"
            faults.append(("step_length", f"{step}, more than {LONGEST_STEP_MM:g} mm; are they in BoneFinder's order?"))
        elif steps_mm.min() <= 0:
            where = region.start + int(steps_mm.argmin())
            faults.append(("step_length", f"points {where} and {where + 1} of the {name} are one: a step of 0 mm"))
    ratio = longest_step(landmarks_mm.points)
    if not faults and np.isfinite(ratio) and ratio > LONGEST_STEP:
        message = f"a step of {ratio:.2f} head radii along the femur (0-34), more than {LONGEST_STEP:g}"
        faults.append(("step_length", f"{message}; are they in BoneFinder's order?"))
    return faults


def _outside_faults(landmarks_mm: HipLandmarks, film_shape: tuple[int, int], spacing: PixelSpacing) -> list[Fault]:
    joint_px = spacing.to_px(np.concatenate([landmarks_mm.points[Region.HEAD], landmarks_mm.points[Region.SOURCIL]]))
    beyond_px = np.maximum(-0.5 - joint_px, joint_px - (np.asarray(film_shape) - 0.5)).max(axis=1)
    outside = int((beyond_px > 0).sum())
    if outside == 0:
        return []
    far_mm = float(beyond_px.max()) * spacing.mean_mm
    message = f"{outside} of the {len(joint_px)} points of head and sourcil lie outside the film, by up to {far_mm:.1f}"
    return [("outside_film", f"{message} mm, where none may")]


def _head_faults(landmarks_mm: HipLandmarks, centre_mm: Floats, radius_mm: float) -> list[Fault]:
    low, high = ADULT_HEAD_RADIUS_MM
    if not low <= radius_mm <= high:
        return [("head_radius", f"a femoral head of radius {radius_mm:.1f} mm, not between {low:g} and {high:g} mm")]
    distances_mm = np.linalg.norm(landmarks_mm.points[Region.HEAD] - centre_mm, axis=1)
    off = float(np.abs(distances_mm - radius_mm).max()) / radius_mm
    if off > _OFF_CIRCLE:
        message = f"the femoral head's points lie off their circle by {off:.2f} radii, more than {_OFF_CIRCLE:g}"
        return [("head_radius", message)]
    return []


def _side_faults(landmarks_mm: HipLandmarks) -> list[Fault]:
    medial = 1.0 if landmarks_mm.side is Side.RIGHT else -1.0
    run_mm = medial * float(landmarks_mm.points[74, 1] - landmarks_mm.points[70, 1])
    if run_mm > 0:
        return []
    return [("sides_swapped", f"the sourcil (70-74) runs {-run_mm:.1f} mm away from the film's middle, not towards it")]


def _pose_faults(landmarks_mm: HipLandmarks, centre_mm: Floats, radius_mm: float) -> list[Fault]:
    lateral = -1.0 if landmarks_mm.side is Side.RIGHT else 1.0
    ends_mm = landmarks_mm.points[[Region.FEMUR.start, Region.FEMUR.stop - 1], 1] - centre_mm[1]
    away = lateral * float(ends_mm.mean()) / radius_mm
    if away <= _SHAFT_LATERAL:
        return []
    message = f"the shaft (0, 34) ends {away:.1f} head radii lateral of the head, more than {_SHAFT_LATERAL:g}"
    return [("pose", message)]


def _roof_faults(landmarks_mm: HipLandmarks, centre_mm: Floats, radius_mm: float) -> list[Fault]:
    points = landmarks_mm.points
    femur, sourcil = landmarks_mm.femur.sample(_STEP_MM), landmarks_mm.sourcil.sample(_STEP_MM)
    roof = np.concatenate([landmarks_mm.lateral_ilium.sample(_STEP_MM), sourcil[1:]])
    outline = shapely.Polygon(femur)
    if not outline.is_valid:
        return [("crossing_curves", f"the femur's outline (0-34) crosses itself at {_where(outline)}")]
    if not shapely.LineString(roof).is_simple:
        return [("crossing_curves", "the roof (67-74) crosses itself")]
    above_mm = float(centre_mm[0] - points[Region.SOURCIL, 0].max())
    if above_mm <= 0:
        return [("crossing_curves", f"the sourcil (70-74) reaches {-above_mm:.1f} mm below the femoral head's centre")]
    nearest = float(np.linalg.norm(sourcil - centre_mm, axis=1).min()) / radius_mm
    if nearest > _FAR:
        message = f"the sourcil (70-74) is {nearest:.1f} head radii from the head's centre, more than {_FAR:g}"
        return [("misplaced", message)]
    inside = shapely.points(roof)
    shapely.prepare(outline)
    depths_mm = shapely.distance(outline.exterior, inside) * shapely.contains(outline, inside)
    depth = max(float(depths_mm.max()) / radius_mm, 1.0 - nearest)
    if depth > _DEPTH:
        message = f"the roof (67-74) lies {depth:.2f} head radii deep inside the femur, more than {_DEPTH:g}"
        return [("crossing_curves", message)]
    return []


def _where(outline: shapely.Polygon) -> str:
    """Where a polygon crosses itself, as ``row 12 mm, column 34 mm``."""
    words = shapely.is_valid_reason(outline).partition("[")[2].rstrip("]").split()
    return f"row {float(words[0]):.0f} mm, column {float(words[1]):.0f} mm" if len(words) == 2 else "some place"
