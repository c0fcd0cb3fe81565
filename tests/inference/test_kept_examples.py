"""Hips a run keeps: the right ones, shown with just what was measured on them."""

import hashlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipjsw.inference import kept_examples
from hipjsw.inference.evaluation import hip_rows
from hipjsw.inference.kept_examples import Examples, choose_examples, read_examples, write_examples
from hipjsw.inference.measuring import Measurer
from hipjsw.jsw.profile import Unmeasurable
from hipjsw.learning.augment import CentreCrop
from hipjsw.learning.data import HipDataset


def table_of(dice, status=None, ids=None):
    columns = {f"dice_{name}": np.asarray(dice, float) for name in ("femur", "acetabulum", "joint_space")}
    status = ["measured"] * len(dice) if status is None else status
    return pd.DataFrame({"hip_id": ids or [f"h{n:03d}" for n in range(len(dice))], "status": status, **columns})


def kept(table, kind):
    return [table["hip_id"].iloc[position] for said, position in choose_examples(table) if said == kind]


def test_worst_are_the_unmeasurable_then_those_of_the_lowest_dice():
    dice = [0.9, 0.2, 0.5, np.nan, 0.8]
    table = table_of(dice, ["measured", "measured", "unmeasurable", "measured", "unmeasurable"])
    assert kept(table, "worst") == ["h002", "h004", "h003", "h001", "h000"]
    assert [kind for kind, _ in choose_examples(table)] == ["worst"] * 5 + ["shared"] * 5


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_worst_are_never_better_than_what_was_left_out_and_shared_ones_do_not_depend_on_the_run(dice, random):
    table = table_of(dice)
    worst = [position for kind, position in choose_examples(table) if kind == "worst"]
    assert len(worst) == len(set(worst)) == min(12, len(dice))
    rest = [value for n, value in enumerate(dice) if n not in worst]
    assert max(dice[n] for n in worst) <= min(rest, default=1.0)
    order = list(range(len(dice)))
    random.shuffle(order)
    other = table_of(np.random.default_rng(0).random(len(dice)), ["unmeasurable"] * len(dice)).iloc[order]
    shared = kept(table, "shared")
    assert kept(other, "shared") == shared
    assert len(set(shared)) == len(shared) == min(8, len(dice))


def test_shared_are_spread_over_the_test_set_and_fixed_for_good():
    """A hash and no place in the table, spelled out here so that runs of two versions can be compared."""
    table = table_of(np.linspace(0, 1, 500))
    shared = kept(table, "shared")
    assert shared == sorted(table["hip_id"], key=lambda hip: hashlib.sha256(hip.encode()).hexdigest())[:8]
    numbers = [int(hip[1:]) for hip in shared]
    assert max(numbers) - min(numbers) > 250


@pytest.fixture
def make(circle_store, tmp_path):
    """Write and read the examples of three hips, the second unmeasurable; a hip's probabilities are its label's."""

    def make_it(cols_px=112, name="examples.npz", moved_px=0):
        store = circle_store((2.0, 4.0, 6.0), cols_px=cols_px)
        store.images = np.random.default_rng(0).integers(0, 65536, store.planes[:, 0].shape).astype(np.uint16)
        dataset = HipDataset(store, [4, 0, 2], CentreCrop(), seed=0)
        records = [Measurer(store, borders=False)(store.output(row)) for row in dataset.rows]
        records[1] = replace(records[1], width=Unmeasurable("x"))

        def probs_of(position):
            return np.roll(store.probs(dataset.rows[position]), moved_px, axis=1)

        path = tmp_path / name
        write_examples(path, records, hip_rows(records, store), dataset, probs_of)
        return path, store, dataset, records

    return make_it


def test_what_is_kept_is_what_was_seen_and_measured(make):
    path, store, dataset, records = make(moved_px=3)
    found = read_examples(path)
    assert isinstance(found, Examples)
    assert len(found) == 6
    assert list(found.hip_id[:3]) == ["h0", "h4", "h2"]  # unmeasurable first, then of equals the first
    assert list(found.kind) == ["worst"] * 3 + ["shared"] * 3
    assert found.pixel_mm == pytest.approx(0.8)
    assert sorted(found.hip_id[3:]) == ["h0", "h2", "h4"]
    for n, hip in enumerate(found.hip_id):
        row = int(hip[1:])
        record = records[dataset.rows.index(row)]
        np.testing.assert_allclose(found.image[n] / 255, store.images[row, 4:-4, 4:-4] / 65535, atol=0.5 / 255 + 1e-6)
        np.testing.assert_array_equal(found.label[n], store.planes[row, :3, 4:-4, 4:-4])
        np.testing.assert_array_equal(found.probs[n], np.roll(found.label[n], 3, axis=1))
        if row == 0:
            assert np.isnan(found.witness_px[n]).all()
        else:
            assert np.linalg.norm(np.diff(found.witness_px[n] * 0.8, axis=0)) == pytest.approx(record.raw_mm, abs=1e-3)


def test_the_witness_points_lie_on_the_borders_that_are_kept(make):
    path, *_ = make()
    found = read_examples(path)
    for n in np.flatnonzero(np.isfinite(found.witness_px).all(axis=(1, 2))):
        for point, border in zip(found.witness_px[n], ("acetabulum", "femur"), strict=True):
            plane = found.label[n][{"femur": 0, "acetabulum": 1}[border]]
            row, col = np.round(point).astype(int)
            around = plane[row - 1 : row + 2, col - 1 : col + 2]
            assert around.min() < 128 < around.max(), border


def test_the_same_run_keeps_the_same_bytes_and_leaves_nothing_else(make, tmp_path):
    one, *_ = make(name="a.npz")
    other, *_ = make(name="b.npz")
    assert one.read_bytes() == other.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npz", "b.npz"]


def test_a_large_view_is_cropped_and_its_points_move_with_it(make, monkeypatch):
    path, *_ = make()
    whole = read_examples(path)
    monkeypatch.setattr(kept_examples, "LARGEST_PX", 96)
    path, *_ = make(name="cropped.npz")
    cropped = read_examples(path)
    assert cropped.image.shape == (6, 96, 96)
    for n in range(6):
        rows, cols = (
            next(k for k in range(whole.image.shape[1 + axis] - 95) if matches(whole, cropped, n, axis, k))
            for axis in (0, 1)
        )
        np.testing.assert_array_equal(cropped.image[n], whole.image[n, rows : rows + 96, cols : cols + 96])
        np.testing.assert_array_equal(cropped.label[n], whole.label[n, :, rows : rows + 96, cols : cols + 96])
        np.testing.assert_array_equal(cropped.probs[n], whole.probs[n, :, rows : rows + 96, cols : cols + 96])
        np.testing.assert_allclose(cropped.witness_px[n], whole.witness_px[n] - [rows, cols], atol=1e-4)
        assert cropped.label[n, 2].sum() == whole.label[n, 2].sum()  # no joint space was cut off


def matches(whole, cropped, n, axis, start):
    """Whether the label's joint space stands at this offset along one axis."""
    profile = whole.label[n, 2].sum(axis=1 - axis, dtype=np.int64)[start : start + 96]
    return np.array_equal(profile, cropped.label[n, 2].sum(axis=1 - axis, dtype=np.int64))


@given(
    st.integers(1, 600),
    st.lists(st.integers(0, 599), max_size=4),
    st.lists(st.integers(0, 599), max_size=4),
)
def test_a_window_lies_in_the_view_and_holds_the_joint_space_where_it_fits(size, foreground, joint):
    joint = np.array(sorted({place for place in joint if place < size}), dtype=np.intp)
    foreground = np.array(sorted({place for place in foreground if place < size} | set(joint)), dtype=np.intp)
    span = kept_examples._span(size, foreground, joint)
    assert 0 <= span.start <= span.stop <= size
    assert span.stop - span.start == min(size, 256)
    for places in (foreground, joint):
        if len(places) and np.ptp(places) < 256 and (places is joint or not len(joint)):
            assert span.start <= places[0] <= places[-1] < span.stop


def test_a_view_without_a_label_keeps_its_middle():
    nothing = np.zeros(0, dtype=np.intp)
    assert kept_examples._span(512, nothing, nothing) == slice(128, 384)


def test_of_no_hips_an_empty_file_is_kept(make, tmp_path):
    _, store, dataset, _ = make()
    path = tmp_path / "none.npz"
    write_examples(path, [], hip_rows([], store), dataset, lambda position: None)
    found = read_examples(path)
    assert len(found) == 0
    assert found.probs.shape == (0, 3, 128, 112)


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 no zip", b"text"])
def test_a_damaged_file_is_named(tmp_path, content):
    path = tmp_path / "examples.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"examples\.npz is missing or damaged; remove the run's folder"):
        read_examples(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("probs", np.zeros((6, 4, 128, 112), np.uint8)),
        ("label", np.zeros((6, 3, 128, 112), np.float32)),
        ("image", np.zeros((6, 128, 111), np.uint8)),
        ("kind", np.array(["worst"])),
        ("hip_id", np.arange(6)),
        ("hip_id", np.array("h0")),
        ("pixel_mm", np.zeros(1, np.float32)),
    ],
)
def test_a_file_of_other_arrays_is_refused(make, name, value):
    path, *_ = make()
    with np.load(path) as held:
        arrays = dict(held)
    np.savez(path, **(arrays | {name: value}))
    with pytest.raises(ValueError, match="another shape or type; train the run again"):
        read_examples(path)
    del arrays[name]
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match="missing or damaged"):
        read_examples(path)
