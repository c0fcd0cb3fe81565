"""Repeatability, smallest detectable change and response: published readings, identities, simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from hipjsw.statistics.follow_up import follow_up, repeatability_coefficient, smallest_detectable_change
from hipjsw.statistics.reliability import icc2, icc3, mean_squares

# Peak expiratory flow of 17 people in l/min, both readings of each meter (Bland and Altman 1986, table 1).
LARGE = np.array([
    [494, 490], [395, 397], [516, 512], [434, 401], [476, 470], [557, 611], [413, 415], [442, 431], [650, 638],
    [433, 429], [417, 420], [656, 633], [267, 275], [478, 492], [178, 165], [423, 372], [427, 421],
])  # fmt: skip
MINI = np.array([
    [512, 525], [430, 415], [520, 508], [428, 444], [500, 500], [600, 625], [364, 460], [380, 390], [658, 642],
    [445, 432], [432, 420], [626, 605], [260, 227], [477, 467], [259, 268], [350, 370], [451, 443],
])  # fmt: skip

readings = arrays(np.float64, st.tuples(st.integers(2, 12), st.integers(2, 4)), elements=st.integers(0, 80).map(float))


@pytest.mark.parametrize(("meter", "printed_sd", "printed"), [(LARGE, 21.6, 43.2), (MINI, 28.2, 56.4)])
def test_published_repeatability_of_two_flow_meters(meter, printed_sd, printed):
    coefficient = repeatability_coefficient(meter)
    assert round(coefficient / 1.96, 1) == printed_sd
    assert round(2 * printed_sd, 1) == printed  # the paper takes 2 for 1.96 and doubles the rounded SD
    assert coefficient * 2 / 1.96 == pytest.approx(printed, abs=0.1)


@settings(max_examples=60, deadline=None)
@given(readings, st.floats(-20, 20), st.floats(0.1, 10))
def test_laws_of_the_smallest_detectable_change(values, shift, scale):
    consistency = smallest_detectable_change(values)
    agreement = smallest_detectable_change(values, "agreement")
    assert agreement >= consistency - 1e-9
    assert smallest_detectable_change(scale * values + shift) == pytest.approx(scale * consistency, abs=1e-6)
    moved = values.copy()
    moved[:, 0] += shift
    assert smallest_detectable_change(moved) == pytest.approx(consistency, abs=1e-6)
    if values.shape[1] == 2:
        difference = values[:, 0] - values[:, 1]
        assert consistency == pytest.approx(1.96 * difference.std(ddof=1), abs=1e-6)
        assert repeatability_coefficient(values) == pytest.approx(1.96 * np.sqrt((difference**2).mean()), abs=1e-6)


def test_both_definitions_are_sd_times_root_of_one_less_icc():
    rng = np.random.default_rng(2)
    values = rng.normal(4, 0.7, (50, 1)) + np.array([0.0, 0.3, -0.2]) + rng.normal(0, 0.2, (50, 3))
    squares = mean_squares(values)
    person, reader = (squares.targets - squares.residual) / 3, (squares.raters - squares.residual) / 50
    for kind, icc, total in (
        ("agreement", icc2(values).value, person + reader + squares.residual),
        ("consistency", icc3(values).value, person + squares.residual),
    ):
        sem = np.sqrt(total * (1 - icc))
        assert smallest_detectable_change(values, kind) == pytest.approx(1.96 * np.sqrt(2) * sem)


def test_one_unchanged_hip_in_twenty_passes_the_smallest_detectable_change():
    rng = np.random.default_rng(8)
    exact = rng.normal(4, 0.7, (4000, 1))
    limit = smallest_detectable_change(exact + rng.normal(0, 0.15, (4000, 2)))
    change = np.diff(exact + rng.normal(0, 0.15, (4000, 2)))[:, 0]
    assert (np.abs(change) > limit).mean() == pytest.approx(0.05, abs=0.012)


def test_response_is_the_t_statistic_over_root_n():
    change = np.random.default_rng(1).normal(-0.2, 0.4, 90)
    found = follow_up(change, np.arange(90))
    assert found.srm.value == pytest.approx(stats.ttest_1samp(change, 0).statistic / np.sqrt(90))
    assert found.mean_mm.value == pytest.approx(change.mean())
    assert found.sd_mm.value == pytest.approx(change.std(ddof=1))
    assert found.detected is None
    assert "detected" not in found.flat()
    assert found.flat()["mean_ci_low_mm"] < change.mean() < found.flat()["mean_ci_high_mm"]


def test_the_responses_interval_covers_clustered_change():
    held = 0
    for seed in range(250):
        rng = np.random.default_rng(seed)
        persons = np.repeat(np.arange(100), 2)
        change = rng.normal(-0.2, 0.3, 100)[persons] + rng.normal(0, 0.2, 200)
        interval = follow_up(change, persons, draws=400, seed=seed).srm.interval
        held += interval.low <= -0.2 / np.sqrt(0.13) <= interval.high
    assert held / 250 == pytest.approx(0.95, abs=0.04)


def test_detected_change_is_counted():
    found = follow_up([-0.7, -0.1, 0.0, 0.6], ["a", "a", "b", "c"], sdc_mm=0.5)
    assert (found.num_changes, found.num_persons, found.detected.value) == (4, 3, 0.5)
    none = follow_up([-0.1, 0.1, 0.0], ["a", "b", "c"], sdc_mm=0.5)
    assert none.detected.value == 0
    assert none.detected.interval.high == pytest.approx(1 - 0.025 ** (1 / 3))


def test_what_cannot_be_said_is_none():
    assert follow_up([], []) is None
    assert repeatability_coefficient(np.empty((0, 2))) is None
    assert smallest_detectable_change(np.array([[1.0, 2.0]])) is None
    one = follow_up([-0.2], ["a"])
    assert one.mean_mm.value == -0.2
    assert one.sd_mm is one.srm is None
    same = follow_up([-0.1] * 7, range(7))
    assert same.sd_mm.value == pytest.approx(0)
    assert same.srm is None


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="finite"):
        follow_up([0.1, np.nan], [1, 2])
    with pytest.raises(ValueError, match="ratings"):
        repeatability_coefficient(np.zeros((4, 1)))
    with pytest.raises(ValueError, match="'consistency' or 'agreement'"):
        smallest_detectable_change(LARGE, "both")
