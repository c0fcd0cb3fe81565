"""Placement: a rigid map of the pelvis onto the film, and its way back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipjsw.anatomy.landmarks import Side
from hipjsw.phantom.placement import FORMATS, Placement, draw_placement

POINTS = np.random.default_rng(0).uniform(-90, 90, (40, 2))


def placements() -> st.SearchStrategy[Placement]:
    return st.builds(
        Placement,
        st.sampled_from(list(FORMATS.values())),
        st.tuples(st.floats(80, 250), st.floats(100, 250)),
        st.floats(-6, 6),
        st.floats(50, 110),
        st.sampled_from([0.0, -48.0, 20.0]),
    )


@settings(max_examples=60, deadline=None)
@given(placements(), st.sampled_from(list(Side)))
def test_laying_a_hip_down_changes_no_distance(placement: Placement, side: Side) -> None:
    lengths = [
        np.linalg.norm(points[:, None] - points[None], axis=2) for points in (POINTS, placement.hip_to_mm(POINTS, side))
    ]
    np.testing.assert_allclose(*lengths, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(placements(), st.sampled_from(list(Side)))
def test_frame_of_a_hip_is_the_way_back(placement: Placement, side: Side) -> None:
    on_film = placement.hip_to_mm(POINTS, side).astype(np.float32)
    row, col = placement.hip_frame(side)(on_film[:, :1], on_film[:, 1:])
    np.testing.assert_allclose(np.column_stack([row, col]), POINTS, atol=2e-4)


@settings(max_examples=30, deadline=None)
@given(placements())
def test_heads_lie_their_distance_apart_round_the_centre_and_medial_is_inwards(placement: Placement) -> None:
    heads = [placement.hip_to_mm(np.zeros((1, 2)), side)[0] for side in Side]
    assert np.linalg.norm(heads[1] - heads[0]) == pytest.approx(2 * placement.half_distance_mm)
    np.testing.assert_allclose(np.mean(heads, axis=0), placement.centre_mm, atol=1e-9)
    assert heads[0][1] < heads[1][1]  # the right hip is at the left of the film
    straight = replace(placement, leg_turn_deg=0.0)
    for side in Side:
        inner = straight.hip_to_mm(np.array([[0.0, placement.half_distance_mm]]), side)[0]
        np.testing.assert_allclose(inner, placement.centre_mm, atol=1e-9)


def test_positive_turn_lowers_the_left_side() -> None:
    placement = Placement(FORMATS["OAI"], (150.0, 190.0), 3.0, 90.0)
    right, left = (placement.hip_to_mm(np.zeros((1, 2)), side)[0] for side in Side)
    assert left[0] - right[0] == pytest.approx(2 * 90.0 * np.sin(np.deg2rad(3.0)))


@pytest.mark.parametrize("side", list(Side))
def test_leg_turns_about_the_head_with_the_knee_outwards(side: Side) -> None:
    placement = Placement(FORMATS["OAI"], (150.0, 190.0), 2.0, 90.0)
    leg = replace(placement, leg_turn_deg=-48.0)
    head, turned_head = (p.hip_to_mm(np.zeros((1, 2)), side)[0] for p in (placement, leg))
    np.testing.assert_array_equal(head, turned_head)
    knee, turned = (p.hip_to_mm(np.array([[150.0, -40.0]]), side)[0] - head for p in (placement, leg))
    cos = knee @ turned / np.linalg.norm(knee) ** 2
    assert np.rad2deg(np.arccos(cos)) == pytest.approx(48.0)
    outwards = -1.0 if side is Side.RIGHT else 1.0
    assert outwards * (turned[1] - knee[1]) > 50.0


def test_pixels_are_millimetres_by_the_film_s_spacing() -> None:
    for kind in FORMATS.values():
        placement = Placement(kind, (150.0, 170.0), 1.0, 90.0)
        np.testing.assert_allclose(
            placement.hip_to_px(POINTS, Side.LEFT) * kind.pixel_mm, placement.hip_to_mm(POINTS, Side.LEFT), atol=1e-9
        )
        np.testing.assert_allclose(
            placement.pelvis_to_px(POINTS) * kind.pixel_mm, placement.pelvis_to_mm(POINTS), atol=1e-9
        )


@pytest.mark.parametrize("wide", [False, True])
def test_drawn_placements_hold_what_reaches_furthest(wide: bool) -> None:
    reach = 205.0
    drawn = [
        draw_placement(name, 92.0, reach, np.random.default_rng(n), wide)
        for n in range(100)
        for name in ("OAI", "CHECK")
    ]
    for placement in drawn:
        width = (placement.format.cols - 1) * placement.format.pixel_mm
        assert reach < placement.centre_mm[1] < width - reach
        assert 0.4 < placement.centre_mm[0] / (placement.format.rows * placement.format.pixel_mm) < 0.62
        assert abs(placement.turn_deg) <= (6.0 if wide else 2.0)
    assert {placement.format.name for placement in drawn} == set(FORMATS)
    assert max(abs(placement.turn_deg) for placement in drawn) > (3.0 if wide else 1.2)
