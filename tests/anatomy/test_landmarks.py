"""Which landmark is what, whose side it is on, circles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares

from hipjsw.anatomy.curve import Curve
from hipjsw.anatomy.landmarks import HipLandmarks, Region, Side, fit_circle, split_sides
from hipjsw.anatomy.points_file import PointsError


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
