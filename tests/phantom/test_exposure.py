"""Exposure: Beer-Lambert, scatter, blur, and noise of counted quanta."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipjsw.phantom.exposure import expose, resample, scattered
from hipjsw.phantom.look import Look, draw_look
from hipjsw.phantom.raster import Raster

LOOK = replace(draw_look("realistic", np.random.default_rng(0)), scatter=0.0, blur_mm=0.2, quanta=4e4)
RASTER = Raster((200, 220), 0.17)


def slab(thick: float, raster: Raster = RASTER) -> np.ndarray:
    return np.full(raster.shape, thick, dtype=np.float32)


def bars(period_px: int, raster: Raster = RASTER) -> np.ndarray:
    """Attenuation of bars of 0.4 across the columns."""
    wave = np.sin(2 * np.pi * np.arange(raster.shape[1]) / period_px)
    return np.broadcast_to((3.0 + 0.4 * wave).astype(np.float32), raster.shape).copy()


def exposed(
    attenuation: np.ndarray, look: Look = LOOK, scatter: np.ndarray | float = 0.0, **kwargs: object
) -> np.ndarray:
    shadow = np.broadcast_to(np.float32(scatter), RASTER.shape)
    return expose(attenuation, np.asarray(shadow, dtype=np.float32), RASTER, look, **kwargs)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.0, 7.0))
def test_log_exposure_of_a_slab_is_its_attenuation(thick: float) -> None:
    np.testing.assert_allclose(exposed(slab(thick)), thick, atol=2e-3)


def test_log_exposure_of_two_slabs_is_their_sum() -> None:
    one, other, both = (exposed(slab(v)).mean() for v in (1.3, 2.4, 3.7))
    assert one + other == pytest.approx(both, abs=1e-3)


def test_plate_saturates_behind_what_lets_nothing_through() -> None:
    assert exposed(slab(30.0)).max() == pytest.approx(-np.log(2e-4), abs=1e-3)


@pytest.mark.parametrize("thick", [0.0, 2.0, 4.0])
@pytest.mark.parametrize("quanta", [1e4, 8e4])
@pytest.mark.parametrize("pixel_mm", [0.1, 0.17])
def test_variance_of_the_noise_is_that_of_counted_quanta(thick: float, quanta: float, pixel_mm: float) -> None:
    raster = Raster((400, 400), pixel_mm)
    look = replace(LOOK, quanta=quanta)
    noise = np.random.default_rng(1)
    grey = expose(slab(thick, raster), np.zeros(raster.shape, np.float32), raster, look, noise=noise)
    expected = 1.0 / (quanta * (pixel_mm / 0.17) ** 2 * np.exp(-thick))
    assert grey.var() == pytest.approx(expected, rel=0.03 + 2.5 * expected)  # the logarithm's bend
    neighbours = np.corrcoef(grey[:, 1:].ravel(), grey[:, :-1].ravel())[0, 1]
    assert abs(neighbours) < 0.02


def test_scatter_brings_quanta_as_well_as_fog() -> None:
    noise = (np.random.default_rng(1) for _ in range(2))
    plain = exposed(slab(3.0), noise=next(noise))
    fogged = exposed(slab(3.0), scatter=np.exp(-3.0), noise=next(noise))
    assert fogged.mean() == pytest.approx(plain.mean() - np.log(2), abs=2e-3)
    assert fogged.var() == pytest.approx(plain.var() / 2, rel=0.03)


def test_scatter_lowers_contrast_by_its_share() -> None:
    sharp = replace(LOOK, blur_mm=1e-3)
    shares = (0.0, 0.3, 1.0)
    spans = []
    for share in shares:
        grey = exposed(bars(40), sharp, share * np.exp(-3.0))
        spans.append(np.ptp(grey))
    assert spans[0] == pytest.approx(0.8, abs=0.01)
    for share, span in zip(shares, spans, strict=True):
        assert span == pytest.approx(spans[0] / (1 + share), rel=0.02)


def test_scattered_radiation_is_broad_and_its_share_of_the_primary() -> None:
    grid = Raster((150, 180), 2.0)
    look = replace(LOOK, scatter=0.4)
    flat = scattered(slab(4.0, grid), grid, look)
    np.testing.assert_allclose(flat, 0.4 * np.exp(-4.0), rtol=1e-3)
    half = slab(4.0, grid)
    half[:, 90:] = 5.0
    fog = scattered(half, grid, look)
    assert (np.diff(fog, axis=1) <= 1e-9).all()
    assert fog[75, 0] == pytest.approx(0.4 * np.exp(-4.0), rel=0.01)
    assert fog[75, -1] == pytest.approx(0.4 * np.exp(-5.0), rel=0.03)
    near = (fog[75, 79] - fog[75, 99]) / (fog[75, 0] - fog[75, -1])  # 40 mm round the step, of a Gaussian of 28 mm
    assert near == pytest.approx(0.525, abs=0.03)
    assert (scattered(slab(4.0, grid), grid, replace(look, scatter=0.0)) == 0).all()


def test_open_beam_beside_the_body_does_not_flood_it_with_scatter() -> None:
    grid = Raster((150, 180), 2.0)
    air = slab(4.0, grid)
    air[:, 90:] = 0.0
    assert scattered(air, grid, replace(LOOK, scatter=0.4)).max() < 0.4 * 3 * np.exp(-4.0)


@pytest.mark.parametrize("blur_mm", [0.17, 0.4, 0.8])
def test_blur_weakens_bars_like_a_gaussian_of_its_width(blur_mm: float) -> None:
    period = 12  # 2 mm
    look = replace(LOOK, blur_mm=blur_mm)
    weak = bars(period) * np.float32(0.01) + np.float32(1.0)
    span = np.ptp(exposed(weak, look)[50:-50, 60:-60])
    expected = np.exp(-2 * (np.pi * blur_mm / (period * RASTER.pixel_mm)) ** 2)
    assert span == pytest.approx(0.008 * expected, rel=0.06, abs=2e-6)


@pytest.mark.parametrize("blur_px", [0.6, 1.0, 2.0])
def test_noise_of_a_view_is_less_by_what_its_blur_averages(blur_px: float) -> None:
    raster = Raster((500, 500), 0.4)
    noise = np.random.default_rng(2)
    grey = expose(slab(2.0, raster), np.zeros(raster.shape, np.float32), raster, LOOK, blur_px, noise)
    white = 1.0 / (LOOK.quanta * (0.4 / 0.17) ** 2 * np.exp(-2.0))
    assert grey.var() == pytest.approx(white / (4 * np.pi * blur_px**2), rel=0.08)


def test_same_random_numbers_give_the_same_noise() -> None:
    one, same, other = (exposed(slab(2.0), noise=np.random.default_rng(seed)) for seed in (4, 4, 5))
    np.testing.assert_array_equal(one, same)
    assert (one != other).mean() > 0.9


@settings(max_examples=20, deadline=None)
@given(st.floats(0.1, 3.0), st.floats(30.0, 60.0), st.floats(30.0, 60.0), st.booleans())
def test_resampling_a_constant_gives_the_constant(pixel: float, row: float, col: float, mirrored: bool) -> None:
    grid, target = Raster((60, 70), 2.0, (1.0, 1.0)), Raster((40, 30), pixel, (row, col), mirrored)
    np.testing.assert_allclose(resample(slab(0.7, grid), grid, target), 0.7, atol=1e-5)


@pytest.mark.parametrize("mirrored", [False, True])
def test_resampling_reproduces_a_plane(mirrored: bool) -> None:
    grid = Raster((80, 90), 2.0, (1.0, 1.0))
    target = Raster((130, 120), 0.7, (20.3, 140.1 if mirrored else 31.7), mirrored)

    def plane(raster: Raster) -> np.ndarray:
        row, col = raster.places_mm(np.arange(raster.shape[0]), np.arange(raster.shape[1]))
        return np.asarray(0.02 * row[:, None] - 0.03 * col[None] + 5.0, dtype=np.float32)

    np.testing.assert_allclose(resample(plane(grid), grid, target), plane(target), atol=3e-5)


def test_resampling_to_the_same_raster_changes_nothing_and_to_a_part_cuts_it_out() -> None:
    image = np.random.default_rng(0).normal(size=(50, 60)).astype(np.float32)
    grid = Raster((50, 60), 2.0, (1.0, 1.0))
    np.testing.assert_allclose(resample(image, grid, grid), image, atol=1e-5)
    part = Raster((20, 15), 2.0, (1.0 + 8 * 2.0, 1.0 + 11 * 2.0))
    np.testing.assert_allclose(resample(image, grid, part), image[8:28, 11:26], atol=1e-5)
    turned = Raster((20, 15), 2.0, (17.0, 1.0 + 25 * 2.0), mirrored=True)
    np.testing.assert_allclose(resample(image, grid, turned), image[8:28, 11:26][:, ::-1], atol=1e-5)


def test_resampling_beyond_the_edge_repeats_it() -> None:
    image = np.random.default_rng(0).normal(size=(30, 30)).astype(np.float32)
    grid, beyond = Raster((30, 30), 2.0), Raster((5, 5), 1.0, (-40.0, -40.0))
    np.testing.assert_allclose(resample(image, grid, beyond), image[0, 0], atol=1e-5)
