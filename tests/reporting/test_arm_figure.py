"""One measure by arm: what is drawn where."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipjsw.reporting.arm_figure import ArmPoints, arm_svg

ONE = ArmPoints("Dice", 0.95, 0.94, 0.96, (("seed 0", 0.945), ("seed 1", 0.955)), "0.9500", "Dice: 0.9500")


def marks(svg):
    circles = [float(x) for x in re.findall(r'<circle class="c\d run" cx="([\d.]+)"', svg)]
    ends = re.findall(r'<rect class="c\d bar" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', svg)
    boxes = [(float(x), float(width)) for x, width in ends]
    means = [float(x) for x in re.findall(r'<line class="c\d mean" x1="([\d.]+)"', svg)]
    return circles, boxes, means


def test_mean_lies_between_its_seeds_and_the_bar_reaches_from_end_to_end():
    circles, ((left, width),), (mean,) = marks(arm_svg([ONE], "Dice", "x"))
    assert mean == pytest.approx(sum(circles) / 2, abs=0.15)
    assert left < circles[0] < circles[1] < left + width
    assert (mean - left) / width == pytest.approx(0.5, abs=0.01)
    assert (circles[1] - circles[0]) / width == pytest.approx(0.01 / 0.02, abs=0.01)


def test_an_arm_without_numbers_has_its_row_and_no_mark():
    bare = ArmPoints("CE", None, None, None, (), "–", "")
    svg = arm_svg([ONE, bare], "Dice", "x")
    assert ">CE<" in svg
    assert ">–<" in svg
    assert [len(found) for found in marks(svg)] == [2, 1, 1]
    assert arm_svg([bare], "Dice", "x").startswith("<svg")


def test_arms_have_colours_in_turn_and_numbers_where_one_points():
    svg = arm_svg([ONE] * 10, "Dice", "x")
    assert re.findall(r'class="(c\d) mean"', svg) == [f"c{n % 8}" for n in range(10)]
    assert "<title>Dice, seed 0: 0.9450</title>" in svg
    assert "<title>Dice: 0.9500</title>" in svg
    assert "<title>Dice, seed 0: 0.94</title>" in arm_svg([ONE], "Dice", "x", digits=2)


def test_a_long_label_is_cut():
    assert f">{'x' * 39}…<" in arm_svg([ArmPoints("x" * 80, 1.0, None, None, (), "1", "")], "Dice", "x")


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=5), st.floats(0.001, 100))
def test_another_unit_moves_no_mark(values, factor):
    arm = ArmPoints("a", values[0], min(values), max(values), tuple(("s", v) for v in values), "", "")
    one, other = (marks(arm_svg([a], "x", "x")) for a in (arm, arm.times(factor)))
    if max(values) - min(values) > 0.1:
        for some, others in zip(one, other, strict=True):
            assert np.ravel(some) == pytest.approx(np.ravel(others), abs=0.2)
