"""What happens beside the training."""

import csv
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from hipjsw.learning import callbacks
from hipjsw.learning.callbacks import HistoryFile, MeasureHips, NonFiniteLossError, StopOnNonFinite


def trainer_at(step, **metrics):
    optimiser = SimpleNamespace(param_groups=[{"lr": 1e-3}])
    values = {name.replace("__", "/"): torch.tensor(value) for name, value in metrics.items()}
    return SimpleNamespace(global_step=step, callback_metrics=values, optimizers=[optimiser])


def test_the_history_goes_on_where_the_checkpoint_was(tmp_path):
    path = tmp_path / "history.csv"
    first = HistoryFile(path)
    first.on_train_start(trainer_at(0), None)
    for step in (10, 20, 30):
        first.on_train_epoch_end(trainer_at(step, train__loss_epoch=1.0 / step, val__loss=0.5), None)
    resumed = HistoryFile(path)
    resumed.on_train_start(trainer_at(20), None)  # the epoch that ended at 30 was lost with the checkpoint
    resumed.on_train_epoch_end(trainer_at(30, train__loss_epoch=0.25, val__loss=0.5), None)
    lines = path.read_text().splitlines()
    assert lines[0] == "step,lr,train/loss,val/loss,seconds"
    assert [line.split(",")[0] for line in lines[1:]] == ["10.0", "20.0", "30.0"]
    assert lines[3].split(",")[2] == "0.25"


def test_an_epoch_lasts_from_the_end_of_the_one_before_and_lost_time_is_in_none(tmp_path, monkeypatch):
    clock = {"s": 1000.0}
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: clock["s"])
    path = tmp_path / "history.csv"

    def train(start, epochs):
        history = HistoryFile(path)
        clock["s"] += 50.0  # made long before it begins
        history.on_train_start(trainer_at(start), None)
        for step, seconds in epochs:
            clock["s"] += seconds
            history.on_train_epoch_end(trainer_at(step, train__loss_epoch=0.5), None)

    train(0, [(10, 1.5), (20, 2.25), (30, 4.0)])
    clock["s"] += 9.0  # cut short
    train(20, [(30, 3.0), (40, 0.125)])
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["seconds"]) for row in rows] == [1.5, 2.25, 3.0, 0.125]


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), float("-inf")])
def test_a_loss_that_is_no_number_stops_the_run_and_says_where(loss):
    watch, trainer, net = StopOnNonFinite(), stopping_at(6), torch.nn.Linear(2, 1)
    net.weight.grad = torch.tensor([[1.0, float("nan")]])  # what such a loss makes of gradients: the loss is named
    watch.on_train_start(trainer, net)
    watch.on_train_batch_start(trainer, None, {"row": torch.tensor([2, 0])}, 0)
    watch.on_before_backward(trainer, None, torch.tensor(loss))
    with pytest.raises(NonFiniteLossError, match=r"the loss is .* at step 7, with the hips hc, ha; last\.ckpt holds"):
        watch.on_before_optimizer_step(trainer, net, None)


def stopping_at(step):
    hips = pd.DataFrame({"hip_id": ["ha", "hb", "hc"]})
    train = SimpleNamespace(store=SimpleNamespace(hips=hips))
    checkpoints = SimpleNamespace(last_model_path="/x/last.ckpt")
    return SimpleNamespace(global_step=step, datamodule=SimpleNamespace(train=train), checkpoint_callback=checkpoints)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_gradient_or_weight_that_is_no_number_stops_the_run_before_it_is_used(bad):
    watch, trainer, net = StopOnNonFinite(), stopping_at(6), torch.nn.Linear(2, 1)
    net.weight.grad = torch.tensor([[1.0, 2.0]])
    watch.on_train_start(trainer, net)
    watch.on_before_optimizer_step(trainer, net, None)
    watch.on_train_epoch_end(trainer, net)
    net.weight.grad[0, 1] = bad
    with pytest.raises(NonFiniteLossError, match=r"gradient's norm .* at step 7"):
        watch.on_before_optimizer_step(trainer, net, None)
    net.weight.data[0, 1] = bad
    with pytest.raises(NonFiniteLossError, match="weight is not finite"):
        watch.on_train_epoch_end(trainer, net)


def test_each_hip_of_a_batch_is_handed_on_under_its_own_row():
    rng = np.random.default_rng(0)
    made = {
        "looks": rng.random((4, 3, 3, 8, 6), dtype=np.float32),  # looks before hips
        "masks": rng.random((3, 3, 8, 6)) > 0.5,
        "target": rng.random((3, 3, 8, 6), dtype=np.float32),
        "embedding": rng.random((3, 10), dtype=np.float32),
        "dice": rng.random((3, 3)),
    }
    outputs = {name: torch.from_numpy(value) for name, value in made.items()} | {"row": torch.tensor([5, 2, 9])}
    trainer = SimpleNamespace(num_test_batches=[1])
    measure = MeasureHips(lambda output: output)
    measure.on_test_start(trainer, None)
    measure.on_test_batch_end(trainer, None, outputs, None, 0)
    assert [output.row for output in measure.records] == [5, 2, 9]
    for n, output in enumerate(measure.records):
        np.testing.assert_array_equal(output.looks, made["looks"][:, n])
        for name in ("masks", "target", "embedding", "dice"):
            np.testing.assert_array_equal(getattr(output, name), made[name][n])
    measure.on_test_start(trainer, None)
    assert measure.records == []
