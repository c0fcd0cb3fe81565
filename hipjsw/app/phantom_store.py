"""A store of phantom hips drawn straight as views: no films, no points files, nothing on disk but the store.

Hips, names, checks and tables are those of preparing a phantom cohort written with the same seed and options.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path

import cv2

from hipjsw.anatomy.landmarks import split_sides
from hipjsw.cohort.companions import Companions
from hipjsw.cohort.layout import FilmEntry
from hipjsw.cohort.order import Progress, in_order
from hipjsw.cohort.preparation import PreparedFilm, PreparedHip, hip_findings, left_out, prepare_hip
from hipjsw.cohort.store import STORE_VERSION, Store
from hipjsw.cohort.writing import FilmSource, PrepareSpec, content_hash, write_store
from hipjsw.phantom.cohort import CohortOptions, film_path, points_path
from hipjsw.phantom.film import Film, place
from hipjsw.phantom.marker import asked_for
from hipjsw.phantom.planting import draw_plant, plant_side, sides_without_width
from hipjsw.phantom.points import film_points
from hipjsw.phantom.population import draw_person
from hipjsw.phantom.views import draw_view

__all__ = ["write_view_store"]

#: Persons whose visits are listed in one go.
_PERSONS = 64


@dataclass(frozen=True, order=True)
class _Visit:
    """One film to be, by what it sorts by in a cohort's folder, and who is on it."""

    dataset: str
    subject: str
    visit: str
    index: int
    number: int


def write_view_store(
    folder: Path,
    subjects: int,
    seed: int,
    spec: PrepareSpec,
    options: CohortOptions | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Store:
    """Draw the hips of phantom persons into a store, or open the store if it already holds just them.

    Args:
        folder: Where the store shall lie.
        subjects: Number of persons, from the first.
        seed: The population's seed.
        spec: View, way of labelling and split.
        options: Look, errors of the points, share of planted films; None for the plain ones.
        workers: Processes; the bytes written are the same whatever their number.
        progress: Called with films done and films in all.

    Raises:
        ValueError: Fewer than one person, or a negative seed.
        StoreError: Another store, or something else, lies there.
        SplitError: Too few persons.
    """
    if subjects < 1 or seed < 0:
        raise ValueError(f"phantom views need at least one person and a seed from 0, got {subjects} and {seed}")
    options = options or CohortOptions()
    made_of = asked_for(subjects, seed, options) | {"drawn": "views"}
    threads = cv2.getNumThreads()
    try:
        visits = _visits(subjects, seed, workers)
        source = FilmSource(
            name=f"phantom views of seed {seed}",
            num_films=len(visits),
            request=content_hash([STORE_VERSION, spec.view, spec.labels, spec.split, made_of]),
            prepared=in_order(partial(_prepared, seed, options, spec), visits, workers, progress),
            beside=Companions(frozenset(), {}, made_of, ""),
        )
        return write_store(folder, spec, source)
    finally:
        cv2.setNumThreads(threads)


def _visits(subjects: int, seed: int, workers: int) -> list[_Visit]:
    """All films, in the order in which they would be found in a cohort's folder."""
    lots = [range(first, min(first + _PERSONS, subjects)) for first in range(0, subjects, _PERSONS)]
    found: Iterator[list[_Visit]] = in_order(partial(_visits_of, seed), lots, workers if len(lots) > workers else 1)
    return sorted(chain.from_iterable(found))


def _visits_of(seed: int, indices: Sequence[int]) -> list[_Visit]:
    persons = (draw_person(seed, index) for index in indices)
    return [_Visit(p.dataset, p.subject, v.name, p.index, v.number) for p in persons for v in p.visits]


def _prepared(seed: int, options: CohortOptions, spec: PrepareSpec, visit: _Visit) -> PreparedFilm:
    """Draw and check both hips of one film."""
    cv2.setNumThreads(1)
    person = draw_person(seed, visit.index)
    seen = next(v for v in person.visits if v.number == visit.number)
    plant = draw_plant(seed, person, seen, options.planted)
    film = place(seed, person, seen, options.look, plant)
    points = film_points(film, options.points_model)
    spacing = film.placement.format.spacing
    path, beside = film_path(film).as_posix(), points_path(film).as_posix()
    entry = FilmEntry(person.dataset, person.subject, seen.name, path, None if points.points_mm is None else beside)
    if points.points_mm is None:
        message = "no .pts file; the film cannot be labelled and is left out"
        return left_out(entry, spacing, "", "film_without_points", message)
    draw = partial(draw_view, film, spec=spec.view)
    hips = [
        prepare_hip(draw, film.raster.shape, spacing, marks, spec.view, spec.labels)
        for marks in split_sides(points.points_mm).values()
    ]
    without = sides_without_width(plant, plant_side(seed, person, seen))
    known = tuple(hip if hip.side in without else _with_truth(hip, film) for hip in hips)
    return PreparedFilm(entry, spacing, _digest(known), known, hip_findings(entry, known))


def _with_truth(hip: PreparedHip, film: Film) -> PreparedHip:
    return replace(hip, truth_mm=round(film.halves[hip.side].hip.mjsw_mm, 6))  # as many places as truth.csv has


def _digest(hips: Sequence[PreparedHip]) -> str:
    """Hash of all that is stored of a film's hips."""
    content = hashlib.blake2b(digest_size=16)
    for hip in hips:
        for array in (hip.image, hip.planes, hip.landmarks_px):
            content.update(b"-" if array is None else array.tobytes())
    return content.hexdigest()
