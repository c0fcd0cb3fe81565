"""Local equalisation by the overview: laws, and OpenCV's on the whole film."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from hipjsw.phantom.equalise import Equaliser
from hipjsw.phantom.film import place
from hipjsw.phantom.population import draw_person
from hipjsw.phantom.raster import Raster

FILM, GRID = Raster((800, 960), 0.2), Raster((80, 96), 2.0, (0.9, 0.9))


def smooth_grey(raster: Raster) -> np.ndarray:
    rows, cols = raster.places_mm(np.arange(raster.shape[0]), np.arange(raster.shape[1]))
    return (0.35 + 0.2 * np.sin(rows[:, None] / 17) * np.cos(cols[None] / 23)).astype(np.float32)


@pytest.mark.parametrize("limit", [1.0, 3.0, 50.0])
def test_brighter_stays_brighter(limit: float) -> None:
    tables = Equaliser.of(smooth_grey(GRID), GRID, FILM, limit).tables
    assert (np.diff(tables, axis=2) >= 0).all()
    assert tables.min() >= 0
    np.testing.assert_allclose(tables[..., -1], 1.0, atol=0.02)


def test_without_a_limit_greys_become_equally_frequent() -> None:
    grey = np.random.default_rng(0).uniform(0.2, 0.5, GRID.shape).astype(np.float32)
    out = Equaliser.of(grey, GRID, FILM, 1e6).apply(grey, GRID)
    assert abs(out.mean() - 0.5) < 0.05
    assert out.std() > 0.2


def test_a_part_of_the_film_is_equalised_as_the_whole() -> None:
    equaliser = Equaliser.of(smooth_grey(GRID), GRID, FILM, 2.0)
    whole = equaliser.apply(smooth_grey(FILM), FILM)
    part = Raster((200, 300), FILM.pixel_mm, (100 * FILM.pixel_mm, 499 * FILM.pixel_mm), mirrored=True)
    np.testing.assert_allclose(
        equaliser.apply(smooth_grey(part), part), whole[100:300, 499:199:-1], atol=2e-3
    )  # a level at most


@pytest.mark.parametrize("index", [0, 5, 9])
def test_near_what_opencv_makes_of_the_whole_film(index: int) -> None:
    person = draw_person(7, index)  # Seen: correlation 0.984 to 0.994.
    film = place(7, person, person.visits[0], "wide")
    film = replace(film, look=replace(film.look, clahe=2.4, inverted=False))
    grey = film.grey(film.raster)
    scaled = np.clip(grey * 65535, 0, 65535).astype(np.uint16)
    expected = cv2.createCLAHE(2.4, (8, 8)).apply(scaled)[::4, ::4] / 65535
    grid = film.overview.grid
    out = Equaliser.of(film.grey(grid), grid, film.raster, 2.4).apply(grey, film.raster)[::4, ::4]
    assert np.corrcoef(out.ravel(), expected.ravel())[0, 1] > 0.95
