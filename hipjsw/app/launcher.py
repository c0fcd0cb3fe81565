"""A process a sweep job.

W&B and Lightning leak state from one job to the next in one process, and a job that dies there ends the sweep. Here
every job is the door's own command line in a process of its own; the sweep goes on past a failed one, ends with a
table, and its exit code tells. Ctrl-C or SIGTERM ends the jobs that run, starts no other, and the table is still made.
"""

from __future__ import annotations

import atexit
import csv
import ctypes
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import types
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from hipjsw.reporting.tables import JobRow, print_table, sweep_csv_rows, sweep_markdown, sweep_table

__all__ = ["ProcessLauncher", "end_with_sweep", "job_report_path", "register_launcher", "write_job_report"]

REPORT_VARIABLE = "HIPJSW_JOB_REPORT"

#: How often the jobs are looked after.
LOOK_S = 0.1
#: How long a stopped sweep waits for jobs that have the signal from the terminal, before it sends them one.
GRACE_S = 2.0
#: How long a job may then take to end, before it is killed.
PATIENCE_S = 60.0


def job_report_path() -> Path | None:
    """Where the sweep wants to read what came of this job; None outside a sweep."""
    name = os.environ.get(REPORT_VARIABLE)
    return Path(name) if name else None


def write_job_report(status: str, run: str = "", metrics: Mapping[str, Any] | None = None, reason: str = "") -> None:
    """Tell the sweep what came of this job, if there is a sweep.

    Args:
        status: ``done``, ``reused`` (was finished before) or ``failed``.
        run: The run's folder.
        metrics: Its metrics.
        reason: Why it failed.
    """
    path = job_report_path()
    if path is not None:
        content = {"status": status, "run": run, "metrics": dict(metrics or {}), "reason": reason}
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(content), encoding="utf-8")
        partial.replace(path)  # a job killed on the way has said nothing


def end_with_sweep() -> None:
    """Have the system end this job should its sweep be killed. Linux only; elsewhere the job goes on to its end."""
    if job_report_path() is not None and sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, int(signal.SIGTERM))


@dataclass
class _Job:
    """A job of the sweep.

    Args:
        number: Its number in the sweep.
        overrides: Its command line.
        report: Where it says what came of it.
        log: Where its output goes; None leaves it on the terminal.
        process: Its process, once started.
    """

    number: int
    overrides: list[str]
    report: Path
    log: Path | None
    process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self, environment: Mapping[str, str]) -> None:
        command = _command(self.overrides)
        said = {**environment, REPORT_VARIABLE: str(self.report)}
        if self.log is None:
            self.process = subprocess.Popen(command, env=said)
            return
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, env=said, stdout=log, stderr=subprocess.STDOUT)

    def outcome(self) -> dict[str, Any]:
        """What came of it, for its row."""
        said: dict[str, Any] = {"status": "failed", "run": "", "metrics": {}, "reason": "not run"}
        if self.process is None:
            return said
        said["reason"] = _exit_reason(self.process.wait())
        if self.report.is_file():
            said |= json.loads(self.report.read_text(encoding="utf-8"))
        if said["status"] == "failed" and self.log is not None:
            said["reason"] += f"; its output: {self.log}"
        return said


class ProcessLauncher(Launcher):
    """Hydra launcher: so many jobs at a time, each ``python -m <door> <overrides>``.

    Args:
        n_jobs: Jobs at a time. One shows its progress bar; of several each writes ``<runs_dir>/sweeps/<group>/N.log``.
    """

    #: Hydra takes launchers from its own namespace only; ``register_launcher`` puts this one there.
    __module__ = "hydra_plugins.hipjsw"
    #: Of the jobs: as the door found it.
    environment: Mapping[str, str] = os.environ

    def __init__(self, n_jobs: int = 1) -> None:
        self.n_jobs = n_jobs
        self.config: DictConfig | None = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Take the sweep's configuration; Hydra calls it.

        Raises:
            ValueError: Not a number of jobs.
        """
        del hydra_context, task_function
        if not str(self.n_jobs).isdecimal() or int(self.n_jobs) < 1:
            raise ValueError(f"hydra.launcher.n_jobs is a whole number of at least 1, not {self.n_jobs!r}")
        self.config = config
        atexit.register(_forget_composed, Path(config.hydra.sweep.dir).absolute())  # where no job comes to start

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run the jobs, print the table, and leave with exit code 1 if one failed.

        Raises:
            KeyboardInterrupt: Ctrl-C, after the table.
            SystemExit: A job failed (1), or SIGTERM (143), after the table.
        """
        if self.config is None:
            raise RuntimeError("launch before setup")
        _forget_composed(Path(self.config.hydra.sweep.dir))
        ablation = self.config.get("ablation")
        group = self.config.get("group") or _group_name(ablation)
        logs = self._sweeps() / group if self.n_jobs > 1 else None
        varied = _what_varied(job_overrides)
        with tempfile.TemporaryDirectory(prefix="hipjsw-sweep-") as reports, _signals_noticed() as noticed:
            jobs = [
                _Job(number, [*o, f"group={group}"], Path(reports, f"{number}.json"), logs and logs / f"{number}.log")
                for number, o in enumerate(job_overrides, initial_job_idx)
            ]
            _run_all(jobs, varied, self.n_jobs, self.environment, noticed)
            rows = [
                JobRow(job.number, said, study_value=_study_value(job.overrides, ablation), **job.outcome())
                for job, said in zip(jobs, varied, strict=True)
            ]
            self._say(rows, group, ablation)
        _leave(noticed, rows)
        return [_job_return(overrides, row) for overrides, row in zip(job_overrides, rows, strict=True)]

    def _sweeps(self) -> Path:
        assert self.config is not None
        return Path(self.config.get("runs_dir", "runs")) / "sweeps"

    def _say(self, rows: list[JobRow], group: str, ablation: DictConfig | None) -> None:
        study = dict(ablation.study) if ablation else None
        print_table(sweep_table(rows, study))
        folder = self._sweeps()
        (folder / group).parent.mkdir(parents=True, exist_ok=True)
        title = f"# {ablation.title}\n\n{ablation.question}\n\n" if ablation else f"# {group}\n\n"
        (folder / f"{group}.md").write_text(title + sweep_markdown(rows, study) + "\n", encoding="utf-8")
        with (folder / f"{group}.csv").open("w", newline="", encoding="utf-8") as file:
            content = sweep_csv_rows(rows, study)
            writer = csv.DictWriter(file, list(content[0]))
            writer.writeheader()
            writer.writerows(content)
        print(f"this table: {folder / group}.md and .csv", file=sys.stderr)


def register_launcher() -> None:
    """Make the launcher known to Hydra, in this process only: its module in Hydra's plugin namespace is no file.

    Jobs get the environment as it is now.
    """
    ProcessLauncher.environment = dict(os.environ)
    plugins = Plugins.instance()  # before the namespace is touched: Hydra scans it once, as files
    try:
        parent = importlib.import_module("hydra_plugins")
    except ImportError:
        parent = sys.modules["hydra_plugins"] = types.ModuleType("hydra_plugins")
    module = types.ModuleType(ProcessLauncher.__module__)
    vars(module)["ProcessLauncher"] = ProcessLauncher
    vars(parent)["hipjsw"] = sys.modules[module.__name__] = module
    plugins.register(ProcessLauncher)


def _command(overrides: Sequence[str]) -> list[str]:
    """The door once more, with the job's overrides."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    door = spec.name if spec is not None else "hipjsw.train"
    return [sys.executable, "-m", door.removesuffix(".__main__"), *overrides]


@contextmanager
def _signals_noticed() -> Iterator[list[int]]:
    """Note Ctrl-C and SIGTERM instead of raising: raised between a job's start and its entry it would lose the job."""
    noticed: list[int] = []
    stops = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) != signal.SIG_IGN]
    before = {number: signal.signal(number, lambda n, _: noticed.append(n)) for number in stops}
    try:
        yield noticed
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run_all(
    jobs: Sequence[_Job], varied: Sequence[str], at_a_time: int, environment: Mapping[str, str], noticed: Sequence[int]
) -> None:
    """Run the jobs until all have ended or a signal was noticed; none runs afterwards, whatever happens."""
    waiting = list(zip(jobs, varied, strict=True))
    try:
        while not noticed and (waiting or any(job.is_running for job in jobs)):
            if waiting and sum(job.is_running for job in jobs) < at_a_time:
                job, said = waiting.pop(0)
                print(f"[{job.number}] {said}", file=sys.stderr, flush=True)
                job.start(environment)
            else:
                time.sleep(LOOK_S)
    finally:
        _end(jobs)


def _end(jobs: Sequence[_Job]) -> None:
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


def _leave(noticed: Sequence[int], rows: Sequence[JobRow]) -> None:
    if signal.SIGTERM in noticed:
        raise SystemExit(128 + signal.SIGTERM)
    if noticed:
        raise KeyboardInterrupt
    if any(row.status == "failed" for row in rows):
        raise SystemExit(1)


def _forget_composed(folder: Path) -> None:
    """Remove what Hydra's sweeper writes of the composed configuration: it names the working folder."""
    (folder / "multirun.yaml").unlink(missing_ok=True)


def _what_varied(job_overrides: Sequence[Sequence[str]]) -> list[str]:
    """Of each job the overrides that not all jobs share; all of them where there is one job."""
    shared = set.intersection(*(set(o) for o in job_overrides)) if len(job_overrides) > 1 else set()
    return [" ".join(o for o in overrides if o not in shared) for overrides in job_overrides]


def _group_name(ablation: DictConfig | None) -> str:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    return f"{ablation.name}-{stamp}" if ablation else f"sweep-{stamp}"


def _exit_reason(code: int) -> str:
    return f"ended by signal {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def _study_value(overrides: Sequence[str], ablation: DictConfig | None) -> float | None:
    if ablation is None:
        return None
    return next((float(ablation.study[o]) for o in overrides if o in ablation.study), None)


def _job_return(overrides: Sequence[str], row: JobRow) -> JobReturn:
    returned = JobReturn(overrides=overrides, status=JobStatus.COMPLETED)
    returned.return_value = row.metrics
    return returned
