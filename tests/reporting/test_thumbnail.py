"""Small pictures of films."""

import cv2
import numpy as np
import pytest

from hipjsw.imaging.radiograph import Radiograph
from hipjsw.imaging.spacing import PixelSpacing, SpacingSource
from hipjsw.reporting.thumbnail import film_thumbnail, placeholder


def film(pixels, row_mm=0.2, col_mm=0.2):
    return Radiograph(pixels, PixelSpacing(row_mm, col_mm, SpacingSource.PIXEL), "MONOCHROME2", 12)


def ramp(rows=400, cols=500):
    return np.broadcast_to(np.linspace(100, 3000, cols), (rows, cols)).astype(np.uint16)


def decoded(png):
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)


def coloured(png):
    """Rows and columns where the picture is not grey."""
    picture = decoded(png).astype(int)
    return np.argwhere(picture.max(axis=2) - picture.min(axis=2) > 40)


@pytest.fixture
def hip_px(circle_hip):
    return circle_hip(offset_mm=(0.4, 1.0)).landmarks(centre=(200.0, 150.0), scale=2.0).points


def test_proportions_are_those_of_the_body():
    assert decoded(film_thumbnail(film(ramp()), [])).shape == (240, 300, 3)
    assert decoded(film_thumbnail(film(ramp(), row_mm=0.4), [], 120)).shape == (120, 75, 3)
    assert decoded(film_thumbnail(film(ramp(20, 2000)), [])).shape == (5, 480, 3)


def test_grey_levels_are_stretched_between_the_percentiles_and_bone_stays_bright():
    pixels = ramp().copy()
    pixels[:3, :3] = 65535  # a bright speck must not darken the film
    row = decoded(film_thumbnail(film(pixels), []))[120, :, 0].astype(int)
    assert (np.diff(row) >= 0).all()
    assert row[0] == 0
    assert row[-1] >= 250
    assert row[150] == pytest.approx(127, abs=6)


def test_curves_lie_where_the_points_do(hip_px):
    png = film_thumbnail(film(ramp()), [hip_px])
    scale = 240 / 400
    places = coloured(png)
    for point in (hip_px[18], hip_px[22], hip_px[27], hip_px[72]):
        nearest = np.linalg.norm(places - ((point + 0.5) * scale - 0.5), axis=1).min()
        assert nearest < 1.5
    low, high = (np.concatenate([hip_px[:35], hip_px[67:75]]) * scale).min(0), (hip_px * scale).max(0)
    assert (places.min(axis=0) > low - 4).all()
    assert (places.max(axis=0) < high + 4).all()


def test_no_hips_no_colour():
    assert len(coloured(film_thumbnail(film(ramp()), []))) == 0


@pytest.mark.parametrize(
    "points",
    [
        np.full((80, 2), np.nan),
        np.full((80, 2), 50.0),
        np.full((80, 2), 1e300) * np.arange(80)[:, None],
        np.random.default_rng(0).normal(scale=1e5, size=(80, 2)),
        np.zeros((0, 2)),
    ],
)
def test_points_that_are_no_hip_stop_nothing(points):
    assert decoded(film_thumbnail(film(ramp()), [points])).shape == (240, 300, 3)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((30, 40), np.uint16),
        np.full((30, 40), np.nan, np.float32),
        np.ones((1, 1), np.uint8),
        np.arange(1200, dtype=np.uint32).reshape(30, 40),
    ],
)
def test_odd_films_have_a_picture(pixels):
    assert decoded(film_thumbnail(Radiograph(pixels, None, "MONOCHROME2", 8), [])).ndim == 3


def test_a_noisy_film_takes_little_room_and_always_the_same_bytes(hip_px):
    noise = np.random.default_rng(0).integers(0, 4096, (2316, 1860)).astype(np.uint16)
    one = film_thumbnail(film(noise), [hip_px])
    assert len(one) < 110_000
    assert one == film_thumbnail(film(noise), [hip_px])


def test_placeholder_shows_its_words():
    blank, said = decoded(placeholder(" ")), decoded(placeholder("the file ends before its pixels do"))
    assert said.shape == blank.shape == (240, 288, 3)
    assert (said > 120).sum() > (blank > 120).sum() > 0


def test_placeholder_keeps_long_and_foreign_words_within_its_edges():
    for message in ("漢字 \udcff " * 200, "x" * 5000, ""):
        picture = decoded(placeholder(message))
        assert (picture[:4] < 60).all()
        assert (picture[:, :4] < 60).all()
        assert (picture[:, -4:] < 60).all()
