"""The tables beside a phantom cohort's films: the truth of each hip, its profile, who is kept for testing."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from hipjsw.anatomy.landmarks import Side
from hipjsw.phantom.film import Film
from hipjsw.phantom.population import Person
from hipjsw.phantom.truth import PROFILE_PLACES, HipTruth, hip_truth

__all__ = ["PROFILE_COLUMNS", "SPLIT_COLUMNS", "TRUTH_COLUMNS", "FilmRows", "film_rows", "kept_for_testing", "table"]

_NAMES = ("dataset", "subject", "visit", "side")
_HEAD = ("head_row_mm", "head_col_mm", "head_radius_mm")
_MEASURES = ("p5_mm", "mean_mm", "median_mm", "lateral_mm", "central_mm", "medial_mm", "min_place", "centre_edge_deg")
_PERSON = ("loss_mm_per_year", "sex", "age_band", "disease", "note", "points_note")

#: Columns of truth.csv, truth_profiles.csv and split.csv.
TRUTH_COLUMNS = (*_NAMES, "mjsw_mm", *_HEAD, *_MEASURES, *_PERSON)
PROFILE_COLUMNS = (*_NAMES, *(f"w{place:03d}" for place in range(PROFILE_PLACES)))
SPLIT_COLUMNS = ("dataset", "subject", "split")

_TEST_HIPS, _TEST_SHARE = 100, 0.3

Row = tuple[object, ...]


@dataclass(frozen=True)
class FilmRows:
    """What the tables say of one film.

    Args:
        truth: Its rows of truth.csv, right hip then left.
        profiles: Its rows of truth_profiles.csv.
        note: What the film shows besides a plain pelvis; empty for nothing.
        points_note: What is odd about its points; empty for nothing.
        num_widths: Hips with a true width.
        quirks: Its rows of quirks.csv.
    """

    truth: tuple[Row, ...]
    profiles: tuple[Row, ...]
    note: str
    points_note: str
    num_widths: int
    quirks: tuple[Row, ...] = ()


def film_rows(film: Film, without_width: frozenset[Side], points_note: str) -> FilmRows:
    """The rows of one film.

    Args:
        film: The film.
        without_width: Its hips that have no true width: what is measured of them stays empty.
        points_note: What is odd about its points.
    """
    truth, profiles = [], []
    for side in Side:
        names = (film.person.dataset, film.person.subject, film.visit.name, side.value)
        known = None if side in without_width else hip_truth(film.halves[side].hip)
        row, col = film.head_centre_mm(side)
        head = (_number(value) for value in (row, col, film.halves[side].hip.form.head_radius_mm))
        least = "" if known is None else _number(known.mjsw_mm)
        truth.append((*names, least, *head, *_measures(known), *_person(film, side), film.note, points_note))
        profiles.append((*names, *([""] * PROFILE_PLACES if known is None else map(_number, known.profile_mm))))
    return FilmRows(tuple(truth), tuple(profiles), film.note, points_note, len(Side) - len(without_width))


def _number(value: float) -> str:
    return f"{value:.6f}"


def _measures(known: HipTruth | None) -> list[str]:
    """The columns between the head's and the person's; empty where the hip has no true width."""
    if known is None:
        return [""] * len(_MEASURES)
    widths = (known.p5_mm, known.mean_mm, known.median_mm, known.lateral_mm, known.central_mm, known.medial_mm)
    return [_number(value) for value in (*widths, known.place, known.centre_edge_deg)]


def _person(film: Film, side: Side) -> Row:
    person = film.person
    disease = person.disease[side]
    return _number(disease.loss_mm_per_year), person.sex, person.age_band, disease.narrowing.value


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    """A CSV file's bytes."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()


def kept_for_testing(persons: Sequence[Person]) -> list[Person]:
    """The persons kept for testing: the first, until they have enough hips, but no more than their share of all."""
    chosen: list[Person] = []
    for person in persons[: int(_TEST_SHARE * len(persons))]:
        if sum(2 * len(p.visits) for p in chosen) >= _TEST_HIPS:
            break
        chosen.append(person)
    return chosen
