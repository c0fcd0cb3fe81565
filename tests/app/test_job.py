"""A job's process, and what it says of itself."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hipjsw.app.job import REPORT_VARIABLE, exit_reason, told_to_sweep, write_job_report


def test_a_job_outside_a_sweep_reports_to_nobody(monkeypatch):
    monkeypatch.delenv(REPORT_VARIABLE, raising=False)
    write_job_report("done")


def test_a_job_reports_what_came_of_it(monkeypatch, tmp_path):
    monkeypatch.setenv(REPORT_VARIABLE, str(tmp_path / "0.json"))
    write_job_report("failed", reason="loss is nan")
    said = json.loads((tmp_path / "0.json").read_text())
    assert said == {"status": "failed", "run": "", "metrics": {}, "reason": "loss is nan"}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("loss is nan\nmore"), "loss is nan"),
        (ValueError(), "ValueError"),
        (KeyboardInterrupt(), "interrupted; the same command continues it"),
        (SystemExit(143), "interrupted; the same command continues it"),
    ],
)
def test_a_job_that_fails_says_why_and_fails_all_the_same(error, reason, monkeypatch, tmp_path):
    monkeypatch.setenv(REPORT_VARIABLE, str(tmp_path / "0.json"))
    with pytest.raises(type(error)), told_to_sweep():
        raise error
    assert json.loads((tmp_path / "0.json").read_text())["reason"] == reason


@pytest.mark.parametrize(("code", "said"), [(-9, "SIGKILL"), (-15, "SIGTERM"), (2, "exit code 2")])
def test_a_job_without_a_word_is_named_by_how_it_ended(code, said):
    assert said in exit_reason(code)


@pytest.mark.skipif(sys.platform != "linux", reason="only there a process can end with its parent")
def test_a_job_ends_with_a_killed_sweep(tmp_path):
    job = "import time; from hipjsw.app import job as l; l.end_with_sweep(); print('up', flush=True); time.sleep(99)"
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
