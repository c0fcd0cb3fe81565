"""A job of a sweep: the door's own command line in a process of its own, and what it says of itself."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

__all__ = [
    "LOOK_S",
    "Job",
    "JobError",
    "door_command",
    "end_jobs",
    "end_with_sweep",
    "exit_reason",
    "heard",
    "in_sweep",
    "job_environment",
    "job_report_path",
    "own_conf",
    "told_to_sweep",
    "write_job_report",
]

REPORT_VARIABLE = "HIPJSW_JOB_REPORT"
SWEEP_VARIABLE = "HIPJSW_SWEEP"

#: How often jobs are looked after.
LOOK_S = 0.1
#: How long a stopped sweep waits for jobs that have the signal from the terminal, before it sends them one.
GRACE_S = 2.0
#: How long a job may then take to end, before it is killed.
PATIENCE_S = 60.0


class JobError(RuntimeError):
    """A job in a process of its own failed; the message is what it said."""


def job_report_path() -> Path | None:
    """Where the sweep wants to read what came of this job; None outside a sweep."""
    name = os.environ.get(REPORT_VARIABLE)
    return Path(name) if name else None


def in_sweep() -> bool:
    """Whether this process is a job of a sweep, of whichever launcher."""
    return job_report_path() is not None or (HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN)


def write_job_report(status: str, run: str = "", metrics: Mapping[str, Any] | None = None, reason: str = "") -> None:
    """Tell the sweep what came of this job, if there is a sweep.

    Args:
        status: ``done``, ``reused`` (was finished before), ``failed``, or ``running``: not the last word.
        run: The run's folder.
        metrics: Its metrics.
        reason: Why it failed; of a running job, which of its processes the sweep started.
    """
    path = job_report_path()
    if path is not None:
        content = {"status": status, "run": run, "metrics": dict(metrics or {}), "reason": reason}
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(content), encoding="utf-8")
        partial.replace(path)  # a job killed on the way has said nothing


@contextmanager
def told_to_sweep() -> Iterator[None]:
    """Tell the sweep why this job failed, if it does."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        write_job_report("failed", reason="interrupted; the same command continues it")
        raise
    except Exception as error:
        write_job_report("failed", reason=str(error).splitlines()[0] if str(error) else error.__class__.__name__)
        raise


def end_with_sweep() -> None:
    """Have the system end this job should its sweep be killed. Linux only; elsewhere the job goes on to its end.

    Raises:
        SystemExit: The sweep was killed already (143).
    """
    if job_report_path() is not None and sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, int(signal.SIGTERM))
        if os.environ.get(SWEEP_VARIABLE, str(os.getppid())) != str(os.getppid()):
            raise SystemExit(128 + signal.SIGTERM)


def job_environment(environment: Mapping[str, str], report: Path) -> dict[str, str]:
    """Of a job's process: where it says what came of it, and whose job it is."""
    return {**environment, REPORT_VARIABLE: str(report), SWEEP_VARIABLE: str(os.getpid())}


def exit_reason(code: int) -> str:
    """How a process ended that said nothing of itself."""
    return f"ended by signal {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


@dataclass
class Job:
    """A job of a sweep.

    Args:
        number: Its number in the sweep.
        overrides: Its command line.
        report: Where it says what came of it.
        log: Where its output goes; None leaves it on the terminal.
        door: ``hipjsw.evaluate``, for instance; None for the door that the sweep is.
        process: Its process, once started.
        started: When, by the monotonic clock.
        took_s: Seconds from start to end, once it has ended.
    """

    number: int
    overrides: list[str]
    report: Path
    log: Path | None = None
    door: str | None = None
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    took_s: float | None = None

    @property
    def is_running(self) -> bool:
        """Whether its process lives; notes the time when it has ended."""
        if self.process is None:
            return False
        if self.process.poll() is None:
            return True
        if self.took_s is None:
            self.took_s = time.monotonic() - self.started
        return False

    @property
    def went_well(self) -> bool:
        """Whether it has ended, and without an error."""
        return self.process is not None and self.process.poll() == 0

    def start(self, environment: Mapping[str, str]) -> None:
        """Start its process."""
        own = self.door is None
        command = door_command(self.overrides) if own else [sys.executable, "-m", str(self.door), *self.overrides]
        said = job_environment(environment, self.report)
        self.started = time.monotonic()
        if self.log is None:
            self.process = subprocess.Popen(command, env=said)
            return
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, env=said, stdout=log, stderr=subprocess.STDOUT)

    def outcome(self) -> dict[str, Any]:
        """What came of it: ``status``, ``run``, ``metrics`` and ``reason``; waits for its end."""
        said: dict[str, Any] = {"status": "failed", "run": "", "metrics": {}, "reason": "not run"}
        if self.process is None:
            return said
        said |= heard(self.report, self.process.wait())
        if said["status"] == "failed" and self.log is not None:
            said["reason"] += f"; its output: {self.log}"
        return said


def heard(report: Path, code: int) -> dict[str, Any]:
    """What a job that ended so has said of itself; of one that had no last word, how it ended."""
    said: dict[str, Any] = json.loads(report.read_text(encoding="utf-8")) if report.is_file() else {}
    if said.get("status", "running") != "running":
        return said if said["reason"] or not code else said | {"reason": exit_reason(code)}
    return {"reason": f"{said.get('reason', '')} {exit_reason(code)}".strip()}


def end_jobs(jobs: Sequence[Job]) -> None:
    """Wait for jobs that the terminal may have stopped, stop them, at last kill them."""
    ignored = signal.getsignal(signal.SIGINT) == signal.SIG_IGN  # by the jobs too, then
    for wait_s, number in ((GRACE_S, signal.SIGTERM if ignored else signal.SIGINT), (PATIENCE_S, signal.SIGKILL)):
        until = time.monotonic() + wait_s
        while any(job.is_running for job in jobs) and time.monotonic() < until:
            time.sleep(LOOK_S)
        for job in jobs:
            if job.process is not None:
                job.process.send_signal(number)  # does nothing where it has ended
    for job in jobs:
        if job.process is not None:
            job.process.wait()


def run_in_own_process(door: str, overrides: Sequence[str]) -> None:
    """Run a job of a launcher whose processes do several jobs (joblib's) in a process that does this one alone.

    Args:
        door: ``hipjsw.train``, for instance.
        overrides: Its command line.

    Raises:
        JobError: It failed.
    """
    with tempfile.TemporaryDirectory(prefix="hipjsw-job-") as folder:
        report = Path(folder, "report.json")
        environment = {key: value for key, value in os.environ.items() if key != "HYDRA_FULL_ERROR"}  # the door's own
        done = subprocess.run(
            [sys.executable, "-m", door, *overrides], env=job_environment(environment, report), check=False
        )
        said = heard(report, done.returncode)
    if done.returncode:
        raise JobError(said["reason"])


def door_command(overrides: Sequence[str]) -> list[str]:
    """The door that this process is, once more, with a job's overrides."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    door = spec.name if spec is not None else "hipjsw.train"
    return [sys.executable, "-m", door.removesuffix(".__main__"), *overrides]


def own_conf(sweep: DictConfig) -> list[str]:
    """``--config-dir`` of the command line, for a job's.

    Args:
        sweep: Hydra's own node of the sweep's configuration.
    """
    sources = sweep.get("runtime", {}).get("config_sources") or ()
    folders = [source.path for source in sources if source.provider == "command-line"]
    return [part for folder in folders for part in ("--config-dir", folder)]
