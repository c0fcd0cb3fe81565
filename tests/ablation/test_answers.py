"""A made-up sweep and what is known of it: counts, costs, true effects."""

from dataclasses import replace

import numpy as np
import pytest

from hipjsw.ablation.answers import answer
from hipjsw.ablation.design import Arm, Finding
from hipjsw.ablation.measures import MEASURES
from hipjsw.ablation.pooling import ENSEMBLED, POOLED
from hipjsw.ablation.read import read_sweeps
from hipjsw.ablation.sweep import RunResult, Sweep

CLASSES = ("femur", "acetabulum", "joint_space")


@pytest.fixture(scope="module")
def sweeps(runs_dir):
    return {sweep.record: sweep for sweep in read_sweeps(runs_dir)}


@pytest.fixture(scope="module")
def loss(sweeps):
    return answer(sweeps["loss"])


def test_runs_are_counted(loss, sweeps, made):
    assert [(row.arm, row.done, row.failed, row.missing) for row in loss.arms] == [
        ("dice", 3, 0, 0),
        ("dicece", 2, 0, 1),
        ("ce", 2, 1, 0),
    ]
    assert loss.row("ce").reasons == (f"seed 2: {made.REASON}",)
    assert not loss.is_whole
    assert answer(sweeps["cross_validation"]).is_whole
    assert (loss.num_hips, loss.num_persons) == (40, 18)
    assert [row.seeds for row in loss.arms] == [(0, 1, 2)] * 3  # whatever became of them
    assert answer(sweeps["cross_validation"]).row(POOLED).seeds == (0,)


def test_costs_and_sizes(loss):
    row = loss.row("dicece")
    assert (row.steps, row.batch_size, row.train_hips, row.val_hips) == (240, 16, 115, 13)
    assert (row.train_s, row.judge_s) == (30.0, 6.5)


def test_what_was_asked_is_kept(loss, made):
    assert (loss.design, loss.record, loss.options, loss.scale) == (made.LOSS, "loss", ("measure=single",), "demo")
    assert dict(loss.about) == {
        "data": "phantom of 1400 persons, realistic look",
        "device": "cpu",
        "commit": "a" * 12,
        "version": "0.1.0",
    }


def test_true_effects_are_found(loss):
    assert [verdict.verdict for verdict in loss.verdicts] == ["holds", "holds", "refuted", "not settled"]
    assert all(row.low < row.value < row.high for row in loss.differences if row.low is not None and row.p < 1)
    dice = {arm: loss.row(arm).cells["dice"].value for arm in ("dice", "dicece", "ce")}
    assert dice["dice"] > dice["dicece"] > dice["ce"]


def test_hips_not_measured_are_counted(loss):
    cells = loss.row("ce").cells
    assert cells["unmeasurable"].value == pytest.approx(1 / 40)
    assert (cells["mjsw_label_mm"].num, cells["mjsw_label_mm"].num_left_out) == (39, 1)
    assert loss.row("dice").cells["unmeasurable"].value == 0


def test_sigmoids_leave_pixels_out(sweeps):
    found = answer(sweeps["activation"])
    assert [verdict.verdict for verdict in found.verdicts] == ["refuted", "holds"]
    assert found.row("sigmoid").failed == 1
    assert found.row("sigmoid").cells["unlabelled"].value == pytest.approx(0.004, rel=0.2)


def test_folds_have_a_row_together(sweeps, made):
    found = answer(sweeps["cross_validation"])
    assert [row.arm for row in found.arms] == [POOLED, "fold0", "fold1", "fold2"]
    assert [row.done for row in found.arms] == [3, 1, 1, 1]
    nums = [row.cells["dice"].num for row in found.arms]
    assert nums[0] == sum(nums[1:]) == 40
    assert found.differences == ()
    assert "hips" not in found.about


def test_one_seed_says_nothing_of_seeds(sweeps):
    sweep = sweeps["loss"]
    one = answer(replace(sweep, runs=tuple(run for run in sweep.runs if run.seed == 0)))
    said = "with one run a side nothing is known of how training seeds vary"
    assert all(said in verdict.words for verdict in one.verdicts)
    assert {verdict.verdict for verdict in one.verdicts} == {"not settled"}
    assert not any(said in verdict.words for verdict in answer(sweep).verdicts)


MARGIN = 0.004


def drawn_sweep(made, rng, num_runs, apart=0.0):
    """Two arms that differ by so much: hips, persons and runs vary, and what a run does to a hip."""
    finding = Finding("A is better.", "dice", "dice", "ce")
    similar = Finding("They are the same.", "dice", "dice", "ce", "similar", MARGIN)
    arms = tuple(arm for arm in made.LOSS.arms if arm.name != "dicece")
    design = replace(made.LOSS, arms=arms, findings=(finding, similar), compared=("dice",))
    hips, history = made.hip_table("dice", 0).head(16), made.history("dice", 0)
    hard = 0.02 * rng.standard_normal(made.NUM_PERSONS)[np.unique(hips["person"], return_inverse=True)[1]]

    def run(arm, seed):
        dice = (
            0.9 + apart * (arm == "ce") + hard + 0.004 * rng.standard_normal() + 0.002 * rng.standard_normal(len(hips))
        )
        table = hips.assign(**dict.fromkeys((f"dice_{name}" for name in made.CLASSES), dice))
        return RunResult(arm, seed, "done", hips=table, history=history)

    runs = tuple(run(arm.name, seed) for arm in arms for seed in range(num_runs))
    return Sweep(design, "loss", (), "demo", runs)


def test_where_arms_do_not_differ_findings_are_seldom_settled_and_with_one_run_never(made, monkeypatch):
    """At most 8 % of 100 sweeps of three runs say that one is better, or, where they differ by the margin, alike."""
    monkeypatch.setattr("hipjsw.ablation.answers.arm_cells", lambda rows: {})  # which no verdict is made of
    rng = np.random.default_rng(7)
    three = [answer(drawn_sweep(made, rng, 3)) for _ in range(100)]
    assert sum(found.verdicts[0].verdict != "not settled" for found in three) <= 0.08 * 100
    at_the_margin = [answer(drawn_sweep(made, rng, 3, apart=MARGIN)) for _ in range(100)]
    assert sum(found.verdicts[1].verdict != "not settled" for found in at_the_margin) <= 0.08 * 100
    one = [answer(drawn_sweep(made, rng, 1)) for _ in range(100)]
    assert {verdict.verdict for found in one for verdict in found.verdicts} == {"not settled"}
    assert sum(found.differences[0].p_holm < 0.05 for found in one) > 0.5 * 100  # of these very runs it is shown


def test_the_order_of_runs_and_of_hips_changes_nothing(sweeps):
    sweep = sweeps["activation"]
    mixed = tuple(replace(run, hips=run.hips.iloc[::-1]) for run in sweep.runs[::-1])
    first, second = answer(sweep), answer(replace(sweep, runs=mixed))
    for one, two in zip(first.differences, second.differences, strict=True):
        assert (one.measure, one.arm, one.num_hips) == (two.measure, two.arm, two.num_hips)
        assert [one.value, one.p or 0] == pytest.approx([two.value, two.p or 0], rel=1e-6, abs=1e-12)
    assert [v.verdict for v in first.verdicts] == [v.verdict for v in second.verdicts]
    assert answer(sweep) == first  # and it is the same each time


def test_other_test_hips_are_said(sweeps):
    sweep = sweeps["loss"]
    runs = tuple(replace(run, hips=run.hips.iloc[4:]) if run.arm == "ce" else run for run in sweep.runs)
    found = answer(replace(sweep, runs=runs))
    assert found.about["hips"].startswith("all arms share 36 of 40 test hips")
    assert "left out: 4 hips that only one of them was tested on" in found.verdicts[0].words
    row = next(row for row in found.differences if (row.measure, row.arm) == ("dice", "ce"))
    assert row.num_hips == 36


def test_a_sweep_of_which_nothing_was_made(sweeps):
    sweep = sweeps["loss"]
    found = answer(replace(sweep, runs=()))
    assert [(row.done, row.failed, row.missing, row.cells) for row in found.arms] == [(0, 0, 3, {})] * 3
    assert {verdict.verdict for verdict in found.verdicts} == {"not run"}
    assert (found.differences, found.num_hips, found.num_persons, found.about) == ((), 0, 0, {})
    assert not found.is_whole


def test_a_reason_of_several_runs_is_said_once(sweeps):
    sweep = sweeps["loss"]
    runs = tuple(replace(run, status="failed", reason="no space left") for run in sweep.runs if run.arm == "ce")
    found = answer(replace(sweep, runs=runs)).row("ce")
    assert found.reasons == ("seeds 0, 1, 2: no space left",)
    assert (found.failed, found.steps, found.train_s) == (3, None, None)


def test_what_runs_do_not_share_is_not_made_up(sweeps):
    sweep = sweeps["loss"]
    first, *rest = sweep.runs
    other = replace(first, cost={}, config={"budget": {"steps": 999}}, metrics={"train/num_hips": 7}, made_by={})
    row = answer(replace(sweep, runs=(other, *rest))).row("dice")
    assert (row.steps, row.train_hips, row.train_s) == (None, None, 30.0)
    alone = answer(replace(sweep, runs=(other,))).row("dice")
    assert (alone.steps, alone.train_hips, alone.train_s, alone.batch_size) == (999, 7, None, None)


def test_an_arm_that_was_added_later_is_missing(sweeps):
    sweep = sweeps["loss"]
    design = replace(sweep.design, arms=(*sweep.design.arms, Arm("focal", "Focal", ("loss=focal",))))
    row = answer(replace(sweep, design=design)).row("focal")
    assert (row.done, row.missing, row.cells) == (0, 3, {})


def test_an_arm_that_fails_often_is_named(sweeps, made):
    """CE failed once and has a hip without a width: the words say both, so that what is left does not look better."""
    words = answer(sweeps["loss"]).verdicts[2].words
    assert "; failed and left out: 1 of CE." in words
    assert "2 of 200 measurements missing, 2 of 80 against 0 of 120" in words


def test_table_5_is_carried_by_the_result(loss, sweeps):
    runs = sweeps["loss"].of("ce")
    for name, key in (("table5_ours_sd_mm", "ours_sd_mm"), ("table5_hips", "num_hips")):
        cell = loss.row("ce").cells[name]
        assert cell.value == pytest.approx(np.mean([run.metrics[f"test/table5/{key}"] for run in runs]))
        assert cell.num == 2
    assert not any(row.measure.startswith("table5") for row in loss.differences)


def test_every_arm_with_runs_has_every_measure(loss):
    assert all(list(row.cells) == list(MEASURES) for row in loss.arms)


@pytest.fixture
def ensembles(sweeps):
    """The folds' sweep as if two runs of each fold had been judged together: every Dice 0.01 higher."""
    folds = sweeps["cross_validation"]
    higher = {f"dice_{name}": lambda hips, name=name: hips[f"dice_{name}"] + 0.01 for name in CLASSES}
    together = tuple(RunResult(run.arm, 0, "done", run.folder, hips=run.hips.assign(**higher)) for run in folds.runs)
    return replace(folds, design=replace(folds.design, ensembled=True), ensembles=together)


def test_ensembles_stand_beside_the_single_runs_of_all_folds(ensembles):
    result = answer(ensembles)
    assert [row.arm for row in result.arms] == [POOLED, ENSEMBLED, "fold0", "fold1", "fold2"]
    single, together = result.row(POOLED), result.row(ENSEMBLED)
    assert (together.done, together.missing, together.failed, together.seeds) == (3, 0, 0, ())
    assert together.cells["dice"].num == single.cells["dice"].num
    assert together.cells["dice"].value == pytest.approx(single.cells["dice"].value + 0.01)
    assert together.cells["instability"].value is None
    (row,) = (row for row in result.differences if row.measure == "dice")
    assert (row.arm, row.than, row.value) == (ENSEMBLED, POOLED, pytest.approx(0.01))
    assert result.is_whole


@pytest.mark.parametrize(("status", "count"), [("failed", (2, 1, 0)), ("missing", (2, 0, 1))])
def test_without_all_folds_the_ensembles_have_no_number(ensembles, status, count):
    *others, last = ensembles.ensembles
    short = replace(ensembles, ensembles=(*others, replace(last, status=status, reason="no room")))
    result = answer(short)
    row = result.row(ENSEMBLED)
    assert ((row.done, row.failed, row.missing), dict(row.cells)) == (count, {})
    assert row.reasons == (("fold2: no room",) if status == "failed" else ())
    assert result.differences == ()
    assert not result.is_whole
