"""Labels redrawn from landmarks are those of preparing the films, byte for byte."""

import dataclasses

import numpy as np
import pytest

from hipjsw.anatomy.labels import LABELS
from hipjsw.cohort.relabelling import relabel
from hipjsw.cohort.store import Store, StoreError
from hipjsw.cohort.writing import prepare_cohort

OTHER = [name for name in LABELS if name != "study"]


@pytest.mark.parametrize("labels", OTHER)
@pytest.mark.parametrize("judge_padding", [False, True])
def test_redrawn_they_are_those_of_the_films(some_films, coarse, options, tmp_path, content, labels, judge_padding):
    view = dataclasses.replace(coarse, judge_padding=judge_padding, rows_px=400)  # beyond the film's border
    study = dataclasses.replace(options, view=view)
    folder = some_films(4, tables=True)
    made, _ = prepare_cohort(folder, tmp_path / "study", study)
    wanted, _ = prepare_cohort(folder, tmp_path / "wanted", dataclasses.replace(study, labels=labels))
    told = []
    other = relabel(made, tmp_path / "other", labels, lambda done, total: told.append((done, total)))
    assert content(other.folder) == content(wanted.folder)
    assert not np.array_equal(other.planes, made.planes)
    assert (made.planes[:, 3] == 0).any() != judge_padding
    assert told == [(n, 8) for n in range(1, 9)]
    assert content(relabel(other, tmp_path / "back", "study").folder) == content(made.folder)


def test_the_same_labels_make_the_same_store(store, tmp_path, content):
    again = relabel(store, tmp_path / "again", "study", workers=2)
    assert content(again.folder) == content(store.folder)
    before = {p.name: p.stat().st_mtime_ns for p in again.folder.iterdir()}
    assert relabel(store, tmp_path / "again", "study").fingerprint == store.fingerprint
    assert {p.name: p.stat().st_mtime_ns for p in again.folder.iterdir()} == before


def test_a_stores_own_key_goes_with_it(some_films, options, tmp_path):
    made, _ = prepare_cohort(some_films(3), tmp_path / "own", options)
    again = relabel(made, tmp_path / "again", "study")
    assert (again.folder / "id.key").read_bytes() == (made.folder / "id.key").read_bytes()
    assert (again.folder / "id.key").stat().st_mode & 0o777 == 0o600


def test_interrupted_nothing_is_taken_for_a_store(store, tmp_path):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        relabel(store, tmp_path / "other", "study", stop)
    with pytest.raises(StoreError, match="is no store"):
        Store.open(tmp_path / "other")
    relabel(store, tmp_path / "other", "study")
    assert [p.name for p in tmp_path.iterdir()] == ["other"]


def test_what_lies_in_the_place_is_left_alone(store, copy_store, tmp_path):
    with pytest.raises(ValueError, match="labels is one of study"):
        relabel(store, tmp_path / "other", "none such")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/letter").write_text("mine")
    with pytest.raises(StoreError, match="is no store"):
        relabel(store, tmp_path / "mine", "study")
    if OTHER:
        with pytest.raises(StoreError, match="holds another store"):
            relabel(store, store.folder, OTHER[0])


def test_landmarks_that_give_no_labels_are_refused(copy_store, tmp_path):
    folder = copy_store()
    points = np.fromfile(folder / "landmarks.f64").reshape(-1, 80, 2)
    points[3, [20, 25]] = points[3, [25, 20]]
    (folder / "landmarks.f64").unlink()
    points.tofile(folder / "landmarks.f64")
    with pytest.raises(StoreError, match=r"a hip has no labels=study .*prepare the films"):
        relabel(Store.open(folder), tmp_path / "other", "study")


@pytest.mark.parametrize("table", ["hips.csv", "records.jsonl"])
def test_a_damaged_table_is_named_where_it_lies_and_not_copied(copy_store, tmp_path, table):
    damaged = copy_store("damaged")
    path = damaged / table
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(StoreError, match=f"damaged/{table}.*prepare it again"):
        relabel(Store.open(damaged), tmp_path / "new", "partial")
    assert not (tmp_path / "new").exists()
