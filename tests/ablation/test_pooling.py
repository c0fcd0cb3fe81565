"""Runs put together, against pandas and plain means."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from hipjsw.ablation.measures import MEASURES
from hipjsw.ablation.pooling import arm_cells, hips_of, pooled_rows, rows_of, value_table
from hipjsw.ablation.sweep import RunResult, Sweep

DICE = [f"dice_{name}" for name in ("femur", "acetabulum", "joint_space")]


@pytest.fixture(scope="module")
def run(made):
    """A finished run without files."""

    def make(arm="dice", seed=0, fold=None, way=None, **changes):
        way = way or arm
        tables = {"hips": made.hip_table(way, seed, fold), "history": made.history(way, seed)}
        return RunResult(arm, seed, "done", **tables | changes)

    return make


def folds(made, run, seeds=(0, 1), **changes):
    runs = [run(f"fold{fold}", seed, fold, "dice") for fold in range(3) for seed in seeds]
    return Sweep(made.FOLDS, "cross_validation", (), "demo", tuple(runs))


def test_hips_are_each_there_once_and_sorted(run):
    first, second = run(seed=0), run(seed=1)
    cut = replace(second, hips=second.hips.iloc[20:].sample(frac=1, random_state=1))
    hips = hips_of([(cut,), (first,)])
    assert hips.ids == tuple(f"h{n:02d}" for n in range(40))
    assert list(hips.persons) == list(first.hips["person"])
    assert hips.num_persons == 18
    assert hips_of([(cut,)]).ids == tuple(f"h{n:02d}" for n in range(20, 40))
    assert len(hips_of([])) == 0


def test_hips_within_others(run):
    one, two = (hips_of([(replace(run(), hips=run().hips.iloc[rows]),)]) for rows in (slice(0, 25), slice(15, 40)))
    shared = one.within(two)
    assert shared.ids == tuple(f"h{n:02d}" for n in range(15, 25))
    assert two.within(one).ids == shared.ids
    assert list(shared.persons) == list(run().hips["person"][15:25])


def test_a_table_has_a_row_a_run(run):
    runs = [run(seed=seed) for seed in range(3)]
    hips = hips_of([(r,) for r in runs])
    table = value_table(MEASURES["dice"], [(r,) for r in runs], hips)
    expected = np.stack([r.hips.set_index("hip_id").loc[list(hips.ids), DICE].mean(axis=1) for r in runs])
    assert np.allclose(table, expected)


def test_cells_are_means_over_hips_of_means_over_runs(run):
    rows = [(run("ce", seed),) for seed in range(2)]
    cells = arm_cells(rows)
    assert list(cells) == list(MEASURES)
    every = pd.concat([r.hips for (r,) in rows])
    error = (every["mjsw_pred_mm"] - every["mjsw_truth_mm"]).abs()
    assert cells["mjsw_truth_mm"].value == pytest.approx(error.groupby(every["hip_id"]).mean().mean())
    assert (cells["mjsw_truth_mm"].num, cells["mjsw_truth_mm"].num_left_out) == (39, 1)
    assert cells["unmeasurable"].value == pytest.approx(1 / 40)
    assert (cells["dice"].num, cells["dice"].num_left_out) == (40, 0)
    assert all(c.low <= c.value <= c.high for c in cells.values() if c.low is not None)


def test_no_hip_of_some_is_not_none_of_all(run):
    cell = arm_cells([(run(seed=seed),) for seed in range(2)])["unmeasurable"]
    assert (cell.value, cell.low) == (0, 0)
    exact = binomtest(0, 18).proportion_ci(method="exact")  # all hips of a person as one
    assert cell.high == pytest.approx(exact.high)


def test_cells_of_whole_runs_are_over_runs(run):
    rows = [(run(seed=seed),) for seed in range(3)]
    short = replace(run(seed=3), history=run().history.head(2))
    cell = arm_cells([*rows, (short,)])["instability"]
    known = [MEASURES["instability"].of(r.history) for (r,) in rows]
    assert cell.value == pytest.approx(np.mean(known))
    assert (cell.num, cell.num_left_out) == (3, 1)


def test_table_5_is_a_mean_over_runs_that_have_it(run):
    rows = [(run(seed=seed, metrics={"test/table5/as_printed_sd": 0.1 * seed}),) for seed in range(3)]
    cell = arm_cells([*rows, (run(seed=3),)])["table5_printed_sd"]
    assert (cell.value, cell.num, cell.num_left_out) == (pytest.approx(0.1), 3, 1)


def test_the_order_of_runs_and_hips_changes_nothing(run):
    rows = [(run(seed=seed),) for seed in range(3)]
    mixed = [(replace(r, hips=r.hips.sample(frac=1, random_state=n)),) for n, (r,) in enumerate(rows)][::-1]
    first, second = arm_cells(rows), arm_cells(mixed)
    for name, cell in first.items():
        other = second[name]
        assert (cell.num, cell.num_left_out, cell.low is None) == (other.num, other.num_left_out, other.low is None)
        ends = [[number for number in (c.value, c.low, c.high) if number is not None] for c in (cell, other)]
        assert ends[0] == pytest.approx(ends[1], rel=1e-9), name


def test_nothing_known_is_no_number(run):
    hips = run().hips.assign(mjsw_truth_mm=np.nan)
    cell = arm_cells([(run(hips=hips),)])["mjsw_truth_mm"]
    assert (cell.value, cell.low, cell.high, cell.num, cell.num_left_out) == (None, None, None, 0, 40)
    assert arm_cells([]) == {}


def test_one_person_has_no_interval(run):
    hips = run().hips.assign(person="P1")
    cell = arm_cells([(run(hips=hips),)])["dice"]
    assert cell.value == pytest.approx(hips[DICE].mean(axis=1).mean())
    assert (cell.low, cell.high) == (None, None)


def test_folds_put_together_have_each_hip_once_a_seed(made, run):
    rows = pooled_rows(folds(made, run))
    assert [[r.arm for r in row] for row in rows] == [["fold0", "fold1", "fold2"]] * 2
    cell = arm_cells(rows)["dice"]
    every = pd.concat([r.hips for row in rows for r in row])
    assert len(every) == 80
    assert cell.num == 40
    assert cell.value == pytest.approx(every[DICE].mean(axis=1).mean())


def test_a_seed_without_all_folds_is_not_pooled(made, run):
    sweep = folds(made, run)
    failed = replace(sweep.runs[-1], status="failed")  # fold 2 of seed 1
    assert [row[0].seed for row in pooled_rows(replace(sweep, runs=(*sweep.runs[:-1], failed)))] == [0]
    assert pooled_rows(replace(sweep, runs=sweep.runs[:4])) == []


def test_rows_of_an_arm_are_its_finished_runs(made, run):
    runs = (run(seed=0), replace(run(seed=1), status="failed"), run("ce", 0), RunResult("dice", 2, "missing"))
    sweep = Sweep(made.LOSS, "loss", (), "demo", runs)
    assert [(row[0].arm, row[0].seed) for row in rows_of(sweep, "dice")] == [("dice", 0)]
    assert rows_of(sweep, "dicece") == []
