"""Exact area coverage of polygons."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from hipjsw.phantom.coverage import Window, cover


def circle(row: float, col: float, radius: float) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    return np.column_stack([row + radius * np.sin(angle), col + radius * np.cos(angle)])


def by_shapely(polygon: shapely.Polygon, window: Window) -> np.ndarray:
    rows, cols = range(window.top, window.bottom), range(window.left, window.right)
    boxes = [[shapely.box(r - 0.5, c - 0.5, r + 0.5, c + 0.5) for c in cols] for r in rows]
    return shapely.area(shapely.intersection(np.array(boxes), polygon))


@settings(max_examples=25, deadline=None)
@given(st.floats(-3, 20), st.floats(-3, 20), st.floats(0.3, 14))
def test_equals_shapely_pixel_by_pixel_also_at_the_film_edge(row: float, col: float, radius: float) -> None:
    window = Window(0, 0, 17, 15)
    outline = circle(row, col, radius)
    np.testing.assert_allclose(cover([outline], window), by_shapely(shapely.Polygon(outline), window), atol=1e-5)


def test_hole_is_taken_out_and_direction_does_not_matter() -> None:
    outer, inner = circle(10, 10, 8.3), circle(10.2, 9.7, 3.1)
    window = Window.around(outer, (30, 30))
    expected = by_shapely(shapely.Polygon(outer, [inner]), window)
    for a in (outer, outer[::-1]):
        np.testing.assert_allclose(cover([a, inner], window), expected, atol=1e-5)


def test_long_sides_on_grid_lines() -> None:
    square = np.array([[1.5, 1.5], [1.5, 5.5], [4.5, 5.5], [4.5, 1.5]])
    result = cover([square], Window(0, 0, 8, 8))
    assert result.sum() == pytest.approx(12.0)
    assert set(np.unique(result)) == {0.0, 1.0}


def test_window_outside_the_film_is_empty() -> None:
    window = Window.around(circle(-50, -50, 5), (20, 20))
    assert 0 in window.shape
    assert cover([circle(-50, -50, 5)], window).size == 0
