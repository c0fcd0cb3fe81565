"""Clustered bootstrap: against SciPy where clusters are single rows, by law, and by simulated coverage."""

import tracemalloc

import numpy as np
import pytest
from scipy import stats

from hipjsw.statistics.bootstrap import (
    Estimate,
    Interval,
    bootstrap_sums,
    cluster_bootstrap,
    drawn_means,
    flat_numbers,
    share_estimate,
)
from hipjsw.statistics.coverage import interval_coverage

METHODS = ["percentile", "bca"]


def mean(columns):
    return float(columns["x"].mean())


def mean_of_sums(sums):
    return {"mean": sums["x"] / sums["num"]}


def hips(seed=0, num=40, most=4, between=1.0, within=0.5):
    rng = np.random.default_rng(seed)
    persons = np.repeat(np.arange(num), rng.integers(1, most + 1, num))
    return rng.normal(0, between, num)[persons] + rng.normal(0, within, len(persons)), persons


def ends(interval):
    return interval.low, interval.high


@pytest.mark.parametrize("method", METHODS)
def test_single_rows_are_scipys_bootstrap(method):
    x = np.random.default_rng(1).exponential(2, 60)
    ours = cluster_bootstrap(mean, {"x": x}, np.arange(60), draws=6000, method=method)
    level = 2 * stats.norm.cdf(np.sqrt(60 / 59) * stats.t.isf(0.025, 59)) - 1  # SciPy has no tails of Student's t
    theirs = stats.bootstrap(
        (x,), np.mean, n_resamples=6000, confidence_level=level, method=method, rng=np.random.default_rng(2)
    ).confidence_interval
    width = theirs.high - theirs.low
    assert ends(ours) == (pytest.approx(theirs.low, abs=0.03 * width), pytest.approx(theirs.high, abs=0.03 * width))


def test_bca_moves_with_skewness():
    x = np.random.default_rng(1).exponential(2, 60)
    plain, bca = (cluster_bootstrap(mean, {"x": x}, np.arange(60), method=method) for method in METHODS)
    assert bca.low > plain.low
    assert bca.high > plain.high


def test_the_mean_of_many_persons_has_the_textbook_interval():
    x = np.random.default_rng(4).normal(0, 1, 400)
    interval = cluster_bootstrap(mean, {"x": x}, np.arange(400), draws=5000)
    reach = stats.t.isf(0.025, 399) * x.std(ddof=1) / 20
    assert ends(interval) == (pytest.approx(x.mean() - reach, abs=0.01), pytest.approx(x.mean() + reach, abs=0.01))


@pytest.mark.parametrize("method", METHODS)
def test_sums_and_rows_see_the_same_draws(method):
    x, persons = hips()
    rows = cluster_bootstrap(mean, {"x": x}, persons, draws=700, seed=3, method=method)
    sums = bootstrap_sums(mean_of_sums, {"x": x}, persons, draws=700, seed=3, method=method)["mean"]
    assert sums.value == pytest.approx(x.mean())
    assert ends(sums.interval) == pytest.approx(ends(rows), abs=1e-12)
    assert rows.low < x.mean() < rows.high


@pytest.mark.parametrize(("num", "draws"), [(40, 700), (900, 700), (20_000, 117)])
def test_draws_in_blocks_are_those_drawn_at_once(num, draws):
    rng = np.random.default_rng(0)
    seen, columns = [], {"x": rng.uniform(1, 2, num), "whole": rng.integers(9, size=num)}

    def keep(sums):
        seen.append(sums)
        return {"mean": sums["x"] / sums["num"]}

    found = bootstrap_sums(keep, columns, np.arange(num), draws=draws, seed=7)["mean"]
    picks = np.random.default_rng(7).integers(num, size=(draws, num))
    assert np.array_equal(
        seen[1]["whole"], columns["whole"][picks].sum(axis=1)
    )  # to the bit: one other draw would show
    assert seen[1]["x"] == pytest.approx(columns["x"][picks].sum(axis=1), rel=1e-12)
    means = columns["x"][picks].mean(axis=1)
    assert drawn_means(columns["x"], np.arange(num), draws=draws, seed=7) == pytest.approx(means, rel=1e-12)
    tails = stats.norm.cdf(np.sqrt(num / (num - 1)) * stats.t.isf([0.975, 0.025], num - 1))
    assert ends(found.interval) == pytest.approx(tuple(np.quantile(means, tails)), rel=1e-12)


def test_many_persons_hold_little_memory():
    def peak(num):
        x = np.random.default_rng(0).uniform(1, 2, num)
        tracemalloc.start()
        bootstrap_sums(mean_of_sums, {"x": x}, np.arange(num), draws=250, method="bca")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(100)
    assert peak(40_000) - peak(20_000) < 20_000 * 400  # bytes a person; 250 draws of a person at once are 8000


def test_the_seed_is_all_that_decides():
    x, persons = hips()
    first = cluster_bootstrap(mean, {"x": x}, persons, draws=300, seed=5)
    assert cluster_bootstrap(mean, {"x": x}, persons, draws=300, seed=5) == first
    assert cluster_bootstrap(mean, {"x": x}, persons, draws=300, seed=6) != first
    order = np.random.default_rng(0).permutation(len(x))
    again = cluster_bootstrap(mean, {"x": x[order]}, persons[order], draws=300, seed=5)
    assert ends(again) == pytest.approx(ends(first), abs=1e-12)
    named = cluster_bootstrap(mean, {"x": x}, np.array([f"p{i:03d}" for i in persons]), draws=300, seed=5)
    assert named == first


def test_repeating_a_persons_hips_adds_no_knowledge():
    x, persons = hips()
    once = cluster_bootstrap(mean, {"x": x}, persons)
    often, of_whom = np.repeat(x, 9), np.repeat(persons, 9)
    clustered = cluster_bootstrap(mean, {"x": often}, of_whom)
    alone = cluster_bootstrap(mean, {"x": often}, np.arange(len(often)))
    assert ends(clustered) == pytest.approx(ends(once), abs=1e-12)
    assert alone.high - alone.low < 0.4 * (once.high - once.low)


def test_whole_persons_are_drawn():
    seen = []
    persons = np.array([3, 3, 3, 8, 8, 5])
    cluster_bootstrap(lambda c: seen.append(c["p"]) or 0.0, {"p": persons}, persons, draws=100)
    for drawn in seen:
        counts = {p: int((drawn == p).sum()) for p in (3, 5, 8)}
        assert counts[3] % 3 == counts[8] % 2 == 0
        assert counts[3] // 3 + counts[8] // 2 + counts[5] == 3
    assert len({tuple(sorted(drawn)) for drawn in seen}) > 5


@pytest.mark.parametrize("method", METHODS)
def test_it_covers_clustered_hips_and_rows_alone_do_not(method):
    held = np.zeros(2)
    for seed in range(500):
        x, persons = hips(seed, between=1.0, within=0.3)
        for i, clusters in enumerate((persons, np.arange(len(x)))):
            found = bootstrap_sums(mean_of_sums, {"x": x}, clusters, draws=400, seed=seed, method=method)["mean"]
            held[i] += found.interval.low <= 0 <= found.interval.high
    assert held[0] / 500 == pytest.approx(0.95, abs=0.025)
    assert held[1] / 500 < 0.86


def test_a_wider_level_is_a_wider_interval():
    x, persons = hips()
    widths = [np.ptp(ends(cluster_bootstrap(mean, {"x": x}, persons, level=level))) for level in (0.5, 0.9, 0.99)]
    assert widths == sorted(widths)
    assert widths[0] < widths[2] / 2


def test_few_undefined_draws_are_left_out_and_many_undo_the_interval():
    x, persons = hips(num=12)
    table, repeats = {"x": x, "p": persons}, (persons == 0).sum()

    def unless_often(columns):  # the first person four times or more: about one draw in fifty
        return mean(columns) if (columns["p"] == 0).sum() < 4 * repeats else None

    def only_with(columns):  # the first person at all: two draws in three
        return mean(columns) if (columns["p"] == 0).any() else None

    assert cluster_bootstrap(unless_often, table, persons) != cluster_bootstrap(mean, table, persons)
    assert cluster_bootstrap(unless_often, table, persons).low < x.mean()
    assert cluster_bootstrap(only_with, table, persons) is None


def test_one_person_has_an_estimate_and_no_interval():
    assert cluster_bootstrap(mean, {"x": np.arange(3.0)}, [1, 1, 1]) is None
    assert bootstrap_sums(mean_of_sums, {"x": np.arange(3.0)}, [1, 1, 1]) == {"mean": Estimate(1.0, None)}
    assert bootstrap_sums(mean_of_sums, {"x": np.array([])}, np.array([])) == {}
    assert cluster_bootstrap(mean, {"x": np.array([])}, []) is None
    assert bootstrap_sums(lambda s: {"none": s["x"] / 0}, {"x": np.arange(3.0)}, [1, 2, 3]) == {"none": None}


def test_a_unanimous_share_has_the_exact_interval_of_its_persons():
    low = stats.binomtest(30, 30).proportion_ci(0.95, "exact").low
    mended = share_estimate(Estimate(1.0, Interval(1.0, 1.0)), 30)
    assert ends(mended.interval) == (pytest.approx(low), 1.0)
    mended = share_estimate(Estimate(0.0, Interval(0.0, 0.0)), 30)
    assert ends(mended.interval) == (0.0, pytest.approx(1 - low))
    other = Estimate(0.5, Interval(0.4, 0.6))
    assert share_estimate(other, 30) is other
    assert share_estimate(None, 30) is None


def test_flat_numbers_name_the_ends_before_the_unit():
    found = interval_coverage([0.0, 1.0, 0.0], [1.0, 2.0, 1.0], [0.5, 3.0, 0.5], [1, 2, 3])
    numbers = flat_numbers(found)
    assert numbers["num_persons"] == 3
    assert numbers["coverage"] == pytest.approx(2 / 3)
    assert numbers["coverage_ci_low"] == found.coverage.interval.low
    assert numbers["width_ci_high_mm"] == found.width_mm.interval.high
    assert "width_mm" in numbers
    assert "width_mm_ci_high" not in numbers


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"clusters": [1, 2]}, "one cluster a row"),
        ({"clusters": [[1], [2], [3]]}, "one cluster a row"),
        ({"columns": {"x": np.zeros(3), "y": np.zeros(2)}}, "one cluster a row"),
        ({"clusters": [1.0, np.nan, 2.0]}, "without a cluster"),
        ({"clusters": ["a", None, "b"]}, "without a cluster"),
        ({"draws": 10}, "at least 100"),
        ({"level": 1.0}, "between 0 and 1"),
        ({"method": "normal"}, "'percentile' or 'bca'"),
    ],
)
def test_bad_input_is_refused(change, message):
    given = {"statistic": mean, "columns": {"x": np.arange(3.0)}, "clusters": [1, 2, 3]} | change
    with pytest.raises(ValueError, match=message):
        cluster_bootstrap(**given)
