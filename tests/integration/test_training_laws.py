"""Laws of training, in one process: every pair trains; one configuration gives one set of weights."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from hydra import compose, initialize_config_dir

from hipjsw.app.build import build_data, build_task, trainer_options
from hipjsw.app.paths import conf_dir
from hipjsw.app.plugins import register_plugins
from hipjsw.app.provision import prepare_options, split_spec
from hipjsw.app.schema import register_schemas
from hipjsw.cohort.store import Store
from hipjsw.cohort.writing import prepare_cohort
from hipjsw.inference.measuring import Measurer
from hipjsw.learning.fitting import BEST, LAST, fit, measure_split


@pytest.fixture
def store(workplace):
    return Store.open(workplace.store).dealt(split_spec(configuration()))


def configuration(*overrides):
    register_schemas()
    register_plugins()
    tiny = ["budget.steps=2", "budget.val_every=1", "budget.batch_size=4"]
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return compose("train", [*tiny, *overrides])


def train(cfg, store, folder):
    folder.mkdir(exist_ok=True)
    task, data = build_task(cfg), build_data(cfg, store)
    fit(task, data, data.budget, folder, trainer_options(cfg))
    return task, data


def weights_of(folder):
    return torch.load(folder / LAST, weights_only=True)["state_dict"]


def assert_equal_weights(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


@pytest.mark.parametrize("size", ["small", "baseline", "full"])
@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
@pytest.mark.parametrize("loss", ["dice", "ce", "dicece"])
def test_all_combinations_train_two_epochs_with_finite_loss(loss, activation, size, store, tmp_path):
    cfg = configuration(f"loss={loss}", f"activation={activation}", f"dataset_size={size}")
    train(cfg, store, tmp_path)
    history = pd.read_csv(tmp_path / "history.csv")
    assert len(history) == 2
    assert history[["train/loss", "val/loss"]].map(math.isfinite).all().all()
    assert (tmp_path / BEST).is_file()


@pytest.mark.parametrize(
    "overrides", [["view=hip"], ["+experiment=study_baseline"], ["view=coarse", "net=unet"]], ids=str
)
def test_every_view_and_net_trains_on_its_own_store(overrides, workplace, tmp_path):
    cfg = configuration(*overrides, "budget.steps=1", "budget.batch_size=2")
    store, _ = prepare_cohort(workplace.cohort, tmp_path / "store", prepare_options(cfg))
    store = store.dealt(split_spec(cfg))
    task, data = train(cfg, store, tmp_path / "run")
    records = measure_split(task, data, tmp_path / "run", trainer_options(cfg), Measurer(store))
    assert len(records) == len(store.rows("test")) > 0
    assert all(np.isfinite(record.dice).all() for record in records)
    errors = (store.hips["mjsw_mm"] - store.hips["mjsw_truth_mm"]).abs()
    assert errors.mean() <= 0.03


def test_a_resumed_run_equals_an_uninterrupted_one_even_in_a_moved_folder(store, tmp_path):
    whole, cut, moved = tmp_path / "whole", tmp_path / "cut", tmp_path / "moved"
    cfg = configuration(
        "budget.steps=8", "budget.val_every=2", "optim.optimizer.lr=0.02"
    )  # the best epoch is not the last
    train(cfg, store, whole)

    cut.mkdir()
    task, data = build_task(cfg), build_data(cfg, store)

    class Interrupt(RuntimeError):
        pass

    original, calls = task.training_step, []

    def training_step(batch, batch_idx):
        calls.append(batch_idx)
        if len(calls) == 6:
            raise Interrupt
        return original(batch, batch_idx)

    task.training_step = training_step
    with pytest.raises(Interrupt):
        fit(task, data, data.budget, cut, trainer_options(cfg))
    cut.rename(moved)
    train(cfg, store, moved)
    for name in (BEST, LAST):
        one, other = (torch.load(f / name, weights_only=True) for f in (whole, moved))
        assert_equal_weights(one["state_dict"], other["state_dict"])
        assert one["global_step"] == other["global_step"] == (8 if name == LAST else one["global_step"])
    one, other = (pd.read_csv(folder / "history.csv") for folder in (whole, moved))
    assert (one["seconds"] > 0).all()
    assert (other["seconds"] > 0).all()
    pd.testing.assert_frame_equal(one.drop(columns="seconds"), other.drop(columns="seconds"), check_exact=True)


def test_a_checkpoint_names_no_folder(store, tmp_path):
    train(configuration(), store, tmp_path)
    for name in (BEST, LAST):
        assert str(tmp_path).encode() not in (tmp_path / name).read_bytes()


def test_the_number_of_loading_processes_changes_no_weight(store, tmp_path):
    train(configuration("num_workers=0"), store, tmp_path / "none")
    train(configuration("num_workers=2"), store, tmp_path / "two")
    assert_equal_weights(weights_of(tmp_path / "none"), weights_of(tmp_path / "two"))


def test_hips_that_lie_on_the_device_change_no_weight(store, tmp_path):
    for name, resident in (("read", False), ("kept", True)):
        train(configuration(f"trainer.resident={resident}"), store, tmp_path / name)
    assert_equal_weights(weights_of(tmp_path / "read"), weights_of(tmp_path / "kept"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*script_method:DeprecationWarning")  # torch's own compiler
def test_a_compiled_network_trains_as_the_same_to_rounding_and_its_checkpoints_are_the_same_kind(store, tmp_path):
    for name, compiled in (("plain", False), ("compiled", True)):
        train(configuration(f"trainer.compile={compiled}", "optim=study"), store, tmp_path / name)
    one, other = (weights_of(tmp_path / name) for name in ("plain", "compiled"))
    assert one.keys() == other.keys()
    plain, compiled = (pd.read_csv(tmp_path / name / "history.csv") for name in ("plain", "compiled"))
    for column in ("train/loss", "val/loss"):
        np.testing.assert_allclose(compiled[column], plain[column], rtol=0.01)


def test_another_seed_gives_other_weights(store, tmp_path):
    train(configuration("seed=0"), store, tmp_path / "a")
    train(configuration("seed=1"), store, tmp_path / "b")
    one, other = weights_of(tmp_path / "a"), weights_of(tmp_path / "b")
    assert any(not torch.equal(value, other[name]) for name, value in one.items())


def test_a_batch_of_one_measures_what_a_batch_of_many_does(store, tmp_path):
    cfg = configuration()
    task, data = train(cfg, store, tmp_path)
    many = measure_split(task, data, tmp_path, trainer_options(cfg), Measurer(store))
    one_cfg = configuration("budget.batch_size=1")
    one = measure_split(task, build_data(one_cfg, store), tmp_path, trainer_options(cfg), Measurer(store))
    assert [r.row for r in one] == [r.row for r in many]
    for a, b in zip(one, many, strict=True):
        assert a.dice == pytest.approx(b.dice, nan_ok=True)
        assert type(a.width) is type(b.width)
