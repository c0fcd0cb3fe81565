"""The bones of a pelvic film, drawn as ray thickness."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.curve import Curve
from hipjsw.anatomy.landmarks import Side
from hipjsw.phantom import spine
from hipjsw.phantom.canvas import Canvas, trabeculae
from hipjsw.phantom.pelvis import HalfPelvis
from hipjsw.phantom.placement import Placement

__all__ = ["draw_bones"]

Image = NDArray[np.float32]


def _rows_mm(placement: Placement) -> Image:
    """Row of each row of the film in mm below the level of the femoral heads' centres."""
    rows = np.arange(placement.format.rows) * placement.format.pixel_mm - placement.centre_mm[0]
    return rows.astype(np.float32)


def _ramp(rows_mm: Image, low: float, high: float) -> Image:
    part = np.clip((rows_mm - low) / (high - low), 0.0, 1.0)
    return np.asarray(part * part * (3 - 2 * part), dtype=np.float32)


def _draw_spine(canvas: Canvas, placement: Placement, tile: Image) -> None:
    rows = _rows_mm(placement)
    fade = (0.30 + 0.55 * _ramp(-rows, 20.0, 80.0)).astype(np.float32)
    for outline in spine.sacrum():
        polygons = [placement.pelvis_to_px(outline)]
        canvas.bone(
            polygons,
            round_mm=20,
            cortex_mm=0.9,
            thickness=fade,
            plate_mm=1.5,
            texture=tile,
            grain=0.3,
            spongy=0.8,
        )
    for hole in spine.foramina():
        closed = placement.pelvis_to_px(np.concatenate([hole, hole[:1]]))
        canvas.film(placement.pelvis_to_px(hole), -0.10)
        canvas.line(closed[6:28], 1.8, 0.09)
    for outline in spine.lumbar():
        canvas.bone(
            [placement.pelvis_to_px(outline)],
            round_mm=16,
            cortex_mm=0.9,
            plate_mm=2.0,
            texture=tile,
            grain=0.3,
        )
    for outline in spine.pedicles() + spine.spinous():
        canvas.bone([placement.pelvis_to_px(outline)], round_mm=6, cortex_mm=1.5, thickness=0.5, plate_mm=0.5)


def _draw_ilium(canvas: Canvas, half: HalfPelvis, side: Side, placement: Placement, tile: Image) -> None:
    rows = _rows_mm(placement)
    radius = half.hip.form.head_radius_mm
    thick = (0.42 + 0.58 * _ramp(rows, -3.6 * radius, -1.5 * radius)).astype(np.float32)
    fossa = 1 - 0.45 * _ramp(rows, -0.75 * radius, -0.2 * radius)
    canvas.bone(
        [placement.hip_to_px(half.ilium, side)],
        round_mm=22, cortex_mm=1.0, thickness=(thick * fossa).astype(np.float32), plate_mm=4.5,
        texture=tile, grain=0.34, spongy=0.9,
    )  # fmt: skip
    outer = half.outer_ilium
    brim = outer.sample(1.0, 0, 7)
    canvas.line(placement.hip_to_px(brim, side), 2.6, 0.20)
    crest = outer.sample(1.0, 8, 15)
    canvas.line(placement.hip_to_px(crest, side), 3.0, 0.10)
    sacroiliac = np.array([(-112.0, 48.0), (-97.0, 43.0), (-82.0, 40.0), (-68.0, 36.0)]) * radius / 27.5
    canvas.line(placement.hip_to_px(sacroiliac, side), 2.0, -0.10)


def _draw_sourcil(canvas: Canvas, half: HalfPelvis, side: Side, placement: Placement) -> None:
    """The bright subchondral band above the roof: layers whose lower edge is the sourcil itself."""
    line = half.hip.sourcil.sample(0.25)
    tangent = np.gradient(line, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    outward = np.column_stack([-tangent[:, 1], tangent[:, 0]])
    taper = np.sin(np.linspace(0.06, 0.94, len(line)) * np.pi)[:, None] ** 0.6
    for height, amount in ((1.2, 0.16), (2.4, 0.11), (4.2, 0.07), (7.0, 0.04)):
        band = np.concatenate([line, (line + height * taper * outward)[::-1]])
        canvas.film(placement.hip_to_px(band, side), amount)


def _draw_ring(canvas: Canvas, half: HalfPelvis, side: Side, placement: Placement, tile: Image) -> None:
    """Ischium, pubis and the walls of the socket; the walls begin below the joint space of the roof."""
    rows, radius = _rows_mm(placement), half.hip.form.head_radius_mm
    wall = _ramp(rows, -0.72 * radius, 0.35 * radius)
    outlines = [placement.hip_to_px(points, side) for points in (half.pubic_ring, half.foramen)]
    strong = (wall * (0.45 + 0.35 * _ramp(rows, 0.4 * radius, 1.2 * radius))).astype(np.float32)
    canvas.bone(
        outlines,
        round_mm=11,
        cortex_mm=1.6,
        thickness=strong,
        plate_mm=2.2,
        texture=tile,
        grain=0.34,
        spongy=1.3,
    )
    front = placement.hip_to_px(half.anterior_wall, side)
    canvas.bone([front], round_mm=8, cortex_mm=0.8, thickness=(0.22 * wall).astype(np.float32), plate_mm=1.5)
    canvas.line(placement.hip_to_px(half.posterior_wall.sample(0.5, 1), side), 1.4, 0.07)
    canvas.line(placement.hip_to_px(half.teardrop.sample(0.5), side), 1.6, 0.22)


def _draw_femur(canvas: Canvas, half: HalfPelvis, side: Side, placement: Placement, tile: Image) -> None:
    rows, hip = _rows_mm(placement), half.hip
    radius = hip.form.head_radius_mm
    cortex = (0.6 + 0.22 * radius * _ramp(rows, 1.2 * radius, 3.9 * radius)).astype(np.float32)
    outline = placement.hip_to_px(hip.femur.sample(0.25), side)
    thickness = (1.0 - 0.12 * _ramp(rows, 0.9 * radius, 2.2 * radius)).astype(np.float32)
    canvas.bone(
        [outline], round_mm=0.72 * radius, cortex_mm=cortex, thickness=thickness, plate_mm=4.0,
        texture=tile, grain=0.32, spongy=1.0,
    )  # fmt: skip
    canvas.line(placement.hip_to_px(half.trochanter_line.sample(0.5), side), 2.2, 0.12)
    calcar = hip.femur.at(np.linspace(*_calcar(half), 30)) - 1.5
    canvas.line(placement.hip_to_px(calcar, side), 2.8, 0.22)


def _draw_fat(canvas: Canvas, half: HalfPelvis, side: Side, placement: Placement) -> None:
    """Dark stripes of fat between muscles; soft, and well away from the joint space."""
    scale = half.hip.form.head_radius_mm / 27.5
    psoas = [(-70.0, 46.0), (-20.0, 44.0), (12.0, 24.0), (40.0, -8.0), (58.0, -22.0)]
    gluteal = [(-74.0, -52.0), (-45.0, -47.0), (-22.0, -47.0), (-6.0, -53.0)]
    thigh = [(30.0, -92.0), (70.0, -84.0), (130.0, -70.0), (170.0, -62.0)]
    for stripe, amount in ((psoas, -0.07), (gluteal, -0.12), (thigh, -0.10)):
        line = Curve(scale * np.array(stripe)).sample(1.0)
        canvas.line(placement.hip_to_px(line, side), 4.5, amount)


def _calcar(half: HalfPelvis) -> tuple[float, float]:
    """Curve parameters between which the medial neck's cortex is thickest."""
    femur, marks = half.hip.femur, half.hip.femur_points
    ends = [femur.knots[int(np.argmin(np.linalg.norm(femur.points - mark, axis=1)))] for mark in marks[[28, 31]]]
    return float(ends[0]), float(ends[1])


def draw_bones(halves: dict[Side, HalfPelvis], placement: Placement, rng: np.random.Generator) -> Image:
    """Attenuation of all bones of a film.

    Args:
        halves: The two hips with their halves of the pelvis.
        placement: Where they lie.
        rng: Random numbers (texture only; no edge depends on them).

    Returns:
        float32 ``(rows, cols)``: what bone adds to the attenuation of soft tissue.
    """
    pixel_mm = placement.format.pixel_mm
    canvas = Canvas(placement.format.shape, pixel_mm)
    tiles = {side: trabeculae(pixel_mm, angles, rng) for side, angles in _STREAKS_DEG.items()}
    _draw_spine(canvas, placement, tiles[Side.RIGHT])
    for side, half in halves.items():
        _draw_ilium(canvas, half, side, placement, tiles[side])
        _draw_sourcil(canvas, half, side, placement)
        _draw_ring(canvas, half, side, placement, tiles[side])
        _draw_fat(canvas, half, side, placement)
        _draw_femur(canvas, half, side, placement, tiles[side])
    return canvas.attenuation


#: Main directions of the trabeculae (compressive, tensile), angle from the columns' axis.
_STREAKS_DEG = {Side.RIGHT: (-62.0, -15.0), Side.LEFT: (62.0, 15.0)}
