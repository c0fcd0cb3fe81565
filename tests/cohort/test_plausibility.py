"""What no hip's points can be: each rule by points spoilt for it, and no false alarm on phantom hips."""

from dataclasses import replace

import numpy as np
import pytest

from hipjsw.anatomy.landmarks import HipLandmarks, Region, Side, split_sides
from hipjsw.cohort.plausibility import hip_faults, pair_faults
from hipjsw.cohort.rules import RULES
from hipjsw.imaging.spacing import PixelSpacing, SpacingSource
from hipjsw.phantom.film import place
from hipjsw.phantom.planting import Plant
from hipjsw.phantom.points import fit_errors_mm, in_older_numbering
from hipjsw.phantom.population import draw_person

SPACING = PixelSpacing(0.2, 0.2, SpacingSource.PIXEL)
SHAPE = (1800, 2200)


def film(index, look="realistic", plant=None):
    person = draw_person(8, index)
    return place(8, person, person.visits[0], look, plant)


def both(points, sides=tuple(Side)):
    return {side: HipLandmarks(hip, side) for side, hip in zip(sides, np.split(points, 2), strict=True)}


def faults(hip, side=Side.RIGHT, shape=SHAPE):
    found = hip_faults(HipLandmarks(hip, side), shape, SPACING)
    assert all(rule in RULES and any(c.isdigit() for c in message) for rule, message in found)
    return [rule for rule, _ in found]


@pytest.fixture
def hip():
    """The right hip of a phantom in mm, with errors."""
    one = film(3)
    return (one.points_mm + fit_errors_mm(one.points_mm, one.visibility, np.random.default_rng(0)))[:80]


@pytest.mark.parametrize("look", ["realistic", "wide"])
def test_no_false_alarm_on_phantom_hips(look):
    for index in range(40):
        one = film(index, look)
        kind = one.placement.format
        errors = fit_errors_mm(one.points_mm, one.visibility, np.random.default_rng(index))
        for points in (one.points_mm, one.points_mm + errors):
            hips = both(points)
            assert [hip_faults(h, kind.shape, kind.spacing) for h in hips.values()] == [[], []]
            assert pair_faults(hips) == []


def test_faults_do_not_depend_on_resolution_and_mirror_with_the_film(hip):
    fine = PixelSpacing(0.1, 0.1, SpacingSource.PIXEL)
    assert hip_faults(HipLandmarks(hip, Side.RIGHT), (3600, 4400), fine) == []
    width_mm = (SHAPE[1] - 1) * SPACING.col_mm
    mirrored = hip * (1, -1) + (0, width_mm)
    assert faults(mirrored, Side.LEFT) == []
    assert faults(mirrored, Side.RIGHT) == faults(hip, Side.LEFT) == ["sides_swapped"]


def test_bones_that_touch_and_slightly_overlap_pass(hip):
    centre, radius = HipLandmarks(hip, Side.RIGHT).head_circle()
    away = np.linalg.norm(hip[70:75] - centre, axis=1) - radius
    for overlap_mm in (0.0, 2.0, 4.0):
        touching = hip.copy()
        down = (centre - hip[72]) / np.linalg.norm(centre - hip[72])
        touching[Region.ROOF] += (away.min() + overlap_mm) * down
        assert faults(touching) == []
    touching[Region.ROOF] += 8.0 * down
    assert faults(touching) == ["crossing_curves"]


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_head_of_no_adults_size(hip, factor):
    centre = hip.mean(axis=0)
    assert "head_radius" in faults((hip - centre) * factor + centre)


def test_a_head_that_is_no_circle_or_has_no_radius(hip):
    bent = hip.copy()
    bent[22] += (bent[22] - hip[18:28].mean(axis=0)) * 0.9
    assert "head_radius" in faults(bent)
    assert "head_radius" in faults(np.zeros((80, 2)))
    flat = hip.copy()
    flat[18:28] = np.column_stack([np.full(10, 100.0), np.arange(10.0)])
    assert "head_radius" in faults(flat)


def test_points_in_another_order(hip):
    assert "step_length" in faults(in_older_numbering(hip))
    jumped = hip.copy()
    jumped[5, 0] -= 75.0
    assert "step_length" in faults(jumped)
    jumped = hip.copy()
    jumped[67] -= (50.0, 0.0)
    assert faults(jumped) == ["step_length"]


def test_two_points_that_are_one(hip):
    hip[31] = hip[30]
    found = hip_faults(HipLandmarks(hip, Side.RIGHT), SHAPE, SPACING)
    assert [rule for rule, _ in found] == ["step_length"]
    assert "30 and 31" in found[0][1]


def test_an_outline_that_crosses_itself(hip):
    for first, second in ((30, 31), (8, 9)):
        crossed = hip.copy()
        crossed[[first, second]] = hip[[second, first]]
        assert faults(crossed) == ["crossing_curves"]
    crossed = hip.copy()
    crossed[[71, 73]] = hip[[73, 71]]
    assert faults(crossed) == ["crossing_curves"]


def test_a_roof_beside_below_or_far_above_the_head(hip):
    low = hip.copy()
    low[Region.ROOF] += (60.0, 0.0)
    assert faults(low) == ["crossing_curves"]
    high = hip.copy()
    high[Region.ROOF] -= (45.0, 0.0)
    assert faults(high) == ["misplaced"]


@pytest.mark.parametrize("shift", [(-300.0, 0.0), (0.0, -300.0), (400.0, 0.0), (0.0, 500.0)])
def test_a_joint_outside_the_film(hip, shift):
    assert faults(hip + shift) == ["outside_film"]


def test_only_the_joint_must_be_on_the_film(hip):
    row_px = SPACING.to_px(hip)[:, 0]
    joint = np.r_[Region.HEAD, Region.SOURCIL]
    enough = int(np.ceil(row_px[joint].max() + 0.5))
    assert row_px[:35].max() > enough
    assert faults(hip, shape=(enough, SHAPE[1])) == []
    assert faults(hip, shape=(enough - 2, SHAPE[1])) == ["outside_film"]


def test_what_planted_films_show():
    small = [film(index, plant=Plant.CHILD) for index in range(12)]
    rules = [rule for one in small for h in both(one.points_mm).values() for rule, _ in hip_faults(h, SHAPE, SPACING)]
    assert set(rules) == {"head_radius"}
    single = film(2, plant=Plant.SINGLE_HIP)
    kind, kept = single.placement.format, next(iter(single.planted))
    for side, h in both(single.points_mm).items():
        assert [rule for rule, _ in hip_faults(h, kind.shape, kind.spacing)] == (
            [] if side is kept else ["outside_film"]
        )


def rules_of_pair(hips):
    return [rule for rule, _ in pair_faults(hips)]


def test_pairs():
    hips = both(film(5).points_mm)
    right, left = hips[Side.RIGHT], hips[Side.LEFT]
    assert rules_of_pair({}) == rules_of_pair({Side.LEFT: left}) == []
    assert rules_of_pair({Side.RIGHT: left, Side.LEFT: right}) == ["sides_swapped"]
    assert rules_of_pair({Side.RIGHT: right, Side.LEFT: right}) == ["misplaced"]
    centre = left.head_circle()[0]
    assert rules_of_pair(hips | {Side.LEFT: replace(left, points=(left.points - centre) * 1.4 + centre)}) == [
        "head_radius"
    ]
    assert rules_of_pair(hips | {Side.LEFT: replace(left, points=left.points + np.array([90.0, 0.0]))}) == ["misplaced"]
    assert rules_of_pair(hips | {Side.LEFT: replace(left, points=np.zeros((80, 2)))}) == []


@pytest.mark.parametrize("look", ["realistic", "wide"])
def test_a_hip_bent_and_turned_out_is_told_from_a_straight_one(look):
    for index in range(12):
        person = draw_person(31, index)
        for plant in (None, Plant.FROG_LEG):
            film = place(31, person, person.visits[0], look, plant)
            for hip in split_sides(film.points_mm).values():
                rules = {rule for rule, _ in hip_faults(hip, film.raster.shape, film.placement.format.spacing)}
                assert rules == (set() if plant is None else {"pose"})
