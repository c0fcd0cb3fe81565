"""Shared hips of known geometry."""

import os
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from hipjsw.anatomy.landmarks import HipLandmarks, Side

# No test is timed, and what lands is judged by the same cases each time; elsewhere each run tries new ones.
settings.register_profile(
    "hipjsw", deadline=None, derandomize="CI" in os.environ, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("hipjsw")


@dataclass(frozen=True)
class CircleHip:
    """A head and a roof that are circles, so that the joint space has a closed form."""

    radius_mm: float = 26.0
    roof_radius_mm: float = 31.0
    offset_mm: tuple[float, float] = (0.0, 0.0)  # roof centre relative to the head's, (row, col)
    lateral_deg: float = -34.0
    medial_deg: float = 30.0

    def sourcil(self, count):
        """Roof points at angles about the roof's centre, lateral to medial, relative to the head's centre."""
        angle = np.deg2rad(np.linspace(self.lateral_deg, self.medial_deg, count))
        return np.array(self.offset_mm) + self.roof_radius_mm * np.column_stack([-np.cos(angle), np.sin(angle)])

    @property
    def mjsw_mm(self):
        """Exact: distance of the nearest roof point from the head's centre, less the head's radius."""
        return max(np.linalg.norm(self.sourcil(200_001), axis=1).min() - self.radius_mm, 0.0)

    def landmarks(self, centre=(0.0, 0.0), scale=1.0, side=Side.RIGHT):
        """80 landmarks: the head's and the roof's on their circles, a plausible femur below, the rest anywhere."""
        r = self.radius_mm
        head = np.deg2rad(np.linspace(-62 - 3 * 21.3, 130, 13))  # the three before 18 lie on the circle as well
        head = r * np.column_stack([-np.cos(head), np.sin(head)])
        lateral = np.array(
            [[95, -52], [78, -53], [62, -56], [46, -60], [30, -66], [14, -68], [2, -64], [-4, -57], [0, -51],
             [5, -47.5], [10, -43.5], [14.5, -39], [18, -34.5], [20, -30], [19.5, -25]]
        ) * (r / 26)  # fmt: skip
        medial = np.array([[24, 12], [30, 2], [36, -8], [46, -16], [60, -20], [78, -22], [95, -22]]) * (r / 26)
        points = np.zeros((80, 2))
        points[0:35] = np.concatenate([lateral, head, medial])
        sourcil = self.sourcil(5)
        points[67:70] = sourcil[0] + np.array([[-14, -10], [-9, -7], [-4, -3.5]])
        points[70:75] = sourcil
        rest = np.r_[35:67, 75:80]
        points[rest] = np.column_stack([np.linspace(20, 60, len(rest)), np.linspace(30, 60, len(rest))])
        return HipLandmarks(points * scale + np.asarray(centre), side)


@pytest.fixture
def circle_hip():
    """Factory of ``CircleHip``."""
    return CircleHip
