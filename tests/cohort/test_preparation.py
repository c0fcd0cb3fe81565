"""One film to its hips: label, width, view; and what is wrong with a film."""

import dataclasses

import numpy as np
import pydicom
import pytest

from hipjsw.anatomy.landmarks import HipLandmarks, Side, read_points
from hipjsw.cohort.findings import Severity
from hipjsw.cohort.layout import find_films
from hipjsw.cohort.preparation import prepare_film
from hipjsw.imaging.dicom import read_dicom
from hipjsw.imaging.view import HipView
from hipjsw.jsw.profile import measure_landmarks

LABELS = "study"
RIGHT, LEFT = range(2)


@pytest.fixture
def one_film(some_films):
    """A cohort of one film, and the film."""
    folder = some_films(3)
    entry = next(e for e in find_films(folder)[0] if e.dataset == "OAI")
    return folder, entry


def reasons(film):
    return [hip.reason for hip in film.hips]


def test_both_hips_of_a_film_come_right_then_left_and_look_alike(one_film, coarse):
    folder, entry = one_film
    film = prepare_film(folder, entry, coarse, LABELS)
    assert [hip.side for hip in film.hips] == [Side.RIGHT, Side.LEFT]
    assert reasons(film) == ["", ""]
    assert film.findings == ()
    assert film.spacing.mean_mm == pytest.approx(0.16896)
    for hip in film.hips:
        assert hip.image.shape == coarse.stored_shape
        assert hip.image.dtype == np.uint16
        assert hip.planes.shape == (4, *coarse.stored_shape)
        marks = hip.landmarks_px
        middle = (np.array(coarse.stored_shape) - 1) / 2
        np.testing.assert_allclose(HipLandmarks(marks, hip.side).head_circle()[0], middle, atol=1e-6)
        assert marks[74, 1] > marks[70, 1], "medial lies towards larger columns"
        assert marks[0, 1] < marks[34, 1]
        inside = hip.planes[:, 30:-30, 30:-30].astype(float).mean(axis=(1, 2))
        assert inside[0] > 20
        assert inside[1] > 5
        assert inside[3] == 255
    alike = [hip.planes[0].astype(float) for hip in film.hips]
    assert np.corrcoef(alike[0].ravel(), alike[1].ravel())[0, 1] > 0.7


def test_width_is_of_the_landmarks_in_the_file_in_millimetres(one_film, coarse):
    folder, entry = one_film
    points = read_points(folder / entry.points)
    film = prepare_film(folder, entry, coarse, LABELS)
    for hip, part in zip(film.hips, (points[:80], points[80:]), strict=True):
        assert hip.mjsw_mm == measure_landmarks(HipLandmarks(part, hip.side)).mjsw_mm
        # The view's pixels are square millimetres times its pixel size: the same width once more.
        again = measure_landmarks(HipLandmarks(hip.landmarks_px * coarse.pixel_mm, hip.side)).mjsw_mm
        assert again == pytest.approx(hip.mjsw_mm, abs=1e-6)


def test_image_and_labels_lie_on_one_another(one_film, coarse):
    folder, entry = one_film
    for hip in prepare_film(folder, entry, coarse, LABELS).hips:
        image = hip.image.astype(float)
        joint, bone = hip.planes[2] > 250, (hip.planes[0] > 250) | (hip.planes[1] > 250)
        rows, cols = np.nonzero(joint)
        near = np.zeros_like(joint)
        near[rows.min() - 4 : rows.max() + 4, cols.min() : cols.max()] = True
        if joint.sum() > 30:
            assert image[joint].mean() < image[bone & near].mean()


def test_a_film_view_lies_in_the_middle_of_the_film(one_film, coarse):
    folder, entry = one_film
    film = prepare_film(folder, entry, dataclasses.replace(coarse, centre="film"), LABELS)
    pixels = read_dicom(folder / entry.film)
    middle = (np.array(pixels.shape) - 1) / 2 * 0.16896
    for hip in film.hips:
        np.testing.assert_allclose(hip.centre_mm, middle, atol=1e-9)
        view = HipView(coarse.stored_shape, coarse.pixel_mm, middle, hip.side is Side.LEFT, pixels.spacing)
        points = read_points(folder / entry.points)[:80] if hip.side is Side.RIGHT else None
        if points is not None:
            np.testing.assert_allclose(hip.landmarks_px, view.from_film_mm(points), atol=1e-9)


def test_the_digest_knows_every_byte_of_film_and_points(one_film, coarse, replace_file):
    folder, entry = one_film
    before = prepare_film(folder, entry, coarse, LABELS).digest
    assert prepare_film(folder, entry, coarse, LABELS).digest == before
    points = (folder / entry.points).read_text()
    replace_file(folder / entry.points, points + "\n")
    changed = prepare_film(folder, entry, coarse, LABELS).digest
    replace_file(folder / entry.points, points)
    film = bytearray((folder / entry.film).read_bytes())
    film[-1] ^= 1
    replace_file(folder / entry.film, bytes(film))
    assert len({before, changed, prepare_film(folder, entry, coarse, LABELS).digest}) == 3


def test_a_film_without_points_is_left_out(one_film, coarse):
    folder, entry = one_film
    film = prepare_film(folder, dataclasses.replace(entry, points=None), coarse, LABELS)
    assert reasons(film) == ["film_without_points"] * 2
    (finding,) = film.findings
    assert (finding.film, finding.severity, finding.rule) == (entry.film, Severity.ERROR, "film_without_points")


@pytest.mark.parametrize(
    ("which", "content", "rule"),
    [
        ("film", "not a film", "not_dicom"),
        ("film", "", "not_dicom"),
        ("points", "", "bad_points"),
        ("points", "version: 1\nn_points: 1\n{\n1 1\n}\n", "bad_points"),
        ("points", "version: 1\nn_points: 2\n{\n1 1\n}\n", "bad_points"),
    ],
)
def test_a_file_that_cannot_be_read_leaves_its_film_out(one_film, coarse, replace_file, which, content, rule):
    folder, entry = one_film
    replace_file(folder / getattr(entry, which), content)
    film = prepare_film(folder, entry, coarse, LABELS)
    assert reasons(film) == [rule] * 2
    assert [f.rule for f in film.findings] == [rule]
    assert all(hip.image is None and hip.mjsw_mm is None for hip in film.hips)


def test_a_film_without_spacing_gives_no_millimetres(one_film, coarse):
    folder, entry = one_film
    header = pydicom.dcmread(folder / entry.film)
    del header.PixelSpacing
    del header.ImagerPixelSpacing
    (folder / entry.film).unlink()
    header.save_as(folder / entry.film)
    film = prepare_film(folder, entry, coarse, LABELS)
    assert film.spacing is None
    assert reasons(film) == ["no_spacing"] * 2


def everything(change):
    return lambda p: p.__setitem__(slice(None), change(p))


def of_the_right(part, change):
    return lambda p: p.__setitem__(part, change(p[part]))


@pytest.mark.parametrize(
    ("change", "right", "left"),
    [
        (everything(lambda p: p / 0.16896), "radius", "radius"),
        (everything(lambda p: p * 0.5), "radius", "radius"),
        (everything(lambda p: p * 0.0), "one line", "one line"),
        (everything(lambda p: p - 5000.0), "outside the film", "outside the film"),
        (everything(lambda p: p + 5000.0), "outside the film", "outside the film"),
        (everything(lambda p: p * [-1, 1] + [p[:, 0].min() + p[:, 0].max(), 0]), "not lie above", "not lie above"),
        (of_the_right(slice(2, 3), lambda p: p + 60), "step of", ""),
        (of_the_right(slice(70, 75), lambda p: p[:1] + 0 * p), "equal", ""),
        (of_the_right(slice(70, 75), lambda p: p[0] + 0.05 * (p - p[0])), "shorter than 5 mm", ""),
        (of_the_right(slice(70, 75), lambda p: p[::-1].copy()), "crosses itself", ""),
        (of_the_right(slice(18, 28), lambda p: p * [0, 1] + [100, 0]), "one line", ""),
        (of_the_right(slice(18, 19), lambda p: p + 1e300), "one line", ""),
        (of_the_right(slice(35, 67), lambda p: p + 1e300), "", ""),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_points_that_are_no_adult_hip_leave_that_hip_out_and_say_why(
    one_film, coarse, replace_file, points_of, change, right, left
):
    folder, entry = one_film
    points = read_points(folder / entry.points)
    change(points)
    replace_file(folder / entry.points, points_of(points))
    film = prepare_film(folder, entry, coarse, LABELS)
    for hip, reason in zip(film.hips, (right, left), strict=True):
        assert (reason in hip.reason) if reason else hip.reason == "", hip.reason
        assert (hip.image is None) == bool(reason)
    assert [f.rule for f in film.findings] == ["implausible_hip"] * sum(bool(r) for r in (right, left))
    assert all(f.severity is Severity.ERROR for f in film.findings)


def test_points_in_the_older_numbering_are_noticed(one_film, coarse, replace_file, points_of):
    folder, entry = one_film
    points = read_points(folder / entry.points)
    femur = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 73, 10, 74, 11, 75, 12, 76, 77, 13, 78, *range(14, 29)]
    roof = [61, 62, 63, 79, 64, 65, 66, 67]
    rest = sorted(set(range(80)) - {*femur, *roof})
    old = points.copy()
    for hip in (0, 80):
        own = points[hip : hip + 80]
        old[hip + np.array([*femur, *roof, *rest])] = np.concatenate([own[:35], own[67:75], own[35:67], own[75:]])
    replace_file(folder / entry.points, points_of(old))
    film = prepare_film(folder, entry, coarse, LABELS)
    assert all("radius" in reason or "step of" in reason for reason in reasons(film)), reasons(film)


def test_right_and_left_points_exchanged_are_noticed(one_film, coarse, replace_file, points_of):
    folder, entry = one_film
    points = read_points(folder / entry.points)
    replace_file(folder / entry.points, points_of(points[np.r_[80:160, 0:80]]))
    film = prepare_film(folder, entry, coarse, LABELS)
    assert film.findings


def test_a_roof_point_far_from_the_film_is_noticed(one_film, coarse, replace_file, points_of):
    folder, entry = one_film
    points = read_points(folder / entry.points)
    points[67] = 20_000.0  # mm; at 1e7 it takes minutes, at 1e9 the memory of the machine
    replace_file(folder / entry.points, points_of(points))
    film = prepare_film(folder, entry, coarse, LABELS)
    assert film.hips[RIGHT].reason
    assert film.hips[LEFT].reason == ""


def test_the_weight_is_nothing_outside_the_film(one_film, coarse):
    folder, entry = one_film
    large = dataclasses.replace(coarse, name="large", rows_px=700, cols_px=700, centre="film")
    film = prepare_film(folder, entry, large, LABELS)
    pixels = read_dicom(folder / entry.film)
    for hip in film.hips:
        view = HipView(large.stored_shape, large.pixel_mm, hip.centre_mm, hip.side is Side.LEFT, pixels.spacing)
        _, inside = view.sample(pixels.pixels)
        assert 0.2 < inside.mean() < 0.9
        np.testing.assert_array_equal(hip.planes[3] > 0, inside)
