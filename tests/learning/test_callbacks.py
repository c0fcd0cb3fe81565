"""What happens beside the training."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from hipjsw.anatomy.labels import label_coverage
from hipjsw.jsw.profile import JointSpaceWidth, Unmeasurable
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
    assert lines[0] == "step,lr,train/loss,val/loss"
    assert [line.split(",")[0] for line in lines[1:]] == ["10.0", "20.0", "30.0"]
    assert lines[3].split(",")[2] == "0.25"


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), float("-inf")])
def test_a_loss_that_is_no_number_stops_the_run_and_says_where(loss):
    with pytest.raises(NonFiniteLossError, match="step 7"):
        StopOnNonFinite().on_train_batch_end(trainer_at(7), None, {"loss": torch.tensor(loss)}, None, 0)
    StopOnNonFinite().on_train_batch_end(trainer_at(7), None, {"loss": torch.tensor(0.5)}, None, 0)


def test_each_hip_of_a_batch_is_measured_under_its_own_row(circle_hip):
    hips = [circle_hip(roof_radius_mm=r) for r in (29.0, 31.0)]
    maps = [label_coverage(hip.landmarks((64, 64), 1 / 0.8), (128, 128))[1:] for hip in hips]
    probs = torch.from_numpy(np.stack([*maps, np.zeros_like(maps[0])]))
    outputs = {"probs": probs, "dice": torch.ones(3, 3), "row": torch.tensor([5, 2, 9])}
    measure = MeasureHips(0.8)
    measure.on_test_start(None, None)
    measure.on_test_batch_end(None, None, outputs, None, 0)
    assert [record.row for record in measure.records] == [5, 2, 9]
    assert isinstance(measure.records[2].width, Unmeasurable)
    for record, hip in zip(measure.records, hips, strict=False):
        assert isinstance(record.width, JointSpaceWidth)
        assert record.width.mjsw_mm == pytest.approx(hip.mjsw_mm, abs=0.1)
    measure.on_test_start(None, None)
    assert measure.records == []
