"""What may lie beside a cohort's films: an empty width is no truth, any other text that is no width an error."""

import pytest

from hipjsw.cohort.companions import read_companions
from hipjsw.cohort.layout import CohortError

HEADER = "dataset,subject,visit,side,mjsw_mm,note\n"


def test_nothing_beside_is_nothing_known(tmp_path):
    beside = read_companions(tmp_path)
    assert (beside.test_persons, beside.truth_mm, beside.phantom) == (frozenset(), {}, None)


def test_an_empty_width_is_no_truth(tmp_path):
    rows = "OAI,9000001,V00,right,,prosthesis right\nOAI,9000001,V00,left,3.25,prosthesis right\n"
    (tmp_path / "truth.csv").write_text(HEADER + rows)
    assert read_companions(tmp_path).truth_mm == {("OAI", "9000001", "V00", "left"): 3.25}


def test_a_cohort_may_have_no_true_width_at_all(tmp_path):
    (tmp_path / "truth.csv").write_text(HEADER + "OAI,9000001,V00,right,,frog-leg\n")
    assert read_companions(tmp_path).truth_mm == {}


@pytest.mark.parametrize("text", ["wide", "-1", "nan", "inf", "3,5"])
def test_what_is_no_width_is_refused_by_name(tmp_path, text):
    (tmp_path / "truth.csv").write_text(HEADER + f'OAI,9000001,V00,right,"{text}",\n')
    with pytest.raises(CohortError, match=r"truth\.csv: mjsw_mm"):
        read_companions(tmp_path)


def test_the_stamp_changes_with_the_truth(tmp_path):
    stamps = set()
    for width in ("", "3.1", "3.2"):
        (tmp_path / "truth.csv").write_text(HEADER + f"OAI,9000001,V00,right,{width},\n")
        stamps.add(read_companions(tmp_path).stamp)
    assert len(stamps) == 3
