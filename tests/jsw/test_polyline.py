"""Distances to polylines and steps along them, against shapely, brute force and their laws."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point

from hipjsw.jsw.polyline import arc_length, equal_steps, nearest_on_polyline

# The nearest place


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_nearest_points_are_shapelys(seed):
    rng = np.random.default_rng(seed)
    line, points = rng.normal(0, 10, (12, 2)), rng.normal(0, 15, (25, 2))
    distance, nearest = nearest_on_polyline(points, line)
    oracle = LineString(line)
    np.testing.assert_allclose(distance, [Point(p).distance(oracle) for p in points], atol=1e-9)
    np.testing.assert_allclose([Point(p).distance(oracle) for p in nearest], 0, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(points - nearest, axis=1), distance, atol=1e-9)


def test_a_polyline_with_a_repeated_vertex_is_no_trouble():
    distance, nearest = nearest_on_polyline(np.array([[1.0, 3.0]]), np.array([[0, 0], [0, 0], [0, 5], [0, 5.0]]))
    assert distance[0] == pytest.approx(1.0)
    np.testing.assert_allclose(nearest, [[0, 3]])


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.floats(0.1, 30))
def test_the_nearest_of_all_pieces_is_found_though_most_are_passed_over(seed, count, spread):
    rng = np.random.default_rng(seed)
    line = np.cumsum(rng.normal(0, 1, (count + 1, 2)), axis=0)
    points = rng.normal(0, spread, (25, 2))
    step = np.diff(line, axis=0)
    away = points[:, None] - line[:-1]
    share = np.clip((away * step).sum(-1) / (step**2).sum(-1), 0, 1)
    distance = np.linalg.norm(away - share[..., None] * step, axis=-1)
    got, foot = nearest_on_polyline(points, line)
    np.testing.assert_allclose(got, distance.min(axis=1), atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(points - foot, axis=1), got, atol=1e-12)


def test_no_points_are_near_to_nothing():
    distance, nearest = nearest_on_polyline(np.zeros((0, 2)), np.array([[0.0, 0.0], [1.0, 1.0]]))
    assert (distance.shape, nearest.shape) == ((0,), (0, 2))


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.floats(-3.2, 3.2), st.floats(-1e3, 1e3), st.floats(0.01, 100))
def test_moved_turned_and_scaled_alike_the_nearest_place_goes_along(seed, turn, shift, times):
    rng = np.random.default_rng(seed)
    line, points = np.cumsum(rng.normal(0, 1, (20, 2)), axis=0), rng.normal(0, 5, (15, 2))
    matrix = times * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    distance, foot = nearest_on_polyline(points, line)
    moved, moved_foot = nearest_on_polyline(points @ matrix.T + shift, line @ matrix.T + shift)
    np.testing.assert_allclose(moved, times * distance, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(moved_foot, foot @ matrix.T + shift, atol=1e-7)


def test_whole_numbers_are_read_as_points():
    distance, nearest = nearest_on_polyline(np.array([[1, 3], [2, 9]]), np.array([[0, 0], [0, 4]]))
    np.testing.assert_allclose(distance, [1.0, np.hypot(2, 5)])
    np.testing.assert_allclose(nearest, [[0, 3], [0, 4]])


def test_of_equally_near_places_the_first_is_given():
    corner = np.array([[0.0, 0.0], [0.0, 2.0], [2.0, 2.0], [2.0, 0.0]])
    np.testing.assert_allclose(nearest_on_polyline(np.array([[1.0, 1.0]]), corner)[1], [[0.0, 1.0]])


def test_nothing_that_is_given_is_written_to():
    rng = np.random.default_rng(3)
    points, line = rng.normal(0, 5, (10, 2)), rng.normal(0, 5, (10, 2))
    before = points.copy(), line.copy()
    nearest_on_polyline(points, line)
    np.testing.assert_array_equal([points, line], before)


# Steps along it


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(2, 40))
def test_lengths_are_shapelys(seed, count):
    curve = np.random.default_rng(seed).normal(0, 10, (count, 2))
    found = arc_length(curve)
    assert found[0] == 0.0
    assert found[-1] == pytest.approx(LineString(curve).length)
    np.testing.assert_allclose(shapely.line_interpolate_point(LineString(curve), found[-1] / 2).coords[0],
                               equal_steps(curve, found[-1] / 2)[1], atol=1e-9)  # fmt: skip


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(2, 30), st.floats(0.05, 20))
def test_steps_are_shapelys_places_equally_far_apart(seed, count, step):
    curve = np.random.default_rng(seed).normal(0, 10, (count, 2))
    found, line = equal_steps(curve, step), LineString(curve)
    share = np.linspace(0.0, 1.0, len(found))
    oracle = shapely.line_interpolate_point(line, share, normalized=True)
    np.testing.assert_allclose(found, shapely.get_coordinates(oracle), atol=1e-8)
    np.testing.assert_array_equal(found[[0, -1]], curve[[0, -1]])
    assert line.length / (len(found) - 1) <= step * (1 + 1e-9)
    assert len(found) == 2 or line.length / (len(found) - 2) > step * (1 - 1e-9)  # and no more of them than needed


def test_a_curve_without_length_has_two_places_at_the_same_spot():
    np.testing.assert_array_equal(equal_steps(np.full((4, 2), 3.0), 0.2), np.full((2, 2), 3.0))
