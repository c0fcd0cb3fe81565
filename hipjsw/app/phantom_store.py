"""A store of phantom hips drawn straight as views: no films, no points files, nothing on disk but the store.

Hips, names, checks and tables are those of preparing a phantom cohort written with the same seed and options. What
only a film's file can show (metal, burned-in text, spacing tags that differ) is not looked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path

import cv2

from hipjsw.anatomy.landmarks import HipLandmarks, Side, split_sides
from hipjsw.anatomy.numbering import Numbering, numbering_of, renumbered
from hipjsw.cohort.companions import Companions
from hipjsw.cohort.examination import ExaminedHip, examine_hip
from hipjsw.cohort.film_entry import FilmEntry, PointsFile
from hipjsw.cohort.film_record import FilmRecord, HipRecord
from hipjsw.cohort.film_source import FilmSource, film_key
from hipjsw.cohort.findings import Finding
from hipjsw.cohort.order import Progress, in_order
from hipjsw.cohort.preparation import PreparedFilm, PreparedHip, PrepareOptions, prepare_hip, prepared
from hipjsw.cohort.store import Store
from hipjsw.cohort.store_tables import content_hash
from hipjsw.cohort.writing import write_store
from hipjsw.imaging.spacing import PixelSpacing
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
    prepare: PrepareOptions,
    options: CohortOptions | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Store:
    """Draw the hips of phantom persons into a store, or open the store if it already holds just them.

    Args:
        folder: Where the store shall lie.
        subjects: Number of persons, from the first.
        seed: The population's seed.
        prepare: View and way of labelling.
        options: Look, errors of the points, share of planted films; None for the plain ones.
        workers: Processes; the bytes written are the same whatever their number.
        progress: Called with films done and films in all.

    Raises:
        ValueError: Fewer than one person, or a negative seed.
        StoreError: Another store, or something else, lies there.
    """
    if subjects < 1 or seed < 0:
        raise ValueError(f"phantom views need at least one person and a seed from 0, got {subjects} and {seed}")
    options = options or CohortOptions()
    made_of = asked_for(subjects, seed, options) | {"drawn": "views"}
    threads = cv2.getNumThreads()
    try:
        visits = _visits(subjects, seed, workers)

        def draw(numbers: Sequence[int]) -> Generator[PreparedFilm, None, None]:
            return in_order(partial(_prepared, seed, options, prepare), [visits[n] for n in numbers], workers)

        source = FilmSource(
            name=f"phantom views of seed {seed}",
            keys=[film_key([visit.dataset, visit.subject, visit.visit]) for visit in visits],
            stats=[()] * len(visits),
            prepare=draw,
            companions=Companions({}, made_of, ""),
        )
        return write_store(folder, prepare, source, progress=progress)
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


def _prepared(seed: int, options: CohortOptions, prepare: PrepareOptions, visit: _Visit) -> PreparedFilm:
    """Draw and check both hips of one film."""
    cv2.setNumThreads(1)
    person = draw_person(seed, visit.index)
    seen = next(v for v in person.visits if v.number == visit.number)
    plant = draw_plant(seed, person, seen, options.planted)
    film = place(seed, person, seen, options.look, plant)
    points = film_points(film, options.points_model)
    spacing = film.placement.format.spacing
    name = film_path(film).as_posix()
    files = () if points.points_mm is None else (PointsFile(points_path(film).as_posix()),)
    entry = FilmEntry(person.dataset, person.subject, seen.name, name, files)
    record = FilmRecord(entry, pixel_digest=content_hash([seed, visit.index, visit.number]), spacing=spacing)
    if points.points_mm is None:
        return _without_points(record)
    marks = split_sides(points.points_mm).values()
    if all(numbering_of(hip.points) is Numbering.OLDER for hip in marks):
        message = "both hips' points are in the older numbering; renumbered"
        record = replace(record, findings=(Finding(name, "older_numbering", message),))
    examined = [_examined(name, hip, film, spacing) for hip in marks]
    draw = partial(draw_view, film, spec=prepare.view)
    hips = [prepare_hip(draw, hip, film.raster.shape, spacing, prepare, name) for hip in examined]
    without = sides_without_width(plant, plant_side(seed, person, seen))
    made = prepared(record, [hip if hip[1].side in without else _with_truth(hip, film) for hip in hips])
    return replace(made, record=replace(made.record, film_digest=_digest(made.hips)))


def _without_points(record: FilmRecord) -> PreparedFilm:
    """A film that cannot be labelled, with the finding that says so."""
    rule, name = "film_without_points", record.entry.film
    said = Finding(name, rule, f"{name}: no .pts file, so there is nothing to label")
    hips = tuple(HipRecord(side.value, rule) for side in Side)
    return PreparedFilm(replace(record, hips=hips, findings=(said,)), tuple(PreparedHip(side) for side in Side))


def _examined(name: str, hip: HipLandmarks, film: Film, spacing: PixelSpacing) -> ExaminedHip:
    points = renumbered(hip.points) if numbering_of(hip.points) is Numbering.OLDER else hip.points
    return examine_hip(name, HipLandmarks(points, hip.side), film.raster.shape, spacing)


def _with_truth(hip: tuple[ExaminedHip, PreparedHip], film: Film) -> tuple[ExaminedHip, PreparedHip]:
    examined, arrays = hip
    exact_mm = round(film.halves[arrays.side].hip.mjsw_mm, 6)  # as many places as truth.csv has
    return replace(examined, record=replace(examined.record, truth_mm=exact_mm)), arrays


def _digest(hips: Sequence[PreparedHip]) -> str:
    """Hash of all that is stored of a film's hips."""
    content = hashlib.blake2b(digest_size=16)
    for hip in hips:
        for array in (hip.image, hip.planes, hip.landmarks_px, hip.geometry):
            content.update(b"-" if array is None else array.tobytes())
    return content.hexdigest()
