"""The film: edges where the curves are, a dark joint space, and what is planted drawn as said."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from hipjsw.anatomy.landmarks import HipLandmarks, Side, split_sides
from hipjsw.phantom.film import Film, place, render
from hipjsw.phantom.planting import Plant, plant_side
from hipjsw.phantom.population import draw_person
from hipjsw.phantom.raster import Raster
from hipjsw.phantom.skeleton import FROG_LEG_DEG

REACH_MM = 42.0


@cache
def film(index: int, look: str = "realistic", plant: Plant | None = None, seed: int = 7) -> Film:
    person = draw_person(seed, index)
    return place(seed, person, person.visits[0], look, plant)


@cache
def sharp(index: int) -> Film:
    """A film with little blur and no trabeculae: its edges can be judged."""
    return replace(film(index), look=replace(film(index).look, blur_mm=0.08, grain=0.02))


def coarse(one: Film) -> Raster:
    kind = one.placement.format
    return Raster((int(kind.rows * kind.pixel_mm), int(kind.cols * kind.pixel_mm)), 1.0)


@cache
def part(index: int, side: Side) -> tuple[Raster, np.ndarray]:
    """The film's own pixels round one head, without noise."""
    one = sharp(index)
    pixel = one.raster.pixel_mm
    corner = np.round((one.head_centre_mm(side) - REACH_MM) / pixel) * pixel
    count = int(2 * REACH_MM / pixel)
    raster = Raster((count, count), pixel, (float(corner[0]), float(corner[1])))
    return raster, one.grey(raster).astype(np.float64)


def normals(line: np.ndarray) -> np.ndarray:
    tangent = np.gradient(line, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    return np.column_stack([-tangent[:, 1], tangent[:, 0]])


def edge_offsets_px(index: int, side: Side, curve_mm: np.ndarray, sign: float) -> np.ndarray:
    """Where, across a curve, the steepest step lies: distance in pixels along ``sign`` times the normal."""
    raster, image = part(index, side)
    line = raster.to_px(curve_mm)
    along = np.arange(-1.2 / raster.pixel_mm, 1.2 / raster.pixel_mm, 0.1)
    rays = line[:, None] + sign * along[None, :, None] * normals(line)[:, None]
    grey = map_coordinates(image, rays.reshape(-1, 2).T, order=1).reshape(rays.shape[:2])
    return along[np.argmax(-np.gradient(grey, axis=1), axis=1)]


def wide_hips() -> list[tuple[int, Side]]:
    """Hips with room between the bones, so that each edge stands alone."""
    persons = {index: draw_person(7, index) for index in range(7)}
    return [(i, s) for i, p in persons.items() for s in Side if p.hip(s, p.visits[0]).hip.mjsw_mm > 2.5]


def joint_mm(one: Film, side: Side, inset_deg: float, beyond_head: float, beyond_roof: float) -> np.ndarray:
    form = one.halves[side].hip.form
    angles = np.linspace(inset_deg - form.edge_deg, form.medial_deg - inset_deg, 50)
    radius = form.head_mm(angles) + beyond_head + beyond_roof * form.width_mm(angles)
    polar = np.deg2rad(angles)
    return one.placement.hip_to_mm(np.column_stack([-np.cos(polar) * radius, np.sin(polar) * radius]), side)


def edge_offsets_mm(index: int, side: Side, share: float, sign: float) -> np.ndarray:
    curve = joint_mm(film(index), side, 5.0, 0.0, share)
    flip = 1.0 if side is Side.RIGHT else -1.0
    return edge_offsets_px(index, side, curve, sign * flip) * sharp(index).raster.pixel_mm


@pytest.mark.parametrize(("index", "side"), wide_hips())
def test_edge_of_the_head_lies_on_its_curve(index: int, side: Side) -> None:
    offsets = edge_offsets_mm(index, side, 0.0, 1.0)
    assert abs(np.median(offsets)) < 0.4 * 0.17
    assert np.abs(offsets).max() < 0.8 * 0.17


@pytest.mark.parametrize(("index", "side"), wide_hips())
def test_edge_of_the_roof_lies_on_its_curve(index: int, side: Side) -> None:
    offsets = edge_offsets_mm(index, side, 1.0, -1.0)
    assert abs(np.median(offsets)) < 0.8 * 0.17
    assert np.abs(offsets).max() < 1.6 * 0.17


@pytest.mark.parametrize(("index", "side"), wide_hips())
def test_joint_space_is_darker_than_both_bones(index: int, side: Side) -> None:
    raster, image = part(index, side)

    def grey(beyond_head: float, beyond_roof: float) -> np.ndarray:
        points = joint_mm(film(index), side, 8.0, beyond_head, beyond_roof)
        return map_coordinates(image, raster.to_px(points).T, order=1)

    assert (grey(0.0, 0.5) < grey(-1.5, 0.0)).all()
    assert (grey(0.0, 0.5) < grey(1.5, 1.0)).all()


@pytest.mark.parametrize("look", ["realistic", "wide"])
def test_points_of_a_film_keep_the_truth_and_the_sides(look: str) -> None:
    for index in range(12):
        one = film(index, look, seed=9)
        kind = one.placement.format
        points = one.points_mm
        assert (points >= 0).all()
        assert (points <= (np.array(kind.shape) - 1) * kind.pixel_mm).all()
        sides = split_sides(points)
        assert sides[Side.RIGHT].points[:, 1].mean() < sides[Side.LEFT].points[:, 1].mean()
        for side, marks in sides.items():
            own = HipLandmarks(one.halves[side].landmarks, side)
            lengths = [np.linalg.norm(m.points[:, None] - m.points[None], axis=2) for m in (marks, own)]
            np.testing.assert_allclose(*lengths, atol=1e-9)
            centre, _ = marks.head_circle()
            assert np.linalg.norm(centre - one.head_centre_mm(side)) < 1.5


@pytest.mark.parametrize("plant", [None, *Plant])
def test_neither_look_nor_plant_changes_the_curves_of_the_hips(plant: Plant | None) -> None:
    for index in range(4):
        for look in ("realistic", "wide"):
            one, plain = film(index, look, plant), film(index)
            scale = 0.66 if plant is Plant.CHILD else 1.0
            for side in Side:
                hip, own = one.halves[side].hip, plain.halves[side].hip
                radius = own.form.head_radius_mm * scale
                young = {"lip_mm": 0.0, "collar_mm": (0.0, 0.0), "sclerosis": 0.0, "cysts": ()}  # nothing worn yet
                expected = replace(own.form, head_radius_mm=radius, **(young if plant is Plant.CHILD else {}))
                assert hip.form == expected
                if plant is not Plant.CHILD:
                    assert hip.mjsw_mm == own.mjsw_mm
                    np.testing.assert_array_equal(hip.femur_points, own.femur_points)
                    np.testing.assert_array_equal(hip.sourcil_points, own.sourcil_points)


def test_heads_of_a_child_are_two_thirds_of_an_adult_s_and_as_much_nearer() -> None:
    for index in range(3):
        child, adult = film(index, plant=Plant.CHILD), film(index)
        for side in Side:
            _, small = split_sides(child.points_mm)[side].head_circle()
            _, large = split_sides(adult.points_mm)[side].head_circle()
            assert small / large == pytest.approx(0.66, abs=0.02)
        apart = [np.linalg.norm(np.subtract(*(f.head_centre_mm(side) for side in Side))) for f in (child, adult)]
        assert apart[0] / apart[1] == pytest.approx(0.66, abs=1e-6)


def test_landmarks_of_frog_legs_are_turned_about_the_heads() -> None:
    for index in range(3):
        frog, plain = film(index, plant=Plant.FROG_LEG), film(index)
        for number, side in enumerate(Side):
            own, turned = (f.points_mm[80 * number : 80 * number + 80] - f.head_centre_mm(side) for f in (plain, frog))
            np.testing.assert_array_equal(own[40:], turned[40:])
            lengths, same = (np.linalg.norm(points[:40], axis=1) for points in (own, turned))
            np.testing.assert_allclose(same, lengths, atol=1e-9)
            angle = np.rad2deg(np.arctan2(*turned[:40].T) - np.arctan2(*own[:40].T))
            expected = -FROG_LEG_DEG if side is Side.RIGHT else FROG_LEG_DEG
            np.testing.assert_allclose((angle - expected + 180) % 360, 180, atol=1e-6)  # from columns to rows
            before, after = own[[0, 34]].mean(axis=0), turned[[0, 34]].mean(axis=0)  # towards the knee
            outwards = before[1] - after[1] if side is Side.RIGHT else after[1] - before[1]
            assert outwards > 30
            assert after[0] < before[0]


def test_single_hip_film_holds_exactly_one_head() -> None:
    kept = set()
    for index in range(8):
        one = film(index, plant=Plant.SINGLE_HIP)
        width = (one.placement.format.cols - 1) * one.placement.format.pixel_mm
        radius = one.halves[Side.RIGHT].hip.form.head_radius_mm
        whole = [s for s in Side if radius < one.head_centre_mm(s)[1] < width - radius]
        none = [s for s in Side if not -radius < one.head_centre_mm(s)[1] < width + radius]
        assert whole == [plant_side(7, one.person, one.visit)]
        assert len(none) == 1
        assert one.note == f"single-hip {whole[0].value}"
        kept.add(whole[0])
    assert kept == set(Side)


def test_prosthesis_is_the_brightest_thing_of_its_film() -> None:
    for index in range(3):
        one = film(index, plant=Plant.PROSTHESIS)
        side = plant_side(7, one.person, one.visit)
        other = Side.LEFT if side is Side.RIGHT else Side.RIGHT
        grey = one.grey(coarse(one))
        heads = {}
        for each in Side:
            row, col = one.head_centre_mm(each).round().astype(int)
            heads[each] = grey[row - 6 : row + 7, col - 6 : col + 7]
        assert heads[side].min() > 1.0  # saturates
        assert heads[other].max() < 1.0
        assert one.note == f"prosthesis {side.value}"


@pytest.mark.parametrize("plant", list(Plant))
def test_planted_film_shows_what_the_plain_one_does_not(plant: Plant) -> None:
    planted, plain = film(1, plant=plant), film(1)
    raster = coarse(planted)
    difference = np.abs(planted.grey(raster) - plain.grey(raster))
    assert (difference > 0.1).mean() > 0.002
    assert planted.note.startswith(plant.value)
    assert plain.note == ""
    assert set(planted.planted.values()) == {plant}
    assert len(planted.planted) == (2 if plant in (Plant.CHILD, Plant.FROG_LEG) else 1)


def test_same_seed_person_and_visit_give_the_same_pixels_and_others_others() -> None:
    person = draw_person(7, 2)
    one, same = (render(place(7, person, person.visits[0])) for _ in range(2))
    np.testing.assert_array_equal(one, same)
    raster = Raster((150, 200), 1.0, (60.0, 60.0))
    grey = film(2).grey(raster)
    for other in (film(2, seed=8), film(3), film(2, "wide")):
        assert (np.abs(other.grey(raster) - grey) > 0.005).mean() > 0.5
    noises = [film(2).grey(raster, noise=np.random.default_rng(seed)) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(noises[0], noises[1])
    assert (noises[0] != noises[2]).mean() > 0.9


def test_visits_of_a_person_are_different_films_of_the_same_bones() -> None:
    person = next(p for p in (draw_person(7, n) for n in range(40)) if len(p.visits) > 1)
    first, second = (place(7, person, visit) for visit in person.visits[:2])
    assert first.placement != second.placement
    assert first.look != second.look
    for side in Side:
        a, b = (f.halves[side].hip.form for f in (first, second))
        assert a.head_radius_mm == b.head_radius_mm
        np.testing.assert_array_equal(a.head_mm(np.arange(-30.0, 60.0)), b.head_mm(np.arange(-30.0, 60.0)))


@pytest.mark.parametrize("index", [0, 2])
def test_noise_is_all_that_a_clear_film_lacks(index: int) -> None:
    one = film(index)
    kind = one.placement.format
    clear, noisy = render(one, noise=False), render(one)
    assert noisy.dtype == clear.dtype == np.uint16
    assert noisy.shape == clear.shape == kind.shape
    assert noisy.max() < 2**kind.bits
    middle = (slice(500, 1300), slice(500, 1800))
    grain = noisy[middle].astype(float) - clear[middle].astype(float)
    rough, smooth = (np.diff(stored[middle].astype(float)).var() for stored in (noisy, clear))
    assert rough > 1.2 * smooth
    assert abs(grain.mean()) < 0.0025 * 2**kind.bits
    assert 0.003 < grain.std() / np.ptp(clear[middle].astype(float)) < 0.06
    neighbours = np.corrcoef(grain[:, 1:].ravel(), grain[:, :-1].ravel())[0, 1]
    assert abs(neighbours) < 0.1


def test_stored_film_is_turned_over_where_its_format_says_so() -> None:
    index = next(n for n in range(60) if film(n).placement.format.inverted)
    one = film(index)
    plain = replace(one, placement=replace(one.placement, format=replace(one.placement.format, inverted=False)))
    most = 2**one.placement.format.bits - 1
    np.testing.assert_array_equal(render(one, noise=False), most - render(plain, noise=False))


def test_part_of_a_film_is_drawn_as_on_the_film() -> None:
    one = film(0)
    whole, corner = coarse(one), (70, 90)
    window = Raster((120, 140), 1.0, (70.0, 90.0))
    turned = Raster((120, 140), 1.0, (70.0, 90.0 + 139.0), mirrored=True)
    grey = one.grey(whole)[corner[0] : corner[0] + 120, corner[1] : corner[1] + 140]
    inner = (slice(8, -8), slice(8, -8))
    np.testing.assert_allclose(one.grey(window)[inner], grey[inner], atol=0.02)
    np.testing.assert_allclose(one.grey(turned)[:, ::-1][inner], grey[inner], atol=0.08)
    assert np.abs(one.grey(turned)[:, ::-1] - grey)[inner].mean() < 1e-3


def test_realistic_films_use_the_range_and_do_not_clip_the_hips() -> None:
    for index in range(6):
        one = film(index)
        grey = one.grey(coarse(one))
        for side in Side:
            row, col = one.head_centre_mm(side).round().astype(int)
            hip = grey[row - 40 : row + 40, col - 40 : col + 40]
            assert ((hip > 0) & (hip < 1)).mean() > 0.97
            assert hip.std() > 0.04


def test_collimation_is_drawn_over_everything() -> None:
    index = next(n for n in range(30) if film(n).collimation is not None and film(n).collimation.field_mm[0] > 3)
    one = film(index)
    raster = coarse(one)
    beyond = one.collimation.beyond(raster) == 1
    assert beyond.sum() > 100
    np.testing.assert_allclose(one.grey(raster)[beyond], one.collimation.grey, atol=1e-5)


def test_visibility_falls_with_size_scatter_and_blur() -> None:
    one = film(0)
    sizes = [replace(one, person=replace(one.person, size=size)).visibility for size in (0.8, 1.0, 1.2, 1.35)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[-1] + 0.2
    for change in ({"scatter": 0.9}, {"blur_mm": 0.8}, {"bone": 0.55}):
        assert replace(one, look=replace(one.look, **change)).visibility < one.visibility
    drawn = [film(n, look).visibility for n in range(20) for look in ("realistic", "wide")]
    assert 0.15 <= min(drawn) < max(drawn) <= 1.0


def test_the_obese_have_less_contrast() -> None:
    def contrast(size: float) -> float:
        """Standard deviation of the log exposure that bone makes, in units of the noise's."""
        one = film(0)
        large = replace(one, person=replace(one.person, size=size))
        over = large.overview
        row, col = (large.head_centre_mm(Side.RIGHT) / over.grid.pixel_mm).astype(int)
        return float(np.exp(-0.5 * over.tissue[row - 5 : row + 5, col - 5 : col + 5].mean()))

    assert contrast(0.8) > contrast(1.0) > contrast(1.3)


def test_wide_look_may_turn_a_film_over_and_says_so() -> None:
    one = replace(film(0, "wide"), look=replace(film(0, "wide").look, inverted=True, clahe=0.0))
    grey = np.linspace(-0.1, 1.1, 50, dtype=np.float32).reshape(5, 10)
    raster = Raster(grey.shape, 1.0)
    np.testing.assert_allclose(one.finished(grey, raster), 1 - np.clip(grey, 0, 1), atol=1e-6)
    assert "inverted" in one.note
    plain = replace(one, look=replace(one.look, inverted=False))
    np.testing.assert_array_equal(plain.finished(grey, raster), grey)
    local = replace(plain, look=replace(plain.look, clahe=3.0)).finished(
        np.tile(grey, (20, 20)), Raster((100, 200), 1.0)
    )
    assert local.min() >= 0
    assert local.max() <= 1


def test_unknown_look_is_refused() -> None:
    with pytest.raises(ValueError, match="realistic, wide"):
        film(0, "wild")
