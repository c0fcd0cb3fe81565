"""What a sweep says of its jobs."""

import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from hipjsw.app import launcher
from hipjsw.app.launcher import (
    REPORT_VARIABLE,
    ProcessLauncher,
    _exit_reason,
    _study_value,
    _what_varied,
    write_job_report,
)
from hipjsw.app.schema import AblationConfig


def test_only_what_differs_is_said():
    jobs = [["loss=dice", "seed=0", "view=hip"], ["loss=ce", "seed=0", "view=hip"]]
    assert _what_varied(jobs) == ["loss=dice", "loss=ce"]
    assert _what_varied([["loss=dice", "seed=0"]]) == ["loss=dice seed=0"]


def test_a_job_outside_a_sweep_reports_to_nobody(monkeypatch):
    monkeypatch.delenv(REPORT_VARIABLE, raising=False)
    write_job_report("done")


def test_a_job_reports_what_came_of_it(monkeypatch, tmp_path):
    monkeypatch.setenv(REPORT_VARIABLE, str(tmp_path / "0.json"))
    write_job_report("failed", reason="loss is nan")
    said = json.loads((tmp_path / "0.json").read_text())
    assert said == {"status": "failed", "run": "", "metrics": {}, "reason": "loss is nan"}


@pytest.mark.parametrize(("code", "said"), [(-9, "SIGKILL"), (-15, "SIGTERM"), (2, "exit code 2")])
def test_a_job_without_a_word_is_named_by_how_it_ended(code, said):
    assert said in _exit_reason(code)


def test_the_studys_figure_is_found_by_the_override():
    ablation = AblationConfig(name="loss", study={"loss=dice": 0.8877})
    assert _study_value(["seed=0", "loss=dice"], ablation) == 0.8877
    assert _study_value(["loss=ce"], ablation) is None
    assert _study_value(["loss=dice"], None) is None


#: Jobs that need no training: their only override is what they do.
REPORT = (
    "import json, os, pathlib as p; p.Path(os.environ['HIPJSW_JOB_REPORT']).write_text(json.dumps(%r)); print('said')"
)
DONE = REPORT % {"status": "done", "run": "r", "metrics": {}, "reason": ""}
DEAD = "import sys; sys.exit('it broke')"
LONG = "import time; time.sleep(300)"
DEAF = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(300)"


@pytest.fixture
def sweep(monkeypatch, tmp_path):
    """Run jobs at ``n`` a time; the table's rows."""
    temp = tmp_path / "temp"
    temp.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temp))
    monkeypatch.setattr(launcher, "_command", lambda overrides: [sys.executable, "-c", overrides[0]])
    monkeypatch.setattr(launcher, "GRACE_S", 0.3)
    monkeypatch.setattr(launcher, "PATIENCE_S", 1.0)

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


@pytest.mark.skipif(sys.platform != "linux", reason="only there a process can end with its parent")
def test_a_job_ends_with_a_killed_sweep(tmp_path):
    job = (
        "import time; from hipjsw.app import launcher as l; l.end_with_sweep(); print('up', flush=True); time.sleep(99)"
    )
    parent = (
        f"import subprocess as s, sys; p = s.Popen([sys.executable, '-c', {job!r}]); print(p.pid, flush=True); p.wait()"
    )
    environment = os.environ | {REPORT_VARIABLE: str(tmp_path / "0.json")}
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True, env=environment)
    pid = int(process.stdout.readline())
    assert process.stdout.readline() == "up\n"
    process.kill()
    process.communicate(timeout=10)  # its end is read only when the job too has let go of it
    until = time.monotonic() + 5
    while _lives(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _lives(pid)


def _lives(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
