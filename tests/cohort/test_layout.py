"""Which files of a folder are films, and which points are theirs."""

import os
import random
import unicodedata

import pytest

from hipjsw.cohort.folder import nfc
from hipjsw.cohort.layout import CohortError, CohortListing, FilmEntry, PointsFile, find_films
from hipjsw.cohort.pairing import FILM_ENDINGS

OAI = "OAI/V00/OAI-9000001-V00-20040115.dcm"
CHECK = "CHECK/T05/9000001_T05_APO.dcm"
OAI_POINTS = "OAI-pointfiles/V00/OAI-9000001-V00-20040115.dcm"


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def rules(findings):
    return sorted((f.film, str(f.severity), f.rule) for f in findings)


def whole(folder, list_file=None):
    found = find_films(folder, list_file)
    return found.root, found.films, found.findings


def films_of(folder, list_file=None):
    return find_films(folder, list_file).films


def test_names_of_both_datasets_are_taken_apart_and_points_found(tmp_path):
    check_points = "CHECK-pointfiles/T05/9000001_T05_APO.dcm.pts"
    touch(tmp_path, OAI, OAI_POINTS + ".pts", CHECK, check_points)
    assert find_films(tmp_path) == CohortListing(
        tmp_path,
        [
            FilmEntry("CHECK", "9000001", "T05", CHECK, (PointsFile(check_points),)),
            FilmEntry("OAI", "9000001", "V00", OAI, (PointsFile(OAI_POINTS + ".pts"),)),
        ],
        [],
    )


def test_films_come_in_the_order_of_dataset_subject_visit_whatever_the_disks(tmp_path):
    names = [f"OAI/{v}/OAI-900000{s}-{v}-20040115.dcm" for s in (2, 1, 3) for v in ("V10", "V00", "V06")]
    touch(tmp_path, *names, CHECK)
    films = films_of(tmp_path)
    keys = [(f.dataset, f.subject, f.visit) for f in films]
    assert keys == sorted(keys)
    assert keys[0][0] == "CHECK"
    assert len(keys) == 10


@pytest.mark.parametrize(
    ("name", "subject", "visit"),
    [
        ("CHECK/T10/0042_T10_APO.dcm", "0042", "T10"),
        ("CHECK/T00/AB_12_T00_AP_links.dcm", "AB_12", "T00"),
        ("OAI/V10/oai-0000007-v10-20140101.DCM", "0000007", "V10"),
        ("OAI/OAI-9000009-V06-20080101.dcm", "9000009", "V06"),
        ("OAI/a/b/V06/OAI-9000009-V06-20080101.dcm", "9000009", "V06"),
    ],
)
def test_ids_are_text_and_folders_do_not_matter(tmp_path, name, subject, visit):
    touch(tmp_path, name)
    (film,) = films_of(tmp_path)
    assert (film.subject, film.visit, film.film, film.points) == (subject, visit, name, ())


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
    _, films, findings = whole(tmp_path)
    assert [f.film for f in films] == [CHECK, OAI]
    assert rules(findings) == [(name, "error", "unknown_name")]


def test_points_of_another_visit_are_not_a_films(tmp_path):
    points = "OAI-pointfiles/V06/OAI-9000001-V00-20040115.dcm.pts"
    touch(tmp_path, OAI, points)
    _, (film,), findings = whole(tmp_path)
    assert film.points == ()
    assert rules(findings) == [(points, "warning", "points_without_film")]


def test_points_without_a_film_and_empty_folders_are_warnings(tmp_path):
    touch(tmp_path, OAI, "OAI-pointfiles/V00/OAI-9000002-V00-20040115.dcm.pts")
    (tmp_path / "OAI/V06").mkdir()
    _, films, findings = whole(tmp_path)
    assert len(films) == 1
    assert rules(findings) == [
        ("OAI-pointfiles/V00/OAI-9000002-V00-20040115.dcm.pts", "warning", "points_without_film"),
        ("OAI/V06", "warning", "empty_folder"),
    ]


def test_hidden_files_and_other_files_among_points_are_passed_over(tmp_path):
    touch(tmp_path, OAI, "OAI/V00/.DS_Store", "OAI/V00/._" + OAI[8:], "OAI-pointfiles/V00/readme.txt", "notes.txt")
    _, films, findings = whole(tmp_path)
    assert len(films) == 1
    assert findings == []


def test_links_that_lead_nowhere_are_findings_and_circles_end(tmp_path):
    touch(tmp_path, OAI)
    (tmp_path / "OAI/V00/OAI-9000009-V00-20040115.dcm").symlink_to(tmp_path / "gone.dcm")
    (tmp_path / "OAI/V00/OAI-9000008-V00-20040115.dcm").symlink_to("OAI-9000008-V00-20040115.dcm")
    (tmp_path / "OAI/round").symlink_to(tmp_path / "OAI", target_is_directory=True)
    (tmp_path / "OAI/up").symlink_to("/", target_is_directory=True)
    os.mkfifo(tmp_path / "OAI/V00/OAI-9000007-V00-20040115.dcm")
    _, films, findings = whole(tmp_path)
    assert [film.film for film in films] == [OAI]
    assert rules(findings) == [(f"OAI/V00/OAI-900000{n}-V00-20040115.dcm", "error", "unreadable") for n in (7, 8, 9)]


def test_a_linked_film_and_a_linked_folder_are_read_once(tmp_path):
    touch(tmp_path, "disk/V00/OAI-9000001-V00-20040115.dcm", "disk/one.dcm", OAI.replace("V00", "V06"))
    (tmp_path / "OAI/V00").symlink_to(tmp_path / "disk/V00", target_is_directory=True)
    (tmp_path / "OAI/again").symlink_to(tmp_path / "disk/V00", target_is_directory=True)
    (tmp_path / "OAI/V06/OAI-9000003-V06-20040115.dcm").symlink_to(tmp_path / "disk/one.dcm")
    assert [film.subject for film in films_of(tmp_path)] == ["9000001", "9000001", "9000003"]


def test_a_folder_that_cannot_be_opened_is_a_finding(tmp_path, monkeypatch):
    touch(tmp_path, OAI, OAI.replace("V00", "V06"))
    scan = os.scandir

    def closed(path):
        if os.fspath(path).endswith("V06"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", closed)
    _, films, findings = whole(tmp_path)
    assert [film.film for film in films] == [OAI]
    assert rules(findings) == [("OAI/V06", "error", "unreadable")]


def test_one_dataset_is_enough_and_an_empty_one_is_a_cohort_without_films(tmp_path):
    (tmp_path / "CHECK").mkdir()
    assert find_films(tmp_path) == CohortListing(tmp_path, [], [])


@pytest.mark.parametrize("what", ["absent", "file", "empty", "dataset"])
def test_a_folder_that_is_no_cohort_is_refused_with_advice(tmp_path, what):
    touch(tmp_path, "file", "dataset/V00/OAI-9000001-V00-20040115.dcm")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CohortError, match=r"cohort=DIR|names the columns"):
        find_films(tmp_path / what)


@pytest.mark.parametrize(
    ("ending", "side"),
    [
        (".dcm.pts", ""),
        (".dcm.PTS", ""),
        (".pts", ""),
        (".dcm_L.pts", "right"),
        (".dcm_R.pts", "left"),
        (".dcm_RasL.pts", "left"),
        (".DCM_rasl.pts", "left"),
        ("_L.pts", "right"),
    ],
)
def test_each_name_of_points_says_its_side(tmp_path, ending, side):
    name = OAI_POINTS.removesuffix(".dcm") + ending
    touch(tmp_path, OAI, name)
    _, (film,), findings = whole(tmp_path)
    assert (film.points, findings) == ((PointsFile(name, side),), [])


def test_files_of_both_sides_are_one_films_and_all_that_claim_a_hip_are_kept(tmp_path):
    names = [OAI_POINTS + end for end in (".pts", "_L.pts", "_R.pts", "_RasL.pts")]
    touch(tmp_path, OAI, *names)
    (film,) = films_of(tmp_path)
    sides = zip(names, ("", "right", "left", "left"), strict=True)
    assert set(film.points) == {PointsFile(name, side) for name, side in sides}


@pytest.mark.parametrize("ending", ["", *FILM_ENDINGS, ".DCM", ".Jpg", ".dcm.jpg", ".dcm.txt", ".dcm.dcm"])
def test_a_film_is_found_whatever_its_ending_and_keeps_its_points(tmp_path, ending):
    name = OAI.removesuffix(".dcm") + ending
    touch(tmp_path, name, OAI_POINTS + ".pts")
    _, (film,), findings = whole(tmp_path)
    assert (film.film, film.subject, len(film.points), findings) == (name, "9000001", 1, [])


def test_points_may_lie_beside_films_and_cohorts_without_visit_folders_are_paired(tmp_path):
    touch(tmp_path, OAI, OAI + ".pts", "CHECK/1_T00_AP.dcm", "CHECK-pointfiles/1_T00_AP.dcm.pts")
    _, films, findings = whole(tmp_path)
    assert [len(film.points) for film in films] == [1, 1]
    assert findings == []


def test_a_film_in_two_spellings_of_unicode_finds_its_points(tmp_path):
    for films, points in (("NFC", "NFD"), ("NFD", "NFC")):
        person, folder = f"Ærø-Åå-{films}", unicodedata.normalize(films, "hüfte é")
        film = unicodedata.normalize(films, f"CHECK/{folder}/{person}_T00_Höhe 2.dcm")
        beside = unicodedata.normalize(points, f"CHECK-pointfiles/{folder}/{person}_T00_Höhe 2.dcm_R.pts")
        touch(tmp_path, film, beside)
    _, films, findings = whole(tmp_path)
    assert findings == []
    assert [(nfc(film.points[0].path), film.points[0].side) for film in films] == [
        (nfc(film.film).replace("CHECK/", "CHECK-pointfiles/") + "_R.pts", "left") for film in films
    ]
    assert len(films) == 2
    assert all(unicodedata.is_normalized("NFC", film.subject) for film in films)


def test_names_that_differ_by_case_only_keep_their_own_points(tmp_path):
    touch(tmp_path, OAI, OAI.replace(".dcm", ".DCM"), OAI_POINTS + ".pts", OAI_POINTS.replace(".dcm", ".DCM") + ".pts")
    for film in films_of(tmp_path):
        assert [file.path.removesuffix(".pts")[-3:] for file in film.points] == [film.film[-3:]]


def test_folders_of_data_sets_may_be_in_any_case(tmp_path):
    touch(tmp_path, "oai/v00/oai-9000001-v00-20040115.dcm", "Oai-PointFiles/V00/OAI-9000001-V00-20040115.dcm.pts")
    (film,) = films_of(tmp_path)
    assert (film.dataset, film.visit, len(film.points)) == ("OAI", "V00", 1)


def test_the_order_of_the_disk_changes_nothing(tmp_path, monkeypatch):
    touch(tmp_path, *(OAI.replace("0001", f"000{n}") for n in range(5)), CHECK, OAI_POINTS + "_L.pts", "OAI/x.txt")
    (tmp_path / "OAI/link").symlink_to(tmp_path / "CHECK", target_is_directory=True)
    first = find_films(tmp_path)
    scan = os.scandir

    class Shuffled:
        def __init__(self, path):
            with scan(path) as entries:
                self.entries = sorted(entries, key=lambda _: random.random())

        def __enter__(self):
            return iter(self.entries)

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(os, "scandir", Shuffled)
    assert all(find_films(tmp_path) == first for _ in range(5))


def test_a_name_that_is_not_utf8_is_a_finding(tmp_path):
    touch(tmp_path, OAI)
    with open(os.fsencode(tmp_path / "OAI/V00") + b"/h\xfcfte.dcm", "wb"):  # noqa: PTH123
        pass
    _, films, findings = whole(tmp_path)
    assert len(films) == 1
    assert [f.rule for f in findings] == ["unknown_name"]


def test_a_film_in_a_folder_whose_name_is_not_utf8_is_found_on_the_disk(tmp_path):
    folder = os.fsdecode(os.fsencode(tmp_path / "OAI") + b"/h\xfcfte")
    os.makedirs(folder)  # noqa: PTH103
    with open(folder + "/OAI-9000001-V00-20040115.dcm", "wb") as file:  # noqa: PTH123
        file.write(b"film")
    (film,) = films_of(tmp_path)
    assert (tmp_path / film.film).read_bytes() == b"film"


def test_a_folder_named_like_a_film_is_a_folder(tmp_path):
    touch(tmp_path, "OAI/OAI-9000002-V00-20040115.dcm/OAI-9000001-V00-20040115.dcm")
    assert [film.subject for film in films_of(tmp_path)] == ["9000001"]


def test_cohort_csv_comes_before_names_and_names_the_data_set_by_its_folder(tmp_path):
    folder = tmp_path / "ward 7"
    touch(folder, OAI, CHECK)
    (folder / "cohort.csv").write_text(f"film,person\n{OAI},a\n")
    for cohort in (folder, folder / "cohort.csv"):
        root, films, findings = whole(cohort)
        assert (root, films) == (folder, [FilmEntry("ward 7", "a", "0", OAI)])
        assert rules(findings) == [(CHECK, "warning", "unlisted_film")]


def write_list(path, *pairs, image_dir="", points_dir=""):
    body = "".join(f"{points} : {film}\r\n" for points, film in pairs)
    path.write_text(f"image_dir: {image_dir}\r\n\r\npoints_dir: {points_dir}\r\n\r\nimages:\r\n{{\r\n{body}}}")
    return path


def test_the_list_goes_before_names_for_the_films_it_lists(tmp_path):
    touch(tmp_path, OAI, CHECK, OAI_POINTS + ".pts", "fits/any_R.pts", "CHECK-pointfiles/T05/9000001_T05_APO.pts")
    listed = write_list(tmp_path / "list.txt", ("any_R.pts", OAI.rsplit("/")[-1]))
    _, (check, oai), findings = whole(tmp_path, listed)
    assert oai.points == (PointsFile("fits/any_R.pts", "left"),)
    assert [file.side for file in check.points] == [""]
    assert findings == []


def test_the_list_makes_a_cohort_of_a_plain_folder_and_says_whom_it_takes_films_for(tmp_path):
    folder = tmp_path / "plain"
    touch(folder, "im/a.dcm", "im/b.dcm", "im/OAI-9000001-V06-20040115.dcm", "im/c.dcm", "pts/a.dcm_L.pts")
    touch(folder, "pts/a.dcm_R.pts", "pts/b.pts", "pts/o.pts")
    pairs = [
        ("a.dcm_L.pts", "a.dcm"),
        ("a.dcm_R.pts", "a.dcm"),
        ("b.pts", "b.dcm"),
        ("o.pts", "OAI-9000001-V06-20040115.dcm"),
    ]
    listed = write_list(tmp_path / "list.txt", *pairs, image_dir="im", points_dir="pts")
    _, films, findings = whole(folder, listed)
    assert films == [
        FilmEntry("OAI", "9000001", "V06", "im/OAI-9000001-V06-20040115.dcm", (PointsFile("pts/o.pts"),)),
        FilmEntry(
            "plain",
            "a",
            "0",
            "im/a.dcm",
            (PointsFile("pts/a.dcm_L.pts", "right"), PointsFile("pts/a.dcm_R.pts", "left")),
        ),
        FilmEntry("plain", "b", "0", "im/b.dcm", (PointsFile("pts/b.pts"),)),
    ]
    assert rules(findings) == [("im/a.dcm", "warning", "person_by_name"), ("im/c.dcm", "warning", "unlisted_film")]
    assert "2 films" in findings[0].message


def test_films_of_one_name_in_two_folders_of_a_plain_cohort_are_two_persons(tmp_path):
    touch(tmp_path, "x/1.dcm", "y/1.dcm", "p.pts")
    listed = write_list(tmp_path / "list.txt", ("p.pts", "x/1.dcm"), ("p.pts", "y/1.dcm"))
    assert [film.subject for film in films_of(tmp_path, listed)] == ["x/1", "y/1"]


def test_films_are_found_without_a_look_at_each(tmp_path, monkeypatch):
    """Names alone: no film is asked for its status, so that a slow disk is asked for folders only."""
    touch(tmp_path, *(OAI.replace("9000001", f"{n}") for n in range(9000000, 9000200)))
    asked = []
    stat = os.stat
    monkeypatch.setattr(os, "stat", lambda path, **k: asked.append(os.fspath(path)) or stat(path, **k))
    assert len(films_of(tmp_path)) == 200
    assert not [path for path in asked if path.endswith(".dcm")]
