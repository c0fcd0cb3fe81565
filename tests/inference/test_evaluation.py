"""From records to rows and numbers: counts add up, and three comparisons stay apart."""

import numpy as np
import pandas as pd
import pytest

from hipjsw.inference.evaluation import HIP_COLUMNS, hip_rows, summarise
from hipjsw.inference.examples import example_hips
from hipjsw.jsw.profile import JointSpaceWidth, Unmeasurable
from hipjsw.learning.callbacks import HipRecord


class FakeStore:
    hips = pd.DataFrame(
        {
            "hip_id": ["a", "b", "c", "d"],
            "person": ["p", "p", "q", "r"],
            "mjsw_mm": [4.0, 3.0, 2.0, 5.0],
            "mjsw_truth_mm": [4.1, 3.1, np.nan, 5.1],
        }
    )


def width(mm):
    nothing = np.zeros((0, 2))
    return JointSpaceWidth(mm, 0.5, np.zeros(2), np.zeros(2), np.zeros(0), nothing, nothing)


@pytest.fixture
def records():
    return [
        HipRecord(3, np.array([0.9, 0.8, 0.7]), width(5.3)),
        HipRecord(0, np.array([1.0, 1.0, np.nan]), width(4.1)),
        HipRecord(1, np.array([0.5, 0.6, 0.7]), Unmeasurable("no joint space found")),
        HipRecord(2, np.array([0.8, 0.8, 0.4]), width(1.7)),
    ]


def test_rows_follow_the_records(records):
    table = hip_rows(records, FakeStore)
    assert tuple(table.columns) == HIP_COLUMNS
    assert list(table["hip_id"]) == ["d", "a", "b", "c"]
    assert list(table["status"]) == ["measured", "measured", "unmeasurable", "measured"]
    assert table.loc[2, "reason"] == "no joint space found"
    assert np.isnan(table.loc[2, "mjsw_pred_mm"])
    assert np.isnan(table.loc[3, "mjsw_truth_mm"])


def test_the_numbers_by_hand(records):
    metrics = summarise(hip_rows(records, FakeStore), FakeStore, "test")
    assert metrics["test/mjsw/num_measured"] == 3
    assert metrics["test/mjsw/num_unmeasurable"] == 1
    assert metrics["test/num_hips"] == 4
    assert metrics["test/num_persons"] == 3
    assert metrics["test/mjsw/mae_mm"] == pytest.approx((0.3 + 0.1 + 0.3) / 3)
    assert metrics["test/mjsw/bias_mm"] == pytest.approx((0.3 + 0.1 - 0.3) / 3)
    assert (metrics["test/mjsw/num_compared"], metrics["test/mjsw/num_left_out"]) == (3, 1)
    assert (metrics["test/mjsw_truth/num_compared"], metrics["test/mjsw_truth/num_left_out"]) == (2, 1)
    assert metrics["test/mjsw_truth/mae_mm"] == pytest.approx((0.2 + 0.0) / 2)
    assert metrics["test/label_truth/bias_mm"] == pytest.approx(-0.1)
    assert metrics["test/dice/joint_space"] == pytest.approx((0.7 + 0.7 + 0.4) / 3)
    assert metrics["test/dice/num_undefined_joint_space"] == 1
    assert metrics["test/dice/mean"] == pytest.approx((3.2 / 4 + 3.2 / 4 + 0.6) / 3)


def test_nothing_measured_gives_counts_and_no_error():
    records = [HipRecord(0, np.full(3, np.nan), Unmeasurable("x"))]
    metrics = summarise(hip_rows(records, FakeStore), FakeStore, "val")
    assert metrics["val/mjsw/num_unmeasurable"] == 1
    assert "val/mjsw/mae_mm" not in metrics
    assert "val/dice/mean" not in metrics


def test_the_worst_example_is_an_unmeasurable_one(records):
    assert example_hips(hip_rows(records, FakeStore)) == {"best": 1, "median": 3, "worst": 2}
