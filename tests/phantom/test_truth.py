"""The exact truth of a hip against brute force and against itself."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import shapely

from hipjsw.anatomy.landmarks import Side
from hipjsw.phantom.form import HipForm
from hipjsw.phantom.population import draw_person
from hipjsw.phantom.shape import CONTACT_MM, Hip
from hipjsw.phantom.truth import PROFILE_PLACES, HipTruth, hip_truth

PERSONS = [draw_person(17, index) for index in range(150)]


@cache
def known() -> list[tuple[Hip, HipTruth]]:
    hips = [Hip(person.form(side, person.visits[-1])) for person in PERSONS for side in Side]
    return [(hip, hip_truth(hip)) for hip in hips]


def plain(**changes: object) -> HipForm:
    """A hip whose head and roof are arcs of concentric circles."""
    shared = {"head_waves_mm": (0.0, 0.0), "dip_mm": 0.0, "trend_mm": 0.0, "cam_mm": 0.0, "head_grain": ()}
    form = replace(PERSONS[0].hips[Side.RIGHT], roof_grain=(), roof_dips=(), edge_deg=30.0, medial_deg=30.0, **shared)
    return replace(form, fovea=form.flattening, flattening=form.flattening._replace(depth_mm=0.0), **changes)


def brute_profile(hip: Hip) -> np.ndarray:
    """Distances at equal arc length, from dense chains alone."""
    roof = hip.sourcil.at(np.linspace(0.0, hip.sourcil.knots[-1], 20_001))
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(roof, axis=0), axis=1))])
    wanted = np.linspace(0.0, arc[-1], PROFILE_PLACES)
    places = np.column_stack([np.interp(wanted, arc, roof[:, axis]) for axis in (0, 1)])
    head = shapely.LineString(hip.femur.at(np.linspace(*hip.head_span, 5_001)))
    return shapely.distance(head, shapely.points(places))


def test_profile_is_what_brute_force_finds() -> None:
    for hip, truth in known()[::6]:
        assert truth.profile_mm.shape == (PROFILE_PLACES,)
        np.testing.assert_allclose(truth.profile_mm, brute_profile(hip), atol=CONTACT_MM)


def test_minimum_is_the_hips_own_and_never_above_the_profile() -> None:
    for hip, truth in known():
        assert truth.mjsw_mm == hip.mjsw_mm
        assert truth.mjsw_mm <= truth.profile_mm.min()
        assert truth.profile_mm.min() - truth.mjsw_mm < 0.02


def test_place_is_where_the_profile_is_least() -> None:
    for _, truth in known():
        assert 0.0 <= truth.place <= 1.0
        at = np.interp(truth.place, np.linspace(0.0, 1.0, PROFILE_PLACES), truth.profile_mm)
        assert at == pytest.approx(truth.mjsw_mm, abs=0.02)


def test_concentric_circles_have_a_flat_profile() -> None:
    truth = hip_truth(Hip(plain(min_width_mm=3.25)))
    np.testing.assert_allclose(truth.profile_mm, 3.25, atol=1e-5)
    for value in (truth.mjsw_mm, truth.p5_mm, truth.mean_mm, truth.median_mm, truth.lateral_mm, truth.central_mm):
        assert value == pytest.approx(3.25, abs=1e-5)
    assert truth.centre_edge_deg == pytest.approx(30.0, abs=1e-6)


def test_a_mirrored_trend_mirrors_the_profile() -> None:
    one, other = (hip_truth(Hip(plain(min_width_mm=2.0, trend_mm=trend))) for trend in (1.0, -1.0))
    np.testing.assert_allclose(one.profile_mm, other.profile_mm[::-1], atol=2e-4)
    assert one.place + other.place == pytest.approx(1.0, abs=1e-3)
    assert (one.lateral_mm, one.medial_mm) == pytest.approx((other.medial_mm, other.lateral_mm), abs=2e-4)


def test_widening_a_joint_raises_the_whole_profile() -> None:
    for hip, truth in known()[:60]:
        wider = hip_truth(Hip(replace(hip.form, min_width_mm=hip.form.min_width_mm + 1.0)))
        assert (wider.profile_mm > truth.profile_mm + 0.8).all()


def test_summaries_keep_their_order_and_the_thirds_make_up_the_mean() -> None:
    for _, truth in known():
        assert truth.mjsw_mm <= truth.p5_mm <= truth.median_mm <= truth.profile_mm.max()
        thirds = truth.lateral_mm, truth.central_mm, truth.medial_mm
        assert np.mean(thirds) == pytest.approx(np.trapezoid(truth.profile_mm) / (PROFILE_PLACES - 1), abs=1e-9)
        assert np.mean(thirds) == pytest.approx(truth.mean_mm, abs=0.02)


def test_centre_edge_angle_is_the_forms() -> None:
    for hip, truth in known():
        assert truth.centre_edge_deg == pytest.approx(hip.form.edge_deg, abs=1e-6)


def test_bone_on_bone_has_a_zero_in_its_truth() -> None:
    for hip, _ in known()[:20]:
        truth = hip_truth(Hip(replace(hip.form, min_width_mm=0.0)))
        assert truth.mjsw_mm == 0.0
        assert 0.0 <= truth.profile_mm.min() < 0.02


def test_truth_is_the_same_twice() -> None:
    hip, truth = known()[3]
    again = hip_truth(Hip(hip.form))
    np.testing.assert_array_equal(again.profile_mm, truth.profile_mm)
    assert again.place == truth.place
