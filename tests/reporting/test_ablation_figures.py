"""Which diagrams an ablation has, and which runs they are of."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from hipjsw.ablation.design import Arm, Design
from hipjsw.ablation.result import AblationResult, ArmRow, Cell
from hipjsw.ablation.sweep import RunResult, Sweep
from hipjsw.reporting.ablation_figures import agreement_markup, arms_markup, curves_markup, legend_markup, run_value

LABELS = {"a": "Arm <A>", "b": "Arm B"}
HIPS = pd.DataFrame(
    {
        "hip_id": ["h0", "h1", "h2"],
        "dice_femur": [0.9, 0.8, np.nan],
        "dice_acetabulum": [0.9, 0.8, np.nan],
        "dice_joint_space": [0.9, 0.8, np.nan],
        "mjsw_pred_mm": [1.0, 2.0, np.nan],
        "mjsw_truth_mm": [1.5, 2.5, 3.0],
        "mjsw_label_mm": [1.25, 2.25, 3.0],
        "unlabelled": [0.0, 0.01, 0.02],
    }
)
HISTORY = pd.DataFrame(
    {"step": [1.0, 2.0], "val/dice/mean": [0.5, 0.9], "train/loss": [1.0, 0.5], "val/loss": [1, 0.75]}
)
DESIGN = Design("x", "X", "?", "dice", "a", tuple(Arm(name, label, ()) for name, label in LABELS.items()))


def run(arm="a", seed=0, **changes):
    return replace(RunResult(arm, seed, "done", hips=HIPS, history=HISTORY), **changes)


def sweep(*runs):
    return Sweep(DESIGN, "x", (), "demo", runs)


def result(**cells):
    rows = tuple(ArmRow(name, 1, cells=cells if name == "a" else {}) for name in LABELS)
    return AblationResult(DESIGN, "x", (), "demo", rows, (), (), 3, 3)


@pytest.mark.parametrize(
    ("measure", "value"),
    [("dice", 0.85), ("mjsw_truth_mm", 0.5), ("overfit", 0.25), ("assd_mm", None), ("unheard_of", None)],
)
def test_a_runs_value_is_the_mean_over_its_hips_where_defined(measure, value):
    assert run_value(run(), measure) == (None if value is None else pytest.approx(value))
    assert run_value(run(hips=HIPS.head(0), history=HISTORY.head(0)), measure) is None


def test_a_measure_has_a_diagram_where_any_arm_has_a_value_shares_in_percent():
    found = result(dice=Cell(0.85, 0.8, 0.9, 3), mjsw_truth_mm=Cell(None), unlabelled=Cell(0.01, num=3))
    markup = "".join(arms_markup(sweep(run()), found, ["dice", "mjsw_truth_mm", "unlabelled", "overfit"], LABELS))
    assert re.findall(r'aria-label="(.*?)"', markup) == ["Dice by arm", "share of pixels without any class by arm"]
    assert "Arm &lt;A&gt;, seed 0: 0.8500" in markup
    assert "Arm &lt;A&gt;: 0.8500, 95 % interval 0.8000 to 0.9000" in markup
    assert "Arm &lt;A&gt;, seed 0: 1.00" in markup
    assert "share of pixels without any class (%)" in markup
    assert "<svg" not in "".join(arms_markup(sweep(), result(), ["dice"], LABELS))


def test_agreement_is_of_each_arms_first_finished_seed_against_the_truth():
    runs = [run(seed=2), run(seed=1), run("b", 0, status="failed"), run("b", 3)]
    markup = "".join(agreement_markup(sweep(*runs), LABELS))
    assert re.findall(r"</strong>, seed (\d)<br>(.*?)</figcaption>", markup) == [
        ("1", "bias −0.500 mm, limits −0.50 to −0.50 mm, 2 hips, 1 left out"),
        ("3", "bias −0.500 mm, limits −0.50 to −0.50 mm, 2 hips, 1 left out"),
    ]
    assert "measured − exact truth (mm)" in markup


def test_agreement_is_with_the_label_where_no_run_knows_the_truth_and_absent_without_widths():
    hips = HIPS.assign(mjsw_truth_mm=np.nan)
    assert "measured − label (mm)" in "".join(agreement_markup(sweep(run(hips=hips)), LABELS))
    assert "bias −0.250 mm" in "".join(agreement_markup(sweep(run(hips=hips)), LABELS))
    for runs in ((), (run(hips=HIPS.assign(mjsw_pred_mm=np.nan)),)):
        assert "No width was measured" in "".join(agreement_markup(sweep(*runs), LABELS))


def test_curves_are_there_where_any_run_validated():
    assert "".join(curves_markup(sweep(run()), LABELS)).count("<svg") == 2
    assert "No run has validated yet" in "".join(curves_markup(sweep(RunResult("a", 0, "missing")), LABELS))


def test_legend_gives_each_arm_its_colour():
    assert re.findall(r'<li class="(c\d)">(.*?)</li>', legend_markup(LABELS)) == [
        ("c0", "Arm &lt;A&gt;"), ("c1", "Arm B")
    ]  # fmt: skip
