"""Saved probabilities measured again say what the network's said."""

from dataclasses import replace

import numpy as np
import pytest

from hipjsw.inference.measuring import Judgement, Measurer
from hipjsw.inference.saved import ProbsWriter, SavedError, SavedProbs
from hipjsw.inference.saved_records import measure_saved
from hipjsw.jsw.calibration import Calibration
from hipjsw.jsw.profile import Unmeasurable
from hipjsw.statistics.typicality import Typicality

#: Of one look there is no spread to learn from.
BY_SPREAD = {1: 0.0, 3: 0.5}
FEATURES = {0: (1.0, 0.5), 2: (3.0, -1.0), 4: (0.0, 9.0)}  # the last is unlike


@pytest.fixture
def store(circle_store, tmp_path):
    return circle_store(folder=tmp_path / "store")


def judgement(looks):
    scale, ratios = (0.05, BY_SPREAD[looks], 0.0), tuple(np.linspace(0, 3, 101))
    return Judgement(
        Calibration("truth", 30, 15, (), (0.1, 0.02), scale, ratios, 2.0, (0.2, 0.4)),
        Typicality(np.zeros(2), np.ones(2), np.array([[1.0, 0.0]]), 1.0),
    )


def outputs_of(store, looks):
    rng = np.random.default_rng(1)
    for row in store.hips["row"]:
        output = store.output(row, looks=looks, embedding=FEATURES[row])
        noisy = np.clip(output.looks + rng.normal(0, 0.01, output.looks.shape), 0, 1).astype(np.float32)
        yield replace(output, looks=noisy / np.maximum(noisy.sum(axis=1, keepdims=True), 1))


def keep(store, folder, looks=3):
    """What a test does: measure, judge, keep."""
    measurer = Measurer(store)
    records = []
    with ProbsWriter(folder, store, "test") as writer:
        for output in outputs_of(store, looks):
            (found,) = judgement(looks)([measurer(output)])
            writer.add(found.row, output.looks.mean(axis=0), found.dice, found.spread_mm, found.typicality)
            records.append(found)
    return records, SavedProbs.open(folder)


@pytest.mark.parametrize("looks", [1, 3])
def test_saved_records_equal_the_network_s(store, tmp_path, looks):
    before, saved = keep(store, tmp_path / "probs", looks)
    after = judgement(looks)(measure_saved(saved, Measurer(store), [0, 2, 4]))
    assert [record.row for record in after] == [0, 2, 4]
    for one, other in zip(before, after, strict=True):
        assert type(one.width) is type(other.width)
        assert other.raw_mm == pytest.approx(one.raw_mm, abs=0.01)
        assert (other.spread_mm, other.typicality) == (one.spread_mm, one.typicality)
        np.testing.assert_array_equal(other.dice, one.dice)
        assert one.surface.keys() == other.surface.keys()
        for name, agreement in one.surface.items():
            assert other.surface[name].assd_mm == pytest.approx(agreement.assd_mm, abs=0.01)
        assert other.study.width_px == pytest.approx(one.study.width_px)  # the label's masks, noise and all
        assert other.study_label.width_px == one.study_label.width_px
        assert other.label_mm == one.label_mm
        assert one.unlabelled == one.multiple == 0.0
        assert (other.unlabelled, other.multiple) == (None, None)  # the unmoved look's masks are not kept
    for one, other in zip(before[:2], after[:2], strict=True):
        assert other.width.mjsw_mm == pytest.approx(one.width.mjsw_mm, abs=0.01)
        assert other.width.interval_mm == pytest.approx(one.width.interval_mm, abs=0.01)
        assert other.width.quality == pytest.approx(one.width.quality, abs=0.01)
    assert isinstance(after[2].width, Unmeasurable)
    assert after[2].width.reason == before[2].width.reason


def test_hips_come_in_the_order_asked_for_and_only_those(store, tmp_path):
    before, saved = keep(store, tmp_path / "probs")
    by_row = {record.row: record.raw_mm for record in before}
    for wanted in ([4, 0], [2], []):
        found = measure_saved(saved, Measurer(store, borders=False), wanted)
        assert [record.row for record in found] == wanted
        assert [record.raw_mm for record in found] == pytest.approx([by_row[row] for row in wanted], abs=0.01)


def test_saved_probabilities_are_measured_over_another_region_too(store, tmp_path):
    _, saved = keep(store, tmp_path / "probs")
    measurer = Measurer(store, "arc40", borders=False)
    for record in measure_saved(saved, measurer, [0, 2]):
        assert record.raw_mm == pytest.approx(measurer.label(record.row).mjsw_mm, abs=0.1)
        assert record.label_mm == measurer.label(record.row).mjsw_mm


def test_what_was_not_known_stays_unknown(store, tmp_path):
    folder = tmp_path / "probs"
    with ProbsWriter(folder, store, "test") as writer:
        writer.add(2, store.probs(2), [0.5, np.nan, 1.0])
    (record,) = measure_saved(SavedProbs.open(folder), Measurer(store, borders=False), [2])
    assert (record.spread_mm, record.typicality, record.embedding) == (None, None, None)
    np.testing.assert_array_equal(record.dice, [0.5, np.nan, 1.0])


def test_hips_that_were_not_kept_are_counted_and_said(store, tmp_path):
    folder = tmp_path / "probs"
    with ProbsWriter(folder, store, "test") as writer:
        writer.add(2, store.probs(2), [1, 1, 1])
    with pytest.raises(SavedError, match=r"lacks 2 of 3 hips; evaluate again with save_probs=true"):
        measure_saved(SavedProbs.open(folder), Measurer(store), [0, 2, 4])
