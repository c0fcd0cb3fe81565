"""Coverage of intervals: counts by hand, nominal coverage, clustering."""

import numpy as np
import pytest

from hipjsw.statistics.coverage import interval_coverage


def test_counted_by_hand():
    found = interval_coverage([0, 0, 0, 2, 0, 0], [1, 1, 1, 3, 1, 4], [0, 1, 1.2, 1.9, 0.5, -9], list("aabccc"))
    assert (found.num_intervals, found.num_persons) == (6, 3)
    assert found.coverage.value == pytest.approx(3 / 6)
    assert found.reference_above.value == pytest.approx(1 / 6)
    assert found.reference_below.value == pytest.approx(2 / 6)
    assert found.width_mm.value == pytest.approx(1.5)


def test_honest_intervals_hold_as_they_say_and_narrow_ones_less():
    rng = np.random.default_rng(0)
    persons = np.repeat(np.arange(300), 4)
    reference = rng.normal(4, 0.7, 1200)
    sd = rng.uniform(0.05, 0.2, 1200)
    measured = reference + rng.normal(0, sd)
    honest = interval_coverage(measured - 1.96 * sd, measured + 1.96 * sd, reference, persons)
    narrow = interval_coverage(measured - sd, measured + sd, reference, persons)
    assert honest.coverage.interval.low < 0.95 < honest.coverage.interval.high
    assert honest.coverage.interval.high - honest.coverage.interval.low < 0.05
    assert narrow.coverage.value == pytest.approx(0.683, abs=0.04)
    assert narrow.coverage.interval.high < 0.95
    assert honest.width_mm.value == pytest.approx(3.92 * sd.mean())


def test_hips_that_err_alike_say_less():
    rng = np.random.default_rng(1)
    persons = np.repeat(np.arange(100), 4)
    error = rng.normal(0, 1, 100)[persons]
    clustered, alone = (
        interval_coverage(error - 1, error + 1, np.zeros(400), clusters).coverage.interval
        for clusters in (persons, np.arange(400))
    )
    assert clustered.high - clustered.low > 1.6 * (alone.high - alone.low)


def test_its_own_interval_covers():
    held = 0
    for seed in range(250):
        rng = np.random.default_rng(seed)
        persons = np.repeat(np.arange(80), 3)
        error = rng.normal(0, 0.8, 80)[persons] + rng.normal(0, 0.6, 240)  # SD 1
        interval = interval_coverage(
            error - 1, error + 1, np.zeros(240), persons, draws=400, seed=seed
        ).coverage.interval
        held += interval.low <= 0.6827 <= interval.high
    assert held / 250 == pytest.approx(0.95, abs=0.04)


def test_all_held_is_not_certainty():
    found = interval_coverage(np.zeros(20), np.ones(20), np.full(20, 0.5), np.repeat(np.arange(10), 2))
    assert found.coverage.value == 1
    assert found.coverage.interval.low == pytest.approx(0.025**0.1)
    assert found.reference_below.interval.high == pytest.approx(1 - 0.025**0.1)


def test_no_interval_is_undefined():
    assert interval_coverage([], [], [], []) is None
    assert interval_coverage([0.0], [1.0], [0.5], ["a"]).coverage.interval is None


@pytest.mark.parametrize(
    ("low", "high", "reference", "message"),
    [
        ([0, 0], [1, 1], [0], "one length"),
        ([[0]], [[1]], [[0]], "one length"),
        ([0, np.nan], [1, 1], [0, 0], "finite"),
        ([0, 2], [1, 1], [0, 0], "1 intervals"),
    ],
)
def test_bad_input_is_refused(low, high, reference, message):
    with pytest.raises(ValueError, match=message):
        interval_coverage(low, high, reference, range(len(low)))
