"""Sweeps by the real command line: a process a job, one table, distinct W&B runs, failed jobs named."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest


@pytest.fixture(scope="module")
def sweep(workplace, door, tiny):
    """Three learning rates, one of which is none: a job fails and the others do not."""
    runs = workplace.folder / "sweep-runs"
    options = ("data=cohort", f"store={workplace.store}", f"runs_dir={runs}", "optim=study", *tiny)
    done = door("train", "-m", "optim.optimizer.lr=0.001,1e30,0.002", *options, cwd=workplace.folder)
    return runs, done, options


def test_a_failed_job_does_not_stop_the_others_and_the_exit_code_tells(sweep):
    runs, done, _ = sweep
    assert done.code == 1
    assert len(list(runs.glob("*/metrics.json"))) == 2
    assert "loss is nan" in " ".join(done.out.split())
    assert "failed" in done.out
    assert "Traceback" not in done.err
    (table,) = (runs / "sweeps").glob("*.md")
    assert table.read_text().count("lr=") == 3
    (numbers,) = (runs / "sweeps").glob("*.csv")
    rows = pd.read_csv(numbers)
    assert list(rows["status"]) == ["done", "failed", "done"]
    assert rows["test_dice"].notna().tolist() == [True, False, True]


def test_each_job_is_a_wandb_run_of_its_own_in_the_sweeps_group(sweep):
    runs, _, _ = sweep
    ids, groups = set(), set()
    for path in sorted(runs.rglob("*.wandb")):
        leet = [str(Path(sys.executable).parent / "wandb"), "leet", "inspect", "--json", str(path)]
        done = subprocess.run(leet, capture_output=True, text=True, check=True, timeout=120)
        records = [json.loads(line) for line in done.stdout.splitlines()]
        (run,) = (record["run"] for record in records if record["type"] == "run")
        ids.add(run["run_id"])
        groups.add(run["run_group"])
    assert len(ids) == 3  # the failed job's too, finished with its exit code
    assert len(groups) == 1
    assert next(iter(groups)).startswith("sweep-")


def test_the_same_sweep_again_runs_only_what_is_missing(sweep, workplace, door):
    runs, _, options = sweep
    before = {p: p.stat().st_mtime_ns for p in runs.glob("*/checkpoints/last.ckpt")}
    done = door("train", "-m", "optim.optimizer.lr=0.001,0.002", *options, cwd=workplace.folder)
    assert done.code == 0, done.err
    assert {p: p.stat().st_mtime_ns for p in runs.glob("*/checkpoints/last.ckpt")} == before
    assert "reused" in done.out
