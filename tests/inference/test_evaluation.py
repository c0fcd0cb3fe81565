"""From records to rows and numbers: counts add up, comparisons stay apart, intervals know whose hip each is."""

import io

import numpy as np
import pandas as pd
import pytest

from hipjsw.inference.evaluation import HIP_COLUMNS, STRUCTURES, hip_rows, summarise
from hipjsw.inference.examples import example_hips
from hipjsw.inference.measuring import HipRecord
from hipjsw.jsw.profile import JointSpaceWidth, Unmeasurable, measure_curves
from hipjsw.jsw.study import StudyWidth
from hipjsw.jsw.surface import SurfaceAgreement
from hipjsw.statistics.reliability import concordance, icc2, icc3


class FakeStore:
    hips = pd.DataFrame(
        {
            "hip_id": ["a", "b", "c", "d"],
            "person": ["p", "p", "q", "r"],
            "mjsw_mm": [4.0, 3.0, 2.0, 5.0],
            "mjsw_truth_mm": [4.1, 3.1, np.nan, 5.1],
        }
    )


class LargeStore:
    def __init__(self, num, hips_each=2, seed=0):
        rng = np.random.default_rng(seed)
        truth = np.abs(rng.normal(4, 1, num))
        self.hips = pd.DataFrame(
            {
                "hip_id": [f"h{n}" for n in range(num)],
                "person": [f"p{n // hips_each}" for n in range(num)],
                "mjsw_mm": truth + rng.normal(0, 0.1, num),
                "mjsw_truth_mm": truth,
            }
        )


def width(mm, **more):
    nothing, at = np.zeros((2, 2)), np.zeros(2)
    return JointSpaceWidth(mm, 0.5, at, at, np.full(2, mm), nothing, nothing, nothing, at, **more)


def study(mm, unit="mm"):
    return StudyWidth(mm, unit, 1.0, np.zeros(2), np.zeros(2), np.zeros((0, 2)), np.zeros((0, 2)))


def large_table(store, seed=1):
    rng = np.random.default_rng(seed)
    records = []
    for row, truth in enumerate(store.hips["mjsw_truth_mm"]):
        mm = truth + rng.normal(0.05, 0.2)
        found = width(mm, interval_mm=(mm - 0.4, mm + 0.3), quality=float(rng.uniform()))
        records.append(
            HipRecord(row, rng.uniform(0.8, 1, 3), found if row % 50 else Unmeasurable("x"), study=study(mm - 0.3))
        )
    return hip_rows(records, store)


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
    assert list(table["person"]) == ["r", "p", "p", "q"]
    assert list(table["mjsw_label_mm"]) == [5.0, 4.0, 3.0, 2.0]
    assert list(table["status"]) == ["measured", "measured", "unmeasurable", "measured"]
    assert table.loc[2, "reason"] == "no joint space found"
    assert np.isnan(table.loc[2, "mjsw_pred_mm"])
    assert np.isnan(table.loc[3, "mjsw_truth_mm"])


def test_the_columns_that_were_there_stay_first():
    assert HIP_COLUMNS[:10] == (
        *("hip_id", "person", "mjsw_pred_mm", "mjsw_label_mm", "mjsw_truth_mm"),
        *("dice_femur", "dice_acetabulum", "dice_joint_space", "status", "reason"),
    )
    assert len(set(HIP_COLUMNS)) == len(HIP_COLUMNS) == 10 + 18 + 20 + 2


def test_shares_of_pixels_are_told_and_unknown_where_they_are():
    known = HipRecord(0, np.ones(3), width(4.0), unlabelled=0.25, multiple=0.0)
    table = hip_rows([known, HipRecord(1, np.ones(3), Unmeasurable("x"))], FakeStore)
    assert list(table["unlabelled"]) == pytest.approx([0.25, np.nan], nan_ok=True)
    assert list(table["multiple"]) == pytest.approx([0.0, np.nan], nan_ok=True)


def test_a_hip_of_two_circles_has_one_width_everywhere(circle_hip):
    hip = circle_hip(radius_mm=26, roof_radius_mm=30.5, lateral_deg=-34, medial_deg=40)
    head = hip.radius_mm * np.column_stack([-np.cos(t := np.linspace(-2, 2, 4001)), np.sin(t)])
    found = measure_curves(hip.sourcil(2001), head, np.zeros(2))
    row = hip_rows([HipRecord(0, np.ones(3), found, raw_mm=4.4, spread_mm=0.1, typicality=0.7)], FakeStore).iloc[0]
    widths = ["mjsw_pred_mm", "p5_mm", "mean_mm", "median_mm", "lateral_mm", "central_mm", "medial_mm"]
    assert row[[*widths, "jsw10_mm", "jsw30_mm"]].astype(float).to_numpy() == pytest.approx(4.5, abs=1e-3)
    assert np.isnan(row["jsw50_mm"])  # the sourcil ends at 40 degrees
    assert row["length_mm"] == pytest.approx(30.5 * np.deg2rad(74), abs=1e-3)
    assert 0 <= row["place"] <= 1
    assert list(row[["raw_mjsw_mm", "spread_mm", "typicality"]]) == [4.4, 0.1, 0.7]
    assert row[["mjsw_ci_low_mm", "mjsw_ci_high_mm", "quality", "mjsw_study_mm"]].isna().all()


def test_a_refused_hip_has_no_width_of_any_kind():
    record = HipRecord(0, np.ones(3), Unmeasurable("x"), raw_mm=4.4, typicality=2.0, study=Unmeasurable("y"))
    row = hip_rows([record], FakeStore).iloc[0]
    known = {"hip_id", "person", "mjsw_label_mm", "mjsw_truth_mm", "status", "reason", "raw_mjsw_mm", "typicality"}
    assert set(row.index[row.notna()]) == known | {"dice_femur", "dice_acetabulum", "dice_joint_space"}


def test_a_study_width_that_is_no_length_is_refused():
    with pytest.raises(ValueError, match="row 0 is as_printed, which is no length"):
        hip_rows([HipRecord(0, np.ones(3), width(4.0), study=study(0.3, "as_printed"))], FakeStore)


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
    assert not [key for key in metrics if "study" in key or "interval" in key or "surface" in key]
    assert all(np.isfinite(value) for value in metrics.values())


def test_nothing_measured_gives_counts_and_no_error():
    records = [HipRecord(0, np.full(3, np.nan), Unmeasurable("x"))]
    metrics = summarise(hip_rows(records, FakeStore), FakeStore, "val")
    assert metrics["val/mjsw/num_unmeasurable"] == 1
    assert (metrics["val/mjsw/num_compared"], metrics["val/mjsw/num_left_out"]) == (0, 1)
    assert "val/mjsw/mae_mm" not in metrics
    assert "val/dice/mean" not in metrics


def test_coefficients_are_those_of_the_analysis_of_variance():
    store = LargeStore(60)
    table = large_table(store)
    metrics = summarise(table, store, "test")
    for name, value, reference in (
        ("mjsw", "mjsw_pred_mm", "mjsw_label_mm"),
        ("study_truth", "mjsw_study_mm", "mjsw_truth_mm"),
    ):
        pairs = table[[value, reference]].dropna().to_numpy()
        assert metrics[f"test/{name}/icc2"] == pytest.approx(icc2(pairs).value)
        assert metrics[f"test/{name}/icc3"] == pytest.approx(icc3(pairs).value)
        assert metrics[f"test/{name}/ccc"] == pytest.approx(concordance(*pairs.T).value)


def test_against_exact_truth_the_whole_difference_is_the_measurement_s():
    store = LargeStore(60)
    metrics = summarise(large_table(store), store, "test")
    for name in ("mjsw_truth", "study_truth", "label_truth"):
        sd = metrics[f"test/{name}/sd_mm"]
        assert metrics[f"test/{name}/sdc_mm"] == pytest.approx(1.96 * 2**0.5 * sd)
    assert metrics["test/mjsw/sdc_mm"] == pytest.approx(1.96 * metrics["test/mjsw/sd_mm"])


def test_a_person_s_second_hip_that_errs_alike_makes_no_interval_narrower():
    one, two = LargeStore(40, hips_each=1), LargeStore(40, hips_each=1)
    table = large_table(one)
    again = table.assign(hip_id=[f"{hip}again" for hip in table["hip_id"]])
    two.hips = pd.concat([one.hips, one.hips.assign(hip_id=again["hip_id"])], ignore_index=True)
    single, doubled = (
        summarise(table, one, "t"),
        summarise(pd.concat([table, again], ignore_index=True), two, "t"),
    )
    for key in ("mae_mm", "mae_ci_low_mm", "mae_ci_high_mm", "bias_ci_low_mm", "bias_ci_high_mm", "num_persons"):
        assert doubled[f"t/mjsw_truth/{key}"] == pytest.approx(single[f"t/mjsw_truth/{key}"])
    assert doubled["t/mjsw_truth/num_compared"] == 2 * single["t/mjsw_truth/num_compared"]


@pytest.mark.parametrize(
    ("moved", "moves"),
    [
        ("mjsw_label_mm", {"mjsw", "label_truth", "study"}),
        ("mjsw_truth_mm", {"mjsw_truth", "label_truth", "study_truth"}),
        ("mjsw_study_mm", {"study", "study_truth"}),
        ("mjsw_pred_mm", {"mjsw", "mjsw_truth"}),
    ],
)
def test_a_reference_moves_its_own_comparisons_and_no_other(moved, moves):
    store = LargeStore(40)
    table = large_table(store)
    before, after = (summarise(t, store, "t") for t in (table, table.assign(**{moved: table[moved] + 0.37})))
    assert before.keys() == after.keys()
    assert {key.split("/")[1] for key in before if before[key] != after[key]} == moves


def test_intervals_are_counted_against_each_reference():
    records = [
        HipRecord(0, np.ones(3), width(4.2, interval_mm=(4.05, 4.4))),  # label 4.0 below it, truth 4.1 in it
        HipRecord(1, np.ones(3), width(3.0, interval_mm=(2.9, 3.2))),  # both in it
        HipRecord(2, np.ones(3), width(1.5, interval_mm=(1.4, 1.6))),  # label 2.0 above it, no truth
        HipRecord(3, np.ones(3), width(5.0)),
    ]
    metrics = summarise(hip_rows(records, FakeStore), FakeStore, "t")
    label, truth = ({k.split("/")[-1]: v for k, v in metrics.items() if f"{n}/interval" in k} for n in ("w", "truth"))
    assert [label[k] for k in ("num_intervals", "num_persons")] == [3, 2]
    assert [label[k] for k in ("coverage", "reference_below", "reference_above")] == pytest.approx([1 / 3] * 3)
    assert (truth["num_intervals"], truth["coverage"]) == (2, 1.0)
    assert metrics["t/interval/mean_width_mm"] == pytest.approx((0.35 + 0.3 + 0.2) / 3)
    assert (metrics["t/interval/num"], metrics["t/interval/num_without"]) == (3, 1)


def test_a_quality_that_ranks_hips_by_error_has_no_excess():
    store = LargeStore(40)
    table = large_table(store)
    best = table.assign(quality=-(table["mjsw_pred_mm"] - table["mjsw_truth_mm"]).abs())
    metrics = summarise(best, store, "t")
    assert metrics["t/mjsw_truth/risk_coverage_excess_mm"] == pytest.approx(0.0, abs=1e-12)
    assert metrics["t/mjsw/risk_coverage_excess_mm"] > 0  # by another error it is not the best
    assert metrics["t/mjsw_truth/risk_coverage_area_mm"] < metrics["t/mjsw_truth/mae_mm"]
    assert metrics["t/mjsw_truth/risk_coverage_num"] == 39


def test_surfaces_are_averaged_where_defined_and_the_rest_counted():
    seen = [
        {"femur": SurfaceAgreement(0.2, 0.8, 0.9, 1.0), "head_bearing": SurfaceAgreement(0.1, 0.2, 1.0, 1.0)},
        {"femur": SurfaceAgreement(0.4, 1.0, 0.7, 0.8)},
        {"femur": SurfaceAgreement(None, None, 0.0, 0.0)},  # one border alone: no distance, no agreement
        {"femur": SurfaceAgreement(None, None, None, None)},
    ]
    table = hip_rows([HipRecord(n, np.ones(3), width(4.0), surface=s) for n, s in enumerate(seen)], FakeStore)
    assert table.loc[1, ["assd_femur_mm", "hd95_femur_mm", "nsd05_femur", "nsd09_femur"]].to_list() == [
        0.4,
        1,
        0.7,
        0.8,
    ]
    found = {k.removeprefix("t/surface/"): v for k, v in summarise(table, FakeStore, "t").items() if "/surface/" in k}
    assert found == pytest.approx(
        {
            **{"femur/assd_mm": 0.3, "femur/hd95_mm": 0.9, "femur/nsd05": 1.6 / 3, "femur/nsd09": 0.6},
            **{"femur/num_undefined_mm": 2, "femur/num_undefined_nsd": 1},
            **{"head_bearing/assd_mm": 0.1, "head_bearing/hd95_mm": 0.2, "head_bearing/nsd05": 1.0},
            **{"head_bearing/nsd09": 1.0, "head_bearing/num_undefined_mm": 3, "head_bearing/num_undefined_nsd": 3},
        }
    )
    assert {key.split("/")[0] for key in found} <= set(STRUCTURES)


def test_an_unknown_structure_is_said():
    agreement = {"shaft": SurfaceAgreement(0.2, 0.8, 0.9, 1.0)}
    with pytest.raises(ValueError, match="no structure 'shaft'; borders are of femur"):
        hip_rows([HipRecord(0, np.ones(3), width(4.0), surface=agreement)], FakeStore)


def test_rows_read_back_give_the_same_numbers():
    store = LargeStore(60)
    table = large_table(store)
    text = table.to_csv(index=False, float_format="%.6f")
    again = summarise(pd.read_csv(io.StringIO(text)), store, "t")
    assert again == pytest.approx(summarise(table, store, "t"), abs=1e-5)


def test_hips_of_another_store_are_said(records):
    table = hip_rows(records, FakeStore)
    with pytest.raises(ValueError, match=r"4 hips are not in the store, e\.g\. d"):
        summarise(table, LargeStore(3), "t")


def test_the_worst_example_is_an_unmeasurable_one(records):
    assert example_hips(hip_rows(records, FakeStore)) == {"best": 1, "median": 3, "worst": 2}
