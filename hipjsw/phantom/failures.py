"""Planted failures: hip views on which no width must be given, and plain hips beside them.

Every view is a pure function of (kind, seed, number), drawn and scaled as `draw_view` draws a plain hip. Its person
lies beyond every cohort: a network trained on the same seed has not met it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.landmarks import HipLandmarks, Side, split_sides
from hipjsw.imaging.view import HipView, ViewSpec
from hipjsw.phantom.body_parts import PARTS
from hipjsw.phantom.failure_films import child_film, cut_film, frog_leg_film, prosthesis_film
from hipjsw.phantom.film import Film, place
from hipjsw.phantom.part_film import film_of_part
from hipjsw.phantom.planting import Plant
from hipjsw.phantom.population import draw_person, stream
from hipjsw.phantom.raster import Raster
from hipjsw.phantom.views import draw_view, hip_view

__all__ = ["Failure", "FailureView", "failure_view", "failure_views", "good_view", "good_views"]

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]

#: Purpose of this module's random numbers (see ``population.stream``).
_STREAM = 15
#: Persons of each kind: so many, from a first one that no cohort reaches.
_FIRST_PERSON, _PERSONS = 1_000_000, 100_000
#: Places of a pelvis film away from its joints: whether in the frame of a hip or of the pelvis, and the region there.
_PLACES_MM = {
    "iliac wing": (True, (-104.0, -14.0, -92.0, 10.0)),
    "femoral shaft": (True, (92.0, -42.0, 110.0, -22.0)),
    "sacrum": (False, (-86.0, -8.0, -58.0, 8.0)),
    "symphysis": (False, (22.0, -8.0, 46.0, 8.0)),
}
_LUMBAR, _LUMBAR_MM = "lumbar spine", (-198.0, -14.0, -160.0, 14.0)
#: How views are turned: quarters anticlockwise, and whether flipped before. Only square ones are laid on their side.
_TURNS = (
    ("flipped top to bottom", 0, True),
    ("turned by 180 degrees", 2, False),
    ("flipped top to bottom", 0, True),
    ("turned by 180 degrees", 2, False),
    ("turned by 90 degrees anticlockwise", 1, False),
    ("turned by 90 degrees clockwise", 3, False),
)


class Failure(StrEnum):
    """Why a view's hip must not be measured."""

    #: A total hip replacement or a hemiarthroplasty.
    PROSTHESIS = "prosthesis"
    #: Film or exposed field end in the joint.
    CUT = "cut"
    #: Open growth plates, thick cartilage, small bones.
    CHILD = "child"
    #: Hips bent and turned out.
    FROG_LEG = "frog-leg"
    #: No hip at all: another part of the body, or the pelvis away from the joint.
    OTHER_PART = "other-part"
    #: A hip on its head, or on its side.
    UPSIDE_DOWN = "upside-down"


@dataclass(frozen=True, eq=False)
class FailureView:
    """One view as a network sees it, and what it shows.

    Args:
        kind: The failure; None for a plain hip.
        number: Its place among those of its kind, from 0.
        person: Index of the person, by which what is counted can be clustered; one view a person.
        image: float32 ``(rows, cols)``, margin included, 0 to 1 as `draw_view` scales it.
        inside: bool ``(rows, cols)``, which pixels the film covers.
        exposed: bool ``(rows, cols)``, those of them within the collimator's field.
        pixel_mm: Side of the view's pixels.
        caption: What it shows, in words.
        landmarks: The hip's exact landmarks in view pixels, where a plain or a cut hip is in its place; else None.
        mjsw_mm: The exact width of a plain hip; None for every failure.
    """

    kind: Failure | None
    number: int
    person: int
    image: Image
    inside: Mask
    exposed: Mask
    pixel_mm: float
    caption: str
    landmarks: HipLandmarks | None = None
    mjsw_mm: float | None = None


class _Laid(NamedTuple):
    """A film, where the view lies on it, and what that shows."""

    film: Film
    view: HipView
    caption: str
    marks_mm: HipLandmarks | None = None  # of the hip, where a plain one lies in its place


class _Order(NamedTuple):
    """What a view is drawn from."""

    number: int
    seed: int
    person: int
    spec: ViewSpec
    rng: np.random.Generator
    side: Side

    def film(self, plant: Plant | None = None) -> Film:
        """The film of the person's last visit."""
        person = draw_person(self.seed, self.person)
        return place(self.seed, person, person.visits[-1], plant=plant)

    def laid(self, film: Film, side: Side, caption: str, landmarks: bool = False) -> _Laid:
        """The view about the head of one hip of a film."""
        marks = split_sides(film.points_mm)[side]
        return _Laid(film, hip_view(film, marks, self.spec), caption, marks if landmarks else None)


def failure_views(kind: Failure, count: int, seed: int, spec: ViewSpec) -> Iterator[FailureView]:
    """Draw failures of one kind, its variants in turn.

    Args:
        kind: The kind.
        count: How many.
        seed: Seed of the persons.
        spec: What a view shows.

    Raises:
        ValueError: A negative count or seed, or a view that is not one of a hip.
    """
    _check(count, seed, spec)
    return (failure_view(kind, number, seed, spec) for number in range(count))


def failure_view(kind: Failure, number: int, seed: int, spec: ViewSpec) -> FailureView:
    """Draw one failure: the ``number``-th, from 0, of `failure_views`.

    Args:
        kind: The kind.
        number: Which.
        seed: Seed of the persons.
        spec: What a view shows.

    Raises:
        ValueError: A number outside 0 to 99999, a negative seed, or a view that is not one of a hip.
    """
    _check(number, seed, spec)
    order = _ordered(1 + list(Failure).index(kind), number, seed, spec)
    drawn = _drawn(kind, order, _MAKERS[kind](order))
    if kind is not Failure.UPSIDE_DOWN:
        return drawn
    turns = _TURNS if spec.rows_px == spec.cols_px else _TURNS[:4]
    return _turned(drawn, *turns[number % len(turns)])


def good_views(count: int, seed: int, spec: ViewSpec) -> Iterator[FailureView]:
    """Draw plain hips, right and left by chance, with their exact widths.

    Args:
        count: How many.
        seed: Seed of the persons.
        spec: What a view shows.

    Raises:
        ValueError: As `failure_views` does.
    """
    _check(count, seed, spec)
    return (good_view(number, seed, spec) for number in range(count))


def good_view(number: int, seed: int, spec: ViewSpec) -> FailureView:
    """Draw one plain hip: the ``number``-th, from 0, of `good_views`.

    Args:
        number: Which.
        seed: Seed of the persons.
        spec: What a view shows.

    Raises:
        ValueError: As `failure_view` does.
    """
    _check(number, seed, spec)
    order = _ordered(0, number, seed, spec)
    film = order.film()
    width_mm = film.halves[order.side].hip.mjsw_mm
    laid = order.laid(film, order.side, f"{order.side.value} hip, mJSW {width_mm:.2f} mm", landmarks=True)
    return replace(_drawn(None, order, laid), mjsw_mm=width_mm)


def _check(number: int, seed: int, spec: ViewSpec) -> None:
    if not 0 <= number < _PERSONS or seed < 0:
        raise ValueError(f"failures are numbered from 0 to {_PERSONS - 1}, seeds from 0; got {number} and seed {seed}")
    if spec.centre != "head":
        raise ValueError(f"failures are views of one hip: view.centre must be 'head', {spec.name} has {spec.centre!r}")


def _ordered(lot: int, number: int, seed: int, spec: ViewSpec) -> _Order:
    person = _FIRST_PERSON + lot * _PERSONS + number
    rng = stream(seed, person, _STREAM)
    return _Order(number, seed, person, spec, rng, Side.RIGHT if rng.random() < 0.5 else Side.LEFT)


def _drawn(kind: Failure | None, order: _Order, laid: _Laid) -> FailureView:
    film, view, caption, marks_mm = laid
    image, inside = draw_view(film, view, order.spec)
    exposed = inside
    if film.collimation is not None:
        first_row, first_col = view.to_film_mm(np.zeros(2)).tolist()
        raster = Raster(view.shape, view.pixel_mm, (first_row, first_col), view.mirrored)
        exposed = inside & (film.collimation.beyond(raster) < 0.5)
    marks = None if marks_mm is None else HipLandmarks(view.from_film_mm(marks_mm.points), marks_mm.side)
    return FailureView(kind, order.number, order.person, image, inside, exposed, view.pixel_mm, caption, marks)


def _prosthesis(order: _Order) -> _Laid:
    film = order.film(Plant.PROSTHESIS)
    side, whole = next(iter(film.planted)), order.number % 3 < 2
    caption = "total hip replacement" if whole else "hemiarthroplasty"
    return order.laid(prosthesis_film(film, side, whole), side, caption)


def _cut(order: _Order) -> _Laid:
    film = order.film()
    film, cut = cut_film(film, split_sides(film.points_mm)[order.side], order.rng)
    lost = f"{cut.lost_sourcil:.0%} of the sourcil, {cut.lost_head:.0%} of the head under it"
    return order.laid(film, order.side, f"film cut by {cut.by}: {lost} lost", landmarks=True)


def _child(order: _Order) -> _Laid:
    return order.laid(child_film(order.film(Plant.CHILD), order.rng), order.side, "child")


def _frog_leg(order: _Order) -> _Laid:
    film, turned_deg = frog_leg_film(order.film(), order.rng)
    return order.laid(film, order.side, f"frog-leg, shaft turned out by {turned_deg:.0f} degrees")


def _other_part(order: _Order) -> _Laid:
    names = [*PARTS, *_PLACES_MM, _LUMBAR]
    name = names[order.number % len(names)]
    film = order.film()
    if name in PARTS:
        part = film_of_part(film, name, order.rng)
        at_mm = part.to_mm(_within(part.part.region_mm, order.rng))
        return _Laid(part, _view_at(part, order.spec, at_mm, part.mirrored), part.part.name)
    if name == _LUMBAR:  # the same person, the film laid higher
        at = _within(_LUMBAR_MM, order.rng)
        row_mm = film.placement.centre_mm[0] - float(np.mean(_LUMBAR_MM[::2]))
        film = replace(film, placement=replace(film.placement, centre_mm=(row_mm, film.placement.centre_mm[1])))
        return _Laid(film, _view_at(film, order.spec, film.placement.pelvis_to_mm(at)), name)
    in_hip, region_mm = _PLACES_MM[name]
    at = _within(region_mm, order.rng)
    at_mm = film.placement.hip_to_mm(at, order.side) if in_hip else film.placement.pelvis_to_mm(at)
    return _Laid(film, _view_at(film, order.spec, at_mm, order.side is Side.LEFT), name)


def _upside_down(order: _Order) -> _Laid:
    return order.laid(order.film(), order.side, "upside-down")


def _within(region_mm: tuple[float, float, float, float], rng: np.random.Generator) -> NDArray[np.float64]:
    """A place ``(1, 2)`` in a region ``(top, left, bottom, right)``."""
    return rng.uniform(region_mm[:2], region_mm[2:], (1, 2))


def _view_at(film: Film, spec: ViewSpec, at_mm: NDArray[np.float64], mirrored: bool = False) -> HipView:
    return HipView(spec.stored_shape, spec.pixel_mm, at_mm[0], mirrored, film.placement.format.spacing)


def _turned(drawn: FailureView, caption: str, quarters: int, flipped: bool) -> FailureView:
    places = np.arange(drawn.image.size).reshape(drawn.image.shape)
    places = np.ascontiguousarray(np.rot90(places[::-1] if flipped else places, quarters))
    image, inside, exposed = drawn.image.ravel()[places], drawn.inside.ravel()[places], drawn.exposed.ravel()[places]
    return replace(drawn, image=image, inside=inside, exposed=exposed, caption=caption)


_MAKERS: dict[Failure, Callable[[_Order], _Laid]] = {
    Failure.PROSTHESIS: _prosthesis,
    Failure.CUT: _cut,
    Failure.CHILD: _child,
    Failure.FROG_LEG: _frog_leg,
    Failure.OTHER_PART: _other_part,
    Failure.UPSIDE_DOWN: _upside_down,
}
