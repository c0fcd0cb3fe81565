"""Risk over coverage: by hand, by brute force, by law."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipjsw.statistics.risk_coverage import risk_coverage

hips = st.lists(st.tuples(st.floats(-5, 5), st.integers(0, 8)), min_size=1, max_size=30)


def test_counted_by_hand():
    found = risk_coverage([0.4, -0.1, 0.2, 2.0], [0.7, 0.9, 0.8, 0.1])
    assert found.coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert found.quality.tolist() == [0.9, 0.8, 0.7, 0.1]
    assert found.mae_mm == pytest.approx([0.1, 0.15, 0.7 / 3, 0.675])
    assert found.within == pytest.approx([1, 1, 1, 0.75])
    assert found.area_mm == pytest.approx((0.1 + 0.15 + 0.7 / 3 + 0.675) / 4)
    assert found.excess_area_mm == pytest.approx(0)


def test_hips_of_one_quality_come_in_together():
    found = risk_coverage([0.1, 0.3, 0.5], [1, 1, 0])
    assert found.coverage == pytest.approx([2 / 3, 1])
    assert found.mae_mm == pytest.approx([0.2, 0.3])
    assert found.area_mm == pytest.approx((2 * 0.2 + 0.3) / 3)


@settings(max_examples=80, deadline=None)
@given(hips, st.randoms(use_true_random=False))
def test_every_place_is_the_hips_kept_there(values, random):
    error, quality = np.array([v[0] for v in values]), np.array([v[1] for v in values])
    found = risk_coverage(error, quality, within_mm=1.0)
    for i, limit in enumerate(found.quality):
        kept = np.abs(error[quality >= limit])
        assert found.coverage[i] == pytest.approx(len(kept) / len(error))
        assert found.mae_mm[i] == pytest.approx(kept.mean())
        assert found.p95_mm[i] == pytest.approx(np.percentile(kept, 95))
        assert found.within[i] == pytest.approx((kept <= 1).mean())
    assert (np.diff(found.coverage) > 0).all()
    assert found.coverage[-1] == 1
    assert found.mae_mm[-1] == pytest.approx(np.abs(error).mean())
    assert found.area_mm >= found.best_area_mm - 1e-9
    order = list(range(len(values)))
    random.shuffle(order)
    assert risk_coverage(error[order], np.exp(quality[order]), 1.0).area_mm == pytest.approx(found.area_mm)


def test_a_quality_that_knows_nothing_has_the_mean_error_as_its_area():
    rng = np.random.default_rng(3)
    error = rng.normal(0, 0.3, 4000)
    blind = risk_coverage(error, rng.uniform(size=4000))
    assert blind.area_mm == pytest.approx(np.abs(error).mean(), rel=0.05)
    assert risk_coverage(error, np.zeros(4000)).area_mm == pytest.approx(np.abs(error).mean())
    knowing = risk_coverage(error, -np.abs(error))
    assert knowing.area_mm == pytest.approx(knowing.best_area_mm)
    # Of a half-normal error of scale s the best share c has a mean of s (phi(0) - phi(q)) 2 / c, q its bound.
    assert knowing.mae_at_mm(0.5) == pytest.approx(0.3 * 4 * (0.398942 - 0.317777), rel=0.05)


def test_the_error_where_a_share_is_kept():
    found = risk_coverage([0.1, 0.3, 0.5, 0.7], [4, 3, 2, 1])
    assert found.mae_at_mm(0.5) == pytest.approx(0.2)
    assert found.mae_at_mm(0.51) == pytest.approx(0.3)
    assert found.mae_at_mm(1) == pytest.approx(0.4)
    for share in (0, 1.1):
        with pytest.raises(ValueError, match="coverage"):
            found.mae_at_mm(share)


def test_no_hip_is_undefined_and_bad_input_refused():
    assert risk_coverage([], []) is None
    with pytest.raises(ValueError, match="quality a hip"):
        risk_coverage([0.1, 0.2], [1.0])
    with pytest.raises(ValueError, match="finite"):
        risk_coverage([0.1, 0.2], [1.0, np.nan])
