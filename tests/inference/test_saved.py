"""Saved probabilities: what comes back is what went in, whole or not at all, and damage is seen."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from hipjsw.anatomy.landmarks import Side
from hipjsw.inference.saved import SAVED_COLUMNS, ProbsWriter, SavedError, SavedProbs
from hipjsw.jsw.contour import measure_probabilities
from hipjsw.phantom.ideal import ideal_maps
from hipjsw.phantom.population import draw_person

SHAPE = (3, 5, 7)


def a_store(folder, fingerprint="f00"):
    hips = pd.DataFrame({"hip_id": ["ha", "hb", "hc"], "row": [0, 2, 5]}, index=[0, 2, 5])
    return SimpleNamespace(folder=folder, hips=hips, fingerprint=fingerprint, view=SimpleNamespace(pixel_mm=0.4))


@pytest.fixture
def store(tmp_path):
    return a_store(tmp_path / "store")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "out" / "probs"


def maps(seed):
    return np.random.default_rng(seed).random(SHAPE, dtype=np.float32)


def write(folder, store, seeds=(1, 2), rows=(5, 0)):
    with ProbsWriter(folder, store, "test") as writer:
        writer.add(rows[0], maps(seeds[0]), [0.9, 1 / 3, np.nan], spread_mm=0.1, typicality=None)
        writer.add(rows[1], maps(seeds[1]), np.array([0.5, 0.25, 1.0]), spread_mm=None, typicality=0.7)


def test_what_comes_back_is_what_went_in(folder, store):
    write(folder, store)
    saved = SavedProbs.open(folder)
    assert len(saved) == 2
    assert saved.probs.dtype == np.float16
    np.testing.assert_array_equal(saved.probs, np.stack([maps(1), maps(2)]).astype(np.float16))
    expected = pd.DataFrame(
        [[5, "hc", 0.1, np.nan, 0.9, 1 / 3, np.nan], [0, "ha", np.nan, 0.7, 0.5, 0.25, 1.0]], columns=SAVED_COLUMNS
    )
    pd.testing.assert_frame_equal(saved.hips, expected, check_exact=True)
    assert (saved.shape, saved.pixel_mm, saved.part, saved.store_fingerprint) == ((5, 7), 0.4, "test", "f00")
    assert {path.name for path in folder.iterdir()} == {"probs.f16", "hips.csv", "probs.json"}
    assert [path.name for path in folder.parent.iterdir()] == ["probs"]
    saved.require_store(store)


def test_hips_are_on_disk_as_they_come_and_not_in_memory(folder, store):
    with ProbsWriter(folder, store, "test") as writer:
        big = np.zeros((3, 400, 400), dtype=np.float32)  # larger than a file's buffer
        writer.add(0, big, [1, 1, 1])
        assert (folder.with_name("probs.partial") / "probs.f16").stat().st_size >= 0.9 * big.size * 2
        assert not folder.exists()


@pytest.mark.parametrize("pixel_mm", [0.4, 0.8])
def test_measuring_again_gives_the_width(tmp_path, pixel_mm):
    store = a_store(tmp_path)
    halves = [draw_person(5, index).hip(Side.RIGHT, draw_person(5, index).visits[-1]) for index in range(3)]
    drawn = [ideal_maps(half, pixel_mm) for half in halves]
    with ProbsWriter(tmp_path / "probs", store, "test") as writer:
        for row, probs in zip((0, 2, 5), drawn, strict=True):
            writer.add(row, probs, [1, 1, 1])
    for before, after in zip(drawn, SavedProbs.open(tmp_path / "probs").probs, strict=True):
        once, again = (measure_probabilities(probs, pixel_mm) for probs in (before, after.astype(np.float32)))
        assert again.mjsw_mm == pytest.approx(once.mjsw_mm, abs=0.002)


def test_an_error_leaves_nothing_and_keeps_what_was_there(folder, store):
    with pytest.raises(ValueError, match="row 9 is no hip"):
        write(folder, store, rows=(5, 9))
    assert list(folder.parent.iterdir()) == []
    write(folder, store)
    with pytest.raises(ValueError, match="no hip came"), ProbsWriter(folder, store, "test"):
        pass
    assert len(SavedProbs.open(folder)) == 2
    assert [path.name for path in folder.parent.iterdir()] == ["probs"]


def test_new_ones_take_the_place_of_old_ones(folder, store):
    write(folder, store)
    write(folder, store, seeds=(7, 8))
    np.testing.assert_array_equal(SavedProbs.open(folder).probs[0], maps(7).astype(np.float16))
    assert [path.name for path in folder.parent.iterdir()] == ["probs"]


def test_what_an_ended_process_left_is_cleared(folder, store):
    write(folder, store)
    left = folder.with_name("probs.partial")
    left.mkdir()
    (left / "probs.f16").write_bytes(b"half")
    folder.rename(folder.with_name("probs.replaced"))  # ended between two renames
    with pytest.raises(RuntimeError, match="again"), ProbsWriter(folder, store, "test"):
        raise RuntimeError("again")
    assert len(SavedProbs.open(folder)) == 2
    assert [path.name for path in folder.parent.iterdir()] == ["probs"]


@pytest.mark.parametrize("place", ["probs", "probs.partial"])
def test_what_is_not_ours_is_never_removed(folder, store, place):
    foreign = folder.with_name(place) / "thesis.txt"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("dear")
    with pytest.raises(SavedError, match=r"holds thesis\.txt, which saved probabilities do not; move it away"):
        write(folder, store)
    assert foreign.read_text() == "dear"


def flip(path, at=10):
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def change(path, **facts):
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: (folder / "probs.json").unlink(), "holds no saved probabilities; make some"),
        (lambda folder: (folder / "probs.json").write_text("{"), r"probs\.json is missing or damaged"),
        (lambda folder: (folder / "probs.json").write_text("[]"), r"probs\.json is missing or damaged"),
        (lambda folder: change(folder / "probs.json", version=2), "version 2, this program reads version 1"),
        (lambda folder: change(folder / "probs.json", cols=8), r"probs\.f16 is missing or damaged .420 bytes, not 480"),
        (lambda folder: change(folder / "probs.json", sha256={}), "damaged"),
        (lambda folder: flip(folder / "probs.f16"), r"probs\.f16 .*its content is not what was written"),
        (lambda folder: flip(folder / "hips.csv", -3), r"hips\.csv .*its content is not what was written"),
        (lambda folder: (folder / "hips.csv").unlink(), r"damaged .*hips\.csv"),
        (lambda folder: (folder / "probs.f16").write_bytes(b""), r"probs\.f16 .*0 bytes, not 420"),
    ],
)
def test_damage_is_seen_when_opened(folder, store, damage, said):
    write(folder, store)
    damage(folder)
    with pytest.raises(SavedError, match=said):
        SavedProbs.open(folder)


def test_another_store_is_refused(folder, store):
    write(folder, store)
    with pytest.raises(SavedError, match=r"store with fingerprint f00, .* has other; give the store"):
        SavedProbs.open(folder).require_store(a_store(folder, "other"))


@pytest.mark.parametrize(
    ("row", "probs", "said"),
    [
        (1, maps(1), "row 1 is no hip of the store"),
        (0, maps(1), "row 0 was added already"),
        (2, maps(1)[:2], r"are \(3, rows, cols\), those before \(5, 7\); got \(2, 5, 7\)"),
        (2, maps(1)[:, :4], r"got \(3, 4, 7\)"),
        (2, maps(1) + 0.5, r"row 2 has probabilities outside \[0, 1\]"),
        (2, np.full(SHAPE, np.nan), r"row 2 has probabilities outside \[0, 1\]"),
    ],
)
def test_what_is_no_hip_s_probabilities_is_refused(folder, store, row, probs, said):
    with ProbsWriter(folder, store, "test") as writer:
        writer.add(0, maps(1), [1, 1, 1])
        with pytest.raises(ValueError, match=said):
            writer.add(row, probs, [1, 1, 1])
    assert len(SavedProbs.open(folder)) == 1  # what was refused left no trace
    with pytest.raises(ValueError, match="the writer is closed"):
        writer.add(2, maps(1), [1, 1, 1])
