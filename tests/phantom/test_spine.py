"""Spine: in the middle, symmetrical when straight, moved by twist and tilt as documented."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import shapely

from hipjsw.phantom.placement import FORMATS, Placement
from hipjsw.phantom.solid import Element, Solid, Stroke
from hipjsw.phantom.spine import ellipse, spine_elements

PLACEMENT = Placement(FORMATS["OAI"], (170.0, 195.0), 0.0, 91.0)


class Still:
    """Random numbers that are all their mean: a spine without bend."""

    def normal(self, mean: float, _: float, *shape: int) -> float:
        return mean


def drawn(tilt: float = 0.0, twist: float = 0.0, scale: float = 1.0, rng: Any = None) -> list[Element]:
    return spine_elements(PLACEMENT, scale, tilt, twist, rng or Still())


def points(element: Element) -> np.ndarray:
    if isinstance(element, Solid):
        return element.outlines_mm[0]
    return element.line_mm if isinstance(element, Stroke) else element.outline_mm


def middle(elements: list[Element], name: str) -> np.ndarray:
    return np.mean([points(e).mean(axis=0) for e in elements if e.name == name], axis=0) - PLACEMENT.centre_mm


def test_straight_spine_is_its_own_mirror_image() -> None:
    by_name: dict[str, list[shapely.Geometry]] = {}
    for element in drawn():
        line = isinstance(element, Stroke)
        shape = (shapely.LineString if line else shapely.Polygon)(points(element) - PLACEMENT.centre_mm)
        by_name.setdefault(element.name, []).append(shape)
    assert len(by_name) > 10
    for name, shapes in by_name.items():
        for shape in shapes:
            mirrored = shapely.transform(shape, lambda p: p * (1.0, -1.0))
            assert min(mirrored.hausdorff_distance(other) for other in shapes) < 0.6, name


def test_spine_lies_between_the_hips_above_the_symphysis_and_outlines_are_simple() -> None:
    for seed in range(10):
        for element in drawn(0.8, -0.8, rng=np.random.default_rng(seed)):
            place = points(element) - PLACEMENT.centre_mm
            assert np.abs(place[:, 1]).max() < 85.0
            assert place[:, 0].max() < 25.0
            if isinstance(element, Solid):
                assert shapely.Polygon(element.outlines_mm[0]).is_valid


def test_vertebrae_are_four_and_lie_one_above_the_other() -> None:
    bodies = [points(e) for e in drawn() if e.name == "vertebra"]
    assert len(bodies) == 4
    spans = sorted((body[:, 0].min(), body[:, 0].max()) for body in bodies)
    assert all(above[1] < below[0] for above, below in pairwise(spans))
    sacrum = next(points(e) for e in drawn() if e.name == "sacrum")
    assert 0 < sacrum[:, 0].min() - spans[-1][1] < 15.0


def test_size_scales_about_the_middle_of_the_hips() -> None:
    for one, small in zip(drawn(), drawn(scale=0.66), strict=True):
        np.testing.assert_allclose(
            points(small) - PLACEMENT.centre_mm, 0.66 * (points(one) - PLACEMENT.centre_mm), atol=0.7
        )  # the upper part is bent, not scaled, where it is bent at all


def test_twist_moves_what_lies_behind_the_other_way_than_the_symphysis() -> None:
    straight = drawn()
    for twist in (-1.0, 0.5):
        for name in ("sacrum", "vertebra"):
            across = middle(drawn(twist=twist), name) - middle(straight, name)
            assert across[1] * twist < 0
            assert across[0] == pytest.approx(0.0, abs=1e-9)


def test_forward_tilt_lowers_the_coccyx_against_the_lumbar_spine() -> None:
    straight, forward = drawn(), drawn(tilt=1.0)
    coccyx, lumbar = (middle(forward, name)[0] - middle(straight, name)[0] for name in ("coccyx", "vertebra"))
    assert 6.0 < coccyx - lumbar < 9.5


def test_bend_moves_the_lumbar_spine_alone() -> None:
    bent = drawn(rng=np.random.default_rng(4))
    assert abs(middle(bent, "vertebra")[1]) > 0.3
    assert middle(bent, "coccyx")[1] == pytest.approx(0.0, abs=1e-6)


def test_same_random_numbers_give_the_same_spine() -> None:
    one, same = (drawn(rng=np.random.default_rng(9)) for _ in range(2))
    assert [e.name for e in one] == [e.name for e in same]
    for a, b in zip(one, same, strict=True):
        np.testing.assert_array_equal(points(a), points(b))


def test_spine_turns_with_the_pelvis() -> None:
    turned = spine_elements(replace(PLACEMENT, turn_deg=4.0), 1.0, 0.0, 0.0, Still())  # type: ignore[arg-type]
    for one, other in zip(drawn(), turned, strict=True):
        lengths = [np.linalg.norm(points(e) - PLACEMENT.centre_mm, axis=1) for e in (one, other)]
        np.testing.assert_allclose(*lengths, atol=1e-9)


@pytest.mark.parametrize("tilt_deg", [0.0, 25.0])
def test_ellipse_has_its_half_axes_and_its_area(tilt_deg: float) -> None:
    shape = ellipse(5.0, -3.0, 8.0, 3.0, tilt_deg)
    tilt = np.deg2rad(tilt_deg)
    axes = np.array([[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]])
    along, across = ((shape - (5.0, -3.0)) @ axes.T).T
    np.testing.assert_allclose((along / 8.0) ** 2 + (across / 3.0) ** 2, 1.0, atol=1e-9)
    assert shapely.Polygon(shape).area == pytest.approx(np.pi * 24.0, rel=0.005)
