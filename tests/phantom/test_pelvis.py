"""The 80 landmarks and the pelvis round the hip."""

import numpy as np
import pytest
import shapely

from hipjsw.anatomy.landmarks import HipLandmarks, Region, Side
from hipjsw.phantom.pelvis import HalfPelvis
from hipjsw.phantom.population import draw_person

HALVES = [p.hip(s, p.visits[0]) for p in (draw_person(5, index) for index in range(40)) for s in Side]


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
    for half in HALVES[:10]:
        parts = [
            (Region.FEMUR, half.hip.femur.sample(0.02)),
            (Region.SOURCIL, half.hip.sourcil.sample(0.02)),
            (slice(67, 71), half.outer_ilium.sample(0.02)),
            (Region.POSTERIOR_WALL, half.posterior_wall.sample(0.02)),
            (slice(44, 60), half.ischium_pubis.sample(0.02)),
            (Region.FORAMEN, np.concatenate([half.foramen, half.foramen[:1]])),
            (Region.TEARDROP, half.teardrop.sample(0.02)),
        ]
        for region, curve in parts:
            line = shapely.LineString(curve)
            assert max(line.distance(shapely.Point(point)) for point in half.landmarks[region]) < 1e-3


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
    for half in HALVES:
        rows = half.landmarks[67:71, 0]
        assert (np.diff(rows) > 0).all()


def test_outlines_are_simple_polygons_and_bones_lie_apart_along_the_roof() -> None:
    for half in HALVES:
        for outline in (half.ilium, half.pubic_ring, half.foramen, half.anterior_wall):
            assert shapely.Polygon(outline).is_valid
        ilium, femur = shapely.Polygon(half.ilium), shapely.Polygon(half.hip.femur.sample(0.2))
        assert ilium.intersection(femur).area < 0.05
