"""The width against closed forms, shapely and the laws of geometry."""

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import LineString, Point

from hipjsw.anatomy.landmarks import HipLandmarks, Side, split_sides
from hipjsw.jsw.polyline import nearest_on_polyline
from hipjsw.jsw.profile import JointSpaceWidth, Unmeasurable, measure_curves, measure_landmarks
from hipjsw.phantom.film import place
from hipjsw.phantom.population import draw_person

FACTORY = [HealthCheck.function_scoped_fixture]  # circle_hip is a class: nothing to reset

forms = st.fixed_dictionaries(
    {
        "radius_mm": st.floats(22, 30),
        "roof_radius_mm": st.floats(31, 36),
        "offset_mm": st.tuples(st.floats(-0.9, 0.9), st.floats(-0.9, 0.9)),
        "lateral_deg": st.floats(-45, -20),
        "medial_deg": st.floats(20, 45),
    }
)


def arc(radius, first_deg, last_deg, centre=(0.0, 0.0), count=600):
    angle = np.deg2rad(np.linspace(first_deg, last_deg, count))
    return np.asarray(centre) + radius * np.column_stack([-np.cos(angle), np.sin(angle)])


def wiggly(seed, count=30, length=60.0):
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.normal(0, 1.5, count), np.linspace(0, length, count)])


# Closed forms


@settings(max_examples=25, deadline=None)
@given(st.floats(20, 32), st.floats(0.1, 8))
def test_concentric_circles_are_as_far_apart_everywhere(radius, width):
    result = measure_curves(arc(radius + width, -34, 30), arc(radius, -70, 100), np.zeros(2))
    assert result.mjsw_mm == pytest.approx(width, abs=2e-4)
    np.testing.assert_allclose(result.profile_mm, width, atol=2e-4)


@settings(max_examples=25, deadline=None)
@given(st.floats(20, 30), st.floats(2, 6), st.floats(-1.5, 1.5), st.floats(-1.5, 1.5))
def test_eccentric_circles_have_their_closed_form(radius, width, down, aside):
    roof = arc(radius + width, -34, 30, (down, aside))
    result = measure_curves(roof, arc(radius, -90, 90), np.zeros(2))
    exact = np.linalg.norm(roof, axis=1) - radius
    assert result.mjsw_mm == pytest.approx(exact.min(), abs=3e-4)
    assert result.profile_mm.max() == pytest.approx(exact.max(), abs=3e-4)
    angle = np.rad2deg(np.arctan2(roof[exact.argmin(), 1] - aside, down - roof[exact.argmin(), 0]))
    # The place of the minimum is flat: judge it by the width there.
    at = -34 + result.place * 64
    there = np.linalg.norm(arc(radius + width, at, at, (down, aside), 1)[0]) - radius
    assert there == pytest.approx(exact.min(), abs=3e-4), angle


@settings(max_examples=25, deadline=None, suppress_health_check=FACTORY)
@given(forms)
def test_landmarks_of_circles_give_the_closed_form(circle_hip, form):
    hip = circle_hip(**form)
    result = measure_landmarks(hip.landmarks())
    # The splines through 5 and 10 landmarks are what is left of the error.
    assert result.mjsw_mm == pytest.approx(hip.mjsw_mm, abs=0.04)


def test_landmarks_of_circles_are_right_on_the_whole(circle_hip):
    errors = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        width = rng.uniform(0.5, 7)
        radius = rng.uniform(23, 30)
        hip = circle_hip(radius, radius + width, tuple(rng.uniform(-0.3, 0.3, 2) * width))
        errors.append(measure_landmarks(hip.landmarks()).mjsw_mm - hip.mjsw_mm)
    assert np.abs(errors).mean() < 0.01


# Another library's answer


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(2, 20))
def test_shortest_distance_is_shapelys(seed, apart):
    roof, head = wiggly(seed), wiggly(seed + 1) + np.array([apart, 3.0])
    result = measure_curves(roof, head, np.array([1000.0, 30.0]))
    line = LineString(head)
    inside = np.linalg.norm(result.roof_mm - [1000, 30], axis=1) < np.linalg.norm(
        nearest_on_polyline(result.roof_mm, head)[1] - [1000, 30], axis=1
    )
    oracle = np.where(inside, 0.0, shapely.distance(shapely.points(result.roof_mm), line))
    np.testing.assert_allclose(result.profile_mm, oracle, atol=1e-9)
    if not inside.any():
        assert result.mjsw_mm == pytest.approx(LineString(roof).distance(line), abs=0.1)
        assert result.mjsw_mm >= LineString(roof).distance(line) - 1e-9


# Laws


@settings(max_examples=25, deadline=None)
@given(st.floats(0.05, 3.0))
def test_a_joint_thinned_by_x_is_narrower_by_x(thinner):
    head = arc(26, -80, 100)
    before = measure_curves(arc(31, -34, 30, (0.4, 0.7)), head, np.zeros(2))
    towards = before.roof_mm / np.linalg.norm(before.roof_mm, axis=1, keepdims=True)
    after = measure_curves(before.roof_mm - thinner * towards, head, np.zeros(2))
    assert before.mjsw_mm - after.mjsw_mm == pytest.approx(thinner, abs=5e-4)


@settings(max_examples=25, deadline=None, suppress_health_check=FACTORY)
@given(forms, st.floats(-3.2, 3.2), st.floats(-500, 500), st.floats(-500, 500), st.booleans())
def test_rigid_motions_and_mirrors_change_nothing_but_the_places(circle_hip, form, turn, down, right, mirrored):
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = matrix @ np.diag([1.0, -1.0 if mirrored else 1.0])
    still = circle_hip(**form).landmarks()
    moved = HipLandmarks(still.points @ matrix.T + np.array([down, right]), Side.LEFT)
    one, other = measure_landmarks(still), measure_landmarks(moved)
    assert other.mjsw_mm == pytest.approx(one.mjsw_mm, abs=1e-7)
    np.testing.assert_allclose(other.profile_mm, one.profile_mm, atol=1e-6)
    witness = one.roof_witness_mm @ matrix.T + np.array([down, right])
    if one.place == other.place:
        np.testing.assert_allclose(other.roof_witness_mm, witness, atol=1e-6)


@settings(max_examples=30, deadline=None, suppress_health_check=FACTORY)
@given(forms)
def test_the_parts_of_a_result_agree(circle_hip, form):
    result = measure_landmarks(circle_hip(**form).landmarks())
    assert isinstance(result, JointSpaceWidth)
    assert result.mjsw_mm == result.profile_mm.min() > 0
    assert len(result.profile_mm) == len(result.roof_mm)
    assert 0 <= result.place <= 1
    apart = np.linalg.norm(result.roof_witness_mm - result.head_witness_mm)
    assert apart == pytest.approx(result.mjsw_mm, abs=1e-9)
    assert Point(result.head_witness_mm).distance(LineString(result.head_mm)) < 1e-9
    steps = np.linalg.norm(np.diff(result.roof_mm, axis=0), axis=1)
    assert steps.max() <= 0.2 + 1e-9
    assert steps.max() - steps.min() < 1e-3
    marks = circle_hip(**form).landmarks()
    np.testing.assert_allclose(result.roof_mm[[0, -1]], marks.points[[70, 74]], atol=1e-9)


def test_a_finer_step_changes_next_to_nothing(circle_hip):
    marks = circle_hip(offset_mm=(0.6, -0.8)).landmarks()
    assert measure_landmarks(marks, 0.02).mjsw_mm == pytest.approx(measure_landmarks(marks).mjsw_mm, abs=2e-4)


# Bone on bone, and no width


@pytest.mark.parametrize(("roof", "expected"), [(24.0, 1.0), (26.0, None), (28.0, 0.0)])
def test_bone_on_bone_is_zero_and_stays_so_the_deeper_it_goes(roof, expected):
    result = measure_curves(arc(roof, -34, 30), arc(26, -80, 100), np.zeros(2))
    zero = (result.profile_mm == 0).mean()
    if expected is None:
        assert result.mjsw_mm == pytest.approx(0, abs=1e-3)
    else:
        assert zero == expected
        assert result.mjsw_mm == pytest.approx(max(roof - 26, 0.0), abs=1e-3)


def test_a_roof_that_dips_into_the_head_is_zero_only_there():
    result = measure_curves(arc(27, -34, 30, (0.0, -3.0)), arc(26, -80, 100), np.zeros(2))
    assert result.mjsw_mm == 0
    assert 0 < (result.profile_mm == 0).mean() < 1


@pytest.mark.parametrize(
    ("roof", "head", "what"),
    [
        (arc(31, 0, 5), arc(26, -80, 100), "sourcil"),
        (arc(31, -34, 30), arc(26, 0, 8), "head margin"),
        (np.zeros((0, 2)), arc(26, -80, 100), "sourcil"),
        (arc(31, -34, 30), np.zeros((1, 2)), "head margin"),
        (np.tile([[-31.0, 0.0]], (50, 1)), arc(26, -80, 100), "sourcil"),
    ],
)
def test_a_curve_too_short_has_no_width_but_a_reason(roof, head, what):
    result = measure_curves(roof, head, np.zeros(2))
    assert isinstance(result, Unmeasurable)
    assert what in result.reason
    assert not hasattr(result, "mjsw_mm")


@pytest.mark.parametrize("which", ["roof", "head", "centre"])
def test_curves_that_are_no_numbers_have_no_width(which):
    curves = {"roof": arc(31, -34, 30), "head": arc(26, -80, 100), "centre": np.zeros(2)}
    curves[which][-1] = np.nan
    assert "not finite" in measure_curves(curves["roof"], curves["head"], curves["centre"]).reason


def test_the_labels_own_width_is_the_phantoms_to_three_hundredths_of_a_millimetre():
    # Seen over 574 hips of all film formats: MAE 0.023 (OAI 0.022, CHECK 0.023 and 0.026), bias +0.005.
    errors = []
    for index in range(16):
        person = draw_person(11, index)
        film = place(11, person, person.visits[-1])
        for side, hip in split_sides(film.points_mm).items():
            errors.append(measure_landmarks(hip).mjsw_mm - film.halves[side].hip.mjsw_mm)
    assert np.abs(errors).mean() < 0.03
    assert abs(np.mean(errors)) < 0.015
