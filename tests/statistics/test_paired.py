"""Differences of two ways of training: by law, against SciPy where the design is plain, and by simulated coverage."""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from hipjsw.statistics.bootstrap import Estimate, bootstrap_sums, drawn_means
from hipjsw.statistics.paired import (
    Difference,
    holm,
    paired_difference,
    run_level_difference,
    run_level_mean,
    run_mean,
)


def design(seed, runs=3, num=60, run_sd=0.3, person_sd=1.0, arm_sd=0.8, rest_sd=1.0, most=4):
    """Two arms of crossed runs and hips with no difference in the mean, and the persons.

    ``person_sd`` is of a person in all runs, ``arm_sd`` of a person in all runs of one arm: what of persons is left in
    a difference.
    """
    rng = np.random.default_rng(seed)
    persons = np.repeat(np.arange(num), rng.integers(1, most + 1, num))
    person = rng.normal(0, person_sd, num)[persons]
    arms = []
    for count in np.broadcast_to(runs, 2):
        own = person + rng.normal(0, arm_sd, num)[persons]
        arms.append(own + rng.normal(0, run_sd, (count, 1)) + rng.normal(0, rest_sd, (count, len(persons))))
    return *arms, persons


def ends(found):
    return found.interval.low, found.interval.high


def holds_zero(found):
    return found.interval.low <= 0 <= found.interval.high


@pytest.mark.parametrize("runs", [3, (3, 2)])
def test_it_covers_persons_and_seeds(runs):
    found = [paired_difference(*design(seed, runs), draws=300, seed=seed) for seed in range(5000, 5800)]
    assert 0.92 <= np.mean([holds_zero(one) for one in found]) <= 0.98
    assert 0.02 <= np.mean([one.p < 0.05 for one in found]) <= 0.08
    assert np.mean([one.value for one in found]) == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize(("runs", "said"), [((1, 3), 0.92), ((1, 2), 0.87)])
def test_a_lone_run_is_covered_less_well_as_is_said(runs, said):
    found = [paired_difference(*design(seed, runs), draws=200, seed=seed) for seed in range(5000, 5600)]
    assert np.mean([holds_zero(one) for one in found]) == pytest.approx(said, abs=0.03)


def test_the_mean_covers_persons_and_seeds():
    held = [holds_zero(run_mean(*design(seed)[::2], draws=400, seed=seed)) for seed in range(400)]
    assert 0.92 <= np.mean(held) <= 0.98


def test_without_seeds_one_run_a_side_covers_persons_and_p_is_uniform():
    found = [paired_difference(*design(seed, 1, run_sd=0), draws=400, seed=seed) for seed in range(400)]
    assert 0.92 <= np.mean([holds_zero(one) for one in found]) <= 0.98
    chances = [one.p for one in found]
    assert 0.02 <= np.mean([p < 0.05 for p in chances]) <= 0.08
    assert stats.kstest(chances, "uniform").pvalue > 0.01


def test_one_run_a_side_says_nothing_of_seeds():
    held = [holds_zero(paired_difference(*design(seed, 1), draws=200, seed=seed)) for seed in range(200)]
    assert np.mean(held) < 0.85


def test_the_rest_counts_twice_at_most():
    """Where there is nothing else, the interval is 1.41 times too wide; where runs differ, hardly."""
    widths = {}
    for run_sd in (0.0, 0.5):
        true_se = np.sqrt(2 * (run_sd**2 / 20 + 1 / 20 / 300))
        se = []
        for seed in range(20):
            found = paired_difference(*design(seed, 20, 300, run_sd, 1.0, 0.0, 1.0, most=1), draws=400)
            se.append(np.diff(ends(found))[0] / 2 / 1.97)
        widths[run_sd] = np.sqrt(np.mean(np.square(se))) / true_se
    assert widths[0.0] == pytest.approx(np.sqrt(2), rel=0.06)
    assert widths[0.5] == pytest.approx(1.0, rel=0.12)


@pytest.mark.parametrize("runs", [3, 1])
def test_the_order_of_the_arms_turns_the_sign_and_nothing_else(runs):
    first, second, persons = design(3, runs)
    one, other = paired_difference(first + 0.4, second, persons), paired_difference(second, first + 0.4, persons)
    assert other.value == pytest.approx(-one.value)
    assert ends(other) == pytest.approx((-one.interval.high, -one.interval.low))
    assert other.p == pytest.approx(one.p)
    assert 0 < one.p < 0.9


@pytest.mark.parametrize("runs", [3, 1])
def test_order_of_runs_and_hips_shift_and_scale_change_nothing(runs):
    first, second, persons = design(4, runs)
    first[0, :5] = np.nan
    plain = paired_difference(first, second, persons)
    order = np.random.default_rng(0).permutation(len(persons))
    again = paired_difference(first[::-1][:, order], second[::-1][:, order], persons[order])
    shifted = paired_difference(first + 7, second + 7, persons)
    scaled = paired_difference(1000 * first, 1000 * second, persons)
    hips = np.random.default_rng(1).normal(0, 9, len(persons))  # some hips are hard for every run
    harder = paired_difference(first + hips, second + hips, persons)
    for other, scale in ((again, 1), (shifted, 1), (scaled, 1000), (harder, 1)):
        assert other.value == pytest.approx(scale * plain.value)
        assert ends(other) == pytest.approx(np.multiply(scale, ends(plain)))
        assert other.p == pytest.approx(plain.p)


def test_hips_of_one_run_each_with_equal_runs_are_the_paired_t_test():
    first, second, persons = design(5, 1, 120, most=1)
    first = first + 0.3
    theirs = stats.ttest_rel(first[0], second[0])
    one_run = paired_difference(first, second, persons, draws=20000)
    no_seeds = paired_difference(np.repeat(first, 3, 0), np.repeat(second, 3, 0), persons, draws=20000)
    for ours in (one_run, no_seeds):
        low, high = theirs.confidence_interval()
        assert ours.value == pytest.approx(first.mean() - second.mean())
        assert ends(ours) == pytest.approx((low, high), abs=0.03 * (high - low))
        assert ours.p == pytest.approx(theirs.pvalue, rel=0.2)
    assert 0.001 < theirs.pvalue < 0.5


def test_with_hips_all_alike_only_runs_vary_and_it_is_welchs_test():
    rng = np.random.default_rng(6)
    first, second = rng.normal(0.5, 1, 4), rng.normal(0, 2, 6)
    theirs = stats.ttest_ind(first, second, equal_var=False)
    hips = np.zeros((1, 50))
    paired = paired_difference(first[:, None] + hips, second[:, None] + hips, np.arange(50))
    whole = run_level_difference(first, second)
    for ours in (paired, whole):
        assert ours.value == pytest.approx(first.mean() - second.mean())
        assert ends(ours) == pytest.approx(tuple(theirs.confidence_interval()))
        assert ours.p == pytest.approx(theirs.pvalue)
        assert ours.num_runs == (4, 6)
    assert (paired.num_units, paired.num_clusters) == (50, 50)
    assert (whole.num_units, whole.num_clusters) == (0, 0)


def test_a_lone_run_varies_as_the_others_do():
    rng = np.random.default_rng(7)
    many, one = rng.normal(0, 1, 6), rng.normal(0, 1, 1)
    theirs = stats.ttest_ind(one, many)  # pooled: all variance is the many's
    ours = run_level_difference(one, many)
    assert ours.p == pytest.approx(theirs.pvalue)
    assert ends(ours) == pytest.approx(tuple(theirs.confidence_interval()))
    hips = np.zeros((1, 50))
    assert paired_difference(one[:, None] + hips, many[:, None] + hips, np.arange(50)).p == pytest.approx(ours.p)


def test_means_of_whole_runs_are_students():
    values = np.array([0.91, 0.93, np.nan, 0.92])
    known = values[~np.isnan(values)]
    ours = run_level_mean(values)
    assert ours.value == pytest.approx(known.mean())
    assert ends(ours) == pytest.approx(stats.t.interval(0.95, 2, known.mean(), stats.sem(known)))
    assert run_level_mean([0.9, np.nan]) == Estimate(0.9, None)
    assert run_level_mean([0.9, 0.9]) == Estimate(0.9, None)
    assert run_level_mean([np.nan]) is None
    assert run_level_difference([0.9], [0.8]).interval is None
    assert run_level_difference([0.9], [0.8]).p is None
    assert run_level_difference([0.9], [0.9]).p is None  # nothing is known of variation
    assert run_level_difference([0.9, 0.9], [0.9, 0.9]) == Difference(0.0, None, 1.0, 0, 0, (2, 2))
    assert run_level_difference([0.9, 0.9], [0.8, 0.8]).p is None
    assert run_level_difference([np.nan], [0.8]) is None


@pytest.mark.parametrize("runs", [1, 3])
def test_an_arm_does_not_differ_from_itself(runs):
    first, _, persons = design(8, runs)
    found = paired_difference(first, first.copy(), persons)
    assert found.value == 0
    assert found.p == 1
    assert holds_zero(found)


@pytest.mark.parametrize("runs", [1, 3])
def test_what_never_varies_is_bounded_by_persons_and_draws(runs):
    ones = np.ones((runs, 6))
    found = paired_difference(ones, 0.1 * ones, np.arange(6))
    assert ends(found) == pytest.approx((0.9, 0.9))
    assert 0 < found.p < 0.05
    two = paired_difference(ones[:, :2], 0.1 * ones[:, :2], [1, 2])
    assert two.p > 0.05  # two persons show nothing
    assert paired_difference(ones, ones, np.arange(6)).p == 1


def test_p_and_interval_say_the_same():
    judged = 0
    for seed in range(60):
        first, second, persons = design(seed, 1 + seed % 2, 20)
        found = paired_difference(first + 0.6, second, persons, draws=1000)
        if abs(found.p - 0.05) > 0.005:
            assert (found.p < 0.05) == (not holds_zero(found))
            judged += found.p < 0.05
    assert 5 < judged < 55


def test_undefined_hips_are_left_out_and_counted():
    first, second, persons = design(9, 3, 20)
    first[:, persons == 0] = np.nan  # a person whose hips no run of the arm measures
    first[1, persons == 1] = np.nan  # a person whose hips two runs measure
    second[2] = np.nan  # a run that measures nothing
    found = paired_difference(first, second, persons)
    kept = persons != 0
    by_hand = np.nanmean(first[:, kept], axis=0) - second[:2, kept].mean(axis=0)
    assert found.value == pytest.approx(by_hand.mean())
    assert (found.num_units, found.num_clusters, found.num_runs) == (kept.sum(), 19, (3, 2))
    assert found == paired_difference(first[:, kept], second[:2, kept], persons[kept])
    assert run_mean(first, persons).value == pytest.approx(np.nanmean(first[:, kept], axis=0).mean())


def test_which_hips_a_run_missed_is_not_taken_for_its_seed():
    """Hips are hard or easy and one run misses the hard ones; runs are alike on the hips they have."""
    hips = np.linspace(0, 10, 40)
    table = np.tile(hips, (3, 1))
    table[1, 25:] = np.nan
    complete = run_mean(np.tile(hips, (3, 1)), np.arange(40))
    assert ends(run_mean(table, np.arange(40))) == pytest.approx(ends(complete))
    shift = np.array([[0.0], [1.0], [3.0]])
    found = paired_difference(table + shift, np.tile(hips, (3, 1)) + shift, np.arange(40))
    whole = paired_difference(np.tile(hips, (3, 1)) + shift, np.tile(hips, (3, 1)) + shift, np.arange(40))
    assert np.diff(ends(found)) == pytest.approx(np.diff(ends(whole)), rel=0.05)


def test_too_little_is_none():
    assert paired_difference(np.ones((2, 3)), np.zeros((2, 3)), [1, 1, 1]) is None
    assert paired_difference([[1, np.nan]], [[np.nan, 1]], [1, 2]) is None
    assert paired_difference(np.zeros((0, 2)), np.zeros((1, 2)), [1, 2]) is None
    assert run_mean([[1.0, 2.0]], [1, 1]) == Estimate(1.5, None)
    assert run_mean([[np.nan, np.nan]], [1, 2]) is None


@pytest.mark.parametrize(
    ("first", "second", "clusters", "options", "message"),
    [
        (np.zeros(3), np.zeros(3), [1, 2, 3], {}, "values \\(runs, hips\\)"),
        (np.zeros((2, 3)), np.zeros((2, 4)), [1, 2, 3], {}, "a person a hip"),
        (np.zeros((2, 3)), np.zeros((2, 3)), [1, 2], {}, "a person a hip"),
        (np.full((1, 3), np.inf), np.zeros((2, 3)), [1, 2, 3], {}, "undefined is NaN"),
        (np.zeros((1, 3)), np.zeros((2, 3)), [1.0, 2.0, np.nan], {}, "without a cluster"),
        (np.zeros((1, 3)), np.zeros((2, 3)), [1, 2, 3], {"draws": 5}, "at least 100"),
    ],
)
def test_bad_input_is_refused(first, second, clusters, options, message):
    with pytest.raises(ValueError, match=message):
        paired_difference(first, second, clusters, **options)


@pytest.mark.parametrize("values", [[[1.0]], [np.inf]])
def test_whole_runs_have_one_finite_number_each(values):
    with pytest.raises(ValueError, match="one finite number a run"):
        run_level_mean(values)


def test_drawn_means_are_the_bootstraps():
    x, _, persons = design(10, 1, 30)
    drawn = drawn_means(x[0], persons, draws=600, seed=4)
    found = bootstrap_sums(lambda s: {"m": s["x"] / s["num"]}, {"x": x[0]}, persons, draws=600, seed=4)["m"]
    assert drawn.shape == (600,)
    reach = np.sqrt(30 / 29) * stats.t.isf(0.025, 29)
    assert ends(found) == pytest.approx(tuple(np.quantile(drawn, stats.norm.cdf([-reach, reach]))))
    assert drawn_means(x[0], np.zeros(len(persons))) is None


def test_holm_is_the_closure_of_bonferroni():
    """Oracle: a comparison's p is the largest Bonferroni p of any set of comparisons that it is in."""
    rng = np.random.default_rng(11)
    for size in (1, 2, 5):
        p = (rng.uniform(size=size) ** 3).tolist()
        sets = [chosen for count in range(1, size + 1) for chosen in combinations(range(size), count)]
        by_closure = [
            max(min(len(chosen) * min(p[i] for i in chosen), 1.0) for chosen in sets if place in chosen)
            for place in range(size)
        ]
        assert holm(p) == pytest.approx(by_closure)


def test_holm_leaves_out_what_has_no_p():
    assert holm([0.01, None, 0.04, 0.03, 0.005]) == [pytest.approx(0.03), None, *map(pytest.approx, (0.06, 0.06, 0.02))]
    assert holm([None]) == [None]
    assert holm([]) == []
    assert holm([0.6, 0.6]) == [1.0, 1.0]
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="comparison 1 has p="):
            holm([0.5, wrong])
