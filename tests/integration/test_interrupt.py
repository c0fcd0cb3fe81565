"""Ctrl-C and SIGTERM by the real command line: said in a line, nothing lost, no process left."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

#: More steps than a test waits for.
LONG = ("budget.steps=400", "budget.val_every=2")
SHORT = ("budget.steps=6", "budget.val_every=2")


@pytest.fixture
def options(workplace, tiny):
    kept = [o for o in tiny if not o.startswith(("budget.steps", "budget.val_every"))]
    return ["data=cohort", f"store={workplace.store}", "logger=none", *kept]


@pytest.fixture
def start(workplace, tmp_path):
    """Start the training door; what is still running at the end is killed."""
    started = []

    def start_one(*options):
        env = os.environ | {"WANDB_MODE": "offline", "COLUMNS": "160", "TMPDIR": str(tmp_path / "temp")}
        (tmp_path / "temp").mkdir(exist_ok=True)
        command = [sys.executable, "-m", "hipjsw.train", *options]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(command, cwd=workplace.folder, env=env, start_new_session=True, **pipes))
        return started[-1]

    yield start_one
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def wait_for_a_row(process, folder, pattern="history.csv"):
    """Until a history file below the folder has a row."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert process.poll() is None, process.stderr.read()
        if any(len(path.read_text().splitlines()) > 1 for path in folder.glob(pattern)):
            return
        time.sleep(0.05)
    raise AssertionError(f"nothing was trained in {folder}")


def stop(process, number):
    """Send the signal; what was printed, on standard output and standard error."""
    process.send_signal(number)
    return process.communicate(timeout=30)


def processes_naming(folder):
    """Command lines of the living processes that name the folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(folder) in line:
            found.append(line)
    return found


def test_an_interrupted_run_goes_on_to_the_same_metrics(start, options, door, workplace, tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    process = start(*options, *SHORT, f"run={cut}")
    wait_for_a_row(process, cut)
    _, err = stop(process, signal.SIGINT)
    assert process.returncode == 130, err
    assert "interrupted; the same command continues where it was" in err
    assert "Traceback" not in err
    assert not (cut / "metrics.json").exists()
    trained = len(pd.read_csv(cut / "history.csv"))
    assert 0 < trained < 3
    for run in (cut, whole):
        done = door("train", *options, *SHORT, f"run={run}", cwd=workplace.folder)
        assert done.code == 0, done.err
    assert len(pd.read_csv(cut / "history.csv")) == 3
    assert json.loads((cut / "metrics.json").read_text()) == json.loads((whole / "metrics.json").read_text())


def test_sigterm_is_said_and_told_by_the_exit_code(start, options, tmp_path):
    process = start(*options, *LONG, f"run={tmp_path / 'run'}")
    wait_for_a_row(process, tmp_path / "run")
    _, err = stop(process, signal.SIGTERM)
    assert process.returncode == 143, err
    assert "terminated; the same command continues where it was" in err
    assert "Traceback" not in err


def test_a_stopped_sweep_starts_no_further_job_and_leaves_no_process(start, options, tmp_path):
    runs = tmp_path / "runs"
    process = start("-m", "seed=0,1,2", "group=cut", f"runs_dir={runs}", *options, *LONG)
    wait_for_a_row(process, runs, "*/history.csv")
    out, err = stop(process, signal.SIGINT)
    assert process.returncode == 130, err
    assert not processes_naming(runs)
    assert "interrupted; the same command continues where it was" in err
    assert "Traceback" not in err
    assert "[1]" not in err
    assert out.count("not run") == 2
    rows = pd.read_csv(runs / "sweeps" / "cut.csv")
    assert list(rows["status"]) == ["failed"] * 3
    assert rows["reason"][0].startswith("interrupted")
    assert list(rows["reason"][1:]) == ["not run", "not run"]
    assert len(list(runs.glob("*/run.json"))) == 1
    assert sorted(path.name for path in (runs / "sweeps").iterdir()) == ["cut.csv", "cut.md"]
    assert not list((tmp_path / "temp").glob("hipjsw-*"))
