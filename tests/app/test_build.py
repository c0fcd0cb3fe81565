"""What of a configuration reaches a task."""

import pytest
from hydra import compose, initialize_config_dir

from hipjsw.app.build import build_task
from hipjsw.app.paths import conf_dir
from hipjsw.app.schema import register_schemas
from hipjsw.learning.boundary import BoundaryLoss
from hipjsw.learning.loss import Rising, SoftDice


def task_of(*overrides):
    register_schemas()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return build_task(compose("train", list(overrides)))


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
