"""What is exactly known of a hip: minimum, profile and centre-edge angle, from the curves themselves.

The profile is the shortest distance from a place on the sourcil to the whole margin of the femoral head, at places
of equal arc length from the lateral edge (share 0) to the medial end (share 1). It is refined along the curves, not
sampled: a value is right to far less than 0.001 mm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from hipjsw.phantom.shape import CONTACT_MM, Hip

__all__ = ["PROFILE_PLACES", "HipTruth", "hip_truth"]

Points = NDArray[np.float64]

#: Places of the profile, lateral edge and medial end included.
PROFILE_PLACES = 101
_STEP_MM = 0.1


@dataclass(frozen=True, eq=False)
class HipTruth:
    """What is exactly known of one hip.

    Args:
        mjsw_mm: Shortest distance between sourcil and femoral head; 0 where they touch.
        place: Where along the sourcil that is: share of arc length, 0 lateral edge, 1 medial end.
        profile_mm: ``(101,)`` shortest distance to the head at places of equal arc length, lateral to medial.
        centre_edge_deg: Angle at the head's centre between straight up and the sourcil's lateral edge, in the hip's
            frame (a film's turn in its plane adds to it).
    """

    mjsw_mm: float
    place: float
    profile_mm: Points
    centre_edge_deg: float

    @property
    def p5_mm(self) -> float:
        """5th percentile of the profile."""
        return float(np.percentile(self.profile_mm, 5.0))

    @property
    def mean_mm(self) -> float:
        """Mean of the profile."""
        return float(self.profile_mm.mean())

    @property
    def median_mm(self) -> float:
        """Median of the profile."""
        return float(np.median(self.profile_mm))

    @property
    def lateral_mm(self) -> float:
        """Mean over the lateral third of the sourcil's length."""
        return self._third(0)

    @property
    def central_mm(self) -> float:
        """Mean over the middle third."""
        return self._third(1)

    @property
    def medial_mm(self) -> float:
        """Mean over the medial third."""
        return self._third(2)

    def _third(self, number: int) -> float:
        """Mean of the broken line through the profile over one third of the sourcil's length."""
        places = np.linspace(0.0, 1.0, len(self.profile_mm))
        cuts = np.array([number / 3, (number + 1) / 3])
        inside = places[(places > cuts[0]) & (places < cuts[1])]
        where = np.concatenate([cuts[:1], inside, cuts[1:]])
        return float(np.trapezoid(np.interp(where, places, self.profile_mm), where) * 3)


def _roof_places(hip: Hip) -> tuple[Points, Points, Points]:
    """Profile places ``(101, 2)``, and a fine sampling ``(n, 2)`` of the sourcil with its shares of arc length."""
    end = float(hip.sourcil.knots[-1])
    parameters = np.linspace(0.0, end, int(np.ceil(end / 0.02)) + 1)
    fine = hip.sourcil.at(parameters)
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(fine, axis=0), axis=1))])
    wanted = np.interp(np.linspace(0.0, arc[-1], PROFILE_PLACES), arc, parameters)
    return hip.sourcil.at(wanted), fine, arc / arc[-1]


def _to_head(hip: Hip, points: Points) -> Points:
    """Shortest distance in mm from points ``(n, 2)`` to the head's margin, ``(n,)``."""
    low, high = hip.head_span
    grid = np.linspace(low, high, int(np.ceil((high - low) / _STEP_MM)) + 1)
    tree = cKDTree(hip.femur.at(grid), balanced_tree=False, compact_nodes=False)
    found = grid[np.asarray(tree.query(points)[1])]
    reach, around = _STEP_MM, np.linspace(-1.0, 1.0, 9)
    distance = np.zeros(len(points))
    while reach > 1e-5:
        tried = np.clip(found[:, None] + reach * around, low, high)
        places = hip.femur.at(tried.ravel()).reshape(*tried.shape, 2)
        gaps = np.linalg.norm(places - points[:, None], axis=2)
        best = np.argmin(gaps, axis=1)
        rows = np.arange(len(points))
        found, distance, reach = tried[rows, best], gaps[rows, best], reach / 4
    return np.where(distance < CONTACT_MM, 0.0, distance)


def hip_truth(hip: Hip) -> HipTruth:
    """Everything exactly known of a hip.

    Args:
        hip: Its curves.
    """
    mjsw_mm, on_sourcil, _ = hip.nearest
    places, fine, share = _roof_places(hip)
    place = float(share[np.argmin(((fine - on_sourcil) ** 2).sum(axis=1))])
    profile = np.maximum(_to_head(hip, places), mjsw_mm)
    edge = hip.sourcil.points[0]
    angle = float(np.rad2deg(np.arctan2(-edge[1], -edge[0])))
    return HipTruth(mjsw_mm, place, profile, angle)
