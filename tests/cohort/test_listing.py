"""A cohort in a CSV: each line a film, or one side of it; a bad line is a finding, and never says what it holds."""

import os
import unicodedata

import pytest

from hipjsw.cohort.film_entry import CohortError, FilmEntry, PointsFile
from hipjsw.cohort.listing import read_listing


@pytest.fixture
def listed(tmp_path):
    """Write a CSV beside some films and points, and read it."""

    def read(text, *more, name="mine.csv"):
        for path in ("a.dcm", "b.dcm", "sub/c.dcm", "a.pts", "r.pts", "l.pts", *more):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).touch()
        content = text if isinstance(text, bytes) else text.encode()
        (tmp_path / name).write_bytes(content)
        listing = read_listing(tmp_path / name)
        assert listing.root == tmp_path
        return listing.films, [f for f in listing.findings if f.rule != "unlisted_film"]

    return read


def test_a_line_says_all_of_a_film(listed):
    films, findings = listed("film,points,person,visit,side,spacing\nsub/c.dcm,r.pts,0012,3,R,0.15\na.dcm,a.pts,7,,,\n")
    assert findings == []
    assert films == [
        FilmEntry("mine", "0012", "3", "sub/c.dcm", (PointsFile("r.pts", "right"),), "right", 0.15),
        FilmEntry("mine", "7", "0", "a.dcm", (PointsFile("a.pts"),)),
    ]


def test_a_film_has_its_sides_in_two_columns_or_in_two_lines(listed):
    wanted = [FilmEntry("x", "1", "2", "a.dcm", (PointsFile("l.pts", "left"), PointsFile("r.pts", "right")), "", 0.2)]
    columns = listed("cohort;Film;Person;Visit;Points_Right;POINTS_LEFT;spacing_mm\nx;a.dcm;1;2;r.pts;l.pts;0,2\n")
    lines = listed("cohort,film,person,visit,points,side,spacing\nx,a.dcm,1,2,l.pts,left,0.2\nx,./a.dcm,1,2,r.pts,R,\n")
    assert columns == lines == (wanted, [])


def test_one_points_file_on_the_lines_of_both_sides_is_the_whole_films(listed):
    films, _ = listed("film,person,points,side\na.dcm,1,a.pts,L\na.dcm,1,a.pts,R\n")
    assert films == [FilmEntry("mine", "1", "0", "a.dcm", (PointsFile("a.pts"),))]


@pytest.mark.parametrize("text", ["sub\\c.dcm", "./sub//c.dcm", "sub/../sub/c.dcm", "SUB/C.DCM", '"sub/c.dcm"'])
def test_paths_may_be_written_in_other_ways(listed, text):
    films, findings = listed(f"film,person\n{text},1\n")
    assert ([film.film for film in films], findings) == (["sub/c.dcm"], [])


def test_a_data_set_named_by_its_csv_is_in_nfc_like_one_named_in_it(listed):
    name, form = unicodedata.normalize("NFC", "Hüfte"), unicodedata.normalize("NFD", "Hüfte.csv")
    assert [film.dataset for film in listed("film,person\na.dcm,1\n", name=form)[0]] == [name]


@pytest.mark.parametrize(("written", "on_disk"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_unicode_in_either_form_is_found_as_the_disk_spells_it(listed, written, on_disk):
    name = unicodedata.normalize(on_disk, "Hüfte/é 1.dcm")
    films, findings = listed(f"film,person\n{unicodedata.normalize(written, name)},1\n", name)
    assert ([film.film for film in films], findings) == ([name], [])


def test_an_absolute_path_within_the_folder_is_one_of_it(listed, tmp_path):
    films, findings = listed(f"film,person\n{tmp_path}/a.dcm,1\n")
    assert ([film.film for film in films], findings) == (["a.dcm"], [])


def test_a_name_that_is_not_utf8_is_found_and_a_person_who_is_not_is_refused(listed, tmp_path):
    with open(os.fsencode(tmp_path) + b"/h\xfc.dcm", "wb"):  # noqa: PTH123
        pass
    films, findings = listed(b"film,person\nh\xfc.dcm,1\nb.dcm,M\xfc\n")
    assert [film.film for film in films] == ["h\udcfc.dcm"]
    assert [(f.rule, f.message[:7]) for f in findings] == [("bad_row", "line 3:")]


CANARY = "Canaria"
BAD = [
    (f"{CANARY}.dcm,1,,,", None),
    (",1,,,", "film is empty"),
    ("b.dcm,,,,", "person is empty"),
    (f"/etc/{CANARY},1,,,", "film is no path"),
    (f"../{CANARY}.dcm,1,,,", "film is no path"),
    ("sub/../../mine.csv,1,,,", "film is no path"),
    (f"C:\\{CANARY}.dcm,1,,,", "film is no path"),
    (f"\\\\host\\{CANARY}.dcm,1,,,", "film is no path"),
    (f"b\0{CANARY}.dcm,1,,,", "film is no path"),
    (".,1,,,", "film is no path"),
    (f"b.dcm,1,{CANARY}.pts,,", "file of points is not there"),
    (f"b.dcm,1,../{CANARY}.pts,,", "points is no path"),
    ("b.dcm,1,sub,,", "file of points is not there"),
    (f"b.dcm,1,,{CANARY},", "side is neither"),
    *[
        (f"b.dcm,1,,,{CANARY * (not t)}{t}", "spacing is no number")
        for t in ("", "0", "-1", "nan", "inf", "1e999", "0_1", "9")
    ],
    (f"b.dcm,{CANARY}\x1f2,,,", "person has a control"),
    (f"b.dcm,1,,,,{CANARY}", "it has 6 cells"),
    (f'"b.dcm,{CANARY}', "quotes"),
    ("sub,1,,,", None),
]


@pytest.mark.parametrize(("line", "said"), BAD)
def test_a_bad_line_is_a_finding_with_its_number_and_the_batch_goes_on(listed, line, said):
    films, findings = listed(f"film,person,points,side,spacing\na.dcm,1,a.pts,,\n{line}\nsub/c.dcm,2,,,\n")
    (finding,) = findings
    assert {"a.dcm", "sub/c.dcm"} <= {film.film for film in films}
    if said is None:
        assert (finding.rule, finding.message) == ("listed_but_missing", "mine.csv, line 3: the film is not there")
    else:
        assert (finding.film, finding.rule) == ("mine.csv", "bad_row")
        assert finding.message.startswith("line 3: ")
        assert said in finding.message
    assert CANARY not in finding.message


def test_points_that_are_not_there_leave_the_other_side(listed):
    films, findings = listed("film,person,points_right,points_left\na.dcm,1,r.pts,gone.pts\n")
    assert films[0].points == (PointsFile("r.pts", "right"),)
    assert len(findings) == 1


@pytest.mark.parametrize("column", ["film", "points"])
def test_a_link_out_of_the_folder_is_refused_and_one_within_is_not(listed, tmp_path, tmp_path_factory, column):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "x.dcm").touch()
    (tmp_path / "sub").mkdir()
    (tmp_path / "out").symlink_to(outside, target_is_directory=True)
    (tmp_path / "out.dcm").symlink_to(outside / "x.dcm")
    (tmp_path / "in.dcm").symlink_to(tmp_path / "a.dcm")
    (tmp_path / "gone.dcm").symlink_to(tmp_path / "nothing")
    cells = {"film": "{},1,", "points": "a.dcm,1,{}"}[column]
    for name, fine in (("out/x.dcm", 0), ("out.dcm", 0), ("gone.dcm", 0), ("in.dcm", 1)):
        films, findings = listed(f"film,person,points\n{cells.format(name)}\n")
        used = [film.film for film in films] if column == "film" else [p.path for film in films for p in film.points]
        assert (used, len(findings)) == ([name] * fine, 1 - fine)


@pytest.mark.parametrize(
    ("lines", "kept", "bad"),
    [
        (["a.dcm,1,0,,", "a.dcm,1,0,,"], 1, [3]),
        (["a.dcm,1,0,R,", "a.dcm,1,0,R,"], 1, [3]),
        (["a.dcm,1,0,,", "a.dcm,1,0,R,"], 1, [3]),
        (["a.dcm,1,0,R,", "a.dcm,1,0,,"], 1, [3]),
        (["a.dcm,1,0,,", "a.dcm,2,0,,"], 0, [2, 3]),
        (["a.dcm,1,0,R,", "a.dcm,1,1,L,"], 0, [2, 3]),
        (["a.dcm,1,0,R,0.1", "a.dcm,1,0,L,0.2"], 0, [2, 3]),
        (["a.dcm,1,0,R,0.1", "A.dcm,1,0,L,0.10"], 1, []),
    ],
)
def test_a_film_on_two_lines_is_one_film_and_two_owners_leave_it_out(listed, lines, kept, bad):
    films, findings = listed("\n".join(["film,person,visit,side,spacing", *lines]))
    assert len(films) == kept
    assert [f.message.split(":")[0] for f in findings] == [f"line {n}" for n in bad]


def test_films_that_no_line_names_are_warned_of_up_to_a_number(tmp_path):
    for n in range(70):
        (tmp_path / f"{n:02}.png").touch()
        (tmp_path / f"{n:02}.txt").touch()
    (tmp_path / "mine.csv").write_text("film,person\n00.png,1\n")
    findings = read_listing(tmp_path / "mine.csv").findings
    assert {f.rule for f in findings} == {"unlisted_film"}
    assert len(findings) == 51
    assert findings[-1].message.endswith("nor 18 more")
    assert not any(f.film.endswith("txt") or f.film == "00.png" for f in findings)


def test_files_of_other_endings_are_not_missed_but_dicom_is(listed, tmp_path):
    listed("film,person\na.dcm,1\nb.dcm,1\n", "overlay.png", "readme", "x.DCM")
    unlisted = [f.film for f in read_listing(tmp_path / "mine.csv").findings]
    assert unlisted == ["sub/c.dcm", "x.DCM"]


def test_the_picture_of_a_report_beside_the_films_is_no_film(listed, tmp_path):
    listed("film,person\na.png,1\n", "a.png", "b.png", "fingerprint.png")
    unlisted = [f.film for f in read_listing(tmp_path / "mine.csv").findings if f.rule == "unlisted_film"]
    assert "b.png" in unlisted
    assert "fingerprint.png" not in unlisted


def test_films_come_in_the_order_of_cohort_person_visit_and_name_in_nfc(listed):
    films, _ = listed("film,person,visit,cohort\na.dcm,2,1,z\nb.dcm,2,0,z\nsub/c.dcm,9,0,y\n")
    assert [film.film for film in films] == ["sub/c.dcm", "b.dcm", "a.dcm"]


@pytest.mark.parametrize("text", ["film,person\n", "film,person\n\n,\n", "person\n1\n", "", "film;patient\na;1\n"])
def test_a_csv_without_films_or_columns_is_refused(listed, text):
    with pytest.raises(CohortError, match=r"mine\.csv"):
        listed(text)


def test_a_film_given_for_a_csv_is_refused_by_its_columns(listed):
    with pytest.raises(CohortError, match="has not the columns film, person"):
        listed(bytes(range(256)) * 500, name="film.dcm")
