"""Rays against scipy's interpolation, circles, ramps and integrals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates
from shapely import Point

from hipjsw.anatomy.coverage import area_coverage
from hipjsw.anatomy.labels import label_coverage
from hipjsw.jsw.locating import JointPlace, locate
from hipjsw.jsw.rays import RAY_STEP_PX, RAY_TURN_RAD, along, cast, crossing, mean_between, refined

SHAPE = (60, 70)
seeds = st.integers(0, 2**32 - 1)


def place(centre=(32.0, 33.0), radius=20.0, lateral_deg=-50.0, medial_deg=50.0, shape=SHAPE, masks=None):
    femur, roof = np.ones((2, *shape), np.uint8) if masks is None else masks
    ends = np.deg2rad([lateral_deg, medial_deg])
    return JointPlace(np.asarray(centre), radius, float(ends[0]), float(ends[1]), femur, roof)


def disc(centre, radius, shape=SHAPE):
    maps = np.zeros((3, *shape), np.float32)
    maps[0] = area_coverage(Point(centre).buffer(radius, quad_segs=200), shape)
    return maps


# Sampling


@settings(max_examples=30)
@given(seeds, st.floats(5, 55), st.floats(5, 65), st.floats(17.5, 40), st.floats(0.9, 1.0))
def test_maps_are_sampled_as_scipy_does(seed, row, col, radius_mm, pixel_mm):
    rng = np.random.default_rng(seed)
    probs = rng.random((3, *SHAPE)).astype(np.float32)
    masks = (rng.random((2, *SHAPE)) < 0.7).astype(np.uint8)
    rays = cast(probs, place((row, col), radius_mm / pixel_mm, masks=masks), pixel_mm)
    sin, cos = np.sin(rays.theta_rad)[:, None], np.cos(rays.theta_rad)[:, None]
    at = [row - cos * rays.radii_px, col + sin * rays.radii_px]
    for found, plane in ((rays.femur, probs[0] * masks[0]), (rays.roof, probs[1] * masks[1]), (rays.space, probs[2])):
        oracle = map_coordinates(plane.astype(np.float64), at, order=1, mode="nearest")
        np.testing.assert_allclose(found, oracle, atol=2e-5)


def test_rays_are_as_far_apart_and_reach_as_far_as_is_said():
    rays = cast(np.zeros((3, *SHAPE), np.float32), place(radius=20.0), 1.2)
    np.testing.assert_allclose(np.diff(rays.theta_rad), RAY_TURN_RAD)
    np.testing.assert_allclose(np.round(rays.theta_rad / RAY_TURN_RAD), rays.theta_rad / RAY_TURN_RAD, atol=1e-9)
    first, last = np.rad2deg(rays.theta_rad[[0, -1]])
    assert -60.8 < first <= -60 + 1e-9
    assert 60 - 1e-9 <= last < 60.8
    np.testing.assert_allclose(np.diff(rays.radii_px), RAY_STEP_PX)
    assert rays.radii_px[0] == pytest.approx(20.0 - 7 / 1.2)
    assert rays.radii_px[-1] == pytest.approx(20.0 + 18 / 1.2, abs=RAY_STEP_PX)
    assert rays.femur.shape == rays.roof.shape == rays.space.shape == (len(rays.theta_rad), len(rays.radii_px))


def test_nothing_that_is_given_is_written_to():
    probs = np.random.default_rng(0).random((3, *SHAPE)).astype(np.float32)
    before = probs.copy()
    cast(probs, place(), 1.0)
    refined(probs, place(), 1.0)
    np.testing.assert_array_equal(probs, before)


@settings(max_examples=20)
@given(seeds)
def test_points_along_rays_lie_at_their_radius_and_angle(seed):
    rng = np.random.default_rng(seed)
    centre, radius, theta = rng.normal(0, 30, 2), rng.uniform(1, 50, 40), rng.uniform(-3.1, 3.1, 40)
    found = along(centre, radius, theta) - centre
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), radius)
    np.testing.assert_allclose(np.arctan2(found[:, 1], -found[:, 0]), theta)


# The head's circle


@settings(max_examples=30)
@given(
    st.floats(28, 34), st.floats(30, 36), st.floats(18, 24), st.tuples(*[st.floats(-1.5, 1.5)] * 3), st.floats(-50, -30)
)
def test_the_circle_of_a_disc_is_found_to_parts_of_a_pixel(row, col, radius, off, lateral_deg):
    wrong = place((row + off[0], col + off[1]), radius + off[2], lateral_deg)
    centre, found = refined(disc((row, col), radius), wrong, 1.0)
    # Seen over 400 such discs: radius off by 0.07 px in the mean, by 0.21 at most, the centre by 0.23 at most.
    assert found == pytest.approx(radius, abs=0.35)
    np.testing.assert_allclose(centre, (row, col), atol=0.35)


def test_a_bump_on_the_head_hardly_moves_its_circle():
    bumpy = disc((32.0, 33.0), 20.0)
    bumpy[0] = np.maximum(bumpy[0], disc((13.0, 39.0), 3.0)[0])
    centre, radius = refined(bumpy, place(), 1.0)
    # Seen: 0.27 and 0.38; with the bump's own margin 2.7 and 3.6.
    assert radius == pytest.approx(20.0, abs=0.4)
    np.testing.assert_allclose(centre, (32, 33), atol=0.5)


def nearly_straight_edge():
    """A femur whose edge is a circle of 2 m radius."""
    rows, cols = np.indices(SHAPE)
    femur = np.clip(rows - 20.0 - (cols - 33.0) ** 2 / 4000, 0, 1)
    return np.stack([femur, np.zeros(SHAPE), np.zeros(SHAPE)]).astype(np.float32)


@pytest.mark.parametrize(
    "maps", [np.zeros((3, *SHAPE), np.float32), np.ones((3, *SHAPE), np.float32), nearly_straight_edge()]
)
def test_where_no_head_is_found_the_place_stays(maps):
    centre, radius = refined(maps, place((40.0, 33.0), 20.0, -18.0, 18.0), 1.0)
    assert radius == 20.0
    np.testing.assert_array_equal(centre, (40, 33))


def test_a_femur_that_is_not_the_joints_is_not_looked_at(circle_hip):
    maps = label_coverage(circle_hip().landmarks((63.5, 63.5), 1 / 0.8), (128, 128))[1:]
    found = locate(maps, 0.8)
    other = maps.copy()
    other[0, 2:8, 2:8] = 1.0
    np.testing.assert_array_equal(cast(other, found, 0.8).femur, cast(maps, found, 0.8).femur)


# Along a ray


@settings(max_examples=40)
@given(seeds, st.integers(3, 60))
def test_crossings_of_ramps_are_exact(seed, count):
    rng = np.random.default_rng(seed)
    radii = 10.0 + RAY_STEP_PX * np.arange(count)
    at = rng.uniform(radii[0] + 0.01, radii[-1] - 0.01, 25)
    slope = rng.uniform(0.02, 2.0, 25)
    rising = 0.5 + slope[:, None] * (radii - at[:, None])
    np.testing.assert_allclose(crossing(rising, radii), at, atol=1e-9)
    np.testing.assert_allclose(crossing(1 - rising[:, ::-1], radii[::-1]), at, atol=1e-9)  # falling outwards
    assert np.isnan(crossing(1 - rising, radii)).all()


def test_of_several_crossings_the_first_counts_and_none_is_undefined():
    radii = np.arange(6.0)
    values = np.array([[0, 1, 0, 1, 1, 1], [1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0], [1, 1, 0, 0, 1, 1], [0] * 5 + [0.5]])
    np.testing.assert_allclose(crossing(values, radii), [0.5, np.nan, np.nan, 3.5, 5.0])


@pytest.mark.parametrize("count", [0, 1])
def test_a_ray_of_fewer_than_two_steps_crosses_nothing(count):
    assert np.isnan(crossing(np.ones((4, count)), np.arange(float(count)))).tolist() == [True] * 4


@settings(max_examples=40)
@given(seeds, st.floats(-2, 2))
def test_means_of_constants_are_theirs_and_of_slopes_nearly_their_middles(seed, slope):
    rng = np.random.default_rng(seed)
    radii = 10.0 + RAY_STEP_PX * np.arange(50)
    low = rng.uniform(10.5, 20, 30)
    high = low + rng.uniform(0.01, 12, 30)
    np.testing.assert_allclose(mean_between(np.full((30, 50), 0.7), radii, low, high), 0.7)
    sloping = np.tile(slope * radii, (30, 1))
    found = mean_between(sloping, radii, low, high)
    np.testing.assert_allclose(found, slope * (low + high) / 2, atol=abs(slope) * RAY_STEP_PX / 2 + 1e-12)
    # Where both ends lie half-way between steps, whole steps are taken and the mean is exact.
    low, high = np.array([12.25]), np.array([17.75])
    assert mean_between(sloping[:1], radii, low, high)[0] == pytest.approx(slope * 15.0)


@settings(max_examples=30)
@given(seeds)
def test_means_of_two_pieces_make_that_of_both(seed):
    rng = np.random.default_rng(seed)
    radii, values = 5.0 + RAY_STEP_PX * np.arange(40), rng.random((20, 40))
    low, middle, high = np.sort(rng.uniform(5, 24, (3, 20)), axis=0)
    first, second, both = (mean_between(values, radii, a, b) for a, b in ((low, middle), (middle, high), (low, high)))
    np.testing.assert_allclose(first * (middle - low) + second * (high - middle), both * (high - low), atol=1e-9)


@settings(max_examples=20)
@given(seeds)
def test_a_step_counts_as_far_as_half_way_to_the_next(seed):
    values = np.random.default_rng(seed).random((1, 40))
    radii = 5.0 + RAY_STEP_PX * np.arange(40)
    for n in (0, 7, 39):
        low, high = (np.array([radii[n] + off]) for off in (-0.25, 0.25))
        assert mean_between(values, radii, low, high)[0] == pytest.approx(values[0, n])
    low, high = np.array([radii[3]]), np.array([radii[5]])
    expected = values[0, 3:6] @ [0.25, 0.5, 0.25]
    assert mean_between(values, radii, low, high)[0] == pytest.approx(expected)


def test_a_mean_over_nothing_is_zero():
    radii = np.arange(5.0, 10.0, RAY_STEP_PX)
    low = np.array([6.0, 50.0, 8.0])
    np.testing.assert_array_equal(mean_between(np.ones((3, 10)), radii, low, low - [0.0, -5.0, 1.0]), 0.0)
