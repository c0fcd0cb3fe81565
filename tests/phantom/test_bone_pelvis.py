"""Half a pelvis as drawn: the roof ends at the sourcil, and nothing else has an edge in the joint space."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely

from hipjsw.anatomy.landmarks import Side
from hipjsw.phantom.bone_pelvis import pelvis_elements
from hipjsw.phantom.canvas import Canvas
from hipjsw.phantom.pelvis import HalfPelvis
from hipjsw.phantom.placement import FORMATS, Placement
from hipjsw.phantom.population import draw_person
from hipjsw.phantom.raster import Raster
from hipjsw.phantom.shape import Hip
from hipjsw.phantom.solid import Element, Solid

PLACEMENT = Placement(FORMATS["OAI"], (150.0, 195.0), 1.0, 91.0)
GRID = Raster((320, 400), 1.0)
CASES = [(index, side) for index in range(3) for side in Side]


def half(index: int, side: Side = Side.RIGHT, **changes: object) -> HalfPelvis:
    person = draw_person(7, index)
    own = person.hip(side, person.visits[0])
    return HalfPelvis(own.form, Hip(replace(own.hip.form, **changes)))


def drawn(elements: list[Element], raster: Raster = GRID) -> np.ndarray:
    canvas = Canvas(raster, grain=0.0)
    canvas.draw(elements)
    return canvas.attenuation


def named(elements: list[Element], *names: str) -> list[Element]:
    return [element for element in elements if element.name in names]


def joint_mm(one: HalfPelvis, side: Side, share: float, inset_deg: float = 0.0) -> np.ndarray:
    """A line through the joint space: 0 along the head, 1 along the roof."""
    form = one.hip.form
    angle = np.linspace(inset_deg - form.edge_deg, form.medial_deg - inset_deg, 300)
    radius, polar = form.head_mm(angle) + share * form.width_mm(angle), np.deg2rad(angle)
    return PLACEMENT.hip_to_mm(np.column_stack([-np.cos(polar) * radius, np.sin(polar) * radius]), side)


@pytest.mark.parametrize(("index", "side"), CASES)
def test_ilium_ends_at_the_sourcil(index: int, side: Side) -> None:
    (ilium,) = named(pelvis_elements(half(index, side), side, PLACEMENT), "ilium")
    assert isinstance(ilium, Solid)
    outline = shapely.LinearRing(ilium.outlines_mm[0])
    assert shapely.distance(outline, shapely.points(joint_mm(half(index, side), side, 1.0))).max() < 5e-3


@pytest.mark.parametrize(("index", "side"), CASES)
def test_bright_band_lies_above_the_sourcil_and_begins_there(index: int, side: Side) -> None:
    one = half(index, side)
    ilium = shapely.Polygon(named(pelvis_elements(one, side, PLACEMENT), "ilium")[0].outlines_mm[0]).buffer(0.01)
    bands = [e for e in named(pelvis_elements(one, side, PLACEMENT), "sourcil") if e.amount]
    assert len(bands) > 3
    for band in bands:
        shape = shapely.make_valid(shapely.Polygon(band.outline_mm))
        assert shape.difference(ilium).area < 0.05 * shape.area
        roof = shapely.points(joint_mm(one, side, 1.0, 3.0))
        assert shapely.distance(shapely.LinearRing(band.outline_mm), roof).max() < 0.02
        assert band.amount > 0


@pytest.mark.parametrize(("index", "side"), CASES)
def test_socket_fills_the_joint_space_up_to_the_roof_and_no_further(index: int, side: Side) -> None:
    one = half(index, side)
    elements = pelvis_elements(one, side, PLACEMENT, floor=0.3)
    (socket,), (ilium,) = named(elements, "socket"), named(elements, "ilium")
    shape = shapely.make_valid(shapely.Polygon(socket.outlines_mm[0]))
    space = shapely.Polygon(np.concatenate([joint_mm(one, side, 0.0), joint_mm(one, side, 1.0)[::-1]])).buffer(0)
    assert space.difference(shape).area < 0.03 * space.area
    roof = joint_mm(one, side, 1.0)
    assert shapely.distance(shapely.LinearRing(socket.outlines_mm[0]), shapely.points(roof)).max() < 5e-3
    near = shapely.LineString(joint_mm(one, side, 1.0, 5.0)).buffer(3.0)
    bone = shapely.make_valid(shapely.Polygon(ilium.outlines_mm[0]))
    assert shape.intersection(bone).intersection(near).area < 0.05


def test_floor_of_the_joint_is_as_strong_as_asked_for() -> None:
    one = half(0)
    none, faint, strong = (
        drawn(named(pelvis_elements(one, Side.RIGHT, PLACEMENT, floor=floor), "socket")) for floor in (0.0, 0.1, 0.3)
    )
    assert np.abs(none).max() < 1e-3
    np.testing.assert_allclose(strong - none, 3 * (faint - none), atol=1e-4)
    assert strong.min() >= 0
    assert strong.max() == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize(("index", "side"), CASES)
def test_walls_of_the_socket_have_no_edge_in_the_joint_space_of_the_roof(index: int, side: Side) -> None:
    one = half(index, side)
    walls = named(pelvis_elements(one, side, PLACEMENT), "ischium and pubis", "anterior wall", "ischial spine")
    assert len(walls) == 3
    middle = joint_mm(one, side, 0.5)
    corner = middle.mean(axis=0) - 50.0
    raster = Raster((500, 500), 0.2, (float(corner[0]), float(corner[1])))
    value = drawn(walls, raster)
    high = middle[middle[:, 0] < PLACEMENT.hip_to_mm(np.zeros((1, 2)), side)[0, 0] - 0.8 * one.hip.form.head_radius_mm]
    assert len(high) > 50
    rows, cols = raster.to_px(high).round().astype(int).T
    assert value[rows, cols].max() < 0.01
    rows, cols = raster.to_px(middle).round().astype(int).T
    step = np.abs(np.diff(value, axis=0))[rows, cols].max()
    assert step < 0.02  # further down they show, but fade in slowly: no edge


def test_teardrop_and_posterior_rim_lie_on_their_curves() -> None:
    one = half(1)
    elements = {e.name: e for e in pelvis_elements(one, Side.RIGHT, PLACEMENT)}
    line = shapely.LineString(PLACEMENT.hip_to_mm(one.teardrop.sample(0.05), Side.RIGHT))
    assert shapely.distance(line, shapely.points(elements["teardrop"].line_mm)).max() < 1e-2
    rim = shapely.points(PLACEMENT.hip_to_mm(one.posterior_wall.sample(1.0), Side.RIGHT))
    assert shapely.distance(shapely.LinearRing(elements["socket"].outlines_mm[0]), rim).max() < 0.05


def test_left_half_is_the_mirror_image_of_a_right_one() -> None:
    placement = replace(PLACEMENT, turn_deg=0.0, centre_mm=(150.0, 199.5))
    right, left = (drawn(pelvis_elements(half(1), side, placement)) for side in Side)
    np.testing.assert_allclose(right, left[:, ::-1], atol=0.1)
    assert np.percentile(np.abs(right - left[:, ::-1]), 99.5) < 4e-3


def test_foramen_is_a_hole_and_bone_is_nowhere_less_than_nothing() -> None:
    one = half(0)
    bones = [e for e in pelvis_elements(one, Side.RIGHT, PLACEMENT) if isinstance(e, Solid)]
    value = drawn(bones)
    assert value.min() >= 0
    hole = PLACEMENT.hip_to_mm(one.foramen, Side.RIGHT).mean(axis=0).round().astype(int)
    assert value[hole[0] - 3 : hole[0] + 3, hole[1] - 3 : hole[1] + 3].max() < 0.05 * value.max()


def test_denser_bone_and_stronger_walls_take_more_away() -> None:
    one = half(0)
    thin, dense = (drawn(pelvis_elements(one, Side.RIGHT, PLACEMENT, density)).sum() for density in (0.7, 1.3))
    assert dense > 1.05 * thin
    faint, strong = (drawn(pelvis_elements(one, Side.RIGHT, PLACEMENT, wall=wall)) for wall in (0.5, 1.2))
    assert (strong - faint).min() > -1e-4
    assert (strong - faint).max() > 0.01


def test_sclerosis_thickens_the_roof_s_band() -> None:
    plain, worn = (half(0, sclerosis=value) for value in (0.0, 1.0))
    one, other = (drawn(named(pelvis_elements(h, Side.RIGHT, PLACEMENT), "sourcil")) for h in (plain, worn))
    assert (other - one).min() > -1e-6
    assert (other - one).max() > 0.05
