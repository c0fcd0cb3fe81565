"""Joint space width between the roof and the femoral head, as a profile along the weight-bearing part.

The width at a place of the sourcil is the shortest distance from there to the head margin; the minimum over the
sourcil, lateral edge (70) to medial end (74), is the mJSW.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.landmarks import HipLandmarks
from hipjsw.jsw.polyline import arc_length, equal_steps, nearest_on_polyline

__all__ = ["FIXED_DEG", "REGIONS", "JointSpaceWidth", "Unmeasurable", "measure_curves", "measure_landmarks"]

#: Distance between profile places; the error of the minimum is below 0.001 mm.
STEP_MM = 0.2
#: A curve shorter than this is none.
SHORTEST_MM = 5.0
#: What the minimum is taken over: the whole sourcil; the part of it within 20 degrees of straight above the head's
#: centre; or the three thirds of the sourcil, each by its mean.
REGIONS = ("sourcil", "arc40", "thirds")
#: Half the arc of ``arc40``.
HALF_ARC_DEG = 20.0
#: Fixed places in use besides a minimum: degrees medially of straight above the head's centre.
FIXED_DEG = (10.0, 30.0, 50.0)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Unmeasurable:
    """A hip without a width, and why. A value, so that nobody averages over it by accident."""

    reason: str


@dataclass(frozen=True, eq=False)
class JointSpaceWidth:
    """What was measured on one hip; all points ``(row, col)`` in mm of the curves' frame.

    Args:
        mjsw_mm: Minimum joint space width; 0 where bone meets bone.
        place: Where the minimum lies along the sourcil, 0 lateral edge to 1 medial end.
        roof_witness_mm: ``(2,)`` point of the roof at the minimum.
        head_witness_mm: ``(2,)`` nearest point of the head margin.
        profile_mm: ``(n,)`` width at equal steps of arc length along the sourcil, lateral to medial.
        roof_mm: ``(n, 2)`` the places of the profile.
        foot_mm: ``(n, 2)`` the head margin's nearest point to each of them.
        head_mm: ``(m, 2)`` the head margin measured against.
        centre_mm: ``(2,)`` the head's centre, about which angles are.
        interval_mm: 95 % interval of the minimum; None where no calibration was applied.
        band_mm: ``(2, n)`` 95 % band of the profile, place by place; None likewise.
        quality: How far the measurement is to be trusted, 0 to 1; None likewise.
    """

    mjsw_mm: float
    place: float
    roof_witness_mm: Floats
    head_witness_mm: Floats
    profile_mm: Floats
    roof_mm: Floats
    foot_mm: Floats
    head_mm: Floats
    centre_mm: Floats
    interval_mm: tuple[float, float] | None = None
    band_mm: Floats | None = None
    quality: float | None = None

    @property
    def length_mm(self) -> float:
        """Length of the sourcil measured along."""
        return float(arc_length(self.roof_mm)[-1])

    @property
    def p5_mm(self) -> float:
        """5th percentile of the profile; less moved by a rough edge than the minimum."""
        return float(np.percentile(self.profile_mm, 5.0))

    @property
    def mean_mm(self) -> float:
        """Mean of the profile."""
        return float(self.profile_mm.mean())

    @property
    def median_mm(self) -> float:
        """Median of the profile."""
        return float(np.median(self.profile_mm))

    @cached_property
    def thirds_mm(self) -> tuple[float, float, float]:
        """Mean width of the lateral, the middle and the medial third of the sourcil's length."""
        share = np.linspace(0.0, 1.0, len(self.profile_mm))
        cuts = np.linspace(0.0, 1.0, 4)
        where = np.sort(np.concatenate([share, cuts[1:3]]))
        area = np.zeros(len(where))
        width = np.interp(where, share, self.profile_mm)
        area[1:] = np.cumsum(np.diff(where) * (width[1:] + width[:-1]) / 2)
        lateral, central, medial = (3.0 * np.diff(np.interp(cuts, where, area))).tolist()
        return lateral, central, medial

    @property
    def lateral_mm(self) -> float:
        """Mean width of the lateral third."""
        return self.thirds_mm[0]

    @property
    def central_mm(self) -> float:
        """Mean width of the middle third."""
        return self.thirds_mm[1]

    @property
    def medial_mm(self) -> float:
        """Mean width of the medial third."""
        return self.thirds_mm[2]

    @cached_property
    def roof_deg(self) -> Floats:
        """Angle ``(n,)`` of each place about the head's centre, degrees from straight up, positive medially."""
        offset = self.roof_mm - self.centre_mm
        return np.asarray(np.rad2deg(np.arctan2(offset[:, 1], -offset[:, 0])))

    def at_angle(self, angle_deg: float) -> float | None:
        """Width where the sourcil crosses a ray from the head's centre; None where it does not reach that far.

        Args:
            angle_deg: Degrees medially of straight up.
        """
        beyond = np.flatnonzero(self.roof_deg >= angle_deg)
        if len(beyond) == 0 or angle_deg < self.roof_deg[0]:
            return None
        last = int(beyond[0])
        if last == 0:
            return float(self.profile_mm[0])
        low, high = self.roof_deg[last - 1 : last + 1]
        share = (angle_deg - low) / (high - low)
        return float((1 - share) * self.profile_mm[last - 1] + share * self.profile_mm[last])


def measure_curves(
    roof_mm: NDArray[Any], head_mm: NDArray[Any], centre_mm: NDArray[Any], region: str = "sourcil"
) -> JointSpaceWidth | Unmeasurable:
    """Measure between two curves.

    Args:
        roof_mm: ``(n, 2)`` polyline of the sourcil, lateral to medial, ``(row, col)`` in mm.
        head_mm: ``(m, 2)`` polyline of the head margin.
        centre_mm: ``(2,)`` a point inside the head; a roof point nearer to it than the margin is bone on bone.
        region: What the minimum is taken over, one of ``REGIONS``. The profile is always the whole sourcil's. For
            ``thirds``, the minimum is the least of the three means, its place the middle of that third.

    Returns:
        The width, or why there is none (a curve that is missing or shorter than 5 mm, a region it does not reach).

    Raises:
        ValueError: Another region.
    """
    if region not in REGIONS:
        raise ValueError(f"region is one of {', '.join(REGIONS)}, not {region!r}")
    if not np.isfinite(centre_mm).all():
        return Unmeasurable("head's centre that is not finite numbers")
    for name, curve in (("sourcil", roof_mm), ("head margin", head_mm)):
        if not np.isfinite(curve).all():
            return Unmeasurable(f"{name} that is not finite numbers")
        if len(curve) < 2 or arc_length(curve)[-1] < SHORTEST_MM:
            return Unmeasurable(f"{name} shorter than {SHORTEST_MM:.0f} mm")
    centre, head = np.asarray(centre_mm, dtype=np.float64), np.asarray(head_mm, dtype=np.float64)
    places = equal_steps(np.asarray(roof_mm, dtype=np.float64), STEP_MM)
    width, foot = nearest_on_polyline(places, head)
    inside = np.linalg.norm(places - centre, axis=1) < np.linalg.norm(foot - centre, axis=1)
    width = np.where(inside, 0.0, width)
    at = int(width.argmin())
    whole = JointSpaceWidth(
        mjsw_mm=float(width[at]),
        place=at / (len(places) - 1),
        roof_witness_mm=places[at],
        head_witness_mm=foot[at],
        profile_mm=width,
        roof_mm=places,
        foot_mm=foot,
        head_mm=head,
        centre_mm=centre,
    )
    return whole if region == "sourcil" else _within(whole, region)


def _within(whole: JointSpaceWidth, region: str) -> JointSpaceWidth | Unmeasurable:
    """The same profile with its minimum over another region."""
    last = len(whole.profile_mm) - 1
    if region == "thirds":
        least = int(np.argmin(whole.thirds_mm))
        return replace(_moved(whole, round((2 * least + 1) / 6 * last)), mjsw_mm=whole.thirds_mm[least])
    within = np.flatnonzero(np.abs(whole.roof_deg) <= HALF_ARC_DEG)
    if len(within) == 0:
        return Unmeasurable(f"no sourcil within {HALF_ARC_DEG:.0f} degrees of straight above the head")
    return _moved(whole, int(within[whole.profile_mm[within].argmin()]))


def _moved(whole: JointSpaceWidth, at: int) -> JointSpaceWidth:
    """The same profile with another place for its minimum."""
    return replace(
        whole,
        mjsw_mm=float(whole.profile_mm[at]),
        place=at / (len(whole.profile_mm) - 1),
        roof_witness_mm=whole.roof_mm[at],
        head_witness_mm=whole.foot_mm[at],
    )


def measure_landmarks(
    landmarks: HipLandmarks, step_mm: float = STEP_MM, region: str = "sourcil"
) -> JointSpaceWidth | Unmeasurable:
    """Measure the label's own width, between the splines through 70-74 and 18-27, without pixels.

    Args:
        landmarks: One hip's landmarks in mm, ``(row, col)``.
        step_mm: Sampling of the splines.
        region: As for ``measure_curves``.
    """
    centre_mm, _ = landmarks.head_circle()
    return measure_curves(landmarks.sourcil.sample(step_mm), landmarks.head_margin(step_mm), centre_mm, region)
