"""A raster: there and back, mirrored, and one with the hip views."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipjsw.imaging.spacing import PixelSpacing, SpacingSource
from hipjsw.imaging.view import HipView
from hipjsw.phantom.raster import Raster


def rasters() -> st.SearchStrategy[Raster]:
    side, place = st.integers(2, 900), st.floats(-300.0, 500.0)
    return st.builds(
        Raster, st.tuples(side, side), st.floats(0.05, 3.0), st.tuples(place, place), mirrored=st.booleans()
    )


@settings(max_examples=60, deadline=None)
@given(rasters())
def test_places_of_pixels_lead_back_to_the_pixels(raster: Raster) -> None:
    rows, cols = (np.linspace(0.0, n - 1.0, 7) for n in raster.shape)
    row_mm, col_mm = raster.places_mm(rows, cols)
    back = raster.to_px(np.column_stack([row_mm, col_mm]))
    np.testing.assert_allclose(back, np.column_stack([rows, cols]), atol=3e-4 / raster.pixel_mm)


@settings(max_examples=60, deadline=None)
@given(rasters())
def test_first_pixel_lies_at_the_origin_and_the_next_one_pixel_on(raster: Raster) -> None:
    row_mm, col_mm = raster.places_mm(np.arange(2), np.arange(2))
    assert (row_mm[0], col_mm[0]) == pytest.approx(raster.origin_mm, abs=1e-4)
    step = raster.pixel_mm
    assert row_mm[1] - row_mm[0] == pytest.approx(step, abs=1e-4)
    assert col_mm[1] - col_mm[0] == pytest.approx(-step if raster.mirrored else step, abs=1e-4)


def test_mirrored_raster_runs_through_the_same_places_backwards() -> None:
    shape, pixel = (40, 61), 0.4
    plain = Raster(shape, pixel, (12.0, 30.0))
    last_col_mm = float(plain.places_mm(np.arange(1), np.array([shape[1] - 1]))[1][0])
    turned = Raster(shape, pixel, (12.0, last_col_mm), mirrored=True)
    cols = np.arange(shape[1])
    np.testing.assert_allclose(turned.places_mm(cols, cols)[1], plain.places_mm(cols, cols)[1][::-1], atol=1e-4)
    points = np.random.default_rng(0).uniform(10, 60, (30, 2))
    row, col = plain.to_px(points).T
    np.testing.assert_allclose(turned.to_px(points), np.column_stack([row, shape[1] - 1 - col]), atol=1e-4)


@pytest.mark.parametrize("mirrored", [False, True])
def test_raster_of_a_view_is_the_view(mirrored: bool) -> None:
    spacing = PixelSpacing(0.17, 0.17, SpacingSource.PIXEL)
    view = HipView((260, 201), 0.4, np.array([151.3, 88.7]), mirrored, spacing)
    origin = view.to_film_mm(np.zeros(2))
    raster = Raster(view.shape, view.pixel_mm, (float(origin[0]), float(origin[1])), mirrored)
    points = np.random.default_rng(1).uniform(40, 240, (50, 2))
    np.testing.assert_allclose(raster.to_px(points), view.from_film_mm(points), atol=1e-9)
    row_mm, col_mm = raster.places_mm(np.arange(260), np.arange(201))
    corner = view.to_film_mm(np.array([259.0, 200.0]))
    assert (row_mm[-1], col_mm[-1]) == pytest.approx(corner, abs=1e-4)
