"""Where a pelvis lies on a film, and what kind of film it is.

A film's millimetres follow its PixelSpacing and have their origin in the centre of the first pixel, as in
``.pts`` files. Laying a hip down turns, shifts and (for a left hip) mirrors it, so no distance changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.landmarks import Side
from hipjsw.imaging.spacing import PixelSpacing, SpacingSource

__all__ = ["FORMATS", "FilmFormat", "Placement", "draw_placement"]

Array = NDArray[np.float32]

_MARGIN_MM = 6.0


@dataclass(frozen=True)
class FilmFormat:
    """A kind of film.

    Args:
        name: Its name here.
        rows: Rows of pixels.
        cols: Columns of pixels.
        pixel_mm: Pixel Spacing, to which points refer.
        imager_mm: Imager Pixel Spacing.
        bits: Bits stored.
        inverted: Whether low values are bright (MONOCHROME1).
        laterality: What the header says in Laterality, if anything.
    """

    name: str
    rows: int
    cols: int
    pixel_mm: float
    imager_mm: float
    bits: int
    inverted: bool
    laterality: str

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows, self.cols

    @property
    def spacing(self) -> PixelSpacing:
        """The spacing points refer to."""
        return PixelSpacing(self.pixel_mm, self.pixel_mm, SpacingSource.PIXEL)


#: OAI: 12 bits, equal spacings. CHECK: one sort whose two spacings differ, one inverted and cropped.
FORMATS = {
    "OAI": FilmFormat("OAI", 1860, 2316, 0.16896, 0.16896, 12, False, ""),
    "CHECK-A": FilmFormat("CHECK-A", 2010, 2446, 0.141, 0.143, 15, False, ""),
    "CHECK-B": FilmFormat("CHECK-B", 2500, 3600, 0.10, 0.10, 10, True, "BEIDE HEUPEN"),
}


@dataclass(frozen=True)
class Placement:
    """The map from a pelvis onto a film.

    Args:
        format: The kind of film.
        centre_mm: Film position ``(row, col)`` of the point midway between the femoral heads' centres.
        turn_deg: Rotation in the film's plane; positive lowers the patient's left side.
        half_distance_mm: Half the distance of the femoral heads' centres.
        leg_turn_deg: Turn of a hip's frame about the head's centre, for the femurs of a frog-leg film; negative turns
            the knee outwards.
    """

    format: FilmFormat
    centre_mm: tuple[float, float]
    turn_deg: float
    half_distance_mm: float
    leg_turn_deg: float = 0.0

    def pelvis_to_mm(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points ``(n, 2)`` of the pelvis frame (mm) as film positions in mm."""
        turn = np.deg2rad(self.turn_deg)
        matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        return np.asarray(points @ matrix.T + self.centre_mm, dtype=np.float64)

    def hip_to_mm(self, points: NDArray[np.float64], side: Side) -> NDArray[np.float64]:
        """Points ``(n, 2)`` of a hip's frame (mm; seen like a right one) as film positions in mm."""
        sign = 1.0 if side is Side.RIGHT else -1.0
        if self.leg_turn_deg:
            turn = np.deg2rad(self.leg_turn_deg)
            points = points @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        return self.pelvis_to_mm(points * (1.0, sign) - (0.0, sign * self.half_distance_mm))

    def hip_frame(self, side: Side) -> Callable[[Array, Array], tuple[Array, Array]]:
        """The way from film rows ``(n, 1)`` and columns ``(1, m)`` in mm to positions in a hip's frame in mm."""
        turn, sign = np.deg2rad(self.turn_deg), np.float32(1.0 if side is Side.RIGHT else -1.0)
        cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))

        def frame(row_mm: Array, col_mm: Array) -> tuple[Array, Array]:
            row, col = row_mm - np.float32(self.centre_mm[0]), col_mm - np.float32(self.centre_mm[1])
            across = sign * (sin * row + cos * col) + np.float32(self.half_distance_mm)
            down = cos * row - sin * col
            leg = np.deg2rad(self.leg_turn_deg)
            a, b = np.float32(np.cos(leg)), np.float32(np.sin(leg))
            return np.asarray(a * down + b * across), np.asarray(a * across - b * down)

        return frame

    def pelvis_to_px(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points of the pelvis frame (mm) as film positions in pixels."""
        return self.format.spacing.to_px(self.pelvis_to_mm(points))

    def hip_to_px(self, points: NDArray[np.float64], side: Side) -> NDArray[np.float64]:
        """Points of a hip's frame (mm) as film positions in pixels."""
        return self.format.spacing.to_px(self.hip_to_mm(points, side))


def draw_placement(
    dataset: str, half_distance_mm: float, reach_mm: float, rng: np.random.Generator, wide: bool = False
) -> Placement:
    """Draw a film's kind and the position of the pelvis on it.

    Args:
        dataset: ``OAI`` or ``CHECK``.
        half_distance_mm: Half the distance of the femoral heads' centres.
        reach_mm: How far the landmarks reach from the midline; a film too narrow for them is made wider.
        rng: Random numbers.
        wide: Whether the pelvis may lie far from the middle and askew.
    """
    name = dataset if dataset == "OAI" else ("CHECK-B" if rng.random() < 0.25 else "CHECK-A")
    kind = FORMATS[name]
    spread = 3.0 if wide else 1.0
    turn = float(np.clip(rng.normal(0.0, 0.8 * spread), -2.0 * spread, 2.0 * spread))
    aside = float(np.clip(rng.normal(0.0, 3.0), -8.0, 8.0))
    needed = 2 * (reach_mm + abs(aside) + _MARGIN_MM * (1 + wide)) / kind.pixel_mm
    kind = replace(kind, cols=max(kind.cols, int(np.ceil(needed))))
    low = 0.535 * kind.rows * kind.pixel_mm + float(np.clip(rng.normal(0.0, 3.0), -6.0, 4.0))
    return Placement(kind, (low, (kind.cols - 1) / 2 * kind.pixel_mm + aside), turn, half_distance_mm)
