"""Artefacts: borders where they are said to be, letters the right way round, implants on their side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely

from hipjsw.anatomy.landmarks import Side
from hipjsw.phantom import artefact
from hipjsw.phantom.artefact import Collimation, draw_collimation, plate_elements, prosthesis_elements, screw_elements
from hipjsw.phantom.canvas import Canvas
from hipjsw.phantom.film import Film, place
from hipjsw.phantom.placement import FORMATS, Placement
from hipjsw.phantom.population import draw_person
from hipjsw.phantom.raster import Raster
from hipjsw.phantom.solid import Element, Patch

KIND = FORMATS["OAI"]
PLACEMENT = Placement(KIND, (168.0, 195.0), 0.0, 91.0)
FIELD = (12.3, 8.1, 290.0, 370.7)
#: An R of 10 by 6, as ones and zeros (drawn by hand, stem at the left, leg at the lower right).
R_GLYPH = ["#####.", "#....#", "#....#", "#####.", "#.#...", "#..#..", "#...#."]


def film(index: int = 0) -> Film:
    person = draw_person(7, index)
    return place(7, person, person.visits[0])


def drawn(elements: list[Element], raster: Raster) -> np.ndarray:
    canvas = Canvas(raster)
    canvas.draw(elements)
    return canvas.attenuation


def test_borders_of_the_field_are_where_they_are_said_to_be() -> None:
    raster = Raster((1600, 1900), 0.2)
    beyond = Collimation(FIELD, 1.0, 0.0).beyond(raster)
    top, left, bottom, right = FIELD
    for line, low, high in ((beyond[:, 900], top, bottom), (beyond[800], left, right)):
        places = 0.2 * np.arange(len(line))
        assert np.interp(0.5, line[: len(line) // 2][::-1], places[: len(line) // 2][::-1]) == pytest.approx(
            low, abs=0.02
        )
        assert np.interp(0.5, line[len(line) // 2 :], places[len(line) // 2 :]) == pytest.approx(high, abs=0.02)
        assert ((line > 0) & (line < 1)).sum() <= 2 * 6  # soft over less than a millimetre
    assert (beyond[100:1400, 100:1800] == 0).all()
    assert (beyond[:50] == 1).all()


@pytest.mark.parametrize("turn", [-2.0, 0.0, 1.5])
def test_border_on_a_mirrored_raster_is_the_mirrored_border(turn: float) -> None:
    plain = Raster((300, 380), 1.0)
    turned = replace(plain, origin_mm=(0.0, 379.0), mirrored=True)
    blades = Collimation(FIELD, 0.0, turn)
    np.testing.assert_allclose(blades.beyond(plain), blades.beyond(turned)[:, ::-1], atol=1e-4)


def test_blades_turn_about_the_middle_of_the_field() -> None:
    raster = Raster((300, 380), 1.0)
    straight, turned = (Collimation(FIELD, 0.0, turn).beyond(raster) for turn in (0.0, 2.0))
    middle = round((FIELD[1] + FIELD[3]) / 2)
    np.testing.assert_allclose(straight[:, middle], turned[:, middle], atol=0.6)

    def border(picture: np.ndarray, col: int) -> float:
        return float(np.interp(-0.5, -picture[:100, col], np.arange(100)))

    drop = border(turned, middle - 100) - border(turned, middle + 100)
    assert abs(drop) == pytest.approx(200 * np.tan(np.deg2rad(2.0)), abs=0.1)


@pytest.mark.parametrize("wide", [False, True])
def test_drawn_field_stays_clear_of_the_hips(wide: bool) -> None:
    drew = [draw_collimation(PLACEMENT, wide, np.random.default_rng(n)) for n in range(300)]
    fields = [each for each in drew if each is not None]
    assert 0.4 < len(fields) / len(drew) < 0.7
    assert {each.grey for each in fields} == {0.0, 1.0}
    height, width = KIND.rows * KIND.pixel_mm, KIND.cols * KIND.pixel_mm
    cuts = np.array([(t, left, height - b, width - r) for t, left, b, r in (each.field_mm for each in fields)])
    assert cuts.max() <= (26.0 if wide else 12.0)
    assert cuts.max() > (20.0 if wide else 8.0)
    assert cuts.min() < 0  # some blades lie off the film


def letter(name: str, raster: Raster) -> np.ndarray:
    return drawn(artefact._letter(name, (10.0, 20.0), 40.0, 1.0), raster) > 0.5


def glyph() -> np.ndarray:
    cells = np.array([[mark == "#" for mark in row] for row in R_GLYPH], dtype=float)
    return np.kron(cells, np.ones((8, 8)))


def likeness(picture: np.ndarray, other: np.ndarray) -> float:
    rows, cols = (np.flatnonzero(picture.any(axis=axis)) for axis in (1, 0))
    cut = picture[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1].astype(float)
    at_row = np.linspace(0, cut.shape[0] - 1, other.shape[0]).astype(int)
    at_col = np.linspace(0, cut.shape[1] - 1, other.shape[1]).astype(int)
    return float(np.corrcoef(cut[np.ix_(at_row, at_col)].ravel(), other.ravel())[0, 1])


def test_letter_r_is_the_right_way_round_on_the_film_and_mirrored_in_a_left_view() -> None:
    plain = Raster((150, 150), 0.5)
    turned = replace(plain, origin_mm=(0.0, 74.5), mirrored=True)
    right = letter("R", plain)
    assert likeness(right, glyph()) > likeness(right, glyph()[:, ::-1]) + 0.1
    assert likeness(right, glyph()) > likeness(right, glyph()[::-1]) + 0.05
    rows, cols = np.nonzero(right)
    foot = cols[rows > rows.max() - 6]
    assert foot.max() == pytest.approx(cols.max(), abs=4)  # its leg stands at the right
    assert foot.min() == pytest.approx(cols.min(), abs=4)  # and its stem at the left
    mirrored = letter("R", turned)
    assert likeness(mirrored, glyph()[:, ::-1]) > likeness(mirrored, glyph()) + 0.1
    np.testing.assert_array_equal(right, mirrored[:, ::-1])


def test_letter_l_has_its_foot_at_the_lower_right() -> None:
    picture = letter("L", Raster((150, 150), 0.5))
    rows, cols = np.nonzero(picture)
    high = rows.max()
    assert cols[rows > high - 4].max() > cols[rows < rows.min() + 4].max() + 15
    assert cols[rows > high - 4].min() < cols.min() + 12  # its stem stands on it


def test_right_is_marked_at_the_patient_s_right_and_left_at_the_left() -> None:
    """Of the letters drawn onto films, the ones with a foot (L) lie right of the middle, the others left."""
    columns = []
    for n in range(60):
        elements = artefact._letters(PLACEMENT, np.random.default_rng(n))
        strokes = [e for e in elements if isinstance(e, Patch) and e.amount == 3.0]
        middle = np.concatenate([e.outline_mm for e in strokes])[:, 1].mean()
        assert len(strokes) in (2, 3)  # an L has two strokes, an R three
        assert (middle < PLACEMENT.centre_mm[1]) == (len(strokes) == 3)
        columns.append(middle)
        everything = np.concatenate([e.outline_mm for e in elements])
        assert everything.min() > 0
        assert everything[:, 1].max() < KIND.cols * KIND.pixel_mm
        assert everything[:, 0].max() < KIND.rows * KIND.pixel_mm
    assert min(columns) < 60
    assert max(columns) > 330


def test_wide_films_carry_more_things_and_plain_ones_none_that_hide_a_hip() -> None:
    counts = {}
    for wide in (False, True):
        drew = [plate_elements(PLACEMENT, n % 2 == 0, wide, np.random.default_rng(n)) for n in range(200)]
        counts[wide] = sum(len(elements) for elements in drew)
        if not wide:
            heads = [shapely.Point(PLACEMENT.hip_to_mm(np.zeros((1, 2)), side)[0]).buffer(35.0) for side in Side]
            for elements in drew:
                for element in elements:
                    assert isinstance(element, Patch)
                    assert not any(shapely.Polygon(element.outline_mm).intersects(head) for head in heads)
    assert counts[True] > 1.3 * counts[False] > 0


@pytest.mark.parametrize("side", list(Side))
def test_prosthesis_lies_where_the_hip_of_its_side_lies(side: Side) -> None:
    for index in range(4):
        lying = film(index)
        half, centre = lying.halves[side], lying.head_centre_mm(side)
        parts = {e.name: e for e in prosthesis_elements(half, side, lying.placement, np.random.default_rng(index))}
        assert set(parts) == {"cup", "head", "neck", "stem"}
        shapes = {name: shapely.Polygon(part.outline_mm) for name, part in parts.items()}
        assert all(shape.is_valid for shape in shapes.values())
        assert all(part.amount > 1.0 for part in parts.values())
        radius = half.hip.form.head_radius_mm
        assert shapes["head"].centroid.distance(shapely.Point(centre)) < 0.01
        assert shapes["head"].within(shapely.Point(centre).buffer(0.7 * radius))
        assert shapes["cup"].within(shapely.Point(centre).buffer(1.01 * radius))
        assert shapes["neck"].intersects(shapes["head"])
        assert shapes["neck"].intersects(shapes["stem"])
        femur = shapely.make_valid(shapely.Polygon(lying.placement.hip_to_mm(half.hip.femur.sample(0.5), side)))
        assert shapes["stem"].intersection(femur).area > 0.85 * shapes["stem"].area
        above = np.mean(parts["cup"].outline_mm, axis=0) - centre
        assert above[0] < 0  # the cup is above the head


@pytest.mark.parametrize("side", list(Side))
def test_screws_go_through_the_neck_into_the_head(side: Side) -> None:
    kinds = set()
    for index in range(8):
        lying = film(index % 4)
        half = lying.halves[side]
        parts = screw_elements(half, side, lying.placement, np.random.default_rng(index))
        kinds.add(tuple(part.name for part in parts))
        femur = shapely.make_valid(shapely.Polygon(lying.placement.hip_to_mm(half.hip.femur.sample(0.5), side)))
        head = shapely.Point(lying.head_centre_mm(side)).buffer(half.hip.form.head_radius_mm)
        for part in parts:
            shape = shapely.Polygon(part.outline_mm)
            assert shape.intersection(femur).area > 0.6 * shape.area
            if part.name == "screw":
                assert shape.intersects(head)
                assert shape.difference(femur).intersection(head).area < 1.0  # it stops inside the head
    assert len(kinds) == 2
