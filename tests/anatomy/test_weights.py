"""Which pixels are judged and which are raised: against the phantom's whole bones, scipy and by law."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

from hipjsw.anatomy.coverage import polygon_coverage
from hipjsw.anatomy.labels import label_planes
from hipjsw.anatomy.landmarks import HipLandmarks, Side, split_sides
from hipjsw.anatomy.weights import BorderWeight, border_weight, outlined_weight
from hipjsw.imaging.view import HipView
from hipjsw.phantom.film import place
from hipjsw.phantom.points import fit_errors_mm
from hipjsw.phantom.population import draw_person
from hipjsw.phantom.solid import Solid

BACKGROUND, FEMUR, ROOF, SPACE = range(4)
FACTORY = [HealthCheck.function_scoped_fixture]
PIXEL_MM, SIDE = 0.8, 192


def phantom_hips(persons, errors=False):
    """Hips of phantom films in views, each with the share of its pixels that are bone of whatever kind."""
    rng = np.random.default_rng(2)
    for index in range(persons):
        person = draw_person(5, index)
        film = place(5, person, person.visits[-1])
        points = film.points_mm + (fit_errors_mm(film.points_mm, film.visibility, rng) if errors else 0.0)
        for side, hip in split_sides(points).items():
            spacing = film.placement.format.spacing
            view = HipView((SIDE, SIDE), PIXEL_MM, hip.head_circle()[0], side is Side.LEFT, spacing)
            yield HipLandmarks(view.from_film_mm(hip.points), side), whole_bones(film, view)


def whole_bones(film, view):
    bone = np.zeros(view.shape)
    for solid in film.bones:
        if isinstance(solid, Solid):
            outline, *holes = (polygon_coverage(view.from_film_mm(o), view.shape) for o in solid.outlines_mm)
            bone = np.maximum(bone, outline - sum(holes))
    return bone


def off_margin(landmarks, within_px):
    """Pixels farther from the head's margin than told."""
    margin = landmarks.head_margin(0.25)
    rows, cols = np.mgrid[:SIDE, :SIDE]
    on = np.zeros((SIDE, SIDE), dtype=bool)
    on[tuple(np.rint(margin).astype(int).T)] = True
    return distance_transform_edt(~on)[rows, cols] > within_px


@pytest.mark.parametrize(("errors", "bound"), [(False, 0.006), (True, 0.02)])
def test_next_to_no_bone_is_judged_as_background(errors, bound):
    # Seen over 30 hips at 0.4 mm: study 0.33; partial beyond the head's rim 0.0025, with fitted points 0.009.
    found = {"study": np.zeros(2), "partial": np.zeros(2)}
    for landmarks, bone in phantom_hips(4, errors):
        rim = ~off_margin(landmarks, 0.1 * landmarks.head_circle()[1] + 1.5)
        for labels, counts in found.items():
            planes, weight = label_planes(landmarks, (SIDE, SIDE), labels)
            judged = (planes[BACKGROUND] > 0.5) & (weight > 0.5)
            counts += (judged & (bone > 0.5) & ~rim).sum(), judged.sum()
    assert found["study"][0] / found["study"][1] > 0.2
    assert found["partial"][0] / found["partial"][1] < bound


def test_the_joint_stays_fully_judged():
    for landmarks, _ in phantom_hips(3):
        planes, weight = label_planes(landmarks, (SIDE, SIDE), "partial")
        whole = (planes[ROOF] + planes[SPACE] + planes[FEMUR] == 1) & (planes[ROOF] + planes[SPACE] > 0)
        assert weight[whole].min() > 1 - 1e-6
        assert weight[~off_margin(landmarks, 1.5 / PIXEL_MM)].min() > 1 - 1e-6  # 1.5 mm on both sides of the margin


def test_soft_tissue_beside_the_hip_is_judged_and_bone_without_an_outline_is_not(circle_hip):
    landmarks = circle_hip().landmarks((110.0, 90.0))
    points = landmarks.points.copy()
    centre = np.array([110.0, 90.0])
    points[40:45] = centre + np.array([(-25, -14), (-10, -12), (2, -6), (14, 2), (24, 10)])
    points[45:60] = centre + np.column_stack([np.r_[30:62:6j, 60:10:9j], np.r_[14:36:6j, 40:80:9j]])
    points[60:67] = centre + np.array([(22, 46), (17, 56), (20, 66), (30, 70), (40, 62), (46, 50), (34, 42)])
    weight = label_planes(HipLandmarks(points, Side.RIGHT), (260, 200), "partial")[1]

    def at(row, col):
        return weight[110 + row, 90 + col]

    judged = [(-27, -60), (-36, -30), (0, -40), (50, -75), (80, -5), (-28, 0), (-37, 5), (-20, 5), (24, 0), (32, 56)]
    unjudged = [(-60, 0), (-40, 30), (0, 40), (45, 34), (120, -38), (140, -38), (0, 5), (60, 90)]
    assert [at(*place) for place in judged] == [1.0] * len(judged)
    assert [at(*place) for place in unjudged] == [0.0] * len(unjudged)


@settings(max_examples=40, deadline=None, suppress_health_check=FACTORY)
@given(seed=st.integers(0, 2**32 - 1), missing=st.floats(0, 1), spread=st.sampled_from([0.0, 1.0, 300.0, 1e5]))
def test_points_of_wall_ischium_and_foramen_may_be_anything(circle_hip, seed, missing, spread):
    landmarks = circle_hip().landmarks((60.0, 70.0))
    rng = np.random.default_rng(seed)
    points = landmarks.points.copy()
    rest = np.r_[35:67, 75:80]
    points[rest] = rng.normal(70, spread, (len(rest), 2))
    points[rest[rng.random(len(rest)) < missing]] = np.nan
    planes, weight = label_planes(HipLandmarks(points, Side.RIGHT), (150, 140), "partial")
    np.testing.assert_array_equal(planes, label_planes(landmarks, (150, 140))[0])
    assert np.isfinite(weight).all()
    assert weight.min() >= 0
    assert weight.max() <= 1
    assert (weight[planes[ROOF] == 1] == 1).all()


def test_a_hip_and_its_mirror_image_are_judged_alike():
    person = draw_person(5, 1)
    film = place(5, person, person.visits[0])
    spacing = film.placement.format.spacing
    right = split_sides(film.points_mm)[Side.RIGHT].points
    flipped = right * (1.0, -1.0)
    views = []
    for side, points in ((Side.RIGHT, right), (Side.LEFT, flipped)):
        centre = HipLandmarks(points, side).head_circle()[0]
        view = HipView((SIDE, SIDE), PIXEL_MM, centre, side is Side.LEFT, spacing)
        views.append(label_planes(HipLandmarks(view.from_film_mm(points), side), view.shape, "partial")[1])
    np.testing.assert_allclose(views[0], views[1], atol=1e-5)


@settings(max_examples=10, deadline=None, suppress_health_check=FACTORY)
@given(down=st.integers(-20, 20), right=st.integers(-20, 20))
def test_what_is_judged_moves_with_the_hip(circle_hip, down, right):
    still = label_planes(circle_hip().landmarks((95.0, 90.0)), (190, 180), "partial")[1]
    moved = label_planes(circle_hip().landmarks((95.0 + down, 90.0 + right)), (190, 180), "partial")[1]
    back = np.roll(moved, (-down, -right), axis=(0, 1))
    np.testing.assert_allclose(back[25:165, 25:155], still[25:165, 25:155], atol=2e-5)


def test_outlined_weight_is_what_partial_uses(circle_hip):
    landmarks = circle_hip().landmarks((60.0, 70.0))
    planes, weight = label_planes(landmarks, (150, 140), "partial")
    np.testing.assert_array_equal(outlined_weight(landmarks, planes), weight)


# The border's weight


def two_plates(gap, side=64):
    """Femur left and acetabulum right of a gap of so many pixels."""
    planes = np.zeros((4, side, side), dtype=np.float32)
    planes[FEMUR, :, :20] = 1
    planes[ROOF, :, 20 + gap :] = 1
    planes[BACKGROUND] = 1 - planes[1:].sum(axis=0)
    return planes


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.5, 50), st.floats(1, 20))
def test_the_border_weight_is_its_formula_by_scipy(seed, w0, sigma):
    rng = np.random.default_rng(seed)
    planes = rng.random((4, 40, 33)) ** 4
    planes[1:3, 0, 0] = 1
    apart = sum(distance_transform_edt(plane < 0.5) for plane in planes[1:3])
    got = border_weight(planes, w0, sigma)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, 1 + w0 * np.exp(-(apart**2) / (2 * sigma**2)), rtol=1e-4)


def test_a_narrow_joint_is_raised_more_and_what_is_far_not_at_all():
    peaks = [float(border_weight(two_plates(gap))[32, 20 : 20 + max(gap, 1)].max()) for gap in range(12)]
    assert all(narrow > wide for narrow, wide in itertools.pairwise(peaks))
    assert peaks[0] > 10
    assert border_weight(two_plates(3, 120))[60, [19, 20, 21, 22, 23]].min() > 7
    np.testing.assert_allclose(border_weight(two_plates(3, 120))[:, 60:], 1.0, atol=1e-5)


def test_both_bones_count_alike_and_the_mirror_image_too(circle_hip):
    planes = label_planes(circle_hip().landmarks((60.0, 70.0)), (150, 140))[0]
    np.testing.assert_allclose(border_weight(planes), border_weight(planes[[0, 2, 1, 3]]), rtol=1e-5)
    np.testing.assert_allclose(border_weight(planes[:, :, ::-1])[:, ::-1], border_weight(planes), rtol=1e-5)


@pytest.mark.parametrize("missing", [FEMUR, ROOF])
def test_one_bone_alone_has_no_border(missing):
    planes = two_plates(3)
    planes[missing] = 0
    assert (border_weight(planes) == 1).all()


def test_emphasis_undoes_nearness():
    border = BorderWeight(7.0, 3.0)
    planes = two_plates(4)
    nearness = border.nearness(planes)
    assert nearness.min() >= 0
    assert nearness.max() <= 1
    np.testing.assert_array_equal(border.emphasis(nearness), border_weight(planes, 7.0, 3.0))


@pytest.mark.parametrize("values", [(0.0, 5.0), (10.0, 0.0), (-1.0, 5.0), (10.0, float("nan"))])
def test_numbers_that_make_no_weight_are_refused(values):
    with pytest.raises(ValueError, match="positive"):
        BorderWeight(*values)
