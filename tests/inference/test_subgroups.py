"""Agreement by subgroup: groups are parts of the whole, and everybody counts once per person."""

import numpy as np
import pandas as pd
import pytest

from hipjsw.inference.subgroups import GROUPS, SUBGROUP_COLUMNS, groups_left_out, subgroup_table


class FakeStore:
    def __init__(self, hips):
        self.hips = hips


def cohort(num=60, hips_each=3, seed=0):
    """A store of persons in two cohorts and rows of its hips, one in ten unmeasurable."""
    rng = np.random.default_rng(seed)
    person = np.arange(num) // hips_each
    truth = rng.uniform(0, 6, num)
    hips = pd.DataFrame(
        {
            "hip_id": [f"h{n}" for n in range(num)],
            "person": [f"p{n}" for n in person],
            "dataset": np.where(person % 3 == 0, "CHECK", "OAI"),
            "side": np.where(np.arange(num) % 2 == 0, "right", "left"),
            "spacing_mm": np.where(person % 3 == 0, 0.1, 0.169),
        }
    )
    table = pd.DataFrame(
        {
            "hip_id": hips["hip_id"],
            "mjsw_pred_mm": np.where(np.arange(num) % 10 == 4, np.nan, truth + rng.normal(0.1, 0.3, num)),
            "mjsw_label_mm": truth + rng.normal(0, 0.2, num),
            "mjsw_truth_mm": truth,
        }
    )
    return table, FakeStore(hips)


def of(result, group, per="hip"):
    return result[(result["group"] == group) & (result["per"] == per)].set_index("level")


@pytest.mark.parametrize("comparison", ["label", "truth"])
def test_the_levels_of_a_group_are_parts_of_the_whole(comparison):
    result = subgroup_table(*cohort(), comparison)
    assert tuple(result.columns) == SUBGROUP_COLUMNS
    whole = of(result, "all").loc["all"]
    assert (whole["num_hips"], whole["num_compared"], whole["num_unmeasurable"]) == (60, 54, 6)
    for group in set(GROUPS) - {"sex"}:
        levels = of(result, group)
        for count in ("num_hips", "num_compared", "num_unmeasurable"):
            assert levels[count].sum() == whole[count]
        for mean in ("bias_mm", "mae_mm", "within_05"):
            assert (levels[mean] * levels["num_compared"]).sum() == pytest.approx(whole[mean] * whole["num_compared"])
    assert set(of(result, "dataset")["num_persons"]) == {7, 13}
    assert list(of(result, "spacing").index) == ["<= 0.12 mm/px", "0.15-0.18 mm/px"]


def test_per_person_a_person_counts_once_by_the_mean_error():
    store = FakeStore(
        pd.DataFrame({"hip_id": list("abcdefg"), "person": list("pppqrrs"), "dataset": "X", "side": "right"})
    )
    table = pd.DataFrame(
        {
            "hip_id": list("abcdefg"),
            "mjsw_pred_mm": [3.3, 3.1, 2.9, 4.5, 5.4, np.nan, 3.0],
            "mjsw_truth_mm": [3.0, 3.0, 3.0, 4.0, 5.0, 5.0, np.nan],
        }
    )
    result = subgroup_table(table, store, "truth")
    hip, person = (of(result, "all", per).loc["all"] for per in ("hip", "person"))
    assert hip["mae_mm"] == pytest.approx((0.3 + 0.1 + 0.1 + 0.5 + 0.4) / 5)
    assert person["mae_mm"] == person["bias_mm"] == pytest.approx((0.1 + 0.5 + 0.4) / 3)
    assert (hip["num_compared"], person["num_compared"]) == (5, 3)
    for row in (hip, person):
        assert (row["num_hips"], row["num_persons"], row["num_unmeasurable"]) == (6, 3, 1)
        assert row["bias_ci_low_mm"] <= row["bias_mm"] <= row["bias_ci_high_mm"]


def test_width_classes_have_their_limits_by_the_reference_alone():
    reference = [0.0, 0.5, 0.51, 2.0, 2.01, 2.5, 2.51, 9.0]
    names = [f"h{n}" for n in range(8)]
    store = FakeStore(pd.DataFrame({"hip_id": names, "person": names}))
    table = pd.DataFrame({"hip_id": names, "mjsw_truth_mm": reference, "mjsw_label_mm": 4.0})
    for pred in (reference, [9.0] * 8, [np.nan] * 8):
        levels = of(subgroup_table(table.assign(mjsw_pred_mm=pred), store, "truth"), "oa_class")["num_hips"]
        assert levels.to_dict() == {"bone on bone": 2, "osteoarthritis": 2, "at risk": 2, "healthy": 2}
        assert list(levels.index) == ["bone on bone", "osteoarthritis", "at risk", "healthy"]
    label = of(subgroup_table(table.assign(mjsw_pred_mm=4.1), store, "label"), "oa_class")
    assert label["num_hips"].to_dict() == {"healthy": 8}


def test_the_order_of_rows_does_not_matter():
    table, store = cohort()
    shuffled = table.sample(frac=1.0, random_state=3).reset_index(drop=True)
    pd.testing.assert_frame_equal(subgroup_table(table, store), subgroup_table(shuffled, store))


def test_a_comparison_sees_its_own_reference_alone():
    table, store = cohort()
    for comparison, other in (("label", "mjsw_truth_mm"), ("truth", "mjsw_label_mm")):
        moved = table.assign(**{other: table[other] + 1.0})
        pd.testing.assert_frame_equal(
            subgroup_table(table, store, comparison), subgroup_table(moved, store, comparison)
        )
    read = table.assign(mjsw_reader_mm=table["mjsw_truth_mm"])
    assert of(subgroup_table(read, store, "reader"), "all").loc["all", "mae_mm"] == pytest.approx(
        of(subgroup_table(table, store, "truth"), "all").loc["all", "mae_mm"]
    )


def test_what_the_store_does_not_know_is_left_out_and_said():
    table, store = cohort()
    assert set(groups_left_out(store)) == {"sex"}
    assert "sex" not in set(subgroup_table(table, store)["group"])
    store.hips["sex"] = [None, *["F", "M"] * 29, "F"]
    assert groups_left_out(store) == {}
    levels = of(subgroup_table(table, store), "sex")
    assert levels["num_hips"].to_dict() == {"F": 30, "M": 29, "unknown": 1}
    store.hips["sex"] = None
    assert set(groups_left_out(store)) == {"sex"}


def test_small_levels_have_counts_and_no_invented_numbers():
    table, store = cohort(num=9)
    table["mjsw_pred_mm"] = [4.0, *[np.nan] * 8]
    result = subgroup_table(table, store)
    whole = of(result, "all").loc["all"]
    assert (whole["num_compared"], whole["num_unmeasurable"]) == (1, 8)
    assert whole[["sd_mm", "icc2", "mae_ci_low_mm"]].isna().all()
    empty = of(result, "dataset").loc["OAI"]
    assert empty["num_compared"] == 0
    assert np.isnan(empty["mae_mm"])


def test_without_a_reference_there_is_no_row():
    table, store = cohort()
    assert subgroup_table(table.assign(mjsw_truth_mm=np.nan), store, "truth").empty


def test_what_cannot_be_done_is_said():
    table, store = cohort()
    with pytest.raises(ValueError, match="comparison is one of label, truth, reader, not 'human'"):
        subgroup_table(table, store, "human")
    with pytest.raises(ValueError, match="no mjsw_reader_mm; join one reader's"):
        subgroup_table(table, store, "reader")
    with pytest.raises(ValueError, match=r"1 hips are not in the store, e\.g\. h0"):
        subgroup_table(table, FakeStore(store.hips.iloc[1:]), "truth")
