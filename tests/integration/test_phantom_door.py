"""The phantom's door: a sheet with its census; wrong options refused by name."""

import re

import cv2
import pytest


def test_sheet_and_census(door, tmp_path):
    done = door("phantom", "sheet=sheets/wide.png", "look=wide", "subjects=30", cwd=tmp_path)
    assert done.code == 0, done.err
    picture = cv2.imread(str(tmp_path / "sheets" / "wide.png"))
    assert picture is not None
    assert picture.std() > 30
    assert "12 films" in done.out
    assert "wide films, exact points" in done.out
    hips = re.search(r"^\| hips \|.*\| (\d+) \| -", done.out, re.MULTILINE)
    assert hips is not None
    assert hips[1] == "60"
    assert re.search(r"mJSW mm, mean.*women 3\.9, men 4\.2", done.out)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("look=pretty", "realistic, wide"),
        ("points.error=big", "none, bonefinder"),
        ("planted=2", "from 0 to 1"),
        ("sheet=x.png subjects=0", "at least one subject"),
    ],
)
def test_a_wrong_option_is_refused_with_what_there_is(door, tmp_path, option, said):
    done = door("phantom", "out=cohort", *option.split(), cwd=tmp_path)
    assert done.code == 1
    assert said in done.err
    assert not (tmp_path / "cohort").exists() or not any((tmp_path / "cohort").glob("*/*/*.dcm"))
