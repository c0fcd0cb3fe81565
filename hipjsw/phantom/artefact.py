"""What lies on or in a patient, or on the plate: letters, rulers, shields, implants, the table's edge, collimation."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.landmarks import Side
from hipjsw.phantom.outline import ring
from hipjsw.phantom.pelvis import HalfPelvis
from hipjsw.phantom.placement import Placement
from hipjsw.phantom.raster import Raster
from hipjsw.phantom.solid import Element, Patch, Stroke, ribbon
from hipjsw.phantom.spine import ellipse

__all__ = ["Collimation", "draw_collimation", "plate_elements", "prosthesis_elements", "screw_elements"]

Points = NDArray[np.float64]
_LETTERS = {
    "R": ([(0, 0), (10, 0)], [(0, 0), (0, 4), (1, 6), (3.5, 6), (5, 4), (5, 0)], [(5, 3), (10, 6.5)]),
    "L": ([(0, 0), (10, 0)], [(10, 0), (10, 6)]),
    "P": ([(0, 0), (10, 0)], [(0, 0), (0, 4), (1, 6), (3.5, 6), (5, 4), (5, 0)]),
    "A": ([(10, 0), (0, 3)], [(0, 3), (10, 6)], [(6, 1.4), (6, 4.6)]),
}  # strokes on a field 10 high and 6 wide


@dataclass(frozen=True)
class Collimation:
    """The exposed field, as film millimetres ``(top, left, bottom, right)``, and what lies beyond it.

    Args:
        field_mm: The four borders.
        grey: What is stored beyond: 1 for unexposed (white), 0 for a black mask.
        turn_deg: How far the blades are turned against the film.
    """

    field_mm: tuple[float, float, float, float]
    grey: float
    turn_deg: float

    def beyond(self, raster: Raster) -> NDArray[np.float32]:
        """Share of each pixel beyond the field, ``raster.shape``; edges half a millimetre soft."""
        row, col = raster.places_mm(np.arange(raster.shape[0]), np.arange(raster.shape[1]))
        top, left, bottom, right = self.field_mm
        lean = np.float32(np.tan(np.deg2rad(self.turn_deg)))
        middle_row, middle_col = np.float32((top + bottom) / 2), np.float32((left + right) / 2)
        r = row[:, None] + lean * (col[None] - middle_col)
        c = col[None] - lean * (row[:, None] - middle_row)
        inside = np.minimum(np.minimum(r - top, bottom - r), np.minimum(c - left, right - c))
        return np.asarray(np.clip(0.5 - inside / np.float32(0.8), 0.0, 1.0), dtype=np.float32)


def draw_collimation(placement: Placement, wide: bool, rng: np.random.Generator) -> Collimation | None:
    """Draw the exposed field; None where the blades lie outside the film.

    Args:
        placement: The film.
        wide: Whether borders may come close to the hips.
        rng: Random numbers.
    """
    if rng.random() < 0.45:
        return None
    kind = placement.format
    height, width = kind.rows * kind.pixel_mm, kind.cols * kind.pixel_mm
    deepest = 26.0 if wide else 12.0
    cut = np.clip(rng.normal(1.0, 0.45 * deepest, 4), -5.0, deepest)
    field = float(cut[0]), float(cut[1]), height - float(cut[2]), width - float(cut[3])
    grey = 1.0 if rng.random() < 0.5 else 0.0
    return Collimation(field, grey, float(rng.normal(0.0, 0.25)))


def _letter(letter: str, place_mm: tuple[float, float], height_mm: float, amount: float) -> list[Element]:
    strokes = []
    for line in _LETTERS[letter]:
        points = np.array(line, dtype=np.float64) * (height_mm / 10.0) + place_mm
        fine = np.concatenate([np.linspace(a, b, 8) for a, b in pairwise(points)])
        distinct = fine[np.concatenate([[True], np.linalg.norm(np.diff(fine, axis=0), axis=1) > 1e-6])]
        strokes.append(Patch("letter", ribbon(distinct, 0.17 * height_mm, taper=1e-3), amount))
    return list(strokes)


def _letters(placement: Placement, rng: np.random.Generator) -> list[Element]:
    kind = placement.format
    height, width = kind.rows * kind.pixel_mm, kind.cols * kind.pixel_mm
    right = rng.random() < 0.6
    size = float(rng.uniform(9.0, 15.0))
    row = float(rng.uniform(0.08, 0.42)) * height
    col = float(rng.uniform(6.0, 22.0)) if right else width - float(rng.uniform(6.0, 22.0)) - size
    elements = _letter("R" if right else "L", (row, col), size, 3.0)
    if rng.random() < 0.35:
        elements += _letter("A", (row + 1.6 * size, col), 0.45 * size, 2.0)
        elements += _letter("P", (row + 1.6 * size, col + 0.4 * size), 0.45 * size, 2.0)
    return elements


def _ruler(placement: Placement, rng: np.random.Generator) -> list[Element]:
    kind = placement.format
    col = float(rng.choice([6.0, kind.cols * kind.pixel_mm - 8.0]))
    start = float(rng.uniform(20.0, 60.0))
    elements: list[Element] = []
    for step in range(21):
        length = 6.0 if step % 5 == 0 else 3.0
        row = start + 10.0 * step
        corners = np.array([(row, col), (row, col + length), (row + 0.5, col + length), (row + 0.5, col)])
        elements.append(Patch("ruler", corners, 1.6))
    return elements


def plate_elements(placement: Placement, female: bool, wide: bool, rng: np.random.Generator) -> list[Element]:
    """Letters, ruler, table edge, gonad shield, electrodes: each in some films.

    Args:
        placement: The film.
        female: Whether a woman's; shields are shaped and placed by sex.
        wide: Whether each is more frequent, with further opaque and translucent things anywhere.
        rng: Random numbers.
    """
    kind = placement.format
    height, width = kind.rows * kind.pixel_mm, kind.cols * kind.pixel_mm
    often = 2.0 if wide else 1.0
    elements: list[Element] = []
    if rng.random() < 0.72:
        elements += _letters(placement, rng)
    if rng.random() < 0.05 * often:
        elements += _ruler(placement, rng)
    if rng.random() < 0.06 * often:
        row, lean = float(rng.uniform(0.02, 0.12)) * height, float(rng.normal(0.0, 3.0))
        edge = np.array([(row, -5.0), (row + lean, width + 5.0), (row + lean + 3.0, width + 5.0), (row + 3.0, -5.0)])
        elements.append(Patch("table", edge, 0.25, 0.4))
    if rng.random() < 0.03 * often:
        rows = [(52, 0), (60, 16), (84, 24), (106, 18), (112, 0), (106, -18), (84, -24), (60, -16)]
        if female:
            rows = [(-62, 0), (-60, 38), (-38, 42), (-14, 24), (-4, 0), (-14, -24), (-38, -42), (-60, -38)]
        elements.append(Patch("shield", placement.pelvis_to_mm(ring(np.array(rows, dtype=np.float64))), 3.0, 0.3))
    for _ in range(int(rng.integers(0, 5)) if wide else 0):
        at = float(rng.uniform(-150, 150)), float(rng.uniform(-170, 170))
        size = rng.uniform(1.0, 22.0, 2)
        shape = ellipse(*at, float(size[0]), float(size[1]), float(rng.uniform(0, 180)))
        elements.append(Patch("object", placement.pelvis_to_mm(shape), float(rng.uniform(-0.35, 0.6)), 0.4))
    for _ in range(int(rng.integers(0, 3)) if wide else 0):
        ends = rng.uniform(-170, 170, (2, 2))
        wire = np.linspace(ends[0], ends[1], 60) + 12 * np.sin(np.linspace(0, 5, 60))[:, None]
        elements.append(Stroke("wire", placement.pelvis_to_mm(wire), float(rng.uniform(0.8, 2.5)), 0.5, 0.3))
    return elements


def prosthesis_elements(half: HalfPelvis, side: Side, placement: Placement, rng: np.random.Generator) -> list[Element]:
    """A total hip replacement: cup, head, neck and stem of metal."""
    radius = half.hip.form.head_radius_mm
    marks = half.hip.femur_points
    axis = 0.5 * (marks[1] + marks[34])
    angle = np.deg2rad(np.linspace(-58.0, 122.0, 40) + float(rng.normal(0.0, 5.0)))
    reach = 0.98 * radius
    outer = np.column_stack([-np.cos(angle) * reach, np.sin(angle) * reach])
    cup = np.concatenate([outer, outer[::-1] * 0.84])
    base = 0.5 * (marks[14] + marks[30])
    stem_top = 1.02 * base - 0.12 * radius * (axis - base) / np.linalg.norm(axis - base)
    stem_end = axis + (axis - base) * float(rng.uniform(0.1, 0.5))
    down = stem_end - stem_top
    across = np.array([-down[1], down[0]]) / np.linalg.norm(down)
    wide, tip = 0.36 * radius, 0.13 * radius
    one = [stem_top + wide * across, stem_top + 0.5 * down + 0.55 * wide * across, stem_end + tip * across]
    other = [stem_end - tip * across, stem_top + 0.5 * down - 0.55 * wide * across, stem_top - wide * across]
    stem = np.array([*one, *other])
    neck = np.linspace(np.zeros(2), base, 12)
    shapes = [("cup", cup, 1.6), ("head", ellipse(0.0, 0.0, 0.55 * radius, 0.55 * radius), 2.6)]
    shapes += [("neck", ribbon(neck, 0.5 * radius, taper=1e-3), 2.2), ("stem", stem, 2.8)]
    return [Patch(name, placement.hip_to_mm(shape, side), amount, 0.2) for name, shape, amount in shapes]


def screw_elements(half: HalfPelvis, side: Side, placement: Placement, rng: np.random.Generator) -> list[Element]:
    """Screws through the neck, or a nail in the shaft with a screw through the neck."""
    radius, marks = half.hip.form.head_radius_mm, half.hip.femur_points
    lateral, along = marks[3], -marks[3] / np.linalg.norm(marks[3])
    across = np.array([-along[1], along[0]])
    reach = np.linalg.norm(marks[3]) + 0.35 * radius
    elements: list[Element] = []
    for shift in (-7.0, 0.0, 7.0) if rng.random() < 0.5 else (0.0,):
        line = lateral + shift * across + np.linspace(0.0, 1.0, 60)[:, None] * reach * along
        elements.append(Patch("screw", placement.hip_to_mm(ribbon(line, 6.0, taper=0.03), side), 1.7, 0.15))
    if len(elements) == 1:
        nail = np.linspace(0.5 * (marks[8] + marks[12]), 0.5 * (marks[0] + marks[34]) + (60.0, 6.0), 60)
        elements.append(Patch("nail", placement.hip_to_mm(ribbon(nail, 11.0, taper=0.03), side), 2.4, 0.15))
    return elements
