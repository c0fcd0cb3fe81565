"""Smoothing against a dense solution, its transfer function and its laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipjsw.jsw.smoothing import smooth

waves = st.floats(2.5, 40.0)


def drawn(seed, count, rows=()):
    """Values, and weights of which some are 0, two at least are not."""
    rng = np.random.default_rng(seed)
    weight = np.where(rng.random(count) < 0.3, 0.0, rng.uniform(0.1, 1.0, count))
    weight[[0, -1]] = 1.0
    return rng.normal(0, 3, (*rows, count)), weight


def dense(values, weight, wave):
    """The same least squares as one system: weighted residuals, and second differences by the half-power penalty."""
    count = len(values)
    penalty = (2 * np.sin(np.pi / wave)) ** -4
    bends = np.sqrt(penalty) * np.diff(np.eye(count), 2, axis=0)
    system = np.concatenate([np.diag(np.sqrt(weight)), bends])
    wanted = np.concatenate([np.sqrt(weight) * values, np.zeros(count - 2)])
    return np.linalg.lstsq(system, wanted, rcond=None)[0]


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(2, 60), waves)
def test_it_is_penalised_least_squares(seed, count, wave):
    values, weight = drawn(seed, count)
    np.testing.assert_allclose(smooth(values, weight, wave), dense(values, weight, wave), atol=1e-6)


@pytest.mark.parametrize("wave", [5.0, 8.0, 15.0, 30.0])
@pytest.mark.parametrize("times", [0.5, 1.0, 3.0])
def test_half_of_its_wavelength_is_left_and_of_others_as_the_transfer_function_says(wave, times):
    frequency = np.pi / (wave * times)
    values = np.cos(2 * frequency * np.arange(2001))
    share = 1 / (1 + (np.sin(frequency) / np.sin(np.pi / wave)) ** 4)
    found = smooth(values, np.ones(2001), wave)
    np.testing.assert_allclose(found[600:1400], share * values[600:1400], atol=1e-9)
    assert times != 1.0 or share == 0.5


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(3, 80), waves, st.floats(-50, 50), st.floats(-5, 5))
def test_a_straight_line_stays_whatever_is_missing(seed, count, wave, start, slope):
    _, weight = drawn(seed, count)
    weight[: count // 3] = 0.0  # carried on beyond an end, and over gaps
    if (weight > 0).sum() < 2:
        weight[-2:] = 1.0
    line = start + slope * np.arange(count)
    np.testing.assert_allclose(smooth(np.where(weight > 0, line, np.nan), weight, wave), line, atol=1e-5)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), waves, st.floats(-4, 4), st.floats(-4, 4))
def test_it_is_linear_and_the_same_from_either_end(seed, wave, one, other):
    values, weight = drawn(seed, 50, (2,))
    found = smooth(values, weight, wave)
    mixed = smooth(one * values[0] + other * values[1], weight, wave)
    np.testing.assert_allclose(mixed, one * found[0] + other * found[1], atol=1e-7)
    np.testing.assert_allclose(smooth(values[:, ::-1], weight[::-1], wave), found[:, ::-1], atol=1e-7)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), waves)
def test_rows_are_smoothed_each_by_itself_in_any_shape(seed, wave):
    values, weight = drawn(seed, 30, (2, 3))
    found = smooth(values, weight, wave)
    assert found.shape == (2, 3, 30)
    for row, col in np.ndindex(2, 3):
        np.testing.assert_allclose(found[row, col], smooth(values[row, col], weight, wave), atol=1e-12)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), waves)
def test_what_does_not_count_is_not_looked_at(seed, wave):
    values, weight = drawn(seed, 40)
    others = np.where(weight > 0, values, np.nan)
    np.testing.assert_array_equal(smooth(others, weight, wave), smooth(values, weight, wave))


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), waves)
def test_mean_and_slope_of_even_weights_stay(seed, wave):
    values, _ = drawn(seed, 40)
    found = smooth(values, np.ones(40), wave)
    np.testing.assert_allclose(np.polyfit(np.arange(40), found, 1), np.polyfit(np.arange(40), values, 1), atol=1e-7)


@pytest.mark.parametrize("wave", [0.0, 1.0, 2.0])
def test_a_wave_too_short_to_be_sampled_smooths_nothing(wave):
    values, _ = drawn(1, 40)
    np.testing.assert_allclose(smooth(values, np.ones(40), wave), values, atol=1e-3)


def test_longer_waves_leave_less_of_noise():
    values, weight = drawn(5, 400)[0], np.ones(400)
    left = [smooth(values, weight, wave).std() for wave in (3, 6, 12, 24)]
    assert left == sorted(left, reverse=True)
    assert left[-1] < 0.5 * left[0]


def test_values_are_not_written_to():
    values, weight = drawn(2, 20)
    before = values.copy(), weight.copy()
    smooth(values, weight, 6.0)
    np.testing.assert_array_equal([values, weight], before)


@pytest.mark.parametrize("known", [0, 1])
def test_fewer_than_two_values_are_refused(known):
    with pytest.raises(ValueError, match="at least two"):
        smooth(np.ones(9), np.arange(9) < known, 6.0)
