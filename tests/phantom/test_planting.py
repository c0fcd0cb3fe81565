"""What is planted into which film: the share asked for, film by film, and which hips then have no width."""

from collections import Counter

import pytest

from hipjsw.anatomy.landmarks import Side
from hipjsw.phantom.planting import PLANT_RATES, Plant, draw_plant, plant_side, sides_without_width
from hipjsw.phantom.population import Person, Visit, draw_person

SEED = 5
PERSONS = [draw_person(SEED, index) for index in range(400)]
FILMS: list[tuple[Person, Visit]] = [(person, visit) for person in PERSONS for visit in person.visits]


def plants(share: float) -> list[Plant | None]:
    return [draw_plant(SEED, person, visit, share) for person, visit in FILMS]


def test_nothing_is_planted_at_share_0_and_something_everywhere_at_1() -> None:
    assert set(plants(0.0)) == {None}
    assert set(plants(1.0)) == set(Plant)


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_the_share_of_films_is_the_one_asked_for(share: float) -> None:
    drawn = plants(share)
    sd = (share * (1 - share) / len(drawn)) ** 0.5
    assert sum(plant is not None for plant in drawn) / len(drawn) == pytest.approx(share, abs=3 * sd)


def test_kinds_come_at_their_rates() -> None:
    counts = Counter(plants(1.0))
    for plant, rate in PLANT_RATES.items():
        sd = (rate * (1 - rate) / len(FILMS)) ** 0.5
        assert counts[plant] / len(FILMS) == pytest.approx(rate, abs=3.5 * sd)
    assert set(PLANT_RATES) == set(Plant)
    assert sum(PLANT_RATES.values()) == pytest.approx(1.0)


def test_a_larger_share_plants_the_same_and_more() -> None:
    for few, many in zip(plants(0.1), plants(0.4), strict=True):
        assert few is None or few is many


def test_a_film_is_decided_by_seed_person_and_visit_alone() -> None:
    assert plants(0.5) == plants(0.5)
    again = [draw_plant(SEED, draw_person(SEED, p.index), v, 0.5) for p, v in FILMS[:40]]
    assert again == plants(0.5)[:40]
    other = [draw_plant(SEED + 1, person, visit, 0.5) for person, visit in FILMS]
    assert other != plants(0.5)


def test_both_sides_are_planted() -> None:
    sides = Counter(plant_side(SEED, person, visit) for person, visit in FILMS)
    assert sides[Side.RIGHT] / len(FILMS) == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize("side", list(Side))
def test_which_hips_have_no_width(side: Side) -> None:
    (other,) = set(Side) - {side}
    assert sides_without_width(None, side) == frozenset()
    assert sides_without_width(Plant.SCREW, side) == frozenset()
    assert sides_without_width(Plant.PROSTHESIS, side) == {side}
    assert sides_without_width(Plant.SINGLE_HIP, side) == {other}
    for plant in (Plant.CHILD, Plant.FROG_LEG):
        assert sides_without_width(plant, side) == set(Side)
