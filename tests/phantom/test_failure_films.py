"""Films made over so that a hip cannot be measured: geometry against the film they were made of."""

import numpy as np
import pytest
import shapely

from hipjsw.anatomy.landmarks import HipLandmarks, Side, split_sides
from hipjsw.phantom.body_parts import PARTS, draw_part
from hipjsw.phantom.failure_films import child_film, cut_film, frog_leg_film, prosthesis_film
from hipjsw.phantom.film import Film, place
from hipjsw.phantom.part_film import film_of_part
from hipjsw.phantom.planting import Plant
from hipjsw.phantom.population import draw_person
from hipjsw.phantom.raster import Raster
from hipjsw.phantom.solid import Patch, Solid


def film_of(index: int, plant: Plant | None = None) -> Film:
    person = draw_person(31, index)
    return place(31, person, person.visits[-1], plant=plant)


def bearing_lines(marks: HipLandmarks) -> tuple[np.ndarray, np.ndarray]:
    """Sourcil, and the head's margin between the rays to its ends."""
    sourcil, head = marks.sourcil.sample(0.2), marks.head_margin(0.2)
    centre, radius = marks.head_circle()
    fan = shapely.Polygon([centre, *(centre + 3 * radius * (p - centre) / np.linalg.norm(p - centre) for p in sourcil)])
    return sourcil, head[shapely.contains_xy(fan, head)]


def on_film(film: Film, point: np.ndarray) -> bool:
    """Whether a film shows a place, by its border and by the field its collimator draws."""
    kind = film.placement.format
    if not all(-0.5 <= at / kind.pixel_mm <= size - 0.5 for at, size in zip(point, kind.shape, strict=True)):
        return False
    field = film.collimation
    return field is None or bool(field.beyond(Raster((1, 1), 0.1, (point[0], point[1])))[0, 0] < 0.5)


def test_cuts_come_from_everywhere_and_take_their_share() -> None:
    takes, by = [], set()
    rng = np.random.default_rng(5)
    for index in range(40):
        film = film_of(index)
        side = list(Side)[index % 2]
        made, cut = cut_film(film, split_sides(film.points_mm)[side], rng)
        lines = bearing_lines(split_sides(made.points_mm)[side])
        gone = [float(np.mean([not on_film(made, point) for point in line[::4]])) for line in lines]
        assert gone == pytest.approx([cut.lost_sourcil, cut.lost_head], abs=0.12)  # half a pixel along a flat arc
        assert max(gone) >= 0.25 - 0.05
        takes.append((cut.lost_sourcil, cut.lost_head))
        by.add(cut.by.split(", leaning")[0])
    assert {way.split(", from ")[1] for way in by} == {"above", "below", "the left", "the right"}
    assert len(by) >= 8  # border, white and black blade, each from several sides
    assert np.std(takes, axis=0).min() > 0.15


@pytest.mark.parametrize("whole", [True, False])
def test_a_prosthesis_is_metal_about_the_heads_centre(whole: bool) -> None:
    film = film_of(4, Plant.PROSTHESIS)
    (side,) = film.planted
    made = prosthesis_film(film, side, whole)
    radius = film.halves[side].hip.form.head_radius_mm
    metal = {e.name: e for e in made.bones if isinstance(e, Patch) and e.amount > 1.0}
    ball = metal["head" if whole else "ball"].outline_mm - made.head_centre_mm(side)
    assert np.ptp(np.linalg.norm(ball, axis=1)) < 1e-6
    assert np.linalg.norm(ball[0]) / radius == pytest.approx(0.55 if whole else 0.985)
    assert ("cup" in metal) == whole
    if whole:  # the socket is reamed to the cup: no joint space is left between cup and roof
        assert made.halves[side].hip.mjsw_mm < 0.05
        gap = made.halves[side].hip.form.width_mm(np.linspace(-20.0, 20.0, 41))
        assert gap.max() < film.halves[side].hip.form.width_mm(np.zeros(1))[0]


def test_a_child_is_small_with_thick_cartilage() -> None:
    for index in range(4):
        adult, planted = film_of(index), film_of(index, Plant.CHILD)
        child = child_film(planted, np.random.default_rng(index))
        for side in Side:
            radius = split_sides(child.points_mm)[side].head_circle()[1]
            assert radius < 0.76 * split_sides(adult.points_mm)[side].head_circle()[1]
            assert child.halves[side].hip.mjsw_mm > planted.halves[side].hip.mjsw_mm + 0.5
        centres = [child.head_centre_mm(side) for side in Side]
        heads = 2 * child.halves[Side.RIGHT].form.half_distance_mm
        assert np.linalg.norm(centres[1] - centres[0]) == pytest.approx(heads)
        assert any(element.name == "growth plate" for element in child.bones)


@pytest.mark.parametrize("side", list(Side))
def test_frog_legs_turn_the_femurs_out_and_leave_the_pelvis(side: Side) -> None:
    film = film_of(2)
    frog, turned_deg = frog_leg_film(film, np.random.default_rng(1))

    def shaft_deg(of: Film) -> float:
        """How far the shaft's lower end lies outwards of straight down from the head."""
        nth = list(Side).index(side)
        femur = [e for e in of.bones if isinstance(e, Solid) and e.name == "femur"][nth].outlines_mm[0]
        away = femur[[-1, -2]].mean(axis=0) - of.head_centre_mm(side)
        return float(np.rad2deg(np.arctan2(away[1] * (1 if side is Side.LEFT else -1), away[0])))

    assert 35.0 <= turned_deg <= 62.0
    assert shaft_deg(frog) - shaft_deg(film) == pytest.approx(turned_deg, abs=8.0)  # and the neck looks shorter
    for one, other in zip(film.bones, frog.bones, strict=True):
        if isinstance(one, Solid) and one.name in ("ilium", "ischium and pubis"):
            np.testing.assert_array_equal(one.outlines_mm[0], other.outlines_mm[0])


@pytest.mark.parametrize("name", list(PARTS))
def test_a_part_is_of_closed_bones_in_flesh(name: str) -> None:
    for seed in range(3):
        part = draw_part(name, np.random.default_rng(seed))
        outlines = [e.outlines_mm[0] for e in part.bones if isinstance(e, Solid)]
        assert all(shapely.Polygon(outline).buffer(0).area > 20 for outline in outlines)
        top, left, bottom, right = part.region_mm
        assert any(shapely.Polygon(o).buffer(0).intersects(shapely.box(top, left, bottom, right)) for o in outlines)


def test_a_left_part_is_a_right_one_mirrored() -> None:
    films = [film_of_part(film_of(3), "knee", np.random.default_rng(seed)) for seed in range(12)]
    assert {film.mirrored for film in films} == {True, False}
    left = next(film for film in films if film.mirrored)
    upright = left.placement.pelvis_to_mm(np.array([[10.0, -7.0]]))
    np.testing.assert_allclose(left.to_mm(np.array([[10.0, 7.0]])), upright)


def test_a_part_nobody_has() -> None:
    with pytest.raises(ValueError, match="knee, shoulder"):
        draw_part("wing", np.random.default_rng(0))
