"""Films measured whole: hips of known width, by stand-ins for networks that know where they lie and do not err."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from hipjsw.anatomy.labels import label_coverage
from hipjsw.anatomy.landmarks import Side
from hipjsw.imaging.radiograph import Radiograph
from hipjsw.imaging.spacing import PixelSpacing, SpacingSource
from hipjsw.imaging.view import HipView, ViewSpec
from hipjsw.inference import measure
from hipjsw.inference.locate import USUAL_MM, FoundHip
from hipjsw.inference.measure import FilmMeasurer
from hipjsw.inference.measuring import Judgement
from hipjsw.jsw.profile import JointSpaceWidth, Unmeasurable

SPACING_MM, SHAPE = 0.2, (900, 1500)
VIEW = ViewSpec("coarse", 192, 192, 0.5, 8, "head", "view", 0.0, 100.0)
HEADS_MM = {Side.RIGHT: (90.0, 80.0), Side.LEFT: (90.0, 220.0)}
WIDTHS_MM = {Side.RIGHT: 3.0, Side.LEFT: 5.0}


def of_width(circle_hip, side):
    return circle_hip(roof_radius_mm=26.0 + WIDTHS_MM[side], offset_mm=(0.4, -0.6))


class Reader:
    """Says of a view what the label would say; views that were laid are noted in ``laid``."""

    def __init__(self, hips, judgement=None):
        self.view, self.region, self.looks, self.judgement = VIEW, "sourcil", 1, judgement or Judgement()
        self.hips, self.laid, self.asked = hips, [], []

    def see(self, images, looks=None, glance=None):
        if glance is not None:
            return glance
        views = self.laid[-len(images) :]
        self.asked.append(len(images))
        planes = []
        for view in views:
            side = Side.LEFT if view.mirrored else Side.RIGHT
            said = np.array([view.spacing.row_mm, view.spacing.col_mm]) / SPACING_MM  # what the view takes a mm for
            head_px = view.from_film_mm(HEADS_MM[side] * said)
            landmarks = self.hips[side].landmarks((0.0, 0.0), 1.0)
            shown = replace(landmarks, points=head_px + landmarks.points * said / view.pixel_mm)
            planes.append(label_coverage(shown, view.shape)[1:])
        return SimpleNamespace(looks=np.stack(planes)[None], embedding=np.ones((len(images), 4), np.float32))


@pytest.fixture
def film():
    """A film of nothing: what is on it, the readers know."""
    pixels = np.random.default_rng(0).integers(0, 4000, SHAPE).astype(np.uint16)
    spacing = PixelSpacing(SPACING_MM, SPACING_MM, SpacingSource.PIXEL)
    return Radiograph(pixels, spacing, "MONOCHROME2", 12)


@pytest.fixture
def widths(circle_hip):
    return {side: of_width(circle_hip, side).mjsw_mm for side in WIDTHS_MM}


@pytest.fixture
def measurer(circle_hip, monkeypatch):
    """Factory of a measurer that finds the heads, off by so much, at the film's spacing or a guess."""

    def make(off_mm=(0.0, 0.0), guess_mm=(SPACING_MM, SPACING_MM), **more):
        def found(locator, film):
            hips = [
                FoundHip(
                    side, tuple((np.array(place) + off_mm) / SPACING_MM), (52.0 / SPACING_MM, 52.0 / SPACING_MM), 0.9
                )
                for side, place in HEADS_MM.items()
            ]
            return hips, film.spacing or PixelSpacing(*guess_mm, SpacingSource.NONE)

        reader = Reader({side: of_width(circle_hip, side) for side in WIDTHS_MM}, **more)
        normalised = HipView.normalised

        def noted(view, *arguments):
            reader.laid.append(view)
            return normalised(view, *arguments)

        monkeypatch.setattr(measure, "find_hips", found)
        monkeypatch.setattr(HipView, "normalised", noted)
        return FilmMeasurer(reader, None)

    return make


def test_both_hips_are_measured_each_shown_like_a_right_one(film, measurer, widths):
    result = measurer()(film)
    assert [hip.side for hip in result.hips] == [Side.RIGHT, Side.LEFT]
    for hip in result.hips:
        assert hip.width.mjsw_mm == pytest.approx(widths[hip.side], abs=0.02)
        assert np.allclose(hip.centre_px * SPACING_MM, HEADS_MM[hip.side], atol=0.3)
        assert hip.diameter_mm == pytest.approx(52.0, abs=0.4)
        assert hip.image.shape == (192, 192)
    assert result.spacing == film.spacing == result.guess


def test_a_view_off_its_head_is_laid_anew_once(film, measurer, widths):
    found = measurer(off_mm=(4.0, -5.0))
    result = found(film)
    assert found.model.asked == [2, 2]
    for hip in result.hips:
        assert hip.width.mjsw_mm == pytest.approx(widths[hip.side], abs=0.02)
        assert np.allclose(hip.view.centre_mm, HEADS_MM[hip.side], atol=0.3)
    close = measurer(off_mm=(0.5, 0.5))
    close(film)
    assert close.model.asked == [2]


@pytest.mark.parametrize("guess_mm", [(0.16, 0.16), (0.2, 0.2), (0.23, 0.23), (0.24, 0.19), (0.17, 0.22)], ids=str)
def test_without_spacing_widths_are_shares_of_the_head_whatever_was_guessed(film, measurer, widths, guess_mm):
    result = measurer(guess_mm=guess_mm)(replace(film, spacing=None))
    assert result.spacing is None
    assert result.guess.row_mm == pytest.approx(result.guess.col_mm)  # the heads are round on this film's own pixels
    assert result.guess.row_mm == pytest.approx(SPACING_MM * USUAL_MM / 52.0, rel=0.03)
    for hip in result.hips:
        assert hip.width.mjsw_mm / hip.diameter_mm == pytest.approx(widths[hip.side] / 52.0, abs=0.001)


@pytest.mark.parametrize("assumed_mm", [50.0, 56.0])
def test_an_assumed_head_makes_millimetres_of_shares(film, measurer, widths, assumed_mm):
    found = replace(measurer(guess_mm=(0.24, 0.19)), assume_head_mm=assumed_mm)
    result = found(replace(film, spacing=None))
    assert result.spacing.source is SpacingSource.ASSUMED_HEAD
    for hip in result.hips:
        assert hip.diameter_mm == pytest.approx(assumed_mm, rel=0.01)
        assert hip.width.mjsw_mm == pytest.approx(widths[hip.side] / 52.0 * assumed_mm, abs=0.06)


def test_a_hip_unlike_those_the_model_knows_has_no_width(film, measurer):
    stranger = SimpleNamespace(distance=lambda features: np.full(len(features), 1.5))
    result = measurer(judgement=Judgement(None, stranger))(film)
    for hip in result.hips:
        assert isinstance(hip.width, Unmeasurable)
        assert hip.typicality == 1.5
        assert "unlike the hips" in hip.width.reason
    assert not any(isinstance(hip.width, JointSpaceWidth) for hip in result.hips)


def test_a_film_without_hips_has_none(film, measurer, monkeypatch):
    one = measurer()
    monkeypatch.setattr(measure, "find_hips", lambda locator, film: ([], film.spacing))
    assert one(film).hips == ()
