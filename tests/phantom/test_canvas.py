"""The canvas: bone begins at its curve, depth is depth, and what is drawn does not depend on the grid."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from hipjsw.anatomy.landmarks import Side
from hipjsw.phantom.bone_femur import femur_elements
from hipjsw.phantom.bone_pelvis import pelvis_elements
from hipjsw.phantom.canvas import COMPACT_PER_MM, SPONGY_PER_MM, Canvas, trabeculae
from hipjsw.phantom.coverage import Window, cover
from hipjsw.phantom.field import blob, constant, total
from hipjsw.phantom.film import Film, place
from hipjsw.phantom.population import draw_person
from hipjsw.phantom.raster import Raster
from hipjsw.phantom.solid import Element, Patch, Solid, Stroke

#: Persons whose hips are drawn, of all kinds of film.
HIPS = [(index, side) for index in (0, 2, 5) for side in Side]
#: Grids: the film's own and two of hip views.
PIXELS = (None, 0.4, 0.8)
REACH_MM = 44.0


@cache
def film(index: int) -> Film:
    person = draw_person(7, index)
    return place(7, person, person.visits[0])


def bones(index: int, side: Side) -> dict[str, Solid]:
    """Femur and ilium alone, without folds, strokes and patches."""
    half, placement = film(index).halves[side], film(index).placement
    elements = [*femur_elements(half, side, placement), *pelvis_elements(half, side, placement)]
    return {e.name: e for e in elements if isinstance(e, Solid) and e.name in ("femur", "ilium")}


def grid(index: int, side: Side, pixel_mm: float | None) -> Raster:
    """The part of a film's pixels (or of coarser ones) round a head."""
    pixel = pixel_mm or film(index).placement.format.pixel_mm
    corner = np.round((film(index).head_centre_mm(side) - REACH_MM) / pixel) * pixel
    count = int(np.ceil(2 * REACH_MM / pixel))
    return Raster((count, count), pixel, (float(corner[0]), float(corner[1])))


def drawn(raster: Raster, *elements: Element, grain: float = 1.0) -> np.ndarray:
    canvas = Canvas(raster, (3.0, 5.0), grain)
    canvas.draw(elements)
    return canvas.attenuation


def as_plate(solid: Solid) -> Solid:
    """The same outline as a plate of even attenuation 1, so that a pixel shows its share of bone."""
    return replace(solid, round_mm=1e-6, cortex_mm=0.0, plate_mm=1 / COMPACT_PER_MM, spongy=0.0, factor=1.0, grain=0.0)


def true_edge_mm(index: int, side: Side, name: str) -> np.ndarray:
    """Head margin or sourcil on the film, straight from the functions of the angle that define them."""
    form = film(index).halves[side].hip.form
    angle = np.linspace(3.0 - form.edge_deg, form.medial_deg - 3.0, 4000)
    radius = form.head_mm(angle) + (form.width_mm(angle) if name == "ilium" else 0.0)
    polar = np.deg2rad(angle)
    points = np.column_stack([-np.cos(polar) * radius, np.sin(polar) * radius])
    return film(index).placement.hip_to_mm(points, side)


def depth_of_edge(share: float, normal: np.ndarray) -> float:
    """How deep a pixel's centre lies inside a straight edge that leaves ``share`` of its square inside."""
    wide, narrow = np.sort(np.abs(normal))[::-1]
    depth = np.linspace(-0.75, 0.75, 1501)
    across = (np.arange(64) + 0.5) / 64 - 0.5
    area = np.clip((depth[:, None] + across * narrow) / wide + 0.5, 0.0, 1.0).mean(axis=1)
    return float(np.interp(share, area, depth))


@pytest.mark.parametrize("pixel_mm", PIXELS)
@pytest.mark.parametrize(("index", "side"), HIPS)
def test_bone_begins_within_a_tenth_of_a_pixel_of_its_curve(index: int, side: Side, pixel_mm: float | None) -> None:
    raster = grid(index, side, pixel_mm)
    centre = raster.to_px(film(index).head_centre_mm(side)[None])[0]
    for name, solid in bones(index, side).items():
        share = drawn(raster, as_plate(solid))
        assert (drawn(raster, solid)[share > 1e-6] > 0).all()  # bone is where its plate is
        edge = raster.to_px(true_edge_mm(index, side, name))
        line = shapely.LineString(edge)
        pixels = np.argwhere((share > 0.02) & (share < 0.98))
        along = shapely.line_locate_point(line, shapely.points(pixels))
        distance = shapely.distance(line, shapely.points(pixels))
        crossed = (distance < 0.8) & (along > 2) & (along < line.length - 2)
        found = []
        for pixel, place_px, far in zip(pixels[crossed], along[crossed], distance[crossed], strict=True):
            before, foot, after = (
                shapely.get_coordinates(line.interpolate(place_px + step))[0] for step in (-0.5, 0.0, 0.5)
            )
            tangent = (after - before) / np.linalg.norm(after - before)
            outside = np.linalg.norm(pixel - centre) > np.linalg.norm(foot - centre)
            deep = far if outside == (name == "ilium") else -far
            found.append(depth_of_edge(share[tuple(pixel)], tangent[::-1]) - deep)
        assert len(found) > 10
        assert np.abs(found).max() < 0.02  # the promise is 0.1
        assert abs(np.mean(found)) < 0.005


@pytest.mark.parametrize("pixel_mm", [0.4, 0.8])
@pytest.mark.parametrize(("index", "side"), HIPS[1:4])
def test_bone_is_on_exactly_those_pixels_that_its_outline_meets(index: int, side: Side, pixel_mm: float) -> None:
    raster = grid(index, side, pixel_mm)
    rows, cols = np.mgrid[: raster.shape[0], : raster.shape[1]]
    squares = shapely.box(rows - 0.5, cols - 0.5, rows + 0.5, cols + 0.5)
    for solid in bones(index, side).values():
        outline = shapely.make_valid(shapely.Polygon(raster.to_px(solid.outlines_mm[0])))
        shapely.prepare(outline)
        value = drawn(raster, solid)
        meets = shapely.intersects(outline, squares)
        assert 0.1 < meets.mean() < 0.9
        assert (value[~meets] == 0).all()
        shared = np.zeros(raster.shape)
        inner = shapely.contains(outline, squares)
        shared[inner] = 1.0
        border = meets & ~inner
        shared[border] = shapely.area(shapely.intersection(outline, squares[border]))
        assert (value[shared > 1e-6] > 0).all()


def disc(centre: np.ndarray, radius: float) -> np.ndarray:
    angle = np.linspace(0.0, 2 * np.pi, 2000, endpoint=False)
    return centre + radius * np.column_stack([np.sin(angle), np.cos(angle)])


def depth_px(outlines: list[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    return Canvas(Raster(shape, 1.0))._depth_mm(cover(outlines, Window(0, 0, *shape)))


def check_depth(found: np.ndarray, true: np.ndarray) -> None:
    """Within 0.15 px near the edge, within a few percent deep inside."""
    near, deep = (true > 0.6) & (true < 8), true > 8
    assert near.sum() > 50
    error = np.abs(found - true)
    assert np.median(error[near]) < 0.04
    assert np.percentile(error[near], 98) < 0.15
    assert error[near].max() < 0.25
    assert abs((found - true)[near].mean()) < 0.03
    assert (error[deep] < 0.04 * true[deep]).all()


@settings(max_examples=25, deadline=None)
@given(st.floats(58, 62), st.floats(58, 62), st.floats(20, 50))
def test_depth_below_a_circle_is_the_distance_to_it(row: float, col: float, radius: float) -> None:
    centre = np.array([row, col])
    rows, cols = np.mgrid[:120, :120]
    check_depth(depth_px([disc(centre, radius)], (120, 120)), radius - np.hypot(rows - row, cols - col))


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 2 * np.pi), st.floats(-1, 1))
def test_depth_below_a_straight_edge_is_the_distance_to_it(turn: float, shift: float) -> None:
    inward = np.array([np.cos(turn), np.sin(turn)])
    along, foot = np.array([-inward[1], inward[0]]), np.array([60.0, 60.0]) + shift * inward
    corners = [foot - 300 * along, foot + 300 * along, foot + 300 * (along + inward), foot + 300 * (inward - along)]
    true = (np.indices((120, 120)).transpose(1, 2, 0) - foot) @ inward
    middle = np.hypot(*(np.indices((120, 120)) - 60.0)) < 45  # where the edge's foot is on the grid
    check_depth(depth_px([np.array(corners)], (120, 120))[middle], true[middle])


def test_depth_round_the_tip_of_a_notch_is_the_distance_to_the_tip() -> None:
    centre = np.array([60.0, 60.0])
    notched = np.concatenate([disc(centre, 50.0)[20:-20], [[60.3, 50.2]]])  # a wedge from the right edge inwards
    found = depth_px([notched], (120, 120))
    rows, cols = np.nonzero(cover([notched], Window(0, 0, 120, 120)) > 0.999)
    border = shapely.Polygon(notched).exterior
    true = shapely.distance(border, shapely.points(rows, cols))
    error = found[rows, cols] - true
    assert np.percentile(np.abs(error), 90) < 0.5
    assert (np.abs(error) < 1.6 + 0.07 * true).all()


def test_chord_of_a_hollow_cylinder_is_the_analytic_one() -> None:
    """A disc of bone: twice the root of what is left of the radius, marrow within the shell."""
    radius, cortex, pixel = 20.0, 3.0, 0.2
    bone = Solid("rod", (disc(np.array([25.0, 25.0]), radius),), radius, cortex_mm=cortex, spongy=1.0, grain=0.0)
    value = drawn(Raster((250, 250), pixel), bone)
    rows, cols = np.indices((250, 250)) * pixel
    away = np.hypot(rows - 25.0, cols - 25.0)
    outer = 2 * np.sqrt(np.maximum(radius**2 - away**2, 0))
    inner = 2 * np.sqrt(np.maximum((radius - cortex) ** 2 - away**2, 0))
    expected = COMPACT_PER_MM * (outer - inner) + SPONGY_PER_MM * inner
    inside = away < radius - 1.0
    np.testing.assert_allclose(value[inside], expected[inside], rtol=0.06)
    assert value.sum() == pytest.approx(expected.sum(), rel=0.005)


def sample(index: int = 2, side: Side = Side.RIGHT) -> list[Element]:
    """All elements of a hip and its half of the pelvis."""
    half, placement = film(index).halves[side], film(index).placement
    return [*femur_elements(half, side, placement), *pelvis_elements(half, side, placement)]


def lone_bone() -> Solid:
    """A bone with fields that lies wholly on the grid of the next tests."""
    where = np.array([40.0, 36.0])
    angle = np.linspace(0, 2 * np.pi, 300, endpoint=False)
    outline = where + (12 + 3 * np.cos(3 * angle))[:, None] * np.column_stack([np.sin(angle), np.cos(angle)])

    def frame(row: np.ndarray, col: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return row - np.float32(40), col - np.float32(36)

    density = total(constant(0.6), blob((3.0, 2.0), (4.0, 6.0), 0.5))
    return Solid("bone", (outline,), 9.0, cortex_mm=1.2, spongy=density, grain=0.0, frame=frame)


@pytest.mark.parametrize("pixel_mm", [0.17, 0.4])
def test_total_attenuation_does_not_depend_on_where_the_pixels_lie(pixel_mm: float) -> None:
    count = int(80 / pixel_mm)
    totals = []
    for shift in ((0.0, 0.0), (0.31, 0.0), (0.5, 0.5), (0.17, 0.83)):
        raster = Raster((count, count), pixel_mm, (shift[0] * pixel_mm, shift[1] * pixel_mm))
        totals.append(drawn(raster, lone_bone()).sum(dtype=np.float64))
    assert totals == pytest.approx([totals[0]] * 4, rel=0.005)


def test_mirrored_raster_shows_the_mirrored_picture() -> None:
    plain = Raster((300, 340), 0.4, (60.0, 40.0))
    turned = replace(plain, origin_mm=(60.0, 40.0 + 339 * 0.4), mirrored=True)
    one, other = drawn(plain, *sample()), drawn(turned, *sample())[:, ::-1]
    assert one.max() > 0.5
    # What a pixel nearest to two edges alike is measured from may change with the side it is seen from.
    assert other.sum() == pytest.approx(one.sum(), rel=1e-4)
    np.testing.assert_allclose(one, other, atol=0.06)
    assert np.percentile(np.abs(one - other), 99) < 2e-3


def test_patches_and_plates_are_mirrored_to_the_last_digit() -> None:
    plain = Raster((200, 200), 0.4, (-0.13, 0.21))
    turned = replace(plain, origin_mm=(-0.13, 0.21 + 199 * 0.4), mirrored=True)
    elements = [as_plate(lone_bone()), Patch("patch", lone_bone().outlines_mm[0] + 9.0, 0.3)]
    np.testing.assert_allclose(drawn(plain, *elements), drawn(turned, *elements)[:, ::-1], atol=2e-6)


def test_fine_raster_averaged_is_the_coarse_one() -> None:
    coarse, parts = 0.8, 4
    fine = coarse / parts
    first = 0.5 * (fine - coarse)
    few = drawn(Raster((100, 100), coarse), lone_bone())
    many = drawn(Raster((100 * parts, 100 * parts), fine, (first, first)), lone_bone())
    averaged = many.reshape(100, parts, 100, parts).mean(axis=(1, 3))
    inside = averaged > 0.2 * averaged.max()
    assert inside.sum() > 300
    np.testing.assert_allclose(few[inside], averaged[inside], rtol=0.25)
    assert np.abs(few - averaged)[inside].mean() < 0.02 * averaged[inside].mean()
    assert few.sum() == pytest.approx(averaged.sum(), rel=0.01)
    assert ((averaged > 0) == (few > 0)).all()


def test_part_of_a_raster_shows_what_the_whole_shows_there() -> None:
    whole = Raster((400, 420), 0.4, (40.0, 20.0))
    part = Raster((150, 170), 0.4, (40.0 + 120 * 0.4, 20.0 + 110 * 0.4))
    np.testing.assert_allclose(drawn(part, *sample()), drawn(whole, *sample())[120:270, 110:280], atol=0.05)
    difference = np.abs(drawn(part, *sample()) - drawn(whole, *sample())[120:270, 110:280])
    assert np.percentile(difference, 99) < 5e-3


def test_bone_cut_by_the_raster_s_edge_is_as_deep_as_it_is() -> None:
    whole, part = Raster((200, 200), 0.4), Raster((30, 36), 0.4, (86 * 0.4, 74 * 0.4))
    inner, outer = drawn(part, lone_bone()), drawn(whole, lone_bone())[86:116, 74:110]
    assert inner.min() > 0.2  # the bone's outline lies wholly beside the part
    np.testing.assert_allclose(inner, outer, atol=0.012)  # fields are interpolated, from a grid of their own


def test_drawings_add_and_their_order_changes_nothing() -> None:
    raster, elements = Raster((150, 150), 0.8, (60.0, 40.0)), sample()
    half = len(elements) // 2
    together = drawn(raster, *elements)
    np.testing.assert_allclose(drawn(raster, *elements[:half]) + drawn(raster, *elements[half:]), together, atol=1e-5)
    np.testing.assert_allclose(drawn(raster, *elements[::-1]), together, atol=1e-5)
    canvas = Canvas(raster, (3.0, 5.0))
    for element in elements:
        canvas.draw([element])
    np.testing.assert_allclose(canvas.attenuation, together, atol=1e-5)


def test_elements_outside_the_raster_change_nothing() -> None:
    raster = Raster((100, 100), 0.8)
    outline = lone_bone().outlines_mm[0]
    for away in ((500.0, 0.0), (-500.0, 0.0), (0.0, 500.0), (0.0, -500.0), (500.0, -500.0)):
        elsewhere = [
            replace(lone_bone(), outlines_mm=(outline + away,)),
            Patch("patch", outline + away, 1.0, 2.0),
            Stroke("line", outline[:40] + away, 2.0, 1.0, 1.0),
        ]
        assert (drawn(raster, *elsewhere) == 0).all()
        np.testing.assert_array_equal(drawn(raster, lone_bone(), *elsewhere), drawn(raster, lone_bone()))


@pytest.mark.parametrize("soft_mm", [0.0, 0.6, 2.0])
def test_patch_adds_its_amount_times_its_area_however_soft(soft_mm: float) -> None:
    outline, pixel = lone_bone().outlines_mm[0], 0.4
    value = drawn(Raster((200, 200), pixel), Patch("patch", outline, -0.3, soft_mm))
    assert value.sum(dtype=np.float64) * pixel**2 == pytest.approx(-0.3 * shapely.Polygon(outline).area, rel=2e-3)
    assert value.min() == pytest.approx(-0.3, rel=1e-3)
    blurred = (value < -0.003) & (value > -0.297)
    assert (blurred.sum() > 1.5 * shapely.Polygon(outline).length / pixel) == (soft_mm > 0)


def test_stroke_lies_along_its_line() -> None:
    line = np.column_stack([np.full(100, 40.0), np.linspace(10.0, 70.0, 100)])
    value = drawn(Raster((200, 200), 0.4), Stroke("line", line, 3.0, 0.2, 0.5))
    row = (value.sum(axis=1) * np.arange(200)).sum() / value.sum() * 0.4
    assert row == pytest.approx(40.0, abs=0.01)
    assert value[:, 100].sum() * 0.4 == pytest.approx(3.0 * 0.2, rel=0.01)


def test_field_without_a_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a frame"):
        drawn(Raster((100, 100), 0.8), replace(lone_bone(), frame=None))


def test_factor_of_0_leaves_nothing_and_grain_no_mean() -> None:
    raster = Raster((400, 400), 0.2)
    bone = lone_bone()
    assert (drawn(raster, replace(bone, factor=0.0)) == 0).all()
    plain, grainy = drawn(raster, bone), drawn(raster, replace(bone, grain=0.4))
    assert grainy.sum() == pytest.approx(plain.sum(), rel=0.02)
    assert (grainy - plain).std() > 0.005
    np.testing.assert_array_equal(drawn(raster, replace(bone, grain=0.4), grain=0.0), plain)


@pytest.mark.parametrize("streak", [0, 1, 2])
def test_trabeculae_are_seamless_with_mean_0_and_less_of_them_on_coarse_pixels(streak: int) -> None:
    fine, coarse = trabeculae(streak, 0.17), trabeculae(streak, 0.8)
    assert fine.mean() == pytest.approx(0.0, abs=1e-3)
    assert fine.std() == pytest.approx(1.0, abs=1e-3)
    assert coarse.mean() == pytest.approx(0.0, abs=1e-3)
    assert 0.2 < coarse.std() < 0.9
    for axis in (0, 1):
        inner = np.abs(np.diff(fine, axis=axis)).mean()
        seam = np.abs(np.take(fine, 0, axis) - np.take(fine, -1, axis)).mean()
        assert seam < 1.3 * inner


def test_trabeculae_of_a_left_hip_run_the_other_way() -> None:
    """Streaks are seen by how fast the picture changes along both diagonals."""

    def slant(streak: int) -> float:
        tile = trabeculae(streak, 0.17)
        falling, rising = tile[3:, 3:] - tile[:-3, :-3], tile[3:, :-3] - tile[:-3, 3:]
        return float(np.log(falling.var() / rising.var()))

    assert slant(1) * slant(2) < 0
    assert abs(slant(0)) < 0.5 * min(abs(slant(1)), abs(slant(2)))
