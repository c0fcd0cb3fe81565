"""Numbers in words: nothing that is not 0 reads 0, and every limit of a comparison is said."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipjsw.ablation.comparing import Comparison
from hipjsw.ablation.measures import MEASURES
from hipjsw.ablation.result import DifferenceRow
from hipjsw.ablation.words import capital, decimals, difference_words, number_words, p_words

ROW = DifferenceRow("dice", "dice", "ce", 0.008, 0.004, 0.012, 0.0001, 0.0002, 1000, 331, (3, 3))
DICE = Comparison(ROW, 0.977, 0.969, 1000, 0)


def words(comparison=DICE, **changes):
    return difference_words(MEASURES[comparison.row.measure], replace(comparison, row=replace(ROW, **changes)))


def test_a_whole_sentence():
    assert words() == (
        "Dice 0.977 against 0.969: higher by 0.008 "
        "(95 % interval 0.004 to 0.012, p < 0.001; 3 and 3 runs, 1000 hips of 331 persons)"
    )


def test_lower_is_said_with_the_interval_turned():
    assert "lower by 0.008 (95 % interval −0.001 to 0.017" in words(value=-0.008, low=-0.017, high=0.001)


def test_a_unit_stands_behind_its_numbers():
    row = replace(ROW, measure="mjsw_truth_mm", value=-0.071, low=-0.09, high=-0.05)
    said = difference_words(MEASURES["mjsw_truth_mm"], replace(DICE, row=row, first=0.158, second=0.229))
    assert said.startswith(
        "mJSW error to the exact truth 0.158 mm against 0.229 mm: lower by 0.071 mm (95 % interval 0.050 to 0.090 mm,"
    )


def test_holm_is_said_where_it_changes_something():
    assert "p = 0.030, p = 0.060 after Holm's correction;" in words(p=0.03, p_holm=0.06)
    assert "Holm" not in words(p=0.03, p_holm=0.03)


def test_what_is_undefined_is_said():
    assert "higher by 0.008 (without an interval; 3 and 3 runs" in words(low=None, high=None, p=None)
    assert "no difference (95 %" in words(value=0.0)
    with pytest.raises(ValueError, match="dice and ce have no difference"):
        words(value=None)


@pytest.mark.parametrize(
    ("seeds", "said"),
    [
        (
            (1, 1),
            "; with one run a side nothing is known of how training seeds vary, so that it stays open: "
            "SEEDS=3 (or seeds=3) can settle it",
        ),
        ((3, 1), "; with one run on one side, how training seeds vary is known of the other side alone"),
        ((2, 2), ""),
    ],
)
def test_one_run_says_nothing_of_seeds(seeds, said):
    assert words(seeds=seeds).endswith(")" + said)


def test_hips_left_out_are_counted():
    assert words(num_hips=997).endswith("; left out: 3 hips without a value in both")
    assert words(replace(DICE, num_alone=1)).endswith("; left out: 1 hip that only one of them was tested on")
    runs = words(num_hips=0, num_persons=0)
    assert "; 3 and 3 runs)" in runs
    assert "hips" not in runs


def test_an_arm_that_fails_often_cannot_look_better_silently():
    often = replace(DICE, num_missing=(12, 0), num_wanted=(3000, 2000), num_without=(0, 1))
    assert words(often).endswith(
        "; 12 of 5000 measurements missing, 12 of 3000 against 0 of 2000; finished runs without any value: 0 against 1"
    )
    assert "missing" not in words(replace(DICE, num_wanted=(3000, 3000)))


@given(st.floats(1e-6, 1e3), st.floats(1e-6, 1e3))
def test_what_is_not_nothing_does_not_read_as_nothing(one, two):
    digits = decimals(one, -two, None, 0.0)
    assert 3 <= digits <= 6
    assert all(re.search("[1-9]", number_words(size, digits)) for size in (one, two))


@given(st.floats(-1e6, 1e6), st.integers(0, 6))
def test_a_number_reads_as_it_is(value, digits):
    for signed in (False, True):
        text = number_words(value, digits, signed=signed)
        assert "-" not in text
        assert float(text.replace("−", "-")) == pytest.approx(value, abs=0.5001 * 10**-digits)
        assert not re.fullmatch(r"[−+]0\.?0*", text)  # nothing has no sign


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_what_is_not_there_is_a_dash(value):
    assert number_words(value, 3, "mm") == "–"
    assert p_words(value) == "–"


@pytest.mark.parametrize(
    ("p", "said"),
    [
        *((0, "p < 0.001"), (0.00099, "p < 0.001"), (0.001, "p = 0.001"), (0.0496, "p = 0.050")),
        *((0.0994, "p = 0.099"), (0.0996, "p = 0.10"), (0.5, "p = 0.50"), (1, "p = 1.00")),
    ],
)
def test_p(p, said):
    assert p_words(p) == said


@pytest.mark.parametrize(("text", "said"), [("share", "Share"), ("mJSW bias", "mJSW bias"), ("x", "X"), ("", "")])
def test_capital(text, said):
    assert capital(text) == said
