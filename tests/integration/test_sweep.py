"""Sweeps by the real command line: a process a job, one table, distinct W&B runs, failed jobs named."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def sweep(workplace, door, tiny):
    """Three losses, one of which cannot be: a job fails and the others do not."""
    runs = workplace.folder / "sweep-runs"
    options = ("data=cohort", f"store={workplace.store}", f"runs_dir={runs}", *tiny)
    done = door("train", "-m", "loss=dice,nosuch,ce", *options, cwd=workplace.folder)
    return runs, done, options


def test_a_failed_job_does_not_stop_the_others_and_the_exit_code_tells(sweep):
    runs, done, _ = sweep
    assert done.code == 1
    assert len(list(runs.glob("*/metrics.json"))) == 2
    assert "nosuch" in done.out
    assert "failed" in done.out
    (table,) = (runs / "sweeps").glob("*.md")
    assert table.read_text().count("loss=") == 3


def test_each_job_is_a_wandb_run_of_its_own_in_the_sweeps_group(sweep):
    runs, _, _ = sweep
    said = []
    for path in sorted(runs.rglob("*.wandb")):
        leet = [str(Path(sys.executable).parent / "wandb"), "leet", "inspect", "--json", str(path)]
        done = subprocess.run(leet, capture_output=True, text=True, check=True, timeout=120)
        said.append(json.loads(done.stdout))
    assert len(said) == 2
    text = [json.dumps(one) for one in said]
    assert all("sweep-" in one for one in text)
    assert text[0] != text[1]


def test_the_same_sweep_again_runs_only_what_is_missing(sweep, workplace, door):
    runs, _, options = sweep
    before = {p: p.stat().st_mtime_ns for p in runs.glob("*/checkpoints/last.ckpt")}
    done = door("train", "-m", "loss=dice,ce", *options, cwd=workplace.folder)
    assert done.code == 0, done.err
    assert {p: p.stat().st_mtime_ns for p in runs.glob("*/checkpoints/last.ckpt")} == before
    assert "reused" in done.out
