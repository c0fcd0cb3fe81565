"""Pairs of arms: which, on which hips, and what may not change their difference."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from hipjsw.ablation.comparing import Side, compared, comparisons, pairs_of
from hipjsw.ablation.design import Finding
from hipjsw.ablation.measures import MEASURES
from hipjsw.ablation.sweep import RunResult, Sweep

DICE = MEASURES["dice"]


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
    assert found == [(name, arm) for name in MEASURES for arm in ("dicece", "ce")]


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


@pytest.mark.parametrize("measure", MEASURES)
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
