"""Which film has which quirk: each once, a person of its own each, the seed's alone; expectations that rules know."""

import numpy as np
import pytest

from hipjsw.cohort.rules import RULES
from hipjsw.phantom.film import place
from hipjsw.phantom.population import draw_person
from hipjsw.phantom.quirks import EXPECTED, PLANTS, FilmQuirk, plan_quirks, renamed

SEED, SUBJECTS = 7, 48


@pytest.fixture(scope="module")
def plan() -> dict[tuple[int, int], FilmQuirk]:
    return dict(plan_quirks(SEED, SUBJECTS, "realistic", 0.0))


def test_every_quirk_is_on_one_film_of_a_person_of_its_own(plan: dict[tuple[int, int], FilmQuirk]) -> None:
    assert sorted(plan.values()) == sorted(set(FilmQuirk) - {FilmQuirk.TWO_SPACINGS})
    assert len({index for index, _ in plan}) == len(plan)
    assert all(0 <= index < SUBJECTS for index, _ in plan)
    assert plan == plan_quirks(SEED, SUBJECTS, "realistic", 0.0)


def test_formats_are_those_a_quirk_needs(plan: dict[tuple[int, int], FilmQuirk]) -> None:
    kinds = {}
    for (index, number), quirk in plan.items():
        person = draw_person(SEED, index)
        visit = next(v for v in person.visits if v.number == number)
        kinds[quirk] = place(SEED, person, visit).placement.format
    assert kinds[FilmQuirk.MONOCHROME1].inverted
    assert kinds[FilmQuirk.IMAGER_POINTS].imager_mm / kinds[FilmQuirk.IMAGER_POINTS].pixel_mm == pytest.approx(
        1.0142, abs=1e-4
    )
    assert kinds[FilmQuirk.SUFFIX].name == "OAI"
    assert all(kinds[quirk].imager_mm == kinds[quirk].pixel_mm for quirk in (FilmQuirk.ZERO_SPACING, FilmQuirk.PNG))


def test_expectations_are_rules_with_their_severity() -> None:
    assert set(EXPECTED) == set(FilmQuirk)
    order = ("", "info", "warning", "error")
    for expected in EXPECTED.values():
        assert {*expected.rules, *expected.also} <= set(RULES)
        worst = max((order.index(RULES[rule].severity.value) for rule in expected.rules), default=0)
        assert expected.severity == order[worst]
    assert set(PLANTS) <= set(FilmQuirk)


def test_only_the_person_of_the_odd_name_is_renamed(plan: dict[tuple[int, int], FilmQuirk]) -> None:
    odd = {index for (index, _), quirk in plan.items() if quirk is FilmQuirk.UNICODE}
    for index in range(SUBJECTS):
        person = draw_person(SEED, index)
        name = renamed(person, plan).subject
        assert (name != person.subject) == (index in odd)
        assert name.isascii() == (index not in odd)
        assert person.subject in name


def test_few_persons_are_refused_with_advice() -> None:
    with pytest.raises(ValueError, match="ask for more persons"):
        plan_quirks(SEED, 12, "realistic", 0.0)


def test_other_seeds_deal_otherwise(plan: dict[tuple[int, int], FilmQuirk]) -> None:
    assert dict(plan_quirks(SEED + 1, 60, "realistic", 0.0)) != plan
    assert np.all([isinstance(quirk, FilmQuirk) for quirk in plan.values()])
