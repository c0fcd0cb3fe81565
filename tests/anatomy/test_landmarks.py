"""The .pts file there and back, real files, the numbering, circles."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import least_squares

from hipjsw.anatomy.curve import Curve
from hipjsw.anatomy.landmarks import (
    HipLandmarks,
    PointsError,
    Region,
    Side,
    fit_circle,
    read_points,
    split_sides,
    write_points,
)

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "points"
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="the real point files of shared/data/points are absent")

TWO = [[203.6, 508.6], [160.8, 324.9]]  # (row, col) of the two points below
BODY = "version: 1\nn_points: 2\n{\n508.6 203.6\n324.9 160.8\n}\n"


def written(folder, content):
    path = folder / "film.dcm.pts"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@settings(max_examples=50, deadline=None)
@given(arrays(np.float64, st.tuples(st.integers(1, 200), st.just(2)), elements=st.floats(-1e6, 1e6)))
def test_written_points_read_back_to_the_sixth_decimal(tmp_path_factory, points):
    path = tmp_path_factory.mktemp("points") / "film.pts"
    write_points(path, points)
    np.testing.assert_allclose(read_points(path), points, rtol=0, atol=5.1e-7)


def test_the_file_holds_x_before_y(tmp_path):
    write_points(tmp_path / "a.pts", np.array([[1.0, 2.0]]))
    assert (tmp_path / "a.pts").read_text() == "version: 1\nn_points: 1\n{\n2.000000 1.000000\n}\n"


@pytest.mark.parametrize(
    "text",
    [
        BODY,
        BODY.replace("\n", "\r\n"),
        BODY.replace("\n", "\r"),
        BODY.rstrip("\n"),
        BODY.replace("\n", "\r\n").rstrip(),
        BODY.replace("n_points: 2", "n_points:  2"),
        BODY.replace("n_points: 2", "n_points:2"),
        BODY.replace("n_points: 2", "n_points:\t2  "),
        BODY.replace("version: 1\n", ""),
        "\ufeff" + BODY,
        "\n\n" + BODY.replace("\n", "\n\n") + "\n\n",
        BODY.replace("508.6 203.6", "  508.6 \t 203.6  "),
        BODY.replace("508.6 203.6", "5.086e2 2.036E+02"),
    ],
)
def test_ways_of_writing_the_same_file_read_the_same(tmp_path, text):
    np.testing.assert_array_equal(read_points(written(tmp_path, text)), TWO)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 64,
        b"\xff\xfe\x00\x01" * 8,
        BODY.encode("utf-16"),
        BODY.replace("{\n", ""),
        BODY.replace("}\n", ""),
        BODY[: len(BODY) // 2],
        BODY + "{\n1 2\n}\n",
        BODY + "more\n",
        BODY.replace("n_points: 2\n", ""),
        BODY.replace("n_points: 2", "n_points: 3"),
        BODY.replace("n_points: 2", "n_points: two"),
        BODY.replace("n_points: 2", "n_points: -2"),
        BODY.replace("n_points: 2", "n_points: 2.0"),
        BODY.replace("508.6 203.6\n", ""),
        BODY.replace("508.6 203.6", "508.6"),
        BODY.replace("508.6 203.6", "508.6 203.6 1"),
        BODY.replace("508.6 203.6\n324.9 160.8", "508.6 203.6 1\n324.9 160.8 1"),
        BODY.replace("508.6 203.6", "508.6, 203.6"),
        BODY.replace("508.6 203.6", "508,6 203,6"),
        BODY.replace("508.6", "nan"),
        BODY.replace("508.6", "inf"),
        BODY.replace("508.6", "-1e999"),
        BODY.replace("508.6", "here"),
        "n_points: 0\n{\n}\n",
    ],
)
def test_malformed_file_is_refused_by_name(tmp_path, content):
    with pytest.raises(PointsError, match=r"^film\.dcm\.pts: ."):
        read_points(written(tmp_path, content))


@pytest.mark.parametrize("count", ["²", "9" * 5000])
def test_odd_count_is_refused_by_name(tmp_path, count):
    try:
        read_points(written(tmp_path, BODY.replace("n_points: 2", f"n_points: {count}")))
    except PointsError:
        return


def test_absent_file_and_folder_are_refused_by_name(tmp_path):
    for path in (tmp_path / "none.pts", tmp_path):
        with pytest.raises(PointsError, match=path.name):
            read_points(path)


@needs_real
@pytest.mark.parametrize(
    ("name", "count", "first", "last"),
    [
        ("breakingbad.pts", 68, (276.387616, 1283.598566), None),
        ("tongue.pts", 19, (673.85, 324.77), (686.62, 386.02)),
        ("example_pointfile.txt", 5, (203.6, 508.6), (141.3, 332.8)),
    ],
)
def test_real_files_read(name, count, first, last):
    points = read_points(REAL / name)
    assert points.shape == (count, 2)
    np.testing.assert_array_equal(points[0], first)
    if last is not None:
        np.testing.assert_array_equal(points[-1], last)


@needs_real
def test_a_face_is_a_points_file_but_no_film_and_a_list_is_no_points_file():
    with pytest.raises(PointsError, match="160 points, this file 68"):
        split_sides(read_points(REAL / "breakingbad.pts"))
    with pytest.raises(PointsError, match="example_imglist"):
        read_points(REAL / "example_imglist.txt")


def test_right_hip_comes_first():
    points = np.arange(320.0).reshape(160, 2)
    sides = split_sides(points)
    assert list(sides) == [Side.RIGHT, Side.LEFT]
    for side, part in ((Side.RIGHT, points[:80]), (Side.LEFT, points[80:])):
        assert sides[side].side is side
        np.testing.assert_array_equal(sides[side].points, part)


@pytest.mark.parametrize("count", [0, 1, 79, 80, 159, 161, 320])
def test_a_film_of_another_count_is_refused(count):
    with pytest.raises(PointsError, match=f"this file {count}"):
        split_sides(np.zeros((count, 2)))


@pytest.mark.parametrize("shape", [(79, 2), (160, 2), (80, 3), (80,)])
def test_a_hip_has_eighty_points(shape):
    with pytest.raises(ValueError, match="80 landmarks"):
        HipLandmarks(np.zeros(shape), Side.RIGHT)


def test_numbering_is_bonefinders(circle_hip):
    marks = circle_hip().landmarks()
    numbers = np.arange(80)
    assert numbers[Region.HEAD].tolist() == list(range(18, 28))
    assert numbers[Region.SOURCIL].tolist() == list(range(70, 75))
    assert numbers[Region.ROOF].tolist() == list(range(67, 75))
    assert numbers[Region.FEMUR].tolist() == list(range(35))
    assert numbers[Region.TEARDROP].tolist() == list(range(75, 80))
    np.testing.assert_array_equal(marks.sourcil.points, marks.points[70:75])
    np.testing.assert_array_equal(marks.lateral_ilium.points, marks.points[67:71])
    np.testing.assert_array_equal(marks.femur.points, marks.points[:35])
    margin = marks.head_margin(0.1)
    np.testing.assert_allclose(margin[[0, -1]], marks.points[[18, 27]], atol=1e-9)
    assert np.abs(np.linalg.norm(margin, axis=1) - 26.0).max() < 0.04


def test_head_margin_is_part_of_the_femurs_spline_and_not_one_of_its_own(circle_hip):
    marks = circle_hip().landmarks()
    whole = marks.femur.sample(0.1)
    part = marks.head_margin(0.1)
    begin = np.linalg.norm(whole - part[0], axis=1).argmin()
    np.testing.assert_allclose(whole[begin : begin + len(part)], part, atol=1e-9)
    assert np.abs(Curve(marks.points[18:28]).sample(0.1) - part).max() > 1e-6


@settings(max_examples=50, deadline=None)
@given(
    st.floats(-1e4, 1e4), st.floats(-1e4, 1e4), st.floats(0.5, 500), st.floats(0, 6.28), st.floats(0.6, 6.2),
    st.integers(3, 40),
)  # fmt: skip
def test_circle_through_points_of_a_circle_is_that_circle(row, col, radius, start, span, count):
    angle = np.linspace(start, start + span, count, endpoint=False)
    centre, found = fit_circle(np.array([row, col]) + radius * np.column_stack([np.cos(angle), np.sin(angle)]))
    np.testing.assert_allclose(centre, (row, col), atol=1e-6 * radius + 1e-7)
    assert found == pytest.approx(radius, rel=1e-6)


def test_circle_through_noisy_points_agrees_with_a_geometric_fit():
    rng = np.random.default_rng(5)
    angle = np.linspace(-1.1, 2.0, 40)
    points = np.array([40.0, 70.0]) + 26 * np.column_stack([-np.cos(angle), np.sin(angle)])
    points += rng.normal(0, 0.2, points.shape)
    best = least_squares(lambda p: np.hypot(*(points - p[:2]).T) - p[2], [30, 60, 20]).x
    centre, radius = fit_circle(points)
    np.testing.assert_allclose([*centre, radius], best, atol=0.02)


@pytest.mark.parametrize("points", [[[0, 0], [1, 1], [2, 2]], [[5, 5]] * 4, [[1, 0], [1, 3], [1, 9], [1, -4]]])
def test_no_circle_through_points_on_one_line(points):
    with pytest.raises(ValueError, match="one line"):
        fit_circle(np.array(points, dtype=float))
