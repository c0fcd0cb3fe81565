"""BoneFinder's list of films and points."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipjsw.cohort.film_entry import CohortError, PointsFile
from hipjsw.cohort.folder import Folder
from hipjsw.cohort.list_file import read_list_file

#: As BoneFinder writes it: CRLF, nothing after the brace.
BONEFINDER = (
    "image_dir: [Filepath to folder containing images]\r\n\r\n"
    "points_dir: [Filepath to folder containing points]\r\n\r\n"
    "load_points: true\r\n\r\nimages:\r\n{\r\nImage1.dcm_L.pts : Image1.dcm\r\nImage1.dcm_R.pts : Image1.dcm\r\n}"
)


def write(tmp_path, text):
    (tmp_path / "list.txt").write_bytes(text.encode())
    return read_list_file(tmp_path / "list.txt")


def test_bonefinders_own_form_is_read(tmp_path):
    listed = write(tmp_path, BONEFINDER)
    assert listed.pairs == [(9, "Image1.dcm_L.pts", "Image1.dcm"), (10, "Image1.dcm_R.pts", "Image1.dcm")]
    assert (listed.image_dir, listed.faults) == ("[Filepath to folder containing images]", [])


@pytest.mark.parametrize(
    "text",
    [
        "images: { a.pts : b.dcm }",
        "images:{\na.pts:b.dcm\n}\nimages: { c : d }\n",
        "images:\n{ a.pts : b.dcm\n\n}\nafter",
        '\ufeffIMAGES:\r{\r"a.pts" : "b.dcm"\r}',
    ],
)
def test_other_spacing_of_the_same_list_is_the_same(tmp_path, text):
    listed = write(tmp_path, text)
    assert ([pair[1:] for pair in listed.pairs], listed.faults) == ([("a.pts", "b.dcm")], [])


@pytest.mark.parametrize("line", ["no colon", "a.pts :", ": b.dcm", "a : b : c", "x" * 10**7])
def test_a_bad_line_costs_itself_only(tmp_path, line):
    listed = write(tmp_path, f"images:\n{{\na.pts : a.dcm\n{line}\nb.pts : b.dcm\n}}")
    assert [pair[0] for pair in listed.pairs] == [3, 5]
    assert [line for line, _ in listed.faults] == [4]


def test_a_list_that_is_cut_short_says_so(tmp_path):
    listed = write(tmp_path, BONEFINDER[:-1])
    assert len(listed.pairs) == 2
    assert "cut short" in listed.faults[0][1]


@pytest.mark.parametrize("text", ["", "film,person\na,b\n", "images\n{\na:b\n}", "images: a : b"])
def test_what_is_no_list_is_refused(tmp_path, text):
    with pytest.raises(CohortError, match=r"list\.txt"):
        write(tmp_path, text)


def test_an_absent_list_is_refused(tmp_path):
    with pytest.raises(CohortError, match=r"gone\.txt is not there"):
        read_list_file(tmp_path / "gone.txt")


@pytest.fixture
def cohort(tmp_path):
    for name in ("im/a.dcm", "im/é.dcm", "old/a.dcm", "p/a_L.pts", "p/a.pts", "q/a.pts", "im/b.dcm"):
        path = tmp_path / "cohort" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return Folder(tmp_path / "cohort")


def found_in(tmp_path, cohort, body, head=""):
    found = write(tmp_path, f"{head}images:\n{{\n{body}\n}}").find(cohort)
    return found.points, [(f.film, f.rule) for f in found.findings]


def test_names_are_looked_up_in_the_lists_folders(tmp_path, cohort):
    head = "image_dir: old\npoints_dir: ./q/\n"
    assert found_in(tmp_path, cohort, "a.pts : a.dcm", head) == ({"old/a.dcm": (PointsFile("q/a.pts"),)}, [])


def test_names_are_found_anywhere_if_they_are_there_once(tmp_path, cohort):
    head = "image_dir: C:\\Users\\me\npoints_dir: /nowhere\n"
    assert found_in(tmp_path, cohort, "a_L.pts : B.dcm\nA_l.pts : b.dcm\np\\a.pts : im\\e\u0301.dcm", head) == (
        {"im/b.dcm": (PointsFile("p/a_L.pts", "right"),), "im/é.dcm": (PointsFile("p/a.pts"),)},
        [],
    )


def test_what_is_absent_or_not_one_thing_is_a_finding(tmp_path, cohort):
    points, findings = found_in(tmp_path, cohort, "a_L.pts : gone.dcm\na.pts : b.dcm\nx.pts : b.dcm\na_L.pts : a.dcm")
    assert points == {"im/b.dcm": ()}
    assert sorted(findings) == [
        ("a.dcm", "listed_but_missing"),
        ("gone.dcm", "listed_but_missing"),
        ("list.txt", "bad_row"),
        ("list.txt", "bad_row"),
    ]


def test_no_name_leads_out_of_the_cohort_and_no_finding_names_another_folder(tmp_path, cohort):
    (tmp_path / "secret.dcm").touch()
    points, findings = found_in(tmp_path, cohort, f"a_L.pts : ../secret.dcm\na_L.pts : {tmp_path}/secret.dcm")
    assert points == {}
    assert {film for film, _ in findings} == {"secret.dcm"}


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from('a.:{}"\n\r\0\\/ é'), max_size=40))
def test_no_text_breaks_it(tmp_path_factory, text):
    folder = tmp_path_factory.getbasetemp() / "lists"
    folder.mkdir(exist_ok=True)
    listed = write(folder, f"images:\n{{\n{text}\n}}")
    listed.find(Folder(folder))
    assert all(points and film for _, points, film in listed.pairs)
