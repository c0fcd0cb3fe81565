"""Two numberings: there and back, told apart in any unit and place, by phantoms with a shape model's errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipjsw.anatomy.numbering import LONGEST_STEP, OLDER_INDEX, Numbering, longest_step, numbering_of, renumbered
from hipjsw.phantom.film import place
from hipjsw.phantom.planting import Plant
from hipjsw.phantom.points import fit_errors_mm, in_older_numbering
from hipjsw.phantom.population import draw_person


def hips(persons=12, plant=None):
    """Hips ``(80, 2)`` of phantom films in mm, with a shape model's errors."""
    for index in range(persons):
        person = draw_person(4, index)
        film = place(4, person, person.visits[0], "wide", plant)
        points = film.points_mm + fit_errors_mm(film.points_mm, film.visibility, np.random.default_rng(index))
        yield from np.split(points, 2)


HIPS = list(hips())


def test_the_index_is_bonefinders_where_that_is_published():
    femur = [*range(10), 73, 10, 74, 11, 75, 12, 76, 77, 13, 78, *range(14, 29)]
    assert list(OLDER_INDEX[:35]) == femur
    assert list(OLDER_INDEX[67:75]) == [61, 62, 63, 79, 64, 65, 66, 67]
    assert sorted(OLDER_INDEX) == list(range(80))


def test_renumbering_undoes_the_older_order():
    points = np.arange(160.0).reshape(80, 2)
    np.testing.assert_array_equal(renumbered(in_older_numbering(points)), points)
    np.testing.assert_array_equal(in_older_numbering(renumbered(points)), points)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(range(len(HIPS))), st.floats(0.01, 100.0), st.floats(-180, 180), st.floats(-1e4, 1e4), st.booleans()
)
def test_numbering_is_told_in_any_unit_place_and_turn(which, scale, turn_deg, shift, mirrored):
    turn = np.deg2rad(turn_deg)
    matrix = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    hip = HIPS[which] * (1.0, -1.0 if mirrored else 1.0) @ matrix.T + shift
    assert numbering_of(hip) is Numbering.CURRENT
    assert numbering_of(in_older_numbering(hip)) is Numbering.OLDER


def test_children_and_frog_legs_are_in_the_current_numbering_too():
    for plant in (Plant.CHILD, Plant.FROG_LEG):
        for hip in hips(6, plant):
            assert numbering_of(hip) is Numbering.CURRENT
            assert numbering_of(in_older_numbering(hip)) is Numbering.OLDER


def test_a_wrong_order_takes_more_than_twice_as_long_a_step():
    for hip in HIPS:
        assert longest_step(hip) < 0.9
        assert longest_step(in_older_numbering(hip)) > 1.8 * longest_step(hip)
        assert longest_step(in_older_numbering(hip)) > LONGEST_STEP


def test_neither_order_fits_points_that_are_no_hip():
    rng = np.random.default_rng(1)
    assert numbering_of(rng.uniform(0, 300, (80, 2))) is None
    assert numbering_of(HIPS[0][::-1]) is None
    assert numbering_of(HIPS[0][rng.permutation(80)]) is None
    assert numbering_of(np.zeros((80, 2))) is None
    assert numbering_of(np.column_stack([np.arange(80.0)] * 2)) is None


@pytest.mark.parametrize("count", [0, 79, 160])
def test_a_hip_has_eighty_points(count):
    with pytest.raises(ValueError, match="80 landmarks"):
        numbering_of(np.zeros((count, 2)))
