"""A Slurm job a sweep job, by submitit, with one task a rank.

A job is the door's own command line, in a process of its own within each task. Told that its time is up or that others
come first (``USR2``), it is stopped and requeued; started again it goes on from the last epoch's checkpoint, to the
very weights that it would have had.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from hipjsw.app.job import JobError, door_command, exit_reason, heard, job_environment
from hipjsw.app.launcher import Expected, ProcessLauncher

__all__ = ["DoorJob", "SlurmLauncher"]

#: What submitit names alike for all clusters; the rest is Slurm's own.
GENERAL = (
    *("timeout_min", "cpus_per_task", "gpus_per_node", "tasks_per_node", "mem_gb", "nodes", "name"),
    "stderr_to_stdout",
)
#: How often jobs are looked after, and how often Slurm is asked about them.
LOOK_S, ASK_S = 1.0, 20.0
#: How long another rank waits with its error, for rank 0 to say its own.
GRACE_S = 10.0
#: How long a job that got SIGTERM waits for what Slurm has in mind: to end it for good, or to start it again.
TERM_S = 90.0
#: How long a job may take to stop before it is requeued.
STOP_S = 60.0
TERMINATED = 128 + signal.SIGTERM


@dataclass
class DoorJob:
    """What submitit runs in each task of a job.

    Args:
        command: The door's command line.
        process: Its process, once started.
    """

    command: list[str]
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def __call__(self) -> dict[str, Any]:
        """Run the door to its end.

        Returns:
            What it said of itself.

        Raises:
            JobError: It failed; the message is the reason.
        """
        rank, ranks = int(os.environ.get("SLURM_PROCID", "0")), int(os.environ.get("SLURM_STEP_NUM_TASKS", "1"))
        with tempfile.TemporaryDirectory(prefix="hipjsw-job-") as folder:
            report = Path(folder, "report.json")
            environment = job_environment(os.environ, report)
            # Slurm sends the signal to every process of a step; it is this one's to act on it
            self.process = subprocess.Popen(self.command, env=environment, preexec_fn=_ignore_usr2)
            stopping = [] if rank == 0 else _usr2_noticed()
            while self.process.poll() is None:  # not wait(): submitit's handler, in the middle of it, could not
                time.sleep(LOOK_S / 5)
            code = self.process.returncode
            said = heard(report, code)
        if code and (stopping or code == TERMINATED):
            time.sleep(TERM_S)
        if not code:
            return said
        if rank == 0:
            raise JobError(said["reason"])
        if code > 0:
            time.sleep(GRACE_S)
        raise JobError(f"rank {rank} of {ranks} {exit_reason(code)}")

    def checkpoint(self) -> Any:
        """Stop the door; submitit calls it before it requeues the job, and takes from it what is to be run then."""
        from submitit.helpers import DelayedSubmission

        if self.process is not None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_S)
            self.process.kill()
        return DelayedSubmission(DoorJob(self.command))


def _usr2_noticed() -> list[int]:
    """Note the signal where submitit, in other tasks than the first, does nothing about it."""
    noticed: list[int] = []
    signal.signal(signal.SIGUSR2, lambda number, _: noticed.append(number))
    return noticed


def _ignore_usr2() -> None:
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)


class SlurmLauncher(ProcessLauncher):
    """Hydra launcher: all jobs to Slurm at once, as one array; waits for them, and makes the table.

    Ctrl-C or SIGTERM cancels the jobs. Should the waiting process be killed they go on, and the same command takes up
    what they made.

    Args:
        params: Of hydra-submitit-launcher's ``submitit_slurm``.
    """

    __module__ = "hydra_plugins.hipjsw"

    def __init__(self, **params: Any) -> None:
        super().__init__()
        plain = {name: OmegaConf.to_container(v) if OmegaConf.is_config(v) else v for name, v in params.items()}
        self.params: dict[str, Any] = plain

    def outcomes(
        self, lines: Sequence[list[str]], first: int, expected: Sequence[Expected], noticed: Sequence[int]
    ) -> list[dict[str, Any]]:
        """See ``ProcessLauncher``."""
        del first
        command = [sys.executable, "-m", self.door] if self.door else door_command([])
        executor = self._executor()
        with executor.batch():
            jobs = [executor.submit(DoorJob([*command, *line])) for line in lines]
        for number, (job, known) in enumerate(zip(jobs, expected, strict=True), 1):
            print(f"[{number}/{len(jobs)}] {known.said}: Slurm job {job.job_id}", file=sys.stderr, flush=True)
        waiting, asked = list(jobs), time.monotonic()
        while waiting and not noticed:
            time.sleep(LOOK_S)
            ask = time.monotonic() - asked > ASK_S
            asked = time.monotonic() if ask else asked
            waiting = [job for job in waiting if not all(task.done(force_check=ask) for task in _tasks(job))]
        for job in waiting:
            job.cancel(check=False)
        return [_outcome(job, stopped=job in waiting) for job in jobs]

    def _executor(self) -> Any:
        from submitit import AutoExecutor

        given = dict(self.params)
        folder, timeouts = given.pop("submitit_folder"), given.pop("max_num_timeout")
        executor = AutoExecutor(cluster="slurm", folder=folder, slurm_max_num_timeout=timeouts)
        named = {name if name in GENERAL else f"slurm_{name}": value for name, value in given.items()}
        executor.update_parameters(**named, slurm_srun_args=["--kill-on-bad-exit=1"])
        return executor


def _outcome(job: Any, stopped: bool) -> dict[str, Any]:
    """What came of a job: of several ranks the first's word, unless another died."""
    said: dict[str, Any] = {"status": "failed", "run": "", "metrics": {}, "reason": ""}
    if stopped:
        return said | {"reason": "interrupted; the same command continues it"}
    reasons = [_reason(task) for task in _tasks(job)]
    if not any(reasons):
        return {**said, **job.task(0).result()}
    others = [reason for reason in reasons[1:] if "ended by signal" in reason]
    return said | {"reason": f"{[*others, *filter(None, reasons)][0]}; its output: {_said(job.paths.stdout)}"}


def _said(path: Path) -> str:
    """A path as short as can be: from the working folder, where it lies in it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _tasks(job: Any) -> list[Any]:
    return [job.task(number) for number in range(job.num_tasks)]


def _reason(task: Any) -> str:
    """Why a task failed; nothing where it did not."""
    error = task.exception()
    if error is None:
        return ""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line.partition(": ")[2] for line in lines if line.startswith(f"{JobError.__module__}.{JobError.__name__}")]
    return told[-1] if told else f"Slurm says {task.state}"
