"""Ribbons: lines given a width."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from hipjsw.phantom.solid import Patch, Solid, Stroke, ribbon


def arc(radius: float, degrees: float, count: int = 200) -> np.ndarray:
    angle = np.deg2rad(np.linspace(0.0, degrees, count))
    return radius * np.column_stack([np.sin(angle), np.cos(angle)])


def test_ribbon_of_a_straight_line_is_a_strip_pointed_at_both_ends() -> None:
    line = np.column_stack([np.linspace(0.0, 30.0, 301), np.full(301, 4.0)])
    strip = shapely.Polygon(ribbon(line, 2.0, taper=0.2))
    assert strip.is_valid
    assert strip.bounds == pytest.approx((0.0, 3.0, 30.0, 5.0), abs=1e-6)
    # 60 % at full width, 20 % at each end rising from nothing (from 5 %, to be exact)
    assert strip.area == pytest.approx(30 * 2.0 * 0.8, rel=0.005)
    for along in (6.1, 15.0, 23.9):
        across = strip.intersection(shapely.LineString([(along, -9.0), (along, 9.0)]))
        assert across.length == pytest.approx(2.0, abs=1e-6)
    assert strip.intersection(shapely.LineString([(0.05, -9.0), (0.05, 9.0)])).length < 0.15


def test_ribbon_without_taper_keeps_its_width_along_a_bend() -> None:
    line = arc(25.0, 120.0)
    band = shapely.Polygon(ribbon(line, 3.0, taper=1e-3))
    assert band.is_valid
    assert band.area == pytest.approx(3.0 * 25.0 * np.deg2rad(120.0), rel=0.01)
    beyond = shapely.Polygon(ribbon(line, 3.0, taper=1e-3)).exterior.hausdorff_distance(shapely.LineString(line))
    assert beyond == pytest.approx(1.5, abs=0.02)


def test_ribbon_of_a_line_turned_round_is_the_same_ribbon() -> None:
    line = arc(18.0, 80.0)
    one, other = shapely.Polygon(ribbon(line, 2.0)), shapely.Polygon(ribbon(line[::-1], 2.0))
    assert one.symmetric_difference(other).area < 1e-9


def test_elements_are_told_apart_by_what_they_are_not_by_what_they_hold() -> None:
    points = arc(5.0, 300.0)
    for make in (
        lambda: Solid("bone", (points,), 5.0),
        lambda: Patch("patch", points, 0.1),
        lambda: Stroke("line", points, 1.0, 0.1),
    ):
        assert len({make(), make()}) == 2  # arrays cannot be compared; elements can still be keys
