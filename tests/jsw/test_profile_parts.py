"""The parts of a profile: feet, thirds, angles and the regions a minimum is taken over."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString

from hipjsw.jsw.profile import FIXED_DEG, REGIONS, measure_curves, measure_landmarks


def arc(radius, first_deg, last_deg, centre=(0.0, 0.0), count=600):
    angle = np.deg2rad(np.linspace(first_deg, last_deg, count))
    return np.asarray(centre) + radius * np.column_stack([-np.cos(angle), np.sin(angle)])


def eccentric(seed):
    """A joint between two circles that are not concentric."""
    rng = np.random.default_rng(seed)
    roof = arc(rng.uniform(29, 33), rng.uniform(-50, -25), rng.uniform(25, 50), rng.uniform(-1.5, 1.5, 2))
    return roof, arc(26, -90, 110)


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_feet_are_the_nearest_places_of_the_head(seed):
    roof, head = eccentric(seed)
    found = measure_curves(roof, head, np.zeros(2))
    np.testing.assert_allclose(np.linalg.norm(found.foot_mm - found.roof_mm, axis=1), found.profile_mm, atol=1e-9)
    np.testing.assert_allclose(shapely.distance(LineString(head), shapely.points(found.foot_mm)), 0, atol=1e-9)
    at = round(found.place * (len(found.profile_mm) - 1))
    np.testing.assert_array_equal(
        [found.roof_mm[at], found.foot_mm[at]], [found.roof_witness_mm, found.head_witness_mm]
    )


def with_profile(profile_mm):
    whole = measure_curves(arc(31, -34, 30), arc(26, -90, 110), np.zeros(2))
    places = arc(31, -34, 30, count=len(profile_mm))
    return replace(whole, profile_mm=np.asarray(profile_mm, dtype=float), roof_mm=places, foot_mm=places)


@pytest.mark.parametrize("count", [2, 3, 4, 5, 101, 152, 153, 154])
def test_thirds_of_a_slope_are_exact_however_many_places_there_are(count):
    found = with_profile(np.linspace(1.0, 7.0, count))
    np.testing.assert_allclose(found.thirds_mm, [2.0, 4.0, 6.0], atol=1e-12)
    assert (found.lateral_mm, found.central_mm, found.medial_mm) == found.thirds_mm
    assert found.mean_mm == pytest.approx(4.0)
    assert found.median_mm == pytest.approx(4.0)
    assert found.p5_mm == pytest.approx(1.3)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(2, 200))
def test_thirds_are_the_integrals_of_the_profile(seed, count):
    found = with_profile(np.random.default_rng(seed).uniform(0, 6, count))
    share = np.linspace(0, 1, count)
    dense = np.interp(np.linspace(0, 1, 60_001), share, found.profile_mm)
    integrals = [np.trapezoid(dense[20_000 * n : 20_000 * (n + 1) + 1]) / 20_000 for n in range(3)]
    np.testing.assert_allclose(found.thirds_mm, integrals, atol=1e-4)
    assert np.mean(found.thirds_mm) == pytest.approx(np.trapezoid(found.profile_mm, share))


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.floats(-24, 24))
def test_width_at_an_angle_has_its_closed_form(seed, angle_deg):
    rng = np.random.default_rng(seed)
    radius, offset = rng.uniform(29, 33), rng.uniform(-1.5, 1.5, 2)
    found = measure_curves(arc(radius, -50, 50, offset), arc(26, -90, 110), np.zeros(2))
    up = np.array([-np.cos(np.deg2rad(angle_deg)), np.sin(np.deg2rad(angle_deg))])
    along = up @ offset  # the ray from the head's centre meets the roof's circle this far out
    out = along + np.sqrt(along**2 + radius**2 - offset @ offset)
    assert found.at_angle(angle_deg) == pytest.approx(out - 26, abs=3e-3)


def test_angles_beyond_the_sourcil_have_no_width():
    found = measure_curves(arc(31, -34, 30), arc(26, -80, 100), np.zeros(2))
    np.testing.assert_allclose(found.roof_deg[[0, -1]], [-34, 30], atol=1e-6)
    assert np.all(np.diff(found.roof_deg) > 0)
    assert [found.at_angle(angle) is None for angle in (-35, *FIXED_DEG[:1], 29.9, *FIXED_DEG[2:])] == [
        True, False, False, True]  # fmt: skip
    first, last = (found.at_angle(float(found.roof_deg[end])) for end in (0, -1))
    assert (first, last) == (found.profile_mm[0], found.profile_mm[-1])


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_regions_keep_the_profile_and_move_the_minimum(seed):
    roof, head = eccentric(seed)
    whole, part, thirds = (measure_curves(roof, head, np.zeros(2), region) for region in REGIONS)
    for other in (part, thirds):
        np.testing.assert_array_equal(other.profile_mm, whole.profile_mm)
        assert other.mjsw_mm >= whole.mjsw_mm
    within = np.abs(whole.roof_deg) <= 20
    assert part.mjsw_mm == whole.profile_mm[within].min()
    at = round(part.place * (len(whole.profile_mm) - 1))
    assert within[at]
    assert whole.profile_mm[at] == part.mjsw_mm == pytest.approx(
        np.linalg.norm(part.roof_witness_mm - part.head_witness_mm), abs=1e-9)  # fmt: skip
    assert thirds.mjsw_mm == min(whole.thirds_mm)
    assert thirds.place == pytest.approx((2 * np.argmin(whole.thirds_mm) + 1) / 6, abs=0.01)


def test_a_sourcil_beside_the_arc_has_no_width_there():
    roof, head = arc(31, 25, 60), arc(26, -80, 100)
    assert measure_curves(roof, head, np.zeros(2)).mjsw_mm == pytest.approx(5, abs=1e-3)
    assert "20 degrees" in measure_curves(roof, head, np.zeros(2), "arc40").reason


def test_another_region_is_refused():
    with pytest.raises(ValueError, match="sourcil, arc40, thirds, not 'whole'"):
        measure_curves(arc(31, -34, 30), arc(26, -80, 100), np.zeros(2), "whole")


def test_landmarks_are_measured_over_a_region_as_their_curves_are(circle_hip):
    marks = circle_hip(offset_mm=(0.6, -0.8)).landmarks()
    widths = [measure_landmarks(marks, region=region).mjsw_mm for region in REGIONS]
    assert len(set(widths)) == 3
    assert min(widths) == widths[0]
