"""The store: whole, absent or refused; rows, parts, arrays."""

import dataclasses
import json
import pickle

import numpy as np
import pytest

from hipjsw.cohort.geometry import covered, unpacked
from hipjsw.cohort.split import SplitError, SplitSpec
from hipjsw.cohort.store import STORE_VERSION, Store, StoreError, row_bytes

ARRAYS = ("images.u16", "planes.u8", "landmarks.f64", "geometry.f64")


def edit(path, **change):
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))


def test_arrays_are_as_described(store):
    assert store.num_hips == 28
    rows, cols = store.view.stored_shape
    assert (rows, cols) == (144, 144)
    assert (store.images.shape, store.images.dtype) == ((28, rows, cols), np.uint16)
    assert (store.planes.shape, store.planes.dtype) == ((28, 4, rows, cols), np.uint8)
    assert (store.landmarks_px.shape, store.landmarks_px.dtype) == ((28, 80, 2), np.float64)
    assert (store.geometry.shape, store.geometry.dtype) == ((28, 8), np.float64)
    sizes = {name: (store.folder / name).stat().st_size for name in ARRAYS}
    assert sizes == {name: 28 * size for name, size in row_bytes((rows, cols)).items()}
    # Soft shares: they sum to no more than all, but for rounding, and some lie between.
    shares = store.planes[:, :3].astype(int)
    assert shares.sum(axis=1).max() <= 256
    assert ((shares > 0) & (shares < 255)).any(axis=(2, 3)).all()
    assert store.images.max() == 65535
    assert store.images.min() == 0


def test_arrays_cannot_be_written_through(store):
    with pytest.raises(ValueError, match="read-only"):
        store.images[0, 0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        store.planes[0, 0, 0, 0] = 1


def test_landmarks_lie_on_the_planes_of_the_same_row(store):
    for row in range(0, store.num_hips, 5):
        centre = np.round(store.landmarks_px[row, 18:28].mean(axis=0)).astype(int)
        assert store.planes[row, 0, centre[0], centre[1]] == 255
        width = store.hips["mjsw_mm"][row]
        assert np.isfinite(width)


def test_parts_are_of_persons_in_dealing_order_and_share_no_row(store):
    persons = store.hips["person"]
    rows = {part: store.rows(part) for part in ("train", "val", "test")}
    together = [r for part in rows.values() for r in part]
    assert sorted(together) == list(range(store.num_hips))
    for part, some in rows.items():
        dealt = list(dict.fromkeys(persons[r] for r in some))
        assert dealt == list(getattr(store.split, part))


def test_the_geometry_tells_what_of_the_view_the_film_covers(store):
    for row, numbers in enumerate(store.geometry):
        view, film_shape = unpacked(numbers, store.view.stored_shape)
        assert view.mirrored == (store.hips["side"][row] == "left")
        np.testing.assert_array_equal(store.planes[row, 3] == 255, covered(view, film_shape))


def test_a_split_is_not_in_the_store_and_must_be_dealt(store):
    opened = Store.open(store.folder)
    for ask in (lambda: opened.split, lambda: opened.rows("train")):
        with pytest.raises(StoreError, match="without a split"):
            ask()
    dealt = opened.dealt(SplitSpec(seed=4))
    assert dealt.split == opened.dealt(SplitSpec(seed=4)).split
    assert len({opened.dealt(SplitSpec(seed=seed, given=False)).split for seed in range(5)}) > 1
    again = pickle.loads(pickle.dumps(dealt))
    assert again.rows("train") == dealt.rows("train")
    with pytest.raises(StoreError, match="without a split"):
        _ = opened.split


def test_hips_left_out_keep_their_place_in_the_arrays(copy_store, store):
    folder = copy_store()
    header, *lines = (folder / "hips.csv").read_text().splitlines()
    status = header.split(",").index("status")
    cells = [line.split(",") for line in lines]
    for n in (0, 1, 5):
        cells[n][status] = "excluded"
    (folder / "hips.csv").write_text("\n".join([header, *map(",".join, cells)]) + "\n")
    edit(folder / "store.json", num_hips=25)
    fewer = Store.open(folder).dealt(SplitSpec())
    assert list(fewer.hips.index) == [2, 3, 4, *range(6, 28)]
    assert list(fewer.hips["hip_id"]) == list(store.hips["hip_id"][fewer.hips.index])
    dealt = sorted(row for part in ("train", "val", "test") for row in fewer.rows(part))
    assert dealt == list(fewer.hips.index)
    for row in fewer.rows("train"):
        assert fewer.hips["person"][row] in fewer.split.train
    assert fewer.images.shape == store.images.shape


@pytest.mark.parametrize("name", ["NA", "null", "None", "007"])
def test_a_cohort_may_have_any_name(copy_store, name):
    folder = copy_store()
    text = (folder / "hips.csv").read_text()
    assert ",OAI," in text
    (folder / "hips.csv").write_text(text.replace(",OAI,", f",{name},"))
    opened = Store.open(folder)
    assert set(opened.hips["dataset"]) == {"CHECK", name}
    split = opened.dealt(SplitSpec(kind="by_cohort", train_on="CHECK", test_on=name)).split
    assert set(split.test) == set(opened.hips["person"][opened.hips["dataset"] == name])


@pytest.mark.parametrize("row", ["28", "-1", "0"])
def test_rows_that_the_arrays_do_not_have_or_have_once_are_refused(copy_store, row):
    folder = copy_store()
    lines = (folder / "hips.csv").read_text().splitlines()
    cells = lines[-1].split(",")
    cells[lines[0].split(",").index("row")] = row
    (folder / "hips.csv").write_text("\n".join([*lines[:-1], ",".join(cells)]) + "\n")
    with pytest.raises(StoreError, match=r"hips\.csv"):
        _ = Store.open(folder).hips


def test_records_are_those_of_the_films(store, copy_store):
    assert sum(len(record.hips) for record in store.records) == 28
    folder = copy_store()
    (folder / "records.jsonl").write_text("{}\n")
    with pytest.raises(StoreError, match=r"records\.jsonl"):
        _ = Store.open(folder).records


@pytest.mark.parametrize("wanted", [0, 1, 5, 9, 1000])
def test_a_smaller_set_is_the_beginning_of_a_larger(store, wanted):
    assert store.rows("train", wanted) == store.rows("train")[:wanted]


def test_a_folder_that_is_no_store_is_refused_with_advice(tmp_path):
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(StoreError, match=r"python -m hipjsw\.prepare"):
            Store.open(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "7", '"text"', "\x00\x01"])
def test_a_damaged_description_is_refused(copy_store, text):
    folder = copy_store()
    (folder / "store.json").write_text(text)
    with pytest.raises(StoreError, match="damaged"):
        Store.open(folder)


@pytest.mark.parametrize("version", [0, STORE_VERSION + 1, "1", None])
def test_another_version_is_refused(copy_store, version):
    folder = copy_store()
    edit(folder / "store.json", store_version=version)
    with pytest.raises(StoreError, match=f"version {version}, this program reads version {STORE_VERSION}"):
        Store.open(folder)


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("damage", ["short", "long", "absent"])
def test_an_array_of_another_size_is_refused_by_name(copy_store, name, damage):
    folder = copy_store()
    path = folder / name
    data = path.read_bytes()
    path.unlink()
    if damage != "absent":
        path.write_bytes(data[:-1] if damage == "short" else data + b"\0")
    with pytest.raises(StoreError, match=name):
        Store.open(folder)


def test_a_number_of_rows_the_arrays_do_not_hold_is_refused(copy_store):
    folder = copy_store()
    edit(folder / "store.json", num_rows=27)
    with pytest.raises(StoreError, match="cut short"):
        Store.open(folder)


def test_tables_that_do_not_match_the_arrays_are_refused(copy_store):
    folder = copy_store()
    lines = (folder / "hips.csv").read_text().splitlines()
    (folder / "hips.csv").write_text("\n".join(lines[:-1]) + "\n")
    with pytest.raises(StoreError, match="lists 27 usable hips, the arrays 28"):
        _ = Store.open(folder).hips


def test_a_person_whom_the_cohort_gives_to_two_parts_is_refused(copy_store):
    folder = copy_store()
    header, *lines = (folder / "hips.csv").read_text().splitlines()
    given = header.split(",").index("given_part")
    cells = [line.split(",") for line in lines]
    cells[0][given], cells[1][given] = "train", "test"
    (folder / "hips.csv").write_text("\n".join([header, *map(",".join, cells)]) + "\n")
    with pytest.raises(SplitError, match="more than one given_part"):
        Store.open(folder).dealt(SplitSpec())


def test_a_hip_without_truth_has_none_and_keeps_its_row(copy_store, store):
    folder = copy_store()
    lines = (folder / "truth.csv").read_text().splitlines()
    (folder / "truth.csv").write_text("\n".join([lines[0], *lines[3:]]) + "\n")
    hips = Store.open(folder).hips
    assert list(hips["hip_id"]) == list(store.hips["hip_id"])
    assert hips["mjsw_truth_mm"].isna().tolist() == [True, True] + [False] * 26


def test_truth_in_another_order_goes_to_its_hips(copy_store, store):
    folder = copy_store()
    lines = (folder / "truth.csv").read_text().splitlines()
    (folder / "truth.csv").write_text("\n".join([lines[0], *lines[:0:-1]]) + "\n")
    assert Store.open(folder).hips["mjsw_truth_mm"].tolist() == store.hips["mjsw_truth_mm"].tolist()


def test_the_view_it_was_made_with_is_the_view_it_gives(store, coarse):
    assert store.view == coarse
    store.require_view(coarse)
    other = dataclasses.replace(coarse, name="hip", pixel_mm=0.4)
    with pytest.raises(StoreError, match=r"pixel_mm.*view=coarse"):
        store.require_view(other)


@pytest.mark.parametrize("change", [{"view": {}}, {"view": None}, {"num_hips": "many"}])
def test_a_description_that_lacks_something_is_refused(copy_store, change):
    folder = copy_store()
    edit(folder / "store.json", **change)
    with pytest.raises(StoreError):
        Store.open(folder)


@pytest.mark.parametrize("name", ["hips.csv", "truth.csv"])
@pytest.mark.parametrize("text", [None, "", "{}"])
def test_a_missing_or_damaged_table_is_refused(copy_store, name, text):
    folder = copy_store()
    (folder / name).unlink()
    if text is not None:
        (folder / name).write_text(text)
    elif name == "truth.csv":
        assert Store.open(folder).hips["mjsw_truth_mm"].isna().all()
        return
    with pytest.raises(StoreError, match=name):
        _ = Store.open(folder).hips
