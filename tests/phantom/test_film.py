"""The film: edges where the curves are, a dark joint space, right formats."""

from functools import cache

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from hipjsw.anatomy.landmarks import HipLandmarks, Side, split_sides
from hipjsw.phantom.film import Film, place, render
from hipjsw.phantom.population import draw_person


@cache
def clear_film(index: int) -> tuple[Film, np.ndarray]:
    """A film without noise, bone bright."""
    person = draw_person(7, index)
    film = place(7, person, person.visits[0])
    stored = render(film, noise=False).astype(np.float64)
    return film, (2**film.placement.format.bits - 1 - stored if film.placement.format.inverted else stored)


def normals(line: np.ndarray) -> np.ndarray:
    tangent = np.gradient(line, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    return np.column_stack([-tangent[:, 1], tangent[:, 0]])


def edge_offsets_px(film: Film, image: np.ndarray, curve_mm: np.ndarray, sign: float) -> np.ndarray:
    """Where, across a curve, the steepest step lies: distance in pixels along ``sign`` times the normal."""
    pixel_mm = film.placement.format.pixel_mm
    line = curve_mm / pixel_mm
    along = np.arange(-1.2 / pixel_mm, 1.2 / pixel_mm, 0.1)
    rays = line[:, None] + sign * along[None, :, None] * normals(line)[:, None]
    grey = map_coordinates(image, rays.reshape(-1, 2).T, order=1).reshape(rays.shape[:2])
    return along[np.argmax(-np.gradient(grey, axis=1), axis=1)]


def wide_hips() -> list[tuple[int, Side]]:
    persons = {index: draw_person(7, index) for index in (0, 2, 5)}
    return [(i, s) for i, p in persons.items() for s in Side if p.hip(s, p.visits[0]).hip.mjsw_mm > 2.5]


@pytest.mark.parametrize(("index", "side"), wide_hips())
def test_edges_of_head_and_roof_lie_on_the_curves(index: int, side: Side) -> None:
    film, image = clear_film(index)
    hip = film.halves[side].hip
    angles = np.deg2rad(np.linspace(5.0 - hip.form.edge_deg, hip.form.medial_deg - 5.0, 60))
    flip = 1.0 if side is Side.RIGHT else -1.0
    head, width = hip.form.head_mm(np.rad2deg(angles)), hip.form.width_mm(np.rad2deg(angles))
    for radius, sign in ((head, 1.0), (head + width, -1.0)):
        curve = np.column_stack([-np.cos(angles) * radius, np.sin(angles) * radius])
        offsets = edge_offsets_px(film, image, film.placement.hip_to_mm(curve, side), sign * flip)
        assert np.abs(offsets).max() < 1.6
        assert abs(np.median(offsets)) < 0.8


@pytest.mark.parametrize(("index", "side"), wide_hips())
def test_joint_space_is_darker_than_both_bones(index: int, side: Side) -> None:
    film, image = clear_film(index)
    form = film.halves[side].hip.form
    angles = np.deg2rad(np.linspace(8.0 - form.edge_deg, form.medial_deg - 8.0, 40))
    head, width = form.head_mm(np.rad2deg(angles)), form.width_mm(np.rad2deg(angles))

    def grey(radius: np.ndarray) -> np.ndarray:
        points = np.column_stack([-np.cos(angles) * radius, np.sin(angles) * radius])
        return map_coordinates(image, film.placement.hip_to_px(points, side).T, order=1)

    joint = grey(head + width / 2)
    assert (joint < grey(head - 1.5)).all()
    assert (joint < grey(head + width + 1.5)).all()


def test_points_of_a_film_keep_the_truth_and_the_sides() -> None:
    for index in range(12):
        person = draw_person(9, index)
        film = place(9, person, person.visits[0])
        kind = film.placement.format
        points = film.points_mm
        assert (points >= 0).all()
        assert (points <= (np.array(kind.shape) - 1) * kind.pixel_mm).all()
        sides = split_sides(points)
        assert sides[Side.RIGHT].points[:, 1].mean() < sides[Side.LEFT].points[:, 1].mean()
        for side, marks in sides.items():
            own = HipLandmarks(film.halves[side].landmarks, side)
            lengths = [np.linalg.norm(m.points[:, None] - m.points[None], axis=2) for m in (marks, own)]
            np.testing.assert_allclose(*lengths, atol=1e-9)
            centre, _ = marks.head_circle()
            assert np.linalg.norm(centre - film.head_centre_mm(side)) < 1.5


def test_noise_is_all_that_a_clear_film_lacks() -> None:
    film, clear = clear_film(2)
    noisy = render(film)
    assert noisy.dtype == np.uint16
    assert noisy.shape == film.placement.format.shape
    assert noisy.max() < 2**film.placement.format.bits
    grain = noisy[400:1400, 300:2000] - clear[400:1400, 300:2000]
    assert abs(grain.mean()) < 0.0025 * 2**film.placement.format.bits
    assert 0.003 < grain.std() / np.ptp(clear[400:1400, 300:2000]) < 0.05
