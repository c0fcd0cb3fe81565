"""The calibration: what it removes, how often its interval holds, and what it leaves alone."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipjsw.jsw.calibration import CLOSE_MM, LEAST_HIPS, Calibration, fit_calibration
from hipjsw.jsw.profile import JointSpaceWidth, Unmeasurable

POINT = np.zeros(2)


def width(mjsw_mm, places=31):
    profile = mjsw_mm + np.linspace(-1, 1, places) ** 2
    points = np.column_stack([-profile, np.linspace(-15, 15, places)])
    return JointSpaceWidth(mjsw_mm, 0.5, POINT, POINT, profile, points, 0 * points, 0 * points, POINT)


def simulated(seed, persons, bias=lambda known: 0.0 * known, noise=0.12, alike=0.5):
    """Two hips of each person: measurements, spreads, known widths, persons. Errors of one person are alike."""
    rng = np.random.default_rng(seed)
    known = rng.uniform(0.8, 6.5, 2 * persons)
    owner = np.repeat(np.arange(persons), 2)
    spread = rng.uniform(0.03, 0.25, 2 * persons)
    size = noise * (0.4 + 4 * spread)
    common, own = rng.normal(0, 1, persons)[owner], rng.normal(0, 1, 2 * persons)
    measured = known - bias(known) + size * (np.sqrt(alike) * common + np.sqrt(1 - alike) * own)
    return [width(max(float(mm), 0.0)) for mm in measured], spread.tolist(), known, owner


def fitted(seed=0, persons=150, profiles=None, **kinds):
    widths, spread, known, owner = simulated(seed, persons, **kinds)
    profiles = [None] * len(known) if profiles is None else profiles(widths)
    return fit_calibration(widths, spread, known, owner, profiles, "truth")


def applied(calibration, widths, spread):
    results = [calibration.apply(one, other) for one, other in zip(widths, spread, strict=True)]
    assert all(isinstance(result, JointSpaceWidth) for result in results)
    return np.array([result.mjsw_mm for result in results]), np.array([result.interval_mm for result in results])


# Bias


@pytest.mark.parametrize(
    "bias",
    [
        lambda known: 0.25 + 0.0 * known,
        lambda known: -0.3 + 0.08 * known,
        lambda known: 0.4 * np.maximum(1.5 - known, 0) - 0.1,
        lambda known: 0.3 - 0.12 * np.maximum(known - 2.5, 0),
    ],
)
def test_a_bias_that_goes_with_the_width_is_removed(bias):
    calibration = fitted(1, 300, bias=bias, noise=0.05)
    widths, spread, known, _ = simulated(2, 300, bias, noise=0.05)
    corrected, _ = applied(calibration, widths, spread)
    before = np.array([one.mjsw_mm for one in widths]) - known
    assert np.abs(bias(known)).mean() > 0.05
    for low, high in ((0.8, 1.5), (1.5, 2.5), (2.5, 4.5), (4.5, 6.5)):
        inside = (known >= low) & (known < high)
        assert abs((corrected - known)[inside].mean()) < 0.03
    assert np.abs(corrected - known).mean() < 0.6 * np.abs(before).mean()


def test_measurements_that_are_right_stay_as_they_are():
    calibration = fitted(3, 300, noise=0.02)
    for mm in (0.9, 2.0, 3.5, 6.0):
        assert calibration.apply(width(mm), 0.1).mjsw_mm == pytest.approx(mm, abs=0.01)


def test_one_hip_that_went_wrong_bends_no_line():
    widths, spread, known, owner = simulated(4, 60, noise=0.05)
    wrong = [*widths[:-1], width(float(known[-1]) + 5.0)]
    nothing = [None] * len(widths)
    plain, bent = (fit_calibration(w, spread, known, owner, nothing, "truth") for w in (widths, wrong))
    for mm in (1.0, 2.0, 4.0, 6.0):
        moved = bent.apply(width(mm), 0.1).mjsw_mm - plain.apply(width(mm), 0.1).mjsw_mm
        assert abs(moved) < 0.02


@settings(max_examples=20)
@given(st.floats(-0.5, 0.5))
def test_what_is_added_to_every_measurement_is_taken_off_again(shift):
    widths, spread, known, owner = simulated(5, 80, noise=0.05)
    nothing = [None] * len(widths)
    moved = [width(one.mjsw_mm + 1.0 + shift) for one in widths]
    found = fit_calibration(moved, spread, known, owner, nothing, "truth")
    for known_mm in (2.0, 4.0, 6.0):
        assert found.apply(width(known_mm + 1.0 + shift), 0.1).mjsw_mm == pytest.approx(known_mm, abs=0.06)


# The interval


def test_intervals_hold_19_of_20_on_new_persons_though_hips_of_one_err_alike():
    # 80 studies of 60 persons to learn from; the share is judged by its spread over the studies.
    shares = []
    for seed in range(80):
        calibration = fitted(seed, 60, alike=0.7)
        widths, spread, known, _ = simulated(1000 + seed, 100, alike=0.7)
        _, interval = applied(calibration, widths, spread)
        shares.append(((interval[:, 0] <= known) & (known <= interval[:, 1])).mean())
    error = np.std(shares, ddof=1) / np.sqrt(len(shares))
    assert error < 0.006
    assert np.mean(shares) == pytest.approx(0.95, abs=3 * error)


def test_hips_whose_looks_agree_have_narrow_intervals_that_hold_as_well_as_wide_ones():
    calibration = fitted(7, 400)
    widths, spread, known, _ = simulated(8, 1000)
    _, interval = applied(calibration, widths, spread)
    held = (interval[:, 0] <= known) & (known <= interval[:, 1])
    calm = np.array(spread) < np.median(spread)
    assert np.diff(interval[calm]).mean() < 0.75 * np.diff(interval[~calm]).mean()
    assert held[calm].mean() == pytest.approx(0.95, abs=0.04)
    assert held[~calm].mean() == pytest.approx(0.95, abs=0.04)


@settings(max_examples=40)
@given(st.floats(0, 7), st.floats(0, 0.3), st.floats(0, 0.3), st.integers(0, 5))
def test_more_spread_is_a_wider_interval_and_less_quality(mm, one, other, seed):
    calibration = fitted(seed % 2, 60)
    less, more = (calibration.apply(width(mm), spread) for spread in sorted((one, other)))
    assert isinstance(less, JointSpaceWidth)
    if isinstance(more, Unmeasurable):
        return
    assert np.ptp(less.interval_mm) <= np.ptp(more.interval_mm) + 1e-12
    assert less.quality >= more.quality
    assert less.mjsw_mm == more.mjsw_mm


@settings(max_examples=40)
@given(st.floats(0, 12), st.floats(0, 0.3), st.floats(-1, 1))
def test_no_width_and_no_bound_is_below_zero_and_the_width_lies_within(mm, spread, constant):
    calibration = replace(fitted(), line_mm=(constant, *fitted().line_mm[1:]))
    found = calibration.apply(width(mm), spread)
    low, high = found.interval_mm
    assert 0.0 <= low <= found.mjsw_mm <= high
    assert 0.0 <= found.quality <= 1.0


def test_bone_on_bone_that_is_known_as_such_stays_zero():
    widths, spread, known, owner = simulated(9, 80, noise=0.03)
    touching = np.arange(len(known)) % 4 == 0
    known[touching] = 0.0
    widths = [width(0.0) if zero else one for zero, one in zip(touching, widths, strict=True)]
    found = fit_calibration(widths, spread, known, owner, [None] * len(widths), "truth").apply(width(0.0), 0.05)
    assert found.mjsw_mm == pytest.approx(0.0, abs=0.02)
    assert found.interval_mm[0] == 0.0


def test_quality_is_the_chance_to_be_right_to_half_a_millimetre():
    calibration = fitted(10, 400, noise=0.45)
    widths, spread, known, _ = simulated(11, 1500, noise=0.45)
    results = [calibration.apply(one, other) for one, other in zip(widths, spread, strict=True)]
    kept = [n for n, result in enumerate(results) if isinstance(result, JointSpaceWidth)]
    quality = np.array([results[n].quality for n in kept])
    close = np.array([abs(results[n].mjsw_mm - known[n]) <= CLOSE_MM for n in kept])
    for low, high in ((0.5, 0.7), (0.7, 0.9), (0.9, 1.01)):
        inside = (quality >= low) & (quality < high)
        assert inside.sum() > 100
        assert close[inside].mean() == pytest.approx(quality[inside].mean(), abs=0.09)


# Refusal


def test_a_hip_whose_looks_disagree_is_too_uncertain():
    calibration = fitted()
    assert isinstance(calibration.apply(width(3.0), 0.1), JointSpaceWidth)
    refused = calibration.apply(width(3.0), 5.0)
    assert isinstance(refused, Unmeasurable)
    assert "too uncertain: the chance of an error below 0.5 mm" in refused.reason


def test_a_hip_without_a_spread_is_refused_where_the_spread_tells_and_only_there():
    assert "fewer than two looks" in fitted().apply(width(3.0), None).reason
    widths, _, known, owner = simulated(0, 100)
    once = fit_calibration(widths, [None] * len(widths), known, owner, [None] * len(widths), "truth")
    assert once.scale[1] == 0.0
    assert isinstance(once.apply(width(3.0), None), JointSpaceWidth)


@pytest.mark.parametrize(("hips", "persons"), [(0, 0), (LEAST_HIPS - 1, 24), (200, 9)])
def test_too_few_hips_or_persons_teach_nothing(hips, persons):
    owner = np.arange(hips) % max(persons, 1)
    nothing = [None] * hips
    assert fit_calibration([width(3.0)] * hips, nothing, np.full(hips, 3.0), owner, nothing, "truth") is None


@pytest.mark.parametrize("hips", [LEAST_HIPS, 27, 39, 40])
def test_just_enough_hips_do_and_equal_ones_are_no_trouble(hips):
    nothing = [None] * hips
    found = fit_calibration([width(3.0)] * hips, nothing, np.full(hips, 3.2), np.arange(hips) % 13, nothing, "label")
    assert (found.reference, found.num_hips, found.num_persons) == ("label", hips, 13)
    assert found.apply(width(3.0), None).mjsw_mm == pytest.approx(3.2, abs=1e-3)


@pytest.mark.parametrize("which", range(5))
def test_lists_that_are_not_equally_long_are_refused(which):
    widths, spread, known, owner = simulated(0, 30)
    lists = [widths, spread, known, owner, [None] * 60]
    lists[which] = lists[which][:-1]
    with pytest.raises(ValueError, match=r"lengths \[59, 60\]"):
        fit_calibration(*lists, "truth")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_known_widths_that_are_no_numbers_are_refused(bad):
    widths, spread, known, owner = simulated(0, 30)
    known[7] = bad
    with pytest.raises(ValueError, match="finite"):
        fit_calibration(widths, spread, known, owner, [None] * 60, "truth")


# The profile


def test_the_profile_stays_and_its_band_holds_it():
    calibration = fitted(12, 100, profiles=lambda widths: [one.profile_mm + 0.1 for one in widths])
    before = width(3.0)
    found = calibration.apply(before, 0.1)
    assert found.profile_mm is before.profile_mm
    assert (found.place, found.roof_mm) == (before.place, before.roof_mm)
    assert found.band_mm.shape == (2, 31)
    np.testing.assert_allclose(found.band_mm, np.add(before.profile_mm, [[-0.1], [0.1]]), atol=1e-9)
    assert (before.interval_mm, before.quality, before.band_mm) == (None, None, None)
    assert (calibration.apply(width(0.02), 0.1).band_mm >= 0).all()


def test_the_band_holds_19_of_20_known_profiles_at_every_place():
    def known_profiles(rng):
        # As many places as they have, and rougher towards the medial end.
        return lambda widths: [
            np.interp(np.linspace(0, 1, 21 + n % 30), np.linspace(0, 1, 31), one.profile_mm)
            + rng.normal(0, 0.1 + 0.4 * np.linspace(0, 1, 21 + n % 30) ** 2) * 1.0
            for n, one in enumerate(widths)
        ]

    calibration = fitted(13, 300, profiles=known_profiles(np.random.default_rng(0)))
    half = np.ptp(calibration.apply(width(5.0), 0.1).band_mm, axis=0) / 2
    assert half[0] == pytest.approx(1.96 * 0.1, rel=0.15)
    assert half[-1] == pytest.approx(1.96 * 0.5, rel=0.15)


def test_where_no_profile_is_known_there_is_no_band():
    assert fitted().apply(width(3.0), 0.1).band_mm is None


# As JSON


def test_json_and_back_is_the_same():
    for calibration in (fitted(), fitted(profiles=lambda widths: [one.profile_mm for one in widths])):
        assert Calibration.from_json(json.loads(json.dumps(calibration.to_json()))) == calibration


def damaged():
    whole = json.loads(json.dumps(fitted(profiles=lambda widths: [one.profile_mm for one in widths]).to_json()))
    for name in whole:
        yield {key: value for key, value in whole.items() if key != name}
        yield whole | {name: None}
        yield whole | {name: {}}
        if name != "reference":
            yield whole | {name: "wide"}
        if isinstance(whole[name], float | list):
            yield whole | {name: float("nan")}
        if isinstance(whole[name], list):
            yield whole | {name: 1.0}
            yield whole | {name: [*whole[name][:-1], "much"]}
            yield whole | {name: [*whole[name][:-1], float("nan")]}
            yield whole | {name: [*whole[name][:-1], None]}
    for name in ("line_mm", "scale", "knots_mm"):
        yield whole | {name: [*whole[name], 1.0]}
    yield whole | {"more": 1}
    yield whole | {"scale": [0.0, 0.0, 0.0]}
    yield whole | {"scale": [0.1, -1.0, 0.0]}
    yield whole | {"factor": -2.0}
    yield whole | {"ratios": []}
    yield whole | {"ratios": whole["ratios"][::-1]}
    yield whole | {"band_mm": [-0.1, -0.1]}
    yield from (None, 3, "calibration", [], {}, [["factor", 2.0]])


def test_damaged_json_is_refused():
    for plain in damaged():
        with pytest.raises(ValueError, match="no calibration"):
            Calibration.from_json(plain)
