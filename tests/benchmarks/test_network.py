"""A trained network's tables from made-up results: what is counted is what was given."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks" / "accuracy"))

import agreement_parts  # noqa: E402


@pytest.fixture
def run():
    """60 hips of 30 persons: labels off by half a millimetre either way, the network by a fifth."""
    rng = np.random.default_rng(0)
    truth = rng.uniform(0.2, 6.0, 60)
    sign = np.tile([1.0, -1.0], 30)
    hips = pd.DataFrame(
        {
            "mjsw_truth_mm": truth,
            "mjsw_label_mm": truth + 0.5 * sign,
            "raw_mjsw_mm": truth + 0.2 * sign,
            "mjsw_pred_mm": truth + 0.1 * sign,
            "mjsw_ci_low_mm": truth - 0.3,
            "mjsw_ci_high_mm": truth + np.where(np.arange(60) < 6, -0.1, 0.3),
            "place": rng.random(60),
            "person": np.repeat(np.arange(30), 2).astype(str),
            "dataset": np.where(np.arange(60) < 20, "CHECK", "OAI"),
            "side": np.tile(["left", "right"], 30),
        }
    )
    metrics = {
        "test/num_hips": 60,
        "test/num_persons": 30,
        "test/mjsw/num_unmeasurable": 0,
        "test/mjsw_truth/mae_mm": 0.1,
        "test/mjsw_truth/mae_ci_low_mm": 0.09,
        "test/mjsw_truth/mae_ci_high_mm": 0.11,
        "test/mjsw_truth/bias_mm": 0.0,
    }
    return SimpleNamespace(hips=hips, metrics=metrics, said="a run")


def test_each_hip_stands_once_in_every_grouping(run):
    part = agreement_parts.network(run)
    for name, count in (("cohort", 2), ("side", 2), ("width (mm)", None), ("minimum at", None)):
        rows = [row for row in part.tables[1].rows if row[0].startswith(name)]
        assert sum(int(row[1]) for row in rows) == 60
        assert count is None or len(rows) == count
    check = next(row for row in part.tables[1].rows if row[0] == "cohort CHECK")
    assert check[1:] == ["20", "0.100", "0.000", "0.103", "0.700"]


def test_an_undefined_number_is_an_empty_cell(run):
    rows = {row[0]: row[1:] for row in agreement_parts.network(run).tables[0].rows}
    assert rows["MAE (mm)"] == ["0.100", "0.090 to 0.110", "<= 0.12"]
    assert rows["ICC(2,1)"][:2] == ["", ""]


def test_who_is_nearer_to_the_truth_is_judged_before_calibration(run, tmp_path):
    part = agreement_parts.label_errors(run, tmp_path)
    assert part.numbers["label_mae_mm"] == pytest.approx(0.5)
    assert part.numbers["raw_mae_mm"] == pytest.approx(0.2)
    assert part.numbers["gain_mm"] == pytest.approx(0.3)
    assert part.numbers["gain_low_mm"] == pytest.approx(0.3)
    assert part.numbers["nearer"] == 1.0
    assert (tmp_path / "label_errors.png").stat().st_size > 10_000
