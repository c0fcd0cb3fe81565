"""The skeleton: two whole hips, and what is planted drawn on the side it is planted on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely

from hipjsw.anatomy.landmarks import Side
from hipjsw.phantom.canvas import Canvas
from hipjsw.phantom.film import Film, place
from hipjsw.phantom.planting import Plant
from hipjsw.phantom.population import draw_person
from hipjsw.phantom.raster import Raster
from hipjsw.phantom.skeleton import skeleton
from hipjsw.phantom.solid import Element, Solid, Stroke

GRID = Raster((320, 420), 1.0)


def film(index: int = 0) -> Film:
    person = draw_person(7, index)
    return place(7, person, person.visits[0])


def bones(planted: dict[Side, Plant] | None = None, index: int = 0, seed: int = 0) -> list[Element]:
    one = film(index)
    return skeleton(one.halves, one.placement, 1.0, planted or {}, np.random.default_rng(seed))


def drawn(elements: list[Element]) -> np.ndarray:
    canvas = Canvas(GRID, grain=0.0)
    canvas.draw(elements)
    return canvas.attenuation


def polygons(elements: list[Element], name: str) -> list[shapely.Geometry]:
    """Outlines of a bone: the right hip's, the left hip's."""
    found = [
        shapely.make_valid(shapely.Polygon(e.outlines_mm[0]))
        for e in elements
        if isinstance(e, Solid) and e.name == name
    ]
    return sorted(found, key=lambda shape: shape.centroid.y)  # y is the column here


def at_head(value: np.ndarray, side: Side, index: int = 0) -> float:
    row, col = film(index).head_centre_mm(side).round().astype(int)
    return float(value[row - 2 : row + 3, col - 2 : col + 3].mean())


@pytest.mark.parametrize("name", ["femur", "ilium", "ischium and pubis", "anterior wall"])
def test_there_is_one_of_each_bone_on_either_side(name: str) -> None:
    right, left = polygons(bones(), name)
    middle = film().placement.centre_mm[1]
    assert right.centroid.y < middle < left.centroid.y


@pytest.mark.parametrize("index", range(3))
def test_no_edge_of_a_hip_depends_on_the_random_numbers(index: int) -> None:
    one, other = bones(index=index, seed=1), bones(index=index, seed=2)
    for name in ("femur", "ilium", "ischium and pubis", "anterior wall", "socket"):
        for a, b in zip(polygons(one, name), polygons(other, name), strict=True):
            assert a.equals(b)
    for a, b in zip(one, bones(index=index, seed=1), strict=True):
        if isinstance(a, Solid):
            np.testing.assert_array_equal(a.outlines_mm[0], b.outlines_mm[0])


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("index", range(3))
def test_prosthesis_is_metal_in_place_of_the_head_on_its_side_alone(side: Side, index: int) -> None:
    other = Side.LEFT if side is Side.RIGHT else Side.RIGHT
    plain, planted = drawn(bones(index=index)), drawn(bones({side: Plant.PROSTHESIS}, index))
    assert at_head(planted, side, index) > 2.2
    assert at_head(planted, other, index) == pytest.approx(at_head(plain, other, index), abs=0.1)
    elements = bones({side: Plant.PROSTHESIS}, index)
    number = list(Side).index(side)
    femur, whole = polygons(elements, "femur")[number], polygons(bones(index=index), "femur")[number]
    assert whole.contains(shapely.Point(film(index).head_centre_mm(side)))
    assert not femur.intersects(shapely.Point(film(index).head_centre_mm(side)).buffer(5.0))
    assert femur.difference(whole).area < 1e-6
    assert 0.6 < femur.area / whole.area < 0.95
    metal = [e.name for e in elements if e.name in ("cup", "head", "neck", "stem")]
    assert sorted(metal) == ["cup", "head", "neck", "stem"]


@pytest.mark.parametrize("side", list(Side))
def test_screw_leaves_both_joints_as_they_were(side: Side) -> None:
    plain, elements = bones(), bones({side: Plant.SCREW})
    for name in ("femur", "ilium"):
        for a, b in zip(polygons(plain, name), polygons(elements, name), strict=True):
            assert a.equals(b)
    columns = np.concatenate([e.outline_mm for e in elements if e.name in ("screw", "nail")])[:, 1]
    assert ((columns < film().placement.centre_mm[1]) == (side is Side.RIGHT)).all()


def test_frog_legs_turn_the_femurs_about_their_heads_and_nothing_else() -> None:
    one = film()
    plain, frog = bones(), bones(dict.fromkeys(Side, Plant.FROG_LEG))
    for a, b in zip(polygons(plain, "ilium"), polygons(frog, "ilium"), strict=True):
        assert a.equals(b)
    for side, a, b in zip(Side, polygons(plain, "femur"), polygons(frog, "femur"), strict=True):
        centre = one.head_centre_mm(side)
        turn = -48.0 if side is Side.RIGHT else 48.0  # clockwise on one side is outwards on the other

        def turned(points: np.ndarray, centre: np.ndarray = centre, turn: float = turn) -> np.ndarray:
            angle = np.deg2rad(turn)
            matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
            return (points - centre) @ matrix + centre

        assert shapely.transform(a, turned).hausdorff_distance(b) < 1e-6
        assert abs(b.centroid.y - one.placement.centre_mm[1]) > abs(a.centroid.y - one.placement.centre_mm[1]) + 20


def test_child_has_dark_growth_plates_on_both_sides() -> None:
    elements = bones(dict.fromkeys(Side, Plant.CHILD))
    plates = [e for e in elements if e.name == "growth plate"]
    assert len(plates) == 6
    assert all(isinstance(e, Stroke) and e.amount < 0 for e in plates)
    femurs = [shape.buffer(12.0) for shape in polygons(elements, "femur")]
    for plate in plates:
        line = shapely.LineString(plate.line_mm)
        assert max(line.intersection(femur).length for femur in femurs) > 0.4 * line.length


def test_plants_of_one_film_do_not_reach_the_other_side() -> None:
    """Left of the middle the film with a left prosthesis shows what the plain film shows, up to overlying shade."""
    one = film()
    plain, planted = bones(), bones({Side.LEFT: Plant.PROSTHESIS})
    middle = one.placement.centre_mm[1]
    metal = [e for e in planted if e.name in ("cup", "head", "neck", "stem")]
    assert min(e.outline_mm[:, 1].min() for e in metal) > middle
    assert polygons(plain, "femur")[0].equals(polygons(planted, "femur")[0])


def test_size_of_the_bones_is_the_size_of_the_hips() -> None:
    one = film()
    small = {
        side: replace(half, hip=replace(half.hip, form=replace(half.hip.form, head_radius_mm=18.0)))
        for side, half in one.halves.items()
    }
    sacrum, tiny = (
        polygons(skeleton(halves, one.placement, 1.0, {}, np.random.default_rng(0)), "sacrum")[0].area
        for halves in (one.halves, small)
    )
    scale = [half.scale for half in one.halves.values()]
    assert tiny / sacrum == pytest.approx((18.0 / 27.5 / np.mean(scale)) ** 2, rel=0.03)
