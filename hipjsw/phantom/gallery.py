"""Films worth laying side by side: a few of a population, varied in sex, osteoarthritis and dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.landmarks import Side
from hipjsw.phantom.film import Film, place, render
from hipjsw.phantom.options import CohortOptions
from hipjsw.phantom.planting import Plant, draw_plant, plant_side, sides_without_width
from hipjsw.phantom.population import draw_person

__all__ = ["caption", "displayed", "varied_films"]

_MOST_PERSONS = 400


def varied_films(seed: int, options: CohortOptions, count: int) -> Iterator[Film]:
    """The first films of a population that differ from each other: no kind of person comes twice before all came.

    Args:
        seed: The population's seed.
        options: How films look and what is planted.
        count: How many films.
    """
    found: Counter[tuple[object, ...]] = Counter()
    shown, limit = 0, 1
    while shown < count:
        before = shown
        for index in range(_MOST_PERSONS):
            person = draw_person(seed, index)
            visit = person.visits[-1]
            plant = draw_plant(seed, person, visit, options.planted)
            worn = any(person.disease[side].osteoarthritis for side in Side)
            kind = plant or (person.sex, worn, person.dataset)
            if found[(kind,)] >= limit or found[(index,)]:
                continue
            found[(kind,)] += 1
            found[(index,)] = 1
            yield place(seed, person, visit, options.look, plant)
            shown += 1
            if shown == count:
                return
        limit += 1
        if shown == before:
            return


def displayed(film: Film) -> NDArray[np.float32]:
    """A film's pixels in display sense (bone bright), 0 to 1 of its range, ``(rows, cols)``."""
    kind = film.placement.format
    most = np.float32(2**kind.bits - 1)
    stored = render(film).astype(np.float32)
    return np.asarray((most - stored if kind.inverted else stored) / most, dtype=np.float32)


def caption(film: Film) -> str:
    """Who and what a film shows, and the exact width in mm of each joint space that has one."""
    person, plant = film.person, film.plant
    without = sides_without_width(plant, plant_side(film.seed, person, film.visit))
    known = [f"{s.value[0].upper()} {film.halves[s].hip.mjsw_mm:.1f}" for s in Side if s not in without]
    age = "" if plant is Plant.CHILD else f" {person.age_band}"
    widths = f", mJSW {', '.join(known)} mm" if known else ""
    note = f"; {film.note}" if film.note else ""
    return f"{'woman' if person.sex == 'F' else 'man'}{age}{widths}{note}"
