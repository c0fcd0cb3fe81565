"""The study's estimator alone: its rows in two units, and what is counted."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from hipjsw.inference.measuring import HipRecord, Measurer
from hipjsw.inference.study_table import UNITS, study_rows, study_summary
from hipjsw.inference.table5 import table5
from hipjsw.jsw.profile import Unmeasurable
from hipjsw.jsw.study import StudyWidth, study_width


class NineStore:
    class view:
        pixel_mm = 0.9

    hips = pd.DataFrame(
        {
            "hip_id": ["a", "b", "c", "d"],
            "mjsw_truth_mm": [4.0, 3.0, np.nan, 5.0],
            "spacing_mm": [0.1, 0.2, 0.15, np.nan],
        },
        index=[3, 5, 7, 9],
    )


def study(px):
    return StudyWidth(px * 0.9, "mm", px, np.zeros(2), np.zeros(2), np.zeros((0, 2)), np.zeros((0, 2)))


def record(row, pred, label):
    widths = (study(px) if px is not None else Unmeasurable("x") for px in (pred, label))
    return HipRecord(row, np.ones(3), Unmeasurable("not asked"), None, None, None, {}, *widths)


RECORDS = [record(5, 4.0, 3.0), record(3, 5.0, 5.5), record(9, 6.0, 5.0), record(7, None, 2.0)]


def test_rows_in_mm_follow_the_records():
    table = study_rows(RECORDS, NineStore, "mm")
    assert list(table.columns) == ["hip_id", "study_pred_mm", "study_label_mm", "mjsw_truth_mm"]
    assert list(table["hip_id"]) == ["b", "a", "d", "c"]
    assert table["study_pred_mm"].to_numpy() == pytest.approx([3.6, 4.5, 5.4, np.nan], nan_ok=True)
    assert table["study_label_mm"].to_numpy() == pytest.approx([2.7, 4.95, 4.5, 1.8])
    assert table["mjsw_truth_mm"].to_numpy() == pytest.approx([3.0, 4.0, 5.0, np.nan], nan_ok=True)


def test_as_printed_is_pixels_times_the_film_s_spacing_over_the_view_s():
    table = study_rows(RECORDS, NineStore, "as_printed")
    assert list(table.columns) == ["hip_id", "study_pred_as_printed", "study_label_as_printed", "mjsw_truth_mm"]
    expected = [4.0 * 0.2 / 0.9, 5.0 * 0.1 / 0.9, np.nan, np.nan]  # no spacing, no number; no mask, no number
    assert table["study_pred_as_printed"].to_numpy() == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("units", UNITS)
def test_a_row_is_what_the_estimator_gives_by_itself(circle_store, units):
    store = circle_store()
    measurer = Measurer(store)
    table = study_rows([measurer(store.output(row)) for row in (0, 2, 4)], store, units)
    for row, found in zip((0, 2, 4), table[f"study_pred_{units}"], strict=True):
        by_itself = study_width(store.output(row).masks, 0.8, units, float(store.hips["spacing_mm"].loc[row]))
        assert found == pytest.approx(by_itself.value)
    pd.testing.assert_series_equal(table[f"study_pred_{units}"], table[f"study_label_{units}"], check_names=False)


@pytest.mark.parametrize("units", ["px", "MM", "", "printed"])
def test_another_unit_is_refused(units):
    with pytest.raises(ValueError, match=f"units is one of mm, as_printed, not '{units}'"):
        study_rows(RECORDS, NineStore, units)


def test_the_summary_in_mm_by_hand():
    found = study_summary(study_rows(RECORDS, NineStore, "mm"), "mm")
    apart, error = np.array([0.9, 0.45, 0.9]), np.array([0.6, 0.5, 0.4])
    assert found == pytest.approx(
        {
            "num_compared": 3,
            "num_left_out": 1,
            "mean_mm": apart.mean(),
            "sd_mm": apart.std(ddof=1),
            "truth_mae_mm": np.abs(error).mean(),
            "truth_bias_mm": error.mean(),
        }
    )


def test_the_summary_as_printed_has_no_mm():
    found = study_summary(study_rows(RECORDS, NineStore, "as_printed"), "as_printed")
    apart = np.array([1.0 * 0.2, 0.5 * 0.1]) / 0.9
    assert found == pytest.approx({"num_compared": 2, "num_left_out": 2, "mean": apart.mean(), "sd": apart.std(ddof=1)})


@pytest.mark.parametrize("units", UNITS)
def test_of_too_few_hips_only_the_counts_are_said(units):
    one = study_summary(study_rows(RECORDS[1:2], NineStore, units).assign(mjsw_truth_mm=np.nan), units)
    assert one == {"num_compared": 1, "num_left_out": 0}
    none = study_summary(study_rows(RECORDS[3:], NineStore, units), units)
    assert none == {"num_compared": 0, "num_left_out": 1}


def test_it_agrees_with_table_5_where_all_hips_are_in_both(circle_store):
    store = circle_store((4.0, 5.0, 6.0, 7.0))
    measurer, records = Measurer(store), []
    for row, up in zip(store.hips["row"], (1, 2, 1, 3), strict=True):
        output = store.output(row)
        raised = np.stack([np.roll(output.masks[0], -up, axis=0), *output.masks[1:]])
        records.append(measurer(replace(output, masks=raised)))
    five = table5(records, store, "test")
    for units, name, unit in (("mm", "study", "_mm"), ("as_printed", "as_printed", "")):
        own = study_summary(study_rows(records, store, units), units)
        assert own["num_compared"] == five["test/table5/num_hips"] == 4
        for number in ("mean", "sd"):
            assert own[f"{number}{unit}"] == pytest.approx(five[f"test/table5/{name}_{number}{unit}"])
        assert own[f"mean{unit}"] > 0
