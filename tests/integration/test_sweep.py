"""Sweeps by the real command line: a process a job, each run once, only what is missing, failed jobs named."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

#: Two arms that share all but the rate, one of which must fail.
BROKEN = """# @package _global_
defaults:
  - override /measure: quick
  - override /optim: study
ablation:
  name: broken
  title: A rate that is none
  question: Does a sweep go on past an arm that must fail?
  measure: dice
  reference: good
  seeds: 1
  arms:
    bad: {overrides: [optim.optimizer.lr=1e30]}
    good: {label: "good | arm", overrides: [optim.optimizer.lr=0.001], study: {dice: 0.8877}, study_steps: 4000}
  findings:
    - {claim: The good rate is better., measure: dice, arm: good, than: bad}
"""
#: The same question once more, with a run that the first one has too.
SHARED = """# @package _global_
defaults:
  - override /measure: quick
  - override /optim: study
ablation:
  name: shared
  title: A rate and half of it
  question: Does half the rate do?
  measure: dice
  reference: whole
  seeds: 1
  arms:
    whole: {overrides: [optim.optimizer.lr=0.001]}
    half: {overrides: [optim.optimizer.lr=0.0005]}
"""


def write_ablations(folder):
    (folder / "ablation").mkdir(parents=True)
    (folder / "ablation" / "broken.yaml").write_text(BROKEN)
    (folder / "ablation" / "shared.yaml").write_text(SHARED)
    return ("--config-dir", str(folder))


@pytest.fixture(scope="module")
def sweep(workplace, door, tiny, tmp_path_factory):
    """A sweep with an arm that must fail; its folder, what came of it, and how to go on with it."""
    runs = workplace.folder / "sweep-runs"
    own = write_ablations(tmp_path_factory.mktemp("conf"))
    options = (*own, "data=cohort", f"store={workplace.store}", f"runs_dir={runs}", *tiny)
    done = door("train", "-m", *options, "ablation=broken", cwd=workplace.folder)
    return runs, done, options


def runs_in(folder, record):
    path = next((folder / "sweeps").glob(f"{record}*.json"))
    return [(run["arm"], run["seed"], run["run"]) for run in json.loads(path.read_text())["runs"]]


def test_a_failed_arm_does_not_stop_the_others_and_is_named(sweep):
    runs, done, _ = sweep
    assert done.code == 1
    assert "0 of 2 runs are there, 2 to do" in done.err
    assert [arm for arm, _, folder in runs_in(runs, "broken") if (runs / folder / "metrics.json").is_file()] == ["good"]
    said = " ".join(done.out.split())
    assert "loss is nan" in said
    assert "0 done, 1 failed" in said
    assert "Traceback" not in done.err


def test_each_job_is_a_wandb_run_of_its_own_tagged_by_its_arm(sweep):
    runs, _, _ = sweep
    known = {}
    for path in sorted(runs.glob("*/wandb/*/*.wandb")):
        leet = [str(Path(sys.executable).parent / "wandb"), "leet", "inspect", "--json", str(path)]
        done = subprocess.run(leet, capture_output=True, text=True, check=True, timeout=120)
        records = [json.loads(line) for line in done.stdout.splitlines()]
        (run,) = (record["run"] for record in records if record["type"] == "run")
        known[run["run_id"]] = (run["run_group"], [tag for tag in run["tags"] if ":" in tag])
    (record,) = (path.stem for path in (runs / "sweeps").glob("broken*.json"))
    assert sorted(known.values()) == [(record, ["broken:bad"]), (record, ["broken:good"])]  # the failed one too


def test_what_two_ablations_ask_for_is_made_once_and_a_finished_run_never_again(sweep, workplace, door):
    runs, _, options = sweep
    before = {path: path.stat().st_mtime_ns for path in runs.glob("*/checkpoints/last.ckpt")}
    finished = {path.parent for path in runs.glob("*/metrics.json")}
    done = door("train", "-m", *options, "ablation=shared", cwd=workplace.folder)
    assert done.code == 0, done.err
    assert "1 of 2 runs are there, 1 to do" in done.err
    whole = {arm: folder for arm, _, folder in runs_in(runs, "shared")}["whole"]
    assert runs / whole in finished
    assert whole == {arm: folder for arm, _, folder in runs_in(runs, "broken")}["good"]
    assert all(path.stat().st_mtime_ns == moment for path, moment in before.items())


def test_the_report_needs_the_run_folders_alone(sweep, workplace, door, tmp_path):
    runs, _, _ = sweep
    kept = tmp_path / "kept"
    done = door("report", f"runs_dir={runs}", f"out={tmp_path / 'out'}", f"record={kept}", cwd=workplace.folder)
    assert done.code == 0, done.err
    (name,) = (path.stem for path in (tmp_path / "out").glob("broken*.md"))
    table = (tmp_path / "out" / f"{name}.md").read_text()
    assert "loss is nan" in table
    assert "good \\| arm" in table
    assert "0.8877" in table
    rows = pd.read_csv(tmp_path / "out" / f"{name}.csv").set_index("arm")
    assert rows["runs_failed"].to_dict() == {"bad": 1, "good": 0}
    good = {arm: folder for arm, _, folder in runs_in(runs, "broken")}["good"]
    dice = json.loads((runs / good / "metrics.json").read_text())["test/dice/mean"]
    assert rows.loc["good", "dice"] == pytest.approx(dice, abs=1e-5)
    assert pd.isna(rows.loc["bad", "dice"])
    page = (tmp_path / "out" / "report.html").read_text()
    assert "A rate that is none" in page
    assert "loss is nan" in page
    assert "wandb sync" in done.out
    assert (kept / "broken" / "README.md").read_text().startswith("# A rate that is none")
    with (kept / "broken" / "results.csv").open(newline="") as file:
        assert len(list(csv.reader(file))) > 10
    assert str(runs) not in page


def test_a_report_of_nothing_says_what_to_do(door, tmp_path):
    done = door("report", f"runs_dir={tmp_path}", cwd=tmp_path)
    assert done.code == 1
    assert "python -m hipjsw.train -m ablation=loss" in done.err


@pytest.mark.slow
def test_stopped_thrice_and_extended_by_a_seed_it_is_as_never_stopped(workplace, door, tiny, tmp_path):
    """Twice by Ctrl-C, once by kill -9; then a seed more. The tables are an uninterrupted sweep's."""
    own = write_ablations(tmp_path / "conf")
    kept = [o for o in tiny if not o.startswith(("budget.steps", "budget.val_every"))]
    options = [
        *own,
        "data=cohort",
        f"store={workplace.store}",
        "logger=none",
        "budget.steps=12",
        "budget.val_every=2",
        *kept,
    ]
    cut, whole = tmp_path / "cut", tmp_path / "whole"

    def start(seeds):
        command = [sys.executable, "-m", "hipjsw.train", "-m", *options, "ablation=shared", f"seeds={seeds}"]
        return subprocess.Popen(
            [*command, f"runs_dir={cut}"], cwd=workplace.folder, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
            text=True, start_new_session=True, env=os.environ | {"COLUMNS": "160"},
        )  # fmt: skip

    for number, rows in ((signal.SIGINT, 3), (signal.SIGKILL, 5), (signal.SIGINT, 9)):
        process = start(1)
        until = time.monotonic() + 240
        while _rows(cut) < rows and time.monotonic() < until and process.poll() is None:
            time.sleep(0.05)
        assert process.poll() is None, process.stderr.read()
        if number == signal.SIGKILL:
            process.kill()
        else:
            os.killpg(process.pid, number)
        process.communicate(timeout=120)
        assert process.returncode == (-9 if number == signal.SIGKILL else 130)
    for folder in (cut, whole):
        done = door("train", "-m", *options, "ablation=shared", "seeds=2", f"runs_dir={folder}", cwd=workplace.folder)
        assert done.code == 0, done.err
    tables = []
    for folder in (cut, whole):
        done = door("report", f"runs_dir={folder}", "logger=none", cwd=workplace.folder)
        assert done.code == 0, done.err
        tables.append(pd.read_csv(next((folder / "report").glob("shared*.csv"))).drop(columns=["train_s", "judge_s"]))
    pd.testing.assert_frame_equal(*tables)
    assert tables[0]["runs_done"].tolist() == [2, 2]


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_other_launchers_do_the_same(launcher, workplace, door, tiny, tmp_path):
    own = write_ablations(tmp_path / "conf")
    runs = tmp_path / "runs"
    options = [*own, "data=cohort", f"store={workplace.store}", "logger=none", f"runs_dir={runs}", *tiny]
    done = door("train", "-m", *options, "ablation=broken", f"hydra/launcher={launcher}", cwd=workplace.folder)
    assert done.code == 1
    assert "0 of 2 runs are there, 2 to do" in done.err
    assert "loss is nan" in " ".join(done.out.split())
    done = door("train", "-m", *options, "ablation=shared", f"hydra/launcher={launcher}", cwd=workplace.folder)
    assert done.code == 0, done.err
    assert "1 of 2 runs are there, 1 to do" in done.err
    assert len(list(runs.glob("*/metrics.json"))) == 2


def _rows(folder):
    """Validations of all runs so far."""
    return sum(max(len(path.read_text().splitlines()) - 1, 0) for path in folder.glob("*/history.csv"))
