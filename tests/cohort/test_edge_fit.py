"""Contrast across curves: laws on drawn edges, and phantoms with good, lost and wrongly spaced points."""

from functools import cache

import numpy as np
import pytest

from hipjsw.anatomy.coverage import polygon_coverage
from hipjsw.anatomy.landmarks import HipLandmarks, Side
from hipjsw.cohort.edge_fit import MISPLACED_BELOW, NO_FIT, EdgeFit, better_fit, edge_fit
from hipjsw.phantom.film import place, render
from hipjsw.phantom.points import _lose, fit_errors_mm
from hipjsw.phantom.population import draw_person


@pytest.fixture
def drawn(circle_hip):
    """A bright femur below a bright roof on a dark film, and its landmarks in pixels."""
    marks = circle_hip().landmarks(centre=(300.0, 300.0), scale=4.0)
    image = polygon_coverage(marks.femur.sample(0.5), (720, 600))
    sourcil = marks.sourcil.sample(0.5)
    roof = np.concatenate([sourcil, [(100.0, sourcil[-1, 1]), (100.0, sourcil[0, 1])]])
    return 1000.0 * (image + polygon_coverage(roof, (720, 600))), marks


def moved(marks, shift=(0.0, 0.0)):
    return HipLandmarks(marks.points + shift, marks.side)


def close(fit, other, sign=1.0):
    np.testing.assert_allclose(
        (fit.head, fit.femur, fit.roof), [sign * v for v in (other.head, other.femur, other.roof)], atol=1e-6
    )


def test_curves_on_drawn_edges_fit_and_others_do_not(drawn):
    image, marks = drawn
    fit = edge_fit(image, marks)
    assert min(fit.head, fit.femur, fit.roof) > 0.8
    for shift in ((40.0, 0.0), (0.0, 60.0), (-60.0, -40.0)):
        assert edge_fit(image, moved(marks, shift)).score < 0.4 * fit.score


def test_exposure_changes_nothing_and_a_wrong_sense_the_sign_alone(drawn):
    image, marks = drawn
    fit = edge_fit(image, marks)
    close(edge_fit(0.03 * image + 70.0, marks), fit)
    whole = image.astype(np.uint16)
    close(edge_fit(whole + np.uint16(7), marks), edge_fit(whole, marks))
    turned = edge_fit(1000.0 - image, marks)
    close(turned, fit, sign=-1.0)
    assert turned.score == pytest.approx(fit.score)


def test_a_mirrored_or_moved_film_and_points_fit_alike(drawn):
    image, marks = drawn
    fit = edge_fit(image, marks)
    mirrored = HipLandmarks(marks.points * (1, -1) + (0, image.shape[1] - 1), Side.LEFT)
    close(edge_fit(image[:, ::-1], mirrored), fit)
    close(edge_fit(np.pad(image, ((30, 0), (50, 0))), moved(marks, (30, 50))), fit)


def test_the_films_resolution_matters_little(drawn, circle_hip):
    image, marks = drawn
    coarse = image.reshape(360, 2, 300, 2).mean(axis=(1, 3))
    halved = HipLandmarks((marks.points - 0.5) / 2, marks.side)
    assert edge_fit(coarse, halved).score == pytest.approx(edge_fit(image, marks).score, abs=0.05)


def test_nothing_to_fit_is_no_fit(drawn):
    image, marks = drawn
    assert edge_fit(image, moved(marks, (1e6, 0.0))) == NO_FIT
    assert edge_fit(image, HipLandmarks(np.zeros((80, 2)), Side.RIGHT)) == NO_FIT
    assert edge_fit(np.full((720, 600), 7, np.uint16), marks).score == 0.0
    assert NO_FIT.score == 0.0


def test_what_lies_beyond_the_film_is_not_judged(drawn):
    image, marks = drawn
    whole, cut = edge_fit(image, marks), edge_fit(image[:500], marks)
    assert cut.head == pytest.approx(whole.head, abs=0.02)
    assert cut.score > MISPLACED_BELOW


def test_the_second_place_is_believed_only_if_clearly_better():
    low, good, better = EdgeFit(0.1, 0.1, 0.1), EdgeFit(0.8, 0.8, 0.8), EdgeFit(0.82, 0.82, 0.82)
    assert better_fit([low, good], [good, good]) == (True, pytest.approx(0.45), pytest.approx(0.8))
    assert not better_fit([good], [better])[0]
    assert not better_fit([good], [low])[0]
    assert not better_fit([NO_FIT], [EdgeFit(0.2, 0.2, 0.2)])[0]
    assert not better_fit([], [])[0]


@cache
def shown(look, index):
    person = draw_person(11, index)
    film = place(11, person, person.visits[0], look)
    errors = fit_errors_mm(film.points_mm, film.visibility, np.random.default_rng(index))
    stored = render(film)
    kind = film.placement.format
    return film, (2**kind.bits - 1 - stored if kind.inverted else stored), np.split(film.points_mm + errors, 2)


@pytest.mark.parametrize("look", ["realistic", "wide"])
@pytest.mark.parametrize("index", [0, 1])
def test_usual_fits_on_phantoms_are_in_place_and_lost_ones_are_not(look, index):
    film, pixels, hips = shown(look, index)
    spacing, rng = film.placement.format.spacing, np.random.default_rng(5)
    for side, hip in zip(Side, hips, strict=True):
        good = edge_fit(pixels, HipLandmarks(spacing.to_px(hip), side))
        lost = [edge_fit(pixels, HipLandmarks(spacing.to_px(_lose(hip, rng)), side)).score for _ in range(12)]
        assert good.score > 0.3
        assert np.mean(np.array(lost) < MISPLACED_BELOW) > 0.8
        assert max(lost) < good.score
