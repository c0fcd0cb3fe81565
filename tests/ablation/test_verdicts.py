"""When a claim holds, is refuted, stays open, or was not put to the test."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipjsw.ablation.comparing import Comparison
from hipjsw.ablation.design import Finding
from hipjsw.ablation.result import ArmRow, DifferenceRow
from hipjsw.ablation.verdicts import verdict

ROW = DifferenceRow("dice", "ce", "dice", -0.03, -0.04, -0.02, 0.001, 0.002, 40, 18, (3, 3))
DONE = {name: ArmRow(name, 3) for name in ("dice", "dicece", "ce")}


def judged(design, finding, row=ROW, done=DONE, **changes):
    return verdict(finding, design, [Comparison(replace(row, **changes), 0.92, 0.95, 40)], done)


def better(arm="dice", than="ce", measure="dice"):
    return Finding("One is better.", measure, arm, than)


@pytest.mark.parametrize(
    ("measure", "value", "p_holm", "expected"),
    [
        ("dice", 0.03, 0.049, "holds"),
        ("dice", -0.03, 0.049, "refuted"),
        ("dice", 0.03, 0.05, "not settled"),
        ("dice", -0.03, 0.9, "not settled"),
        ("dice", 0.03, None, "not settled"),
        ("mjsw_truth_mm", 0.03, 0.001, "refuted"),
        ("mjsw_truth_mm", -0.03, 0.001, "holds"),
        ("instability", -0.03, 0.001, "holds"),
        ("bias_truth_mm", 0.03, 0.001, "not settled"),
    ],
)
def test_better(made, measure, value, p_holm, expected):
    ends = {"low": value - 0.01, "high": value + 0.01}
    said = judged(made.LOSS, better("ce", "dice", measure), measure=measure, value=value, p_holm=p_holm, **ends)
    assert said.verdict == expected
    assert ("neither direction" in said.words) == (measure == "bias_truth_mm")
    # said of the other arm, it is the opposite
    other = judged(made.LOSS, better("dice", "ce", measure), measure=measure, value=value, p_holm=p_holm, **ends)
    assert {expected, other.verdict} in ({"holds", "refuted"}, {"not settled"})


@pytest.mark.parametrize(
    ("low", "high", "expected", "said"),
    [
        (-0.01, 0.01, "holds", "lies within ±0.010"),
        (-0.009, -0.001, "holds", "lies within ±0.010"),
        (-0.011, 0.002, "not settled", "reaches over ±0.010"),
        (-0.011, 0.011, "not settled", "reaches over ±0.010"),
        (0.010, 0.02, "not settled", "reaches over ±0.010"),
        (0.0101, 0.02, "refuted", "lies beyond ±0.010"),
        (-0.02, -0.0101, "refuted", "lies beyond ±0.010"),
        (None, None, "not settled", "the margin is ±0.010"),
    ],
)
def test_similar(made, low, high, expected, said):
    value = 0.001 if low is None else (low + high) / 2
    for arm, than in (("dice", "ce"), ("ce", "dice")):
        finding = Finding("They are the same.", "dice", arm, than, "similar", 0.01)
        found = judged(made.LOSS, finding, value=value, low=low, high=high)
        assert found.verdict == expected
        assert found.words.endswith(f"{said}.")


@pytest.mark.parametrize("seeds", [(1, 1), (2, 1), (1, 2), (2, 2)])
@pytest.mark.parametrize("value", [-0.5, -0.001, 0.001, 0.5])
def test_one_run_a_side_settles_nothing(made, seeds, value):
    ends = {"low": value - 0.0005, "high": value + 0.0005, "value": value, "p": 1e-9, "p_holm": 1e-9, "seeds": seeds}
    similar = Finding("They are the same.", "dice", "ce", "dice", "similar", 0.01)
    for finding in (better("ce", "dice"), similar):
        said = judged(made.LOSS, finding, **ends)
        assert (said.verdict == "not settled") == (seeds == (1, 1))
        assert ("seeds=3) can settle it" in said.words) == (seeds == (1, 1))


def test_runs_that_failed_are_said(made):
    done = DONE | {"ce": ArmRow("ce", 1, 2), "dicece": ArmRow("dicece", 1, 2)}
    assert judged(made.LOSS, better(), done=done).words.endswith("; failed and left out: 2 of CE.")
    both = judged(made.LOSS, better(), done=done | {"dice": ArmRow("dice", 2, 1)}).words
    assert both.endswith("; failed and left out: 1 of Dice and 2 of CE.")
    assert "failed" not in judged(made.LOSS, better()).words


def test_what_is_not_compared_says_why(made):
    found = [Comparison(replace(ROW, value=None), None, None, why="losses are not one number")]
    said = verdict(better(), made.LOSS, found, DONE)
    assert (said.verdict, said.words) == ("not run", "Not compared: losses are not one number.")


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0.001, 0.5))
def test_wider_margins_make_no_claim_of_likeness_less_true(made, value, below, above, margin):
    row = replace(ROW, value=value, low=value - below, high=value + above)
    order = ["refuted", "not settled", "holds"]

    def rank(limit):
        finding = Finding("They are the same.", "dice", "ce", "dice", "similar", limit)
        return order.index(verdict(finding, made.LOSS, [Comparison(row, 0.5, 0.5, 40)], DONE).verdict)

    assert rank(margin) <= rank(2 * margin)


def test_words_have_the_finding_s_arm_first(made):
    said = judged(made.LOSS, better("dice", "ce"))
    assert said.words == (
        "Dice 0.950 against 0.920: higher by 0.030 "
        "(95 % interval 0.020 to 0.040, p = 0.001, p = 0.002 after Holm's correction; "
        "3 and 3 runs, 40 hips of 18 persons)."
    )
    assert (said.claim, said.of_study) == ("One is better.", True)
    assert not judged(made.LOSS, replace(better(), of_study=False)).of_study


@pytest.mark.parametrize(
    ("finding", "done", "row", "said"),
    [
        (better(), {"dice": ArmRow("dice", 3)}, None, "No finished run of CE."),
        (better(), DONE | {"ce": ArmRow("ce", 0, 2)}, None, "No finished run of CE; failed and left out: 2 of CE."),
        (better(), {}, None, "No finished run of Dice and none of CE."),
        (better(measure="assd_mm"), DONE, None, "Mean distance of the bones' borders is undefined for one of them."),
        (better(measure="kappa"), DONE, None, "There is no measure 'kappa'; measures are dice, "),
        (better("ce", "ce"), DONE, None, "An arm is not compared with itself."),
        (better(), DONE, replace(ROW, value=None, num_hips=0), "Dice and CE share 40 test hips, and "),
    ],
)
def test_not_run_says_why(made, finding, done, row, said):
    found = [] if row is None else [Comparison(row, None, None, 40, 3)]
    judged = verdict(finding, made.LOSS, found, done)
    assert judged.verdict == "not run"
    assert judged.words.startswith(said)


def test_folds_are_not_compared(made):
    judged = verdict(better("fold0", "fold1"), made.FOLDS, [], {name: ArmRow(name, 1) for name in ("fold0", "fold1")})
    assert (judged.verdict, "not compared" in judged.words) == ("not run", True)
