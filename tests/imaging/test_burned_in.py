"""Burned-in text: a line of characters is found, letters of lead, rulers and plain films are not."""

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hipjsw.imaging.burned_in import burned_in_text
from hipjsw.imaging.radiograph import Radiograph
from hipjsw.phantom.film import place, render
from hipjsw.phantom.population import draw_person

SEED = 22


def film_of(pixels: NDArray[Any]) -> Radiograph:
    return Radiograph(pixels, None, "MONOCHROME2", 12)


@pytest.fixture(scope="module")
def film() -> NDArray[np.uint16]:
    """A 12-bit phantom film with everything that usually lies on one."""
    for index in range(20):
        person = draw_person(SEED, index)
        placed = place(SEED, person, person.visits[0])
        if placed.placement.format.name == "OAI" and any(e.name == "letter" for e in placed.artefacts):
            return render(placed)
    raise AssertionError


def written(pixels: NDArray[Any], text: str, place: tuple[int, int], size: float = 1.0) -> NDArray[Any]:
    ink = np.zeros(pixels.shape, dtype=np.uint8)
    cv2.putText(ink, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, (255.0,), max(round(2 * size), 1))
    return np.where(ink > 127, pixels.max(), pixels).astype(pixels.dtype)


def test_film_with_letters_of_lead_has_no_text(film: NDArray[np.uint16]) -> None:
    assert not burned_in_text(film_of(film))
    assert not burned_in_text(film_of(film.astype(np.float32) / 4095))


@pytest.mark.parametrize("size", [0.8, 1.5, 3.0])
@pytest.mark.parametrize("place", [(60, 100), (1500, 1780)])
def test_line_of_text_is_found(film: NDArray[np.uint16], size: float, place: tuple[int, int]) -> None:
    drawn = written(film, "JANSEN, A 12-01-1950", place, size)
    assert burned_in_text(film_of(drawn))
    assert burned_in_text(film_of(4095 - drawn)), "dark text on a film turned over"
    assert burned_in_text(film_of(drawn.astype(np.float32) / 4095))


@pytest.mark.parametrize("text", ["R", "L", "AP", "R  AP", "RA 12"])
def test_few_characters_are_markers(film: NDArray[np.uint16], text: str) -> None:
    assert not burned_in_text(film_of(written(film, text, (60, 100), 1.5)))


def test_ticks_of_a_ruler_are_no_text(film: NDArray[np.uint16]) -> None:
    drawn = film.copy()
    for tick in range(12):
        drawn[100:130, 100 + 24 * tick : 112 + 24 * tick] = 4095
    assert not burned_in_text(film_of(drawn))


def test_noise_is_no_text() -> None:
    noise = np.random.default_rng(3).integers(0, 4096, (900, 1100)).astype(np.uint16)
    assert not burned_in_text(film_of(noise))
    assert not burned_in_text(film_of(np.full((900, 1100), 7, dtype=np.uint16)))
