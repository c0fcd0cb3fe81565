"""Intraclass correlation and concordance: published tables, other libraries and laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import f as f_distribution
from scipy.stats import pearsonr

from hipjsw.statistics.reliability import concordance, icc1, icc2, icc3, mean_squares

# Six targets rated by four judges (Shrout and Fleiss 1979, table 2).
RATINGS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])
# First readings of two flow meters (Bland and Altman 1986, table 1).
LARGE = np.array([494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427])
MINI = np.array([512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451])

tables = arrays(np.float64, st.tuples(st.integers(3, 12), st.integers(2, 5)), elements=st.integers(-40, 40).map(float))
pairs = arrays(np.float64, st.tuples(st.integers(3, 25), st.just(2)), elements=st.integers(-60, 60).map(float))


def test_published_analysis_of_variance():
    squares = mean_squares(RATINGS)
    printed = (squares.targets, squares.within, squares.raters, squares.residual)
    assert [f"{value:.2f}" for value in printed] == ["11.24", "6.26", "32.49", "1.02"]


@pytest.mark.parametrize(("coefficient", "printed"), [(icc1, "0.17"), (icc2, "0.29"), (icc3, "0.71")])
def test_published_coefficients(coefficient, printed):
    assert f"{coefficient(RATINGS).value:.2f}" == printed


@pytest.mark.parametrize(
    ("coefficient", "low", "high"),
    [(icc1, "-0.133", "0.723"), (icc2, "0.019", "0.761"), (icc3, "0.342", "0.946")],
)
def test_intervals_are_those_of_r_psych(coefficient, low, high):
    interval = coefficient(RATINGS).interval
    assert (f"{interval.low:.3f}", f"{interval.high:.3f}") == (low, high)


def test_interval_ends_are_where_the_f_test_turns():
    squares, interval = mean_squares(RATINGS), icc3(RATINGS).interval
    ratio, k = squares.targets / squares.residual, squares.raters_num
    for end, tail in ((interval.low, 0.025), (interval.high, 0.975)):
        expected = 1 + k * end / (1 - end)  # of the mean squares, were this the true coefficient
        assert f_distribution.sf(ratio / expected, 5, 15) == pytest.approx(tail, abs=1e-9)


def test_published_flow_meters_by_lins_two_factors():
    found = concordance(LARGE, MINI)
    scale = LARGE.std() / MINI.std()
    shift = (LARGE.mean() - MINI.mean()) / np.sqrt(LARGE.std() * MINI.std())
    accuracy = 2 / (scale + 1 / scale + shift**2)  # C_b of Lin 1989
    assert found.value == pytest.approx(pearsonr(LARGE, MINI).statistic * accuracy, abs=1e-12)
    assert found.interval.low < found.value < found.interval.high


def test_concordance_is_torchmetrics():
    import torch
    from torchmetrics.functional.regression import concordance_corrcoef

    rng = np.random.default_rng(3)
    a = rng.normal(4, 1, 40)
    b = 0.8 * a + rng.normal(0.5, 0.3, 40)
    # torchmetrics divides variances by n - 1, Lin 1989 by n: the same once the shift is stretched as much.
    stretched = b + (b.mean() - a.mean()) * (np.sqrt(40 / 39) - 1)
    theirs = float(concordance_corrcoef(torch.tensor(a), torch.tensor(stretched)))
    assert concordance(a, b).value == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize("shift", [0.0, 0.8])
def test_concordance_interval_covers(shift):
    rng = np.random.default_rng(5)
    truth = 2 / (2.25 + shift**2)
    held = 0
    for _ in range(600):
        a = rng.normal(0, 1, 60)
        interval = concordance(a, a + rng.normal(shift, 0.5, 60)).interval
        held += interval.low <= truth <= interval.high
    assert held / 600 == pytest.approx(0.95, abs=0.03)


def test_coefficients_intervals_cover():
    rng = np.random.default_rng(6)
    held = np.zeros(2)
    for _ in range(400):
        ratings = rng.normal(0, 1, (25, 1)) + rng.normal(0, 0.4, (1, 6)) + rng.normal(0, 0.5, (25, 6))
        for i, (coefficient, truth) in enumerate(((icc2, 1 / 1.41), (icc3, 1 / 1.25))):
            interval = coefficient(ratings).interval
            held[i] += interval.low <= truth <= interval.high
    assert held / 400 == pytest.approx(0.95, abs=0.035)


@settings(max_examples=80, deadline=None)
@given(tables, st.floats(-30, 30), st.floats(0.1, 10))
def test_laws_of_the_coefficients(ratings, shift, scale):
    plain = [c(ratings) for c in (icc1, icc2, icc3)]
    for coefficient, found in zip((icc1, icc2, icc3), plain, strict=True):
        again = coefficient(scale * ratings + shift)
        assert (again is None) == (found is None)
        if found is not None:
            assert found.interval.low - 1e-9 <= found.value <= found.interval.high + 1e-9
            assert found.value <= 1 + 1e-12
            assert again.value == pytest.approx(found.value, abs=1e-7)
    moved = ratings.copy()
    moved[:, 0] += shift
    if plain[2] is not None:
        assert icc3(moved).value == pytest.approx(plain[2].value, abs=1e-7)
    squares = mean_squares(ratings)
    n, k = ratings.shape
    total = (n - 1) * squares.targets + (k - 1) * squares.raters + (n - 1) * (k - 1) * squares.residual
    assert total == pytest.approx(((ratings - ratings.mean()) ** 2).sum(), abs=1e-6)
    assert n * (k - 1) * squares.within + (n - 1) * squares.targets == pytest.approx(total, abs=1e-6)


def test_a_raters_shift_counts_against_agreement_only():
    moved = RATINGS + np.array([5, 0, 0, 0])
    assert icc3(moved).value == pytest.approx(icc3(RATINGS).value)
    assert icc2(moved).value < icc2(RATINGS).value


@settings(max_examples=80, deadline=None)
@given(pairs)
def test_concordance_is_at_most_correlation(values):
    a, b = values.T
    found = concordance(a, b)
    if found is None:
        assert np.ptp(values) == 0
    elif np.ptp(a) > 0 and np.ptp(b) > 0:
        correlation = pearsonr(a, b).statistic
        assert abs(found.value) <= abs(correlation) + 1e-9
        assert concordance(b, a).value == pytest.approx(found.value)
        best = 2 * a.std() * b.std() / (a.var() + b.var())  # what is left of it once the shift is taken off
        assert concordance(a - a.mean(), b - b.mean()).value == pytest.approx(correlation * best)
    else:
        assert found.value == 0
        assert found.interval is None


def test_perfect_agreement_is_one():
    same = np.repeat(np.array([[1.1], [2.3], [3.7]]), 2, axis=1)
    for found in (icc1(same), icc2(same), icc3(same), concordance(*same.T)):
        assert found.value == pytest.approx(1)
        assert (found.interval.low, found.interval.high) == (pytest.approx(1), pytest.approx(1))


def test_a_constant_shift_alone_leaves_consistency_perfect():
    shifted = np.array([[1.0, 2.0], [2.0, 3.0], [4.0, 5.0]])
    assert icc3(shifted).value == 1
    assert icc2(shifted).value < 0.9
    assert np.isfinite([icc2(shifted).interval.low, icc2(shifted).interval.high]).all()


def test_what_does_not_vary_is_undefined():
    for constant in (np.zeros((4, 2)), np.full((7, 3), 0.1)):
        assert icc1(constant) is icc2(constant) is icc3(constant) is None
        assert concordance(constant[:, 0], constant[:, 1]) is None
    assert icc2(np.array([[1.0, 2.0]])) is None
    assert mean_squares(np.empty((0, 2))) is None
    assert concordance([1.0], [2.0]) is None


@pytest.mark.parametrize("bad", [np.zeros(3), np.zeros((3, 1)), np.zeros((2, 2, 2)), np.array([[1, np.nan], [1, 2]])])
def test_what_are_no_ratings_is_refused(bad):
    with pytest.raises(ValueError, match="ratings"):
        icc2(bad)


def test_what_are_no_pairs_is_refused():
    with pytest.raises(ValueError, match="pairs"):
        concordance([1.0, 2.0], [1.0])
