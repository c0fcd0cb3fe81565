"""One run by two ranks, by the real command line: the numbers of one process, and no rank outlives another."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import torch

from hipjsw.learning.ranks import RANK_VARIABLE

#: Ten validation hips in three batches: one rank has two of them, the other one.
SOME = ("dataset_size=baseline", "scale.divisor=1", "split.val_share=0.4", "split.test_hips=4", "measure=single")
BUDGET = ("budget.steps=6", "budget.val_every=2", "budget.batch_size=4")
#: With 64 bits rounding does not grow to what could hide an error; Adam makes much of it at first.
EXACT = ("trainer.options.precision=64-true",)


@pytest.fixture(scope="module")
def options(workplace):
    return ["data=cohort", f"store={workplace.store}", "logger=none", *SOME]


@pytest.fixture(scope="module")
def runs(workplace, options, door, tmp_path_factory):
    """The same run by one process and by two."""
    folder = tmp_path_factory.mktemp("ranks")
    for trainer in ("cpu", "ddp"):
        run = f"run={folder / trainer}"
        done = door("train", *options, *EXACT, *BUDGET, f"trainer={trainer}", run, cwd=workplace.folder)
        assert done.code == 0, done.err
        assert done.err.count("epoch 3/3") == 1
    return folder


@pytest.fixture
def start(workplace, options):
    """Start the training door with two ranks; what is still running at the end is killed."""
    started = []

    def start_one(*more):
        command = [sys.executable, "-m", "hipjsw.train", *more, *options, "trainer=ddp"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        env = os.environ | {"COLUMNS": "250"}
        started.append(subprocess.Popen(command, cwd=workplace.folder, env=env, start_new_session=True, **pipes))
        return started[-1]

    yield start_one
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def weights(run):
    return torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]


def ranks(folder):
    """Process ids, by rank, of the living processes that train in the folder; a sweep is none of them."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            line = (path / "cmdline").read_bytes().decode().split("\0")
            said = dict(entry.partition("=")[::2] for entry in (path / "environ").read_bytes().decode().split("\0"))
        except OSError:
            continue
        if "hipjsw.train" in line and any(str(folder) in word for word in line) and "-m" not in line[3:]:
            found[int(said.get(RANK_VARIABLE, "0"))] = int(path.name)
    return found


def wait_for_an_epoch(process, folder):
    until = time.monotonic() + 120
    while not list(folder.rglob("last.ckpt")):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < until
        time.sleep(0.05)


def test_two_ranks_train_what_one_process_does(runs):
    one, two = weights(runs / "cpu"), weights(runs / "ddp")
    assert one.keys() == two.keys()
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=1e-6, atol=1e-8)
    histories = [pd.read_csv(runs / name / "history.csv").drop(columns="seconds") for name in ("cpu", "ddp")]
    assert len(histories[0]) == 3
    pd.testing.assert_frame_equal(*histories, rtol=1e-9)
    metrics = [pd.read_csv(runs / name / "metrics.csv", index_col="metric")["value"] for name in ("cpu", "ddp")]
    known = pd.concat([pd.to_numeric(values, errors="coerce") for values in metrics], axis=1).dropna()
    assert len(known) > 100
    assert known.iloc[:, 1].to_numpy() == pytest.approx(known.iloc[:, 0].to_numpy(), rel=1e-4)


def test_rank_0_alone_writes(runs):
    files = [
        sorted(str(p.relative_to(runs / name)) for p in (runs / name).rglob("*") if p.is_file())
        for name in ("cpu", "ddp")
    ]
    assert files[0] == files[1]
    assert sorted(path.name for path in runs.iterdir()) == [".cpu.lock", ".ddp.lock", "cpu", "ddp"]


def test_a_rank_that_dies_ends_the_run_and_is_named(start, tmp_path):
    process = start(*BUDGET, f"run={tmp_path / 'cut'}")
    wait_for_an_epoch(process, tmp_path)
    began = time.monotonic()
    os.kill(ranks(tmp_path)[1], signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    assert time.monotonic() - began < 60
    assert process.returncode == 1
    assert "error: rank 1 of 2 ended by signal SIGKILL; the same command continues where it was" in err
    assert "rank 1 of 2" in json.loads((tmp_path / "cut" / "failed.json").read_text())["reason"]
    assert not ranks(tmp_path)
    assert len(pd.read_csv(tmp_path / "cut" / "history.csv")) < 3


@pytest.mark.slow
def test_a_run_whose_rank_died_goes_on_to_the_weights_of_one_never_stopped(start, tmp_path):
    process = start(f"run={tmp_path / 'cut'}", *BUDGET)
    wait_for_an_epoch(process, tmp_path)
    os.kill(ranks(tmp_path)[1], signal.SIGKILL)
    process.communicate(timeout=60)
    for name in ("cut", "whole"):
        process = start(f"run={tmp_path / name}", *BUDGET)
        _, err = process.communicate(timeout=180)
        assert process.returncode == 0, err
        assert ("epoch 1/3" in err) == (name == "whole")
    whole, cut = weights(tmp_path / "whole"), weights(tmp_path / "cut")
    assert all(torch.equal(cut[name], value) for name, value in whole.items())


def test_a_batch_that_ranks_cannot_share_is_refused(configured, workplace):
    from hipjsw.train import main

    given = ["trainer=ddp", "trainer.options.devices=3", "data=cohort", f"store={workplace.store}", "logger=none"]
    with pytest.raises(ValueError, match=r"budget\.batch_size=4 hips cannot be shared equally by 3 ranks"):
        main(configured("train", *given, "budget.batch_size=4"))


@pytest.mark.slow
def test_rank_0_takes_the_others_with_it(start, tmp_path):
    process = start("budget.steps=4000", "budget.val_every=2", "budget.batch_size=4", f"run={tmp_path / 'run'}")
    wait_for_an_epoch(process, tmp_path)
    process.kill()
    _, err = process.communicate(timeout=60)  # to the end of what the other rank says
    assert "rank 0 of 2 died, so rank 1 ends" in err
    assert not ranks(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stop_is_a_stop_with_ranks_too(number, code, start, tmp_path):
    process = start("budget.steps=4000", "budget.val_every=2", "budget.batch_size=4", f"run={tmp_path / 'run'}")
    wait_for_an_epoch(process, tmp_path)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert "the same command continues where it was" in err
    assert "Traceback" not in err
    assert not ranks(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_a_sweep_names_the_rank_that_died_and_goes_on(rank, start, tmp_path):
    budget = ("budget.steps=4000,4", "budget.val_every=2", "budget.batch_size=4")
    process = start("-m", *budget, "group=cut", f"runs_dir={tmp_path}")
    wait_for_an_epoch(process, tmp_path)
    os.kill(ranks(tmp_path)[rank], signal.SIGKILL)
    _, err = process.communicate(timeout=180)
    assert process.returncode == 1, err
    rows = pd.read_csv(tmp_path / "sweeps" / "cut.csv")
    assert list(rows["status"]) == ["failed", "done"]
    assert f"rank {rank} of 2 ended by signal SIGKILL" in rows["reason"][0]
    assert not ranks(tmp_path)


@pytest.mark.slow
def test_a_rank_that_dies_before_it_meets_the_others_ends_the_run_too(start, tmp_path):
    process = start(*BUDGET, f"run={tmp_path / 'run'}")
    until = time.monotonic() + 60
    while 1 not in ranks(tmp_path) and time.monotonic() < until:
        time.sleep(0.02)
    os.kill(ranks(tmp_path)[1], signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "error: rank 1 of 2 ended by signal SIGKILL" in err
    assert not ranks(tmp_path)
