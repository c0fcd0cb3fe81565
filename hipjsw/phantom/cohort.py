"""A phantom cohort on disk, laid out like the real ones.

::

    OAI/V00/OAI-9000001-V00-20040115.dcm          CHECK/T00/9000002_T00_APO.dcm
    OAI-pointfiles/V00/<film file name>.pts       CHECK-pointfiles/T00/<film file name>.pts
    truth.csv   split.csv   phantom.json

``phantom.json`` is written last and marks the cohort whole; until then ``phantom.part.json`` says what was
begun.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2

from hipjsw.anatomy.landmarks import write_points
from hipjsw.phantom.dicom import encode
from hipjsw.phantom.film import Film, place, render
from hipjsw.phantom.population import PHANTOM_VERSION, Person, draw_person

__all__ = ["CohortExistsError", "CohortSummary", "film_path", "is_whole", "points_path", "write_cohort"]

_WHOLE, _PART = "phantom.json", "phantom.part.json"
_TEST_HIPS, _TEST_SHARE = 100, 0.3
_TRUTH = ("dataset", "subject", "visit", "side", "mjsw_mm", "head_row_mm", "head_col_mm", "head_radius_mm")


class CohortExistsError(ValueError):
    """The folder holds something else; the message says what and what to do."""


@dataclass(frozen=True)
class CohortSummary:
    """What a cohort holds.

    Args:
        folder: Where it lies.
        num_subjects: Persons.
        num_films: Films.
        num_hips: Hips on those films, two a film.
    """

    folder: Path
    num_subjects: int
    num_films: int
    num_hips: int


def film_path(film: Film) -> Path:
    """Path of a film below the cohort's folder."""
    person, visit = film.person, film.visit
    if person.dataset == "OAI":
        name = f"OAI-{person.subject}-{visit.name}-{visit.day:%Y%m%d}.dcm"
    else:
        name = f"{person.subject}_{visit.name}_APO.dcm"
    return Path(person.dataset, visit.name, name)


def points_path(film: Film) -> Path:
    """Path of a film's points below the cohort's folder."""
    path = film_path(film)
    return Path(f"{film.person.dataset}-pointfiles", film.visit.name, f"{path.name}.pts")


def _asked(subjects: int, seed: int) -> dict[str, object]:
    return {"phantom_version": PHANTOM_VERSION, "seed": seed, "subjects": subjects}


def _read(path: Path) -> dict[str, object] | None:
    """A marker's content; None where there is none, empty where it cannot be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _replace(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    temporary.write_bytes(content)
    temporary.replace(path)


def _replace_json(path: Path, content: dict[str, object]) -> None:
    _replace(path, (json.dumps(content, indent=2) + "\n").encode())


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()


def _truth(film: Film) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for side, half in film.halves.items():
        row, col = film.head_centre_mm(side)
        numbers = half.hip.mjsw_mm, row, col, half.hip.form.head_radius_mm
        names = film.person.dataset, film.person.subject, film.visit.name, side.value
        rows.append((*names, *(f"{number:.6f}" for number in numbers)))
    return rows


def _write_person(folder: str, seed: int, index: int) -> list[tuple[object, ...]]:
    """Write a person's films and points where they are not there yet; the rows of the truth."""
    cv2.setNumThreads(1)
    out, person, rows = Path(folder), draw_person(seed, index), []
    for visit in person.visits:
        film = place(seed, person, visit)
        rows += _truth(film)
        target, points = out / film_path(film), out / points_path(film)
        if target.exists() and points.exists():
            continue
        points.parent.mkdir(parents=True, exist_ok=True)
        temporary = points.with_name(f".{points.name}.{os.getpid()}.part")
        write_points(temporary, film.points_mm)
        temporary.replace(points)
        _replace(target, encode(film, render(film)))
    return rows


def _write_persons(
    out: Path, subjects: int, seed: int, workers: int, progress: Callable[[int, int], None] | None
) -> list[tuple[object, ...]]:
    def each(results: Iterator[list[tuple[object, ...]]]) -> list[tuple[object, ...]]:
        rows: list[tuple[object, ...]] = []
        for done, some in enumerate(results, start=1):
            rows += some
            if progress is not None:
                progress(done, subjects)
        return rows

    if workers <= 1:
        threads = cv2.getNumThreads()
        try:
            return each(_write_person(str(out), seed, index) for index in range(subjects))
        finally:
            cv2.setNumThreads(threads)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return each(pool.map(_write_person, [str(out)] * subjects, [seed] * subjects, range(subjects)))


def _test_persons(persons: Sequence[Person]) -> list[Person]:
    """The first persons, until they have enough hips, but no more than their share of all."""
    chosen: list[Person] = []
    for person in persons[: int(_TEST_SHARE * len(persons))]:
        if sum(2 * len(p.visits) for p in chosen) >= _TEST_HIPS:
            break
        chosen.append(person)
    return chosen


def is_whole(out: Path, subjects: int | None = None, seed: int | None = None) -> bool:
    """Whether a folder holds a whole phantom cohort of this version (and, if given, this size and seed)."""
    found = _read(out / _WHOLE)
    if not found or found.get("phantom_version") != PHANTOM_VERSION:
        return False
    wanted = {"subjects": subjects, "seed": seed}
    return all(value is None or found.get(name) == value for name, value in wanted.items())


def _refuse_others(out: Path, asked: dict[str, object]) -> None:
    """Raise where the folder holds, or was begun as, anything but the cohort asked for."""
    for marker in (_WHOLE, _PART):
        found = _read(out / marker)
        if found is not None and {name: found.get(name) for name in asked} != asked:
            have = ", ".join(f"{name} {found.get(name)}" for name in asked)
            want = ", ".join(f"{name} {value}" for name, value in asked.items())
            raise CohortExistsError(
                f"{out} holds another phantom cohort ({have}); asked for was {want}. "
                "Choose another folder, ask for the one that is there, or delete the folder."
            )
    if out.exists() and not any((out / marker).exists() for marker in (_WHOLE, _PART)) and any(out.iterdir()):
        raise CohortExistsError(f"{out} is not empty and holds no phantom cohort. Choose an empty or a new folder.")


def write_cohort(
    out: Path,
    subjects: int,
    seed: int,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> CohortSummary:
    """Write a cohort; one that is there whole is left alone, one half written is continued.

    Args:
        out: Its folder: new, empty, or holding this very cohort.
        subjects: Number of persons.
        seed: Seed; a person and each of its films depend on (seed, index) alone.
        workers: Processes to draw with; the bytes written are the same whatever their number.
        progress: Called after each person with (persons done, persons in all).

    Returns:
        What the cohort holds.

    Raises:
        CohortExistsError: The folder holds another cohort or other files.
        ValueError: Fewer than one subject, or a negative seed.
    """
    if subjects < 1 or seed < 0:
        raise ValueError(f"a cohort needs at least one subject and a seed from 0, got {subjects} and {seed}")
    asked = _asked(subjects, seed)
    _refuse_others(out, asked)
    persons = [draw_person(seed, index) for index in range(subjects)]
    films = sum(len(person.visits) for person in persons)
    summary = CohortSummary(out, subjects, films, 2 * films)
    if is_whole(out, subjects, seed):
        return summary
    out.mkdir(parents=True, exist_ok=True)
    _replace_json(out / _PART, asked)
    truth = _write_persons(out, subjects, seed, workers, progress)
    _replace(out / "truth.csv", _table(_TRUTH, truth))
    split = [(person.dataset, person.subject, "test") for person in _test_persons(persons)]
    _replace(out / "split.csv", _table(("dataset", "subject", "split"), split))
    for left in out.rglob(".*.part"):
        left.unlink()
    _replace_json(out / _WHOLE, {**asked, "films": films, "hips": 2 * films})
    (out / _PART).unlink()
    return summary
