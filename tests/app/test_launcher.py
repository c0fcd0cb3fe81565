"""What a sweep says of its jobs."""

import csv
import os
import signal
import subprocess
import sys
import threading

import pytest
from omegaconf import OmegaConf

from hipjsw.app import job as jobs_of_a_sweep
from hipjsw.app.job import Job
from hipjsw.app.launcher import Expected, ProcessLauncher, _Pace, _what_varied


def test_only_what_differs_is_said():
    jobs = [["loss=dice", "seed=0", "view=hip"], ["loss=ce", "seed=0", "view=hip"]]
    assert _what_varied(jobs) == ["loss=dice", "loss=ce"]
    assert _what_varied([["loss=dice", "seed=0"]]) == ["loss=dice seed=0"]


#: Jobs that need no training: their only override is what they do.
REPORT = (
    "import json, os, pathlib as p; p.Path(os.environ['HIPJSW_JOB_REPORT']).write_text(json.dumps(%r)); print('said')"
)
DONE = REPORT % {"status": "done", "run": "r", "metrics": {}, "reason": ""}
DEAD = "import sys; sys.exit('it broke')"
LONG = "import time; time.sleep(300)"
DEAF = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(300)"


@pytest.fixture
def ctrl_c_heard():
    """Ctrl-C is no longer ignored, as it is in what a shell started in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def sweep(monkeypatch, tmp_path, ctrl_c_heard):
    """Run jobs at ``n`` a time; the table's rows."""
    temp = tmp_path / "temp"
    temp.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temp))
    monkeypatch.setattr(jobs_of_a_sweep, "door_command", lambda overrides: [sys.executable, "-c", overrides[0]])
    monkeypatch.setattr(jobs_of_a_sweep, "GRACE_S", 0.3)
    monkeypatch.setattr(jobs_of_a_sweep, "PATIENCE_S", 1.0)

    def run(jobs, n, ended_by=None):
        folder = tmp_path / "runs" / "sweeps"
        config = {"runs_dir": str(tmp_path / "runs"), "group": "g", "hydra": {"sweep": {"dir": str(folder)}}}
        process_launcher = ProcessLauncher(n)
        process_launcher.setup(hydra_context=None, task_function=None, config=OmegaConf.create(config))
        folder.mkdir(parents=True)
        (folder / "multirun.yaml").write_text("the working folder's path")
        if ended_by is None:
            process_launcher.launch([[job] for job in jobs], 0)
        else:
            with pytest.raises(ended_by):
                process_launcher.launch([[job] for job in jobs], 0)
        assert not list(temp.iterdir())
        assert not (folder / "multirun.yaml").exists()
        with (folder / "g.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    return run


def signal_soon(number, after_s=1.0):
    timer = threading.Timer(after_s, os.kill, (os.getpid(), number))
    timer.start()


@pytest.mark.parametrize("n", [0, -1, 1.5, "two", None])
def test_a_sweep_needs_at_least_one_job_at_a_time(n):
    with pytest.raises(ValueError, match="n_jobs is a whole number of at least 1"):
        ProcessLauncher(n).setup(hydra_context=None, task_function=None, config=OmegaConf.create())


def test_jobs_at_a_time_write_a_log_each_and_a_failed_one_names_it(sweep, tmp_path):
    rows = sweep([DONE, DEAD, DONE], 2, SystemExit)
    logs = tmp_path / "runs" / "sweeps" / "g"
    assert [row["status"] for row in rows] == ["done", "failed", "done"]
    assert rows[1]["reason"] == f"ended with exit code 1; its output: {logs / '1.log'}"
    assert [(logs / f"{number}.log").read_text() for number in range(3)] == ["said\n", "it broke\n", "said\n"]


def test_jobs_at_a_time_share_the_cores(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.setattr(ProcessLauncher, "environment", {})
    assert ProcessLauncher(1)._environment() == {}
    assert ProcessLauncher(3)._environment() == {"OMP_NUM_THREADS": "2", "OPENCV_FOR_THREADS_NUM": "2"}
    assert ProcessLauncher(16)._environment() == {"OMP_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1"}
    monkeypatch.setattr(ProcessLauncher, "environment", {"OMP_NUM_THREADS": "5"})
    assert ProcessLauncher(3)._environment() == {"OMP_NUM_THREADS": "5", "OPENCV_FOR_THREADS_NUM": "2"}


def test_opencv_takes_as_many_threads_as_a_job_may_have():
    said = subprocess.run(
        [sys.executable, "-c", "import cv2; print(cv2.getNumThreads())"],
        env=os.environ | {"OPENCV_FOR_THREADS_NUM": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == "1"


def test_one_at_a_time_writes_no_log(sweep, tmp_path):
    assert [row["status"] for row in sweep([DONE, DONE], 1)] == ["done", "done"]
    assert not (tmp_path / "runs" / "sweeps" / "g").exists()


@pytest.mark.parametrize(
    ("number", "ended_by"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)], ids=["INT", "TERM"]
)
def test_a_stopped_sweep_ends_its_jobs_and_starts_no_other(number, ended_by, sweep):
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    signal_soon(number)
    rows = sweep([LONG, DEAF, LONG], 2, ended_by)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    assert [row["status"] for row in rows] == ["failed"] * 3
    assert "SIGINT" in rows[0]["reason"]
    assert "SIGKILL" in rows[1]["reason"]
    assert rows[2]["reason"] == "not run"


class Ended(Job):
    """A job whose process went well."""

    went_well = True


def test_a_job_that_failed_early_foretells_nothing(tmp_path):
    jobs = [Job(number, [], tmp_path / "x") for number in range(2)]
    jobs[0].took_s = 1.0
    assert _Pace(None, {0: 1.0, 1: 1.0}).left_words(jobs, 1) == ""


def test_what_is_left_is_foretold_by_the_jobs_that_have_ended(tmp_path):
    jobs = [Ended(number, [], tmp_path / "x") for number in range(3)]
    pace = _Pace(None, {0: 1.0, 1: 2.0, 2: 4.0})
    assert pace.left_words(jobs, 1) == ""  # nothing is known yet
    jobs[0].took_s = 60.0
    assert pace.left_words(jobs, 1) == ", about 6 min left"
    assert pace.left_words(jobs, 2) == ", about 3 min left"
    jobs[1].took_s = 180.0  # 80 s a unit
    assert pace.left_words(jobs, 1) == ", about 5 min left"
    jobs[2].took_s = 1.0
    assert pace.left_words(jobs, 1) == ""


def test_earlier_runs_foretell_the_first_job(tmp_path):
    pace = _Pace(30.0, {0: 4.0})
    assert pace.left_words([Job(0, [], tmp_path / "x")], 1) == ", about 2 min left"
    pace = _Pace(3.0, {0: 4.0})
    assert pace.left_words([Job(0, [], tmp_path / "x")], 1) == ", less than a minute left"


def test_a_sweeper_that_knows_the_jobs_names_them_and_keeps_the_table_to_itself(monkeypatch, tmp_path, capfd):
    monkeypatch.setattr(jobs_of_a_sweep, "door_command", lambda overrides: [sys.executable, "-c", overrides[0]])
    folder = tmp_path / "runs" / "sweeps"
    own = ProcessLauncher(1)
    own.setup(
        hydra_context=None,
        task_function=None,
        config=OmegaConf.create({"runs_dir": str(tmp_path / "runs"), "hydra": {"sweep": {"dir": str(folder)}}}),
    )
    own.expected = [Expected("dice, seed 0", 1.0, "loss", "run")]
    own.launch([[DONE]], 0)
    out, err = capfd.readouterr()
    assert "[1/1] dice, seed 0" in err
    assert own.rows[0].status == "done"
    assert "sweep" not in out
    assert not folder.exists()
