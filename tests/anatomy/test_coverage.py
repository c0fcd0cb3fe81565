"""Coverage against shapely's areas and by law."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import GeometryCollection, LineString, MultiPolygon, Point, Polygon, area, box, intersection

from hipjsw.anatomy.coverage import area_coverage, polygon_coverage


def shapely_coverage(polygon, shape):
    rows, cols = np.meshgrid(np.arange(shape[0]), np.arange(shape[1]), indexing="ij")
    cells = box(rows - 0.5, cols - 0.5, rows + 0.5, cols + 0.5)
    return area(intersection(cells, Polygon(polygon)))


def star(seed, shape, spread=0.7, corners=17):
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
    radius = rng.uniform(0.2, spread, corners) * max(shape)
    centre = rng.uniform(0, 1, 2) * shape
    return centre + radius[:, None] * np.column_stack([np.sin(angle), np.cos(angle)])


@pytest.mark.parametrize("seed", range(12))
def test_equals_shapely_even_where_the_polygon_leaves_the_grid(seed):
    shape = (23, 17)
    polygon = star(seed, shape)
    np.testing.assert_allclose(polygon_coverage(polygon, shape), shapely_coverage(polygon, shape), atol=1e-10)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.floats(-3, 3), st.floats(-3, 3))
def test_area_is_kept_and_orientation_does_not_matter(seed, dr, dc):
    polygon = star(seed, (20, 20), spread=0.4) * 0.5 + 15 + np.array([dr, dc])
    got = polygon_coverage(polygon, (60, 60))
    assert got.sum() == pytest.approx(Polygon(polygon).area, abs=1e-8)
    np.testing.assert_allclose(got, polygon_coverage(polygon[::-1], (60, 60)), atol=1e-10)
    assert got.min() >= -1e-9
    assert got.max() <= 1 + 1e-9


def test_corners_on_grid_lines_and_pixel_centres_are_exact():
    whole = polygon_coverage(np.array([[0.5, 0.5], [0.5, 2.5], [2.5, 2.5], [2.5, 0.5]]), (4, 4))
    expected = np.zeros((4, 4))
    expected[1:3, 1:3] = 1
    np.testing.assert_allclose(whole, expected, atol=1e-12)
    quarter = polygon_coverage(np.array([[0, 0], [0, 2], [2, 2], [2, 0.0]]), (3, 3))
    np.testing.assert_allclose(quarter, [[0.25, 0.5, 0.25], [0.5, 1, 0.5], [0.25, 0.5, 0.25]], atol=1e-12)


def test_neighbours_share_every_pixel_between_them():
    left = np.array([[-5, -5], [40, -5], [40, 11.3], [20, 17.7], [-5, 9.1]])
    right = np.array([[-5, 9.1], [20, 17.7], [40, 11.3], [40, 50], [-5, 50]])
    np.testing.assert_allclose(polygon_coverage(left, (32, 32)) + polygon_coverage(right, (32, 32)), 1.0, atol=1e-10)


def test_an_area_of_pieces_with_holes_equals_shapely():
    pieces = Point(9.2, 4.1).buffer(5.3) - Point(9.2, 4.1).buffer(2.1), box(-3.0, 12.25, 30.0, 15.5)
    rows, cols = np.meshgrid(np.arange(21), np.arange(17), indexing="ij")
    cells = box(rows - 0.5, cols - 0.5, rows + 0.5, cols + 0.5)
    whole = MultiPolygon(pieces)
    np.testing.assert_allclose(area_coverage(whole, (21, 17)), area(intersection(cells, whole)), atol=1e-6)
    mixed = GeometryCollection([*pieces, LineString([(0, 0), (9, 9)])])
    np.testing.assert_array_equal(area_coverage(mixed, (21, 17)), area_coverage(whole, (21, 17)))


@pytest.mark.parametrize(
    "nothing", [Polygon(), box(100, 100, 120, 120), box(-9, 3, -2, 5), LineString([(0, 0), (5, 5)])]
)
def test_an_area_that_is_nothing_or_elsewhere_covers_nothing(nothing):
    assert (area_coverage(nothing, (12, 9)) == 0).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_an_area_equals_the_polygon_it_is(seed):
    polygon = star(seed, (23, 17))
    if Polygon(polygon).is_valid:
        expected = polygon_coverage(polygon, (23, 17))
        np.testing.assert_allclose(area_coverage(Polygon(polygon), (23, 17)), expected, atol=1e-6)
