"""Planted failures and followed hips before made-up judges: what is counted, and that it is shown."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks" / "accuracy"))

import failures  # noqa: E402
import ideal  # noqa: E402
import longitudinal  # noqa: E402

from hipjsw.imaging.view import ViewSpec  # noqa: E402
from hipjsw.jsw.contour import measure_probabilities  # noqa: E402
from hipjsw.jsw.profile import Unmeasurable  # noqa: E402
from hipjsw.phantom.failures import Failure  # noqa: E402

SPEC = ViewSpec("coarse", 128, 128, 0.8, 32, "head", "view", 0.5, 99.5)


# Failures


@pytest.mark.parametrize(
    ("hits", "num", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_as_printed_by_newcombe(hits, num, low, high):
    # Newcombe 1998, Stat Med 17:857-72, table I, method 3.
    assert failures.wilson(hits, num) == pytest.approx((low, high), abs=5e-5)


def test_wilson_refuses_what_is_no_share():
    for hits, num in ((0, 0), (3, 2), (-1, 5)):
        with pytest.raises(ValueError, match="a share needs at least one trial"):
            failures.wilson(hits, num)


def test_refusals_are_counted_by_kind_with_their_reasons():
    hip = ideal.laid_hip(0)
    width = measure_probabilities(hip.maps(0.8), 0.8)
    seen = []

    def judge(image):
        seen.append(image.shape)
        return Unmeasurable(f"view {len(seen)} refused") if len(seen) <= len(Failure) else width

    rows = failures.refusal_table(judge, SPEC, count=1, good=2)
    assert seen == [SPEC.stored_shape] * (len(Failure) + 2)
    assert [row.kind for row in rows] == [*(kind.value for kind in Failure), failures.GOOD]
    assert [(row.num, row.refused) for row in rows] == [(1, 1)] * len(Failure) + [(2, 0)]
    assert all(row.met for row in rows)
    assert rows[0].reasons == {"view N refused": 1}
    assert len(rows[-1].errors_mm) == 2
    assert not rows[0].errors_mm
    part = failures.failures_part(rows, SPEC, "A judge")
    assert part.tables[0].markdown().count("\n| ") == len(Failure) + 3
    assert part.numbers["accepted_good"]["num"] == 2


def test_too_few_refused_and_too_many_good_hips_refused_are_not_met():
    assert failures.Refusals("child", 100, 95, 0, 1, {}).met
    assert not failures.Refusals("child", 100, 94, 0, 1, {}).met
    assert failures.Refusals(failures.GOOD, 100, 2, 0, 1, {}).met
    assert not failures.Refusals(failures.GOOD, 100, 3, 0, 1, {}).met


# Follow-up


@pytest.fixture(scope="module")
def hips():
    return longitudinal.followed_hips(persons=150)


def exact(person, side, visit):
    return person.hip(side, visit).hip.mjsw_mm


def test_followed_hips_have_osteoarthritis_and_lose_space(hips):
    assert len(hips) >= 5
    for hip in hips:
        assert hip.person.disease[hip.side].osteoarthritis
        assert hip.years > 0
        assert hip.last_mm <= hip.first_mm
        assert hip.last_mm == exact(hip.person, hip.side, hip.last)


def test_an_exact_measurement_sees_the_exact_loss(hips):
    found = longitudinal.followed(hips, exact, again=exact)
    assert found.measured == found.true
    assert found.true.mean_mm.value < 0
    assert (found.error_mean_mm, found.sdc_error_mm, found.sdc_retest_mm, found.unmeasurable) == (0, 0, 0, 0)
    assert found.num_retests == len(hips)


def test_what_is_detectable_follows_from_the_noise(hips):
    rng = np.random.default_rng(3)
    many = hips * 60
    known = {(hip.person.index, hip.side, hip.first): hip.first_mm for hip in hips}
    known |= {(hip.person.index, hip.side, hip.last): hip.last_mm for hip in hips}

    def noisy(person, side, visit):
        return known[person.index, side, visit] + rng.normal(0.1, 0.2)

    found = longitudinal.followed(many, noisy, again=noisy)
    # Two measurements of SD 0.2: 1.96 sqrt(2) 0.2. A bias of both visits cancels.
    assert found.sdc_error_mm == pytest.approx(1.96 * np.sqrt(2) * 0.2, rel=0.12)
    assert found.sdc_retest_mm == pytest.approx(1.96 * np.sqrt(2) * 0.2, rel=0.12)
    assert found.error_mean_mm == pytest.approx(0, abs=0.05)
    assert abs(found.measured.srm.value) < abs(found.true.srm.value)
    shown = longitudinal.longitudinal_part(found, "Noise")
    assert all(table.markdown() for table in shown.tables)
    json.dumps(shown.numbers, default=lambda made: pytest.fail(f"{made} is no number"), allow_nan=False)


def test_hips_without_a_width_are_left_out_and_counted(hips):
    lost = hips[0]

    def without(person, side, visit):
        missing = (person.index, side, visit) == (lost.person.index, lost.side, lost.last)
        return None if missing else exact(person, side, visit)

    found = longitudinal.followed(hips, without)
    assert found.unmeasurable == 1
    assert found.sdc_retest_mm is None
    assert found.measured.num_changes == len(hips) - 1
    assert longitudinal.followed(hips, lambda *_: None) is None
    assert longitudinal.longitudinal_part(found, "Gaps").tables[1].rows[1][1:] == ["", ""]


def test_a_retake_is_another_film_of_the_same_joint(hips):
    hip = hips[0]
    first, inside, marks = longitudinal.drawn_view(hip.person, hip.side, hip.first, SPEC)
    again, _, there = longitudinal.drawn_view(hip.person, hip.side, hip.first, SPEC, retake=1)
    once_more, _, _ = longitudinal.drawn_view(hip.person, hip.side, hip.first, SPEC)
    assert first.shape == inside.shape == SPEC.stored_shape
    np.testing.assert_array_equal(first, once_more)
    assert np.abs(first - again).mean() > 0.01
    exact_mm = hip.person.hip(hip.side, hip.first).landmarks
    for seen in (marks, there):
        roof_mm = np.linalg.norm(seen.points[70] - seen.points[74]) * SPEC.pixel_mm
        assert roof_mm == pytest.approx(np.linalg.norm(exact_mm[70] - exact_mm[74]), abs=1e-6)
