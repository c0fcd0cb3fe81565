"""Units, spacing tags and lost fits, on one phantom film whose two tags differ by 1.4 %."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from hipjsw.anatomy.landmarks import Side
from hipjsw.anatomy.points_file import PointsError, write_points
from hipjsw.cohort.film_entry import FilmEntry, PointsFile
from hipjsw.cohort.plausibility import hip_faults
from hipjsw.cohort.point_placing import SpacingTag, Unit, place_points
from hipjsw.imaging.radiograph import FilmFacts, Radiograph
from hipjsw.imaging.spacing import PixelSpacing, SpacingSource
from hipjsw.phantom.film import place, render
from hipjsw.phantom.points import fit_errors_mm
from hipjsw.phantom.population import draw_person

PIXEL_MM, IMAGER_MM = 0.141, 0.143


@cache
def shown():
    """A film of the sort that has two spacings, and its points in pixels, with a shape model's errors."""
    films = (place(11, p, p.visits[0]) for p in (draw_person(11, index) for index in range(50)))
    film = next(film for film in films if film.placement.format.name == "CHECK-A")
    points_mm = film.points_mm + fit_errors_mm(film.points_mm, film.visibility, np.random.default_rng(1))
    pixels = render(film)
    facts = FilmFacts("dicom", *pixels.shape, 15, pixel_spacing_mm=(PIXEL_MM,) * 2, imager_spacing_mm=(IMAGER_MM,) * 2)
    spacing = PixelSpacing(PIXEL_MM, PIXEL_MM, SpacingSource.PIXEL)
    return Radiograph(pixels, spacing, "MONOCHROME2", 15, facts), points_mm / PIXEL_MM


@pytest.fixture
def film():
    return shown()[0]


@pytest.fixture
def points_px():
    return shown()[1].copy()


@pytest.fixture
def placed(tmp_path):
    """Place points on a film."""

    def placed(film, points, points_spacing="auto", name="film.pts", side=""):
        write_points(tmp_path / name, points)
        entry = FilmEntry("CHECK", "1", "T00", "film.dcm", (PointsFile(name, side),))
        return place_points(tmp_path, entry, film, points_spacing)

    return placed


def rules(found):
    return [finding.rule for finding in found.findings]


def same(found, mm):
    for hip, expected in zip(found.hips.values(), np.split(mm, 2), strict=True):
        np.testing.assert_allclose(hip.points, expected, atol=1e-5)


def test_mm_by_either_tag_and_pixels_give_the_same_hips(placed, film, points_px):
    for factor, unit, tag, rule in (
        (PIXEL_MM, Unit.MM, SpacingTag.PIXEL, []),
        (IMAGER_MM, Unit.MM, SpacingTag.IMAGER, ["points_on_imager_spacing"]),
        (1.0, Unit.PX, SpacingTag.NONE, ["points_in_px"]),
    ):
        found = placed(film, factor * points_px)
        assert (found.unit, found.tag, rules(found)) == (unit, tag, rule)
        same(found, PIXEL_MM * points_px)


def test_a_tag_that_is_named_is_used_whatever_fits(placed, film, points_px):
    found = placed(film, PIXEL_MM * points_px, "imager")
    assert rules(found)[0] == "points_on_imager_spacing"
    same(found, PIXEL_MM * PIXEL_MM / IMAGER_MM * points_px)
    assert found.tag is SpacingTag.IMAGER
    found = placed(film, IMAGER_MM * points_px, "pixel")
    assert found.tag is SpacingTag.PIXEL
    same(found, IMAGER_MM * points_px)


def test_a_given_spacing_scales_lengths_and_not_places(placed, film, points_px):
    given = replace(film, spacing=PixelSpacing(0.2, 0.2, SpacingSource.GIVEN))
    for factor in (PIXEL_MM, IMAGER_MM):
        same(placed(given, factor * points_px), 0.2 * points_px)
    bare = replace(given, facts=replace(film.facts, pixel_spacing_mm=None, imager_spacing_mm=None))
    found = placed(bare, 0.2 * points_px)
    assert found.tag is SpacingTag.FILM
    same(found, 0.2 * points_px)
    same(placed(replace(bare, facts=None), 0.2 * points_px), 0.2 * points_px)


def test_one_tag_is_used_whatever_is_wanted(placed, film, points_px):
    for wanted in ("auto", "pixel", "imager"):
        only = replace(
            film,
            spacing=PixelSpacing(IMAGER_MM, IMAGER_MM, SpacingSource.IMAGER),
            facts=replace(film.facts, pixel_spacing_mm=None),
        )
        found = placed(only, IMAGER_MM * points_px, wanted)
        assert (found.tag, rules(found)) == (SpacingTag.IMAGER, [])
        same(found, IMAGER_MM * points_px)
        alike = replace(film, facts=replace(film.facts, imager_spacing_mm=(PIXEL_MM * 1.0005,) * 2))
        assert placed(alike, PIXEL_MM * points_px, wanted).tag is SpacingTag.PIXEL


def test_a_film_without_spacing_keeps_pixels(placed, film, points_px):
    found = placed(replace(film, spacing=None, facts=None), points_px)
    assert (found.unit, rules(found)) == (Unit.PX, ["points_in_px"])
    same(found, points_px)


@pytest.mark.parametrize("factor", [0.02, 25.4])
def test_points_of_neither_unit_are_told_with_both_numbers(placed, film, points_px, factor):
    found = placed(film, factor * points_px)
    assert "points_unit" in rules(found)
    message = next(f.message for f in found.findings if f.rule == "points_unit")
    assert "if the points are in mm" in message
    assert "17 to 42 mm" in message


def test_a_lost_hip_is_misplaced_and_the_other_is_not(placed, film, points_px):
    for lost, kept in ((Side.RIGHT, Side.LEFT), (Side.LEFT, Side.RIGHT)):
        points = points_px.copy()
        points[:80] += 0.0 if lost is Side.LEFT else (15.0 / PIXEL_MM, 20.0 / PIXEL_MM)
        points[80:] += 0.0 if lost is Side.RIGHT else (15.0 / PIXEL_MM, 20.0 / PIXEL_MM)
        found = placed(film, PIXEL_MM * points)
        assert [(f.rule, f.side) for f in found.findings] == [("misplaced", lost.value)]
        assert f"{found.fits[lost].score:.2f}" in found.findings[0].message
        assert found.fits[kept].score > 0.5


def test_a_hip_beyond_the_film_is_not_called_misplaced(placed, film, points_px):
    points_px[80:, 1] += 4000.0
    found = placed(film, PIXEL_MM * points_px)
    assert rules(found) == []
    assert [rule for rule, _ in hip_faults(found.hips[Side.LEFT], film.shape, film.spacing)] == ["outside_film"]


def test_points_sought_on_the_mirrored_film_are_turned_back(placed, film, points_px):
    left, width = points_px[80:], film.shape[1] - 1.0
    for points in (left, left * (1, -1) + (0, width)):
        found = placed(film, PIXEL_MM * points, name="film.dcm_RasL.pts", side="left")
        np.testing.assert_allclose(found.hips[Side.LEFT].points, PIXEL_MM * left, atol=1e-5)
        assert rules(found) == ["one_hip"]


def test_a_film_in_the_wrong_sense_is_placed_alike(placed, film, points_px):
    turned = replace(film, pixels=np.uint16(32767) - film.pixels)
    for factor, tag in ((PIXEL_MM, SpacingTag.PIXEL), (IMAGER_MM, SpacingTag.IMAGER)):
        found = placed(turned, factor * points_px)
        assert found.tag is tag
        assert "misplaced" not in rules(found)


def test_an_unknown_word_and_no_points_are_refused(placed, film, points_px, tmp_path):
    with pytest.raises(ValueError, match="auto, pixel, imager"):
        placed(film, points_px, "detector")
    with pytest.raises(PointsError, match="no points"):
        place_points(tmp_path, FilmEntry("CHECK", "1", "T00", "film.dcm"), film)
