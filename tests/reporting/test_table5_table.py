"""The study's Table 5 beside runs."""

import re

import pytest

from hipjsw.ablation.design import Arm, Design
from hipjsw.ablation.sweep import RunResult, Sweep
from hipjsw.reporting.table5_table import STUDY_PRINTED, table5_markup

KEYS = ("as_printed_mean", "as_printed_sd", "study_mean_mm", "study_sd_mm", "ours_mean_mm", "ours_sd_mm")


def run(arm, seed, values, num_hips=40):
    metrics = dict(zip(KEYS, values, strict=True)) | {"num_hips": num_hips}
    return RunResult(arm, seed, "done", metrics={f"test/table5/{key}": value for key, value in metrics.items()})


def rows(*runs):
    arms = (Arm("a", "A & B", ()), Arm("b", "B", ()))
    sweep = Sweep(Design("final", "x", "?", "dice", "a", arms), "final", (), "demo", runs)
    markup = "".join(table5_markup(sweep, {arm.name: arm.label for arm in arms}))
    return [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(<td.*?)</tr>", markup)]


def test_the_studys_row_is_as_it_printed_it_and_has_no_unit():
    (study,) = rows()
    assert study == ["the study", "its estimator, as printed", "0.0763", "0.0874", "none", "–", "–"]
    assert STUDY_PRINTED == (0.0763, 0.0874)


def test_runs_of_an_arm_are_averaged_each_way_in_its_unit():
    _, *own = rows(run("a", 0, (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)), run("a", 1, (0.2, 0.3, 0.4, 0.5, 0.6, 0.7), 39))
    assert own == [
        ["A &amp; B", "study's estimator, as printed", "0.1500", "0.2500", "none", "39 or 40", "2"],
        ["A &amp; B", "study's estimator, in true mm", "0.3500", "0.4500", "mm", "39 or 40", "2"],
        ["A &amp; B", "sub-pixel contour, in true mm", "0.5500", "0.6500", "mm", "39 or 40", "2"],
    ]  # fmt: skip


@pytest.mark.parametrize("runs", [(), (RunResult("a", 0, "failed"),), (RunResult("a", 0, "done"),)])
def test_arms_without_the_number_have_no_row(runs):
    assert len(rows(*runs)) == 1
