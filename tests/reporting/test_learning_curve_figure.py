"""Learning curves: which runs are drawn how, and that late differences are seen."""

import re

import numpy as np
import pandas as pd
import pytest

from hipjsw.ablation.sweep import RunResult
from hipjsw.reporting.learning_curve_figure import Curve, curves_of, learning_curve_svgs

STEPS = tuple(float(step) for step in range(10, 101, 10))


def curve(arm=0, shift=0.0, steps=STEPS, done=True):
    return Curve(arm, f"arm {arm}", tuple((step, 0.97 - 0.5 * np.exp(-step / 15) + shift) for step in steps), done)


def lines(svg, kind):
    found = re.findall(rf'<path class="(c\d) {kind}" d="M(.*?)"', svg)
    return [(colour, [tuple(map(float, place.split())) for place in d.rstrip("Z").split("L")]) for colour, d in found]


def history(**columns):
    return pd.DataFrame({"step": STEPS, "val/dice/mean": [0.9] * len(STEPS)} | columns)


def test_runs_with_a_history_have_a_curve_and_undefined_validations_are_left_out():
    dice = [0.5, np.nan, 0.7, np.inf, *[0.9] * 6]
    runs = [
        RunResult("a", 0, "done", history=history(**{"val/dice/mean": dice})),
        RunResult("b", 1, "failed", history=history()),
        RunResult("a", 2, "missing"),
        RunResult("other", 0, "done", history=history()),
        RunResult("b", 3, "done", history=history(**{"val/dice/mean": [np.nan] * 10})),
    ]
    first, second = curves_of(runs, ["a", "b"], ["A", "B"])
    assert [step for step, _ in first.points] == [10, 30, 50, 60, 70, 80, 90, 100]
    assert (first.arm, first.done, second.arm, second.done) == (0, True, 1, False)
    assert second.words == "B, seed 1, failed: 0.9000 at step 100"


def test_mean_of_seeds_lies_amid_them_and_the_spread_reaches_to_both():
    whole, late = learning_curve_svgs([curve(shift=0.01), curve(shift=-0.01)], "x")
    for svg, num in ((whole, 10), (late, 6)):
        ((_, mean),) = lines(svg, "thick")
        thin = [places for _, places in lines(svg, "thin")]
        ((_, spread),) = lines(svg, "spread")
        assert [len(places) for places in (mean, *thin)] == [num] * 3
        assert sorted(spread) == sorted(thin[0] + thin[1])
        for (x, y), (_, one), (_, other) in zip(mean, *thin, strict=True):
            assert min(one, other) < y < max(one, other)
            assert x == thin[0][[p[0] for p in thin[0]].index(x)][0]


def test_a_small_late_difference_is_seen():
    """0.002 in Dice, the smallest that the study speaks of: more than ten units of the drawing."""
    _, late = learning_curve_svgs([curve(), curve(1, 0.002)], "x")
    (_, one), (_, other) = lines(late, "thick")
    assert one[-1][1] - other[-1][1] > 10


def test_higher_is_higher_and_later_is_further():
    whole, _ = learning_curve_svgs([curve()], "x")
    ((colour, places),) = lines(whole, "thick")
    assert colour == "c0"
    xs, ys = zip(*places, strict=True)
    assert list(xs) == sorted(xs)
    assert list(ys) == sorted(ys, reverse=True)


def test_a_run_that_did_not_finish_is_dashed_and_counts_in_no_mean():
    early = curve(steps=STEPS[:3], done=False)
    whole, late = learning_curve_svgs([curve(), curve(shift=0.01), early], "x")
    assert len(lines(whole, "thin dashed")) == 1
    assert len(lines(whole, "thick")[0][1]) == len(STEPS)
    assert lines(late, "thin dashed") == []
    ((_, alone), _) = learning_curve_svgs([early], "x"), None
    assert alone.startswith("<svg")


def test_steps_far_apart_are_drawn_by_their_logarithm_each_with_its_own_half():
    long = curve(1, steps=tuple(10.0 * step for step in STEPS))
    whole, late = learning_curve_svgs([curve(), long], "x")
    (_, short), (_, other) = lines(whole, "thick")
    assert other[0][0] == pytest.approx(short[-1][0], abs=0.2)
    assert [len(places) for _, places in lines(late, "thick")] == [6, 6]


def test_everything_stays_within_the_drawing_whatever_the_dice():
    strange = Curve(0, "x", ((0.0, -3.0), (1.0, 1.0), (2.0, 7.0)))
    for svg in learning_curve_svgs([strange, Curve(1, "y", ((1.0, 1.0),))], "x"):
        width, height = map(float, re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups())
        for _, places in lines(svg, "thick"):
            assert all(0 <= x <= width and 0 <= y <= height for x, y in places)


def test_without_curves_nothing_is_drawn():
    assert learning_curve_svgs([], "x") == []
