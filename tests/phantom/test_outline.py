"""Closed outlines."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from hipjsw.phantom.outline import ring, simple


def test_ring_is_closed_and_goes_through_its_points() -> None:
    angle = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    points = 20.0 * np.column_stack([np.sin(angle), np.cos(angle)])
    closed = ring(points, 0.25)
    line = shapely.LinearRing(closed)
    assert shapely.distance(line, shapely.points(points)).max() < 0.01
    assert shapely.Polygon(closed).area == pytest.approx(np.pi * 400.0, rel=3e-3)
    apart = np.linalg.norm(np.diff(np.concatenate([closed, closed[:1]]), axis=0), axis=1)
    assert apart.max() < 0.27
    assert apart.min() > 0.22


def test_ring_has_no_corner() -> None:
    points = np.random.default_rng(1).normal(0.0, 1.0, (9, 2)) + 12 * np.column_stack(
        [np.sin(np.arange(9) * 2 * np.pi / 9), np.cos(np.arange(9) * 2 * np.pi / 9)]
    )
    closed = ring(points, 0.02)
    steps = np.diff(np.concatenate([closed, closed[:2]]), axis=0)
    angle = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
    assert np.abs(np.diff(angle)).max() < 0.05


def test_a_simple_outline_is_left_as_it_is_and_a_crossed_one_becomes_its_largest_part() -> None:
    square = np.array([(0.0, 0.0), (0.0, 4.0), (4.0, 4.0), (4.0, 0.0)])
    assert simple(square) is square
    bow = np.array([(0.0, 0.0), (6.0, 6.0), (6.0, 0.0), (-1.0, 7.0)])
    made = shapely.Polygon(simple(bow))
    assert made.is_valid
    parts = shapely.get_parts(shapely.make_valid(shapely.Polygon(bow)))
    assert made.area == pytest.approx(max(part.area for part in parts))
