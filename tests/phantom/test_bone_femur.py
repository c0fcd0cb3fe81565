"""The femur as drawn: on its curve, on its side, and worn where the hip is worn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely

from hipjsw.anatomy.landmarks import Side
from hipjsw.phantom.bone_femur import femur_elements
from hipjsw.phantom.canvas import Canvas
from hipjsw.phantom.pelvis import HalfPelvis
from hipjsw.phantom.placement import FORMATS, Placement
from hipjsw.phantom.population import draw_person
from hipjsw.phantom.raster import Raster
from hipjsw.phantom.shape import Hip
from hipjsw.phantom.solid import Element, Patch, Solid

PLACEMENT = Placement(FORMATS["OAI"], (150.0, 195.0), 1.0, 91.0)
GRID = Raster((320, 400), 1.0)


def half(index: int, side: Side = Side.RIGHT, **changes: object) -> HalfPelvis:
    person = draw_person(7, index)
    own = person.hip(side, person.visits[0])
    return HalfPelvis(own.form, Hip(replace(own.hip.form, **changes)))


def drawn(elements: list[Element], raster: Raster = GRID) -> np.ndarray:
    canvas = Canvas(raster, grain=0.0)
    canvas.draw(elements)
    return canvas.attenuation


def named(elements: list[Element], name: str) -> list[Element]:
    return [element for element in elements if element.name == name]


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("index", range(4))
def test_outline_of_the_femur_is_its_curve(index: int, side: Side) -> None:
    (femur,) = named(femur_elements(half(index, side), side, PLACEMENT), "femur")
    assert isinstance(femur, Solid)
    curve = PLACEMENT.hip_to_mm(half(index, side).hip.femur.sample(0.05), side)
    line = shapely.LineString(curve)
    outline = femur.outlines_mm[0][:-2]  # the last two continue the shaft beyond any film
    assert shapely.distance(line, shapely.points(outline)).max() < 1e-3
    low = curve[:, 0].max()
    assert (femur.outlines_mm[0][-2:, 0] > low + 100.0).all()
    assert (
        shapely.distance(shapely.LinearRing(femur.outlines_mm[0]), shapely.points(curve)).max() < 5e-3
    )  # chords of 0.4 mm
    assert shapely.Polygon(femur.outlines_mm[0]).is_valid


@pytest.mark.parametrize("index", range(3))
def test_bone_is_nowhere_less_than_nothing(index: int) -> None:
    femur = named(femur_elements(half(index), Side.RIGHT, PLACEMENT), "femur")
    assert drawn(femur).min() >= 0


def test_left_femur_is_the_mirror_image_of_a_right_one() -> None:
    placement = replace(PLACEMENT, turn_deg=0.0, centre_mm=(150.0, 199.5))
    right, left = (drawn(femur_elements(half(1), side, placement)) for side in Side)
    assert right[:, :200].sum() == pytest.approx(right.sum(), rel=1e-3)
    np.testing.assert_allclose(right, left[:, ::-1], atol=0.06)
    assert np.percentile(np.abs(right - left[:, ::-1]), 99.5) < 3e-3


def test_everything_of_a_femur_but_osteophytes_lies_on_the_femur() -> None:
    for index in range(6):
        elements = femur_elements(half(index, lip_mm=0.0, collar_mm=(0.0, 0.0), cysts=()), Side.RIGHT, PLACEMENT)
        bone = drawn(named(elements, "femur")) > 0
        everything = np.abs(drawn(elements)) > 0.02
        beside = everything & ~bone
        assert beside.sum() < 0.02 * bone.sum()


def test_what_is_drawn_moves_no_edge_of_the_weight_bearing_head() -> None:
    """Nothing but the femur itself reaches into the joint space of the roof."""
    for index in range(6):
        one = half(index, cysts=())
        form = one.hip.form
        elements = [e for e in femur_elements(one, Side.RIGHT, PLACEMENT) if e.name not in ("femur", "sclerosis")]
        angle = np.linspace(-form.edge_deg + 2, form.medial_deg - 2, 80)
        radius, polar = form.head_mm(angle) + 0.5 * form.width_mm(angle) + 0.3, np.deg2rad(angle)
        places = PLACEMENT.hip_to_mm(np.column_stack([-np.cos(polar) * radius, np.sin(polar) * radius]), Side.RIGHT)
        raster = Raster((700, 700), 0.2, tuple((places.mean(axis=0) - 70.0).tolist()))
        rows, cols = raster.to_px(places).round().astype(int).T
        assert np.abs(drawn(elements, raster)[rows, cols]).max() < 0.01


def test_denser_bone_takes_more_away_and_only_inside() -> None:
    thin, dense = (drawn(femur_elements(half(0), Side.RIGHT, PLACEMENT, density)) for density in (0.7, 1.3))
    head = PLACEMENT.hip_to_mm(np.zeros((1, 2)), Side.RIGHT)[0].round().astype(int)
    around = (slice(head[0] - 12, head[0] + 12), slice(head[1] - 12, head[1] + 12))
    assert (dense[around] > 1.1 * thin[around]).all()
    assert ((thin != 0) == (dense != 0)).mean() > 0.999


def test_shaft_is_a_tube_and_the_head_is_filled() -> None:
    one = half(2)
    value = drawn(named(femur_elements(one, Side.RIGHT, PLACEMENT), "femur"))
    marks = PLACEMENT.hip_to_mm(one.hip.femur_points, Side.RIGHT)
    along = np.linspace(marks[1], marks[33], 60)
    rows, cols = along.round().astype(int).T
    profile = value[rows, cols]
    assert profile[25:35].mean() < 0.8 * max(profile[5:18].max(), profile[42:55].max())


def test_growths_sclerosis_and_cysts_are_drawn_where_the_form_has_them() -> None:
    plain = {"lip_mm": 0.0, "collar_mm": (0.0, 0.0), "sclerosis": 0.0, "cysts": ()}
    bare = femur_elements(half(0, **plain), Side.RIGHT, PLACEMENT)
    assert not any(e.name in ("osteophyte", "sclerosis", "cyst", "cyst's rim") for e in bare)
    grown = half(0, **(plain | {"lip_mm": 6.0, "collar_mm": (2.0, 3.0)}))
    found = named(femur_elements(grown, Side.RIGHT, PLACEMENT), "osteophyte")
    assert len(found) == len(grown.hip.osteophytes) == 3
    for element, outline in zip(found, grown.hip.osteophytes, strict=True):
        np.testing.assert_allclose(element.outlines_mm[0], PLACEMENT.hip_to_mm(outline, Side.RIGHT), atol=1e-9)
    dense = femur_elements(half(0, **(plain | {"sclerosis": 0.8})), Side.RIGHT, PLACEMENT)
    added = drawn(dense) - drawn(bare)
    assert added.min() > -1e-5
    assert added.max() > 0.05
    head = shapely.Polygon(named(dense, "femur")[0].outlines_mm[0])
    for band in named(dense, "sclerosis"):
        assert isinstance(band, Patch)
        assert shapely.Polygon(band.outline_mm).difference(head).area < 0.01  # under the surface, never in the joint
    cyst = (-18.0, 3.0, 4.0)
    hollow = femur_elements(half(0, **(plain | {"cysts": (cyst,)})), Side.RIGHT, PLACEMENT)
    row, col = PLACEMENT.hip_to_mm(np.array([cyst[:2]]), Side.RIGHT)[0].round().astype(int)
    assert (drawn(hollow) - drawn(bare))[row, col] < -0.05
