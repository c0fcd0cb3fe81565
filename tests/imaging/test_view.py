"""Film to view and back, and what the resampling must keep."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hipjsw.anatomy.coverage import polygon_coverage
from hipjsw.imaging.radiograph import Radiograph
from hipjsw.imaging.spacing import PixelSpacing, SpacingSource
from hipjsw.imaging.view import HipView, ViewSpec

SPEC = {
    "name": "coarse", "rows_px": 128, "cols_px": 96, "pixel_mm": 0.8, "margin_px": 32, "centre": "head",
    "normalise_over": "view", "low_percentile": 0.5, "high_percentile": 99.5,
}  # fmt: skip


def spacing(row_mm, col_mm=None):
    return PixelSpacing(row_mm, col_mm or row_mm, SpacingSource.PIXEL)


views = st.builds(
    HipView,
    shape=st.tuples(st.integers(16, 300), st.integers(16, 300)),
    pixel_mm=st.floats(0.1, 2.0),
    centre_mm=arrays(np.float64, 2, elements=st.floats(-500, 500)),
    mirrored=st.booleans(),
    spacing=st.builds(spacing, st.floats(0.05, 2), st.floats(0.05, 2)),
)


# Geometry


@settings(max_examples=100, deadline=None)
@given(views, arrays(np.float64, (6, 2), elements=st.floats(-1000, 1000)))
def test_film_to_view_and_back(view, points):
    np.testing.assert_allclose(view.to_film_mm(view.from_film_mm(points)), points, atol=1e-9)
    np.testing.assert_allclose(view.from_film_mm(view.to_film_mm(points)), points, atol=1e-9)


@settings(max_examples=50, deadline=None)
@given(views, arrays(np.float64, (6, 2), elements=st.floats(-300, 300)))
def test_a_view_is_a_similarity_its_pixel_mm_the_scale_and_its_middle_the_centre(view, points):
    pixels = view.from_film_mm(points)
    lengths = [np.linalg.norm(p[:, None] - p[None], axis=2) for p in (points, pixels)]
    np.testing.assert_allclose(lengths[0], lengths[1] * view.pixel_mm, atol=1e-8)
    middle = (np.array(view.shape) - 1) / 2
    np.testing.assert_allclose(view.from_film_mm(view.centre_mm), middle, atol=1e-9)


def test_rows_run_with_the_film_and_columns_against_it_only_when_mirrored():
    for mirrored, sign in ((False, 1), (True, -1)):
        view = HipView((21, 31), 0.5, np.array([40.0, 60.0]), mirrored, spacing(0.2))
        np.testing.assert_allclose(view.from_film_mm([[41.0, 60.0], [40.0, 61.0]]), [[12, 15], [10, 15 + 2 * sign]])


# Resampling


def ramp(shape, row_step, col_step, start=7.0):
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    return (start + row_step * rows + col_step * cols).astype(np.float32)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("of_film", [(0.2, 0.2), (0.143, 0.171), (1.1, 1.3)])
@pytest.mark.parametrize("pixel_mm", [0.8, 0.4, 0.9])
def test_a_linear_ramp_is_sampled_where_each_pixel_lies(mirrored, of_film, pixel_mm):
    grain = spacing(*of_film)
    size = np.ceil(grain.to_px(np.array([90.0, 110.0]))).astype(int)
    view = HipView((50, 60), pixel_mm, np.array([44.3, 53.7]), mirrored, grain)
    values, inside = view.sample(ramp(size, 0.5, -0.25))
    place = grain.to_px(view.to_film_mm(np.stack(np.mgrid[:50, :60], axis=-1)))
    assert inside.all()
    # 1/64 px is what an interpolation in steps of 1/32 px can be off by.
    np.testing.assert_allclose(values, 7 + 0.5 * place[..., 0] - 0.25 * place[..., 1], atol=0.75 / 64 + 1e-3)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("of_film", [(0.2, 0.2), (0.143, 0.171)])
@pytest.mark.parametrize("size", [(800, 900), (801, 903)])
def test_a_coarse_view_from_blocks_is_the_view_from_pixels(mirrored, of_film, size, monkeypatch):
    film = cv2.GaussianBlur(np.random.default_rng(3).normal(0, 1, size), (0, 0), 6).astype(np.float32)
    film /= film.std()
    view = HipView((100, 100), 1.8, spacing(*of_film).to_mm(np.array(size) / 2), mirrored, spacing(*of_film))
    quick, inside = view.sample(film)
    monkeypatch.setattr("hipjsw.imaging.view.COARSE_TIMES", np.inf)
    slow, same = view.sample(film)
    assert np.array_equal(inside, same)
    assert not inside.all()  # the film's borders are seen
    np.testing.assert_allclose(quick, slow, atol=0.1)
    assert np.abs(quick - slow).mean() < 0.006
    assert not np.array_equal(quick, slow)


@pytest.mark.parametrize("of_film", [(0.2, 0.2), (0.15, 0.31)])
def test_a_mirrored_view_is_the_view_of_the_mirrored_film(of_film):
    rng = np.random.default_rng(2)
    film = rng.integers(0, 4096, (300, 240)).astype(np.uint16)
    grain = spacing(*of_film)
    centre = grain.to_mm(np.array([140.3, 90.8]))
    other = grain.to_mm(np.array([140.3, 239 - 90.8]))
    left, left_inside = HipView((60, 50), 0.8, centre, True, grain).sample(film)
    right, right_inside = HipView((60, 50), 0.8, other, False, grain).sample(film[:, ::-1])
    np.testing.assert_array_equal(left_inside, right_inside)
    np.testing.assert_allclose(left, right, atol=4096 / 64)
    assert np.abs(left - right).mean() < 4


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize(
    ("of_film", "pixel_mm"),
    [((0.2, 0.2), 0.8), ((0.2, 0.2), 0.4), ((0.15, 0.3), 0.8), ((0.3, 0.15), 0.5), ((1, 1), 0.8)],
)
def test_a_disc_lands_where_told_with_the_area_told(mirrored, of_film, pixel_mm):
    grain = spacing(*of_film)
    angle = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    centre, radius = np.array([41.7, 52.4]), 13.0
    outline = centre + radius * np.column_stack([np.sin(angle), np.cos(angle)])
    shape = tuple(np.ceil(grain.to_px(np.array([85.0, 105.0]))).astype(int))
    film = 1000 * polygon_coverage(grain.to_px(outline), shape)
    view = HipView((90, 100), pixel_mm, np.array([43.0, 50.0]), mirrored, grain)
    values, _ = view.sample(film.astype(np.float32))
    mass = values / values.sum()
    found = [(mass * grid).sum() for grid in np.mgrid[:90, :100]]
    np.testing.assert_allclose(found, view.from_film_mm(centre), atol=0.02)
    assert values.sum() / 1000 * pixel_mm**2 == pytest.approx(np.pi * radius**2, rel=4e-3)
    # Its margin, at half height, lies at the radius.
    expected = polygon_coverage(view.from_film_mm(outline), view.shape)
    assert np.abs(values / 1000 - expected).max() < 0.45
    assert ((values > 500) != (expected > 0.5)).mean() < 0.002


def test_a_constant_film_stays_constant():
    for dtype in (np.uint16, np.float32):
        film = np.full((200, 180), 1234, dtype)
        values, inside = HipView((40, 40), 0.8, np.array([20.0, 20.0]), False, spacing(0.2)).sample(film)
        assert inside.all()
        np.testing.assert_allclose(values, 1234.0, rtol=1e-6)


def test_fine_noise_is_averaged_and_not_picked_at_random():
    film = np.random.default_rng(0).normal(100, 10, (800, 800)).astype(np.float32)
    values, _ = HipView((80, 80), 1.6, np.array([80.0, 80.0]), False, spacing(0.2)).sample(film)
    assert values.std() < 10 / 4
    assert values.mean() == pytest.approx(100, abs=0.2)


@pytest.mark.parametrize("turned", [False, True])
def test_only_the_direction_in_which_the_film_is_finer_is_smoothed(turned):
    stripes = np.tile(np.arange(24) % 2, (192, 1)).astype(np.uint16) * 1000  # columns as far apart as the view's
    view = HipView((16, 16), 0.8, np.array([95.5 * 0.1, 11.5 * 0.8]), False, spacing(0.1, 0.8))
    if turned:
        stripes, view = stripes.T, HipView((16, 16), 0.8, view.centre_mm[::-1], False, spacing(0.8, 0.1))
    values, _ = view.sample(stripes)
    seen = values.T if turned else values
    np.testing.assert_allclose(seen, np.tile(np.arange(16) % 2, (16, 1)) * 1000.0, atol=1e-2)


@pytest.mark.parametrize("of_film", [(0.7, 0.9), (0.9, 0.7)])
def test_a_view_pixel_between_the_two_spacings_of_a_film_is_sampled(of_film):
    view = HipView((40, 40), 0.8, np.array([40.0, 40.0]), False, spacing(*of_film))
    values, inside = view.sample(np.full((120, 120), 5.0, np.float32))
    assert inside.all()
    np.testing.assert_allclose(values, 5.0)


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_mask_is_the_film_to_its_outer_pixel_edges(mirrored):
    film = np.full((50, 40), 9.0, np.float32)
    view = HipView((70, 70), 0.35, np.array([6.0, 5.0]), mirrored, spacing(0.2, 0.3))
    values, inside = view.sample(film)
    place = view.to_film_mm(np.stack(np.mgrid[:70, :70], axis=-1))
    expected = (place >= np.array([-0.1, -0.15])).all(axis=-1) & (place <= np.array([9.9, 11.85])).all(axis=-1)
    np.testing.assert_array_equal(inside, expected)
    assert 0 < inside.sum() < inside.size
    np.testing.assert_allclose(values[inside], 9.0)
    assert (values[~inside] == 0).all()


@pytest.mark.parametrize("centre", [(-500.0, 10.0), (10.0, 900.0), (1e7, 1e7), (-1e7, 3.0)])
def test_a_view_beside_the_film_is_empty(centre):
    film = Radiograph(np.ones((50, 40), np.uint16), spacing(0.2), "MONOCHROME2", 12)
    view = HipView((32, 32), 0.8, np.array(centre), False, spacing(0.2))
    for values, inside in (view.sample(film.pixels), view.normalised(film, ViewSpec(**SPEC))):
        assert values.shape == inside.shape == (32, 32)
        assert not inside.any()
        assert (values == 0).all()


# Normalisation


@pytest.mark.parametrize("over", ["view", "film"])
def test_percentiles_become_zero_and_one(over):
    rng = np.random.default_rng(1)
    pixels = (rng.gamma(2, 300, (600, 500)) + np.linspace(0, 2000, 500)).astype(np.uint16)
    film = Radiograph(pixels, spacing(0.8), "MONOCHROME2", 12)
    spec = ViewSpec(**{**SPEC, "normalise_over": over, "low_percentile": 5.0, "high_percentile": 90.0})
    view = HipView((64, 64), 0.8, np.array([200.0, 150.0]), False, film.spacing)
    plain, inside = view.sample(pixels)
    scaled, same = view.normalised(film, spec)
    np.testing.assert_array_equal(inside, same)
    low, high = np.percentile(plain if over == "view" else pixels, (5, 90))
    expected = np.clip((plain - low) / (high - low), 0, 1)
    np.testing.assert_allclose(scaled, expected, atol=1e-5 if over == "view" else 0.01)
    assert scaled.max() == 1
    if over == "view":
        assert scaled.min() == 0
        assert (scaled == 0).mean() == pytest.approx(0.05, abs=0.005)
        assert (scaled == 1).mean() == pytest.approx(0.10, abs=0.005)


@pytest.mark.parametrize("over", ["view", "film"])
def test_percentiles_look_at_the_film_and_not_at_its_frame(over):
    pixels = np.random.default_rng(1).integers(500, 2000, (600, 500)).astype(np.uint16)
    pixels[:, :150] = 4095
    film = Radiograph(pixels, spacing(0.8), "MONOCHROME2", 12)
    spec = ViewSpec(**{**SPEC, "normalise_over": over, "low_percentile": 5.0, "high_percentile": 95.0})
    view = HipView((64, 64), 0.8, np.array([200.0, 120.0]), False, film.spacing)
    plain, _ = view.sample(pixels)
    scaled, inside = view.normalised(film, spec)
    assert inside.all()
    seen = plain[plain < 2500] if over == "view" else pixels[pixels < 2500]
    low, high = np.percentile(seen, (5, 95))
    np.testing.assert_allclose(scaled, np.clip((plain - low) / (high - low), 0, 1), atol=0.03)


def test_a_view_of_next_to_nothing_but_frame_is_scaled_over_all_of_it():
    pixels = np.random.default_rng(1).integers(500, 2000, (600, 500)).astype(np.uint16)
    pixels[:, :150] = 4095
    film = Radiograph(pixels, spacing(0.8), "MONOCHROME2", 12)
    view = HipView((32, 32), 0.8, np.array([200.0, 60.0]), False, film.spacing)
    scaled, inside = view.normalised(film, ViewSpec(**SPEC))
    assert inside.all()
    assert np.isfinite(scaled).all()


@settings(max_examples=20, deadline=None)
@given(st.floats(0.1, 50), st.floats(0, 5000))
def test_brightness_and_contrast_of_the_film_do_not_matter(contrast, brightness):
    pixels = np.random.default_rng(3).normal(500, 100, (120, 120)).astype(np.float32)
    view = HipView((48, 48), 0.8, np.array([12.0, 12.0]), True, spacing(0.2))
    spec = ViewSpec(**SPEC)
    one = view.normalised(Radiograph(pixels, spacing(0.2), "MONOCHROME2", 12), spec)[0]
    other = view.normalised(Radiograph(contrast * pixels + brightness, spacing(0.2), "MONOCHROME2", 12), spec)[0]
    np.testing.assert_allclose(one, other, atol=0.01)


def test_what_lies_outside_the_film_does_not_count_and_a_blank_film_is_zero():
    view = HipView((64, 64), 0.8, np.array([0.0, 0.0]), False, spacing(0.2))
    film = Radiograph(np.full((200, 200), 700, np.uint16), spacing(0.2), "MONOCHROME2", 12)
    scaled, inside = view.normalised(film, ViewSpec(**SPEC))
    assert 0 < inside.mean() < 0.5
    assert np.isfinite(scaled).all()
    assert (scaled[~inside] == 0).all()
    bright = film.pixels.copy()
    bright[:, :20] = 900
    scaled, inside = view.normalised(Radiograph(bright, spacing(0.2), "MONOCHROME2", 12), ViewSpec(**SPEC))
    assert scaled[inside].min() == 0  # 700 is the darkest there is; were 0 outside counted, it were not


# The view's description


def test_the_stored_shape_has_the_margin_on_every_side():
    assert ViewSpec(**SPEC).stored_shape == (192, 160)


@pytest.mark.parametrize(
    "change",
    [
        {"centre": "joint"},
        {"normalise_over": "cohort"},
        {"rows_px": 15},
        {"cols_px": 0},
        {"pixel_mm": 0.0},
        {"pixel_mm": -0.8},
        {"margin_px": -1},
    ],
)
def test_a_view_that_is_none_is_refused(change):
    with pytest.raises(ValueError, match="view"):
        ViewSpec(**{**SPEC, **change})


@pytest.mark.parametrize(
    "change",
    [
        {"pixel_mm": float("nan")},
        {"low_percentile": 99.0, "high_percentile": 1.0},
        {"low_percentile": -5.0},
        {"high_percentile": 101.0},
    ],
)
def test_numbers_that_describe_no_view_are_refused(change):
    with pytest.raises(ValueError, match="view"):
        ViewSpec(**{**SPEC, **change})
