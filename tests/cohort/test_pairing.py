"""Which points are a film's by their names."""

from itertools import permutations

import pytest

from hipjsw.cohort.film_entry import PointsFile
from hipjsw.cohort.pairing import FILM_ENDINGS, film_ending, film_stem, is_points, pair, side_of


@pytest.mark.parametrize("ending", ["", *FILM_ENDINGS, *(e.upper() for e in FILM_ENDINGS), ".dcm.txt", ".dcm.tif"])
@pytest.mark.parametrize("stem", ["x", "a.b", "x_L", "é ø"])
def test_a_name_is_its_stem_and_its_ending(stem, ending):
    assert (film_stem(stem + ending), film_ending(stem + ending)) == (stem, ending)


@pytest.mark.parametrize("name", ["x.txt", "x.dcm.bak", "x.pts", ".dcm", "x.dcmx"])
def test_other_endings_are_part_of_the_name(name):
    assert film_stem(name) == name


@pytest.mark.parametrize(
    ("points", "film", "side"),
    [
        ("x.dcm.pts", "x.dcm", ""),
        ("p/x.dcm_L.pts", "f/x.dcm", "right"),
        ("x.dcm_R.PTS", "x.dcm", "left"),
        ("x_RasL.pts", "x.png", "left"),
        ("x_L.pts", "x_L.dcm", ""),
        ("x_L.dcm_L.pts", "x_L.dcm", "right"),
        ("other_r.pts", "x.dcm", "left"),
        ("_L.pts", "x.dcm", ""),
    ],
)
def test_l_is_the_images_side_and_so_the_patients_right(points, film, side):
    assert side_of(points, film) == side


def test_points_are_told_by_their_ending():
    assert [is_points(name) for name in ("a.pts", "a.PTS", "a.pts.txt", "apts")] == [True, True, False, False]


POINTS = ["P/V0/x.dcm.pts", "P/V0/x.dcm_L.pts", "P/V1/x.pts", "P/V0/X.DCM_R.pts", "P/V2/x.dcm.pts", "P/q.pts"]


@pytest.mark.parametrize("films", list(permutations(["F/V0/x.dcm", "F/a/V1/x.dcm", "F/V0/q.dcm"])))
def test_the_order_of_names_changes_nothing_and_all_points_are_somebodys_or_left(films):
    results = [pair(films, points) for points in (POINTS, POINTS[::-1])]
    assert results[0] == results[1]
    found, left = results[0]
    assert found == {
        "F/V0/x.dcm": (
            PointsFile("P/V0/X.DCM_R.pts", "left"),
            PointsFile("P/V0/x.dcm.pts"),
            PointsFile("P/V0/x.dcm_L.pts", "right"),
        ),
        "F/a/V1/x.dcm": (PointsFile("P/V1/x.pts"),),
        "F/V0/q.dcm": (PointsFile("P/q.pts"),),
    }
    assert left == ["P/V2/x.dcm.pts"]


def test_a_film_whose_own_name_ends_like_a_side_keeps_its_points():
    assert pair(["F/x_L.dcm", "F/x.dcm"], ["P/x_L.pts"]) == ({"F/x_L.dcm": (PointsFile("P/x_L.pts"),)}, [])
    assert pair(["F/x.dcm"], ["P/x_L.pts"]) == ({"F/x.dcm": (PointsFile("P/x_L.pts", "right"),)}, [])


def test_points_of_the_exact_name_are_not_also_those_of_another_ending():
    assert pair(["F/x.dcm", "F/x.png"], ["P/x.dcm.pts"]) == ({"F/x.dcm": (PointsFile("P/x.dcm.pts"),)}, [])
