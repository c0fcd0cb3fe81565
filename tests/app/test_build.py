"""What of a configuration reaches a task."""

from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir

from hipjsw.app.build import architecture_of, build_task, start_from
from hipjsw.app.paths import conf_dir
from hipjsw.app.runs import run_identity
from hipjsw.app.schema import register_schemas
from hipjsw.imaging.view import ViewSpec
from hipjsw.inference.measuring import Judgement
from hipjsw.inference.model import Member, Model
from hipjsw.inference.model_folder import write_model
from hipjsw.inference.model_place import DEFAULT_MODEL, ModelError, model_folder
from hipjsw.learning.boundary import BoundaryLoss
from hipjsw.learning.loss import Rising, SoftDice

SMALL = ("net.channels=[4,8,8]", "net.strides=[2,2]")


def configured(*overrides):
    register_schemas()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return compose("train", list(overrides))


def task_of(*overrides):
    return build_task(configured(*overrides))


def write_one(folder, *overrides, members=1):
    """A model of untrained networks of a configuration."""
    cfg = configured(*overrides)
    nets = [Member(architecture_of(cfg), build_task(cfg).net.state_dict()) for _ in range(members)]
    view = ViewSpec("coarse", 128, 128, 0.8, 32, "head", "view", 0.5, 99.5)
    return write_model(Model(tuple(nets), view, 1, "sourcil", Judgement(), {"name": "one"}), folder)


def test_the_task_knows_how_many_steps_it_is_trained():
    assert task_of("budget.steps=12", "budget.val_every=4").steps == 12
    assert task_of("dataset_size=full", "scale=paper").steps == 50 * -(-23544 // 20)
    assert task_of("budget.steps=12", "budget.val_every=4").progress == 0


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_dice_with_a_rising_boundary_is_built_of_its_parts(activation):
    loss = task_of("loss=dice_boundary", f"activation={activation}", "loss.weights.boundary=3").loss
    assert loss.terms == {"dice": SoftDice(), "boundary": Rising(BoundaryLoss(from_perfect=True))}
    assert loss.weights == {"dice": 1.0, "boundary": 3.0}


def test_terms_that_hydra_left_as_configurations_are_refused():
    with pytest.raises(Exception, match="_convert_: all"):
        task_of("loss=dice_boundary", "~loss._convert_")


def test_a_run_starts_from_the_weights_of_the_model_that_it_names(tmp_path):
    write_one(tmp_path / "model", *SMALL, "seed=5")
    there = build_task(configured(*SMALL, "seed=5")).net.state_dict()
    cfg = configured(*SMALL, f"init={tmp_path / 'model'}")
    task = build_task(cfg)
    assert any(not torch.equal(value, there[name]) for name, value in task.net.state_dict().items())
    start_from(task, cfg)
    assert all(torch.equal(value, there[name]) for name, value in task.net.state_dict().items())
    alone = build_task(configured(*SMALL))
    before = {name: value.clone() for name, value in alone.net.state_dict().items()}
    start_from(alone, configured(*SMALL))
    assert all(torch.equal(value, before[name]) for name, value in alone.net.state_dict().items())


@pytest.mark.parametrize(
    ("overrides", "members", "message"),
    [
        (("net.channels=[4,8,12]", "net.strides=[2,2]"), 1, r"holds resunet .*12.* this run trains one resunet"),
        ((*SMALL, "activation=sigmoid"), 1, "trains one resunet .*activation=softmax"),
        (SMALL, 2, "trains one resunet"),
    ],
)
def test_a_model_of_another_shape_is_refused(tmp_path, overrides, members, message):
    write_one(tmp_path / "model", *overrides, members=members)
    cfg = configured(*SMALL, f"init={tmp_path / 'model'}")
    with pytest.raises(ModelError, match=message):
        start_from(build_task(cfg), cfg)
    with pytest.raises(ModelError, match="is no model"):
        start_from(build_task(cfg), configured(*SMALL, f"init={tmp_path}"))


def test_what_a_run_starts_from_is_part_of_it_and_where_that_lies_is_not(tmp_path):
    plain = run_identity(configured(), "store", "split")
    assert "init" not in plain  # runs of before there was a choice are the same runs
    for name in ("here", "there"):
        found = write_one(tmp_path / name, *SMALL)
    write_one(tmp_path / "other", *SMALL, "seed=1")
    here, there, other = (
        run_identity(configured(f"init={tmp_path / name}"), "store", "split") for name in ("here", "there", "other")
    )
    assert here == there == plain | {"init": found}
    assert other != here


def test_the_word_default_is_the_model_that_comes_with_the_package():
    assert model_folder("default") == DEFAULT_MODEL
    assert model_folder("./default") == Path("default")


def test_tuning_is_the_default_at_a_quarter_of_its_rate():
    usual, tuned = configured().optim, configured("optim=tune").optim
    assert tuned.optimizer.lr == usual.optimizer.lr / 4
    assert tuned.schedule.max_lr == tuned.optimizer.lr
    assert {**tuned.optimizer, "lr": 0} == {**usual.optimizer, "lr": 0}
