"""Soft tissue: never negative, on the film, thicker in the obese; gas only takes away."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from hipjsw.phantom.look import Look, draw_look
from hipjsw.phantom.placement import FORMATS, Placement
from hipjsw.phantom.raster import Raster
from hipjsw.phantom.tissue import soft_tissue

KIND = FORMATS["OAI"]
PLACEMENT = Placement(KIND, (170.0, 195.0), 0.0, 91.0)
GRID = Raster((158, 196), 2.0, (1.0, 1.0))
LOOK = draw_look("realistic", np.random.default_rng(0))
EVEN = replace(LOOK, gas=0.0, mottle=0.0)


def tissue(size: float = 1.0, female: bool = True, look: Look = LOOK, seed: int = 0, grid: Raster = GRID) -> np.ndarray:
    return soft_tissue(grid, PLACEMENT, size, female, look, np.random.default_rng(seed))


@pytest.mark.parametrize("female", [True, False])
@pytest.mark.parametrize("size", [0.78, 1.0, 1.35])
@pytest.mark.parametrize("name", ["realistic", "wide"])
def test_tissue_is_never_negative_and_fills_the_middle_of_the_film(name: str, size: float, female: bool) -> None:
    for seed in range(4):
        body = tissue(size, female, draw_look(name, np.random.default_rng(seed)), seed)
        assert body.shape == GRID.shape
        assert np.isfinite(body).all()
        assert body.min() >= 0
        assert 1.0 < np.median(body[40:100, 30:160]) < 6.5


def test_body_of_the_thin_ends_on_the_film_and_air_is_nothing() -> None:
    wide = Raster((158, 300), 2.0, (1.0, 195.0 - 299.0))
    for size in (0.78, 1.0, 1.35):
        body = tissue(size, look=EVEN, grid=wide)
        assert (body[:, :5] == 0).all()
        assert (body[:, -5:] == 0).all()
    thin = tissue(0.78, look=EVEN, grid=wide)[60]
    reach = np.flatnonzero(thin > 0.1)
    assert (reach[-1] - reach[0]) * 2.0 < KIND.cols * KIND.pixel_mm


def test_larger_bodies_are_thicker_everywhere_and_wider() -> None:
    bodies = [tissue(size, look=EVEN) for size in (0.8, 0.95, 1.1, 1.3)]
    middle = (slice(10, 75), slice(60, 136))
    for less, more in pairwise(bodies):
        assert (more[middle] > less[middle]).all()
        assert more.sum() > 1.05 * less.sum()
        assert (more > 0.5).sum() >= (less > 0.5).sum()


def test_gas_only_lowers() -> None:
    drew = []
    for seed in range(6):
        with_gas, without = (tissue(look=replace(EVEN, gas=gas), seed=seed) for gas in (1.5, 0.0))
        same = tissue(look=replace(EVEN, gas=1.5), seed=seed)
        np.testing.assert_array_equal(with_gas, same)
        lower = without - with_gas
        assert lower.min() > -1e-5
        drew.append(lower.max())
    assert max(drew) > 0.2


def test_even_body_is_symmetrical_and_mottle_is_what_breaks_it() -> None:
    body = tissue(look=EVEN)
    rough = tissue(look=replace(EVEN, mottle=2.0))
    centre = round((PLACEMENT.centre_mm[1] - 1.0) / 2.0)
    left, right = body[:, centre - 60 : centre], body[:, centre + 1 : centre + 61][:, ::-1]
    assert np.abs(left - right).mean() < 0.02 * body.mean()
    crooked = np.abs(rough[:, centre - 60 : centre] - rough[:, centre + 1 : centre + 61][:, ::-1]).mean()
    assert crooked > 2 * np.abs(left - right).mean()


def test_tissue_does_not_depend_on_the_grid_where_nothing_is_random() -> None:
    fine = Raster((316, 392), 1.0, (0.5, 0.5))
    coarse, averaged = tissue(look=EVEN), tissue(look=EVEN, grid=fine).reshape(158, 2, 196, 2).mean(axis=(1, 3))
    inner = (slice(5, 75), slice(20, 170))
    np.testing.assert_allclose(coarse[inner], averaged[inner], rtol=0.06, atol=0.02)


def test_same_random_numbers_give_the_same_tissue() -> None:
    np.testing.assert_array_equal(tissue(seed=3), tissue(seed=3))
    assert (tissue(seed=3) != tissue(seed=4)).mean() > 0.5
