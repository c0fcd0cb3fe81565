"""Small diagrams: axes, ticks, and elements that hold no style, id or foreign markup."""

import math
import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hipjsw.reporting.themed_svg import Axis, Drawing, padded, tick_words, ticks

numbers = st.floats(-1e6, 1e6, allow_nan=False)


@given(numbers, numbers, st.integers(1, 12))
def test_ticks_are_few_round_values_within_the_range_at_equal_steps(one, other, most):
    low, high = sorted((one, other))
    assume(high - low > 1e-3)
    found = ticks(low, high, most)
    assert len(found) <= most
    slack = 1e-8 * max(abs(low), abs(high), high - low)
    assert all(low - slack <= value <= high + slack for value in found)
    steps = [b - a for a, b in pairwise(found)]
    for step in steps:
        assert step == pytest.approx(steps[0], rel=1e-6, abs=1e-9)
        leading = step / 10 ** math.floor(math.log10(step) + 1e-9)
        assert min(abs(leading - nice) for nice in (1, 2, 2.5, 5, 10)) < 1e-3


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 10, [0, 2, 4, 6, 8, 10]), (0.93, 0.95, [0.93, 0.935, 0.94, 0.945, 0.95]), (1, 1, []), (0, math.nan, [])],
)
def test_ticks_of_known_ranges(low, high, expected):
    assert ticks(low, high, 6) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0, 0.5, 1], ["0.0", "0.5", "1.0"]), ([-1, 0], ["−1", "0"]), ([1000, 2000], ["1,000", "2,000"]), ([], [])],
)
def test_ticks_in_words_have_one_number_of_digits_and_a_true_minus(values, expected):
    assert tick_words(values) == expected


@given(st.lists(numbers, max_size=20))
def test_padded_holds_every_value_strictly_within(values):
    low, high = padded([*values, math.nan, math.inf])
    assert low < high
    assert all(low < value < high for value in values)


def test_padded_of_nothing_is_a_range():
    assert padded([]) == (0.0, 1.0)


@given(numbers, numbers, numbers)
def test_axis_keeps_order_and_brings_what_is_beyond_to_its_ends(one, other, value):
    low, high = sorted((one, other))
    assume(high - low > 1e-3)
    axis = Axis(low, high, 100.0, 20.0)
    assert axis.at(low) == pytest.approx(100.0)
    assert axis.at(high) == pytest.approx(20.0)
    assert 20.0 - 1e-9 <= axis.at(value) <= 100.0 + 1e-9
    assert axis.at((low + high) / 2) == pytest.approx(60.0)


def test_a_bent_axis_spreads_by_what_it_is_bent_by():
    axis = Axis(1.0, 1000.0, 0.0, 3.0, math.log10)
    assert [axis.at(value) for value in (1, 10, 100, 1000)] == pytest.approx([0, 1, 2, 3])


@given(st.text(st.characters(exclude_categories=()), max_size=30))
def test_a_drawing_is_one_element_whatever_is_written_in_it(words):
    drawing = Drawing(100.0, 50.5, words)
    drawing.text((1, 2), words)
    drawing.circle((1, 2), 3, "c0 run", words)
    drawing.box((1, 2), 3, 4, "bar", words)
    drawing.path([(0, 0), (1, 1)], "thin", words=words)
    root = ElementTree.fromstring(drawing.svg().replace("&#x27;", "'"))
    assert [child.tag for child in root] == ["text", "circle", "rect", "path"]
    assert root.get("viewBox") == "0 0 100 50.5"
    assert root.get("role") == "img"
    assert not [name for one in root.iter() for name in one.attrib if name in ("style", "id") or name[:2] == "on"]


def test_paths_are_where_they_were_said_to_be_and_nothing_needs_two_points():
    drawing = Drawing(10, 10, "x")
    drawing.path([(1, 2)], "thin")
    drawing.dots([], "dots")
    assert "<path" not in drawing.svg()
    drawing.path([(0, 0), (-0.04, 1.26), (3, 4)], "thin", closed=True)
    drawing.dots([(1, 2), (3.25, 4)], "dots")
    assert re.findall(r' d="(.*?)"', drawing.svg()) == ["M0 0L0 1.3L3 4Z", "M1 2h0M3.2 4h0"]
