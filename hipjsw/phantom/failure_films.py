"""Films on which a hip cannot be measured: prosthesis, child, frog-leg, and a film that ends in the joint.

`hipjsw.phantom.planting` puts some of them into a cohort, each of one make. Here each is drawn in the variety a test
of refusing needs: the film of a person is taken and made over.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.landmarks import HipLandmarks, Side
from hipjsw.phantom.artefact import Collimation
from hipjsw.phantom.bone_femur import femur_elements
from hipjsw.phantom.bone_pelvis import pelvis_elements
from hipjsw.phantom.film import Film
from hipjsw.phantom.pelvis import HalfPelvis
from hipjsw.phantom.placement import Placement
from hipjsw.phantom.population import stream
from hipjsw.phantom.shape import Hip
from hipjsw.phantom.solid import Element, Patch
from hipjsw.phantom.spine import ellipse, spine_elements

__all__ = ["LEAST_LOST", "Cut", "CutFilm", "child_film", "cut_film", "frog_leg_film", "prosthesis_film"]

Points = NDArray[np.float64]

#: A cut film has lost this share of its sourcil, or of the head's margin under it.
LEAST_LOST = 0.25
#: Blades stand this far behind the edge they make, so that their other edges lie off the film.
_FAR_MM = 900.0
_DIRECTIONS = {"above": (1.0, 0.0), "below": (-1.0, 0.0), "the left": (0.0, 1.0), "the right": (0.0, -1.0)}


@dataclass(frozen=True, kw_only=True)
class _MadeOver(Film):
    """A film whose bones are others than its person's.

    Args:
        own_bones: They, in the film's mm.
    """

    own_bones: tuple[Element, ...]

    @cached_property
    def bones(self) -> list[Element]:
        return list(self.own_bones)


@dataclass(frozen=True, kw_only=True)
class CutFilm(Film):
    """A film that ends where a joint lies.

    Args:
        blades: The field the collimator leaves; None where the film's own border cuts.
    """

    blades: Collimation | None

    @cached_property
    def collimation(self) -> Collimation | None:
        """The exposed field."""
        return self.blades


class Cut(NamedTuple):
    """Where a film was cut, and what the cut took.

    Args:
        by: What cut it, and from where.
        lost_sourcil: Share of the sourcil's length that is not on the film, 0 to 1.
        lost_head: Share of the head's margin under the sourcil that is not.
    """

    by: str
    lost_sourcil: float
    lost_head: float


def prosthesis_film(film: Film, side: Side, whole: bool) -> Film:
    """A film with a hip replacement.

    Args:
        film: One with a prosthesis planted.
        side: The side it is on.
        whole: A total one, whose cup fills the reamed socket; else the metal ball of a hemiarthroplasty, as large as
            the head it replaces, in the socket's own cartilage.
    """
    half = film.halves[side]
    if whole:
        reamed = replace(half.hip.form, min_width_mm=0.0, lip_mm=0.0, trend_mm=0.0, dip_mm=0.0, roof_dips=())
        return replace(film, halves={**film.halves, side: HalfPelvis(half.form, Hip(reamed))})
    radius = 0.985 * half.hip.form.head_radius_mm
    ball = Patch("ball", film.placement.hip_to_mm(ellipse(0.0, 0.0, radius, radius), side), 2.4, 0.2)
    kept = [bone for bone in film.bones if bone.name not in ("cup", "head")]
    return _MadeOver(**_parts(film), own_bones=(*kept, ball))


def child_film(film: Film, rng: np.random.Generator) -> Film:
    """A child's film: smaller still than the planted one or larger, a small body, thick cartilage.

    Args:
        film: One with a child planted.
        rng: Random numbers.
    """
    size, cartilage_mm = float(rng.uniform(0.75, 1.1)), float(rng.uniform(0.8, 3.0))

    def grown(half: HalfPelvis) -> HalfPelvis:
        form, hip = half.form, half.hip.form
        hip = replace(hip, head_radius_mm=size * hip.head_radius_mm, min_width_mm=hip.min_width_mm + cartilage_mm)
        return HalfPelvis(replace(form, half_distance_mm=size * form.half_distance_mm), Hip(hip))

    return replace(
        film,
        person=replace(film.person, size=film.person.size * (0.35 + 0.35 * size)),
        halves={side: grown(half) for side, half in film.halves.items()},
        placement=replace(film.placement, half_distance_mm=size * film.placement.half_distance_mm),
    )


def frog_leg_film(film: Film, rng: np.random.Generator) -> tuple[Film, float]:
    """A frog-leg film, hips bent and turned out, and by how many degrees the shafts lie turned on it.

    Args:
        film: A plain one.
        rng: Random numbers.
    """
    turned_deg, outward_deg = float(rng.uniform(35.0, 62.0)), float(rng.uniform(10.0, 40.0))
    leg = replace(film.placement, leg_turn_deg=-turned_deg)
    halves = {
        side: HalfPelvis(half.form, Hip(replace(half.hip.form, rotation_deg=outward_deg)))
        for side, half in film.halves.items()
    }
    bones = _skeleton(film, halves, leg)
    return _MadeOver(**_parts(replace(film, halves=halves)), own_bones=tuple(bones)), turned_deg


def _skeleton(film: Film, halves: dict[Side, HalfPelvis], leg: Placement) -> list[Element]:
    rng = stream(film.seed, film.person.index, 2, film.visit.number)
    form = halves[Side.RIGHT].form
    scale = float(np.mean([half.scale for half in halves.values()]))
    bones = spine_elements(film.placement, scale, form.tilt, form.twist, rng)
    for side, half in halves.items():
        floor, wall = float(rng.uniform(0.19, 0.35)), float(rng.uniform(0.5, 1.3))
        bones += pelvis_elements(half, side, film.placement, film.look.density, floor, wall)
        bones += femur_elements(half, side, leg, film.look.density)
    return bones


def cut_film(film: Film, landmarks: HipLandmarks, rng: np.random.Generator) -> tuple[CutFilm, Cut]:
    """A film that ends in a joint: at its own border, or at a collimator's blade, unexposed or masked beyond.

    The edge runs through joint space, roof or head, and takes at least `LEAST_LOST` of the sourcil or of the head's
    margin under it.

    Args:
        film: A plain one.
        landmarks: The joint's exact landmarks on it in mm.
        rng: Random numbers.
    """
    while True:
        border = bool(rng.random() < 0.4)
        name = list(_DIRECTIONS)[int(rng.integers(len(_DIRECTIONS)))]
        lean = rng.normal(0.0, 2.5) if rng.random() < 0.5 else rng.uniform(-45.0, 45.0)
        lean_deg = 0.0 if border else float(lean)
        place_mm = _place_in_joint(landmarks, rng)
        turn = np.deg2rad(lean_deg)
        inward = np.array(_DIRECTIONS[name]) @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        lost = [float(np.mean((line - place_mm) @ inward < 0)) for line in _bearing_lines(landmarks)]
        if max(lost) >= LEAST_LOST:
            break
    if border:
        placement = _bordered(film.placement, place_mm, inward)
        return CutFilm(**_parts(replace(film, placement=placement)), blades=None), Cut(f"border, from {name}", *lost)
    grey = float(rng.random() < 0.5)
    middle, reach = place_mm + _FAR_MM * inward, _FAR_MM / np.cos(turn)
    top, left = (float(v) for v in middle - reach)
    bottom, right = (float(v) for v in middle + reach)
    blades = Collimation((top, left, bottom, right), grey, lean_deg)
    by = f"{'white' if grey else 'black'} blade, from {name}, leaning by {lean_deg:.0f} degrees"
    return CutFilm(**_parts(film), blades=blades), Cut(by, *lost)


def _place_in_joint(landmarks: HipLandmarks, rng: np.random.Generator) -> Points:
    """A place ``(2,)`` between the middle parts of roof and head, or a little beyond either."""
    centre, _ = landmarks.head_circle()
    sourcil = landmarks.sourcil
    roof = sourcil.at(np.array([rng.uniform(0.2, 0.8) * sourcil.knots[-1]]))[0]
    return np.asarray(centre + float(rng.uniform(0.68, 1.06)) * (roof - centre), dtype=np.float64)


def _bearing_lines(landmarks: HipLandmarks) -> tuple[Points, Points]:
    """Sourcil and the head's margin under it, ``(n, 2)`` and ``(m, 2)`` evenly sampled."""
    centre, _ = landmarks.head_circle()
    sourcil, head = landmarks.sourcil.sample(0.25), landmarks.head_margin(0.25)
    ends = np.array([sourcil[0], sourcil[-1]]) - centre
    ends /= np.linalg.norm(ends, axis=1, keepdims=True)
    middle = ends.sum(axis=0) / np.linalg.norm(ends.sum(axis=0))
    away = head - centre
    under = away @ middle >= (ends[0] @ middle) * np.linalg.norm(away, axis=1)
    return sourcil, head[under]


def _bordered(placement: Placement, place_mm: Points, inward: Points) -> Placement:
    """A smaller film that begins or ends, along one axis, at a place."""
    kind, pixel_mm = placement.format, placement.format.pixel_mm
    axis = int(np.argmax(np.abs(inward)))
    at = round(float(place_mm[axis]) / pixel_mm)
    begins = bool(inward[axis] > 0)
    size = kind.shape[axis] - at if begins else at + 1
    centre = list(placement.centre_mm)
    centre[axis] -= at * pixel_mm if begins else 0.0
    kind = replace(kind, rows=size) if axis == 0 else replace(kind, cols=size)
    return replace(placement, format=kind, centre_mm=(centre[0], centre[1]))


def _parts(film: Film) -> dict[str, Any]:
    """A film's fields by name, of which a film of another class can be made."""
    return {field.name: getattr(film, field.name) for field in fields(Film)}
