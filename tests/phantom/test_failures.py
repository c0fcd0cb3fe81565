"""Planted failures: drawn anew they are the same, and each is what it says it is."""

from functools import cache

import numpy as np
import pytest
import shapely

from hipjsw.anatomy.landmarks import HipLandmarks, Side, split_sides
from hipjsw.imaging.view import HipView, ViewSpec
from hipjsw.phantom import failures
from hipjsw.phantom.body_parts import PARTS
from hipjsw.phantom.failures import Failure, FailureView, failure_view, failure_views, good_view, good_views
from hipjsw.phantom.film import Film, place
from hipjsw.phantom.population import draw_person
from hipjsw.phantom.views import draw_view, hip_view

SEED = 31
SPEC = ViewSpec("coarse", 128, 128, 0.8, 32, "head", "view", 0.5, 99.5)
NETWORK = slice(SPEC.margin_px, -SPEC.margin_px)
#: How many of each kind are drawn here: every variant at least once.
COUNTS = dict.fromkeys(Failure, 3) | {Failure.OTHER_PART: 10, Failure.UPSIDE_DOWN: 6, Failure.CUT: 6}
GOOD = range(4)


@cache
def drawn(kind: Failure) -> list[FailureView]:
    return list(failure_views(kind, COUNTS[kind], SEED, SPEC))


@cache
def good() -> list[FailureView]:
    return list(good_views(len(GOOD), SEED, SPEC))


def film_of(index: int) -> Film:
    person = draw_person(SEED, index)
    return place(SEED, person, person.visits[-1])


@cache
def plain(person: int) -> dict[Side, np.ndarray]:
    """The plain views of a person, drawn without this room's failures."""
    film = film_of(person)
    views = {side: hip_view(film, marks, SPEC) for side, marks in split_sides(film.points_mm).items()}
    return {side: draw_view(film, view, SPEC)[0] for side, view in views.items()}


def difference(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one[NETWORK, NETWORK] - other[NETWORK, NETWORK]).mean())


def bearing_lines(marks: HipLandmarks) -> tuple[np.ndarray, np.ndarray]:
    """Sourcil, and the head's margin between the rays to its ends."""
    sourcil, head = marks.sourcil.sample(0.2), marks.head_margin(0.2)
    centre, radius = marks.head_circle()
    fan = shapely.Polygon([centre, *(centre + 3 * radius * (p - centre) / np.linalg.norm(p - centre) for p in sourcil)])
    return sourcil, head[shapely.contains_xy(fan, head)]


def hidden(view: FailureView, line: np.ndarray) -> float:
    """Share of a line ``(n, 2)`` in view pixels that lies on no exposed film."""
    row, col = np.rint(line).astype(int).T
    return float(np.mean(~view.exposed[row, col]))


# What every view is


@pytest.mark.parametrize("kind", list(Failure))
def test_a_view_is_a_view_of_the_spec(kind: Failure) -> None:
    views = drawn(kind)
    assert [view.number for view in views] == list(range(COUNTS[kind]))
    for view in views:
        assert view.image.dtype == np.float32
        assert view.inside.dtype == view.exposed.dtype == np.bool_
        assert view.image.shape == view.inside.shape == view.exposed.shape == SPEC.stored_shape
        assert (view.kind, view.mjsw_mm, view.pixel_mm) == (kind, None, SPEC.pixel_mm)
        assert view.caption
        assert not (view.exposed & ~view.inside).any()
        assert not view.image[~view.inside].any()
        assert view.exposed.mean() > 0.15


@pytest.mark.parametrize("kind", list(Failure))
def test_grey_runs_between_the_specs_percentiles_of_the_film(kind: Failure) -> None:
    for view in drawn(kind):
        film = view.image[view.exposed]
        assert view.image[view.inside].min() == 0.0
        assert view.image.max() == pytest.approx(1.0)
        assert 0.05 < np.std(film) < 0.45
        if view.exposed.all():  # then the percentiles are those of the whole view
            ends = np.percentile(film, (SPEC.low_percentile, SPEC.high_percentile))
            assert ends == pytest.approx([0.0, 1.0], abs=0.01)


@pytest.mark.parametrize("kind", list(Failure))
def test_a_view_is_decided_by_kind_seed_and_number_alone(kind: Failure) -> None:
    number = COUNTS[kind] - 1
    again = failure_view(kind, number, SEED, SPEC)
    for name in ("image", "inside", "exposed"):
        np.testing.assert_array_equal(getattr(again, name), getattr(drawn(kind)[number], name))
    assert (again.caption, again.person) == (drawn(kind)[number].caption, drawn(kind)[number].person)
    assert difference(failure_view(kind, number, SEED + 1, SPEC).image, again.image) > 0.01


def test_no_person_comes_twice_or_is_one_of_a_cohort() -> None:
    persons = [view.person for kind in Failure for view in drawn(kind)] + [view.person for view in good()]
    assert len(set(persons)) == len(persons)
    assert min(persons) >= 1_000_000


# Plain hips


def test_a_good_view_is_the_plain_view_with_its_exact_width() -> None:
    sides = set()
    for view in good():
        assert view.kind is None
        assert view.landmarks is not None
        side = view.landmarks.side
        sides.add(side)
        np.testing.assert_array_equal(view.image, plain(view.person)[side])
        head = shapely.LineString(view.landmarks.head_margin(0.02))
        width_mm = view.pixel_mm * shapely.LineString(view.landmarks.sourcil.sample(0.02)).distance(head)
        assert view.mjsw_mm == pytest.approx(width_mm, abs=0.06)  # landmarks' splines against the curves themselves
        assert hidden(view, np.concatenate(bearing_lines(view.landmarks))) == 0.0
    assert sides == set(Side)


def test_a_good_view_comes_alone_as_among_others() -> None:
    np.testing.assert_array_equal(good_view(3, SEED, SPEC).image, good()[3].image)


# What each failure is


@pytest.mark.parametrize("kind", list(Failure))
def test_a_failure_does_not_look_like_its_persons_hips(kind: Failure) -> None:
    person = good()[0].person
    film = film_of(person)
    marks = split_sides(film.points_mm)[Side.RIGHT]
    noise = difference(draw_view(film, hip_view(film, marks, SPEC), SPEC, noise=False)[0], plain(person)[Side.RIGHT])
    for view in drawn(kind)[:2]:
        for image in plain(view.person).values():
            assert difference(view.image, image) > max(0.03, 3 * noise)


def test_upside_down_views_are_the_plain_views_turned() -> None:
    undo = (
        lambda a: a[::-1],
        lambda a: a[::-1, ::-1],
        lambda a: a[::-1],
        lambda a: a[::-1, ::-1],
        lambda a: np.rot90(a, -1),
        lambda a: np.rot90(a, 1),
    )
    for view, back in zip(drawn(Failure.UPSIDE_DOWN), undo, strict=True):
        images = list(plain(view.person).values())
        assert sum(np.array_equal(back(view.image), image) for image in images) == 1
        assert view.image.flags.c_contiguous


def test_a_view_that_is_not_square_is_never_laid_on_its_side() -> None:
    wide = ViewSpec("wide", 64, 96, 1.6, 0, "head", "view", 0.5, 99.5)
    for number in (4, 5):
        view = failure_view(Failure.UPSIDE_DOWN, number, SEED, wide)
        assert view.image.shape == wide.stored_shape
        assert "90" not in view.caption


def test_a_drawn_cut_takes_the_joint() -> None:
    ways = set()
    for view in drawn(Failure.CUT):
        assert view.landmarks is not None
        lost = [hidden(view, line) for line in bearing_lines(view.landmarks)]
        assert max(lost) >= 0.2
        said = [int(word[:-1]) / 100 for word in view.caption.split() if word.endswith("%")]
        assert lost == pytest.approx(said, abs=0.06)
        beyond = view.inside & ~view.exposed
        if beyond.any():  # one grey, but for the blade's soft edge
            grey = np.median(view.image[beyond])
            assert grey in (0.0, 1.0)
            assert np.mean(view.image[beyond] == grey) > 0.97
            ways.add("white" if grey else "black")
        else:
            assert not view.inside.all()
            ways.add("border")
    assert ways == {"white", "black", "border"}


def test_a_prosthesis_is_bright_about_the_views_middle() -> None:
    for view in drawn(Failure.PROSTHESIS):
        middle = view.image[86:106, 86:106]
        assert np.mean(middle > 0.8) > 0.95


# Other parts


def test_every_other_part_comes() -> None:
    captions = {
        view.caption.replace("forearm", "long bones").replace("lower leg", "long bones")
        for view in drawn(Failure.OTHER_PART)
    }
    assert captions == {*PARTS, "iliac wing", "femoral shaft", "sacrum", "symphysis", "lumbar spine"}
    assert all(view.landmarks is None for view in drawn(Failure.OTHER_PART))


def test_no_sourcil_is_in_a_networks_view_of_another_part_of_the_pelvis() -> None:
    half = 0.5 * SPEC.rows_px
    for number in [10 * turn + nth for turn in range(5) for nth in range(5, 10)]:
        laid = failures._other_part(failures._ordered(5, number, SEED, SPEC))  # a view does not give its film away
        assert isinstance(laid.view, HipView)
        middle = (np.array(laid.view.shape) - 1) / 2
        for marks in split_sides(laid.film.points_mm).values():
            away = np.abs(laid.view.from_film_mm(marks.sourcil.sample(1.0)) - middle)
            assert away.max(axis=1).min() > half


# What is refused


@pytest.mark.parametrize(("count", "seed"), [(-1, 0), (1, -1), (100_000, 0)])
def test_numbers_that_name_no_view(count: int, seed: int) -> None:
    with pytest.raises(ValueError, match="numbered from 0"):
        failure_views(Failure.CHILD, count, seed, SPEC)
    with pytest.raises(ValueError, match="numbered from 0"):
        good_views(count, seed, SPEC)


def test_a_view_of_a_whole_film_is_no_hips() -> None:
    whole = ViewSpec("study", 512, 512, 0.9, 0, "film", "film", 5.0, 95.0)
    with pytest.raises(ValueError, match="must be 'head'"):
        failure_views(Failure.CUT, 1, SEED, whole)
