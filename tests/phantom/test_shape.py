"""The hip's curves and their exact joint space."""

from dataclasses import replace

import numpy as np
import pytest
import shapely

from hipjsw.anatomy.curve import Curve
from hipjsw.anatomy.landmarks import HipLandmarks, Side
from hipjsw.phantom.population import draw_person
from hipjsw.phantom.shape import Hip, closest_approach

PERSONS = [draw_person(11, index) for index in range(40)]
HALVES = [person.hip(side, person.visits[-1]) for person in PERSONS for side in Side]


def test_truth_is_the_shortest_distance_shapely_finds() -> None:
    for half in HALVES:
        sourcil = shapely.LineString(half.hip.sourcil.sample(0.03))
        femur = shapely.LineString(half.hip.femur.sample(0.03))
        assert half.hip.mjsw_mm == pytest.approx(sourcil.distance(femur), abs=1e-3)


def test_witness_points_lie_apart_by_the_truth_and_on_their_curves() -> None:
    for half in HALVES[:20]:
        distance, on_sourcil, on_femur = half.hip.nearest
        assert np.linalg.norm(on_sourcil - on_femur) == pytest.approx(distance, abs=1e-3)
        assert shapely.LineString(half.hip.sourcil.sample(0.01)).distance(shapely.Point(on_sourcil)) < 1e-4
        assert shapely.LineString(half.hip.femur.sample(0.01)).distance(shapely.Point(on_femur)) < 1e-4


@pytest.mark.parametrize("gap", [0.0, 0.3, 1.7, 4.0])
def test_closest_approach_of_a_circle_and_a_line_is_the_analytic_one(gap: float) -> None:
    angle = np.deg2rad(np.arange(-80.0, 81.0))
    arc = Curve(np.column_stack([-10 * np.cos(angle), 10 * np.sin(angle)]))
    line = Curve(np.column_stack([np.full(40, -10.0 - gap), np.linspace(-9.0, 8.0, 40)]))
    assert closest_approach(line, arc)[0] == pytest.approx(gap, abs=1e-6)


def test_spline_through_the_five_sourcil_landmarks_keeps_the_minimum() -> None:
    errors = []
    for half in HALVES:
        marks = HipLandmarks(half.landmarks, Side.RIGHT)
        errors.append(closest_approach(marks.sourcil, marks.femur)[0] - half.hip.mjsw_mm)
    assert len(errors) >= 60
    assert np.mean(np.abs(errors)) <= 0.03
    assert abs(np.mean(errors)) <= 0.02


def test_roof_is_more_than_a_circle() -> None:
    spread = []
    for half in HALVES:
        angles = np.linspace(-half.hip.form.edge_deg, half.hip.form.medial_deg, 50)
        spread.append(np.ptp(half.hip.form.width_mm(angles)))
    assert np.median(spread) > 0.5


def test_width_reaches_its_minimum_and_never_less() -> None:
    for half in HALVES:
        form = half.hip.form
        width = form.width_mm(np.linspace(-form.edge_deg, form.medial_deg, 3000))
        assert width.min() == pytest.approx(form.min_width_mm, abs=1e-3)
        assert width.min() >= form.min_width_mm


def test_bone_on_bone_is_exactly_zero() -> None:
    for half in HALVES[:10]:
        assert Hip(replace(half.hip.form, min_width_mm=0.0)).mjsw_mm == 0.0


def test_curves_never_cross() -> None:
    for half in HALVES:
        hip = Hip(replace(half.hip.form, min_width_mm=0.01))
        sourcil = shapely.LineString(hip.sourcil.sample(0.05))
        assert not sourcil.intersects(shapely.LineString(hip.femur.sample(0.02)))
        assert shapely.LineString(hip.femur.sample(0.2)).is_simple


def test_head_is_the_polar_curve_where_the_roof_is() -> None:
    for half in HALVES[:10]:
        angles = np.deg2rad(np.linspace(-50.0, 60.0, 200))
        radius = half.hip.form.head_mm(np.rad2deg(angles))
        points = np.column_stack([-np.cos(angles) * radius, np.sin(angles) * radius])
        femur = shapely.LineString(half.hip.femur.sample(0.02))
        assert max(femur.distance(shapely.Point(point)) for point in points) < 1e-4
