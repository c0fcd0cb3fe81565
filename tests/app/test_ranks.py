"""Rank 0 and the others: what is refused, what is noticed, what is left."""

import os
import subprocess
import sys

import pytest
from omegaconf import OmegaConf

from hipjsw.app import ranks as app_ranks
from hipjsw.app.ranks import LEADER_VARIABLE, RankError, _Others, check_ranks, other_ranks


@pytest.fixture(autouse=True)
def outside_slurm(monkeypatch):
    monkeypatch.delenv("SLURM_STEP_NUM_TASKS", raising=False)


def configuration(batch_size=4, **options):
    return OmegaConf.create({"trainer": {"options": options}, "budget": {"batch_size": batch_size}})


def test_ranks_are_counted(monkeypatch):
    assert check_ranks(configuration()) == 1
    assert check_ranks(configuration(devices=2)) == 2
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "4")
    assert check_ranks(configuration(devices=2, num_nodes=2)) == 4


@pytest.mark.parametrize(
    ("given", "tasks", "said"),
    [
        ({"devices": "auto"}, 1, "devices is a whole number"),
        ({"devices": 3}, 1, "cannot be shared equally by 3 ranks"),
        ({"devices": 1}, 2, "srun started 2 tasks, but the run has 1 rank:"),
        ({"devices": 2}, 4, "srun started 4 tasks, but the run has 2 ranks:"),
        ({"devices": 1, "num_nodes": 2}, 1, "num_nodes is for ranks that srun starts"),
    ],
)
def test_ranks_that_do_not_fit_are_refused(given, tasks, said, monkeypatch):
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", str(tasks))
    with pytest.raises(ValueError, match=said):
        check_ranks(configuration(**given))


def others_that(does):
    """Another rank that does this, in place of training."""

    class Others(_Others):
        def start(self):
            self.processes.append(subprocess.Popen([sys.executable, "-c", does]))

    return Others


def test_one_rank_starts_none(monkeypatch):
    monkeypatch.setattr(app_ranks, "_Others", None)
    with other_ranks(1, lambda error: None):
        pass


def test_the_group_is_in_the_environment_while_it_is_needed(monkeypatch):
    monkeypatch.setattr(app_ranks, "_Others", others_that("pass"))
    before = dict(os.environ)
    with other_ranks(2, lambda error: None):
        assert (os.environ["WORLD_SIZE"], os.environ["LOCAL_RANK"]) == ("2", "0")
        assert int(os.environ["MASTER_PORT"]) > 0
    assert dict(os.environ) == before


def test_an_error_of_the_group_is_told_as_the_rank_that_died(monkeypatch):
    monkeypatch.setattr(app_ranks, "_Others", others_that("import os; os.kill(os.getpid(), 9)"))
    with pytest.raises(RankError, match="rank 1 of 2 ended by signal SIGKILL"), other_ranks(2, lambda error: None):
        raise RuntimeError("connection closed by peer")


def test_an_error_of_its_own_stands_and_the_others_are_ended(monkeypatch):
    kinds = others_that("import time; time.sleep(99)")
    made = []
    monkeypatch.setattr(app_ranks, "_Others", lambda *given: made.append(kinds(*given)) or made[0])
    with pytest.raises(ValueError, match="mine"), other_ranks(2, lambda error: None):
        raise ValueError("mine")
    assert made[0].processes[0].returncode == -9


def run_rank(body):
    done = subprocess.run([sys.executable, "-c", body], capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout, done.stderr


def test_a_rank_0_that_hangs_is_ended_once_another_died():
    code, out, err = run_rank(
        "import subprocess, sys, threading, time\n"
        "from hipjsw.app import ranks\n"
        "ranks.GRACE_S = 0.5\n"
        "others = ranks._Others(2, lambda error: print('lost:', error, flush=True))\n"
        "others.processes.append(subprocess.Popen([sys.executable, '-c', 'raise SystemExit(3)']))\n"
        "threading.Thread(target=others._watch, daemon=True).start()\n"
        "time.sleep(99)\n"
    )
    assert code == 1
    assert "lost: rank 1 of 2 ended with exit code 3" in out
    assert "error: rank 1 of 2 ended with exit code 3; the same command continues where it was" in err


def test_a_rank_whose_rank_0_is_gone_ends():
    code, _, err = run_rank(
        "import os, time\n"
        "from hipjsw.app.ranks import follow_rank_0\n"
        f"os.environ.update({{'{LEADER_VARIABLE}': '1', 'HIPJSW_RANK': '1'}})\n"
        "with follow_rank_0(2):\n"
        "    time.sleep(99)\n"
    )
    assert code == 1
    assert "rank 0 of 2 died, so rank 1 ends" in err
