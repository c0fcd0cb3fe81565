"""Processing: monotone, band by band, and the same on a view as on the film."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hipjsw.phantom.look import Look, draw_look
from hipjsw.phantom.processing import Tone, set_tone
from hipjsw.phantom.raster import Raster

GRID = Raster((200, 220), 2.0, (1.0, 1.0))
#: No gain does anything, the grey scale is straight from 0 to 1.
NEUTRAL = replace(
    draw_look("realistic", np.random.default_rng(0)),
    slow=0.0, middle=1.0, local=1.0, edge=0.0, gamma=1.0, bottom=0.0, top=1.0,
)  # fmt: skip
ALL = np.ones(GRID.shape, dtype=bool)


def tone(overview: np.ndarray, look: Look) -> Tone:
    """A grey scale whose ends do not depend on the picture, so that gains can be compared."""
    return replace(set_tone(overview.astype(np.float32), GRID, ALL, look), low=0.0, high=10.0)


def waves(raster: Raster, period_mm: float, height: float = 0.2) -> np.ndarray:
    _, col = raster.places_mm(np.arange(raster.shape[0]), np.arange(raster.shape[1]))
    line = 4.0 + height * np.sin(2 * np.pi * col / period_mm)
    return np.broadcast_to(line.astype(np.float32), raster.shape).copy()


def gain(look: Look, period_mm: float) -> float:
    """How much processing strengthens waves of a period, against the neutral look."""
    step = min(period_mm / 16, 1.0)
    target = Raster((30, int(160 / step)), step, (100.0, 140.0))
    spans = []
    for each in (look, NEUTRAL):
        scale = tone(waves(GRID, period_mm) if period_mm > 4 else np.full(GRID.shape, 4.0), each)
        grey = (
            scale.grey(waves(target, period_mm), target)[15, 200:-200]
            if step < 0.2
            else scale.grey(waves(target, period_mm), target)[15]
        )
        spans.append(np.ptp(grey))
    return float(spans[0] / spans[1])


def test_neutral_look_is_a_straight_line() -> None:
    target = Raster((60, 70), 0.5, (80.0, 90.0))
    for period in (3.0, 12.0, 100.0):
        overview = waves(GRID, period) if period > 4 else np.full(GRID.shape, 4.0)
        grey = tone(overview, NEUTRAL).grey(waves(target, period), target)
        np.testing.assert_allclose(grey, waves(target, period) / 10.0, atol=1e-3)


def test_each_gain_acts_on_its_own_band() -> None:
    fine, coarse, broad = 0.6, 22.0, 400.0  # mm: far inside the three bands
    local, middle, slow, edge = (
        replace(NEUTRAL, **change) for change in ({"local": 2.0}, {"middle": 2.0}, {"slow": 0.8}, {"edge": 1.0})
    )
    assert gain(local, fine) == pytest.approx(2.0, rel=0.02)
    assert gain(middle, fine) == pytest.approx(1.0, rel=0.02)
    assert gain(slow, fine) == pytest.approx(1.0, rel=0.02)
    assert gain(slow, broad) == pytest.approx(0.2, abs=0.08)
    assert gain(local, broad) == pytest.approx(1.0, rel=0.02)
    assert gain(middle, broad) == pytest.approx(1.0, abs=0.12)
    assert gain(edge, fine) == pytest.approx(2.0, rel=0.05)
    assert gain(edge, coarse) == pytest.approx(1.0, abs=0.05)


def test_gain_of_the_middle_band_is_that_of_its_two_gaussians() -> None:
    for period in (12.0, 22.0, 60.0, 150.0):
        five, slow = (np.exp(-2 * (np.pi * sigma / period) ** 2) for sigma in (5.0, 25.0))
        doubled = replace(NEUTRAL, middle=2.0)
        assert gain(doubled, period) == pytest.approx(1 + five - slow, abs=0.04)


@pytest.mark.parametrize("name", ["realistic", "wide"])
def test_grey_rises_with_attenuation_along_a_slow_ramp(name: str) -> None:
    ramp = np.linspace(2.0, 6.0, GRID.shape[1], dtype=np.float32)
    overview = np.broadcast_to(ramp, GRID.shape).copy()
    for seed in range(20):
        look = draw_look(name, np.random.default_rng(seed))
        grey = set_tone(overview, GRID, ALL, look).grey(overview, GRID)
        assert (np.diff(grey[100]) > 0).all()
        assert grey.dtype == np.float32


@pytest.mark.parametrize("name", ["realistic", "wide"])
def test_greys_of_the_body_fill_the_look_s_range(name: str) -> None:
    rng = np.random.default_rng(1)
    overview = np.cumsum(rng.normal(0, 0.05, GRID.shape), axis=1).astype(np.float32) + 4
    for seed in range(10):
        look = draw_look(name, np.random.default_rng(seed))
        grey = set_tone(overview, GRID, ALL, replace(look, edge=0.0)).grey(overview, GRID)
        low, high = np.percentile(grey, (4.0, 99.7))
        assert low == pytest.approx(look.bottom, abs=0.02)
        assert high == pytest.approx(look.top, abs=0.02)


def test_what_lies_outside_the_body_does_not_move_the_grey_scale() -> None:
    inside = np.zeros(GRID.shape, dtype=bool)
    inside[60:140, 60:160] = True
    overview = waves(GRID, 80.0)
    look = replace(NEUTRAL, slow=0.7)
    plain = set_tone(overview, GRID, inside, look)
    rows, cols = np.indices(GRID.shape)
    far = (rows < 10) | (cols < 3)  # further off than the broad band reaches
    changed = np.where(far & (cols < 3) & (rows < 3), np.float32(-9.0), overview)
    assert set_tone(changed, GRID, inside, look).low == pytest.approx(plain.low, abs=2e-3)
    nowhere = set_tone(overview, GRID, np.zeros_like(inside), look)
    assert nowhere.high > nowhere.low


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_view_is_processed_like_the_film_it_lies_on(mirrored: bool) -> None:
    film, view = (
        Raster((600, 700), 0.17, (120.0, 110.0)),
        Raster((120, 130), 0.4, (140.0, 190.0 if mirrored else 125.0), mirrored),
    )
    for seed in range(5):
        look = draw_look("realistic", np.random.default_rng(seed))
        scale = set_tone(waves(GRID, 90.0), GRID, ALL, look)
        flat = [scale.grey(np.full(raster.shape, 4.0, dtype=np.float32), raster) for raster in (film, view)]
        even = replace(scale, slow=np.full_like(scale.slow, scale.slow.mean()), middle=np.full_like(scale.middle, 4.0))
        greys = [even.grey(np.full(raster.shape, 4.3, dtype=np.float32), raster) for raster in (film, view)]
        assert np.ptp(greys[0]) < 1e-4
        assert greys[0].mean() == pytest.approx(greys[1].mean(), abs=1e-4)
        row, col = view.places_mm(np.arange(20, 100, 7), np.arange(20, 110, 9))
        places = film.to_px(np.column_stack([np.repeat(row, len(col)), np.tile(col, len(row))])).round().astype(int)
        seen = flat[1][20:100:7, 20:110:9].ravel()
        np.testing.assert_allclose(seen, flat[0][places[:, 0], places[:, 1]], atol=5e-3)


def test_an_even_film_is_no_division_by_nothing() -> None:
    even = np.full(GRID.shape, 3.0, dtype=np.float32)
    grey = set_tone(even, GRID, ALL, NEUTRAL).grey(even, GRID)
    assert np.isfinite(grey).all()
