"""Metal about a femoral head: an implant is found whatever the film's range, bone and white frames are not."""

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hipjsw.anatomy.landmarks import Side
from hipjsw.imaging.metal import METAL_SHARE, PROSTHESIS_SHARE, MetalShare, metal_share
from hipjsw.imaging.radiograph import Radiograph
from hipjsw.phantom.film import Film, place, render
from hipjsw.phantom.planting import Plant
from hipjsw.phantom.population import draw_person

SEED = 21
CENTRE, RADIUS = np.array([200.0, 180.0]), 50.0


def film_of(pixels: NDArray[Any], bits: int = 12) -> Radiograph:
    return Radiograph(pixels, None, "MONOCHROME2", bits)


def bone(seed: int = 0) -> NDArray[np.float32]:
    """Grey from 0 to 0.6: soft tissue, a head that fades out, grain."""
    rows, cols = np.mgrid[:400, :420].astype(np.float32)
    head = 0.35 / (1 + np.exp((np.hypot(rows - CENTRE[0], cols - CENTRE[1]) - RADIUS) / 15))
    grain = np.random.default_rng(seed).normal(0, 0.01, head.shape)
    return np.asarray(0.1 + 0.1 * rows / 400 + head + grain, dtype=np.float32)


def with_disc(grey: NDArray[np.float32], radius: float, value: float = 1.0) -> NDArray[np.float32]:
    drawn = grey.copy()
    cv2.circle(drawn, (int(CENTRE[1]), int(CENTRE[0])), int(radius), value, -1)
    return drawn


def stored(grey: NDArray[np.float32], most: int = 4095) -> NDArray[np.uint16]:
    return np.asarray(np.clip(grey * most, 0, most), dtype=np.uint16)


def test_share_is_that_of_the_discs() -> None:
    share = metal_share(film_of(stored(with_disc(bone(), 0.7 * RADIUS))), CENTRE, RADIUS)
    assert share.head == pytest.approx(0.49, abs=0.03)
    assert share.near == pytest.approx(0.49 / 1.6**2, abs=0.02)
    assert share.head > PROSTHESIS_SHARE


@settings(max_examples=15, deadline=None)
@given(low=st.integers(0, 9000), most=st.integers(1000, 50000), radius=st.floats(0.2, 0.9))
def test_brightness_and_contrast_of_the_film_change_nothing(low: int, most: int, radius: float) -> None:
    grey = with_disc(bone(), radius * RADIUS)
    plain = metal_share(film_of(stored(grey)), CENTRE, RADIUS)
    other = metal_share(film_of(np.asarray(low + stored(grey, most), dtype=np.uint16)), CENTRE, RADIUS)
    assert other.head == pytest.approx(plain.head, abs=0.01)
    assert plain.head == pytest.approx(radius**2, abs=0.06)


def test_bone_that_is_brightest_or_clipped_is_no_metal() -> None:
    for gain in (1.0, 1.5, 1.8):
        assert metal_share(film_of(stored(bone() * gain)), CENTRE, RADIUS) == MetalShare(0.0, 0.0)


def test_white_frame_is_no_metal_and_metal_is_found_beside_it() -> None:
    for drawn in (bone(), with_disc(bone(), 0.7 * RADIUS, 0.9)):
        framed = drawn.copy()
        framed[:, : int(CENTRE[1] - 1.2 * RADIUS)] = 1.0
        framed[:130] = 1.0
        share = metal_share(film_of(stored(framed)), CENTRE, RADIUS)
        assert (share.head > PROSTHESIS_SHARE) == (drawn.max() > 0.8)
        assert drawn.max() > 0.8 or share.near <= METAL_SHARE


@pytest.mark.parametrize("centre", [(-400.0, 0.0), (200.0, 2000.0), (np.nan, 3.0)])
def test_head_off_the_film_has_no_metal(centre: tuple[float, float]) -> None:
    assert metal_share(film_of(stored(bone())), np.array(centre), RADIUS) == MetalShare(0.0, 0.0)


def test_float_films_are_judged_alike() -> None:
    drawn = with_disc(bone(), 0.7 * RADIUS)
    whole = metal_share(film_of(stored(drawn)), CENTRE, RADIUS)
    assert metal_share(film_of(drawn, 32), CENTRE, RADIUS).head == pytest.approx(whole.head, abs=0.01)


def shares(film: Film) -> dict[Side, MetalShare]:
    kind, pixels = film.placement.format, render(film)
    bright = np.asarray(2**kind.bits - 1 - pixels if kind.inverted else pixels, dtype=np.uint16)
    seen = film_of(bright, kind.bits)
    radius_px = {side: film.halves[side].hip.form.head_radius_mm / kind.pixel_mm for side in Side}
    return {side: metal_share(seen, film.head_centre_mm(side) / kind.pixel_mm, radius_px[side]) for side in Side}


@pytest.mark.parametrize("index", [0, 3])
def test_phantoms_implants_are_told_apart(index: int) -> None:
    person = draw_person(SEED, index)
    for plant in (None, Plant.SCREW, Plant.PROSTHESIS):
        film = place(SEED, person, person.visits[0], plant=plant)
        for side, share in shares(film).items():
            on_it = plant if side in film.planted else None
            assert (share.head > PROSTHESIS_SHARE) == (on_it is Plant.PROSTHESIS)
            assert (share.near > METAL_SHARE) == (on_it is not None)
