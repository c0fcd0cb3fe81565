"""Which files of a folder are films, and which points are theirs."""

import os

import pytest

from hipjsw.cohort.layout import CohortError, FilmEntry, find_films


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def rules(findings):
    return sorted((f.film, str(f.severity), f.rule) for f in findings)


OAI = "OAI/V00/OAI-9000001-V00-20040115.dcm"
CHECK = "CHECK/T05/9000001_T05_APO.dcm"


def test_names_of_both_datasets_are_taken_apart_and_points_found(tmp_path):
    touch(tmp_path, OAI, "OAI-pointfiles/V00/OAI-9000001-V00-20040115.dcm.pts", CHECK)
    touch(tmp_path, "CHECK-pointfiles/T05/9000001_T05_APO.dcm.pts")
    films, findings = find_films(tmp_path)
    assert findings == []
    assert films == [
        FilmEntry("CHECK", "9000001", "T05", CHECK, "CHECK-pointfiles/T05/9000001_T05_APO.dcm.pts"),
        FilmEntry("OAI", "9000001", "V00", OAI, "OAI-pointfiles/V00/OAI-9000001-V00-20040115.dcm.pts"),
    ]


def test_films_come_in_the_order_of_dataset_subject_visit_whatever_the_disks(tmp_path):
    names = [f"OAI/{v}/OAI-900000{s}-{v}-20040115.dcm" for s in (2, 1, 3) for v in ("V10", "V00", "V06")]
    touch(tmp_path, *names, CHECK)
    films, _ = find_films(tmp_path)
    keys = [(f.dataset, f.subject, f.visit) for f in films]
    assert keys == sorted(keys)
    assert keys[0][0] == "CHECK"
    assert len(keys) == 10


@pytest.mark.parametrize(
    ("name", "subject", "visit"),
    [
        ("CHECK/T10/0042_T10_APO.dcm", "0042", "T10"),
        ("CHECK/T00/AB_12_T00_AP_links.dcm", "AB_12", "T00"),
        ("OAI/V10/oai-0000007-v10-20140101.DCM", "0000007", "v10"),
        ("OAI/OAI-9000009-V06-20080101.dcm", "9000009", "V06"),
        ("OAI/a/b/V06/OAI-9000009-V06-20080101.dcm", "9000009", "V06"),
    ],
)
def test_ids_are_text_and_folders_do_not_matter(tmp_path, name, subject, visit):
    touch(tmp_path, name)
    (film,) = find_films(tmp_path)[0]
    assert (film.subject, film.visit, film.film, film.points) == (subject, visit, name, None)


@pytest.mark.parametrize(
    "name",
    [
        "OAI/V00/notes.txt",
        "OAI/V00/OAI-9000001-V00.dcm",
        "OAI/V00/OAI-9000001-V00-20040115.dcm.bak",
        "OAI/V00/9000001_T05_APO.dcm",
        "OAI/V00/OAI-9000001-V00-2004011.dcm",
        "CHECK/T00/9000001_T00.dcm",
        "CHECK/T00/OAI-9000001-V00-20040115.dcm",
        "CHECK/T00/Thumbs.db",
        "CHECK/T00/two\nlines_T00_APO.dcm",
    ],
)
def test_another_name_is_an_error_of_its_own_and_no_film(tmp_path, name):
    touch(tmp_path, OAI, CHECK, name)
    films, findings = find_films(tmp_path)
    assert [f.film for f in films] == [CHECK, OAI]
    assert rules(findings) == [(name, "error", "unknown_name")]


def test_points_of_another_visit_are_not_a_films(tmp_path):
    points = "OAI-pointfiles/V06/OAI-9000001-V00-20040115.dcm.pts"
    touch(tmp_path, OAI, points)
    (film,), findings = find_films(tmp_path)
    assert film.points is None
    assert rules(findings) == [(points, "warning", "points_without_film")]


def test_points_without_a_film_and_empty_folders_are_warnings(tmp_path):
    touch(tmp_path, OAI, "OAI-pointfiles/V00/OAI-9000002-V00-20040115.dcm.pts")
    (tmp_path / "OAI/V06").mkdir()
    films, findings = find_films(tmp_path)
    assert len(films) == 1
    assert rules(findings) == [
        ("OAI-pointfiles/V00/OAI-9000002-V00-20040115.dcm.pts", "warning", "points_without_film"),
        ("OAI/V06", "warning", "empty_folder"),
    ]


def test_hidden_files_and_other_files_among_points_are_passed_over(tmp_path):
    touch(tmp_path, OAI, "OAI/V00/.DS_Store", "OAI/V00/._" + OAI[8:], "OAI-pointfiles/V00/readme.txt", "notes.txt")
    films, findings = find_films(tmp_path)
    assert len(films) == 1
    assert findings == []


def test_dangling_links_and_circles_of_folders_are_survived(tmp_path):
    touch(tmp_path, OAI)
    (tmp_path / "OAI/V00/OAI-9000009-V00-20040115.dcm").symlink_to(tmp_path / "gone.dcm")
    (tmp_path / "OAI/round").symlink_to(tmp_path / "OAI", target_is_directory=True)
    assert [f.film for f in find_films(tmp_path)[0]] == [OAI]


def test_one_dataset_is_enough_and_an_empty_one_is_a_cohort_without_films(tmp_path):
    (tmp_path / "CHECK").mkdir()
    assert find_films(tmp_path) == ([], [])


@pytest.mark.parametrize("what", ["absent", "file", "empty", "dataset"])
def test_a_folder_that_is_no_cohort_is_refused_with_advice(tmp_path, what):
    touch(tmp_path, "file", "dataset/V00/OAI-9000001-V00-20040115.dcm")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CohortError, match=r"cohort=DIR"):
        find_films(tmp_path / what)


def test_points_named_in_capitals_are_found_or_a_finding(tmp_path):
    touch(tmp_path, OAI, "OAI-pointfiles/V00/OAI-9000001-V00-20040115.dcm.PTS")
    (film,), findings = find_films(tmp_path)
    assert film.points is not None or findings


def test_a_name_that_is_not_utf8_is_a_finding(tmp_path):
    touch(tmp_path, OAI)
    with open(os.fsencode(tmp_path / "OAI/V00") + b"/h\xfcfte.dcm", "wb"):  # noqa: PTH123
        pass
    films, findings = find_films(tmp_path)
    assert len(films) == 1
    assert [f.rule for f in findings] == ["unknown_name"]
