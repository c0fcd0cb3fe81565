"""A phantom cohort on disk, laid out like the real ones.

::

    OAI/V00/OAI-9000001-V00-20040115.dcm          CHECK/T00/9000002_T00_APO.dcm
    OAI-pointfiles/V00/<film file name>.pts       CHECK-pointfiles/T00/<film file name>.pts
    truth.csv   truth_profiles.csv   split.csv   phantom.json   (quirks.csv)
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2

from hipjsw.anatomy.points_file import write_points
from hipjsw.phantom import marker, tables
from hipjsw.phantom.dicom import encode
from hipjsw.phantom.film import Film, place, render
from hipjsw.phantom.marker import CohortExistsError, replace_file
from hipjsw.phantom.names import film_name, points_name
from hipjsw.phantom.options import CohortOptions
from hipjsw.phantom.planting import draw_plant, plant_side, sides_without_width
from hipjsw.phantom.points import FilmPoints, PointsModel, film_points
from hipjsw.phantom.population import draw_person
from hipjsw.phantom.quirk_files import QUIRK_COLUMNS, plain_rows, write_quirk
from hipjsw.phantom.quirks import PLANTS, QuirkPlan, plan_quirks, renamed
from hipjsw.phantom.tables import FilmRows

__all__ = [
    "CohortExistsError",
    "CohortOptions",
    "CohortSummary",
    "film_path",
    "is_whole",
    "points_path",
    "write_cohort",
]

_PLAIN = CohortOptions()


@dataclass(frozen=True)
class CohortSummary:
    """What a cohort holds.

    Args:
        folder: Where it lies.
        num_subjects: Persons.
        num_films: Films.
        num_hips: Hips on those films, two a film.
        num_widths: Hips with a true width.
        notes: How many films show what besides a plain pelvis.
        points_notes: How many films have what oddity of their points.
    """

    folder: Path
    num_subjects: int
    num_films: int
    num_hips: int
    num_widths: int
    notes: dict[str, int] = field(default_factory=dict)
    points_notes: dict[str, int] = field(default_factory=dict)


def film_path(film: Film) -> Path:
    """Path of a film below the cohort's folder."""
    return Path(film_name(film))


def points_path(film: Film) -> Path:
    """Path of a film's points below the cohort's folder."""
    return Path(points_name(film_name(film)))


def _write_film(out: Path, film: Film, points: FilmPoints) -> None:
    """Write a film and its points where they are not there yet."""
    target, beside = out / film_path(film), out / points_path(film)
    if target.exists() and (points.points_mm is None or beside.exists()):
        return
    if points.points_mm is not None:
        beside.parent.mkdir(parents=True, exist_ok=True)
        temporary = beside.with_name(f".{beside.name}.{os.getpid()}.part")
        write_points(temporary, points.points_mm)
        temporary.replace(beside)
    replace_file(target, encode(film, render(film)))


def _write_person(folder: str, seed: int, options: CohortOptions, plan: QuirkPlan, index: int) -> list[FilmRows]:
    """Write a person's films and points; what the tables say of them."""
    cv2.setNumThreads(1)
    person, rows = renamed(draw_person(seed, index), plan), []
    for visit in person.visits:
        quirk = plan.get((index, visit.number))
        plant = draw_plant(seed, person, visit, options.planted) if quirk is None else PLANTS.get(quirk)
        film = place(seed, person, visit, options.look, plant)
        points = film_points(film, PointsModel.NONE if quirk else options.points_model)
        if quirk is None:
            _write_film(Path(folder), film, points)
            odd = plain_rows(film) if options.quirks else []
        else:
            odd = write_quirk(Path(folder), film, quirk)
        without = sides_without_width(plant, plant_side(seed, person, visit))
        rows.append(replace(tables.film_rows(film, without, points.note), quirks=tuple(odd)))
    return rows


def _write_persons(
    write: Callable[[int], list[FilmRows]],
    subjects: int,
    workers: int,
    progress: Callable[[int, int], None] | None,
) -> list[FilmRows]:
    def each(results: Iterator[list[FilmRows]]) -> list[FilmRows]:
        rows: list[FilmRows] = []
        for done, some in enumerate(results, start=1):
            rows += some
            if progress is not None:
                progress(done, subjects)
        return rows

    if workers <= 1:
        threads = cv2.getNumThreads()
        try:
            return each(map(write, range(subjects)))
        finally:
            cv2.setNumThreads(threads)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return each(pool.map(write, range(subjects)))


def is_whole(out: Path, subjects: int, seed: int, options: CohortOptions = _PLAIN) -> bool:
    """Whether a folder holds this very cohort, whole and of this version."""
    found = marker.read_whole(out)
    asked = marker.asked_for(subjects, seed, options)
    return found is not None and marker.agrees(found, asked)


def _counts(films: Sequence[FilmRows], options: CohortOptions) -> dict[str, Any]:
    """What a whole cohort's marker says of it beyond what was asked for."""
    return {
        "difficulty": options.difficulty,
        "films": len(films),
        "hips": 2 * len(films),
        "widths": sum(film.num_widths for film in films),
        "notes": dict(sorted(Counter(film.note for film in films if film.note).items())),
        "points_notes": dict(sorted(Counter(film.points_note for film in films if film.points_note).items())),
    }


def _summary(out: Path, found: dict[str, Any]) -> CohortSummary:
    counts = (found[name] for name in ("subjects", "films", "hips", "widths", "notes", "points_notes"))
    return CohortSummary(out, *counts)


def write_cohort(
    out: Path,
    subjects: int,
    seed: int,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
    options: CohortOptions = _PLAIN,
) -> CohortSummary:
    """Write a cohort; one that is there whole is left alone, one half written is continued.

    Args:
        out: Its folder: new, empty, or holding this very cohort.
        subjects: Number of persons.
        seed: Seed; with the options, a person and each of its films depend on (seed, index) alone.
        workers: Processes to draw with; the bytes written are the same whatever their number.
        progress: Called after each person with (persons done, persons in all).
        options: How hard the cohort is.

    Returns:
        What the cohort holds.

    Raises:
        CohortExistsError: The folder holds another cohort or other files.
        ValueError: Fewer than one subject, a negative seed, or too few subjects for every quirk.
    """
    if subjects < 1 or seed < 0:
        raise ValueError(f"a cohort needs at least one subject and a seed from 0, got {subjects} and {seed}")
    asked = marker.asked_for(subjects, seed, options)
    plan = plan_quirks(seed, subjects, options.look, options.planted) if options.quirks else {}
    marker.refuse_others(out, asked)
    found = marker.read_whole(out)
    if found is not None:
        return _summary(out, found)
    out.mkdir(parents=True, exist_ok=True)
    marker.begin(out, asked)
    films = _write_persons(partial(_write_person, str(out), seed, options, plan), subjects, workers, progress)
    persons = [renamed(draw_person(seed, index), plan) for index in range(subjects)]
    split = [(person.dataset, person.subject, "test") for person in tables.kept_for_testing(persons)]
    listed: dict[str, tuple[Sequence[str], list[tables.Row]]] = {
        "truth.csv": (tables.TRUTH_COLUMNS, [row for film in films for row in film.truth]),
        "truth_profiles.csv": (tables.PROFILE_COLUMNS, [row for film in films for row in film.profiles]),
        "split.csv": (tables.SPLIT_COLUMNS, list(split)),
    }
    if options.quirks:
        listed["quirks.csv"] = QUIRK_COLUMNS, [row for film in films for row in film.quirks]
    for name, (columns, rows) in listed.items():
        replace_file(out / name, tables.table(columns, rows))
    content = {**asked, **_counts(films, options)}
    marker.finish(out, content)
    return _summary(out, content)
