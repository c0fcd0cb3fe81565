"""Films chosen to be looked at."""

from __future__ import annotations

from collections import Counter

import numpy as np

from hipjsw.anatomy.landmarks import Side
from hipjsw.phantom.film import render
from hipjsw.phantom.gallery import caption, displayed, varied_films
from hipjsw.phantom.options import CohortOptions
from hipjsw.phantom.planting import Plant


def kind(film) -> tuple[object, ...]:
    worn = any(film.person.disease[side].osteoarthritis for side in Side)
    return film.person.sex, worn, film.person.dataset


def test_no_kind_of_person_comes_twice_before_all_came() -> None:
    films = list(varied_films(1, CohortOptions(), 8))
    assert len({film.person.index for film in films}) == 8
    assert max(Counter(kind(film) for film in films).values()) == 1


def test_more_films_than_kinds_are_given_without_repeating_a_person() -> None:
    films = list(varied_films(1, CohortOptions(), 12))
    assert len({film.person.index for film in films}) == 12


def test_every_plant_is_shown_and_said() -> None:
    films = list(varied_films(2, CohortOptions(planted=1.0), 5))
    assert {film.plant for film in films} == set(Plant)
    assert all(film.plant is not None and film.plant.value in caption(film) for film in films)


def test_a_dark_bone_film_is_turned_over_and_a_bright_bone_film_is_not() -> None:
    seen = set()
    for film in varied_films(1, CohortOptions(), 400):
        turned = film.placement.format.inverted
        if turned in seen:
            continue
        seen.add(turned)
        stored = render(film).astype(float) / (2**film.placement.format.bits - 1)
        np.testing.assert_allclose(displayed(film), 1 - stored if turned else stored, atol=1e-6)
        if len(seen) == 2:
            return
    raise AssertionError("no film of either sense")
