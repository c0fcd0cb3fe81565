"""Which hips are shown, and the numbers that are said of each."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from hipjsw.ablation.design import Arm, Design
from hipjsw.ablation.sweep import RunResult, Sweep
from hipjsw.reporting.example_hips import show_examples
from hipjsw.reporting.example_shelf import ExampleShelf

NUM_WORST, NUM_SHARED = 4, 3
IDS = [f"h{n}" for n in range(NUM_WORST + NUM_SHARED)]


def hips(**changes):
    columns = {"hip_id": IDS, "reason": "", "mjsw_pred_mm": 3.0, "mjsw_label_mm": 3.25, "mjsw_truth_mm": 2.5}
    columns |= {f"dice_{name}": value for name, value in (("femur", 0.9), ("acetabulum", 0.8), ("joint_space", 0.7))}
    return pd.DataFrame(columns | {"mjsw_ci_low_mm": 2.8, "mjsw_ci_high_mm": 3.5} | changes)


@pytest.fixture
def run_of(tmp_path):
    def make(arm, seed, table=None, noise=0):
        folder = tmp_path / f"{arm}-{seed}"
        folder.mkdir()
        rng = np.random.default_rng(noise)
        num = NUM_WORST + NUM_SHARED
        np.savez(
            folder / "examples.npz",
            hip_id=np.array(IDS),
            kind=np.array(["worst"] * NUM_WORST + ["shared"] * NUM_SHARED),
            image=rng.integers(0, 256, (num, 16, 16), dtype=np.uint8),
            probs=np.zeros((num, 3, 16, 16), np.uint8),
            label=np.zeros((num, 3, 16, 16), np.uint8),
            witness_px=np.full((num, 2, 2), np.nan, np.float32),
            pixel_mm=np.float32(0.8),
        )
        return RunResult(arm, seed, "done", folder, hips=hips() if table is None else table)

    return make


def sweep_of(runs, record="x"):
    arms = tuple(Arm(name, name, ()) for name in dict.fromkeys(run.arm for run in runs))
    design = Design("x", "X", "?", "dice", arms[0].name, arms)
    return Sweep(design, record, (), "demo", tuple(runs))


def test_every_hip_is_shown_where_all_fit_by_arm_seed_kind_and_rank(run_of):
    runs = [run_of(arm, seed) for arm in "ba" for seed in (1, 0)]
    (shown,) = show_examples([sweep_of(runs)], ExampleShelf(10**7))
    expected = [
        (arm, seed, kind, hip_id)
        for arm in "ba"
        for seed in (0, 1)
        for kind, ids in (("worst", IDS[:NUM_WORST]), ("shared", IDS[NUM_WORST:]))
        for hip_id in ids
    ]
    assert [(hip.arm, hip.seed, hip.kind, hip.hip_id) for hip in shown.hips] == expected
    assert (shown.num_kept, shown.unread) == (28, ())
    assert [hip.hip_id for hip in shown.of("a", "shared")] == IDS[NUM_WORST:]
    assert {hip.seed for hip in shown.of("a", "worst")} == {0}
    assert shown.of("c", "worst") == []


def test_where_little_fits_first_seeds_go_first_and_arms_have_about_as_much(run_of):
    runs = [run_of(arm, seed, noise=7 * n + seed) for n, arm in enumerate("abc") for seed in (0, 1)]
    shelf = ExampleShelf(70_000)
    (shown,) = show_examples([sweep_of(runs)], shelf)
    count = {(arm, seed): sum((h.arm, h.seed) == (arm, seed) for h in shown.hips) for arm in "abc" for seed in (0, 1)}
    firsts = [count[arm, 0] for arm in "abc"]
    assert sum(count.values()) < shown.num_kept == 42
    assert min(firsts) >= 2
    assert max(firsts) - min(firsts) <= 1
    assert all(count[arm, 1] <= count[arm, 0] for arm in "abc")
    kinds = [hip.kind for hip in shown.hips if (hip.arm, hip.seed) == ("a", 0)]
    assert abs(kinds.count("worst") - kinds.count("shared")) <= 1
    assert shown.of("a", "worst")[0].hip_id == IDS[0]
    assert shelf.left >= 0


def test_a_run_of_two_ablations_has_its_pictures_once(run_of):
    run = run_of("a", 0)
    shelf, alone = ExampleShelf(10**7), ExampleShelf(10**7)
    one, other = show_examples([sweep_of([run], "x"), sweep_of([run], "y")], shelf)
    show_examples([sweep_of([run])], alone)
    assert one == other
    assert shelf.markup() == alone.markup()


def test_numbers_are_those_of_the_runs_table(run_of):
    table = hips(mjsw_pred_mm=[3.0, np.nan, np.nan, *[3.0] * 4], reason=["", "no joint", "", *[""] * 4])
    table.loc[3, ["mjsw_truth_mm", "mjsw_ci_low_mm"]] = np.nan
    table.loc[4, [name for name in table if name.startswith("dice_")]] = np.nan
    table.loc[5, "dice_femur"] = np.nan
    (shown,) = show_examples([sweep_of([run_of("a", 0, table.drop(index=6))])], ExampleShelf(10**7))
    by_id = {hip.hip_id: hip for hip in shown.hips}
    first = by_id["h0"]
    assert (first.dice, first.dices) == (pytest.approx(0.8), (0.9, 0.8, 0.7))
    assert (first.measured, first.error_mm) == ("3.00 mm (2.80 to 3.50)", 0.5)
    assert by_id["h1"].measured == "not measured: no joint"
    assert by_id["h2"].measured == "not measured"
    assert by_id["h1"].error_mm is None
    assert (by_id["h3"].measured, by_id["h3"].error_mm) == ("3.00 mm", -0.25)
    assert by_id["h4"].dice is None
    assert by_id["h5"].dice == pytest.approx(0.75)
    assert (by_id["h6"].dice, by_id["h6"].measured, by_id["h6"].label_mm) == (None, "not measured", None)


def test_files_that_cannot_be_read_are_named_and_unfinished_runs_left_out(run_of):
    runs = [run_of("a", 0), run_of("a", 1), replace(run_of("b", 0), status="failed"), RunResult("b", 1, "missing")]
    runs[0].examples.write_bytes(b"PK")
    (shown,) = show_examples([sweep_of(runs)], ExampleShelf(10**7))
    assert shown.unread == (("a", 0),)
    assert {(hip.arm, hip.seed) for hip in shown.hips} == {("a", 1)}
    assert shown.num_kept == 7
