"""A phantom's film: where everything lies on it, and how it is drawn, whole or in part.

Geometry comes from the curves; ``shape.py`` says what is exactly known. A film can be drawn on any raster: its own
pixels, or a hip view's. What processing takes from the whole film comes from one coarse overview for both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.landmarks import Side
from hipjsw.phantom.artefact import Collimation, draw_collimation, plate_elements
from hipjsw.phantom.canvas import Canvas
from hipjsw.phantom.equalise import Equaliser
from hipjsw.phantom.exposure import expose, resample
from hipjsw.phantom.fold import fold_elements
from hipjsw.phantom.look import Look, draw_look
from hipjsw.phantom.overview import Overview, draw_overview, overview_grid
from hipjsw.phantom.pelvis import HalfPelvis
from hipjsw.phantom.placement import Placement, draw_placement
from hipjsw.phantom.planting import Plant, plant_side
from hipjsw.phantom.population import Person, Visit, stream
from hipjsw.phantom.raster import Raster
from hipjsw.phantom.skeleton import FROG_LEG_DEG, skeleton
from hipjsw.phantom.solid import Element
from hipjsw.phantom.tissue import soft_tissue

__all__ = ["Film", "place", "render"]

Image = NDArray[np.float32]

_CHILD = 0.66


@dataclass(frozen=True)
class Film:
    """Where everything lies on one film; nothing is drawn yet.

    Args:
        seed: The cohort's seed.
        person: Whose film it is.
        visit: The visit.
        placement: The pelvis's position and the film's kind.
        halves: The two hips, as they lie.
        look: How the film looks.
        wide: Whether the look is the wide one.
        plant: What is planted into it.
    """

    seed: int
    person: Person
    visit: Visit
    placement: Placement
    halves: dict[Side, HalfPelvis]
    look: Look
    wide: bool = False
    plant: Plant | None = None

    @property
    def planted(self) -> dict[Side, Plant]:
        """What each side shows besides a plain hip."""
        if self.plant is None:
            return {}
        one_sided = self.plant in (Plant.PROSTHESIS, Plant.SCREW, Plant.SINGLE_HIP)
        sides = (plant_side(self.seed, self.person, self.visit),) if one_sided else tuple(Side)
        return dict.fromkeys(sides, self.plant)

    @property
    def note(self) -> str:
        """What the film shows besides a plain pelvis; empty for one."""
        notes = ["inverted"] if self.look.inverted else []
        if self.plant is not None:
            sides = list(self.planted)
            notes.append(f"{self.plant.value} {sides[0].value}" if len(sides) == 1 else self.plant.value)
        return ", ".join(notes)

    @property
    def visibility(self) -> float:
        """How well edges can be seen, 1 at best: bone contrast against body thickness, scatter and blur."""
        thick = np.exp(-1.1 * max(self.person.size - 0.85, 0.0))
        value = self.look.bone * thick * (1 - 0.35 * self.look.scatter) * (1 - 0.5 * max(self.look.blur_mm - 0.17, 0))
        return float(np.clip(value, 0.15, 1.0))

    @property
    def points_mm(self) -> NDArray[np.float64]:
        """All 160 landmarks ``(160, 2)`` on the film in mm: right hip, left hip."""
        return np.concatenate([self._side_points_mm(side) for side in Side])

    def _side_points_mm(self, side: Side) -> NDArray[np.float64]:
        points = self.placement.hip_to_mm(self.halves[side].landmarks, side)
        if self.plant is Plant.FROG_LEG:
            leg = replace(self.placement, leg_turn_deg=FROG_LEG_DEG)
            points[:40] = leg.hip_to_mm(self.halves[side].landmarks[:40], side)
        return points

    def head_centre_mm(self, side: Side) -> NDArray[np.float64]:
        """Centre ``(2,)`` of a femoral head on the film in mm."""
        return self.placement.hip_to_mm(np.zeros((1, 2)), side).reshape(2)

    def _stream(self, purpose: int) -> np.random.Generator:
        return stream(self.seed, self.person.index, purpose, self.visit.number)

    @cached_property
    def raster(self) -> Raster:
        """The film's own pixels."""
        return Raster(self.placement.format.shape, self.placement.format.pixel_mm)

    @cached_property
    def bones(self) -> list[Element]:
        """All bones and implants."""
        return skeleton(self.halves, self.placement, self.look.density, self.planted, self._stream(2))

    @cached_property
    def artefacts(self) -> list[Element]:
        """What lies on the patient or the plate."""
        return plate_elements(self.placement, self.person.sex == "F", self.wide, self._stream(12))

    @cached_property
    def elements(self) -> list[Element]:
        """Everything with edges: bones, folds, artefacts."""
        folds = fold_elements(self.placement, self.person.size, self._stream(11))
        return [*self.bones, *folds, *self.artefacts]

    @cached_property
    def collimation(self) -> Collimation | None:
        """The exposed field, None where it is the whole film."""
        return draw_collimation(self.placement, self.wide, self._stream(6))

    @cached_property
    def overview(self) -> Overview:
        """The whole film drawn coarsely, without folds, which change nothing that is slow."""
        kind = self.placement.format
        grid = overview_grid(kind.shape, kind.pixel_mm)
        tissue = soft_tissue(grid, self.placement, self.person.size, self.person.sex == "F", self.look, self._stream(5))
        bones = self._attenuation(grid, [*self.bones, *self.artefacts])
        return draw_overview(grid, bones, tissue, self.collimation, self.look, self._stream(13))

    @cached_property
    def equaliser(self) -> Equaliser | None:
        """The local equalisation of the film's grey, None where the look has none."""
        if self.look.clahe <= 0:
            return None
        grid = self.overview.grid
        return Equaliser.of(self.grey(grid), grid, self.raster, self.look.clahe)

    def grey(self, raster: Raster, blur_px: float = 0.0, noise: np.random.Generator | None = None) -> Image:
        """Draw the film on a raster.

        Args:
            raster: The grid.
            blur_px: Further blur in pixels, for a raster coarser than the film.
            noise: Random numbers of the quantum noise; None for none.

        Returns:
            float32 ``raster.shape``, display sense (bone bright), 0 to 1 of the film's range, not clipped.
        """
        over = self.overview
        attenuation = self._attenuation(raster, self.elements) + resample(over.tissue, over.grid, raster)
        exposed = expose(attenuation, resample(over.scatter, over.grid, raster), raster, self.look, blur_px, noise)
        grey = over.tone.grey(exposed, raster)
        if over.shade is not None:
            grey += resample(over.shade, over.grid, raster)
        if self.collimation is not None:
            beyond = self.collimation.beyond(raster)
            grey += beyond * (np.float32(self.collimation.grey) - grey)
        return grey

    def finished(self, grey: Image, raster: Raster) -> Image:
        """What the wide look does last to grey values of a raster: local equalisation, wrong sense."""
        if self.equaliser is not None:
            grey = self.equaliser.apply(grey, raster)
        return np.asarray(1 - np.clip(grey, 0, 1) if self.look.inverted else grey, dtype=np.float32)

    def _attenuation(self, raster: Raster, elements: list[Element]) -> Image:
        shift = self._stream(7).uniform(0.0, 80.0, 2)
        canvas = Canvas(raster, (float(shift[0]), float(shift[1])), self.look.grain)
        canvas.draw(elements)
        return np.asarray(canvas.attenuation * np.float32(self.look.bone), dtype=np.float32)


def _posed(
    half: HalfPelvis, side: Side, tilt: float, twist: float, own: NDArray[np.float64], child: bool
) -> HalfPelvis:
    """A half of the pelvis as it lies for a film: tilted, twisted, a little its own."""
    form, hip = half.form, half.hip
    quirks = tuple(float(0.85 * q + 0.55 * o) for q, o in zip(form.quirks, own, strict=True))
    form = replace(form, tilt=tilt, twist=twist if side is Side.RIGHT else -twist, quirks=quirks)
    if child:
        form = replace(form, half_distance_mm=form.half_distance_mm * _CHILD)
        small = hip.form.head_radius_mm * _CHILD
        grown = replace(hip.form, head_radius_mm=small, lip_mm=0.0, collar_mm=(0.0, 0.0), sclerosis=0.0, cysts=())
        hip = replace(hip, form=grown)
    return HalfPelvis(form, hip)


def place(seed: int, person: Person, visit: Visit, look: str = "realistic", plant: Plant | None = None) -> Film:
    """Lay a person down for a film.

    Args:
        seed: The cohort's seed.
        person: Whose film it is.
        visit: The visit.
        look: ``realistic`` or ``wide``.
        plant: What is planted into it.

    Raises:
        ValueError: No such look.
    """
    wide = look == "wide"
    rng = stream(seed, person.index, 1, visit.number)
    spread = 1.6 if wide else 1.0
    tilt, twist = (float(v) for v in np.clip(rng.normal(0.0, (0.6 * spread, 0.35 * spread)), -1.3, 1.3))
    child = plant is Plant.CHILD
    own = {side: stream(seed, person.index, 4, n).normal(0, 1, 8) for n, side in enumerate(Side)}
    halves = {side: _posed(person.hip(side, visit), side, tilt, twist, own[side], child) for side in Side}
    half_distance_mm = halves[Side.RIGHT].form.half_distance_mm
    reach = max(-float(half.landmarks[:, 1].min()) for half in halves.values()) + half_distance_mm
    placement = draw_placement(person.dataset, half_distance_mm, reach, rng, wide)
    film = Film(seed, person, visit, placement, halves, draw_look(look, rng), wide, plant)
    if plant is Plant.SINGLE_HIP:
        return replace(film, placement=_one_hip(placement, next(iter(film.planted))))
    return film


def _one_hip(placement: Placement, kept: Side) -> Placement:
    """A narrower film that ends beside the midline; ``kept`` is the side that is on it."""
    kind = placement.format
    middle = placement.centre_mm[1] / kind.pixel_mm
    if kept is Side.RIGHT:
        return replace(placement, format=replace(kind, cols=int(middle + 30.0 / kind.pixel_mm)))
    start = int(middle - 30.0 / kind.pixel_mm)
    centre = placement.centre_mm[0], placement.centre_mm[1] - start * kind.pixel_mm
    return replace(placement, format=replace(kind, cols=kind.cols - start), centre_mm=centre)


def render(film: Film, noise: bool = True) -> NDArray[np.uint16]:
    """Draw a film.

    Args:
        film: What lies where.
        noise: Whether to add quantum noise (without it edges can be judged).

    Returns:
        uint16 stored values, ``(rows, cols)`` of the film's format.
    """
    kind = film.placement.format
    grey = film.finished(film.grey(film.raster, noise=film._stream(3) if noise else None), film.raster)
    most = 2**kind.bits - 1
    stored = np.clip(np.float32(most) * grey + np.float32(0.5), 0, most).astype(np.uint16)
    return np.asarray(most - stored if kind.inverted else stored, dtype=np.uint16)
