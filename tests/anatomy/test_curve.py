"""Splines against the curves they are sampled from."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipjsw.anatomy.curve import Curve


def on_circle(radius, degrees):
    angle = np.deg2rad(degrees)
    return radius * np.column_stack([-np.cos(angle), np.sin(angle)])


@pytest.mark.parametrize("count", [2, 3, 4, 7])
def test_straight_line_stays_straight_and_evenly_parametrised(count):
    start, end = np.array([3.0, -2.0]), np.array([9.0, 6.0])
    share = np.sort(np.r_[0, np.random.default_rng(count).uniform(0.05, 0.95, count - 2), 1])
    curve = Curve(start + share[:, None] * (end - start))
    assert curve.knots[-1] == pytest.approx(10.0)
    wanted = np.linspace(0, 10, 37)
    np.testing.assert_allclose(curve.at(wanted), start + wanted[:, None] / 10 * (end - start), atol=1e-12)


@pytest.mark.parametrize(("step_deg", "bound"), [(20.0, 2e-3), (10.0, 1.2e-4), (5.0, 8e-6)])
def test_circle_is_met_and_better_so_with_the_fourth_power_of_the_spacing(step_deg, bound):
    radius = 26.0
    curve = Curve(on_circle(radius, np.arange(-180, 180.1, step_deg)))
    inner = curve.sample(0.1, 2, len(curve.points) - 3)
    assert np.abs(np.linalg.norm(inner, axis=1) / radius - 1).max() < bound


def test_a_sourcil_of_five_points_is_right_to_a_hundredth_of_a_millimetre():
    curve = Curve(on_circle(31.0, np.linspace(-34, 30, 5)))
    assert np.abs(np.linalg.norm(curve.sample(0.1), axis=1) - 31.0).max() < 0.01


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=8, max_size=8))
def test_a_cubic_of_the_chord_length_is_reproduced(coefficients):
    # Four points: the not-a-knot spline is the one cubic through them.
    points = np.reshape(coefficients, (4, 2)) + np.array([[0, 0], [20, 3], [45, -4], [70, 1]])
    curve = Curve(points)
    wanted = np.linspace(0, curve.knots[-1], 23)
    vander = np.vander(curve.knots / curve.knots[-1], 4)
    cubic = np.vander(wanted / curve.knots[-1], 4) @ np.linalg.solve(vander, points)
    np.testing.assert_allclose(curve.at(wanted), cubic, atol=1e-8)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.05, 30), st.integers(0, 4), st.integers(5, 9))
def test_sample_holds_every_landmark_in_order_at_steps_no_longer_than_told(seed, step, first, last):
    points = np.cumsum(np.random.default_rng(seed).uniform(0.5, 6, (10, 2)), axis=0)
    curve = Curve(points)
    sample = curve.sample(step, first, last)
    where = [int(np.linalg.norm(sample - p, axis=1).argmin()) for p in points[first : last + 1]]
    np.testing.assert_allclose(sample[where], points[first : last + 1], atol=1e-9)
    assert where[0] == 0
    assert where[-1] == len(sample) - 1
    assert where == sorted(set(where))
    chords = np.diff(curve.knots[first : last + 1])
    assert len(sample) - 1 == np.maximum(np.ceil(chords / step), 1).sum()


def test_a_part_is_cut_from_the_whole_spline_and_not_refitted():
    curve = Curve(on_circle(26.0, np.array([-60, -41, -25, 2, 17, 40, 61.0])))
    whole, part = curve.sample(0.5), curve.sample(0.5, 2, 4)
    begin = np.linalg.norm(whole - part[0], axis=1).argmin()
    np.testing.assert_allclose(whole[begin : begin + len(part)], part, atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.floats(-3.1, 3.1), st.floats(0.1, 10), st.integers(0, 1000))
def test_turned_scaled_and_reversed_points_give_the_turned_scaled_and_reversed_curve(turn, scale, seed):
    points = np.cumsum(np.random.default_rng(seed).uniform(0.5, 5, (8, 2)), axis=0)
    matrix = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    share = np.linspace(0, 1, 50)
    plain, moved = Curve(points), Curve(points @ matrix.T + 7.0)
    expected = plain.at(share * plain.knots[-1])
    np.testing.assert_allclose(moved.at(share * moved.knots[-1]), expected @ matrix.T + 7.0, atol=1e-7)
    back = Curve(points[::-1])
    np.testing.assert_allclose(back.at((1 - share) * back.knots[-1]), expected, atol=1e-7)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.zeros((1, 2)), "at least two"),
        (np.zeros((0, 2)), "at least two"),
        (np.zeros((5, 3)), "at least two"),
        (np.zeros(4), "at least two"),
        (np.array([[0, 0], [1, np.nan], [2, 2]]), "finite"),
        (np.array([[0, 0], [1, np.inf], [2, 2]]), "finite"),
        (np.array([[0, 0], [1, 1], [1, 1], [2, 2]]), "equal"),
    ],
)
def test_points_that_make_no_curve_are_refused(points, message):
    with pytest.raises(ValueError, match=message):
        Curve(points)


def test_a_curve_may_come_back_to_where_it_was():
    assert len(Curve(np.array([[0, 0], [1, 0], [1, 1], [0, 0.0]])).sample(0.5)) > 4
