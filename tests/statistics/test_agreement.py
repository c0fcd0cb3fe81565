"""Agreement against the published worked example and by law."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from hipjsw.statistics.agreement import agreement, compare
from hipjsw.statistics.bootstrap import Estimate, cluster_bootstrap
from hipjsw.statistics.follow_up import repeatability_coefficient, smallest_detectable_change
from hipjsw.statistics.reliability import concordance, icc2, icc3

# Peak expiratory flow of 17 people in l/min, first reading of each meter (Bland and Altman 1986, table 1).
LARGE = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]

values = st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=2, max_size=40)


def test_published_example_of_two_flow_meters():
    result = agreement(np.array(LARGE), np.array(MINI))
    assert result.num == 17
    assert result.bias_mm == pytest.approx(-2.1, abs=0.05)
    assert result.sd_mm == pytest.approx(38.8, abs=0.05)
    assert result.low_mm == pytest.approx(-78.1, abs=0.1)
    assert result.high_mm == pytest.approx(73.9, abs=0.1)
    # The paper takes 2 for 1.96, and works with what it has printed: -2.1 - 2 x 38.8 and -2.1 + 2 x 38.8.
    bias, sd = round(result.bias_mm, 1), round(result.sd_mm, 1)
    assert (round(bias - 2 * sd, 1), round(bias + 2 * sd, 1)) == (-79.7, 75.5)


@settings(max_examples=60, deadline=None)
@given(values, st.floats(-20, 20), st.floats(0.1, 10))
def test_laws_of_shift_scale_and_exchange(pairs, shift, scale):
    a, b = np.array(pairs).T
    plain, moved, scaled = agreement(a, b), agreement(a + shift, b), agreement(scale * a, scale * b)
    back, near = agreement(b, a), {"abs": 1e-9}
    assert moved.bias_mm == pytest.approx(plain.bias_mm + shift, **near)
    assert moved.sd_mm == pytest.approx(plain.sd_mm, abs=1e-6)
    for name in ("mae_mm", "bias_mm", "sd_mm", "low_mm", "high_mm"):
        assert getattr(scaled, name) == pytest.approx(scale * getattr(plain, name), abs=1e-6)
    assert (back.mae_mm, back.bias_mm) == (pytest.approx(plain.mae_mm), pytest.approx(-plain.bias_mm, **near))
    assert (back.low_mm, back.high_mm) == (
        pytest.approx(-plain.high_mm, abs=1e-6),
        pytest.approx(-plain.low_mm, abs=1e-6),
    )
    assert plain.mae_mm >= abs(plain.bias_mm) - 1e-12
    assert plain.high_mm - plain.low_mm == pytest.approx(3.92 * plain.sd_mm, abs=1e-9)


def test_about_nineteen_in_twenty_differences_lie_within_the_limits():
    rng = np.random.default_rng(11)
    reference = rng.uniform(1, 6, 20_000)
    difference = rng.normal(0.1, 0.3, 20_000)
    result = agreement(reference + difference, reference)
    within = ((difference >= result.low_mm) & (difference <= result.high_mm)).mean()
    assert within == pytest.approx(0.95, abs=0.01)


def test_too_few_pairs_are_undefined_and_not_zero():
    assert agreement(np.array([]), np.array([])) is None
    one = agreement(np.array([3.0]), np.array([2.5]))
    assert (one.num, one.mae_mm, one.bias_mm) == (1, 0.5, 0.5)
    assert one.sd_mm is one.low_mm is one.high_mm is None


@pytest.mark.parametrize(
    ("measured", "reference", "message"),
    [
        ([1.0, 2.0], [1.0], "pairs"),
        ([[1.0, 2.0]], [[1.0, 2.0]], "pairs"),
        (1.0, 2.0, "pairs"),
        ([1.0, np.nan], [1.0, 2.0], "finite"),
        ([1.0, 2.0], [np.inf, 2.0], "finite"),
    ],
)
def test_what_is_no_pair_is_refused(measured, reference, message):
    with pytest.raises(ValueError, match=message):
        agreement(np.array(measured), np.array(reference))


def cohort(seed=0, num=80, person_mm=0.1, hip_mm=0.1, bias_mm=0.05):
    """Measured and exact widths of two hips of each person, whose errors share a part."""
    rng = np.random.default_rng(seed)
    persons = np.repeat(np.arange(num), 2)
    exact = rng.normal(4, 0.7, num)[persons] + rng.normal(0, 0.3, 2 * num)
    error = bias_mm + rng.normal(0, person_mm, num)[persons] + rng.normal(0, hip_mm, 2 * num)
    return exact + error, exact, persons


def directly(measured, reference):
    """Every number of a comparison by its own function."""
    plain, both = agreement(measured, reference), np.stack([measured, reference], axis=1)
    distance = np.abs(measured - reference)
    return {
        "mae_mm": plain.mae_mm,
        "bias_mm": plain.bias_mm,
        "sd_mm": plain.sd_mm,
        "low_mm": plain.low_mm,
        "high_mm": plain.high_mm,
        "rmse_mm": float(np.sqrt((distance**2).mean())),
        "icc2": icc2(both).value,
        "icc3": icc3(both).value,
        "ccc": concordance(measured, reference).value,
        "repeatability_mm": repeatability_coefficient(both),
        "sdc_mm": smallest_detectable_change(both),
        "within_05": float((distance <= 0.5).mean()),
        "within_10": float((distance <= 1.0).mean()),
        "within_15": float((distance <= 1.5).mean()),
        "within_20": float((distance <= 2.0).mean()),
    }


def test_a_comparison_is_what_each_function_says_alone():
    measured, exact, persons = cohort(person_mm=0.6)
    found = compare(measured, exact, persons, draws=100)
    assert (found.num_compared, found.num_persons) == (160, 80)
    for name, value in directly(measured, exact).items():
        assert getattr(found, name).value == pytest.approx(value, abs=1e-12), name


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_a_comparisons_intervals_are_those_of_drawn_rows(method):
    measured, exact, persons = cohort(num=25, person_mm=0.8)
    found = compare(measured, exact, persons, draws=100, seed=2, method=method)
    for name in directly(measured, exact):
        rows = cluster_bootstrap(
            lambda c, name=name: directly(c["measured"], c["exact"])[name],
            {"measured": measured, "exact": exact}, persons, draws=100, seed=2, method=method,
        )  # fmt: skip
        estimate = getattr(found, name)
        if 0 < estimate.value < 1 or not name.startswith("within"):
            assert (estimate.interval.low, estimate.interval.high) == pytest.approx((rows.low, rows.high), abs=1e-9)


def test_published_flow_meters_interval_of_the_bias():
    found = compare(LARGE, MINI, range(17), draws=8000, method="percentile").bias_mm.interval
    # Bland and Altman 1986 print -22.0 to 17.8 l/min, by Student's t.
    assert (found.low, found.high) == (pytest.approx(-22.0, abs=1.5), pytest.approx(17.8, abs=1.5))


def test_a_comparisons_intervals_cover():
    sd = np.sqrt(0.125)
    truth = {
        "bias_mm": 0.05,
        "sd_mm": sd,
        "high_mm": 0.05 + 1.96 * sd,
        "rmse_mm": np.sqrt(0.1275),
        "mae_mm": stats.foldnorm.mean(0.05 / sd, scale=sd),
        "ccc": 2 * 0.58 / (2 * 0.58 + 0.1275),
        "icc3": 2 * 0.58 / (2 * 0.58 + 0.125),
        "within_05": stats.norm.cdf(0.45 / sd) - stats.norm.cdf(-0.55 / sd),
    }
    held = dict.fromkeys(truth, 0)
    for seed in range(250):
        found = compare(*cohort(seed, num=120, person_mm=0.25, hip_mm=0.25), draws=400, seed=seed)
        for name, value in truth.items():
            interval = getattr(found, name).interval
            held[name] += interval.low <= value <= interval.high
    assert {name: count / 250 for name, count in held.items()} == pytest.approx(dict.fromkeys(truth, 0.95), abs=0.05)


def test_hips_of_fewer_persons_say_less():
    measured, exact, persons = cohort(num=120, person_mm=0.3, hip_mm=0.02)
    clustered, alone = compare(measured, exact, persons), compare(measured, exact, np.arange(240))
    widths = [found.bias_mm.interval.high - found.bias_mm.interval.low for found in (clustered, alone)]
    assert widths[0] == pytest.approx(np.sqrt(2) * widths[1], rel=0.1)
    assert clustered.bias_mm.value == pytest.approx(alone.bias_mm.value)


def test_against_exact_truth_all_of_the_error_is_the_measurements():
    measured, exact, persons = cohort(bias_mm=0.4)
    known = compare(measured, exact, persons, draws=100, exact_reference=True)
    unknown = compare(measured, exact, persons, draws=100)
    rng = np.random.default_rng(0)
    again = exact + 0.4 + rng.normal(0, known.sd_mm.value, len(exact))  # another measurement erring as much
    assert known.sdc_mm.value == known.repeatability_mm.value == pytest.approx(1.96 * np.sqrt(2) * known.sd_mm.value)
    assert known.sdc_mm.value == pytest.approx(smallest_detectable_change(np.stack([measured, again], 1)), rel=0.1)
    assert unknown.sdc_mm.value == pytest.approx(1.96 * known.sd_mm.value)
    assert unknown.repeatability_mm.value == pytest.approx(1.96 * known.rmse_mm.value)


def test_a_difference_of_just_the_reach_is_within_it():
    measured, exact = np.array([2.5, 2.2, 4.4, 1.3]), np.array([2.0, 1.2, 2.9, 3.3])
    found = compare(measured, exact, [1, 2, 3, 4], draws=100)
    shares = [getattr(found, f"within_{reach}").value for reach in ("05", "10", "15", "20")]
    assert shares == [0.25, 0.5, 0.75, 1.0]
    assert found.within_20.interval.low == pytest.approx(0.025**0.25)


def test_flat_names_keep_the_limits_of_agreement_apart_from_intervals():
    measured, exact, persons = cohort()
    found, plain = compare(measured, exact, persons, draws=100), agreement(measured, exact)
    numbers = found.flat()
    for name in ("mae_mm", "bias_mm", "sd_mm", "low_mm", "high_mm"):
        assert numbers[name] == pytest.approx(getattr(plain, name))
    assert numbers["mae_ci_low_mm"] == found.mae_mm.interval.low
    assert numbers["low_ci_high_mm"] == found.low_mm.interval.high
    assert numbers["icc2_ci_low"] < numbers["icc2"] < numbers["icc2_ci_high"]
    assert all(isinstance(value, int | float) and np.isfinite(value) for value in numbers.values())
    assert len(numbers) == 2 + 3 * 15


def test_what_a_comparison_cannot_say_is_left_out():
    assert compare([], [], []) is None
    one = compare([3.0], [2.5], ["a"])
    assert one.mae_mm == Estimate(0.5, None)
    assert one.sd_mm is one.icc2 is one.ccc is one.sdc_mm is None
    assert set(one.flat()) == {
        "num_compared", "num_persons", "mae_mm", "bias_mm", "rmse_mm", "repeatability_mm",
        "within_05", "within_10", "within_15", "within_20",
    }  # fmt: skip
    same = compare([0.1] * 6, [0.1] * 6, range(6))
    assert same.mae_mm.value == same.sd_mm.value == 0
    assert same.icc2 is same.icc3 is same.ccc is None
    perfect = compare([1.1, 2.7, 3.3, 4.9], [1.1, 2.7, 3.3, 4.9], range(4))
    assert perfect.icc2.value == perfect.icc3.value == perfect.ccc.value == 1


def test_a_hip_without_a_person_is_refused():
    with pytest.raises(ValueError, match="person"):
        compare([1.0, 2.0], [1.0, 2.0], ["a", None])
    with pytest.raises(ValueError, match="one cluster a row"):
        compare([1.0, 2.0], [1.0, 2.0], ["a"])


@pytest.mark.parametrize("num_persons", [1, 2, 3, 4])
def test_few_persons_have_plain_intervals_or_none_and_no_error(num_persons):
    rng = np.random.default_rng(num_persons)
    measured, reference = rng.normal(3, 1, 12), rng.normal(3, 1, 12)
    found = compare(measured, reference, [f"p{n % num_persons}" for n in range(12)]).flat()
    assert found["mae_mm"] == pytest.approx(np.abs(measured - reference).mean())
    if num_persons > 1:
        assert found["mae_ci_low_mm"] <= found["mae_mm"] <= found["mae_ci_high_mm"]
