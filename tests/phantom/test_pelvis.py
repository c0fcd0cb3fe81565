"""The 80 landmarks and the pelvis round the hip: curves, both halves, tilt and twist, simple outlines."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import shapely

from hipjsw.anatomy.landmarks import HipLandmarks, Region, Side
from hipjsw.phantom.pelvis import HalfPelvis, draw_pelvis
from hipjsw.phantom.population import draw_person
from hipjsw.phantom.shape import Hip

PERSONS = [draw_person(5, index) for index in range(60)]
HALVES = [person.hip(side, person.visits[0]) for person in PERSONS for side in Side]
#: Tilt, twist and arch at the ends of what `film.place` and `draw_pelvis` may give.
EXTREMES = [
    (0.0, 0.0, None),
    *((tilt, twist, arch) for tilt in (-1.3, 1.3) for twist in (-1.3, 1.3) for arch in (0.5, 1.75)),
]
#: Landmarks that belong to the femur and the sourcil, which no pose of the pelvis moves.
OF_THE_HIP = [*range(40), *range(70, 75)]
#: Points of the border of ischium and pubis that lie beside the symphysis.
SYMPHYSIS = slice(9, 12)


def posed(half: HalfPelvis, tilt: float, twist: float, arch: float | None = None) -> HalfPelvis:
    return HalfPelvis(replace(half.form, tilt=tilt, twist=twist, arch=arch or half.form.arch), half.hip)


@cache
def all_poses() -> list[HalfPelvis]:
    """Every person's hips, each in some of the poses; every pose often."""
    many = range(len(HALVES))
    return [posed(HALVES[n], *EXTREMES[(n + k) % len(EXTREMES)]) for n in many for k in (0, 4)]


def steps(half: HalfPelvis) -> np.ndarray:
    return np.linalg.norm(np.diff(half.landmarks[Region.FEMUR], axis=0), axis=1)


def test_longest_step_of_the_femur_tells_the_numbering() -> None:
    for half in HALVES:
        assert 15.0 <= steps(half).max() <= 21.0


def test_older_numbering_would_be_seen_by_its_longest_step() -> None:
    order = [*range(10), 73, 10, 74, 11, 75, 12, 76, 77, 13, 78, *range(14, 29)]
    for half in HALVES:
        wrong = np.linalg.norm(np.diff(half.landmarks[order], axis=0), axis=1)
        assert wrong.max() > 30.0


def test_landmarks_lie_on_their_curves() -> None:
    for half in all_poses()[::7]:
        parts = [
            (Region.FEMUR, half.hip.femur.sample(0.02)),
            (Region.TROCHANTER, half.trochanter_line.sample(0.02)),
            (Region.POSTERIOR_WALL, half.posterior_wall.sample(0.02)),
            (Region.ISCHIUM_PUBIS, half.ischium_pubis.sample(0.02)),
            (Region.FORAMEN, np.concatenate([half.foramen, half.foramen[:1]])),
            (slice(67, 71), half.outer_ilium.sample(0.02)),
            (Region.SOURCIL, half.hip.sourcil.sample(0.02)),
            (Region.TEARDROP, half.teardrop.sample(0.02)),
        ]
        assert sorted({n for part, _ in parts for n in range(80)[part]}) == list(range(80))
        for region, curve in parts:
            line = shapely.LineString(curve)
            assert shapely.distance(line, shapely.points(half.landmarks[region])).max() < 1e-3


def test_landmarks_of_the_drawn_outlines_lie_on_them() -> None:
    """What a film shows ends where the landmarks say: sourcil and ilium, tuberosity and pubis, foramen."""
    for half in all_poses()[::7]:
        outer, hole = (shapely.LinearRing(part) for part in half.pubic_ring)
        marks = shapely.points(half.landmarks)
        assert shapely.distance(shapely.LinearRing(half.ilium), marks[67:75]).max() < 0.02
        assert shapely.distance(outer, marks[46:50]).max() < 0.1  # the tuberosity
        assert shapely.distance(hole, marks[Region.FORAMEN]).max() < 0.5


def test_sourcil_landmarks_are_equally_far_apart() -> None:
    for half in HALVES:
        apart = np.linalg.norm(np.diff(half.landmarks[Region.SOURCIL], axis=0), axis=1)
        assert np.ptp(apart) < 0.2


def test_head_circle_is_near_the_head() -> None:
    for half in HALVES:
        centre, radius = HipLandmarks(half.landmarks, Side.RIGHT).head_circle()
        assert np.linalg.norm(centre) < 1.5
        assert radius == pytest.approx(half.hip.form.head_radius_mm, abs=1.0)


def test_points_67_to_69_go_up_the_ilium() -> None:
    for half in all_poses():
        assert (np.diff(half.landmarks[67:71, 0]) > 0).all()


def test_halves_of_one_form_are_mirror_images_up_to_their_twist() -> None:
    """Twist turns one half towards the film and the other away: the same number with the other sign."""
    for half in HALVES[::10]:
        one, other = posed(half, 0.4, 0.0), posed(half, 0.4, -0.0)
        np.testing.assert_array_equal(one.landmarks, other.landmarks)
        straight, right, left = posed(half, 0.0, 0.0), posed(half, 0.0, 0.6), posed(half, 0.0, -0.6)
        moved = right.ischium_pubis.points - straight.ischium_pubis.points
        mirrored = left.ischium_pubis.points - straight.ischium_pubis.points
        np.testing.assert_allclose(moved, -mirrored, atol=1e-9)


def test_twist_moves_the_symphysis_across_and_tilt_moves_it_down() -> None:
    for half in HALVES[::5]:
        straight = posed(half, 0.0, 0.0).ischium_pubis.points[SYMPHYSIS]
        for amount in (0.5, 1.3):
            across = posed(half, 0.0, amount).ischium_pubis.points[SYMPHYSIS] - straight
            assert (across[:, 1] > 5.0 * amount).all()
            assert np.abs(across[:, 0]).max() < 0.25 * across[:, 1].min()
            down = posed(half, amount, 0.0).ischium_pubis.points[SYMPHYSIS] - straight
            assert (down[:, 0] > 5.0 * amount).all()
            assert np.abs(down[:, 1]).max() < 0.25 * down[:, 0].min()


def test_no_pose_and_no_pelvis_moves_a_landmark_of_femur_or_sourcil() -> None:
    for number, half in enumerate(HALVES[::6]):
        other = draw_pelvis("FM"[number % 2], np.random.default_rng(number))
        fixed = half.landmarks[OF_THE_HIP]
        for tilt, twist, arch in EXTREMES:
            np.testing.assert_array_equal(posed(half, tilt, twist, arch).landmarks[OF_THE_HIP], fixed)
        np.testing.assert_array_equal(HalfPelvis(other, half.hip).landmarks[OF_THE_HIP], fixed)


def test_outlines_are_simple_polygons_in_every_pose() -> None:
    for half in all_poses():
        for outline in (half.ilium, half.foramen, half.anterior_wall, half.spine, half.pubic_ring[0]):
            assert shapely.Polygon(outline).is_valid
        assert len(half.pubic_ring) == 2
        assert shapely.Polygon(*half.pubic_ring[:1], half.pubic_ring[1:]).is_valid


def test_ilium_holds_the_sourcil_point_by_point() -> None:
    for half in HALVES[::10]:
        rows = {tuple(point) for point in half.ilium.round(9).tolist()}
        assert all(tuple(point) in rows for point in half.hip.sourcil.sample(0.1).round(9).tolist())


def test_foramen_is_the_hole_of_the_ring_in_every_pose() -> None:
    for half in all_poses():
        outer, hole = (shapely.Polygon(part) for part in half.pubic_ring)
        foramen = shapely.Polygon(half.foramen)
        assert outer.contains(foramen)
        assert outer.exterior.distance(foramen) > 2.0
        assert hole.intersection(foramen).area > 0.99 * hole.union(foramen).area


def test_roof_and_femur_lie_apart_along_the_joint() -> None:
    for half in all_poses()[::4]:
        ilium, femur = shapely.Polygon(half.ilium), shapely.Polygon(half.hip.femur.sample(0.2))
        assert ilium.intersection(femur).area < 0.05


def test_size_of_the_hip_is_the_size_of_the_pelvis() -> None:
    for half in HALVES[::12]:
        plain = replace(half.form, quirks=(0.0,) * 8)
        less = replace(plain, half_distance_mm=0.7 * plain.half_distance_mm)
        smaller = replace(half.hip.form, head_radius_mm=0.7 * half.hip.form.head_radius_mm)
        straight, small = HalfPelvis(plain, half.hip), HalfPelvis(less, Hip(smaller))
        ratio = shapely.Polygon(small.foramen).area / shapely.Polygon(straight.foramen).area
        assert ratio == pytest.approx(0.49, rel=0.06)
        assert small.scale == pytest.approx(0.7 * straight.scale)


def test_women_have_the_wider_arch_and_both_sexes_keep_within_their_bounds() -> None:
    arches = {}
    for sex in "FM":
        forms = [draw_pelvis(sex, np.random.default_rng(number)) for number in range(200)]
        arches[sex] = np.mean([form.arch for form in forms])
        assert all(0.5 <= form.arch <= 1.75 and 82 <= form.half_distance_mm <= 100 for form in forms)
        assert all(form.tilt == form.twist == 0 for form in forms)
        assert np.std([form.quirks for form in forms]) == pytest.approx(1.0, abs=0.1)
    assert arches["F"] > arches["M"] + 0.3


def test_wider_arch_opens_the_angle_under_the_symphysis() -> None:
    for half in HALVES[::10]:
        rows = [posed(half, 0.0, 0.0, arch).ischium_pubis.points[8:11, 0].mean() for arch in (0.6, 1.0, 1.6)]
        assert rows[0] > rows[1] > rows[2]
