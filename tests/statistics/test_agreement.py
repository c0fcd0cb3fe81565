"""Agreement against the published worked example and by law."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipjsw.statistics.agreement import agreement

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
