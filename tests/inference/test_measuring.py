"""What is measured on each hip, and what is learnt of how far that errs."""

from dataclasses import replace

import numpy as np
import pytest

from hipjsw.inference.measuring import HipRecord, Judgement, Measurer, fit_judgement
from hipjsw.jsw.calibration import Calibration
from hipjsw.jsw.contour import measure_probabilities
from hipjsw.jsw.profile import JointSpaceWidth, Unmeasurable
from hipjsw.jsw.study import study_width
from hipjsw.jsw.surface import surface_agreement
from hipjsw.statistics.typicality import Typicality

STRUCTURES = {"femur", "acetabulum", "joint_space", "head_bearing", "roof_bearing"}
#: Adds 0.25 mm to every width.
SHIFTING = Calibration(
    "truth", 30, 15, (), (0.25, 0.0), (0.1, 0.0, 0.0), tuple(np.linspace(0, 3, 101)), 2.0, (0.2, 0.4)
)
#: Typical is what lies on the first axis, give or take 2.
LINE = Typicality(np.zeros(2), np.ones(2), np.array([[1.0, 0.0]]), 2.0 / np.sqrt(2))


def record(store, row, **more):
    return replace(Measurer(store, borders=False)(store.output(row)), **more)


def test_the_label_as_prediction_is_measured_as_the_label(circle_store):
    store = circle_store()
    for row, known in zip((0, 2, 4), store.hips["mjsw_truth_mm"], strict=True):
        found = Measurer(store)(store.output(row))
        label = Measurer(store).label(row)
        assert found.row == row
        assert found.width.mjsw_mm == found.raw_mm == pytest.approx(known, abs=0.05)
        assert label.mjsw_mm == pytest.approx(known, abs=0.02)
        # label and prediction stand in one frame, the view's without its margin
        assert np.linalg.norm(found.width.centre_mm - label.centre_mm) < 0.3
        assert np.linalg.norm(label.roof_mm - found.width.roof_witness_mm, axis=1).min() < 0.2
        assert (found.spread_mm, found.typicality, found.embedding, found.label_mm) == (None, None, None, None)
        assert set(found.surface) == STRUCTURES
        assert max(agreement.assd_mm for agreement in found.surface.values()) < 1e-6
        assert found.study.width_px == found.study_label.width_px > 0


def test_dice_and_embedding_are_passed_on_and_nothing_is_judged_unasked(circle_store):
    store = circle_store()
    output = store.output(2, embedding=[1.0, 2.0])
    found = Measurer(store, borders=False)(output)
    assert found.dice is output.dice
    np.testing.assert_array_equal(found.embedding, [1.0, 2.0])
    assert (found.surface, found.study, found.study_label) == ({}, None, None)


def test_borders_are_those_of_the_averaged_probabilities_and_masks_the_unmoved_ones(circle_store):
    store = circle_store()
    output = store.output(2, looks=2, moved_px=4)
    found = Measurer(store)(output)
    mean = output.looks.mean(axis=0)
    assert found.surface["femur"] == surface_agreement(mean[0], output.target[0], 0.8)
    assert found.surface["femur"].assd_mm > 0.5
    assert found.study.width_px == study_width(output.masks, 0.8).width_px == found.study_label.width_px


def test_the_study_s_label_is_the_largest_class_of_each_pixel(circle_store):
    store = circle_store()
    output = store.output(2)
    empty = replace(output, masks=np.zeros_like(output.masks))
    found = Measurer(store)(empty)
    assert isinstance(found.study, Unmeasurable)
    assert found.study_label.width_px == study_width(output.masks, 0.8).width_px


def test_pixels_without_a_class_and_with_several_are_counted_in_the_unmoved_look(circle_store):
    store = circle_store()
    output = store.output(2, looks=2, moved_px=4)
    pixels = output.masks[0].size
    found = Measurer(store)(output)
    assert (found.unlabelled, found.multiple) == (0.0, 0.0)  # the largest class of each pixel, and no other
    labelled = int(output.masks.any(axis=0).sum())
    nothing = Measurer(store, borders=False)(replace(output, masks=np.zeros_like(output.masks)))
    assert (nothing.unlabelled, nothing.multiple) == (pytest.approx(labelled / pixels), 0.0)
    everything = Measurer(store, borders=False)(replace(output, masks=np.ones_like(output.masks)))
    assert (everything.unlabelled, everything.multiple) == (0.0, 1.0)

    masks = output.masks.copy()
    (row, col), (other_row, other_col) = np.argwhere(masks[2])[[0, -1]]
    masks[:, row, col] = False  # a pixel of the joint space that nothing claims
    masks[:2, other_row, other_col] = True  # one that all three claim
    background = np.argwhere(~output.masks.any(axis=0))[0]
    masks[:2, *background] = True  # and one of the background that two do
    found = Measurer(store)(replace(output, masks=masks))
    assert found.unlabelled == pytest.approx(1 / pixels)
    assert found.multiple == pytest.approx(2 / pixels)


def test_equal_looks_have_no_spread_and_say_what_one_says(circle_store):
    store = circle_store()
    one, many = (Measurer(store, borders=False)(store.output(2, looks=n)) for n in (1, 5))
    assert one.spread_mm is None
    assert many.spread_mm == pytest.approx(0.0, abs=1e-12)
    assert many.width.mjsw_mm == pytest.approx(one.width.mjsw_mm, abs=1e-4)  # float32 means


def test_the_spread_is_that_of_the_looks_own_minima(circle_store):
    store = circle_store((2.0, 3.0, 5.0))
    output = replace(store.output(0), looks=np.stack([store.probs(row) for row in (0, 2, 4)]))
    found = Measurer(store, borders=False)(output)
    minima = [measure_probabilities(look, 0.8).mjsw_mm for look in output.looks]
    assert found.spread_mm == pytest.approx(np.std(minima, ddof=1), abs=1e-12)
    assert found.width.mjsw_mm == measure_probabilities(output.looks.mean(axis=0), 0.8).mjsw_mm


def test_looks_that_cannot_be_measured_are_left_out_of_the_spread(circle_store):
    store = circle_store()
    probs = store.probs(2)
    nothing = np.zeros_like(probs)
    measurer = Measurer(store, borders=False)
    both = measurer(replace(store.output(2), looks=np.stack([probs, nothing, probs])))
    assert both.spread_mm == pytest.approx(0.0, abs=1e-12)
    assert measurer(replace(store.output(2), looks=np.stack([probs, nothing]))).spread_mm is None
    none = Measurer(store)(replace(store.output(2), looks=nothing[None]))
    assert isinstance(none.width, Unmeasurable)
    assert (none.raw_mm, none.spread_mm) == (None, None)
    assert none.surface["femur"].assd_mm is None


@pytest.mark.parametrize("region", ["arc40", "thirds"])
def test_another_region_has_the_label_s_width_of_that_region(circle_store, region):
    store = circle_store()
    measurer = Measurer(store, region, borders=False)
    found = measurer(store.output(2))
    assert found.label_mm == measurer.label(2).mjsw_mm
    assert found.width.mjsw_mm == pytest.approx(found.label_mm, abs=0.05)
    assert found.label_mm > Measurer(store).label(2).mjsw_mm + 0.005


def test_a_label_without_a_width_is_undefined_and_no_number(circle_store):
    store = circle_store()
    store.landmarks_px[2, 70:75] = store.landmarks_px[2, 70] + 0.01 * np.arange(5)[:, None]  # a sourcil of no length
    measurer = Measurer(store, "arc40", borders=False)
    assert isinstance(measurer.label(2), Unmeasurable)
    assert np.isnan(measurer(store.output(2)).label_mm)


def test_nothing_known_changes_nothing(circle_store):
    store = circle_store()
    before = record(store, 2, embedding=np.array([9.0, 9.0], np.float32))
    (after,) = Judgement()([before])
    assert after.width is before.width
    assert after.typicality is None


def test_a_calibration_corrects_the_width_and_leaves_what_was_measured(circle_store):
    store = circle_store()
    before = record(store, 2, spread_mm=0.1)
    (after,) = Judgement(SHIFTING)([before])
    assert after.width.mjsw_mm == pytest.approx(before.width.mjsw_mm + 0.25)
    assert after.raw_mm == before.raw_mm == before.width.mjsw_mm
    low, high = after.width.interval_mm
    assert (low + high) / 2 == pytest.approx(after.width.mjsw_mm)
    assert high - low == pytest.approx(2 * 2.0 * 0.1)
    assert after.width.band_mm.shape == (2, len(after.width.profile_mm))
    assert 0.5 <= after.width.quality <= 1


def test_the_spread_reaches_the_calibration(circle_store):
    store = circle_store()
    by_spread = Judgement(replace(SHIFTING, scale=(0.05, 1.0, 0.0)))
    sharp, rough, lost, unknown = (
        by_spread([record(store, 2, spread_mm=spread)])[0].width for spread in (0.0, 0.1, 5.0, None)
    )
    assert np.ptp(sharp.interval_mm) == pytest.approx(0.2)
    assert np.ptp(rough.interval_mm) == pytest.approx(0.6)
    assert lost.reason.startswith("too uncertain")
    assert unknown.reason.startswith("too uncertain")


@pytest.mark.parametrize(("across", "typical"), [(0.0, True), (1.9, True), (2.1, False), (-50.0, False)])
def test_a_hip_unlike_the_known_ones_is_refused_with_its_reason(circle_store, across, typical):
    store = circle_store()
    before = record(store, 2, embedding=np.array([30.0, across], np.float32))
    (after,) = Judgement(SHIFTING, LINE)([before])
    assert after.typicality == pytest.approx(abs(across) / 2, rel=1e-5)
    assert isinstance(after.width, JointSpaceWidth) == typical
    if not typical:
        assert after.width.reason.startswith("unlike the hips the network knows")
        assert after.raw_mm == before.raw_mm  # what was measured is still told


def test_a_distance_kept_from_before_is_believed_where_there_is_no_embedding(circle_store):
    store = circle_store()
    far, near, unknown = (record(store, 2, typicality=distance) for distance in (1.01, 0.99, None))
    for judgement in (Judgement(), Judgement(SHIFTING, LINE)):
        widths = [judged.width for judged in judgement([far, near, unknown])]
        assert [isinstance(width, Unmeasurable) for width in widths] == [True, False, False]


def test_a_hip_that_was_not_measured_keeps_its_own_reason():
    before = HipRecord(0, np.ones(3), Unmeasurable("no femur found"), embedding=np.array([0.0, 99.0], np.float32))
    (after,) = Judgement(SHIFTING, LINE)([before])
    assert after.width.reason == "no femur found"
    assert after.typicality > 1


def many(circle_store, number=30, seed=0):
    rng = np.random.default_rng(seed)
    store = circle_store(tuple(rng.uniform(1.0, 6.0, number)))
    features = rng.normal(size=(number, 4)) @ np.diag([5.0, 3.0, 1.0, 0.1])
    measurer = Measurer(store, borders=False)
    records = [
        measurer(store.output(row, embedding=feature)) for row, feature in zip(store.hips["row"], features, strict=True)
    ]
    return measurer, records


def test_a_judgement_learns_the_exact_width_where_every_hip_has_one(circle_store):
    measurer, records = many(circle_store)
    store = measurer.store
    records = [
        replace(r, width=replace(r.width, mjsw_mm=r.width.mjsw_mm + 0.3), raw_mm=r.raw_mm + 0.3) for r in records
    ]
    store.hips["mjsw_mm"] = 99.0  # never asked
    judgement = fit_judgement(records, measurer)
    assert (judgement.calibration.reference, judgement.calibration.num_hips) == ("truth", 30)
    assert judgement.calibration.num_persons == 15
    errors = [
        judged.width.mjsw_mm - store.hips["mjsw_truth_mm"].loc[judged.row]
        for judged in judgement(records)
        if isinstance(judged.width, JointSpaceWidth)
    ]
    assert len(errors) >= 28
    assert abs(np.mean(errors)) < 0.03


def test_it_learns_the_label_s_width_where_one_exact_width_is_missing(circle_store):
    measurer, records = many(circle_store)
    store = measurer.store
    store.hips.loc[4, "mjsw_truth_mm"] = np.nan
    assert fit_judgement(records, measurer).calibration.reference == "label"


def test_for_another_region_the_exact_minimum_over_the_sourcil_is_no_reference(circle_store):
    plain, records = many(circle_store)
    store, measurer = plain.store, Measurer(plain.store, "arc40", borders=False)
    assert fit_judgement([measurer(store.output(r.row)) for r in records], measurer).calibration.reference == "label"


def test_hips_without_a_width_are_not_learnt_from(circle_store):
    measurer, records = many(circle_store)
    lost = [replace(r, width=Unmeasurable("x"), raw_mm=None) if n < 3 else r for n, r in enumerate(records)]
    assert fit_judgement(lost, measurer).calibration.num_hips == 27
    lost = [replace(r, width=Unmeasurable("x"), raw_mm=None) if n < 6 else r for n, r in enumerate(records)]
    few = fit_judgement(lost, measurer)
    assert few.calibration is None  # 24 of 30
    assert few.typicality is not None  # which asks for no width


def test_typicality_asks_every_hip_s_embedding(circle_store):
    measurer, records = many(circle_store)
    assert fit_judgement([replace(records[0], embedding=None), *records[1:]], measurer).typicality is None
    known = fit_judgement(records, measurer).typicality
    assert (known.distance(np.stack([r.embedding for r in records])) < 1).mean() > 0.9
    assert known.distance(np.array([[0.0, 0.0, 0.0, 99.0]])) > 1


def test_of_no_hips_nothing_is_learnt(circle_store):
    judgement = fit_judgement([], Measurer(circle_store(), borders=False))
    assert (judgement.calibration, judgement.typicality) == (None, None)


def test_what_is_learnt_does_not_depend_on_the_order_of_the_hips(circle_store):
    measurer, records = many(circle_store)
    forth, back = (fit_judgement(given, measurer) for given in (records, records[::-1]))
    assert forth.calibration.line_mm == pytest.approx(back.calibration.line_mm, abs=1e-9)
    assert forth.calibration.factor == pytest.approx(back.calibration.factor, abs=1e-9)
    assert forth.typicality.limit == pytest.approx(back.typicality.limit, abs=1e-9)
