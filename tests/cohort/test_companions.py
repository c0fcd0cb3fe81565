"""What may lie beside a cohort's films: an empty width is no truth, any other text that is no width an error."""

import unicodedata

import pytest

from hipjsw.cohort.companions import read_companions, strangers
from hipjsw.cohort.film_entry import CohortError, FilmEntry

HEADER = "dataset,subject,visit,side,mjsw_mm,note\n"
SPLIT = "dataset,subject,split\n"


def test_nothing_beside_is_nothing_known(tmp_path):
    beside = read_companions(tmp_path)
    assert (beside.given, beside.truth_mm, beside.phantom) == ({}, {}, None)
    assert beside.given == {}


def test_an_empty_width_is_no_truth(tmp_path):
    rows = "OAI,9000001,V00,right,,prosthesis right\nOAI,9000001,V00,left,3.25,prosthesis right\n"
    (tmp_path / "truth.csv").write_text(HEADER + rows)
    assert read_companions(tmp_path).truth_mm == {("OAI", "9000001", "V00", "left"): 3.25}


def test_ids_and_visits_stay_text(tmp_path):
    (tmp_path / "truth.csv").write_text(HEADER + "mine,007,00,left,3,\n")
    (tmp_path / "split.csv").write_text(SPLIT + "mine,007,test\n")
    beside = read_companions(tmp_path)
    assert list(beside.truth_mm) == [("mine", "007", "00", "left")]
    assert beside.given == {("mine", "007"): "test"}


def test_a_cohort_may_have_no_true_width_at_all(tmp_path):
    (tmp_path / "truth.csv").write_text(HEADER + "OAI,9000001,V00,right,,frog-leg\n")
    assert read_companions(tmp_path).truth_mm == {}


@pytest.mark.parametrize("text", ["wide", "-1", "nan", "inf", "3,5"])
def test_what_is_no_width_is_refused_by_name_and_line(tmp_path, text):
    (tmp_path / "truth.csv").write_text(HEADER + f'OAI,9000001,V00,right,"{text}",\n')
    with pytest.raises(CohortError, match=r"truth\.csv, line 2: mjsw_mm") as caught:
        read_companions(tmp_path)
    assert "9000001" not in str(caught.value)


def test_two_widths_of_one_hip_are_refused(tmp_path):
    line = "OAI,1,V00,right,{},\n"
    (tmp_path / "truth.csv").write_text(HEADER + line.format(3) + line.format("3.0"))
    assert len(read_companions(tmp_path).truth_mm) == 1
    (tmp_path / "truth.csv").write_text(HEADER + line.format(3) + line.format(4))
    with pytest.raises(CohortError, match=r"truth\.csv, line 3"):
        read_companions(tmp_path)


def test_split_puts_persons_into_parts_whatever_saved_it(tmp_path):
    (tmp_path / "split.csv").write_bytes(
        "\ufeffDataset;Subject;Split\r\nOAI;1;test\r\nOAI;2; Train\r\nCHECK;1;val\r\n".encode()
    )
    beside = read_companions(tmp_path)
    assert beside.given == {("OAI", "1"): "test", ("OAI", "2"): "train", ("CHECK", "1"): "val"}
    assert [person for person, part in beside.given.items() if part == "test"] == [("OAI", "1")]


def test_names_in_either_unicode_form_are_those_of_the_films(tmp_path):
    composed, loose = (unicodedata.normalize(form, "Hüfte") for form in ("NFC", "NFD"))
    (tmp_path / "split.csv").write_text(SPLIT + f"{loose},{loose}1,test\n", encoding="utf-8")
    (tmp_path / "truth.csv").write_text(HEADER + f"{loose},{loose}1,{loose},left,3,\n", encoding="utf-8")
    beside = read_companions(tmp_path)
    assert beside.given == {(composed, f"{composed}1"): "test"}
    assert list(beside.truth_mm) == [(composed, f"{composed}1", composed, "left")]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("OAI,1,testing\n", "line 2: split is none of train, val, test"),
        ("OAI,1,\n", "line 2: split is none of"),
        ("OAI,1,test\nOAI,1,train\n", "line 3: a person who is in another part"),
        ("OAI,1,test,x\n", "line 2: it has 4 cells"),
    ],
)
def test_a_split_that_is_none_is_refused_by_line(tmp_path, rows, said):
    (tmp_path / "split.csv").write_text(SPLIT + rows)
    with pytest.raises(CohortError, match=rf"split\.csv, {said}"):
        read_companions(tmp_path)


def test_a_person_may_be_named_twice_for_one_part(tmp_path):
    (tmp_path / "split.csv").write_text(SPLIT + "OAI,1,val\nOAI,1,VAL\n")
    assert read_companions(tmp_path).given == {("OAI", "1"): "val"}


@pytest.mark.parametrize("name", ["split.csv", "truth.csv"])
@pytest.mark.parametrize("content", ["", "dataset,subject\nOAI,1\n", "\0\0\0"])
def test_a_table_without_its_columns_is_refused_by_name(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(CohortError, match=name):
        read_companions(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"phantom_version": 1, "seed": "x"}', "\0", "null"])
def test_a_damaged_phantom_json_is_refused(tmp_path, content):
    (tmp_path / "phantom.json").write_text(content)
    with pytest.raises(CohortError, match=r"phantom\.json is damaged"):
        read_companions(tmp_path)


def test_beside_a_csv_is_beside_its_folders_films(tmp_path):
    (tmp_path / "films.csv").write_text("film,person\n")
    (tmp_path / "split.csv").write_text(SPLIT + "OAI,1,val\n")
    assert read_companions(tmp_path / "films.csv") == read_companions(tmp_path)
    assert read_companions(tmp_path).given


def test_the_stamp_changes_with_the_truth(tmp_path):
    stamps = set()
    for width in ("", "3.1", "3.2"):
        (tmp_path / "truth.csv").write_text(HEADER + f"OAI,9000001,V00,right,{width},\n")
        stamps.add(read_companions(tmp_path).stamp)
    assert len(stamps) == 3


def test_persons_of_whom_no_film_is_here_are_counted_and_not_named(tmp_path):
    (tmp_path / "split.csv").write_text("dataset,subject,split\nOAI,1,test\noai,2,test\nOAI,3,train\n")
    films = [FilmEntry("OAI", subject, "V00", f"{subject}.dcm") for subject in ("1", "2")]
    (finding,) = strangers(read_companions(tmp_path), films)
    assert (finding.film, finding.rule) == ("split.csv", "unknown_person")
    assert finding.message == "of 2 of the 3 persons it names, no film is here"
    (tmp_path / "split.csv").write_text("dataset,subject,split\nOAI,1,test\nOAI,2,test\n")
    assert strangers(read_companions(tmp_path), films) == []
