"""One film to its hips: label, width, view."""

import dataclasses

import numpy as np
import pytest

from hipjsw.anatomy.labels import LABELS
from hipjsw.anatomy.landmarks import HipLandmarks, Side
from hipjsw.anatomy.points_file import read_points
from hipjsw.cohort.geometry import unpacked
from hipjsw.cohort.layout import find_films
from hipjsw.cohort.preparation import PrepareOptions, prepare_film
from hipjsw.imaging.reading import read_film
from hipjsw.imaging.view import HipView
from hipjsw.jsw.profile import measure_landmarks


@pytest.fixture
def one_film(some_films):
    """A cohort of one film, and the film."""
    folder = some_films(3)
    entry = next(e for e in find_films(folder).films if e.dataset == "OAI")
    return folder, entry


@pytest.fixture
def options(coarse):
    return PrepareOptions(coarse, "study")


def reasons(film):
    return [hip.reason for hip in film.record.hips]


def test_both_hips_of_a_film_come_right_then_left_and_look_alike(one_film, options):
    folder, entry = one_film
    film = prepare_film(folder, entry, options)
    assert [hip.side for hip in film.hips] == [Side.RIGHT, Side.LEFT]
    assert [hip.side for hip in film.record.hips] == ["right", "left"]
    assert reasons(film) == ["", ""]
    assert film.record.findings == ()
    assert film.record.spacing.mean_mm == pytest.approx(0.16896)
    shape = options.view.stored_shape
    for hip in film.hips:
        assert hip.image.shape == shape
        assert hip.image.dtype == np.uint16
        assert hip.planes.shape == (4, *shape)
        marks = hip.landmarks_px
        middle = (np.array(shape) - 1) / 2
        np.testing.assert_allclose(HipLandmarks(marks, hip.side).head_circle()[0], middle, atol=1e-6)
        assert marks[74, 1] > marks[70, 1], "medial lies towards larger columns"
        assert marks[0, 1] < marks[34, 1]
        inside = hip.planes[:, 30:-30, 30:-30].astype(float).mean(axis=(1, 2))
        assert inside[0] > 20
        assert inside[1] > 5
        assert inside[3] == 255
    alike = [hip.planes[0].astype(float) for hip in film.hips]
    assert np.corrcoef(alike[0].ravel(), alike[1].ravel())[0, 1] > 0.7


def test_width_is_of_the_landmarks_in_the_file_in_millimetres(one_film, options):
    folder, entry = one_film
    points = read_points(folder / entry.points[0].path)
    film = prepare_film(folder, entry, options)
    for hip, record, part in zip(film.hips, film.record.hips, (points[:80], points[80:]), strict=True):
        assert record.mjsw_mm == pytest.approx(measure_landmarks(HipLandmarks(part, hip.side)).mjsw_mm, abs=1e-9)
        assert record.head_diameter_mm == pytest.approx(2 * HipLandmarks(part, hip.side).head_circle()[1], abs=1e-9)
        # The view's pixels are square millimetres times its pixel size: the same width once more.
        again = measure_landmarks(HipLandmarks(hip.landmarks_px * options.view.pixel_mm, hip.side)).mjsw_mm
        assert again == pytest.approx(record.mjsw_mm, abs=1e-6)


def test_image_and_labels_lie_on_one_another(one_film, options):
    folder, entry = one_film
    for hip in prepare_film(folder, entry, options).hips:
        image = hip.image.astype(float)
        joint, bone = hip.planes[2] > 250, (hip.planes[0] > 250) | (hip.planes[1] > 250)
        rows, cols = np.nonzero(joint)
        near = np.zeros_like(joint)
        near[rows.min() - 4 : rows.max() + 4, cols.min() : cols.max()] = True
        if joint.sum() > 30:
            assert image[joint].mean() < image[bone & near].mean()


def test_a_film_view_lies_in_the_middle_of_the_film(one_film, coarse):
    folder, entry = one_film
    view = dataclasses.replace(coarse, centre="film")
    film = prepare_film(folder, entry, PrepareOptions(view, "study"))
    pixels = read_film(folder / entry.film)
    middle = (np.array(pixels.shape) - 1) / 2 * 0.16896
    points = read_points(folder / entry.points[0].path)
    for nth, (hip, record) in enumerate(zip(film.hips, film.record.hips, strict=True)):
        np.testing.assert_allclose(record.centre_mm, middle, atol=1e-9)
        laid = HipView(coarse.stored_shape, coarse.pixel_mm, middle, hip.side is Side.LEFT, pixels.spacing)
        np.testing.assert_allclose(hip.landmarks_px, laid.from_film_mm(points[80 * nth : 80 * nth + 80]), atol=1e-9)


def test_the_geometry_leads_from_the_view_back_to_the_film(one_film, options):
    folder, entry = one_film
    points = read_points(folder / entry.points[0].path)
    for nth, hip in enumerate(prepare_film(folder, entry, options).hips):
        view, film_shape = unpacked(hip.geometry, hip.image.shape)
        assert film_shape == read_film(folder / entry.film).shape
        assert view.mirrored == (hip.side is Side.LEFT)
        back = view.to_film_mm(hip.landmarks_px)
        np.testing.assert_allclose(back, points[80 * nth : 80 * nth + 80], atol=1e-9)


def test_a_film_that_is_left_out_has_no_arrays(one_film, options, replace_file):
    folder, entry = one_film
    replace_file(folder / entry.points[0].path, "")
    film = prepare_film(folder, entry, options)
    assert reasons(film) == ["bad_points"] * 2
    assert all(hip.image is None and hip.planes is None and hip.geometry is None for hip in film.hips)


def test_the_weight_is_nothing_outside_the_film(one_film, coarse):
    folder, entry = one_film
    large = dataclasses.replace(coarse, name="large", rows_px=700, cols_px=700, centre="film")
    film = prepare_film(folder, entry, PrepareOptions(large, "study"))
    pixels = read_film(folder / entry.film)
    for hip, record in zip(film.hips, film.record.hips, strict=True):
        centre_mm = np.array(record.centre_mm)
        view = HipView(large.stored_shape, large.pixel_mm, centre_mm, hip.side is Side.LEFT, pixels.spacing)
        _, inside = view.sample(pixels.pixels)
        assert 0.2 < inside.mean() < 0.9
        np.testing.assert_array_equal(hip.planes[3] > 0, inside)


@pytest.mark.parametrize("labels", sorted(LABELS))
def test_every_way_of_labelling_makes_planes_that_no_pixel_claims_twice(one_film, coarse, labels):
    folder, entry = one_film
    for hip in prepare_film(folder, entry, PrepareOptions(coarse, labels)).hips:
        assert hip.planes[:3].astype(int).sum(axis=0).max() <= 256  # a count of rounding
