"""Millimetres and their passport."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hipjsw.imaging.spacing import PLAUSIBLE_MM, PixelSpacing, SpacingSource

plausible = st.floats(*PLAUSIBLE_MM)


@settings(max_examples=100, deadline=None)
@given(plausible, plausible, arrays(np.float64, (7, 2), elements=st.floats(-1e5, 1e5)))
def test_millimetres_and_back(row_mm, col_mm, points):
    spacing = PixelSpacing(row_mm, col_mm, SpacingSource.PIXEL)
    np.testing.assert_allclose(spacing.to_px(spacing.to_mm(points)), points, rtol=1e-14, atol=1e-300)
    np.testing.assert_allclose(spacing.to_mm(spacing.to_px(points)), points, rtol=1e-14, atol=1e-300)


@settings(max_examples=50, deadline=None)
@given(plausible, plausible)
def test_rows_go_by_the_row_spacing_and_the_first_pixels_centre_is_the_origin(row_mm, col_mm):
    spacing = PixelSpacing(row_mm, col_mm, SpacingSource.IMAGER)
    points = np.array([[[0, 0], [1, 0]], [[0, 1], [10, 100]]])
    expected = [[[0, 0], [row_mm, 0]], [[0, col_mm], [10 * row_mm, 100 * col_mm]]]
    np.testing.assert_allclose(spacing.to_mm(points), expected)
    square = PixelSpacing(spacing.mean_mm, spacing.mean_mm, SpacingSource.PIXEL)
    assert np.prod(square.to_mm(np.ones(2))) == pytest.approx(np.prod(spacing.to_mm(np.ones(2))))


def test_the_passport_says_where_it_comes_from_and_cannot_be_altered():
    words = [
        "pixel_spacing_calibrated",
        "pixel_spacing",
        "imager_pixel_spacing",
        "nominal_scanned_pixel_spacing",
        "given",
        "assumed_head",
        "none",
    ]
    assert [source.value for source in SpacingSource] == words
    spacing = PixelSpacing(0.16896, 0.16896, SpacingSource.CALIBRATED)
    assert spacing.source == "pixel_spacing_calibrated"
    with pytest.raises(dataclasses.FrozenInstanceError):
        spacing.row_mm = 1.0
    assert spacing != PixelSpacing(0.16896, 0.16896, SpacingSource.IMAGER)
    assert spacing == PixelSpacing(0.16896, 0.16896, SpacingSource.CALIBRATED)


@pytest.mark.parametrize(("col_mm", "isotropic"), [(1.2, True), (1.2005, True), (1.2008, False), (0.6, False)])
def test_isotropic_to_half_a_thousandth(col_mm, isotropic):
    assert PixelSpacing(1.2, col_mm, SpacingSource.PIXEL).is_isotropic is isotropic


@pytest.mark.parametrize("bad", [0.0, -0.2, np.nan, np.inf, -np.inf, 1e-9, 0.029, 3.01, 200.0, 1e300])
@pytest.mark.parametrize("axis", ["row", "column"])
def test_no_films_spacing_is_refused_and_named(bad, axis):
    values = (bad, 0.2) if axis == "row" else (0.2, bad)
    with pytest.raises(ValueError, match=f"^{axis} spacing .* from imager_pixel_spacing"):
        PixelSpacing(*values, SpacingSource.IMAGER)


@pytest.mark.parametrize("edge", PLAUSIBLE_MM)
def test_the_ends_of_the_range_are_within_it(edge):
    assert PixelSpacing(edge, edge, SpacingSource.GIVEN).mean_mm == pytest.approx(edge)
