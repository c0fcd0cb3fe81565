"""What shapes a hip: plain numbers, and the two smooth functions of the angle they stand for.

Angles about the head run in degrees from straight up, positive medially. The head is its radius over the angle;
the roof is the head's radius plus the joint space's width, which is never negative.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Dip", "HipForm", "Wave"]

Angles = NDArray[np.float64]


class Wave(NamedTuple):
    """A small ripple of a bone's surface over the angle about the head.

    Args:
        order: Ripples in a full turn.
        amplitude_mm: Half its height.
        phase_deg: Its phase.
    """

    order: float
    amplitude_mm: float
    phase_deg: float


class Dip(NamedTuple):
    """A local recess of a bone's surface (a bump where the depth is negative).

    Args:
        angle_deg: Angle about the head at which it is deepest.
        depth_mm: How deep.
        half_deg: Half its width at half depth.
    """

    angle_deg: float
    depth_mm: float
    half_deg: float


_ROUND = Dip(0.0, 0.0, 30.0)


def _bell(angle_deg: Angles, dip: Dip) -> Angles:
    offset = (angle_deg - dip.angle_deg) / dip.half_deg
    return np.asarray(dip.depth_mm * np.exp(-np.log(2.0) * offset**2), dtype=np.float64)


def _ripples(angle_deg: Angles, waves: Iterable[Wave]) -> Angles:
    table = np.array(list(waves), dtype=np.float64).reshape(-1, 3)
    turns = np.deg2rad(angle_deg[:, None] * table[:, 0] - table[:, 2])
    return np.asarray(np.cos(turns) @ table[:, 1], dtype=np.float64)


@dataclass(frozen=True)
class HipForm:
    """What shapes one hip. Lengths without a unit are multiples of the head's radius.

    Args:
        head_radius_mm: Mean radius of the projected femoral head.
        head_waves_mm: Amplitudes of the second and third harmonic of the head's outline.
        head_phases_deg: Their phases.
        neck_shaft_deg: Angle between neck and shaft, as it would show with the neck parallel to the film.
        neck_length: Head centre to the crossing of neck and shaft axis, likewise.
        neck_half_width: Half the width of the neck at its narrowest.
        shaft_half_width: Half the width of the shaft.
        shaft_tilt_deg: Lean of the shaft; positive brings its lower end medially.
        trochanter: Reach of the greater trochanter beyond the shaft's axis, laterally.
        trochanter_tip: Height of its tip above the crossing of neck and shaft axis.
        lesser: Height of the lesser trochanter's bump over the shaft's medial border, leg in neutral rotation.
        edge_deg: Centre-edge angle: how far lateral of straight up the roof begins.
        medial_deg: How far medially the sourcil reaches.
        min_width_mm: Least radial width of the joint space along the sourcil; 0 is bone on bone.
        trend_mm: Width at the lateral edge less width at the medial end, before the narrowing.
        dip_mm: Depth of the local narrowing.
        dip_deg: Angle at which it is deepest.
        dip_half_deg: Its half width at half depth.
        neck_offset: How far the neck's axis passes above the head's centre (large in a pistol grip).
        lesser_low: How far the lesser trochanter's centre lies below the head's centre.
        lesser_half: Half the length of its bump.
        shaft_taper: Share of its width the shaft loses towards its lower end.
        anteversion_deg: Angle by which the neck points forwards of the film's plane, leg in neutral rotation.
        rotation_deg: Outward rotation of the leg on this film; the joint space does not depend on it.
        flattening: A flattening of the head (osteoarthritis, old Perthes).
        cam_mm: Height of the bump at the lateral junction of head and neck.
        fovea: The fovea of the head's medial side.
        head_grain: Roughness of the head.
        roof_grain: Roughness of the roof.
        roof_dips: Local recesses of the roof.
        trochanter_grain_mm: Roughness of the greater trochanter.
        lip_mm: Length of the osteophyte at the roof's lateral edge; 0 for none.
        collar_mm: Heights of the osteophytes at the head's lateral and medial junction with the neck.
        sclerosis: How dense the bone above the roof is, 0 to 1.
        cysts: Cysts ``(row_mm, col_mm, radius_mm)`` above the roof or in the head.
    """

    head_radius_mm: float
    head_waves_mm: tuple[float, float]
    head_phases_deg: tuple[float, float]
    neck_shaft_deg: float
    neck_length: float
    neck_half_width: float
    shaft_half_width: float
    shaft_tilt_deg: float
    trochanter: float
    trochanter_tip: float
    lesser: float
    edge_deg: float
    medial_deg: float
    min_width_mm: float
    trend_mm: float
    dip_mm: float
    dip_deg: float
    dip_half_deg: float
    neck_offset: float = 0.06
    lesser_low: float = 2.1
    lesser_half: float = 0.36
    shaft_taper: float = 0.05
    anteversion_deg: float = 15.0
    rotation_deg: float = -8.0
    flattening: Dip = _ROUND
    cam_mm: float = 0.0
    fovea: Dip = _ROUND
    head_grain: tuple[Wave, ...] = ()
    roof_grain: tuple[Wave, ...] = ()
    roof_dips: tuple[Dip, ...] = ()
    trochanter_grain_mm: tuple[float, ...] = ()
    lip_mm: float = 0.0
    collar_mm: tuple[float, float] = (0.0, 0.0)
    sclerosis: float = 0.0
    cysts: tuple[tuple[float, float, float], ...] = ()

    @cached_property
    def neck(self) -> tuple[float, float]:
        """Drop and lateral reach of the neck's axis on the film, head centre to shaft axis, shaft upright."""
        angle = np.deg2rad(180.0 - self.neck_shaft_deg)
        facing = np.cos(np.deg2rad(self.anteversion_deg + self.rotation_deg))
        return float(self.neck_length * np.cos(angle)), float(self.neck_length * np.sin(angle) * facing)

    @cached_property
    def head_arc_deg(self) -> tuple[float, float]:
        """Angles between which the femur's outline is the head's: its lateral and medial junction with the neck.

        Whole degrees, so that the head's outline goes through the same points however the leg is turned.
        """
        drop, reach = self.neck
        axis = round(float(np.rad2deg(np.arctan2(reach, drop))) - 180.0 - self.shaft_tilt_deg)
        return float(np.clip(axis + 64, -84, -60)), float(np.clip(axis + 298, 148, 178))

    def head_mm(self, angle_deg: Angles) -> Angles:
        """Radius of the head's outline in mm at angles ``(n,)`` from straight up, positive medially."""
        radius = self.head_radius_mm + _ripples(angle_deg, self.head_grain)
        for order, amplitude, phase in zip((2, 3), self.head_waves_mm, self.head_phases_deg, strict=True):
            radius += amplitude * np.cos(order * np.deg2rad(angle_deg - phase))
        junction = float(np.clip(64.0 - self.neck_shaft_deg - self.shaft_tilt_deg, -84.0, -60.0))
        cam = Dip(junction + 1.0, -self.cam_mm, 9.0)
        for dip in (self.flattening, self.fovea, cam):
            radius -= _bell(angle_deg, dip)
        return radius

    def width_mm(self, angle_deg: Angles) -> Angles:
        """Radial width of the joint space in mm at angles ``(n,)`` along the sourcil; never negative."""
        relief = np.maximum(self._relief(angle_deg) - self._lowest, 0.0)
        return np.asarray(relief + self.min_width_mm, dtype=np.float64)

    @cached_property
    def _lowest(self) -> float:
        return float(self._relief(np.linspace(-self.edge_deg, self.medial_deg, 2001)).min())

    def _relief(self, angle_deg: Angles) -> Angles:
        """Width less a constant: a trend, the narrowing, and the roughness of roof and head."""
        middle, span = (self.medial_deg - self.edge_deg) / 2, self.medial_deg + self.edge_deg
        relief = -self.trend_mm * (angle_deg - middle) / span
        relief -= _bell(angle_deg, Dip(self.dip_deg, self.dip_mm, self.dip_half_deg))
        for dip in self.roof_dips:
            relief += _bell(angle_deg, dip)
        return np.asarray(
            relief + _ripples(angle_deg, self.roof_grain) - _ripples(angle_deg, self.head_grain), dtype=np.float64
        )
