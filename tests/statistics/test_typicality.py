"""Typicality: near for new good samples, far off their axes, and laws of scale."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipjsw.statistics.typicality import LEAST_SAMPLES, MARGIN, MOST_AXES, SAMPLES_PER_AXIS, fit_typicality

WIDE, TRUE_AXES = 60, 6


def basis(seed=0):
    return np.linalg.qr(np.random.default_rng(seed).normal(0, 1, (WIDE, WIDE)))[0]


def good(seed, persons, noise=0.3, each=2):
    """Samples that differ along six axes, a little elsewhere, and less between two of one person."""
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(persons), each)
    along = 3.0 * (rng.normal(0, 1, (persons, TRUE_AXES))[owner] + 0.3 * rng.normal(0, 1, (len(owner), TRUE_AXES)))
    return 5.0 + along @ basis()[:TRUE_AXES] + noise * rng.normal(0, 1, (len(owner), WIDE)), owner


def fitted(seed=1, persons=150):
    return fit_typicality(*good(seed, persons))


# What is near and what is far


def test_new_good_samples_are_typical():
    # The limit is what one good sample in a hundred exceeds, and a margin.
    for seed in range(4):
        distance = fitted(seed, 100).distance(good(100 + seed, 500)[0])
        assert (distance <= 1).mean() > 0.98
        assert np.median(distance) > 0.5


def test_without_its_margin_the_limit_is_exceeded_by_one_new_sample_in_a_hundred():
    shares = []
    for seed in range(10):
        found = fitted(seed, 150)
        bare = replace(found, limit=found.limit / MARGIN)
        shares.append((bare.distance(good(50 + seed, 300)[0]) > 1).mean())
    assert np.mean(shares) == pytest.approx(0.01, abs=0.006)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from([-1, 1]))
def test_what_differs_in_a_way_that_good_samples_do_not_is_far(seed, sign):
    found = fitted()
    away = basis()[np.random.default_rng(seed).integers(TRUE_AXES + 25, WIDE)]
    one = good(seed, 1)[0][:1]
    far = [found.distance(one + sign * step * away)[0] for step in (0.0, 8.0, 16.0, 32.0)]
    assert far[0] < far[1] < far[2] < far[3]  # one good sample in a hundred is beyond the limit itself
    assert far[1] > 1


def test_what_differs_as_good_samples_do_only_more_so_is_near():
    found = fitted()
    rng = np.random.default_rng(0)
    far_along = found.mean + found.scale * (rng.normal(0, 30, (50, len(found.axes))) @ found.axes)
    assert found.distance(far_along).max() < 1e-6
    assert found.distance(found.mean[None])[0] == 0.0


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_the_distance_is_that_to_the_nearest_point_of_the_axes_span(seed):
    found = fitted()
    sample = np.random.default_rng(seed).normal(5, 3, WIDE)
    standardised = (sample - found.mean) / found.scale
    coefficients = np.linalg.lstsq(found.axes.T, standardised, rcond=None)[0]
    rest = standardised - found.axes.T @ coefficients
    assert found.distance(sample[None])[0] == pytest.approx(np.sqrt(np.mean(rest**2)) / found.limit)


def test_axes_are_the_principal_ones():
    values = good(1, 150)[0]
    found = fitted()
    standardised = (values - values.mean(axis=0)) / values.std(axis=0)
    spread, vectors = np.linalg.eigh(standardised.T @ standardised)
    main = vectors[:, ::-1][:, : len(found.axes)].T
    count = min(MOST_AXES, len(values) * 4 // 5 // SAMPLES_PER_AXIS)
    assert len(found.axes) == count
    np.testing.assert_allclose(found.axes @ found.axes.T, np.eye(count), atol=1e-9)
    np.testing.assert_allclose(np.abs((found.axes * main).sum(axis=1))[:TRUE_AXES], 1.0, atol=1e-6)
    np.testing.assert_allclose(found.axes.T @ found.axes, main.T @ main, atol=1e-6)
    assert spread[-TRUE_AXES] > 5 * spread[-TRUE_AXES - 1]


# Laws


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_other_units_and_origins_of_the_numbers_change_nothing(seed):
    rng = np.random.default_rng(seed)
    values, owner = good(seed, 40)
    new = good(seed + 1, 10)[0] + rng.normal(0, 1, WIDE)
    units, origin = np.exp(rng.uniform(-6, 6, WIDE)) * rng.choice([-1, 1], WIDE), rng.normal(0, 5, WIDE)
    one = fit_typicality(values, owner).distance(new)
    other = fit_typicality(values * units + origin, owner).distance(new * units + origin)
    np.testing.assert_allclose(other, one, rtol=1e-5)


def test_the_order_of_samples_and_of_numbers_changes_nothing():
    values, owner = good(1, 60)
    new = good(2, 10)[0] + 1.0
    rng = np.random.default_rng(0)
    rows, cols = rng.permutation(len(values)), rng.permutation(WIDE)
    plain = fit_typicality(values, owner).distance(new)
    np.testing.assert_allclose(fit_typicality(values[rows], owner[rows]).distance(new), plain, rtol=1e-9)
    np.testing.assert_allclose(fit_typicality(values[:, cols], owner).distance(new[:, cols]), plain, rtol=1e-9)


def test_each_sample_is_judged_by_itself():
    found, new = fitted(), good(9, 20)[0]
    np.testing.assert_allclose(found.distance(new), [found.distance(one[None])[0] for one in new])
    np.testing.assert_allclose(found.distance(new.astype(np.float32)), found.distance(new), rtol=1e-4)
    assert found.distance(new[:0]).shape == (0,)


def test_the_limit_rests_on_persons_that_were_left_out():
    # The two samples of a person are the same: a limit on persons that were seen would be near 0.
    rng = np.random.default_rng(0)
    values, owner = np.repeat(rng.normal(0, 1, (24, 20)), 5, axis=0), np.repeat(np.arange(24), 5)
    new = rng.normal(0, 1, (500, 20))
    by_person = fit_typicality(values, owner)
    mixed_up = fit_typicality(values, np.tile(np.arange(24), 5))
    assert by_person.limit > mixed_up.limit
    assert (by_person.distance(new) > 1).mean() < (mixed_up.distance(new) > 1).mean()


def test_a_number_that_never_changes_counts_once_it_does():
    values, owner = good(1, 60)
    values[:, 3] = 7.0
    found = fit_typicality(values, owner)
    new = good(2, 5)[0]
    new[:, 3] = 7.0
    changed = new.copy()
    changed[:, 3] = 60.0
    assert np.isfinite(found.distance(new)).all()
    assert (found.distance(new) < 1.3).all()
    assert (found.distance(changed) > 1).all()


@pytest.mark.parametrize("numbers", [1, 2, 3])
def test_few_numbers_still_leave_something_beyond_the_axes(numbers):
    values = np.random.default_rng(0).normal(0, 1, (100, numbers))
    found = fit_typicality(values, np.arange(100))
    assert len(found.axes) == numbers - 1
    assert (found.distance(values) <= 1).mean() > 0.98
    beyond = np.linalg.svd(found.axes, full_matrices=True)[2][-1] if numbers > 1 else np.ones(1)
    assert found.distance((found.mean + 9 * found.scale * beyond)[None])[0] > 1


def test_samples_that_are_all_the_same_make_all_others_untypical():
    found = fit_typicality(np.full((30, 8), 2.5), np.arange(30))
    assert found.distance(np.full((1, 8), 2.5))[0] <= 1
    assert found.distance(np.arange(8.0)[None])[0] > 1


# Too little, and no numbers


@pytest.mark.parametrize(("samples", "persons"), [(0, 1), (LEAST_SAMPLES - 1, 19), (100, 4)])
def test_too_few_samples_or_persons_say_nothing(samples, persons):
    assert fit_typicality(np.random.default_rng(0).normal(0, 1, (samples, 5)), np.arange(samples) % persons) is None


def test_just_enough_do():
    values = np.random.default_rng(0).normal(0, 1, (LEAST_SAMPLES, 50))
    found = fit_typicality(values, np.array(list("abcde") * 4))
    assert found.axes.shape == (2, 50)
    assert found.distance(values).max() < 1


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused_to_learn_from_and_infinitely_far(bad):
    values, owner = good(1, 30)
    values[3, 4] = bad
    with pytest.raises(ValueError, match="finite"):
        fit_typicality(values, owner)
    distance = fitted().distance(values[2:5])
    assert np.isfinite(distance).tolist() == [True, False, True]
    assert distance[1] == np.inf


@pytest.mark.parametrize(("features", "persons"), [((30,), 30), ((30, 5, 2), 30), ((30, 5), 29), ((30, 5), 0)])
def test_other_shapes_are_refused(features, persons):
    with pytest.raises(ValueError, match="n persons expected"):
        fit_typicality(np.zeros(features), np.arange(persons))
