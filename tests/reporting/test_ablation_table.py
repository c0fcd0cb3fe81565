"""What the tables of an ablation say: every number that there is, a dash for every one that is not."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from hipjsw.ablation.answers import answer
from hipjsw.ablation.design import Arm, Finding
from hipjsw.ablation.measures import MEASURES
from hipjsw.ablation.read import read_sweeps
from hipjsw.ablation.result import Cell, Verdict
from hipjsw.reporting.ablation_table import arm_label, csv_rows, markdown, rich_table, shown_measures
from hipjsw.reporting.tables import print_table


@pytest.fixture
def result(made):
    return made.made_result()


@pytest.fixture(scope="module")
def answers(made, tmp_path_factory):
    folder = made.make_runs_dir(tmp_path_factory.mktemp("ablation") / "runs")
    return {sweep.record: answer(sweep) for sweep in read_sweeps(folder)}


def cells(text):
    """The Markdown table as rows by arm, each a mapping by column."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return {row[0]: dict(zip(rows[0], row, strict=True)) for row in rows[2:]}


def shown(table, width=120):
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    print_table(table, console)
    return console.file.getvalue()


def changed(result, arm, **cells):
    """The result with other numbers for one arm."""
    arms = tuple(replace(row, cells=dict(row.cells) | cells) if row.arm == arm else row for row in result.arms)
    return replace(result, arms=arms)


@pytest.mark.parametrize(
    ("share", "said"), [(1.0, "1000 of 1000"), (0.0, "0 of 1000"), (1 / 3, "333.3 of 1000"), (None, "–")]
)
def test_hips_that_were_not_measured_are_counted(share, said, result):
    other = changed(result, "ce", unmeasurable=Cell(share, num=1000))
    assert cells(markdown(other))["CE"]["hips not measured"] == said


def test_a_row_an_arm(result):
    rows = cells(markdown(result))
    assert list(rows) == ["Dice", "Dice+CE", "CE"]
    ce = rows["CE"]
    assert ce["study's Dice"] == "0.8672"
    assert ce["Dice"] == "0.9203 (0.9163 to 0.9243)"
    assert ce["difference to Dice"] == "−0.0299 (−0.0321 to −0.0277; p < 0.001)"
    assert ce["mJSW error to the label (mm)"] == "0.190 (0.150 to 0.230)"
    assert ce["mJSW error to the exact truth (mm)"] == "–"
    assert ce["Instability of validation Dice"] == "0.0007"
    assert ce["hips not measured"] == "1 of 40"
    assert ce["train hips (study's)"] == "115 (460)"
    assert ce["steps (study's)"] == "240 (4000)"
    assert ce["minutes a run"] == "0.6"
    assert ce["runs"] == "2 done, 1 failed"
    assert rows["Dice"]["difference to Dice"] == "–"
    assert rows["Dice"]["runs"] == "3 done"


def test_findings_and_failures_are_sentences(result, made):
    text = markdown(result)
    for verdict in result.verdicts:
        assert f"- **{verdict.verdict}** ({'the study' if verdict.of_study else 'our own'}" in text
        assert f"{verdict.claim} {verdict.words}" in text
    assert f"- CE, seed 2: {made.REASON}" in text
    assert "- Dice+CE: 1 not made yet" in text
    assert "40 test hips of 18 persons; scale demo; options measure=single; phantom of 1400 persons" in text
    assert "commit aaaaaaaaaaaa; hipjsw 0.1.0" in text


def test_every_shown_number_of_a_real_result_is_there(answers):
    for found in answers.values():
        text = markdown(found)
        rows = cells(text)
        for arm in found.arms:
            row = rows[arm_label(found, arm.arm)]
            for name in shown_measures(found):
                head = next(h for h in row if h.lower().startswith(MEASURES[name].label.lower()[:40]))
                ours = float(row[head].split(" ")[0].replace("−", "-"))
                assert ours == pytest.approx(arm.cells[name].value, abs=6e-4)


def test_columns_follow_the_question(answers, result):
    assert {"unlabelled", "multiple"} <= set(shown_measures(answers["activation"]))
    assert "instability" in shown_measures(answers["loss"])
    assert shown_measures(answers["cross_validation"]) == ["dice", "mjsw_label_mm", "mjsw_truth_mm"]
    own = Finding("...", "hd95_mm", "ce", "dice")
    asked = replace(result, design=replace(result.design, findings=(own,), name="other", measure="assd_mm"))
    assert shown_measures(asked) == ["assd_mm", "mjsw_label_mm", "mjsw_truth_mm", "hd95_mm"]


def test_measures_that_are_not_compared_stand_without_a_difference(result):
    design = replace(result.design, findings=(), compared=("dice",))
    found = replace(result, design=design, verdicts=())
    assert "Compared by Dice alone: labels or judged pixels are not the same in all arms" in markdown(found)
    assert "Compared by Dice alone" in " ".join(shown(rich_table(found)).split())
    assert "Compared by" not in markdown(result)


def test_intervals_of_one_run_are_not_said_to_be_over_seeds(result):
    assert "its 95 % interval, over seeds and persons;" in markdown(result)
    single = replace(result, arms=tuple(replace(arm, done=1) for arm in result.arms))
    assert "its 95 % interval, over persons alone" in markdown(single)


def test_table_5_is_of_the_final_model_alone(answers):
    found = answers["loss"]
    final = markdown(replace(found, design=replace(found.design, name="final")))
    rows = [line for line in final.splitlines() if line.startswith("| the study |") or "in true mm" in line]
    assert len([row for row in rows if row.startswith("|")]) == 1 + 3 * 2
    assert "0.0763" not in markdown(found)


def test_folds_are_not_compared(answers):
    rows = cells(markdown(answers["cross_validation"]))
    assert list(rows) == ["all folds", "Fold 0", "Fold 1", "Fold 2"]
    assert not any(head.startswith("difference") for head in rows["Fold 0"])
    assert "Holm" not in markdown(answers["cross_validation"])


def test_a_fold_that_failed_is_named_once(answers):
    found = answers["cross_validation"]
    arms = tuple(replace(arm, failed=1, reasons=("seed 0: no memory",)) for arm in found.arms[:2])
    text = markdown(replace(found, arms=(*arms, *found.arms[2:])))
    assert text.count("seed 0: no memory") == 1
    assert "- Fold 0, seed 0: no memory" in text


def test_p_is_corrected(result):
    row = replace(result.differences[1], p=0.02, p_holm=0.04)
    text = markdown(replace(result, differences=(row,)))
    assert cells(text)["CE"]["difference to Dice"].endswith("p = 0.040)")
    assert "p = 0.020" not in text


def test_columns_without_anything_are_left_out(result):
    nobody = tuple(replace(arm, study={}, study_steps=None, study_hips=None) for arm in result.design.arms)
    own = replace(result, design=replace(result.design, arms=nobody))
    own = replace(own, arms=tuple(replace(arm, cells={"dice": arm.cells["dice"]}) for arm in own.arms))
    heads = list(cells(markdown(own))["CE"])
    costs = ["train hips (study's)", "steps (study's)", "minutes a run", "runs"]
    assert heads == ["arm", "Dice", "difference to Dice", *costs]


def test_what_is_undefined_is_a_dash_and_not_nan(result):
    bare = tuple(replace(arm, cells={}, steps=None, train_hips=None, train_s=None, done=0) for arm in result.arms)
    empty = replace(result, arms=bare, differences=(), about={}, num_hips=0, num_persons=0)
    text = markdown(empty)
    assert cells(text)["CE"]["Dice"] == "–"
    assert "steps (study's)" in cells(text)["CE"]
    assert cells(text)["CE"]["steps (study's)"] == "– (4000)"
    nan = changed(result, "ce", dice=Cell(float("nan"), None, None, 0, 40))
    for said in (text, markdown(nan), shown(rich_table(nan)), shown(rich_table(empty))):
        assert "nan" not in said.lower().replace("loss is nan", "")
        assert "None" not in said


HOSTILE = "<script>alert(1)</script> | `rm` *x* [a](http://b) &lt; _y_ \\ \x1b[31m\u202e\nnext # line"


def test_text_of_any_origin_is_no_markup(result):
    design = replace(result.design, arms=(*result.design.arms[:2], Arm("ce", HOSTILE, ("loss=ce",))))
    verdict = Verdict(HOSTILE, True, "holds", HOSTILE)
    arms = (*result.arms[:2], replace(result.arms[2], reasons=(HOSTILE,)))
    evil = replace(result, design=design, arms=arms, verdicts=(verdict,), about={"data": HOSTILE}, options=(HOSTILE,))
    text = markdown(evil)
    assert "<script" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert r"\| \`rm\` \*x\* \[a\](http" in text
    assert r"\_y\_ \\" in text
    assert "&amp;lt;" in text
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 5  # a line break opens no row
    bars = {line.replace("\\\\", "").replace("\\|", "").count("|") for line in table}
    assert len(bars) == 1  # a bar opens no cell
    screen = shown(rich_table(evil))
    assert "\x1b" not in screen
    assert "<script>" in screen.replace("\n", "")  # brackets are text for the terminal


@pytest.mark.parametrize("record", ["loss", "activation", "cross_validation"])
def test_the_terminal_has_whole_words(answers, record):
    text = shown(rich_table(answers[record]))
    assert max(len(line) for line in text.splitlines()) <= 120
    words = set(text.split())
    for word in ("study's", "measured", "minutes", "error"):
        assert word in words or (word == "study's" and record == "cross_validation")
    for verdict in answers[record].verdicts:
        assert verdict.verdict.upper() in text
    for row in answers[record].arms:
        assert f"{row.cells['dice'].value:.4f}" in text
        assert all(" ".join(reason.split()[:6]) in " ".join(text.split()) for reason in row.reasons)


def test_csv_rows_are_unrounded(answers):
    found = answers["loss"]
    rows = csv_rows(found)
    assert [row["arm"] for row in rows] == ["dice", "dicece", "ce"]
    ce, cell = rows[2], found.row("ce").cells["mjsw_truth_mm"]
    assert (ce["mjsw_truth_mm"], ce["mjsw_truth_ci_low_mm"], ce["mjsw_truth_ci_high_mm"]) == (
        *(cell.value, cell.low, cell.high),
    )
    assert (ce["mjsw_truth_mm_num"], ce["mjsw_truth_mm_num_left_out"]) == (39, 1)
    away = next(row for row in found.differences if (row.measure, row.arm) == ("dice", "ce"))
    assert (ce["difference_dice"], ce["difference_dice_ci_low"]) == (away.value, away.low)
    assert (ce["difference_dice_p"], ce["difference_dice_p_holm"]) == (away.p, away.p_holm)
    assert (ce["study_dice"], ce["study_steps"], ce["runs_failed"]) == (0.8672, 4000, 1)
    assert rows[0]["difference_dice"] is None
    assert len({tuple(row) for row in rows}) == 1  # the same columns in the same order


def test_csv_rows_of_nothing_are_empty_and_not_zero(result):
    bare = replace(result, arms=tuple(replace(arm, cells={}) for arm in result.arms), differences=())
    row = csv_rows(bare)[0]
    assert all(row[name] is None for name in MEASURES)
    assert row["difference_dice"] is None
