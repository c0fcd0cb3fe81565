"""Hips found on painted films, by a stand-in for the network that knows right and left heads by their greys."""

from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from hipjsw.anatomy.landmarks import Side
from hipjsw.imaging.radiograph import Radiograph
from hipjsw.imaging.spacing import PixelSpacing, SpacingSource
from hipjsw.imaging.view import ViewSpec
from hipjsw.inference.locate import USUAL_MM, find_hips

VIEW = ViewSpec("locate", 256, 256, 1.8, 0, "film", "film", 0.0, 100.0)
RIGHT, LEFT, BRIGHT = 0.5, 0.8, 1.0


class Locator:
    """Sees the film as it is, then its mirror image, as a network does; in either it knows right-looking heads."""

    def __init__(self, view=VIEW):
        self.view = view

    def see(self, images, looks=1):
        assert looks == 1
        probs = np.zeros((1, 2, 3, *images.shape[1:]), np.float32)
        for n, grey in enumerate((RIGHT, LEFT)):
            probs[0, n, 0] = np.clip(1 - np.abs(images[n] - grey) / 0.12, 0, 1) ** 0.5
        return SimpleNamespace(looks=probs, embedding=np.zeros((2, 0)))


def painted(heads_mm, shape=(1000, 1200), spacing_mm=0.35, known=True):
    """A dark film with discs ``(grey, row, col, diameter)`` in mm, and one bright corner that fixes its greys."""
    place = np.indices(shape) * spacing_mm
    pixels = np.zeros(shape)
    for grey, row, col, diameter in heads_mm:
        far = np.hypot(place[0] - row, place[1] - col)
        pixels = np.maximum(pixels, grey * np.clip((diameter / 2 - far) / spacing_mm + 0.5, 0, 1))
    pixels[:40, :40] = BRIGHT
    spacing = PixelSpacing(spacing_mm, spacing_mm, SpacingSource.PIXEL) if known else None
    return Radiograph(np.round(pixels * 4000).astype(np.uint16), spacing, "MONOCHROME2", 12)


BOTH = [(RIGHT, 180.0, 110.0, 50.0), (LEFT, 186.0, 300.0, 54.0)]


def places_mm(hips, spacing):
    return [spacing.to_mm(np.array(hip.centre_px)) for hip in hips]


def test_both_hips_are_found_to_a_fraction_of_the_locators_pixel():
    film = painted(BOTH)
    hips, spacing = find_hips(Locator(), film)
    assert [hip.side for hip in hips] == [Side.RIGHT, Side.LEFT]
    assert spacing == film.spacing
    for hip, place, (_, row, col, diameter) in zip(hips, places_mm(hips, spacing), BOTH, strict=True):
        assert np.allclose(place, (row, col), atol=0.5)
        assert hip.diameter_px * 0.35 == pytest.approx(diameter, abs=3.0)
        assert 0.6 < hip.confidence <= 1


@pytest.mark.parametrize("one", [0, 1])
def test_a_film_of_one_hip_has_one(one):
    hips, _ = find_hips(Locator(), painted([BOTH[one]]))
    assert [hip.side for hip in hips] == [(Side.RIGHT, Side.LEFT)[one]]


def test_a_film_of_none_has_none():
    assert find_hips(Locator(), painted([]))[0] == []
    assert find_hips(Locator(), painted([], known=False))[0] == []


@pytest.mark.parametrize("diameter", [12.0, 110.0])
def test_what_is_no_heads_size_is_no_head(diameter):
    assert find_hips(Locator(), painted([(RIGHT, 180.0, 150.0, diameter)]))[0] == []


def test_of_two_that_cannot_be_one_persons_the_surer_is_kept():
    crossed = [(RIGHT, 180.0, 300.0, 50.0), (LEFT, 180.0, 110.0, 50.0)]
    hips, _ = find_hips(Locator(), painted(crossed))
    assert len(hips) == 1


@pytest.mark.parametrize("spacing_mm", [0.2, 0.35, 0.5])
def test_without_spacing_the_place_is_the_same_and_the_size_a_guess(spacing_mm):
    shape = (round(350 / spacing_mm), round(420 / spacing_mm))
    film = painted(BOTH, shape, spacing_mm)
    known, _ = find_hips(Locator(), film)
    blind, guess = find_hips(Locator(), replace(film, spacing=None))
    assert guess.source is SpacingSource.NONE
    assert [hip.side for hip in blind] == [hip.side for hip in known]
    for one, other in zip(blind, known, strict=True):
        assert np.allclose(one.centre_px, other.centre_px, atol=1.0 / spacing_mm)
    assert guess.mean_mm * np.mean([hip.diameter_px for hip in known]) == pytest.approx(USUAL_MM, rel=0.1)


@pytest.mark.parametrize("share", [0.55, 1.6])
def test_a_film_of_another_extent_without_spacing_is_found_too(share):
    """Discs of half and of one and a half times the usual size for such a film."""
    film = painted([(RIGHT, 95.0, 110.0, 52.0)], (round(350 / 0.35 * share), round(420 / 0.35 * share)), known=False)
    hips, guess = find_hips(Locator(), film)
    assert [hip.side for hip in hips] == [Side.RIGHT]
    assert np.allclose(np.array(hips[0].centre_px) * 0.35, (95.0, 110.0), atol=1.0)
    assert guess.mean_mm == pytest.approx(0.35, rel=0.12)


@pytest.mark.parametrize("wider", [1.25, 0.8])
def test_a_squeezed_picture_without_spacing_is_looked_at_as_if_it_were_not(wider):
    """Heads of a picture stretched along its columns are ellipses; its pixels get the shape that makes them round."""
    film = painted(BOTH)
    known, _ = find_hips(Locator(), film)
    cols = round(film.shape[1] * wider)
    squeezed = cv2.resize(film.pixels, (cols, film.shape[0]), interpolation=cv2.INTER_AREA)
    blind, guess = find_hips(Locator(), replace(film, pixels=squeezed, spacing=None))
    assert guess.row_mm / guess.col_mm == pytest.approx(wider, rel=0.03)
    for one, other in zip(blind, known, strict=True):
        assert one.centre_px == pytest.approx((other.centre_px[0], (other.centre_px[1] + 0.5) * wider - 0.5), abs=3.0)
        assert one.size_px == pytest.approx((other.size_px[0], other.size_px[1] * wider), rel=0.04)
        assert one.diameter_px == np.mean(one.size_px)


def test_heads_that_are_nearly_round_leave_the_pixels_square():
    film = painted(BOTH)
    wide = cv2.resize(film.pixels, (round(film.shape[1] * 1.06), film.shape[0]), interpolation=cv2.INTER_AREA)
    _, guess = find_hips(Locator(), replace(film, pixels=wide, spacing=None))
    assert guess.row_mm == guess.col_mm
