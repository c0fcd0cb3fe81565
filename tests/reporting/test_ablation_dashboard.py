"""An ablation's W&B run: the result's own numbers, said once, and nobody named.

W&B keeps state in its process, so every run is made in a process of its own (``run_script``), whose folder, user,
machine and arguments hold the word ``canary``.
"""

import json
import math
import pickle
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

from hipjsw.ablation.read import read_sweeps
from hipjsw.ablation.sweep import Sweep
from hipjsw.reporting.ablation_dashboard import TABLES, ablation_numbers, ablation_tables

PRELUDE = """
import json, os, pickle, socket, sys, time
from dataclasses import replace
from pathlib import Path
socket.gethostname = lambda: "canary-machine"
out = Path(sys.argv[1])
result, sweep = pickle.loads((out / "given.pickle").read_bytes())
from hipjsw.reporting.ablation_dashboard import log_ablation

def say(result=result, mode="offline", folder=out / "runs" / "sweeps" / "loss", picture="worst.png"):
    kept = log_ablation(folder, result, sweep, {"worst": out / picture}, "hipjsw", None, mode)
    return kept and str(kept)
"""


@pytest.fixture(scope="module")
def sweeps(made, tmp_path_factory):
    return read_sweeps(made.make_runs_dir(tmp_path_factory.mktemp("runs")))


@pytest.fixture
def loss(sweeps):
    """A sweep whose failed run gives a path as its reason."""
    (sweep,) = (sweep for sweep in sweeps if sweep.record == "loss")
    failed = replace(sweep.runs[-1], reason="no store at /canary/store")
    return replace(sweep, runs=(*sweep.runs[:-1], failed))


@pytest.fixture
def run_script(run_script, folder, made, loss):
    """The same, with what is to be said beside the script."""
    (folder / "given.pickle").write_bytes(pickle.dumps((made.made_result(), loss)))
    Figure(figsize=(2, 1)).savefig(folder / "worst.png")
    return run_script


def in_file(found, kind, key):
    """All that records of one kind say, later ones over earlier ones."""
    return {k: v for record in found if record["type"] == kind for k, v in record[kind].get(key, {}).items()}


def defined(values):
    return {k: v for k, v in values.items() if v is not None}


def test_an_offline_run_holds_the_result_and_names_nobody(run_script, folder, records, made, loss):
    kept = Path(run_script(PRELUDE, "print(json.dumps(say()))"))
    assert kept.parent == folder / "runs/sweeps/loss/wandb"
    (log,) = kept.glob("*.wandb")
    found = records(log)
    (run,) = (record["run"] for record in found if record["type"] == "run")
    said = {"project": "hipjsw", "run_group": "loss", "job_type": "ablation", "display_name": "ablation-loss"}
    assert said.items() <= run.items()
    assert run["tags"] == ["demo", "ablation", "loss"]
    assert run["config"]["update"]["ablation"]["question"] == made.LOSS.question
    numbers = defined(ablation_numbers(made.made_result()))
    summary = in_file(found, "summary", "update")
    assert {name: summary[name] for name in numbers} == numbers
    assert summary["arm/ce/dice_ci_low"] == 0.9203 - 0.004
    assert "arm/ce/mjsw_truth_mm" not in summary  # undefined
    history = in_file(found, "history", "item")
    for name in TABLES:
        table = json.loads((kept / "files" / history[f"{name}.path"]).read_text())
        columns = dict(zip(table["columns"], zip(*table["data"], strict=True), strict=True))
        for column, values in pd.DataFrame(ablation_tables(made.made_result(), loss)[name], dtype=object).items():
            wanted = [None if pd.isna(value) else value for value in values]
            assert list(columns[column]) == wanted, (name, column)
    assert history["figures/worst.width"] == 200
    assert not {"environment", "stats", "output_raw", "artifact"} & {record["type"] for record in found}
    assert "host" not in run
    files = [log, *(path for path in (kept / "files").rglob("*") if path.is_file())]
    assert len(files) == 2 + len(TABLES)
    for path in files:
        for word in (b"canary", b"P003", str(Path(__file__).parents[2]).encode(), sys.prefix.encode()):
            assert word not in path.read_bytes(), (path.name, word)


def test_the_same_numbers_are_said_once_and_others_anew(run_script):
    script = """
    again = replace(result, num_persons=17)
    began = [say(), say(), say(again), say(again), say()]
    (Path(began[0]) / "whole").unlink()  # as if it had been cut short
    print(json.dumps([*began, say()]))
    """
    first, second, other, same_other, third, anew = run_script(PRELUDE, script)
    assert first == second == third
    assert other == same_other != first
    assert anew not in (first, other)
    logs = [next(Path(folder).glob("*.wandb")).name for folder in (first, anew)]
    assert logs[0] == logs[1]  # the same run, a further attempt; its folder's name may end on -1
    assert len(list(Path(first).parent.iterdir())) == 3


def test_an_online_run_names_nobody(run_script, server_script):
    script = """
    began = time.monotonic()
    kept = say(mode="online")
    text = repr(seen)
    print(json.dumps({"kept": kept, "whole": (Path(kept) / "whole").is_file(), "canary": text.count("canary"),
                      "dice": "arm/ce/dice_ci_low" in text, "sent": [path for path, *_ in seen]}))
    """
    said = run_script(PRELUDE, "hang = None", server_script, script)
    assert Path(said["kept"]).name.startswith("run-")
    assert said["whole"]
    assert said["dice"]
    assert said["canary"] == 0
    assert sum("media/table/" in path for path in said["sent"]) == len(TABLES)


def test_an_unreachable_server_costs_little(run_script):
    script = """
    began = time.monotonic()
    kept = say()
    offline_s = time.monotonic() - began
    os.environ |= {"WANDB_BASE_URL": "http://127.0.0.1:9", "WANDB_API_KEY": "a" * 40}
    began = time.monotonic()
    kept = say(replace(result, num_persons=17), "online")
    print(json.dumps([kept, time.monotonic() - began - offline_s]))
    """
    kept, longer_s = run_script(PRELUDE, script)
    assert Path(kept).name.startswith("offline-run-")
    assert longer_s < 5


def test_nothing_is_raised(run_script):
    script = """
    (out / "file").write_text("")
    first = [say(folder=out / "file"), say(mode="disabled"), say(mode="sometimes")]
    kept = Path(say(picture="missing.png"))
    print(json.dumps([*first, kept.is_dir(), (kept / "whole").exists()]))
    """
    assert run_script(PRELUDE, script) == [None, None, None, True, False]


def test_without_wandb(run_script):
    assert run_script("import sys; sys.modules['wandb'] = None", PRELUDE, "print(json.dumps(say()))") is None


def every_number(part, at=()):
    """All finite numbers of cells and differences, wherever they stand."""
    if isinstance(part, bool | str) or part is None:
        return
    if isinstance(part, int | float):
        yield float(part)
    elif isinstance(part, dict):
        for value in part.values():
            yield from every_number(value)
    elif isinstance(part, tuple | list):
        for value in part:
            yield from every_number(value)
    else:
        yield from every_number(vars(part))


def test_every_number_of_the_result_is_said(made):
    result = made.made_result()
    tables = ablation_tables(result, Sweep(made.LOSS, "loss", (), "demo", ()))
    told = sorted(every_number([row for name in TABLES[:2] for row in tables[name]]))
    for number in every_number([result.arms, result.differences]):
        assert number in told
    numbers = [value for value in ablation_numbers(result).values() if value is not None]
    for number in every_number([[{k: (c.value, c.low, c.high) for k, c in row.cells.items()} for row in result.arms]]):
        assert number in numbers
    for row in result.differences:
        assert {v for v in (row.value, row.low, row.high, row.p, row.p_holm) if v is not None} <= set(numbers)


def test_hips_are_means_over_the_finished_runs_of_an_arm(loss, made):
    rows = pd.DataFrame(ablation_tables(made.made_result(), loss)["ablation/hips"])
    tables = [run.hips.assign(arm=run.arm) for run in loss.runs if run.status == "done"]
    hips = pd.concat(tables)
    hips["dice"] = hips[["dice_femur", "dice_acetabulum", "dice_joint_space"]].mean(axis=1)
    for reference in ("label", "truth"):
        hips[f"mjsw_{reference}_mm"] = (hips["mjsw_pred_mm"] - hips[f"mjsw_{reference}_mm"]).abs()
    wanted = hips.groupby(["arm", "hip_id"])[["dice", "mjsw_label_mm", "mjsw_truth_mm"]].mean()
    assert len(rows) == len(wanted) == 3 * made.NUM_HIPS
    got = rows.set_index(["arm", "hip"]).astype(float)
    pd.testing.assert_frame_equal(
        got[list(wanted)].sort_index(), wanted.sort_index(), check_names=False, check_exact=False, rtol=1e-12
    )
    assert got.loc[("ce", "h07"), ["num_runs", "num_measured"]].tolist() == [2, 0]
    assert math.isnan(got.loc[("ce", "h07"), "mjsw_label_mm"])
    assert got.loc[("dice", "h07"), ["num_runs", "num_measured"]].tolist() == [3, 3]


def test_runs_are_all_listed(loss, made):
    rows = ablation_tables(made.made_result(), loss)["ablation/runs"]
    assert [(row["arm"], row["seed"], row["status"]) for row in rows] == [
        (run.arm, run.seed, run.status) for run in loss.runs
    ]
    assert [row["test_dice"] is not None for row in rows] == [row["status"] == "done" for row in rows]
    assert {row["run"] for row in rows if row["status"] == "missing"} == {None}
    assert rows[-1]["reason"] == "(path)"


def test_folds_put_together_have_a_row_and_count_no_run_twice(made):
    result = made.made_result()
    pooled = replace(result.arms[0], arm="pooled", done=7, failed=0)
    numbers = ablation_numbers(replace(result, arms=(*result.arms, pooled)))
    assert numbers["arm/pooled/done"] == 7
    assert [numbers[f"runs/{name}"] for name in ("done", "failed", "missing")] == [7, 1, 1]
    assert [numbers[f"findings/{name}"] for name in ("holds", "not_run", "not_settled")] == [2, 1, 1]
