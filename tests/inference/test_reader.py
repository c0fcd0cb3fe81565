"""Readers' CSV: what comes in is what was read, what cannot be is said by line and column, nothing is mixed."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hipjsw.cohort.film_entry import CohortError
from hipjsw.inference.reader import (
    READING_COLUMNS,
    ReaderError,
    read_reader,
    reader_metrics,
    reader_template,
    with_readings,
)

FILMS = ("V00/one.dcm", "V00/two.dcm", "V06/two.dcm")


class FakeStore:
    """Three films of two persons, both hips of each; the left hip of the last is excluded."""

    def __init__(self, folder):
        self.folder = folder
        sides = [(film, side) for film in FILMS for side in ("right", "left")]
        self.identities = pd.DataFrame(
            {"hip_id": [f"h{n}" for n in range(6)], "dataset": "X", "film": [f for f, _ in sides], "points": ""}
        ).assign(side=[side for _, side in sides])
        self.identities.to_csv(folder / "identities.csv", index=False)
        self.hips = pd.DataFrame({"hip_id": [f"h{n}" for n in range(5)], "person": ["p", "p", "q", "q", "q"]})

    def rows(self, part):
        return {"test": [3, 0, 4], "val": [1], "train": [2]}[part]


@pytest.fixture
def store(tmp_path):
    return FakeStore(tmp_path)


def written(store, text):
    path = store.folder / "readings.csv"
    path.write_text(text, encoding="utf-8")
    return path


def read(store, text):
    return read_reader(written(store, text), store)


def predicted(mm):
    return pd.DataFrame({"hip_id": [f"h{n}" for n in range(5)], "mjsw_pred_mm": mm})


def test_a_filled_template_comes_back(store):
    template = reader_template(store, "test")
    assert list(template["hip_id"]) == ["h3", "h0", "h4"]
    filled = template.assign(mjsw_mm=["3.25", "0", ""], verdict=["", "measured", "unmeasurable"], reader="A")
    filled.loc[0, "place"] = "0.5"
    filled.to_csv(store.folder / "a.csv", index=False)
    found = read_reader(store.folder / "a.csv", store)
    assert tuple(found.columns) == READING_COLUMNS
    assert list(found["hip_id"]) == ["h3", "h0", "h4"]
    np.testing.assert_array_equal(found["mjsw_reader_mm"], [3.25, 0.0, np.nan])
    np.testing.assert_array_equal(found["place"], [0.5, np.nan, np.nan])
    assert list(found["verdict"]) == ["measured", "measured", "unmeasurable"]


def test_a_template_shows_no_width_and_films_only_where_asked(store):
    store.hips["mjsw_mm"] = 3.987
    assert list(reader_template(store, "test").columns) == ["hip_id", "mjsw_mm", "reader", "place", "verdict"]
    named = reader_template(store, "test", films=True)
    assert list(named["film"] + " " + named["side"]) == ["V00/two.dcm left", "V00/one.dcm right", "V06/two.dcm right"]
    assert "3.987" not in named.to_csv() + reader_template(store, "test").to_csv()
    with pytest.raises(ValueError, match="part is one of train, val, test, not 'all'"):
        reader_template(store, "all")


@pytest.mark.parametrize(
    "text",
    [
        "hip_id,mjsw_mm\nh0,3.5\nh3,2.25\n",
        "mjsw_mm;remarks;HIP_ID\r\n3,5;a good, clear one;h0\r\n2,25;;h3\r\n",
        "film\tside\tmjsw_mm\nV00/one.dcm\tright\t3,5\nV00/two.dcm\tLeft\t2.25\n",
        "\ufefffilm,side,mjsw_mm\none.dcm,right,3.5\nV00/two.dcm,left,2.25\n",
    ],
    ids=["ids", "semicolons and decimal commas", "films by tabs", "a film by its only name"],
)
def test_however_it_is_written_the_reading_is_the_same(store, text):
    found = read(store, text)
    assert found[["hip_id", "mjsw_reader_mm", "reader"]].to_numpy().tolist() == [
        ["h0", 3.5, "reader"],
        ["h3", 2.25, "reader"],
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hip_id,width\nh0,3\n", "readings.csv has not the column mjsw_mm"),
        ("mjsw_mm\n3\n", "has not the columns film, side; name hips by hip_id, or by film and side"),
        ("film,mjsw_mm\none.dcm,3\n", "has not the column side;"),
        ("hip_id,mjsw_mm\nh0,3\nh1,wide\n", "line 3, column mjsw_mm: 'wide' is no number"),
        ("hip_id,mjsw_mm\nh0,nan\n", "line 2, column mjsw_mm: 'nan' is no number"),
        ("hip_id,mjsw_mm\nh0,-0.1\n", r"line 2, column mjsw_mm: -0\.1 is negative; bone on bone is 0"),
        ("hip_id,mjsw_mm\n,3\n", "line 2, column hip_id: is empty"),
        ("hip_id,mjsw_mm\nh0,3\n\nh0,3\n", "line 4, column hip_id: read in line 2 already"),
        ("hip_id,mjsw_mm,reader\nh0,3,Dr A\n", "line 2, column reader: 'Dr A' has more than letters"),
        ("hip_id,mjsw_mm,place\nh0,3,50\n", "line 2, column place: 50 is not between 0 .lateral edge. and 1"),
        ("hip_id,mjsw_mm,verdict\nh0,3,good\n", "line 2, column verdict: 'good' is none of measured, unmeasurable"),
        ("hip_id,mjsw_mm,verdict\nh0,3,unmeasurable\n", "line 2, column verdict: 'unmeasurable' with a width"),
        ("hip_id,mjsw_mm,verdict\nh0,,measured\n", "line 2, column verdict: 'measured' with no width"),
        ("film,side,mjsw_mm\none.dcm,L,3\n", "line 2, column side: 'L' is neither right nor left .of the patient."),
        ("film,side,mjsw_mm\n,left,3\n", "line 2, column film: is empty"),
        ("film,side,mjsw_mm\ntwo.dcm,left,3\n", "line 2, column film: several films have this name; give its path"),
        ("hip_id,mjsw_mm\nh0,31\nh1,25\n", "column mjsw_mm: all 2 widths are above 20, which looks like pixels"),
        ("hip_id,mjsw_mm\nh0,3.1\nh1,25\n", "line 3, column mjsw_mm: 25 mm is wider than any joint space"),
        ("hip_id,mjsw_mm\nh0,3.1,4\n", "line 2: it has 3 cells where the first line has 2"),
        ("hip_id,mjsw_mm\nh8,3\nh0,\n", "no reading of a hip of the store .1 of other hips.; fill in mjsw_mm"),
    ],
)
def test_what_cannot_be_a_reading_is_said_by_line_and_column(store, text, said):
    with pytest.raises((ReaderError, CohortError), match=said):
        read(store, text)


def test_many_faults_are_said_once_and_counted(store):
    with pytest.raises(ReaderError, match=r"line 2, .*line 6, .*; and 3 more\. Mend") as error:
        read(store, "hip_id,mjsw_mm\n" + "h0,x\n" * 8)
    assert "line 7" not in str(error.value)


def test_other_hips_and_lines_without_a_reading_are_counted_and_said(store, caplog):
    with caplog.at_level(logging.WARNING):
        found = read(store, "hip_id,mjsw_mm\nh0,3\nhz,4\nh5,2\nh1,\nh2,1\n")
    assert list(found["hip_id"]) == ["h0", "h2"]
    assert "readings.csv: 2 readings; passed over: 2 of hips not in the store, 1 lines without" in caplog.text


def test_films_need_the_store_s_identities(store):
    path = written(store, "film,side,mjsw_mm\none.dcm,right,3\n")
    (store.folder / "identities.csv").unlink()
    with pytest.raises(ReaderError, match=r"identities\.csv is missing or damaged.*name hips by hip_id"):
        read_reader(path, store)


def test_a_missing_file_is_said(store):
    with pytest.raises(CohortError, match=r"nowhere\.csv is not there"):
        read_reader(Path(store.folder / "nowhere.csv"), store)


def test_readers_are_told_apart(store):
    readings = read(store, "hip_id,mjsw_mm,reader\nh0,3,A\nh0,4,B\nh1,2,A\n")
    table = predicted([3.0, 2.0, 1.0, 1.0, 1.0])
    np.testing.assert_array_equal(with_readings(table, readings, "A")["mjsw_reader_mm"], [3, 2, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(with_readings(table, readings, "B")["mjsw_reader_mm"][:2], [4, np.nan])
    for nobody in (None, "C"):
        with pytest.raises(ValueError, match="readings are of A, B, not of"):
            with_readings(table, readings, nobody)


def test_the_numbers_against_readers_by_hand(store):
    text = "hip_id,mjsw_mm,reader,verdict\n"
    text += "h0,3,A,\nh1,2,A,\nh2,1,A,\nh3,,A,unmeasurable\nh0,3.4,B,\nh1,2.6,B,\nh4,4,B,\n"
    found = reader_metrics(predicted([3.1, 2.3, np.nan, 1.0, 4.0]), read(store, text), store, "test")
    own = {key.removeprefix("test/mjsw_reader/A/"): value for key, value in found.items()}
    assert (own["num_compared"], own["num_left_out"], own["num_unmeasurable"]) == (2, 1, 1)
    assert (own["mae_mm"], own["bias_mm"]) == pytest.approx((0.2, 0.2))
    assert found["test/mjsw_reader/B/mae_mm"] == pytest.approx((0.3 + 0.3 + 0.0) / 3)
    assert found["test/readers/A_B/num_compared"] == 2
    assert found["test/readers/A_B/bias_mm"] == pytest.approx(-0.5)
    assert {key.split("/")[1] for key in found} == {"mjsw_reader", "readers"}
    assert all(np.isfinite(value) for value in found.values())


def test_a_reader_who_reads_what_is_predicted_agrees_and_a_shift_is_a_bias(store):
    widths = [3.0, 2.0, 1.5, 0.5, 4.0]
    for shift in (0.0, 0.25):
        lines = "".join(f"h{n},{mm + shift}\n" for n, mm in enumerate(widths))
        found = reader_metrics(predicted(widths), read(store, "hip_id,mjsw_mm\n" + lines), store, "t")
        assert found["t/mjsw_reader/reader/bias_mm"] == pytest.approx(-shift)
        assert found["t/mjsw_reader/reader/sd_mm"] == pytest.approx(0.0)
        assert found["t/mjsw_reader/reader/icc3"] == pytest.approx(1.0)
        assert (found["t/mjsw_reader/reader/icc2"] < 1 - 1e-9) == (shift > 0)


def test_a_reader_of_other_hips_is_compared_with_none(store):
    found = reader_metrics(predicted([3.0] * 5).iloc[:2], read(store, "hip_id,mjsw_mm\nh4,3\n"), store, "t")
    assert found == {
        "t/mjsw_reader/reader/num_compared": 0,
        "t/mjsw_reader/reader/num_left_out": 0,
        "t/mjsw_reader/reader/num_unmeasurable": 0,
    }
