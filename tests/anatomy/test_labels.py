"""Label maps against shapely, the study's definition and the laws they must keep."""

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import Point, Polygon

from hipjsw.anatomy.labels import (
    CLASSES,
    LABELS,
    STEP_PX,
    LabelError,
    label_coverage,
    label_planes,
    study_polygons,
)
from hipjsw.anatomy.landmarks import HipLandmarks, Side

SHAPE = (150, 140)
CENTRE = (60.0, 70.0)
BACKGROUND, FEMUR, ROOF, SPACE = range(4)
FACTORY = [HealthCheck.function_scoped_fixture]  # circle_hip is a class: nothing to reset


@st.composite
def hips(draw):
    """Shape of a hip with a joint space of 0.5 to 8 mm somewhere, for the ``circle_hip`` factory."""
    radius = draw(st.floats(22, 30))
    width = draw(st.floats(0.5, 7))
    return {
        "radius_mm": radius,
        "roof_radius_mm": radius + width,
        "offset_mm": (draw(st.floats(-0.3, 0.3)) * width, draw(st.floats(-0.3, 0.3)) * width),
        "lateral_deg": draw(st.floats(-45, -20)),
        "medial_deg": draw(st.floats(20, 45)),
    }


def marks(circle_hip, scale=1.0, centre=CENTRE, **form):
    return circle_hip(**form).landmarks(centre, scale)


def study_by_the_book(landmarks, step=0.05):
    """The definition in words, put together from dense splines with shapely alone."""
    p = landmarks.points
    centre, _ = landmarks.head_circle()
    sourcil = landmarks.sourcil.sample(step)
    femur = Polygon(landmarks.femur.sample(step))
    corner = (p[67, 0], p[74, 1])
    roof = Polygon([*landmarks.lateral_ilium.sample(step), *sourcil[1:], corner])
    wedge = Polygon([*sourcil, (centre[0], p[74, 1]), tuple(centre)])
    return femur, roof.difference(femur), wedge.difference(femur).difference(roof)


def test_classes_stand_in_the_order_of_the_conventions():
    assert CLASSES == ("background", "femur", "acetabulum", "joint_space")
    assert set(LABELS) == {"study", "partial", "head"}


@settings(max_examples=12, deadline=None, suppress_health_check=FACTORY)
@given(form=hips(), scale=st.sampled_from([0.8, 1.25, 2.0]))
def test_areas_are_those_of_the_definition(circle_hip, form, scale):
    landmarks = marks(circle_hip, scale, (90.0, 170.0), **form)
    planes = label_coverage(landmarks, (330, 300))
    grid = shapely.box(-0.5, -0.5, 329.5, 299.5)
    for plane, shape in zip(planes[1:], study_by_the_book(landmarks), strict=True):
        assert plane.sum(dtype=np.float64) == pytest.approx(shape.intersection(grid).area, rel=2e-4, abs=0.05)


def test_each_pixel_holds_its_share_of_the_definitions_area(circle_hip):
    landmarks = marks(circle_hip, offset_mm=(0.7, -1.1))
    planes = label_coverage(landmarks, SHAPE)
    rows, cols = np.mgrid[25:55, 40:105]
    cells = shapely.box(rows - 0.5, cols - 0.5, rows + 0.5, cols + 0.5)
    for plane, shape in zip(planes[1:], study_by_the_book(landmarks), strict=True):
        shapely.prepare(shape)
        share = shapely.area(shapely.intersection(cells, shape))
        np.testing.assert_allclose(plane[25:55, 40:105], share, atol=2e-3)


@settings(max_examples=25, deadline=None, suppress_health_check=FACTORY)
@given(form=hips(), row=st.floats(-40, 180), col=st.floats(-40, 180), scale=st.floats(0.3, 3))
def test_four_shares_between_nothing_and_all_sum_to_one_even_off_the_grid(circle_hip, form, row, col, scale):
    planes = label_coverage(marks(circle_hip, scale, (row, col), **form), SHAPE)
    assert planes.shape == (4, *SHAPE)
    assert planes.dtype == np.float32
    assert planes.min() >= -1e-6
    assert planes.max() <= 1 + 1e-6
    np.testing.assert_allclose(planes.sum(axis=0), 1.0, atol=1e-6)


@settings(max_examples=15, deadline=None, suppress_health_check=FACTORY)
@given(form=hips())
def test_structures_are_disjoint_and_touch(circle_hip, form):
    polygons = study_polygons(marks(circle_hip, **form))
    parts = [polygons.femur, polygons.acetabulum, polygons.joint_space]
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert parts[a].intersection(parts[b]).area == pytest.approx(0, abs=1e-6)
    for bone in parts[:2]:
        assert parts[2].buffer(1e-6).intersection(bone).area > 0


def test_joint_space_is_the_ring_sector_between_concentric_circles(circle_hip):
    # Between the radii to 70 and straight down from 74 to the centre's height.
    hip = circle_hip(radius_mm=26.0, roof_radius_mm=30.0, lateral_deg=-34.0, medial_deg=30.0)
    space = study_polygons(hip.landmarks(CENTRE)).joint_space
    sector = 0.5 * np.deg2rad(64) * (30**2 - 26**2)
    # Beyond the ray to 74 lies what is left of the column below 74, outside the head.
    ray, column = np.deg2rad(30), 30 * np.sin(np.deg2rad(30))
    assert column < 26
    beyond = Polygon([(-np.cos(ray) * 30, column), (0, column), (0, 0)])
    outside = beyond.difference(Point(0, 0).buffer(26, quad_segs=2000)).area
    assert space.area == pytest.approx(sector + outside, rel=2e-3)


def test_known_places_are_in_known_classes(circle_hip):
    hip = circle_hip(radius_mm=26.0, roof_radius_mm=30.0)
    planes = label_coverage(hip.landmarks((70.0, 70.0)), (170, 150))

    def at(row, col):
        return int(planes[:, 70 + row, 70 + col].argmax()), float(planes[:, 70 + row, 70 + col].max())

    assert at(0, 0) == (FEMUR, 1.0)
    assert at(-20, 0) == (FEMUR, 1.0)
    assert at(-28, 0) == (SPACE, 1.0)
    assert at(-33, 8) == (ROOF, 1.0)
    assert at(-33, -30) == (BACKGROUND, 1.0)
    assert at(-10, 40) == (BACKGROUND, 1.0)
    assert at(60, 60) == (BACKGROUND, 1.0)
    assert at(60, -35) == (FEMUR, 1.0)


@settings(max_examples=20, deadline=None, suppress_health_check=FACTORY)
@given(form=hips(), down=st.integers(-20, 20), right=st.integers(-20, 20))
def test_a_shift_by_whole_pixels_shifts_the_map(circle_hip, form, down, right):
    still = label_coverage(marks(circle_hip, centre=(60.0, 70.0), **form), (190, 180))
    moved = label_coverage(marks(circle_hip, centre=(60.0 + down, 70.0 + right), **form), (190, 180))
    cut = (slice(None), slice(25, 165), slice(25, 155))
    back = np.roll(moved, (-down, -right), axis=(1, 2))
    np.testing.assert_allclose(back[cut], still[cut], atol=2e-5)


@settings(max_examples=10, deadline=None, suppress_health_check=FACTORY)
@given(form=hips(), times=st.sampled_from([2, 3, 4]))
def test_a_finer_map_averages_to_the_coarser_one(circle_hip, form, times):
    # Edges of a coarse pixel lie on edges of fine ones when row_fine = times * row_coarse + (times - 1) / 2.
    coarse = label_coverage(marks(circle_hip, 0.8, (50.0, 56.0), **form), (110, 100))
    centre = times * np.array([50.0, 56.0]) + (times - 1) / 2
    fine = label_coverage(marks(circle_hip, 0.8 * times, centre, **form), (110 * times, 100 * times))
    pooled = fine.reshape(4, 110, times, 100, times).mean(axis=(2, 4))
    np.testing.assert_allclose(pooled, coarse, atol=4e-3)


def test_bone_on_bone_leaves_no_joint_space_there_and_loses_nothing(circle_hip):
    landmarks = marks(circle_hip, roof_radius_mm=25.5)
    planes = label_coverage(landmarks, (170, 140))
    np.testing.assert_allclose(planes.sum(axis=0), 1.0, atol=1e-6)
    assert planes[FEMUR].sum(dtype=np.float64) == pytest.approx(study_by_the_book(landmarks)[0].area, rel=1e-3)
    narrow = label_coverage(marks(circle_hip, roof_radius_mm=27.0), (170, 140))
    assert planes[SPACE].sum() < narrow[SPACE].sum()


def changed(circle_hip, change):
    points = marks(circle_hip).points.copy()
    change(points)
    return HipLandmarks(points, Side.RIGHT)


def swap(first, second):
    def change(points):
        points[[first, second]] = points[[second, first]]

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (swap(5, 12), "femoral outline"),
        (swap(20, 23), "femoral outline"),
        (swap(71, 73), "acetabular roof"),
        (swap(67, 74), "acetabular roof|joint space"),
        (lambda p: p.__setitem__((slice(70, 75), 0), p[70:75, 0] + 60), "not lie above"),
        (lambda p: p.__setitem__((74, 0), CENTRE[0] + 1), "not lie above"),
        (lambda p: p.__setitem__((slice(67, 75), 0), p[67:75, 0] + 15), "deep inside"),
    ],
)
def test_landmarks_without_labels_say_why(circle_hip, change, message):
    with pytest.raises(LabelError, match=message):
        label_coverage(changed(circle_hip, change), SHAPE)


def test_equal_neighbours_and_missing_numbers_are_value_errors(circle_hip):
    for change in (lambda p: p.__setitem__(72, p[71]), lambda p: p.__setitem__((3, 1), np.nan)):
        with pytest.raises(ValueError, match=r"equal|finite"):
            label_coverage(changed(circle_hip, change), SHAPE)


# What is judged


@settings(max_examples=15, deadline=None, suppress_health_check=FACTORY)
@given(form=hips(), scale=st.sampled_from([0.8, 1.6]))
def test_partial_has_the_studys_label_map_and_study_judges_all_of_it(circle_hip, form, scale):
    landmarks = marks(circle_hip, scale, **form)
    study, everywhere = label_planes(landmarks, SHAPE, "study")
    partial, weight = label_planes(landmarks, SHAPE, "partial")
    np.testing.assert_array_equal(study, partial)
    np.testing.assert_array_equal(study, label_coverage(landmarks, SHAPE))
    assert (everywhere == 1).all()
    assert everywhere.dtype == weight.dtype == np.float32
    assert weight.shape == SHAPE
    assert 0 < weight.mean() < 1


@settings(max_examples=6, deadline=None, suppress_health_check=FACTORY)
@given(form=hips(), scale=st.sampled_from([0.8, 2.5]))
def test_areas_are_whole_differences_though_only_what_is_near_is_looked_at(circle_hip, form, scale):
    landmarks = marks(circle_hip, scale, **form)
    got = study_polygons(landmarks)
    femur, roof, space = study_by_the_book(landmarks, STEP_PX)
    assert got.femur.symmetric_difference(femur).area == pytest.approx(0, abs=1e-9)
    assert got.acetabulum.symmetric_difference(roof).area == pytest.approx(0, abs=1e-6)
    assert got.joint_space.symmetric_difference(space).area == pytest.approx(0, abs=1e-6)


@settings(suppress_health_check=FACTORY, max_examples=20, deadline=None)
@given(form=hips())
def test_a_head_is_a_disc_that_takes_nothing_else_away(circle_hip, form):
    landmarks = marks(circle_hip, **form)
    head, study = label_planes(landmarks, SHAPE, "head"), label_planes(landmarks, SHAPE, "study")
    centre, radius = landmarks.head_circle()
    far = np.hypot(*(np.indices(SHAPE) - np.reshape(centre, (2, 1, 1))))
    planes, weight = head
    assert planes[FEMUR].sum() == pytest.approx(np.pi * radius**2, rel=1e-3)
    assert (planes[FEMUR][far < radius - 1] == 1).all()
    assert (planes[FEMUR][far > radius + 1] == 0).all()
    assert np.allclose(planes.sum(0), 1, atol=1e-6)
    assert (weight == 1).all()
    beyond = far > radius + 1
    for plane in (ROOF, SPACE):
        assert np.allclose(planes[plane][beyond], study[0][plane][beyond], atol=1e-6)
