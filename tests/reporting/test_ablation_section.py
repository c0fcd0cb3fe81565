"""One ablation on a page: which columns and sentences are there."""

import re
from dataclasses import replace

import pytest

from hipjsw.ablation.design import Arm, Design, Finding
from hipjsw.ablation.result import AblationResult, ArmRow, Cell, DifferenceRow, Verdict
from hipjsw.ablation.sweep import Sweep
from hipjsw.reporting.ablation_section import arm_labels, section_markup, verdict_chip
from hipjsw.reporting.example_hips import ShownExamples

ARMS = (Arm("a", "A", (), {"dice": 0.9}, 4000, 460), Arm("b", "B", ()))
DESIGN = Design("x", "X <1>", "Why?", "raw_truth_mm", "a", ARMS, (Finding("c", "instability", "a", "b"),))
DIFFERENCE = DifferenceRow("raw_truth_mm", "b", "a", 0.05, 0.01, 0.09, 0.01, 0.0004, 40, 18, (2, 3))
CELLS = {
    "raw_truth_mm": Cell(0.15, 0.1, 0.2, 40, 2),
    "dice": Cell(0.95, 0.94, 0.96, 40),
    "instability": Cell(0.002, None, None, 3),
    "unmeasurable": Cell(0.025, -0.1, 0.1, 40),
}
ROWS = (
    ArmRow("a", 3, cells=CELLS, steps=720, train_hips=1234, train_s=600.0, judge_s=60.0),
    ArmRow("b", 1, 1, 1, ("seed 1: it <failed>",), CELLS | {"dice": Cell(None, num_left_out=40)}),
)
RESULT = AblationResult(DESIGN, "x", ("a=b",), "demo", ROWS, (DIFFERENCE,), (), 40, 18, {"hips": "all <share> 38"})


def section(result=RESULT):
    sweep = Sweep(result.design, result.record, result.options, result.scale, ())
    return "".join(section_markup(sweep, result, ShownExamples((), 0, ()), "x"))


def tables(markup):
    found = []
    for table in re.findall(r"<table.*?</table>", markup):
        heads = re.findall(r"<th [^>]*>(.*?)</th>", table)
        rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(<td.*?)</tr>", table)]
        assert all(len(row) == len(heads) for row in rows)
        found.append([{head: words(cell) for head, cell in zip(heads, row, strict=True)} for row in rows])
    return found


def words(markup):
    return " ".join(re.sub(r"<[^>]*>", " ", markup).replace("&nbsp;", " ").split()).replace(" ,", ",")


def test_main_table_has_the_first_measure_with_its_difference_then_dice_and_what_findings_name():
    main, *_ = tables(section())
    assert list(main[0]) == [
        "arm", "uncorrected error to truth (mm)", "difference", "study&#x27;s Dice", "Dice", "instability",
        "not measured", "train hips", "steps", "a run takes", "runs",
    ]  # fmt: skip
    first, second = main
    assert first["uncorrected error to truth (mm)"] == "0.150 0.100 to 0.200"
    assert (first["difference"], second["difference"]) == ("reference", "+0.050, p &lt; 0.001 +0.010 to +0.090")
    assert (first["study&#x27;s Dice"], second["study&#x27;s Dice"]) == ("0.9000", "–")
    assert (first["Dice"], second["Dice"]) == ("0.9500 0.9400 to 0.9600", "–")
    assert first["not measured"] == "2.50 %"
    assert (first["train hips"], first["steps"]) == ("1,234 study 460", "720 study 4,000")
    assert (first["a run takes"], second["a run takes"]) == ("11 min", "–")
    assert (first["runs"], second["runs"]) == ("3 done", "1 done, 1 failed, 1 missing")


def test_all_numbers_say_how_many_hips_they_are_over_and_how_many_are_left_out():
    _, cells, differences = tables(section())
    by_measure = {row["measure"]: row for row in cells}
    assert by_measure["mJSW error to the exact truth before correction (mm)"]["A"] == (
        "0.150 0.100 to 0.200; n = 40, 2 left out"
    )
    assert by_measure["Dice"]["B"] == "– n = 0, 40 left out"
    assert differences == [
        {
            "measure": "mJSW error to the exact truth before correction (mm)", "arm": "B", "less": "A",
            "difference": "+0.050 +0.010 to +0.090", "p": "0.010", "p (Holm)": "&lt; 0.001",
            "over": "2 and 3 runs, 40 hips of 18 persons",
        }
    ]  # fmt: skip


def test_runs_without_numbers_are_named():
    failed = re.search(r'<div class="failed">(.*?)</div>', section())[1]
    assert words(failed) == "Runs without numbers B, seed 1: it &lt;failed&gt; B : 1 run not made yet"
    assert 'class="failed"' not in section(replace(RESULT, arms=ROWS[:1]))


def test_it_is_said_what_numbers_are_over_and_what_they_are_compared_with():
    said = words(section())
    for sentence in (
        "40 test hips of 18 persons", "Differences are to A, on the same hips", "compare orders, not numbers",
        "All &lt;share&gt; 38.", "Options a=b .", "X &lt;1&gt; Why?",
    ):  # fmt: skip
        assert sentence in said
    plain = replace(RESULT, differences=(), design=replace(DESIGN, arms=tuple(replace(a, study={}) for a in ARMS)))
    assert "Differences are to" not in words(section(plain))
    assert "compare orders" not in words(section(plain))
    assert "difference" not in tables(section(plain))[0][0]


def test_seeds_are_not_spoken_of_where_each_arm_has_one_run():
    single = replace(RESULT, arms=tuple(replace(row, done=1) for row in ROWS))
    assert words(section(single)).count("over persons alone: with one run an arm") == 2
    assert "over seeds and persons" not in words(section(single))
    assert words(section()).count("over seeds and persons (of an arm with one run, over persons alone)") == 2


def test_it_is_said_why_some_numbers_have_no_difference():
    own = replace(RESULT, design=replace(DESIGN, findings=(), compared=("raw_truth_mm",)))
    assert "alone: labels or judged pixels are not the same in all arms" in words(section(own))
    assert "judged pixels" not in words(section())


@pytest.mark.parametrize(
    ("verdict", "kind"),
    [("holds", "good"), ("refuted", "error"), ("not settled", "warning"), ("not run", "none"), ("<new>", "none")],
)
def test_verdicts_have_their_colour(verdict, kind):
    shown = verdict_chip(Verdict("x", True, verdict, "x"))
    assert f'class="chip {kind}"' in shown
    assert words(shown) == verdict.replace("<", "&lt;").replace(">", "&gt;")


def test_labels_that_are_alike_can_be_told_apart():
    design = replace(DESIGN, arms=tuple(replace(arm, label="same") for arm in ARMS))
    assert arm_labels(replace(RESULT, design=design)) == {"a": "same [a]", "b": "same [b]"}
    tables(section(replace(RESULT, design=design)))
