"""The study's Table 5 beside runs."""

import re

import pytest

from hipjsw.ablation.design import Arm, Design
from hipjsw.ablation.measures import MEASURES, run_values
from hipjsw.ablation.recorded import read_recorded, write_recorded
from hipjsw.ablation.result import AblationResult, ArmRow, Cell
from hipjsw.reporting.experiment_readme import experiment_readme
from hipjsw.reporting.table5_table import STUDY_PRINTED, TABLE5, table5_markdown, table5_markup

KEYS = ("as_printed_mean", "as_printed_sd", "study_mean_mm", "study_sd_mm", "ours_mean_mm", "ours_sd_mm", "num_hips")
LABELS = {"a": "A & B", "b": "B"}
VALUES = ((0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 1040), (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 1039))
WAYS = [
    ["study's estimator, as printed", "0.1500", "0.2500", "none", "1,039.5", "2"],
    ["study's estimator, in true mm", "0.3500", "0.4500", "mm", "1,039.5", "2"],
    ["sub-pixel contour, calibrated, in true mm", "0.5500", "0.6500", "mm", "1,039.5", "2"],
]


def result(*values):
    """Of runs of arm ``a`` that wrote such metrics."""
    metrics = [{f"test/table5/{key}": value for key, value in zip(KEYS, some, strict=True)} for some in values]
    found = {name: run_values(measure, metrics) for name, measure in MEASURES.items() if measure.of_metrics}
    cells = {name: Cell(float(some.mean()), num=len(some)) for name, some in found.items() if len(some)}
    design = Design(TABLE5, "x", "?", "dice", "a", tuple(Arm(name, label, ()) for name, label in LABELS.items()))
    arms = (ArmRow("a", len(values), cells=cells), ArmRow("b", 0, cells={name: Cell(None) for name in cells}))
    return AblationResult(design, "final", (), "demo", arms, (), (), 0, 0)


def rows(*values):
    markup = "".join(table5_markup(result(*values), LABELS))
    return [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(<td.*?)</tr>", markup)]


def markdown_rows(text):
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def test_the_studys_row_is_as_it_printed_it_and_has_no_unit():
    (study,) = rows()
    assert study == ["the study", "its estimator, as printed", "0.0763", "0.0874", "none", "–", "–"]
    assert STUDY_PRINTED == (0.0763, 0.0874)


def test_runs_of_an_arm_are_averaged_each_way_in_its_unit():
    _, *own = rows(*VALUES)
    assert own == [["A &amp; B", *way] for way in WAYS]


def test_markdown_has_the_same_rows():
    (study, *own) = markdown_rows(table5_markdown(result(*VALUES), LABELS))
    assert study == rows()[0]
    assert own == [["A & B", *way] for way in WAYS]


def test_it_is_said_what_is_compared_with_what():
    for text in ("".join(table5_markup(result(), LABELS)), table5_markdown(result(), LABELS)):
        for words in ("absolute difference", "no unit and is not millimetres", "calibrated", "label", "exact truth"):
            assert words in text


def test_a_recorded_page_is_made_of_its_record_alone(tmp_path):
    found = result(*VALUES)
    write_recorded(found, tmp_path / "results.csv")
    page = experiment_readme(read_recorded(tmp_path / "results.csv"))
    assert page == experiment_readme(found)
    for way in WAYS:
        assert f"| A & B | {' | '.join(way)} |" in page


def test_a_way_without_a_number_has_no_row():
    """As printed there is nothing where the films' spacing is unknown."""
    none = float("nan")
    assert len(rows()) == 1
    found = result((none, none, *VALUES[0][2:]))
    arms = (found.arms[0], found.arms[1])
    cells = {name: Cell(None) if name.startswith("table5_printed") else c for name, c in arms[0].cells.items()}
    bare = AblationResult(**(vars(found) | {"arms": (ArmRow("a", 1, cells=cells), arms[1])}))
    assert "as printed | 0.0763" in table5_markdown(bare, LABELS)
    assert [row[1] for row in markdown_rows(table5_markdown(bare, LABELS))[1:]] == [way[0] for way in WAYS[1:]]


@pytest.mark.parametrize("label", ["A \\| B", "*x*"])
def test_labels_stand_as_they_come(label):
    assert f"| {label} | study's estimator, as printed |" in table5_markdown(result(*VALUES), LABELS | {"a": label})
