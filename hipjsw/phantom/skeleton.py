"""All bones of a film, and what may be planted among them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import NDArray

from hipjsw.anatomy.landmarks import Side
from hipjsw.phantom.artefact import prosthesis_elements, screw_elements
from hipjsw.phantom.bone_femur import femur_elements
from hipjsw.phantom.bone_pelvis import pelvis_elements
from hipjsw.phantom.pelvis import HalfPelvis
from hipjsw.phantom.placement import Placement
from hipjsw.phantom.planting import Plant
from hipjsw.phantom.solid import Element, Solid, Stroke
from hipjsw.phantom.spine import spine_elements

__all__ = ["FROG_LEG_DEG", "skeleton"]

Points = NDArray[np.float64]

#: How far a frog-leg film's femurs are turned out.
FROG_LEG_DEG = -48.0


def _resected(elements: list[Element], half: HalfPelvis, side: Side, placement: Placement) -> list[Element]:
    """The femur less its head: what a surgeon leaves."""
    marks = half.hip.femur_points
    cut = placement.hip_to_mm(np.array([marks[15], marks[29]]), side)
    along = cut[1] - cut[0]
    up = placement.hip_to_mm(np.zeros((1, 2)), side)[0] - cut.mean(axis=0)
    ends = [cut[0] - 3 * along, cut[1] + 3 * along]
    head = shapely.Polygon([*ends, ends[1] + 5 * up, ends[0] + 5 * up])
    kept: list[Element] = []
    for element in elements:
        if not isinstance(element, Solid) or element.name != "femur":
            if element.name in ("greater trochanter", "lesser trochanter", "intertrochanteric crest"):
                kept.append(element)
            continue
        rest = shapely.Polygon(element.outlines_mm[0]).buffer(0).difference(head)
        parts = sorted(shapely.get_parts(rest), key=lambda part: -part.area)
        if parts:
            kept.append(replace(element, outlines_mm=(np.asarray(parts[0].exterior.coords)[:-1],)))
    return kept


def _growth_plates(half: HalfPelvis, side: Side, placement: Placement) -> list[Element]:
    """Open cartilage across head, trochanter and socket: dark lines."""
    radius, marks = half.hip.form.head_radius_mm, half.hip.femur_points
    turn = np.deg2rad(np.linspace(-70.0, 110.0, 24))
    plate = 0.42 * radius * np.array([[0.62, -0.78]]) + 0.95 * radius * np.column_stack(
        [-np.cos(turn - np.deg2rad(20)) * 0.25 + np.sin(turn) * 0.62, np.sin(turn) * 0.62]
    )
    tip = np.linspace(marks[5], marks[11] + (4.0, 0.0), 20)
    socket = np.array([(-0.35 * radius, radius * 1.05), (0.0, radius * 1.3), (0.2 * radius, radius * 1.55)])
    lines = [(plate, 2.6, -0.28), (tip, 2.2, -0.18), (np.linspace(socket[0], socket[-1], 12), 4.0, -0.35)]
    return [Stroke("growth plate", placement.hip_to_mm(line, side), w, amount, 0.5) for line, w, amount in lines]


def skeleton(
    halves: dict[Side, HalfPelvis],
    placement: Placement,
    density: float,
    planted: dict[Side, Plant],
    rng: np.random.Generator,
) -> list[Element]:
    """What draws all bones of a film.

    Args:
        halves: The two hips with their halves of the pelvis.
        placement: Where they lie.
        density: Of the trabecular bone, 1 for the average.
        planted: What each side shows besides.
        rng: Random numbers (no edge of a hip depends on them).
    """
    scale = float(np.mean([half.scale for half in halves.values()]))
    form = halves[Side.RIGHT].form
    elements = spine_elements(placement, scale, form.tilt, form.twist, rng)
    for side, half in halves.items():
        plant = planted.get(side)
        leg = replace(placement, leg_turn_deg=FROG_LEG_DEG) if plant is Plant.FROG_LEG else placement
        femur = femur_elements(half, side, leg, density)
        if plant is Plant.PROSTHESIS:
            femur = [*_resected(femur, half, side, leg), *prosthesis_elements(half, side, leg, rng)]
        elif plant is Plant.SCREW:
            femur += screw_elements(half, side, leg, rng)
        elif plant is Plant.CHILD:
            femur += _growth_plates(half, side, leg)
        floor, wall = float(rng.uniform(0.19, 0.35)), float(rng.uniform(0.5, 1.3))
        elements += [*pelvis_elements(half, side, placement, density, floor, wall), *femur]
    return elements
