"""The model that comes with the package: what it is, and that it measures a film it never saw, from Python."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import hipjsw
from hipjsw.anatomy.landmarks import Side
from hipjsw.imaging.radiograph import Radiograph
from hipjsw.inference.measure import FilmMeasurer
from hipjsw.inference.model_place import DEFAULT_MODEL, LOCATOR
from hipjsw.jsw.profile import JointSpaceWidth
from hipjsw.phantom.film import place, render
from hipjsw.phantom.population import draw_person
from hipjsw.reporting.model_card import model_card

#: No model was trained on persons of this seed.
SEED = 4242


@pytest.fixture(scope="module")
def measurer():
    return hipjsw.load_model(device="cpu")


def drawn(index):
    person = draw_person(SEED, index)
    return place(SEED, person, person.visits[0])


def shown(film):
    """A phantom film as a reader of files gives it: bone bright."""
    kind = film.placement.format
    stored = render(film)
    pixels = (2**kind.bits - 1) - stored if kind.inverted else stored
    return Radiograph(pixels, kind.spacing, "MONOCHROME2", kind.bits)


@pytest.fixture(scope="module", params=[0, 1, 2])
def pair(request):
    film = drawn(request.param)
    return film, shown(film)


def test_it_is_small_and_says_what_it_is_not(measurer):
    assert isinstance(measurer, FilmMeasurer)
    size = sum(path.stat().st_size for path in DEFAULT_MODEL.rglob("*") if path.is_file())
    assert size <= 8_000_000
    card = (DEFAULT_MODEL / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert measurer.model.hash in card
    assert "No real film was seen in training" in card
    assert "No medical device" in card
    assert (DEFAULT_MODEL / LOCATOR / "model.json").is_file()


def test_from_python_takes_a_folder_too(tmp_path):
    assert hipjsw.load_model(DEFAULT_MODEL, "cpu").hash == hipjsw.load_model().hash
    with pytest.raises(ValueError, match="is no model"):
        hipjsw.load_model(tmp_path)


def test_both_hips_of_a_film_it_never_saw_are_found_and_measured(measurer, pair):
    film, seen = pair
    hips = measurer(seen).hips
    assert [hip.side for hip in hips] == [Side.RIGHT, Side.LEFT]
    for hip in hips:
        away = hip.view.spacing.to_mm(hip.centre_px) - film.head_centre_mm(hip.side)
        assert np.linalg.norm(away) <= 1.5
        assert isinstance(hip.width, JointSpaceWidth), hip.width
        low, high = hip.width.interval_mm
        exact = film.halves[hip.side].hip.mjsw_mm
        assert abs(hip.width.mjsw_mm - exact) <= 0.6
        assert low - 0.3 <= exact <= high + 0.3


def test_a_mirrored_film_has_the_same_widths_on_the_other_sides(measurer, pair):
    _, seen = pair
    plain = {hip.side: hip for hip in measurer(seen).hips}
    mirrored = measurer(replace(seen, pixels=np.ascontiguousarray(seen.pixels[:, ::-1]))).hips
    assert len(mirrored) == len(plain)
    for hip in mirrored:
        other = plain[Side.LEFT if hip.side is Side.RIGHT else Side.RIGHT]
        assert hip.width.mjsw_mm == pytest.approx(other.width.mjsw_mm, abs=0.02)
        assert hip.centre_px[1] == pytest.approx(seen.shape[1] - 1 - other.centre_px[1], abs=0.2)


def test_a_film_without_spacing_has_the_same_shares_of_its_heads(measurer, pair):
    _, seen = pair
    known = {hip.side: hip for hip in measurer(seen).hips}
    blind = measurer(replace(seen, spacing=None))
    assert blind.spacing is None
    for hip in blind.hips:
        share, expected = (one.width.mjsw_mm / one.diameter_mm for one in (hip, known[hip.side]))
        assert share == pytest.approx(expected, abs=0.012)


def test_its_card_is_what_its_words_and_its_notes_say(measurer):
    notes = Path(__file__).parents[1] / "experiments" / "default_model" / "notes.md"
    said = (DEFAULT_MODEL / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert said == model_card(measurer.model, notes.read_text(encoding="utf-8"))
