"""Numbers in words."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipjsw.ablation.design import Arm, Design
from hipjsw.ablation.measures import MEASURES
from hipjsw.ablation.result import AblationResult, ArmRow, Cell, DifferenceRow
from hipjsw.reporting.ablation_numbers import (
    axis_of,
    bounds,
    cell_interval,
    compared_words,
    difference_interval,
    digits_of,
    duration,
    interval_words,
    measure_name,
    probability,
    short_name,
    value_words,
)


@pytest.mark.parametrize(
    ("measure", "value", "words", "signed"),
    [
        ("dice", 0.97704, "0.9770", "+0.9770"),
        ("mjsw_truth_mm", 0.1584, "0.158", "+0.158"),
        ("bias_truth_mm", -0.1584, "−0.158", "−0.158"),
        ("unmeasurable", 0.0031, "0.31 %", "+0.31 %"),
        ("instability", 0.00123, "0.00123", "+0.00123"),
        ("overfit", -0.01, "−0.0100", "−0.0100"),
        ("table5_study_mm", 0.07634, "0.0763", "+0.0763"),
        ("table5_hips", 999.0, "999", "+999"),
        ("dice", None, "–", "–"),
        ("dice", math.nan, "–", "–"),
        ("unheard_of", 1.0, "1.0000", "+1.0000"),
    ],
)
def test_digits_are_those_of_the_measure(measure, value, words, signed):
    assert value_words(measure, value) == words
    assert value_words(measure, value, signed=True) == signed


@given(st.sampled_from(sorted(MEASURES)), st.floats(-5, 5))
def test_words_read_as_the_number_to_half_a_last_digit(measure, value):
    _, factor, digits = axis_of(measure)
    read = float(value_words(measure, value).replace("−", "-").removesuffix(" %"))
    assert abs(read - factor * value) <= 0.5000001 * 10.0**-digits


def test_intervals_name_both_ends_and_the_unit_once():
    assert cell_interval("dice", Cell(0.95, 0.94, 0.96)) == "0.9400 to 0.9600"
    assert cell_interval("unmeasurable", Cell(0.01, 0.001, 0.02)) == "0.10 to 2.00 %"
    assert cell_interval("dice", Cell(0.95)) == ""
    assert cell_interval("dice", None) == ""
    assert cell_interval("unmeasurable", Cell(0.0, 0.0, 0.0)) == ""
    row = DifferenceRow("mjsw_truth_mm", "a", "b", 0.0, -0.1, 0.1, None, None, 1, 1, (1, 1))
    assert difference_interval(row) == "−0.100 to +0.100"


@pytest.mark.parametrize(
    ("measure", "cell", "expected"),
    [
        ("dice", Cell(0.99, 0.97, 1.01), (0.97, 1.0)),
        ("unmeasurable", Cell(0.01, -0.03, 0.05), (0.0, 0.05)),
        ("mjsw_truth_mm", Cell(0.9, -0.2, 2.0), (0.0, 2.0)),
        ("bias_truth_mm", Cell(-0.1, -0.2, 0.0), (-0.2, 0.0)),
        ("overfit", Cell(0.1, -0.2, 1.4), (-0.2, 1.4)),
        ("dice", Cell(0.9), (None, None)),
    ],
)
def test_ends_stop_where_a_measure_ends(measure, cell, expected):
    assert bounds(measure, cell) == expected


@pytest.mark.parametrize(
    ("p", "words"), [(0.0, "< 0.001"), (0.00099, "< 0.001"), (0.001, "0.001"), (1.0, "1.000"), (None, "–")]
)
def test_probability(p, words):
    assert probability(p) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(36.5, "36 s"), (119, "119 s"), (120, "2 min"), (7199, "120 min"), (7200, "2.0 h"), (None, "–"), (math.nan, "–")],
)
def test_duration(seconds, words):
    assert duration(seconds) == words


def result_of(*done, **changes):
    arms = tuple(Arm(f"a{n}", "A", ()) for n in range(len(done)))
    design = Design("x", "X", "?", "dice", "a0", arms, **changes)
    rows = tuple(ArmRow(arm.name, runs) for arm, runs in zip(arms, done, strict=True))
    return AblationResult(design, "x", (), "demo", rows, (), (), 3, 3)


@pytest.mark.parametrize(
    ("done", "words"),
    [
        ((3, 2), "over seeds and persons"),
        ((3, 1), "over seeds and persons (of an arm with one run, over persons alone)"),
        ((3, 0), "over seeds and persons"),
        ((1, 1), "over persons alone: with one run an arm, nothing is known of how training seeds vary"),
        ((0, 0), "over persons alone: with one run an arm, nothing is known of how training seeds vary"),
    ],
)
def test_seeds_are_spoken_of_where_there_are_several(done, words):
    assert interval_words(result_of(*done)) == words


def test_it_is_said_why_some_numbers_are_not_compared():
    said = compared_words(result_of(1, 1, compared=("dice", "raw_truth_mm")))
    assert said.startswith("Compared by Dice, mJSW error to the exact truth before correction (mm) alone: ")
    assert compared_words(result_of(1, 1)) == compared_words(result_of(1, compared=("dice",), pooled=True)) == ""


def test_every_measure_has_names_of_its_own():
    for name_of in (measure_name, short_name, lambda name: axis_of(name)[0]):
        assert len({name_of(name) for name in MEASURES}) == len(MEASURES)
    assert measure_name("mjsw_truth_mm").endswith(" (mm)")
    assert measure_name("unheard_of") == short_name("unheard_of") == "unheard_of"
    assert digits_of("mjsw_truth_mm") == 3
