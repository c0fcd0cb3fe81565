"""Laws of what is made small while training: losses with weights of pixels, and a loss that rises with training."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hydra import compose, initialize_config_dir

from hipjsw.app.build import build_data, build_task, trainer_options
from hipjsw.app.paths import conf_dir
from hipjsw.app.provision import split_spec
from hipjsw.app.schema import register_schemas
from hipjsw.cohort.store import Store
from hipjsw.learning.fitting import LAST, fit


@pytest.fixture
def store(workplace):
    return Store.open(workplace.store).dealt(split_spec(configuration()))


def configuration(*overrides):
    register_schemas()
    tiny = ["budget.steps=2", "budget.val_every=1", "budget.batch_size=4"]
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return compose("train", [*tiny, *overrides])


def train(cfg, store, folder, stop_at=None):
    """Train; stop in the middle of a step if asked to. Returns the progress the task saw at each step."""
    folder.mkdir(exist_ok=True)
    task, data = build_task(cfg), build_data(cfg, store)
    original, seen = task.training_step, []

    def training_step(batch, batch_idx):
        if len(seen) == stop_at:
            raise KeyboardInterrupt
        seen.append(task.progress)
        return original(batch, batch_idx)

    task.training_step = training_step
    if stop_at is None:
        fit(task, data, data.budget, folder, trainer_options(cfg))
    else:
        with pytest.raises(KeyboardInterrupt):
            fit(task, data, data.budget, folder, trainer_options(cfg))
    return seen


def weights_of(folder):
    return torch.load(folder / LAST, weights_only=True)["state_dict"]


@pytest.mark.parametrize(
    ("loss", "activation"), [("dice", "softmax"), ("dice_boundary", "softmax"), ("dice_boundary", "sigmoid")]
)
def test_losses_train_with_and_without_raised_pixels_and_learn_something_else(loss, activation, store, tmp_path):
    learnt = []
    for weight in ("none", "border"):
        cfg = configuration(f"loss={loss}", f"activation={activation}", f"weight={weight}")
        train(cfg, store, tmp_path / weight)
        history = pd.read_csv(tmp_path / weight / "history.csv")
        assert len(history) == 2
        assert np.isfinite(history[["train/loss", "val/loss"]]).all().all()
        learnt.append(weights_of(tmp_path / weight))
        assert all(torch.isfinite(value).all() for value in learnt[-1].values())
    assert any(not torch.equal(value, learnt[1][name]) for name, value in learnt[0].items())


def test_a_rising_loss_is_told_each_step_and_a_resumed_run_goes_on_to_the_bit(workplace, tmp_path):
    """In a process of its own, as a run has: in one that did much else before, sums were seen to round otherwise."""
    command = [sys.executable, __file__, str(workplace.store), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr


def rise_and_resume(store, folder):
    cfg = configuration("loss=dice_boundary", "budget.steps=6", "budget.val_every=2", "loss.weights.boundary=5")
    assert train(cfg, store, folder / "whole") == [step / 6 for step in range(6)]
    assert train(cfg, store, folder / "cut", stop_at=3) == [0, 1 / 6, 2 / 6]
    assert train(cfg, store, folder / "cut") == [2 / 6, 3 / 6, 4 / 6, 5 / 6]  # from the checkpoint after two steps
    one, other = weights_of(folder / "whole"), weights_of(folder / "cut")
    apart = {name: float((value - other[name]).abs().max()) for name, value in one.items()}
    assert not any(apart.values()), apart
    cfg.loss.terms.boundary.first = 1.0
    train(cfg, store, folder / "steady")
    steady = weights_of(folder / "steady")
    assert any(not torch.equal(value, steady[name]) for name, value in one.items())


if __name__ == "__main__":
    given, scratch = map(Path, sys.argv[1:])
    rise_and_resume(Store.open(given).dealt(split_spec(configuration())), scratch)
