"""The hip's curves: exact joint space, anatomy, roughness."""

from dataclasses import replace

import numpy as np
import pytest
import shapely

from hipjsw.anatomy.curve import Curve
from hipjsw.anatomy.landmarks import HipLandmarks, Region, Side
from hipjsw.phantom.form import Dip
from hipjsw.phantom.population import draw_person
from hipjsw.phantom.shape import Hip, closest_approach

PERSONS = [draw_person(11, index) for index in range(250)]
HIPS = [Hip(person.form(side, person.visits[-1])) for person in PERSONS for side in Side]
ARTHRITIC = [Hip(p.form(s, p.visits[-1])) for p in PERSONS for s in Side if p.disease[s].osteoarthritis]


def landmarks(hip: Hip) -> HipLandmarks:
    points = np.zeros((80, 2))
    points[Region.FEMUR], points[Region.SOURCIL] = hip.femur_points, hip.sourcil_points
    return HipLandmarks(points, Side.RIGHT)


def polar(angle_deg: np.ndarray, radius: np.ndarray) -> np.ndarray:
    angle = np.deg2rad(angle_deg)
    return np.column_stack([-np.cos(angle) * radius, np.sin(angle) * radius])


def evenly(curve: Curve, count: int) -> np.ndarray:
    return curve.at(np.linspace(0.0, curve.knots[-1], count))


def test_truth_is_the_shortest_distance_brute_force_finds_to_the_whole_femur() -> None:
    assert len(HIPS) == 500
    for hip in HIPS:
        femur = shapely.LineString(evenly(hip.femur, 20_000))
        shapely.prepare(femur)
        sourcil = shapely.LineString(evenly(hip.sourcil, 5_000))
        assert shapely.dwithin(femur, sourcil, hip.mjsw_mm + 1e-3)
        assert hip.mjsw_mm <= 1e-3 or not shapely.dwithin(femur, sourcil, hip.mjsw_mm - 1e-3)


def test_witness_points_lie_apart_by_the_truth_and_on_their_curves() -> None:
    for hip in HIPS[:20]:
        distance, on_sourcil, on_femur = hip.nearest
        assert np.linalg.norm(on_sourcil - on_femur) == pytest.approx(distance, abs=1e-3)
        assert shapely.LineString(hip.sourcil.sample(0.01)).distance(shapely.Point(on_sourcil)) < 1e-4
        assert shapely.LineString(hip.femur.sample(0.01)).distance(shapely.Point(on_femur)) < 1e-4


@pytest.mark.parametrize("gap", [0.0, 0.3, 1.7, 4.0])
def test_closest_approach_of_a_circle_and_a_line_is_the_analytic_one(gap: float) -> None:
    angle = np.arange(-80.0, 81.0)
    arc = Curve(polar(angle, np.full(len(angle), 10.0)))
    line = Curve(np.column_stack([np.full(40, -10.0 - gap), np.linspace(-9.0, 8.0, 40)]))
    assert closest_approach(line, arc)[0] == pytest.approx(gap, abs=1e-6)


def test_closest_approach_keeps_to_the_span() -> None:
    line = Curve(np.column_stack([np.zeros(9), np.arange(9.0)]))
    slope = Curve(np.column_stack([np.linspace(1.0, 5.0, 9), np.arange(9.0)]))
    half = float(slope.knots[4])
    assert closest_approach(line, slope)[0] == pytest.approx(1.0, abs=1e-6)
    assert closest_approach(line, slope, span=(half, 2 * half))[0] == pytest.approx(3.0, abs=1e-6)


def test_splines_through_the_exact_landmarks_keep_the_minimum() -> None:
    errors = []
    for hip in HIPS:
        marks = landmarks(hip)
        femur = marks.femur
        span = float(femur.knots[Region.HEAD.start]), float(femur.knots[Region.HEAD.stop - 1])
        errors.append(closest_approach(marks.sourcil, femur, 0.1, span)[0] - hip.mjsw_mm)
    assert np.mean(np.abs(errors)) <= 0.03
    assert abs(np.mean(errors)) <= 0.02


def test_width_reaches_its_minimum_and_never_less() -> None:
    for hip in HIPS[:80]:
        form = hip.form
        width = form.width_mm(np.linspace(-form.edge_deg, form.medial_deg, 3000))
        assert width.min() == pytest.approx(form.min_width_mm, abs=1e-3)
        assert width.min() >= form.min_width_mm


def test_bone_on_bone_is_exactly_zero() -> None:
    for hip in HIPS[:60]:
        assert Hip(replace(hip.form, min_width_mm=0.0)).mjsw_mm == 0.0


def test_curves_never_cross() -> None:
    for hip in HIPS[:120]:
        close = Hip(replace(hip.form, min_width_mm=0.01))
        sourcil = shapely.LineString(close.sourcil.sample(0.05))
        assert not sourcil.intersects(shapely.LineString(close.femur.sample(0.05)))


def test_femur_does_not_cross_itself() -> None:
    for hip in HIPS:
        assert shapely.LineString(hip.femur.sample(0.4)).is_simple


def test_head_is_the_polar_curve_where_the_roof_is() -> None:
    for hip in HIPS[:20]:
        angles = np.linspace(-hip.form.edge_deg - 5.0, 60.0, 200)
        femur = shapely.LineString(hip.femur.sample(0.02))
        shapely.prepare(femur)
        assert shapely.distance(femur, shapely.points(polar(angles, hip.form.head_mm(angles)))).max() < 1e-4


def test_bone_is_rough_but_only_by_fractions_of_a_tenth_of_a_millimetre() -> None:
    rough = []
    for hip in HIPS:
        form = hip.form
        angles = np.linspace(-form.edge_deg, form.medial_deg, 400)
        grain = form.head_mm(angles) - replace(form, head_grain=()).head_mm(angles)
        smooth = replace(form, head_grain=(), roof_grain=())
        roof = (form.head_mm(angles) + form.width_mm(angles)) - (smooth.head_mm(angles) + smooth.width_mm(angles))
        rough.append((grain.std(), roof.std(), np.abs(grain).max()))
    head, roof, top = np.array(rough).T
    assert 0.008 < np.median(head) < 0.03
    assert 0.008 < np.median(roof) < 0.03
    assert top.max() < 0.1


def test_curvature_of_head_and_roof_is_not_that_of_circles() -> None:
    spread = []
    for hip in HIPS[:60]:
        for line in (hip.sourcil.sample(0.2), hip.femur.at(np.linspace(*hip.head_span, 500))):
            along = np.gradient(line, axis=0)
            turn = np.unwrap(np.arctan2(along[:, 1], along[:, 0]))
            curvature = np.gradient(turn) / np.linalg.norm(along, axis=1)
            spread.append(curvature[3:-3].std())
    assert np.median(spread) > 0.003
    assert min(spread) > 0.0005


def test_roofs_now_and_then_have_a_local_dip() -> None:
    assert 0.12 < np.mean([len(hip.form.roof_dips) > 0 for hip in HIPS]) < 0.32


def test_a_dip_widens_the_joint_there_and_nowhere_else() -> None:
    plain = replace(HIPS[0].form, roof_dips=())
    dipped = replace(plain, roof_dips=(Dip(0.0, 0.4, 4.0),))
    angles = np.array([0.0, plain.medial_deg])
    change = dipped.width_mm(angles) - plain.width_mm(angles)
    assert change[0] - change[1] == pytest.approx(0.4, abs=1e-6)


def test_turning_the_leg_changes_the_femur_and_never_the_joint_space() -> None:
    for hip in HIPS[:40]:
        inwards, outwards = (Hip(replace(hip.form, rotation_deg=angle)) for angle in (-20.0, 12.0))
        assert inwards.mjsw_mm == pytest.approx(outwards.mjsw_mm, abs=1e-6)
        np.testing.assert_allclose(inwards.sourcil.points, outwards.sourcil.points, atol=1e-9)
        longer = abs(hip.form.anteversion_deg - 20.0) < abs(hip.form.anteversion_deg + 12.0)
        assert (np.hypot(*inwards.form.neck) > np.hypot(*outwards.form.neck)) == longer
        assert lesser_height(outwards) > lesser_height(inwards)


def lesser_height(hip: Hip) -> float:
    """How far the lesser trochanter stands out of the femur drawn without it."""
    without = shapely.Polygon(Hip(replace(hip.form, lesser=0.0)).femur.sample(0.3))
    return max(without.distance(shapely.Point(point)) for point in hip.femur_points[30:34])


def test_proportions_of_the_femur_are_those_of_adults() -> None:
    neck, shaft, tip, lesser, down = [], [], [], [], []
    for hip in HIPS[:200]:
        radius, points = hip.form.head_radius_mm, hip.femur_points
        along = hip.femur.knots[-1] * np.linspace(0.0, 1.0, 1500)
        outline = hip.femur.at(along)
        low = -float(outline[0, 0]) / radius, -float(outline[-1, 0]) / radius
        down.append(-max(low))
        level = shapely.LineString(points[[33, 33]] - ((0.0, 100.0), (0.0, 1.0)))
        lateral = np.array(shapely.LineString(outline).intersection(level).centroid.coords[0])
        shaft.append(np.linalg.norm(points[33] - lateral) * np.cos(np.deg2rad(hip.form.shaft_tilt_deg)) / (2 * radius))
        upper = shapely.LineString(hip.femur.at(along)[between(hip, along, points[8], points[18])])
        lower = shapely.LineString(hip.femur.at(along)[between(hip, along, points[27], points[32])])
        neck.append(upper.distance(lower) / (2 * radius))
        tip.append(points[8, 0] / radius)
        lesser.append(points[32, 0] / radius)
    assert min(down) >= 6.5
    assert 0.58 < np.median(shaft) < 0.64
    assert min(shaft) > 0.53
    assert 0.62 < np.median(neck) < 0.70
    assert 0.54 < min(neck) < max(neck) < 0.80
    assert abs(np.median(tip)) < 0.3
    assert 1.9 < np.median(lesser) < 2.3


def between(hip: Hip, along: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    outline = hip.femur.at(along)
    first, last = (int(np.argmin(np.linalg.norm(outline - point, axis=1))) for point in (start, end))
    return np.arange(first, last + 1)


def test_longest_step_of_the_femurs_landmarks_is_bonefinders() -> None:
    for hip in HIPS:
        assert 15.0 <= np.linalg.norm(np.diff(hip.femur_points, axis=0), axis=1).max() <= 21.0


def test_landmarks_lie_on_their_curves() -> None:
    for hip in HIPS[:20]:
        for curve, points in ((hip.femur, hip.femur_points), (hip.sourcil, hip.sourcil_points)):
            line = shapely.LineString(curve.sample(0.02))
            assert shapely.distance(line, shapely.points(points)).max() < 1e-3


def test_osteophytes_keep_out_of_the_joint_space_of_the_sourcil() -> None:
    seen = 0
    for hip in ARTHRITIC:
        form = hip.form
        angles = np.linspace(form.medial_deg, -form.edge_deg, 300)
        space = np.concatenate([hip.sourcil.sample(0.1), polar(angles, form.head_mm(angles) + 1e-6)])
        for outline in hip.osteophytes:
            seen += 1
            polygon = shapely.Polygon(outline)
            assert polygon.is_valid
            assert polygon.area > 0.5
            assert polygon.intersection(shapely.Polygon(space).buffer(0)).area < 0.02
    assert seen > 60


def test_cysts_lie_in_bone_beside_the_joint_space() -> None:
    seen = 0
    for hip in ARTHRITIC:
        joint = shapely.LineString(hip.sourcil.sample(0.1))
        femur = shapely.Polygon(hip.femur.sample(0.3))
        for row, col, radius in hip.form.cysts:
            seen += 1
            disc = shapely.Point(row, col).buffer(radius)
            assert femur.contains(disc) or (not femur.intersects(disc) and joint.distance(disc) > 0.3)
    assert seen > 10


def test_marks_of_disease_are_within_their_ranges() -> None:
    for hip in HIPS:
        assert 0.0 <= hip.form.sclerosis <= 1.0
        assert hip.form.lip_mm >= 0.0
    healthy = [p.hips[s] for p in PERSONS for s in Side if not p.disease[s].osteoarthritis]
    assert all(not form.cysts and form.collar_mm == (0.0, 0.0) and form.flattening.depth_mm == 0 for form in healthy)
