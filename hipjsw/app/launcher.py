"""A process a sweep job.

W&B and Lightning leak state from one job to the next in one process, and a job that dies there ends the sweep. Here
every job is the door's own command line in a process of its own; the sweep goes on past a failed one, ends with a
table, and its exit code tells. Ctrl-C or SIGTERM ends the jobs that run, starts no other, and the table is still made.
"""

from __future__ import annotations

import atexit
import csv
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from hipjsw.app.job import LOOK_S, Job, end_jobs, own_conf
from hipjsw.reporting.tables import JobRow, print_table, sweep_csv_rows, sweep_markdown, sweep_table

__all__ = ["Expected", "ProcessLauncher"]


#: What says how many threads a job takes: torch's and numpy's, and OpenCV's, which else takes every core there is.
_THREADS = ("OMP_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")


@dataclass(frozen=True)
class Expected:
    """What is known of a job beforehand.

    Args:
        said: What it is called while it runs.
        size: How much work it is, in any unit that all jobs of the sweep share.
        group: Its W&B group.
        log: Name of its log, where it has one.
    """

    said: str
    size: float
    group: str
    log: str


@dataclass
class _Pace:
    """Seconds a unit of work, from the jobs that have ended."""

    seconds_per_size: float | None = None
    sizes: dict[int, float] = field(default_factory=dict)

    def left_words(self, jobs: Sequence[Job], at_a_time: int) -> str:
        """How long the jobs that have not ended will take; nothing where nothing is known."""
        known = [(job.took_s, self.sizes[job.number]) for job in jobs if job.took_s is not None and job.went_well]
        rate = self.seconds_per_size
        if known:
            rate = sum(took for took, _ in known) / max(sum(size for _, size in known), 1e-9)
        left = sum(self.sizes[job.number] for job in jobs if job.took_s is None)
        if rate is None or not left:
            return ""
        minutes = rate * left / at_a_time / 60
        return f", about {minutes:.0f} min left" if minutes >= 1 else ", less than a minute left"


class ProcessLauncher(Launcher):
    """Hydra launcher: so many jobs at a time, each ``python -m <door> <overrides>``.

    Args:
        n_jobs: Jobs at a time. One shows its progress bar; several write logs in ``<runs_dir>/sweeps/<group>``.
    """

    #: Hydra takes launchers from its own namespace only; ``register_plugins`` puts this one there.
    __module__ = "hydra_plugins.hipjsw"
    #: Of the jobs: as the door found it.
    environment: Mapping[str, str] = os.environ

    def __init__(self, n_jobs: int = 1) -> None:
        self.n_jobs = n_jobs
        self.config: DictConfig | None = None
        #: Set by a sweeper that knows more of the jobs than their overrides; then the table is the sweeper's too.
        self.expected: Sequence[Expected] | None = None
        #: Seconds a unit of ``Expected.size`` that earlier runs took, if known.
        self.seconds_per_size: float | None = None
        #: Another door than the sweep's own; its jobs have no W&B group.
        self.door: str | None = None
        #: What came of the jobs launched last.
        self.rows: list[JobRow] = []

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
        varied = _what_varied(job_overrides)
        group = self.config.get("group") or f"sweep-{time.strftime('%Y%m%d-%H%M%S')}"
        expected = self.expected or [Expected(said, 1.0, group, str(number)) for number, said in enumerate(varied)]
        lines = [
            [*own_conf(self.config.hydra), *overrides, *([] if self.door else [f"group={known.group}"])]
            for overrides, known in zip(job_overrides, expected, strict=True)
        ]
        with _signals_noticed() as noticed:
            outcomes = self.outcomes(lines, initial_job_idx, expected, noticed)
        said = zip(outcomes, varied, strict=True)
        self.rows = [JobRow(n, what, **outcome) for n, (outcome, what) in enumerate(said, initial_job_idx)]
        if self.expected is None:
            self._say(group)
        _leave(noticed, self.rows)
        return [_job_return(overrides, row) for overrides, row in zip(job_overrides, self.rows, strict=True)]

    def outcomes(
        self, lines: Sequence[list[str]], first: int, expected: Sequence[Expected], noticed: Sequence[int]
    ) -> list[dict[str, Any]]:
        """Run the jobs, and say what came of each: ``status``, ``run``, ``metrics`` and ``reason``.

        Args:
            lines: Their command lines.
            first: Number of the first.
            expected: What is known of each.
            noticed: Signals, as they come; at the first the jobs are to be ended.
        """
        assert self.config is not None
        log_folder = Path(self.config.get("runs_dir", "runs")) / "sweeps" / expected[0].group
        with tempfile.TemporaryDirectory(prefix="hipjsw-sweep-") as reports:
            jobs = [
                Job(
                    number,
                    line,
                    Path(reports, f"{number}.json"),
                    log_folder / f"{known.log}.log" if self.n_jobs > 1 else None,
                    self.door,
                )
                for number, (line, known) in enumerate(zip(lines, expected, strict=True), first)
            ]
            pace = _Pace(self.seconds_per_size, {j.number: known.size for j, known in zip(jobs, expected, strict=True)})
            _run_all(jobs, [known.said for known in expected], self.n_jobs, self._environment(), noticed, pace)
            return [job.outcome() for job in jobs]

    def _environment(self) -> Mapping[str, str]:
        """Of several jobs at a time each has its share of the cores, unless the user said otherwise."""
        threads = str(max((os.cpu_count() or 1) // int(self.n_jobs), 1))
        share = {} if self.n_jobs == 1 else dict.fromkeys(_THREADS, threads)
        return share | dict(self.environment)

    def _say(self, group: str) -> None:
        assert self.config is not None
        print_table(sweep_table(self.rows))
        folder = Path(self.config.get("runs_dir", "runs")) / "sweeps"
        (folder / group).parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{group}.md").write_text(f"# {group}\n\n{sweep_markdown(self.rows)}\n", encoding="utf-8")
        with (folder / f"{group}.csv").open("w", newline="", encoding="utf-8") as file:
            content = sweep_csv_rows(self.rows)
            writer = csv.DictWriter(file, list(content[0]))
            writer.writeheader()
            writer.writerows(content)
        print(f"this table: {folder / group}.md and .csv", file=sys.stderr)


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
    jobs: Sequence[Job],
    said: Sequence[str],
    at_a_time: int,
    environment: Mapping[str, str],
    noticed: Sequence[int],
    pace: _Pace,
) -> None:
    """Run the jobs until all have ended or a signal was noticed; none runs afterwards, whatever happens."""
    waiting = list(enumerate(zip(jobs, said, strict=True), 1))
    try:
        while not noticed and (waiting or any(job.is_running for job in jobs)):
            if waiting and sum(job.is_running for job in jobs) < at_a_time:
                place, (job, what) = waiting.pop(0)
                left = pace.left_words(jobs, at_a_time)
                print(f"[{place}/{len(jobs)}] {what}{left}", file=sys.stderr, flush=True)
                job.start(environment)
            else:
                time.sleep(LOOK_S)
    finally:
        end_jobs(jobs)


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


def _job_return(overrides: Sequence[str], row: JobRow) -> JobReturn:
    returned = JobReturn(overrides=overrides, status=JobStatus.COMPLETED)
    returned.return_value = row.metrics
    return returned
