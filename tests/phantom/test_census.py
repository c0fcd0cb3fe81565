"""The census: its counts against plain counting, and its table."""

import math
from functools import cache

import numpy as np
import pytest

from hipjsw.anatomy.landmarks import Side
from hipjsw.phantom.census import PUBLISHED, CensusRow, census, markdown
from hipjsw.phantom.population import draw_person

PERSONS = [draw_person(2, index) for index in range(120)]


@cache
def rows() -> dict[str, CensusRow]:
    return {row.group: row for row in census(PERSONS)}


def test_groups_add_up() -> None:
    hips = {group: row.figures["hips"] for group, row in rows().items()}
    assert hips["all"] == 2 * len(PERSONS) == hips["women, all"] + hips["men, all"]
    for sex in ("women", "men"):
        assert hips[f"{sex}, all"] == hips[f"{sex}, healthy"] + hips[f"{sex}, osteoarthritis"]


def test_widths_are_those_of_the_hips_at_the_first_visit() -> None:
    width = np.array([p.hip(side, p.visits[0]).hip.mjsw_mm for p in PERSONS for side in Side])
    figures = rows()["all"].figures
    assert figures["mJSW mm, mean"] == pytest.approx(width.mean())
    assert figures["mJSW mm, SD"] == pytest.approx(width.std())
    assert figures["share <= 2.0 mm"] == pytest.approx((width <= 2.0).mean())
    assert figures["share <= 2.5 mm"] == pytest.approx((width <= 2.5).mean())


def test_places_of_the_minimum_make_one() -> None:
    for row in rows().values():
        places = [row.figures[f"minimum {third}"] for third in ("lateral", "central", "medial")]
        assert sum(places) == pytest.approx(1.0)


def test_only_osteoarthritis_loses() -> None:
    for sex in ("women", "men"):
        assert rows()[f"{sex}, healthy"].figures["loss mm a year, mean"] == pytest.approx(0.0, abs=1e-6)
    losses = [rows()[f"{sex}, osteoarthritis"].figures["loss mm a year, mean"] for sex in ("women", "men")]
    assert max(loss for loss in losses if math.isfinite(loss)) > 0.03


def test_table_has_a_line_for_each_figure_and_a_cell_for_each_group() -> None:
    table = markdown(tuple(rows().values()))
    lines = table.splitlines()
    assert len(lines) == 2 + len(PUBLISHED)
    assert {line.count("|") for line in lines} == {len(rows()) + 3}
    assert "nan" not in table
    assert "-0.00" not in table


def test_an_empty_group_is_dashes() -> None:
    women = [person for person in PERSONS[:12] if person.sex == "F"]
    table = markdown(census(women))
    assert "nan" not in table
    assert next(row for row in census(women) if row.group == "men, all").figures["hips"] == 0
