"""Measures against plain sums, and what they may not depend on."""

import itertools
import statistics

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipjsw.ablation.measures import HIP_NEEDED, HIP_TEXT, HISTORY_NEEDED, MEASURES, hip_values, run_values
from hipjsw.inference.evaluation import HIP_COLUMNS

NAMES = [
    *("dice", "dice_femur", "dice_acetabulum", "dice_joint_space"),
    *("mjsw_label_mm", "mjsw_truth_mm", "raw_truth_mm", "study_label_mm", "bias_truth_mm"),
    *("assd_mm", "bearing_mm", "hd95_mm", "unmeasurable", "unlabelled", "multiple", "instability", "overfit"),
    *("table5_printed", "table5_printed_sd", "table5_study_mm", "table5_study_sd_mm"),
    *("table5_ours_mm", "table5_ours_sd_mm", "table5_hips"),
]


TABLE5 = ("as_printed_mean", "as_printed_sd", "study_mean_mm", "study_sd_mm", "ours_mean_mm", "ours_sd_mm", "num_hips")


def one_hip(**changes):
    row = {
        "hip_id": "h1",
        "person": "p1",
        "status": "measured",
        "reason": "",
        "dice_femur": 0.98,
        "dice_acetabulum": 0.94,
        "dice_joint_space": 0.90,
        "mjsw_pred_mm": 3.0,
        "mjsw_label_mm": 3.5,
        "mjsw_truth_mm": 3.25,
        "raw_mjsw_mm": 2.75,
        "mjsw_study_mm": 4.5,
        "assd_femur_mm": 0.2,
        "assd_acetabulum_mm": 0.4,
        "assd_head_bearing_mm": 0.1,
        "assd_roof_bearing_mm": 0.3,
        "hd95_femur_mm": 1.0,
        "hd95_acetabulum_mm": 2.0,
        "unlabelled": 0.001,
        "multiple": 0.002,
    }
    return pd.DataFrame([row | changes])


def value(name, **changes):
    return hip_values(MEASURES[name], one_hip(**changes), ["h1"])[0]


def test_names_and_order():
    assert list(MEASURES) == NAMES
    assert all(name == measure.name for name, measure in MEASURES.items())
    assert all((measure.unit == "mm") == name.endswith("_mm") for name, measure in MEASURES.items())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dice", 0.94),
        ("dice_femur", 0.98),
        ("dice_acetabulum", 0.94),
        ("dice_joint_space", 0.90),
        ("mjsw_label_mm", 0.5),
        ("mjsw_truth_mm", 0.25),
        ("raw_truth_mm", 0.5),
        ("study_label_mm", 1.0),
        ("bias_truth_mm", -0.5),
        ("assd_mm", 0.3),
        ("bearing_mm", 0.2),
        ("hd95_mm", 1.5),
        ("unmeasurable", 0.0),
        ("unlabelled", 0.001),
        ("multiple", 0.002),
    ],
)
def test_by_hand(name, expected):
    assert value(name) == pytest.approx(expected, abs=1e-12)


def test_what_is_undefined():
    assert value("dice", dice_joint_space=np.nan) == pytest.approx(0.96)  # an empty class is left out of the mean
    assert np.isnan(value("dice", dice_femur=np.nan, dice_acetabulum=np.nan, dice_joint_space=np.nan))
    assert np.isnan(value("assd_mm", assd_femur_mm=np.nan))  # the distance to a bone that is not there is none
    assert np.isnan(value("bearing_mm", assd_roof_bearing_mm=np.nan))
    assert np.isnan(value("hd95_mm", hd95_acetabulum_mm=np.inf))
    assert np.isnan(value("mjsw_truth_mm", mjsw_truth_mm=np.nan))
    assert value("unmeasurable", status="unmeasurable") == 1.0
    assert value("raw_truth_mm", status="unmeasurable", mjsw_pred_mm=np.nan) == 0.5  # before it was refused


def test_directions():
    better = {name: measure.higher_is_better for name, measure in MEASURES.items()}
    assert {name for name, higher in better.items() if higher} == {name for name in NAMES if name.startswith("dice")}
    neither = {name for name, higher in better.items() if higher is None}
    assert neither == {"bias_truth_mm"} | {name for name in NAMES if name.startswith("table5_")}


def test_needed_columns_are_those_that_are_read():
    assert set(HIP_NEEDED) <= set(HIP_COLUMNS)
    hips = one_hip()[list(HIP_NEEDED)]
    hip_measures = [measure for measure in MEASURES.values() if measure.kind == "hip"]
    for measure in hip_measures:
        hip_values(measure, hips, ["h1"])
    for column in set(HIP_NEEDED) - {"person", "reason"}:
        with pytest.raises(KeyError):
            [hip_values(measure, hips.drop(columns=column), ["h1"]) for measure in hip_measures]
    assert set(HIP_TEXT) <= set(HIP_NEEDED)


@given(st.permutations(range(8)), st.lists(st.integers(0, 11), min_size=1, unique=True))
def test_hips_are_found_by_their_id(order, asked):
    hips = pd.concat([one_hip(hip_id=f"h{n}", dice_femur=n / 10) for n in range(8)], ignore_index=True)
    found = hip_values(MEASURES["dice_femur"], hips.iloc[list(order)], [f"h{n}" for n in asked])
    assert found == pytest.approx([n / 10 if n < 8 else np.nan for n in asked], nan_ok=True)


def history(dice, train=0.1, val=0.15):
    steps = np.arange(1, len(dice) + 1) * 10
    columns = {"step": steps, "train/loss": train, "val/dice/mean": np.asarray(dice, float), "val/loss": val}
    return pd.DataFrame(columns)[list(HISTORY_NEEDED)]


def instability(dice):
    return run_values(MEASURES["instability"], [history(dice)])[0]


CURVES = st.lists(st.floats(0, 1), min_size=6, max_size=30)


@given(CURVES)
def test_instability_is_the_spread_of_the_last_steps(dice):
    last = dice[len(dice) // 2 :]
    expected = statistics.stdev(b - a for a, b in itertools.pairwise(last))
    assert instability(dice) == pytest.approx(expected, abs=1e-12)


@given(CURVES, st.floats(-0.1, 0.1), st.lists(st.floats(0, 1), min_size=30, max_size=30))
def test_instability_knows_no_slope_and_no_beginning(dice, slope, other):
    tilted = np.asarray(dice) + slope * np.arange(len(dice))
    assert instability(tilted) == pytest.approx(instability(dice), abs=1e-9)
    half = len(dice) // 2
    assert instability(other[:half] + dice[half:]) == instability(dice)


@pytest.mark.parametrize("number", range(5))
def test_instability_of_too_few_validations_is_undefined(number):
    assert np.isnan(instability([0.5] * number))
    assert instability([0.5] * 5) == 0.0


def test_table_5_is_what_table5_wrote():
    """Every number that `hipjsw.inference.table5` writes has a measure, and none has another's."""
    records = {f"test/table5/{key}": float(n) for n, key in enumerate(TABLE5, 1)}
    table5 = [measure for measure in MEASURES.values() if measure.of_metrics]
    found = {measure.name: run_values(measure, [records, {}, {}])[0] for measure in table5}
    assert list(found.values()) == list(range(1, 8))
    for name, key in zip(found, TABLE5, strict=True):
        assert name.endswith("_mm") == key.endswith("_mm")
        assert ("_sd" in name) == ("_sd" in key)
        assert name.split("_")[1] in key
    assert np.isnan(run_values(table5[0], [{"test/table5/as_printed_mean": None}])[0])
    assert np.isnan(run_values(table5[0], [history([0.9] * 3)])[0])  # a history says nothing of it


def test_overfit_is_of_the_last_validation():
    several = [history([0.9] * 3, train=[0.3, 0.2, 0.1], val=[0.3, 0.25, 0.4]), history([])]
    assert run_values(MEASURES["overfit"], several) == pytest.approx([0.3, np.nan], nan_ok=True)
    assert np.isnan(run_values(MEASURES["overfit"], [history([0.9], val=np.inf)])[0])
