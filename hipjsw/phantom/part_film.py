"""Films of other parts of the body, drawn as a pelvis film is: its look, processing, noise and plate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from hipjsw.phantom.body_parts import BodyPart, Flesh, draw_part
from hipjsw.phantom.film import Film
from hipjsw.phantom.overview import Overview, draw_overview, overview_grid
from hipjsw.phantom.raster import Raster
from hipjsw.phantom.solid import Element, Solid, Stroke

__all__ = ["PartFilm", "film_of_part"]

Image = NDArray[np.float32]
Points = NDArray[np.float64]

#: Attenuation per mm of soft tissue, as in the pelvis.
_PER_MM = 0.0187
#: Below this the thickest flesh would let so much through that a lower tube voltage is taken.
_LEAST_ATTENUATION = 1.7


@dataclass(frozen=True, kw_only=True)
class PartFilm(Film):
    """A film of another part of the body, in its person's look; ``halves`` and landmarks are not on it.

    Args:
        part: What it shows.
        mirrored: Whether it is one of the left side.
    """

    part: BodyPart
    mirrored: bool

    def to_mm(self, points: Points) -> Points:
        """Points ``(n, 2)`` of the part's frame as film places in mm."""
        return self.placement.pelvis_to_mm(points * (1.0, -1.0 if self.mirrored else 1.0))

    @cached_property
    def bones(self) -> list[Element]:
        """The part's bones."""
        return [self._moved(element) for element in self.part.bones]

    @cached_property
    def elements(self) -> list[Element]:
        """Bones and what lies on the plate; what shields a pelvis does not."""
        return [*self.bones, *(thing for thing in self.artefacts if thing.name != "shield")]

    @cached_property
    def overview(self) -> Overview:
        """The whole film drawn coarsely."""
        grid = overview_grid(self.placement.format.shape, self.placement.format.pixel_mm)
        bones = self._attenuation(grid, self.elements)
        return draw_overview(grid, bones, self._tissue(grid), self.collimation, self.look, self._stream(13))

    def _moved(self, element: Element) -> Element:
        if isinstance(element, Solid):
            return replace(element, outlines_mm=tuple(self.to_mm(outline) for outline in element.outlines_mm))
        if isinstance(element, Stroke):
            return replace(element, line_mm=self.to_mm(element.line_mm))
        return replace(element, outline_mm=self.to_mm(element.outline_mm))

    def _tissue(self, grid: Raster) -> Image:
        """Attenuation of the part's flesh on a coarse grid, uneven as flesh is."""
        rows, cols = grid.places_mm(np.arange(grid.shape[0]), np.arange(grid.shape[1]))
        turn, centre = np.deg2rad(self.placement.turn_deg), self.placement.centre_mm
        down, right = rows[:, None] - centre[0], cols[None] - centre[1]
        row = np.cos(turn) * down - np.sin(turn) * right
        col = (np.sin(turn) * down + np.cos(turn) * right) * (-1.0 if self.mirrored else 1.0)
        thick = np.max([_thickness(capsule, row, col) for capsule in self.part.flesh], axis=0)
        for capsule in self.part.air:
            thick -= _thickness(capsule, row, col)
        noise = self._stream(5)
        for spread_mm, amount in ((26.0, 0.022), (7.0, 0.010)):
            rough = cv2.GaussianBlur(noise.standard_normal(grid.shape), (0, 0), spread_mm / grid.pixel_mm)
            thick *= 1 + self.look.mottle * amount * np.asarray(rough) / max(float(np.std(rough)), 1e-9)
        soft = cv2.GaussianBlur(np.maximum(thick, 0.0).astype(np.float32), (0, 0), 0.8)
        return np.asarray(soft * np.float32(_PER_MM * _softness(self.part)), dtype=np.float32)


def film_of_part(film: Film, name: str, rng: np.random.Generator) -> PartFilm:
    """A film of another part of the body of a film's person, on the same kind of film and with the same look.

    Args:
        film: The person's pelvis film.
        name: One of ``PARTS``.
        rng: Random numbers.

    Raises:
        ValueError: No such part.
    """
    part = draw_part(name, rng)
    look = replace(film.look, bone=film.look.bone * _softness(part))
    kind = film.placement.format
    middle = 0.5 * kind.rows * kind.pixel_mm, 0.5 * kind.cols * kind.pixel_mm
    placement = replace(film.placement, centre_mm=middle, turn_deg=float(rng.uniform(-9.0, 9.0)))
    mirrored = bool(rng.random() < 0.5)
    return PartFilm(
        film.seed, film.person, film.visit, placement, film.halves, look, film.wide, part=part, mirrored=mirrored
    )


def _softness(part: BodyPart) -> float:
    """Factor on all attenuation: thin parts are taken at a lower tube voltage."""
    return max(1.0, _LEAST_ATTENUATION / (_PER_MM * max(capsule.thick_mm for capsule in part.flesh)))


def _thickness(capsule: Flesh, row: NDArray[np.float64], col: NDArray[np.float64]) -> NDArray[np.float64]:
    """Thickness in mm of a capsule at places in its part's frame."""
    start, step = np.array(capsule.start), np.subtract(capsule.end, capsule.start)
    share = np.clip(((row - start[0]) * step[0] + (col - start[1]) * step[1]) / (step @ step), 0.0, 1.0)
    away = np.hypot(row - start[0] - share * step[0], col - start[1] - share * step[1])
    return np.asarray(capsule.thick_mm * np.sqrt(np.clip(1 - (away / capsule.radius) ** 2.6, 0.0, 1.0)))
