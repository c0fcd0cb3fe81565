"""The study's number as printed, in mm, and ours: by hand, and the factor between the first two."""

import numpy as np
import pandas as pd
import pytest

from hipjsw.inference.measuring import HipRecord
from hipjsw.inference.table5 import table5
from hipjsw.jsw.profile import JointSpaceWidth, Unmeasurable
from hipjsw.jsw.study import StudyWidth


class NineStore:
    """Views of 0.9 mm of films of 0.1, 0.2 and 0.15 mm; the last film's spacing is unknown."""

    class view:
        pixel_mm = 0.9

    hips = pd.DataFrame({"mjsw_mm": [4.0, 3.0, 2.0, 5.0], "spacing_mm": [0.1, 0.2, 0.15, np.nan]}, index=[3, 5, 7, 9])


def width(mm):
    nothing, at = np.zeros((2, 2)), np.zeros(2)
    return JointSpaceWidth(mm, 0.5, at, at, np.full(2, mm), nothing, nothing, nothing, at)


def study(px):
    return StudyWidth(px * 0.9, "mm", px, np.zeros(2), np.zeros(2), np.zeros((0, 2)), np.zeros((0, 2)))


def record(row, mm, pred_px, label_px, **more):
    return HipRecord(row, np.ones(3), width(mm), study=study(pred_px), study_label=study(label_px), **more)


def numbers(records, store=NineStore):
    return {name.removeprefix("test/table5/"): value for name, value in table5(records, store, "test").items()}


def test_the_numbers_by_hand():
    found = numbers([record(3, 4.5, 5.0, 4.0), record(5, 2.9, 2.0, 4.0), record(7, 2.0, 3.0, 3.0)])
    printed, study_mm, ours_mm = np.array([[1 * 0.1 / 0.9, 2 * 0.2 / 0.9, 0.0], [0.9, 1.8, 0.0], [0.5, 0.1, 0.0]])
    assert found == pytest.approx(
        {
            "num_hips": 3,
            "as_printed_mean": printed.mean(),
            "as_printed_sd": printed.std(ddof=1),
            "study_mean_mm": study_mm.mean(),
            "study_sd_mm": study_mm.std(ddof=1),
            "ours_mean_mm": ours_mm.mean(),
            "ours_sd_mm": ours_mm.std(ddof=1),
        }
    )


def test_between_printed_and_mm_lies_the_spacing_over_the_pixel_squared():
    """With one spacing: printed is 0.1/0.81 of mm, as the study's 0.2986 is of 2.42 mm."""
    rng = np.random.default_rng(0)
    store = type("One", (NineStore,), {"hips": NineStore.hips.assign(spacing_mm=0.1)})
    found = numbers([record(row, 4.0, *rng.uniform(1, 9, 2)) for row in (3, 5, 7, 9)], store)
    for name in ("mean", "sd"):
        assert found[f"as_printed_{name}"] / found[f"study_{name}_mm"] == pytest.approx(0.1 / 0.81)
    figure_2 = np.sqrt(260) / 6
    assert (figure_2 * 0.1 / 0.9, figure_2 * 0.9) == pytest.approx((0.2986, 2.42), abs=5e-3)


def test_no_number_depends_on_which_is_larger_or_on_the_order():
    one = [record(3, 4.5, 5.0, 4.0), record(5, 2.9, 2.0, 4.0)]
    other = [record(5, 3.1, 4.0, 2.0), record(3, 3.5, 4.0, 5.0)]
    assert numbers(one) == pytest.approx(numbers(other))


@pytest.mark.parametrize(
    "incomplete",
    [
        record(9, 4.0, 5.0, 4.0),  # the film's spacing is unknown
        HipRecord(7, np.ones(3), Unmeasurable("x"), study=study(3.0), study_label=study(2.0)),
        HipRecord(7, np.ones(3), width(4.0), study=Unmeasurable("x"), study_label=study(2.0)),
        HipRecord(7, np.ones(3), width(4.0), study=study(2.0), study_label=Unmeasurable("x")),
        HipRecord(7, np.ones(3), width(4.0)),
        record(7, 4.0, 5.0, 4.0, label_mm=float("nan")),
    ],
)
def test_a_hip_without_one_of_the_three_is_in_none(incomplete):
    whole = [record(3, 4.5, 5.0, 4.0), record(5, 2.9, 2.0, 4.0)]
    assert numbers([*whole, incomplete]) == numbers(whole)


@pytest.mark.parametrize("count", [0, 1])
def test_of_fewer_than_two_hips_nothing_is_said(count):
    assert table5([record(3, 4.5, 5.0, 4.0)][:count], NineStore, "test") == {}


def test_ours_is_compared_with_the_label_of_the_region_measured():
    """Over another part of the roof the record knows the label's width; the store's is over the whole sourcil."""
    found = numbers([record(3, 4.5, 5.0, 4.0, label_mm=4.4), record(5, 2.9, 2.0, 4.0, label_mm=2.8)])
    assert found["ours_mean_mm"] == pytest.approx(0.1)


def test_the_names_begin_with_the_split():
    found = table5([record(3, 4.5, 5.0, 4.0), record(5, 2.9, 2.0, 4.0)], NineStore, "val")
    assert {name.rsplit("/", 1)[0] for name in found} == {"val/table5"}
