"""What a Slurm job of a sweep does in its task, without a Slurm; tests/slurm has the real thing."""

import signal
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from hydra import compose, initialize_config_dir

from hipjsw.app import slurm
from hipjsw.app.job import JobError
from hipjsw.app.paths import conf_dir
from hipjsw.app.plugins import register_plugins
from hipjsw.app.schema import register_schemas
from hipjsw.app.slurm import DoorJob, _outcome

SAYS = "from hipjsw.app.job import write_job_report as w; w({!r}, reason={!r}, run='r')"


@pytest.fixture(autouse=True)
def waits(monkeypatch):
    for name in ("GRACE_S", "TERM_S"):
        monkeypatch.setattr(slurm, name, 0.0)
    for name in ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def usr2():
    before = signal.getsignal(signal.SIGUSR2)
    yield
    signal.signal(signal.SIGUSR2, before)


def python(code):
    return DoorJob([sys.executable, "-c", code])


def test_what_the_door_says_is_what_comes_back():
    assert python(SAYS.format("done", ""))()["run"] == "r"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (SAYS.format("failed", "loss is nan") + "; raise SystemExit(1)", "loss is nan"),
        (SAYS.format("running", "rank 0 of 2") + "; import os; os.kill(os.getpid(), 9)", "rank 0 of 2 ended by signal"),
        ("raise SystemExit(2)", "ended with exit code 2"),
    ],
)
def test_a_door_that_fails_says_why(code, reason):
    with pytest.raises(JobError, match=reason):
        python(code)()


def test_another_rank_is_named(monkeypatch, usr2):
    monkeypatch.setenv("SLURM_PROCID", "1")
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "2")
    with pytest.raises(JobError, match="rank 1 of 2 ended by signal SIGKILL"):
        python("import os; os.kill(os.getpid(), 9)")()


def test_the_signal_that_submitit_acts_on_does_nothing_to_the_door():
    assert python("import os; os.kill(os.getpid(), 12); " + SAYS.format("done", ""))()["status"] == "done"


def failing(job):
    with pytest.raises(JobError):
        job()


def test_a_job_to_be_requeued_stops_its_door_and_is_the_same_again():
    job = python("import time; time.sleep(99)")
    thread = threading.Thread(target=failing, args=(job,), daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while job.process is None and time.monotonic() < until:
        time.sleep(0.01)
    again = job.checkpoint()
    assert again.function.command == job.command
    thread.join(20)
    assert job.process.returncode == -signal.SIGTERM


class Task:
    """A task as submitit knows it."""

    num_tasks = 1
    paths = SimpleNamespace(stdout=Path.cwd() / "out")

    def __init__(self, error=None, state="COMPLETED", result=None):
        self.error, self.state, self._result = error, state, result

    def exception(self):
        return self.error

    def result(self):
        return self._result


def job_of(*tasks):
    return SimpleNamespace(
        num_tasks=len(tasks), task=lambda n: tasks[n], paths=SimpleNamespace(stdout=Path.cwd() / "out")
    )


def raised(reason):
    return Task(RuntimeError(f"Job failed with trace:\n  raise\nhipjsw.app.job.JobError: {reason}\n-----\npaths"))


@pytest.mark.parametrize(
    ("tasks", "reason"),
    [
        ([raised("loss is nan")], "loss is nan; its output: out"),
        ([Task(RuntimeError("no output"), "CANCELLED by 0")], "Slurm says CANCELLED by 0; its output: out"),
        (
            [raised("connection closed"), raised("rank 1 of 2 ended by signal SIGKILL")],
            "rank 1 of 2 ended by signal SIGKILL; its output: out",
        ),
        ([raised("loss is nan"), raised("rank 1 of 2 ended with exit code 1")], "loss is nan; its output: out"),
    ],
)
def test_the_table_says_why_a_job_failed(tasks, reason):
    outcome = _outcome(job_of(*tasks), stopped=False)
    assert (outcome["status"], outcome["reason"]) == ("failed", reason)


def test_the_table_has_what_a_job_said():
    said = {"status": "reused", "run": "r", "metrics": {"a": 1.0}, "reason": ""}
    assert _outcome(job_of(Task(result=said), Task()), stopped=False) == said
    assert _outcome(job_of(Task()), stopped=True)["reason"].startswith("interrupted")


@pytest.mark.parametrize(("options", "tasks"), [((), 1), (("trainer=ddp", "trainer.options.devices=3"), 3)])
def test_a_job_has_a_task_a_rank(options, tasks):
    register_schemas()
    register_plugins()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        cfg = compose("train", ["hydra/launcher=slurm", *options], return_hydra_config=True)
    launcher = cfg.hydra.launcher
    assert (launcher.tasks_per_node, launcher.nodes) == (tasks, 1)
    assert launcher._target_ == "hydra_plugins.hipjsw.SlurmLauncher"
