"""One half of the pelvis as a film shows it: wing, column, pubis, ramus, walls, and the lines readers know."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from hipjsw.anatomy.landmarks import Side
from hipjsw.phantom.canvas import COMPACT_PER_MM
from hipjsw.phantom.field import Array, Field, blob, constant, ramp, smoothstep, total
from hipjsw.phantom.pelvis import HalfPelvis
from hipjsw.phantom.placement import Placement
from hipjsw.phantom.solid import Element, Frame, Patch, Solid, Stroke

__all__ = ["pelvis_elements"]

Points = NDArray[np.float64]


def _clear_of_joint(half: HalfPelvis, start: float, end: float) -> Field:
    """0 in the joint space of the roof and near it, 1 beyond: the walls of the socket leave no edge there.

    It rises from ``start`` to ``end`` head radii below the roof's level, measured down from the top of the head.
    """
    radius = half.hip.form.head_radius_mm

    def value(row: Array, col: Array) -> Array:
        away = np.sqrt(row * row + col * col)
        low = smoothstep((row / radius + 1.0 - start) / (end - start))
        inside = smoothstep((np.float32(0.97) - away / radius) / np.float32(0.25))
        return np.asarray(np.maximum(low, 0.55 * inside * low**0.5), dtype=np.float32)

    return value


def _wing(half: HalfPelvis, side: Side, placement: Placement, frame: Frame, density: float) -> list[Element]:
    s = half.scale
    thick = total(
        constant(0.63),
        blob((-30.0 * s, -14.0 * s), (12.0 * s, 12.0 * s), 0.16),
        blob((-40.0 * s, 14.0 * s), (14.0 * s, 12.0 * s), -0.12),
        blob((-60.0 * s, 27.0 * s), (30.0 * s, 10.0 * s), 0.30, 8.0),
        blob((-78.0 * s, -22.0 * s), (40.0 * s, 9.0 * s), 0.22, 14.0),
        blob((-100.0 * s, 4.0 * s), (24.0 * s, 22.0 * s), -0.20),
        ramp((-12.0 * s, 0.0), (10.0 * s, 0.0), 0.0, -0.48),
        low=0.08,
    )
    spongy = ramp((-70.0 * s, 0.0), (-30.0 * s, 0.0), 0.5 * density, 1.05 * density)
    crest = half.crest
    sacroiliac = half.placed([(-108, 51), (-96, 47.5), (-82, 46), (-68, 41.5), (-58, 36)], front=-1.0)
    lateral = half.placed([(-60, -22), (-50, -14), (-40, -12), (-32, -14)])
    return [
        Solid(
            "ilium", (placement.hip_to_mm(half.ilium, side),), round_mm=17.0 * s, cortex_mm=0.22, plate_mm=3.0,
            spongy=spongy, factor=thick, grain=0.2, streak=1 if side is Side.RIGHT else 2, frame=frame,
        ),
        Stroke("crest", placement.hip_to_mm(crest, side), 7.5 * s, 0.20, 1.9),
        Stroke("crest's lip", placement.hip_to_mm(crest + np.array([[3.4, 0.0]]) * s, side), 2.0, 0.12, 0.7),
        Stroke("brim", placement.hip_to_mm(half.brim - np.array([[0.0, 2.6]]) * s, side), 11.0 * s, 0.19, 2.2),
        Stroke("joint of the sacrum", placement.hip_to_mm(sacroiliac, side), 2.4, -0.20, 0.9),
        Stroke("its iliac border", placement.hip_to_mm(sacroiliac - (0.0, 3.2), side), 2.8, 0.20, 1.0),
        Stroke("lower spine", placement.hip_to_mm(lateral, side), 3.0, 0.05, 1.6),
    ]  # fmt: skip


def _roof(half: HalfPelvis, side: Side, placement: Placement) -> list[Element]:
    """The bright subchondral band above the roof: layers whose lower edge is the sourcil itself."""
    line = half.hip.sourcil.sample(0.3)
    tangent = np.gradient(line, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    outward = np.column_stack([-tangent[:, 1], tangent[:, 0]])
    share = np.linspace(0.04, 0.96, len(line))[:, None]
    taper = np.sin(share * np.pi) ** 0.5 * (1.2 - 0.55 * share)
    worn = half.hip.form.sclerosis
    crown = np.concatenate([line + 2.1 * taper * outward, (line + 4.8 * taper * outward)[::-1]])
    elements: list[Element] = [Patch("sourcil's crown", placement.hip_to_mm(crown, side), 0.10, 0.5)]
    layers = ((1.2, 0.04), (2.2, 0.04), (3.2, 0.04), (4.4, 0.05), (5.8, 0.05), (8.0, 0.10 * worn), (12.0, 0.08 * worn))
    for height, amount in layers:
        band = np.concatenate([line, (line + height * taper * outward)[::-1]])
        if height > 6.0:  # sclerosis may reach further than the bone beside its lateral edge
            if amount < 0.004:
                continue
            within = shapely.Polygon(band).buffer(0).intersection(shapely.Polygon(half.ilium))
            band = np.asarray(max(shapely.get_parts(within), key=lambda part: part.area).exterior.coords)[:-1]
        elements.append(Patch("sourcil", placement.hip_to_mm(band, side), amount, 0.0 if height < 2.5 else 0.6))
    return elements


def _socket(half: HalfPelvis, side: Side, placement: Placement, frame: Frame, floor: float) -> Solid:
    """The socket's lips in front of and behind joint space and upper head, up to the roof itself: no black moat.

    Above it ends where the sourcil is, laterally with the posterior wall's rim, which shows as a step over the head;
    elsewhere it fades. No bone's edge moves.
    """
    form, radius = half.hip.form, half.hip.form.head_radius_mm
    angle = np.deg2rad(np.linspace(form.medial_deg + 8.0, 112.0, 16))
    fossa = (radius + 4.0) * np.column_stack([-np.cos(angle), np.sin(angle)])
    rim = half.posterior_wall.sample(0.5)[::-1]
    outline = np.concatenate([half.hip.sourcil.sample(0.1), fossa, rim])

    def fade(row: Array, col: Array) -> Array:
        down = 1 - 0.75 * smoothstep((row / radius + 0.40) / np.float32(0.7))
        inward = 1 - 0.8 * smoothstep((col / radius - 0.25) / np.float32(0.65))
        return np.asarray(down * inward, dtype=np.float32)

    outlines = (placement.hip_to_mm(outline, side),)
    return Solid("socket", outlines, 0.01, 0.005, plate_mm=floor / COMPACT_PER_MM, factor=fade, grain=0.0, frame=frame)


def _below(
    half: HalfPelvis, side: Side, placement: Placement, frame: Frame, density: float, wall: float
) -> list[Element]:
    """Ischium, pubis and lower ramus; over the head they begin below the joint space of the roof."""
    s = half.scale
    clear, behind = _clear_of_joint(half, 0.55, 1.25), _clear_of_joint(half, 0.25, 0.95)

    def column(row: Array, col: Array) -> Array:
        low = smoothstep((row / s - 12) / 30)
        return np.asarray(behind(row, col) * (0.22 * wall + (0.74 - 0.22 * wall) * low), dtype=np.float32)

    def front(row: Array, col: Array) -> Array:
        return np.asarray(clear(row, col) * (0.42 + 0.26 * smoothstep((col / s - 40) / 30)), dtype=np.float32)

    def thickness(row: Array, col: Array) -> Array:
        share = smoothstep((col / s - 30.0) / np.float32(14.0)) * smoothstep((40.0 - row / s) / np.float32(20.0))
        return np.asarray(column(row, col) * (1 - share) + front(row, col) * share, dtype=np.float32)

    shell = ramp((6.0 * s, 0.0), (34.0 * s, 0.0), 0.45, 1.3)
    streak = 1 if side is Side.RIGHT else 2
    ilioischial = half.placed([(-34, 31), (-16, 35), (4, 37.5), (22, 39), (38, 41)])
    ring = tuple(placement.hip_to_mm(outline, side) for outline in half.pubic_ring)
    ramus = half.ischium_pubis.sample(1.0, 10)[::-1] + np.array([[2.0, 0.0]])
    return [
        Solid(
            "ischium and pubis", ring, round_mm=11.0 * s, cortex_mm=shell, plate_mm=1.6, spongy=1.2 * density,
            factor=thickness, grain=0.2, streak=streak, frame=frame,
        ),
        Stroke("upper ramus", placement.hip_to_mm(ramus, side), 4.0, 0.12, 1.4),
        Solid("ischial spine", (placement.hip_to_mm(half.spine, side),), 4.0 * s, 0.3, plate_mm=0.8, factor=0.35),
        Solid(
            "anterior wall", (placement.hip_to_mm(half.anterior_wall, side),), round_mm=8.0 * s, cortex_mm=0.8,
            plate_mm=1.2, factor=lambda r, c: 0.20 * clear(r, c), frame=frame,
        ),
        Stroke("ilioischial line", placement.hip_to_mm(ilioischial, side), 5.0, 0.16, 1.4),
        Stroke("teardrop", placement.hip_to_mm(half.teardrop.sample(0.5, 0, 3), side), 2.0, 0.15, 0.6),
    ]  # fmt: skip


def pelvis_elements(
    half: HalfPelvis, side: Side, placement: Placement, density: float = 1.0, floor: float = 0.15, wall: float = 1.0
) -> list[Element]:
    """What draws one half of the pelvis.

    Args:
        half: The half.
        side: The patient's side.
        placement: Where the pelvis lies on the film.
        density: Of the trabecular bone, 1 for the average.
        floor: Attenuation of what lies in front of and behind the joint space.
        wall: How strongly the walls of the socket show over the head, 1 for the average.
    """
    frame = placement.hip_frame(side)
    return [
        *_wing(half, side, placement, frame, density),
        *_roof(half, side, placement),
        _socket(half, side, placement, frame, floor),
        *_below(half, side, placement, frame, density, wall),
    ]
