"""Pairs of arms: which, on which hips, and what may not change their difference."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from hipjsw.ablation.comparing import Side, compared, comparisons, is_compared, pairs_of
from hipjsw.ablation.design import Design, DesignError, Finding
from hipjsw.ablation.measures import MEASURES
from hipjsw.ablation.sweep import RunResult, Sweep

DICE = MEASURES["dice"]
OVERFIT = Finding("...", "overfit", "dice", "ce")


@pytest.fixture(scope="module")
def sweep(made):
    """``LOSS`` whole, from memory."""
    runs = [
        RunResult(arm, seed, "done", hips=made.hip_table(arm, seed), history=made.history(arm, seed))
        for arm in ("dice", "dicece", "ce")
        for seed in range(3)
    ]
    return Sweep(made.LOSS, "loss", (), "demo", tuple(runs))


def of(sweep, measure, arm, than):
    return compared(MEASURES[measure], Side.of(sweep, arm), Side.of(sweep, than))


def with_hips(sweep, arm, change):
    """The sweep with other test hips for one arm."""
    runs = tuple(replace(run, hips=change(run.hips)) if run.arm == arm else run for run in sweep.runs)
    return replace(sweep, runs=runs)


def test_each_pair_once(made):
    assert pairs_of(made.LOSS) == [("dicece", "dice"), ("ce", "dice")]
    own = (Finding("...", "dice", "ce", "dicece"), Finding("...", "assd_mm", "dicece", "ce"))
    assert pairs_of(replace(made.LOSS, findings=own)) == [("dicece", "dice"), ("ce", "dice"), ("ce", "dicece")]
    assert pairs_of(made.FOLDS) == []


def test_every_measure_of_every_pair_in_order(sweep):
    found = [(c.row.measure, c.row.arm) for c in comparisons(sweep)]
    names = [name for name, measure in MEASURES.items() if measure.kind == "hip"] + ["instability"]  # as a finding asks
    assert found == [(name, arm) for name in names for arm in ("dicece", "ce")]


def test_whole_runs_are_compared_where_it_is_asked(made):
    silent = replace(made.LOSS, findings=made.LOSS.findings[:3])
    asked = {
        "instability": [made.LOSS, replace(silent, measure="instability")],
        "overfit": [replace(silent, measure="overfit"), replace(silent, findings=(OVERFIT,))],
    }
    for name, designs in asked.items():
        assert all(is_compared(design, MEASURES[name]) for design in designs)
        assert not is_compared(silent, MEASURES[name])


def test_only_the_designs_measures_are_compared_where_it_names_some(sweep):
    bare = replace(sweep.design, findings=(), measure="raw_truth_mm", compared=("raw_truth_mm", "bearing_mm"))
    assert [c.row.measure for c in comparisons(replace(sweep, design=bare))] == ["raw_truth_mm"] * 2 + [
        "bearing_mm"
    ] * 2
    whole = replace(sweep.design, findings=sweep.design.findings[:2], compared=("dice",))
    (one, two), every = comparisons(replace(sweep, design=whole)), comparisons(sweep)
    assert [one, two] == every[:2]  # and Holm's correction is what it was


@pytest.mark.parametrize("compared", [(), ("mjsw_truth_mm",), ("dice", "mjsw_truth_mm")])
def test_a_design_asks_for_nothing_that_it_does_not_compare(made, compared):
    with pytest.raises(DesignError, match="not among the measures it compares"):
        replace(made.LOSS, compared=compared)


def test_designs_are_plain_and_back(made):
    for design in (made.LOSS, replace(made.LOSS, compared=("dice", "mjsw_truth_mm", "instability"))):
        assert Design.read(json.loads(json.dumps(design.plain()))) == design
    old = made.LOSS.plain()
    del old["compared"]
    assert Design.read(old) == made.LOSS


@pytest.mark.parametrize("key", ["loss", "activation", "weight", "target", "labels"])
def test_losses_of_two_kinds_are_not_compared(sweep, key):
    """The difference of two losses that are made otherwise is no number of overfitting."""
    asked = replace(sweep, design=replace(sweep.design, findings=(OVERFIT,)))
    alike = [c for c in comparisons(asked) if c.row.measure == "overfit"]
    assert [c.why for c in alike] == ["", ""]
    assert all(c.row.value is not None for c in alike)
    runs = tuple(replace(run, config={key: {"name": run.arm == "ce"}}) for run in asked.runs)
    other = {c.row.arm: c for c in comparisons(replace(asked, runs=runs)) if c.row.measure == "overfit"}
    assert other["dicece"].row.value is not None
    assert (other["ce"].row.value, other["ce"].row.p, other["ce"].first) == (None, None, None)
    assert f"differ in their {key} " in other["ce"].why
    dice = [c for c in comparisons(replace(asked, runs=runs)) if c.row.measure == "dice"]
    assert all(c.row.value is not None for c in dice)


def test_runs_without_a_value_are_no_runs_of_the_difference(sweep):
    """Counts of runs are of those that have a value; what is missing is counted by run and hip."""
    last = sweep.of("ce")[-1]
    blind = replace(last, hips=last.hips.assign(mjsw_pred_mm=np.nan), history=last.history.head(2))
    runs = tuple(blind if run is last else run for run in sweep.runs)
    found = of(replace(sweep, runs=runs), "mjsw_truth_mm", "ce", "dice")
    assert (found.row.seeds, found.num_without) == ((2, 3), (1, 0))
    assert (found.num_missing, found.num_wanted) == ((42, 0), (120, 120))  # h07 in the other two
    whole = of(replace(sweep, runs=runs), "instability", "ce", "dice")
    assert (whole.row.seeds, whole.num_without, whole.num_missing) == ((2, 3), (1, 0), (0, 0))
    alone = replace(sweep, runs=tuple(run for run in runs if run.arm != "ce" or run.seed != 1))
    assert of(alone, "mjsw_truth_mm", "ce", "dice").row.seeds == (1, 3)


def test_a_hip_measured_in_some_runs_only_is_missing_in_the_others(sweep):
    last = sweep.of("dice")[-1]
    some = replace(last, hips=last.hips.assign(mjsw_pred_mm=last.hips["mjsw_pred_mm"].where(last.hips.index >= 5)))
    found = of(
        replace(sweep, runs=tuple(some if run is last else run for run in sweep.runs)),
        "mjsw_truth_mm",
        "dice",
        "dicece",
    )
    assert (found.row.num_hips, found.num_missing, found.num_wanted) == (40, (5, 0), (120, 120))
    assert found.turned().num_missing == (0, 5)


def test_a_difference_is_over_the_hips_of_both(sweep):
    cut = with_hips(with_hips(sweep, "ce", lambda hips: hips.iloc[:30]), "dice", lambda hips: hips.iloc[10:])
    found = of(cut, "mjsw_truth_mm", "ce", "dice")
    every = pd.concat([run.hips.assign(arm=run.arm) for run in cut.runs if run.arm != "dicece"])
    every["error"] = (every["mjsw_pred_mm"] - every["mjsw_truth_mm"]).abs()
    means = every.groupby(["hip_id", "arm"])["error"].mean().unstack().dropna()
    assert len(means) == 20
    assert found.row.value == pytest.approx((means["ce"] - means["dice"]).mean())
    assert (found.first, found.second) == pytest.approx((means["ce"].mean(), means["dice"].mean()))
    assert found.first - found.second == pytest.approx(found.row.value)
    assert (found.row.num_hips, found.num_shared, found.num_alone) == (20, 20, 20)


def test_hips_undefined_in_one_are_counted_apart(sweep):
    found = of(sweep, "mjsw_truth_mm", "ce", "dice")  # h07 is not measured by CE
    assert (found.row.num_hips, found.num_shared, found.num_alone) == (39, 40, 0)


def test_no_hip_in_common_is_no_number(sweep):
    apart = with_hips(sweep, "ce", lambda hips: hips.assign(hip_id="x" + hips["hip_id"]))
    found = of(apart, "dice", "ce", "dice")
    assert (found.row.value, found.row.low, found.row.p, found.first) == (None, None, None, None)
    assert (found.row.num_hips, found.num_shared, found.num_alone) == (0, 0, 80)
    assert found.row.seeds == (3, 3)


def test_no_value_is_no_comparison(sweep):
    real = with_hips(sweep, "ce", lambda hips: hips.assign(mjsw_truth_mm=np.nan))
    assert of(real, "mjsw_truth_mm", "ce", "dice") is None
    assert of(real, "mjsw_truth_mm", "dicece", "dice") is not None
    alone = replace(sweep, runs=tuple(run for run in sweep.runs if run.arm != "ce"))
    assert of(alone, "dice", "ce", "dice") is None
    assert {c.row.arm for c in comparisons(alone)} == {"dicece"}


@pytest.mark.parametrize("measure", [name for name, measure in MEASURES.items() if not measure.of_metrics])
def test_turned_it_is_the_comparison_the_other_way(sweep, measure):
    found, other = of(sweep, measure, "ce", "dice"), of(sweep, measure, "dice", "ce")
    assert found.turned().turned() == found
    turned, row = other.turned(), found.row
    assert (turned.row.arm, turned.row.than, turned.row.seeds) == ("ce", "dice", (3, 3))
    numbers = [(c.row.value, c.row.low, c.row.high, c.row.p, c.first, c.second) for c in (turned, found)]
    assert [n is None for n in numbers[0]] == [n is None for n in numbers[1]]
    known = [[n for n in some if n is not None] for some in numbers]
    assert known[0] == pytest.approx(known[1], rel=1e-6, abs=1e-9)
    assert row.low is None or row.low <= row.value <= row.high


def test_an_arm_against_itself_by_another_name_is_no_difference(sweep):
    twin = tuple(replace(run, arm="ce") for run in sweep.runs if run.arm == "dice")
    same = replace(sweep, runs=(*(run for run in sweep.runs if run.arm != "ce"), *twin))
    found = of(same, "dice", "ce", "dice")
    assert found.row.value == 0
    assert found.row.p == pytest.approx(1)
    assert found.first == found.second


def test_holm_is_within_a_measure(sweep):
    by_measure = {}
    for comparison in comparisons(sweep):
        by_measure.setdefault(comparison.row.measure, []).append(comparison.row)
    for name, rows in by_measure.items():
        small, large = sorted(rows, key=lambda row: row.p if row.p is not None else 2)
        if large.p is None:
            assert (small.p_holm, large.p_holm) == (small.p, None), name
            continue
        assert small.p_holm == pytest.approx(min(2 * small.p, 1)), name
        assert large.p_holm == pytest.approx(min(max(2 * small.p, large.p), 1)), name


def test_known_effects_are_found(made, sweep):
    found = of(sweep, "dice", "ce", "dice").row
    true = made.TRUE["ce"][0] - made.TRUE["dice"][0]
    assert found.low < true < found.high
    assert found.p < 0.001
    assert of(sweep, "bias_truth_mm", "ce", "dice").row.value == pytest.approx(0.08, abs=0.08)


def test_whole_runs_have_no_hips(sweep):
    row = of(sweep, "instability", "ce", "dice").row
    assert (row.num_hips, row.num_persons, row.seeds) == (0, 0, (3, 3))
    assert row.value > 0
