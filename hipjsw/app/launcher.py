"""A process a sweep job.

W&B and Lightning leak state from one job to the next in one process, and a job that dies there ends the sweep. Here
every job is the door's own command line in a process of its own; the sweep goes on past a failed one, ends with a
table, and its exit code tells.
"""

from __future__ import annotations

import csv
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import types
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from hipjsw.reporting.tables import JobRow, print_table, sweep_csv_rows, sweep_markdown, sweep_table

__all__ = ["ProcessLauncher", "job_report_path", "register_launcher", "write_job_report"]

REPORT_VARIABLE = "HIPJSW_JOB_REPORT"


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
        path.write_text(json.dumps(content), encoding="utf-8")


class ProcessLauncher(Launcher):
    """Hydra launcher: so many jobs at a time, each ``python -m <door> <overrides>``.

    Args:
        n_jobs: Jobs at a time. One shows its progress bar; of several each writes its own log.
    """

    #: Hydra takes launchers from its own namespace only; ``register_launcher`` puts this one there.
    __module__ = "hydra_plugins.hipjsw"

    def __init__(self, n_jobs: int = 1) -> None:
        self.n_jobs = n_jobs
        self.config: DictConfig | None = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Take the sweep's configuration; Hydra calls it."""
        del hydra_context, task_function
        self.config = config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run the jobs, print the table, and leave with exit code 1 if one failed."""
        if self.config is None:
            raise RuntimeError("launch before setup")
        ablation = self.config.get("ablation")
        group = self.config.get("group") or _group_name(ablation)
        varied = _what_varied(job_overrides)
        with tempfile.TemporaryDirectory(prefix="hipjsw-sweep-") as reports, ThreadPoolExecutor(self.n_jobs) as pool:
            jobs = [
                pool.submit(self._job, number, list(overrides), said, group, Path(reports), ablation)
                for number, (overrides, said) in enumerate(zip(job_overrides, varied, strict=True), initial_job_idx)
            ]
            rows = [job.result() for job in jobs]
        self._say(rows, group, ablation)
        if any(row.status == "failed" for row in rows):
            raise SystemExit(1)
        return [_job_return(overrides, row) for overrides, row in zip(job_overrides, rows, strict=True)]

    def _job(
        self,
        number: int,
        overrides: list[str],
        varied: str,
        group: str,
        reports: Path,
        ablation: DictConfig | None,
    ) -> JobRow:
        report = reports / f"{number}.json"
        print(f"[{number}] {varied}", file=sys.stderr, flush=True)
        code = _run_process([*overrides, f"group={group}"], report, reports, self.n_jobs > 1)
        if report.is_file():
            said = json.loads(report.read_text(encoding="utf-8"))
        else:
            said = {"status": "failed", "run": "", "metrics": {}, "reason": _exit_reason(code)}
        return JobRow(
            number=number,
            overrides=varied,
            status=said["status"],
            run=said["run"],
            metrics=said["metrics"],
            reason=said["reason"],
            study_value=_study_value(overrides, ablation),
        )

    def _say(self, rows: list[JobRow], group: str, ablation: DictConfig | None) -> None:
        assert self.config is not None
        study = dict(ablation.study) if ablation else None
        print_table(sweep_table(rows, study))
        folder = Path(self.config.get("runs_dir", "runs")) / "sweeps"
        folder.mkdir(parents=True, exist_ok=True)
        title = f"# {ablation.title}\n\n{ablation.question}\n\n" if ablation else f"# {group}\n\n"
        (folder / f"{group}.md").write_text(title + sweep_markdown(rows, study) + "\n", encoding="utf-8")
        with (folder / f"{group}.csv").open("w", newline="", encoding="utf-8") as file:
            content = sweep_csv_rows(rows, study)
            writer = csv.DictWriter(file, list(content[0]))
            writer.writeheader()
            writer.writerows(content)
        print(f"this table: {folder / group}.md and .csv", file=sys.stderr)


def register_launcher() -> None:
    """Make the launcher known to Hydra, in this process only: its module in Hydra's plugin namespace is no file."""
    plugins = Plugins.instance()  # before the namespace is touched: Hydra scans it once, as files
    try:
        parent = importlib.import_module("hydra_plugins")
    except ImportError:
        parent = sys.modules["hydra_plugins"] = types.ModuleType("hydra_plugins")
    module = types.ModuleType(ProcessLauncher.__module__)
    vars(module)["ProcessLauncher"] = ProcessLauncher
    vars(parent)["hipjsw"] = sys.modules[module.__name__] = module
    plugins.register(ProcessLauncher)


def _run_process(overrides: list[str], report: Path, logs: Path, quiet: bool) -> int:
    """Run the door once more with the job's overrides; returns its exit code (negative: the signal that ended it)."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    door = spec.name if spec is not None else "hipjsw.train"
    command = [sys.executable, "-m", door.removesuffix(".__main__"), *overrides]
    environment = os.environ | {REPORT_VARIABLE: str(report)}
    if not quiet:
        return _wait(subprocess.Popen(command, env=environment))
    with (logs / f"{report.stem}.log").open("wb") as log:
        return _wait(subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT))


def _what_varied(job_overrides: Sequence[Sequence[str]]) -> list[str]:
    """Of each job the overrides that not all jobs share; all of them where there is one job."""
    shared = set.intersection(*(set(o) for o in job_overrides)) if len(job_overrides) > 1 else set()
    return [" ".join(o for o in overrides if o not in shared) for overrides in job_overrides]


def _wait(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait()
    except BaseException:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
        raise


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
