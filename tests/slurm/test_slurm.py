"""Sweeps on a real Slurm of one node, by the real command line: cancelled, pre-empted, with two ranks.

``HIPJSW_SLURM_LOG=FILE`` keeps what was done and said.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import pytest
import torch

from hipjsw.app.job import REPORT_VARIABLE

NEEDED = ("sbatch", "slurmctld", "slurmd", "slurmdbd", "munged", "mariadbd")
MISSING = [name for name in NEEDED if shutil.which(name) is None]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.slurm,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(bool(MISSING), reason=f"no {', '.join(MISSING)} here; tests/slurm/up.sh says what to install"),
    pytest.mark.skipif(os.geteuid() != 0, reason="starting a Slurm takes root"),
]

HERE = Path(__file__).parent
DATA = ("data=phantom_views", "data.subjects=12", "split.test_hips=6", "dataset_size=small", "measure=single")
OPTIONS = (*DATA, "logger=none", "budget.batch_size=4", "budget.val_every=5")
SLURM = ("hydra/launcher=slurm", "hydra.launcher.cpus_per_task=1")


@pytest.fixture(scope="module")
def log():
    """Lines for a reader; written where the environment says."""
    lines = []
    yield lines.append
    place = os.environ.get("HIPJSW_SLURM_LOG")
    if place:
        text = re.sub(r"[ \t]+$", "", "\n".join(lines), flags=re.MULTILINE)
        text = re.sub(r"(?<![\w./])/[\w./+-]+", "...", text)
        Path(place).write_text(text.replace(os.uname().nodename, "node") + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def slurm():
    """Environment of commands that find the Slurm of this module; it is ended afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="hipjsw-slurm-"))
    folder.chmod(0o755)  # MariaDB has a user of its own
    environment = os.environ | {"SLURM_CONF": str(folder / "slurm.conf"), "COLUMNS": "120", "OMP_NUM_THREADS": "1"}
    said = folder / "up.log"
    try:
        with said.open("w") as out:
            subprocess.run(["bash", HERE / "up.sh", folder], stdout=out, stderr=out, timeout=120, check=False)
        assert "idle" in said.read_text(), said.read_text()
        yield environment
    finally:
        subprocess.run(
            ["timeout", "20", "scancel", "--full", "--signal=KILL", "--user=root"], env=environment, check=False
        )
        time.sleep(3)
        subprocess.run(["bash", HERE / "down.sh", folder], timeout=60, check=False)
        shutil.rmtree(folder, ignore_errors=True)


class Sweep:
    """A sweep that runs, and its Slurm jobs."""

    def __init__(self, environment, folder, log, *options):
        self.environment, self.folder, self.log = environment, folder, log
        line = ["-m", "hipjsw.train", "-m", *options, *OPTIONS, "runs_dir=runs", "group=g", *SLURM]
        log(f"\n$ python {' '.join(line)}")
        self.err = (folder / "err").open("w+")
        self.out = (folder / "out").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, *line], cwd=folder, env=environment, stdout=self.out, stderr=self.err
        )

    def slurm(self, *words):
        self.log(f"$ {' '.join(words)}")
        done = subprocess.run(words, env=self.environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        if done.stdout:
            self.log(done.stdout.rstrip())
        return done.stdout

    def wait(self, what, seconds=300):
        until = time.monotonic() + seconds
        while not what():
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < until, self.text()
            time.sleep(0.2)

    def job(self, number):
        """Slurm's number of the job, once it has one."""
        self.wait(lambda: re.search(rf"\[{number + 1}/\d+\].*Slurm job (\S+)", (self.folder / "err").read_text()))
        return re.search(rf"\[{number + 1}/\d+\].*Slurm job (\S+)", (self.folder / "err").read_text())[1]

    def wait_for_an_epoch(self, pattern):
        self.wait(lambda: list((self.folder / "runs").glob(f"{pattern}/checkpoints/last.ckpt")))

    def state(self, job):
        words = ["squeue", "-h", "-o", "%T", "-j", job]
        return subprocess.run(
            words, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        ).stdout.strip()

    def preempt(self, job):
        """What Slurm does before it takes a job's node, and what makes it start again at once."""
        self.log(f"$ scancel --signal=USR2 {job}")
        # it tries again where the job has left by then: bounded, and whatever comes of it
        subprocess.run(["timeout", "5", "scancel", "--signal=USR2", job], env=self.environment, check=False)
        self.wait(lambda: self.state(job) == "PENDING", 120)
        self.slurm("squeue", "-o", "%i %T %r")
        self.slurm("scontrol", "update", f"JobId={job}", "StartTime=now")

    def close(self):
        self.err.close()
        self.out.close()

    def text(self):
        return (self.folder / "err").read_text() + (self.folder / "out").read_text()

    def end(self, seconds=600):
        code = self.process.wait(seconds)
        self.close()
        self.log(self.text().rstrip())
        self.log(f"(exit code {code})")
        return code, pd.read_csv(self.folder / "runs" / "sweeps" / "g.csv", dtype={"reason": str})


@pytest.fixture
def start(slurm, tmp_path, log):
    """Start a sweep; one that still runs at the end is ended, and its jobs."""
    started = []

    def start_one(*options):
        started.append(Sweep(slurm, tmp_path, log, *options))
        return started[-1]

    yield start_one
    for sweep in started:
        if sweep.process.poll() is None:
            sweep.process.terminate()
            sweep.process.wait(60)
        sweep.close()


def weights(folder, pattern):
    (path,) = (folder / "runs").glob(f"{pattern}/checkpoints/last.ckpt")
    return torch.load(path, weights_only=True)["state_dict"]


def train_here(slurm, folder, *options):
    command = [sys.executable, "-m", "hipjsw.train", *options, *OPTIONS, "runs_dir=runs", "run=runs/whole"]
    done = subprocess.run(command, cwd=folder, env=slurm, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(other[name], value) for name, value in one.items())


def test_six_jobs_one_cancelled_one_preempted(start, slurm, tmp_path, log):
    log("# Six jobs; the second is pre-empted, the third cancelled")
    budget = "budget.steps=25"
    sweep = start("seed=0,1,2,3,4,5", budget)
    second, third = sweep.job(1), sweep.job(2)
    sweep.wait_for_an_epoch("*seed1*")
    sweep.preempt(second)
    sweep.wait_for_an_epoch("*seed2*")
    sweep.slurm("scancel", third)
    code, rows = sweep.end()
    assert code == 1
    assert list(rows["status"]) == ["done", "done", "failed", "done", "done", "done"]
    assert "CANCELLED" in rows["reason"][2]
    log("# The same command does the rest")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").glob("*/metrics.json")}
    code, rows = start("seed=0,1,2,3,4,5", budget).end()
    assert code == 0
    assert list(rows["status"]) == ["reused", "reused", "done", "reused", "reused", "reused"]
    assert all(path.stat().st_mtime_ns == moment for path, moment in before.items())
    train_here(slurm, tmp_path, "seed=1", budget)
    equal = same(weights(tmp_path, "whole"), weights(tmp_path, "*seed1*"))
    log(f"# The pre-empted run's weights are those of a run that nobody stopped, to the bit: {equal}")
    assert equal


def test_two_ranks_of_which_one_may_die(start, slurm, tmp_path, log):
    log("\n# A job of two ranks, pre-empted")
    ranks, budget = "trainer=ddp", "budget.steps=25"
    sweep = start("seed=0", ranks, budget)
    sweep.wait_for_an_epoch("*seed0*")
    sweep.slurm("squeue", "-o", "%i %T %C")
    sweep.preempt(sweep.job(0).removesuffix("_0"))
    code, rows = sweep.end()
    assert code == 0
    assert list(rows["status"]) == ["done"]
    train_here(slurm, tmp_path, "seed=0", ranks, budget)
    equal = same(weights(tmp_path, "whole"), weights(tmp_path, "*seed0*"))
    log(f"# Its weights are those of two ranks that this machine ran without Slurm, unstopped, to the bit: {equal}")
    assert equal
    log("\n# A job of two ranks, of which the second is killed, and the job after it")
    sweep = start("seed=1", ranks, "budget.steps=5000,5")
    sweep.wait_for_an_epoch("*seed1*")
    killed = time.monotonic()
    os.kill(trainer_of_rank(1, tmp_path), signal.SIGKILL)
    code, rows = sweep.end()
    log(f"# ended {time.monotonic() - killed:.0f} s after the rank was killed, the second job with it")
    assert code == 1
    assert list(rows["status"]) == ["failed", "done"]
    assert rows["reason"][0].startswith("rank 1 of 2 ended by signal SIGKILL")


def trainer_of_rank(rank, folder):
    """The process, within a task, that trains."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            line = (path / "cmdline").read_bytes().decode().split("\0")
            said = dict(entry.partition("=")[::2] for entry in (path / "environ").read_bytes().decode().split("\0"))
            here = (path / "cwd").resolve() == folder
        except OSError:
            continue
        if here and "hipjsw.train" in line and REPORT_VARIABLE in said and said.get("SLURM_PROCID") == str(rank):
            return int(path.name)
    raise AssertionError(f"no process of rank {rank}")
