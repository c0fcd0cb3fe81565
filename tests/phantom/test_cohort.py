"""A cohort on disk: layout, options, same bytes whatever the workers, continuing, refusing."""

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from hipjsw.anatomy.landmarks import Side, split_sides
from hipjsw.anatomy.points_file import read_points
from hipjsw.phantom.cohort import CohortExistsError, CohortOptions, CohortSummary, is_whole, write_cohort
from hipjsw.phantom.population import PHANTOM_VERSION, draw_person
from hipjsw.phantom.shape import closest_approach

SUBJECTS, SEED = 2, 7
HARD = CohortOptions("wide", "bonefinder", 0.4)


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> CohortSummary:
    return write_cohort(tmp_path_factory.mktemp("cohort") / "phantom", SUBJECTS, SEED)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_every_film_has_points_and_truth(cohort: CohortSummary) -> None:
    films = sorted(cohort.folder.glob("*/*/*.dcm"))
    truth = rows(cohort.folder / "truth.csv")
    assert len(films) == cohort.num_films
    assert len(truth) == cohort.num_hips == 2 * cohort.num_films
    assert cohort.num_subjects == SUBJECTS
    for film in films:
        dataset, visit, name = film.relative_to(cohort.folder).parts
        sides = split_sides(read_points(cohort.folder / f"{dataset}-pointfiles" / visit / f"{name}.pts"))
        header = pydicom.dcmread(film)
        for side in Side:
            (row,) = [
                r
                for r in truth
                if (r["dataset"], r["subject"], r["visit"], r["side"]) == (dataset, header.PatientID, visit, side)
            ]
            marks = sides[side]
            assert closest_approach(marks.sourcil, marks.femur)[0] == pytest.approx(float(row["mjsw_mm"]), abs=0.06)
            centre, radius = marks.head_circle()
            expected = float(row["head_row_mm"]), float(row["head_col_mm"])
            np.testing.assert_allclose(centre, expected, atol=1.5)
            assert radius == pytest.approx(float(row["head_radius_mm"]), abs=1.0)


def test_same_bytes_whatever_the_workers(tmp_path: Path) -> None:
    one = write_cohort(tmp_path / "one", SUBJECTS, SEED, options=HARD)
    assert write_cohort(tmp_path / "two", SUBJECTS, SEED, 2, options=HARD).notes == one.notes
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_half_written_cohort_is_continued_without_redrawing(cohort: CohortSummary, tmp_path: Path) -> None:
    other = tmp_path / "half"
    with pytest.raises(KeyboardInterrupt):
        write_cohort(other, SUBJECTS, SEED, progress=lambda done, total: (_ for _ in ()).throw(KeyboardInterrupt))
    assert not is_whole(other, SUBJECTS, SEED)
    kept = next(other.glob("*/*/*.dcm"))
    stamp = kept.stat().st_mtime_ns
    (kept.parent / f".{kept.name}.1.part").write_bytes(b"cut off")
    calls: list[tuple[int, int]] = []
    write_cohort(other, SUBJECTS, SEED, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, SUBJECTS), (2, SUBJECTS)]
    assert kept.stat().st_mtime_ns == stamp
    assert digests(other) == digests(cohort.folder)


def test_whole_cohort_is_left_alone_and_another_is_refused(cohort: CohortSummary, tmp_path: Path) -> None:
    before, plain = digests(cohort.folder), CohortOptions()
    assert write_cohort(cohort.folder, SUBJECTS, SEED) == cohort
    others = [(SUBJECTS + 1, SEED, plain), (SUBJECTS, SEED + 1, plain)]
    hard = [CohortOptions(look="wide"), CohortOptions(points_error="bonefinder"), CohortOptions(planted=0.1)]
    others += [(SUBJECTS, SEED, options) for options in hard]
    for subjects, seed, options in others:
        with pytest.raises(CohortExistsError, match="another phantom cohort"):
            write_cohort(cohort.folder, subjects, seed, options=options)
        assert not is_whole(cohort.folder, subjects, seed, options)
    assert digests(cohort.folder) == before
    assert is_whole(cohort.folder, SUBJECTS, SEED)
    (tmp_path / "letters.txt").write_text("mine")
    with pytest.raises(CohortExistsError, match="not empty"):
        write_cohort(tmp_path, SUBJECTS, SEED)


def test_marker_says_what_is_there(cohort: CohortSummary) -> None:
    marker = json.loads((cohort.folder / "phantom.json").read_text())
    assert marker == {
        "phantom_version": PHANTOM_VERSION,
        "seed": SEED,
        "subjects": SUBJECTS,
        "look": "realistic",
        "points_error": "none",
        "planted": 0.0,
        "difficulty": "realistic films, exact points, nothing planted",
        "films": cohort.num_films,
        "hips": cohort.num_hips,
        "widths": cohort.num_hips,
        "notes": {},
        "points_notes": {},
    }


@pytest.mark.parametrize(
    ("options", "known"),
    [
        ({"look": "odd"}, "realistic, wide"),
        ({"points_error": "odd"}, "none, bonefinder"),
        ({"planted": 5.0}, "0 to 1"),
        ({"planted": -0.1}, "0 to 1"),
        ({"planted": float("nan")}, "0 to 1"),
    ],
)
def test_a_wrong_option_is_refused_with_those_that_are_known(options: dict[str, Any], known: str) -> None:
    with pytest.raises(ValueError, match=known):
        CohortOptions(**options)


def test_other_options_have_another_name() -> None:
    all_of_them = [
        CohortOptions(look, error, planted)
        for look in ("realistic", "wide")
        for error in ("none", "bonefinder")
        for planted in (0.0, 0.05, 0.050001, 1.0)
    ]
    assert len({options.name for options in all_of_them}) == len(all_of_them)
    assert len({options.difficulty for options in all_of_them}) > len(all_of_them) / 2


def test_split_names_at_most_three_tenths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hipjsw.phantom.cohort._write_person", lambda folder, seed, options, plan, index: [])
    write_cohort(tmp_path / "few", 10, 1)
    few = rows(tmp_path / "few" / "split.csv")
    assert len(few) == 3
    write_cohort(tmp_path / "many", 400, 1)
    many = rows(tmp_path / "many" / "split.csv")
    first = [draw_person(1, index) for index in range(len(many))]
    assert [(r["dataset"], r["subject"]) for r in many] == [(p.dataset, p.subject) for p in first]
    hips = [2 * len(p.visits) for p in first]
    assert sum(hips[:-1]) < 100 <= sum(hips)
    assert {r["split"] for r in many} == {"test"}
