"""Views drawn straight against the same views taken from the whole film."""

from functools import cache

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from hipjsw.anatomy.landmarks import HipLandmarks, Side, split_sides
from hipjsw.imaging.radiograph import Radiograph
from hipjsw.imaging.view import ViewSpec
from hipjsw.phantom.film import Film, place, render
from hipjsw.phantom.population import draw_person
from hipjsw.phantom.views import DrawnView, draw_view, draw_views, hip_view

VIEWS = {
    "coarse": ViewSpec("coarse", 128, 128, 0.8, 32, "head", "view", 0.5, 99.5),
    "hip": ViewSpec("hip", 256, 256, 0.4, 64, "head", "view", 0.5, 99.5),
    "study": ViewSpec("study", 512, 512, 0.9, 0, "film", "film", 5.0, 95.0, judge_padding=True),
}
FILMS = range(6)
HIPS = [(name, index, side) for name in ("coarse", "hip") for index in FILMS for side in Side]


@cache
def film_of(index: int) -> Film:
    person = draw_person(7, index)
    return place(7, person, person.visits[0])


@cache
def radiograph(index: int, noise: bool) -> Radiograph:
    """The film as its reader gives it: display sense."""
    film = film_of(index)
    kind = film.placement.format
    stored = render(film, noise=noise)
    return Radiograph(2**kind.bits - 1 - stored if kind.inverted else stored, kind.spacing, "MONOCHROME2", kind.bits)


@cache
def drawn(name: str, index: int, noise: bool) -> dict[Side, DrawnView]:
    return draw_views(film_of(index), VIEWS[name], noise=noise)


def both_ways(name: str, index: int, side: Side, noise: bool) -> tuple[np.ndarray, np.ndarray]:
    """The view by way of the film, and drawn straight."""
    own = drawn(name, index, noise)[side]
    through, inside = own.view.normalised(radiograph(index, noise), VIEWS[name])
    np.testing.assert_array_equal(own.inside, inside)
    return through, own.image


def profiles(image: np.ndarray, line: np.ndarray, reach_px: float) -> tuple[np.ndarray, np.ndarray]:
    """Grey across a line ``(n, 2)``: places in pixels along the normal, values ``(n, places)``."""
    tangent = np.gradient(line, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]])
    along = np.arange(-reach_px, reach_px + 1e-9, 0.05)
    rays = line[:, None] + along[None, :, None] * normal[:, None]
    return along, map_coordinates(image, rays.reshape(-1, 2).T, order=1).reshape(rays.shape[:2])


def crossing(along: np.ndarray, values: np.ndarray, level: float, near: float) -> float:
    """Where values pass a level, nearest to a place."""
    at = np.flatnonzero((values[:-1] - level) * (values[1:] - level) <= 0)
    if len(at) == 0:
        return np.nan
    places = along[at] + (along[1] - along[0]) * (level - values[at]) / (values[at + 1] - values[at] + 1e-12)
    return float(places[np.argmin(np.abs(places - near))])


def edge_shifts_mm(through: np.ndarray, straight: np.ndarray, line: np.ndarray, pixel_mm: float) -> np.ndarray:
    """How far the 50 % crossings of the edge along a line lie apart, mm; places without contrast are left out."""
    along, one = profiles(through, line, 1.6 / pixel_mm)
    _, other = profiles(straight, line, 1.6 / pixel_mm)
    shifts = []
    for a, b in zip(one, other, strict=True):
        if np.ptp(a) >= 0.05:
            steepest = along[np.argmax(np.abs(np.gradient(a)))]
            places = [crossing(along, values, 0.5 * (values.min() + values.max()), steepest) for values in (b, a)]
            shifts.append(places[0] - places[1])
    return pixel_mm * np.array(shifts)


@pytest.mark.parametrize(("name", "index", "side"), HIPS)
def test_a_view_drawn_straight_is_the_view_taken_from_the_film(name: str, index: int, side: Side) -> None:
    # Seen: mean difference 0.0014, correlation 0.9999; at worst, with a lead letter in the view, 0.008 and 0.9988.
    through, straight = both_ways(name, index, side, noise=False)
    assert np.abs(through - straight).mean() < 0.01
    assert np.corrcoef(through.ravel(), straight.ravel())[0, 1] > 0.998


@pytest.mark.parametrize(("name", "index", "side"), HIPS)
def test_edges_of_head_and_roof_lie_where_they_lie_on_the_film(name: str, index: int, side: Side) -> None:
    # Seen: median 0.018 mm, at worst 0.036; nine in ten below 0.045 mm, at worst 0.082.
    through, straight = both_ways(name, index, side, noise=False)
    marks = drawn(name, index, False)[side].landmarks
    for line in (marks.head_margin(1.0), marks.sourcil.sample(1.0)):
        shifts = edge_shifts_mm(through, straight, line, VIEWS[name].pixel_mm)
        assert np.isfinite(shifts).mean() > 0.9
        assert abs(np.nanmedian(shifts)) < 0.06
        assert np.nanquantile(np.abs(shifts), 0.9) < 0.15


@pytest.mark.parametrize(("name", "index", "side"), HIPS)
def test_noise_is_as_strong_and_as_fine_as_on_the_film(name: str, index: int, side: Side) -> None:
    # Seen: 0.91 to 0.99 of the film's; the correlation of neighbours lower by up to 0.09.
    patch = (slice(40, -40), slice(40, -40))
    noisy, clear = (both_ways(name, index, side, noise) for noise in (True, False))
    through, straight = (noisy[way][patch] - clear[way][patch] for way in range(2))
    assert 0.8 < straight.std() / through.std() < 1.25
    near = [np.corrcoef(grain[:, 1:].ravel(), grain[:, :-1].ravel())[0, 1] for grain in (through, straight)]
    assert abs(near[0] - near[1]) < 0.15
    assert np.abs(np.corrcoef(through.ravel(), straight.ravel())[0, 1]) < 0.1  # each way has noise of its own


def test_percentiles_of_the_film_are_near_those_of_its_overview() -> None:
    # Seen: mean difference 0.003, correlation 0.9998.
    for side in Side:
        through, straight = both_ways("study", 2, side, noise=False)
        assert np.abs(through - straight).mean() < 0.02
        assert np.corrcoef(through.ravel(), straight.ravel())[0, 1] > 0.998


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_a_view_is_whole(name: str) -> None:
    spec = VIEWS[name]
    for side, own in drawn(name, 2, True).items():
        assert own.image.shape == own.inside.shape == own.labels.shape[1:] == spec.stored_shape
        assert own.image.dtype == own.labels.dtype == np.float32
        assert own.image.min() >= 0
        assert own.image.max() <= 1
        assert (own.image[~own.inside] == 0).all()
        np.testing.assert_allclose(own.labels.sum(axis=0), 1.0, atol=1e-5)
        on_film = split_sides(film_of(2).points_mm)[side].points
        np.testing.assert_allclose(own.view.to_film_mm(own.landmarks.points), on_film, atol=1e-9)
        assert own.landmarks.points[70, 1] < own.landmarks.points[74, 1]  # medial towards larger columns


def test_person_visit_and_side_decide_a_view() -> None:
    film, spec = film_of(2), VIEWS["coarse"]
    again = place(7, film.person, film.visit)
    for side, own in drawn("coarse", 2, True).items():
        np.testing.assert_array_equal(draw_views(again, spec)[side].image, own.image)
        clear = drawn("coarse", 2, False)[side].image
        assert (own.image != clear).any()
    right, left = (drawn("coarse", 2, True)[s].image - drawn("coarse", 2, False)[s].image for s in Side)
    assert abs(np.corrcoef(right.ravel(), left.ravel())[0, 1]) < 0.1


def test_points_with_errors_move_the_view_and_not_what_it_shows() -> None:
    film, spec = film_of(2), VIEWS["coarse"]
    moved = film.points_mm + np.array([0.8 * 3, 0.0])
    shifted = draw_views(film, spec, moved, noise=False)[Side.RIGHT]
    plain = drawn("coarse", 2, False)[Side.RIGHT]
    np.testing.assert_allclose(shifted.landmarks.points, plain.landmarks.points, atol=1e-9)
    np.testing.assert_allclose(shifted.labels, plain.labels, atol=1e-6)
    a, b = shifted.image[:-3].ravel(), plain.image[3:].ravel()
    assert np.corrcoef(a, b)[0, 1] > 0.999


def test_outside_the_film_is_nothing() -> None:
    film, spec = film_of(2), VIEWS["coarse"]
    marks = split_sides(film.points_mm)[Side.RIGHT]
    far = HipLandmarks(marks.points - (marks.points[18:28].mean(axis=0) - (10.0, 30.0)), Side.RIGHT)
    view = hip_view(film, far, spec)
    image, inside = draw_view(film, view, spec)
    _, expected = view.sample(np.zeros(film.placement.format.shape, dtype=np.float32))
    np.testing.assert_array_equal(inside, expected)
    assert 0 < inside.mean() < 0.9
    assert (image[~inside] == 0).all()
    nowhere, none = draw_view(film, hip_view(film, HipLandmarks(marks.points - 1e3, Side.RIGHT), spec), spec)
    assert not none.any()
    assert not nowhere.any()
