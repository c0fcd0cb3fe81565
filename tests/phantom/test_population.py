"""Persons: who they are, and that they depend on seed and index alone."""

from collections import Counter
from functools import cache

import numpy as np
import pytest

from hipjsw.anatomy.landmarks import Side
from hipjsw.phantom.population import draw_person

PERSONS = [draw_person(3, index) for index in range(600)]


@cache
def widths(sex: str | None = None) -> np.ndarray:
    some = [p for p in PERSONS if sex in (None, p.sex)]
    return np.array([[p.hip(side, p.visits[0]).hip.mjsw_mm for side in Side] for p in some])


def test_a_person_depends_on_seed_and_index_alone() -> None:
    assert draw_person(3, 17) == PERSONS[17]
    assert draw_person(4, 17) != PERSONS[17]


def test_widths_are_those_of_the_population() -> None:
    normal = {sex: np.concatenate([w[w > 2.0] for w in widths(sex)]) for sex in ("F", "M")}
    assert normal["F"].mean() == pytest.approx(3.9, abs=0.2)
    assert normal["M"].mean() == pytest.approx(4.2, abs=0.2)
    assert normal["F"].std() == pytest.approx(0.9, abs=0.15)
    assert 0.06 < (widths() <= 2.0).mean() < 0.14


def test_two_hips_of_a_person_are_alike_but_not_equal() -> None:
    both = widths()
    assert 0.4 < np.corrcoef(both.T)[0, 1] < 0.9
    assert (both[:, 0] != both[:, 1]).mean() > 0.98


def test_head_diameters() -> None:
    diameters = [2 * p.hips[side].head_radius_mm for p in PERSONS for side in Side]
    assert np.mean(diameters) == pytest.approx(55.0, abs=1.5)
    assert np.std(diameters) == pytest.approx(4.0, abs=1.0)


def test_ids_are_unique_within_a_dataset_and_some_coincide_across() -> None:
    ids = Counter((p.dataset, p.subject) for p in PERSONS)
    assert max(ids.values()) == 1
    assert {p.subject for p in PERSONS if p.dataset == "OAI"} & {p.subject for p in PERSONS if p.dataset == "CHECK"}
    assert all(len(p.subject) == 7 and p.subject.isdigit() for p in PERSONS)


def test_datasets_and_visits() -> None:
    assert np.mean([p.dataset == "OAI" for p in PERSONS]) == pytest.approx(0.6, abs=0.06)
    assert np.mean([len(p.visits) > 1 for p in PERSONS]) == pytest.approx(0.35, abs=0.06)
    for person in PERSONS:
        assert 1 <= len(person.visits) <= 3
        days = [visit.day for visit in person.visits]
        assert days == sorted(set(days))


def test_only_osteoarthritis_loses_joint_space() -> None:
    seen = set()
    for person in (p for p in PERSONS if len(p.visits) > 1):
        first, last = person.visits[0], person.visits[-1]
        for side in Side:
            before, after = (person.hip(side, visit).hip.mjsw_mm for visit in (first, last))
            speed = person.loss_mm_per_year[side]
            seen.add(speed > 0)
            assert speed == 0 or 0.1 <= speed <= 0.2
            assert before - after == pytest.approx(min(speed * (last.years - first.years), before), abs=0.02)
    assert seen == {True, False}


def test_most_healthy_hips_are_widest_laterally_and_narrowest_medially() -> None:
    healthy = [p.hips[s] for p in PERSONS for s in Side if p.loss_mm_per_year[s] == 0]
    widths_mm = np.array([f.width_mm(np.array([-f.edge_deg, 0.0, f.medial_deg])) for f in healthy])
    lateral, apical, medial = widths_mm.T
    assert (lateral > apical).mean() > 0.8
    assert (apical > medial).mean() > 0.6
