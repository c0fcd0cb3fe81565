"""A proximal femur as a film shows it: tube, neck, head, trochanters, and the bands of trabeculae."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.landmarks import Side
from hipjsw.phantom.field import blob, constant, ramp, total
from hipjsw.phantom.outline import ring
from hipjsw.phantom.pelvis import HalfPelvis
from hipjsw.phantom.placement import Placement
from hipjsw.phantom.solid import Element, Patch, Solid, Stroke

__all__ = ["femur_elements"]

Points = NDArray[np.float64]

#: The shaft runs on below its outline, so that no film shows its end.
_BEYOND_MM = 150.0


def _shaft(half: HalfPelvis, side: Side, placement: Placement, density: float) -> Solid:
    hip, radius = half.hip, half.hip.form.head_radius_mm
    unit = radius / 27.5
    marks = hip.femur_points
    neck = 0.5 * (marks[15] + marks[29])
    trochanter = 0.5 * (marks[5] + marks[11])
    low = marks[31]
    cortex = total(
        ramp((1.1 * radius, 0.0), (3.0 * radius, 0.0), 0.08, 5.6 * unit),
        blob((float(low[0]) - 6.0, float(low[1])), (16.0, 8.0), 1.0 * unit),
    )
    spongy = total(
        constant(0.24),
        blob((-0.45 * radius, 0.15 * radius), (0.42 * radius, 0.40 * radius), 0.10),
        blob((0.45 * radius, -0.05 * radius), (0.75 * radius, 0.24 * radius), 0.34, -35.0),
        blob((float(neck[0]) + 5.0, float(neck[1]) - 4.0), (10.0, 8.0), -0.10),
        blob((float(trochanter[0]) + 4.0, float(trochanter[1])), (15.0, 11.0), -0.22),
        ramp((1.2 * radius, 0.0), (2.7 * radius, 0.0), 0.0, -1.25),
        low=-1.5,
    )
    thin = total(
        constant(1.0),
        blob((float(trochanter[0]) - 6.0, float(trochanter[1])), (16.0, 13.0), -0.46),
        ramp((1.2 * radius, 0.0), (2.8 * radius, 0.0), 0.0, -0.56),
    )
    line = hip.femur.sample(0.4)
    ends = np.array([line[-1], line[0]])
    down = ends - np.array([line[-9], line[8]])
    beyond = ends + _BEYOND_MM * down / np.linalg.norm(down, axis=1, keepdims=True)
    return Solid(
        "femur", (placement.hip_to_mm(np.concatenate([line, beyond]), side),),
        round_mm=0.66 * radius, cortex_mm=cortex, plate_mm=0.7, spongy=lambda r, c: density * spongy(r, c),
        factor=thin, grain=0.10, streak=1 if side is Side.RIGHT else 2, frame=placement.hip_frame(side),
    )  # fmt: skip


def _trochanters(half: HalfPelvis, side: Side, placement: Placement) -> list[Element]:
    hip, unit = half.hip, half.hip.form.head_radius_mm / 27.5
    marks = hip.femur_points
    inner = half.trochanter_line.sample(1.0)
    greater = np.concatenate([inner, marks[10:4:-1]])
    crest = np.array([inner[-1], 0.5 * (inner[-1] + marks[31]) + (2.0, 3.0), marks[32] + np.array([0.0, -3.0])])
    bump = marks[32]
    turn = np.deg2rad(np.linspace(-75.0, 75.0, 20))
    lesser = bump + unit * np.column_stack([11.0 * np.sin(turn), 2.0 - 9.0 * np.cos(turn)])
    frame = placement.hip_frame(side)
    return [
        Solid(
            "greater trochanter", (placement.hip_to_mm(ring(greater[:: max(len(greater) // 24, 1)]), side),),
            round_mm=6.0 * unit, cortex_mm=0.12, plate_mm=0.5, factor=0.34, spongy=0.7, grain=0.12, frame=frame,
        ),
        Stroke("lesser trochanter", placement.hip_to_mm(lesser, side), 2.2 * unit, 0.14, 0.9),
        Stroke("intertrochanteric crest", placement.hip_to_mm(crest, side), 4.0 * unit, 0.17, 1.3),
    ]  # fmt: skip


def _wear(half: HalfPelvis, side: Side, placement: Placement) -> list[Element]:
    """Osteophytes, sclerosis and cysts, where the hip has them."""
    hip, form = half.hip, half.hip.form
    elements: list[Element] = []
    for outline in hip.osteophytes:
        solid = Solid("osteophyte", (placement.hip_to_mm(outline, side),), 3.0, cortex_mm=0.4, plate_mm=1.0, factor=0.5)
        elements.append(solid)
    sclerosis = form.sclerosis
    if sclerosis > 0:
        angles = np.linspace(-0.8 * form.edge_deg, 0.6 * form.medial_deg, 40)
        for depth, amount in ((1.2, 0.10), (3.0, 0.10), (6.0, 0.06)):
            polar = np.deg2rad(angles)
            outer = form.head_mm(angles) - 0.2
            inner = outer - depth * np.sin(np.linspace(0.05, np.pi - 0.05, 40)) ** 0.6
            line = [np.column_stack([-np.cos(polar) * r, np.sin(polar) * r]) for r in (outer, inner)]
            band = np.concatenate([line[0], line[1][::-1]])
            elements.append(Patch("sclerosis", placement.hip_to_mm(band, side), amount * sclerosis, 0.3))
    for row, col, radius in form.cysts:
        angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        disc = np.array([row, col]) + radius * np.column_stack([np.sin(angle), np.cos(angle)])
        wider = np.array([row, col]) + 1.35 * radius * np.column_stack([np.sin(angle), np.cos(angle)])
        elements.append(Patch("cyst's rim", placement.hip_to_mm(wider, side), 0.05, 0.6))
        elements.append(Patch("cyst", placement.hip_to_mm(disc, side), -0.13, 0.5))
    return elements


def femur_elements(half: HalfPelvis, side: Side, placement: Placement, density: float = 1.0) -> list[Element]:
    """What draws a femur.

    Args:
        half: The hip.
        side: The patient's side.
        placement: Where the pelvis lies on the film.
        density: Of the trabecular bone, 1 for the average.
    """
    hip, radius = half.hip, half.hip.form.head_radius_mm
    marks = hip.femur_points
    calcar = marks[28:32] + np.array([[-1.0, -2.6]])
    ends = np.deg2rad([-58.0, 135.0])
    first, last = 0.93 * radius * np.column_stack([-np.cos(ends), np.sin(ends)])
    share = np.linspace(0.0, 1.0, 24)[:, None]
    scar = first + share * (last - first) + 0.6 * share * (1 - share) * 0.5 * (first + last) * -1.0
    fovea = np.deg2rad(105.0)
    pit = 0.97 * radius * np.array([[-np.cos(fovea), np.sin(fovea)]])
    angle = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    hollow = pit + np.column_stack([4.0 * np.sin(angle), 2.6 * np.cos(angle)])
    return [
        _shaft(half, side, placement, density),
        *_trochanters(half, side, placement),
        Stroke("growth scar", placement.hip_to_mm(scar, side), 1.8, 0.04, 0.8),
        Stroke("calcar", placement.hip_to_mm(calcar, side), 4.2, 0.12, 1.4),
        Patch("fovea", placement.hip_to_mm(hollow, side), -0.06, 1.2),
        *_wear(half, side, placement),
    ]
