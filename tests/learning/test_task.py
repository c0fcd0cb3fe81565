"""What a batch's weights do: the emphasis acts on the loss, never on the overlap. What a loss is told of progress."""

from functools import partial

import pytest
import torch

from hipjsw.learning.activation import Softmax
from hipjsw.learning.loss import CrossEntropy, Rising
from hipjsw.learning.overlap import hard_target
from hipjsw.learning.task import SegmentationTask


@pytest.fixture
def task():
    torch.manual_seed(0)
    net = torch.nn.Conv2d(1, 4, 3, padding=1)
    return SegmentationTask(net, Softmax(), CrossEntropy(), partial(torch.optim.SGD, lr=0.1), None)


def batch(seed=0):
    generator = torch.Generator().manual_seed(seed)
    target = torch.rand(2, 4, 8, 8, generator=generator)
    return {
        "image": torch.rand(2, 1, 8, 8, generator=generator),
        "target": target / target.sum(1, keepdim=True),
        "weight": (torch.rand(2, 8, 8, generator=generator) > 0.3).float(),
        "row": torch.arange(2),
    }


def test_the_emphasis_multiplies_the_weight_in_the_loss(task):
    plain, factor = batch(), 1 + 9 * torch.rand(2, 8, 8)
    raised = task._step(plain | {"emphasis": factor}).loss
    torch.testing.assert_close(raised, task._step(plain | {"weight": plain["weight"] * factor}).loss)
    assert not torch.isclose(raised, task._step(plain).loss)
    torch.testing.assert_close(task._step(plain | {"emphasis": torch.ones(2, 8, 8)}).loss, task._step(plain).loss)


@pytest.mark.parametrize("stage", ["val", "test"])
def test_the_overlap_is_judged_by_the_plain_weight(task, stage, monkeypatch):
    monkeypatch.setattr(task, "log", lambda *_, **__: None)
    plain = batch()
    raised = plain | {"emphasis": 1 + 9 * torch.rand(2, 8, 8)}
    metric = task.val_dice if stage == "val" else task.test_dice
    step = task.validation_step if stage == "val" else task.test_step
    found = []
    for given in (plain, raised):
        metric.reset()
        step(given, 0)
        found.append({name: float(value) for name, value in metric.compute().items()})
    assert found[0] == found[1]
    metric.reset()
    metric.update(torch.zeros_like(hard_target(plain["target"])), hard_target(plain["target"]), plain["weight"])
    assert float(metric.compute()["mean"]) != found[0]["mean"]


def test_a_rising_loss_is_told_the_share_of_steps_made_and_validation_takes_it_whole(task, monkeypatch):
    logged = {}
    monkeypatch.setattr(task, "log", lambda name, value, **_: logged.update({name: value.detach()}))
    whole = task._step(batch()).loss.detach()
    task.loss, task.steps = Rising(CrossEntropy()), 8
    for made, share in ((0, 0.0), (2, 0.25), (7, 0.875), (8, 1.0), (9, 1.0)):
        monkeypatch.setattr(SegmentationTask, "global_step", made)
        torch.testing.assert_close(task.training_step(batch(), 0).detach(), share * whole)
        task.validation_step(batch(), 0)
        torch.testing.assert_close(logged["train/loss"], share * whole)
        torch.testing.assert_close(logged["val/loss"], whole)
    task.steps = None
    monkeypatch.setattr(SegmentationTask, "global_step", 0)
    torch.testing.assert_close(task.training_step(batch(), 0).detach(), whole)
