"""A cohort on disk: layout, headers, same bytes whatever the workers, continuing, refusing."""

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import pydicom
import pytest

from hipjsw.anatomy.landmarks import Side, read_points, split_sides
from hipjsw.phantom.cohort import CohortExistsError, CohortSummary, is_whole, write_cohort
from hipjsw.phantom.dicom import encode
from hipjsw.phantom.film import place, render
from hipjsw.phantom.population import draw_person
from hipjsw.phantom.shape import closest_approach

SUBJECTS, SEED = 2, 7


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


def test_same_bytes_with_two_workers_and_more_subjects(cohort: CohortSummary, tmp_path: Path) -> None:
    write_cohort(tmp_path / "two", SUBJECTS, SEED, workers=2)
    assert digests(tmp_path / "two") == digests(cohort.folder)


def test_half_written_cohort_is_continued_without_redrawing(cohort: CohortSummary, tmp_path: Path) -> None:
    other = tmp_path / "half"
    with pytest.raises(KeyboardInterrupt):
        write_cohort(other, SUBJECTS, SEED, progress=lambda done, total: (_ for _ in ()).throw(KeyboardInterrupt))
    assert not is_whole(other)
    kept = next(other.glob("*/*/*.dcm"))
    stamp = kept.stat().st_mtime_ns
    (kept.parent / f".{kept.name}.1.part").write_bytes(b"cut off")
    calls: list[tuple[int, int]] = []
    write_cohort(other, SUBJECTS, SEED, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, SUBJECTS), (2, SUBJECTS)]
    assert kept.stat().st_mtime_ns == stamp
    assert digests(other) == digests(cohort.folder)


def test_whole_cohort_is_left_alone_and_another_is_refused(cohort: CohortSummary, tmp_path: Path) -> None:
    before = digests(cohort.folder)
    assert write_cohort(cohort.folder, SUBJECTS, SEED) == cohort
    for subjects, seed in ((SUBJECTS + 1, SEED), (SUBJECTS, SEED + 1)):
        with pytest.raises(CohortExistsError, match="another phantom cohort"):
            write_cohort(cohort.folder, subjects, seed)
        assert not is_whole(cohort.folder, subjects, seed)
    assert digests(cohort.folder) == before
    assert is_whole(cohort.folder, SUBJECTS, SEED)
    (tmp_path / "letters.txt").write_text("mine")
    with pytest.raises(CohortExistsError, match="not empty"):
        write_cohort(tmp_path, SUBJECTS, SEED)


def test_marker_counts(cohort: CohortSummary) -> None:
    marker = json.loads((cohort.folder / "phantom.json").read_text())
    assert marker == {
        "phantom_version": "1",
        "seed": SEED,
        "subjects": SUBJECTS,
        "films": cohort.num_films,
        "hips": cohort.num_hips,
    }


def test_split_names_at_most_three_tenths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hipjsw.phantom.cohort._write_person", lambda folder, seed, index: [])
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


def find(name: str) -> tuple[int, int]:
    """Index and visit of the first film of a format."""
    for index in range(60):
        person = draw_person(SEED, index)
        for number, visit in enumerate(person.visits):
            if place(SEED, person, visit).placement.format.name == name:
                return index, number
    raise AssertionError(name)


@pytest.mark.parametrize(
    ("name", "spacing", "imager", "bits", "photometric"),
    [
        ("OAI", 0.16896, 0.16896, 12, "MONOCHROME2"),
        ("CHECK-A", 0.141, 0.143, 15, "MONOCHROME2"),
        ("CHECK-B", 0.10, 0.10, 10, "MONOCHROME1"),
    ],
)
def test_film_reads_back(tmp_path: Path, name: str, spacing: float, imager: float, bits: int, photometric: str) -> None:
    index, number = find(name)
    person = draw_person(SEED, index)
    film = place(SEED, person, person.visits[number])
    stored = render(film)
    (tmp_path / "film.dcm").write_bytes(encode(film, stored))
    header = pydicom.dcmread(tmp_path / "film.dcm")
    np.testing.assert_array_equal(header.pixel_array, stored)
    assert [float(v) for v in header.PixelSpacing] == [spacing, spacing]
    assert [float(v) for v in header.ImagerPixelSpacing] == [imager, imager]
    assert (header.BitsAllocated, header.BitsStored, header.HighBit) == (16, bits, bits - 1)
    assert header.PhotometricInterpretation == photometric
    assert header.SOPClassUID.name == "Computed Radiography Image Storage"
    assert str(header.PatientName) == header.PatientID == person.subject
    assert header.StudyDate == person.visits[number].day.strftime("%Y%m%d")
    assert stored.max() < 2**bits
    middle = stored[stored.shape[0] // 4 : -stored.shape[0] // 4]
    assert np.std(middle) > 0.03 * 2**bits
