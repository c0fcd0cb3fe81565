"""A cohort to a store: tables, truth, same bytes, and all that may be wrong on the way."""

import csv
import dataclasses
import json
import os
import stat

import numpy as np
import pandas as pd
import pydicom
import pytest

from hipjsw.anatomy.landmarks import read_points
from hipjsw.cohort.layout import CohortError, find_films
from hipjsw.cohort.privacy import person_id, phantom_key
from hipjsw.cohort.split import SplitError, SplitSpec
from hipjsw.cohort.store import Store, StoreError
from hipjsw.cohort.writing import PrepareSpec, prepare_cohort
from hipjsw.jsw.contour import measure_probabilities
from hipjsw.jsw.profile import JointSpaceWidth

HIPS = ["hip_id", "person", "split", "side", "spacing_mm", "spacing_source", "mjsw_mm", "status", "reason"]
IDENTITIES = ["hip_id", "dataset", "subject", "visit", "side", "film", "points"]
FINDINGS = ["film", "severity", "rule", "message"]


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        return reader.fieldnames, list(reader)


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


# What is written


def test_tables_have_the_columns_agreed_on(store):
    for name, columns in (("hips.csv", HIPS), ("identities.csv", IDENTITIES), ("findings.csv", FINDINGS)):
        assert table(store.folder / name)[0] == columns
    assert table(store.folder / "truth.csv")[0] == ["hip_id", "mjsw_truth_mm"]


def test_every_hip_of_every_film_is_in_both_tables_under_one_id(cohort, store):
    films, _ = find_films(cohort)
    _, hips = table(store.folder / "hips.csv")
    _, identities = table(store.folder / "identities.csv")
    ids = [row["hip_id"] for row in hips]
    assert len(set(ids)) == len(ids) == 2 * len(films)
    assert [row["hip_id"] for row in identities] == ids
    assert [row["side"] for row in hips] == ["right", "left"] * len(films)
    named = [(r["dataset"], r["subject"], r["visit"], r["film"], r["points"]) for r in identities[::2]]
    assert named == [(f.dataset, f.subject, f.visit, f.film, f.points) for f in films]
    for row, name in zip(hips, identities, strict=True):
        assert row["side"] == name["side"]
        assert row["person"] == person_id(phantom_key(3), name["dataset"], name["subject"])
        assert (row["status"], row["reason"], row["spacing_source"]) == ("ok", "", "pixel_spacing")
        assert row["spacing_mm"] in ("0.16896", "0.141", "0.1")
        assert float(row["mjsw_mm"]) >= 0


def test_the_split_is_by_person_and_the_one_of_the_cohort(cohort, store):
    _, hips = table(store.folder / "hips.csv")
    parts = {}
    for row in hips:
        parts.setdefault(row["person"], set()).add(row["split"])
    assert {len(p) for p in parts.values()} == {1}
    content_of = json.loads((store.folder / "split.json").read_text())
    assert {p: {part} for part in ("train", "val", "test") for p in content_of[part]} == parts
    _, named = table(cohort / "split.csv")
    fixed = {person_id(phantom_key(3), row["dataset"], row["subject"]) for row in named}
    assert set(content_of["test"]) == fixed


def test_label_widths_agree_with_the_exact_truth(store):
    # Few persons; that the mean stays below 0.03 mm over 500 hips is held by tests/phantom/test_shape.py.
    # Seen: MAE 0.039, most 0.109 mm.
    difference = (store.hips["mjsw_mm"] - store.hips["mjsw_truth_mm"]).abs()
    assert difference.notna().all()
    assert difference.mean() <= 0.05
    assert difference.max() <= 0.15


def test_truth_is_the_cohorts_own_by_film_and_side(cohort, store):
    _, identities = table(store.folder / "identities.csv")
    _, truth = table(cohort / "truth.csv")
    exact = {(r["dataset"], r["subject"], r["visit"], r["side"]): float(r["mjsw_mm"]) for r in truth}
    written = dict(zip(store.hips["hip_id"], store.hips["mjsw_truth_mm"], strict=True))
    for row in identities:
        assert written[row["hip_id"]] == exact[row["dataset"], row["subject"], row["visit"], row["side"]]


def test_widths_read_back_from_the_stored_planes_are_the_labels(store):
    # Seen: MAE 0.036, most 0.199 mm at 0.8 mm a pixel: the measuring smooths over dips of the roof.
    errors, lost = [], []
    for row, label in enumerate(store.hips["mjsw_mm"]):
        result = measure_probabilities(store.planes[row, :3] / 255, store.view.pixel_mm)
        if isinstance(result, JointSpaceWidth):
            errors.append(abs(result.mjsw_mm - label))
        else:
            lost.append(label)
    assert np.mean(errors) <= 0.05
    assert max(errors) <= 0.25
    assert max(lost, default=0.0) < 0.2
    assert len(lost) <= 1


def test_nothing_but_what_is_meant_to_names_a_person_or_a_film(cohort, store):
    films, _ = find_films(cohort)
    secrets = {word.encode() for f in films for word in (f.subject, f.film.rsplit("/", 1)[-1])}
    for name, data in content(store.folder).items():
        found = [s for s in secrets if s in data]
        assert bool(found) == (name == "identities.csv"), (name, found)


def test_progress_is_told_film_by_film(some_films, spec, tmp_path):
    calls = []
    prepare_cohort(some_films(4), tmp_path / "store", spec, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(n, 4) for n in range(1, 5)]


# The same again


def test_one_worker_and_two_write_the_same_bytes(some_films, spec, tmp_path):
    folder = some_films(6, tables=True)
    one = prepare_cohort(folder, tmp_path / "one", spec, workers=1)
    two = prepare_cohort(folder, tmp_path / "two", spec, workers=2)
    assert content(one.folder) == content(two.folder)


def test_a_store_that_is_there_is_opened_and_not_written_again(cohort, store, spec):
    before = {p.name: p.stat().st_mtime_ns for p in store.folder.iterdir()}
    again = prepare_cohort(cohort, store.folder, spec, progress=lambda *_: pytest.fail("prepared again"))
    assert again.fingerprint == store.fingerprint
    assert {p.name: p.stat().st_mtime_ns for p in store.folder.iterdir()} == before


@pytest.mark.parametrize("what", ["view", "split", "cohort", "film"])
def test_anything_else_into_the_same_folder_is_refused(some_films, spec, tmp_path, replace_file, what):
    folder = some_films(4)
    prepare_cohort(folder, tmp_path / "store", spec)
    before = content(tmp_path / "store")
    asked = spec
    if what == "view":
        asked = dataclasses.replace(spec, view=dataclasses.replace(spec.view, name="fine", pixel_mm=0.4))
    elif what == "split":
        asked = dataclasses.replace(spec, split=SplitSpec(seed=1))
    elif what == "cohort":
        folder = some_films(5, name="other")
    else:
        film = folder / find_films(folder)[0][0].film
        replace_file(film, film.read_bytes() + b"\0\0")
    with pytest.raises(StoreError, match="another cohort, view, labelling or split"):
        prepare_cohort(folder, tmp_path / "store", asked)
    assert content(tmp_path / "store") == before


def test_a_folder_of_other_things_is_refused_and_left_alone_and_an_empty_one_is_used(some_films, spec, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/letter.txt").write_text("mine")
    with pytest.raises(StoreError, match="is no store"):
        prepare_cohort(some_films(3), tmp_path / "mine", spec)
    assert (tmp_path / "mine/letter.txt").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    assert prepare_cohort(some_films(3, name="again"), tmp_path / "empty", spec).num_hips == 6


def test_half_a_store_is_never_taken_for_a_whole_one(some_films, spec, tmp_path):
    folder = some_films(4)

    def stop(done, total):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare_cohort(folder, tmp_path / "store", spec, progress=stop)
    assert not (tmp_path / "store").exists()
    with pytest.raises(StoreError):
        Store.open(tmp_path / "store")
    left = tmp_path / "store.partial"
    assert left.is_dir()
    with pytest.raises(StoreError, match="is no store"):
        Store.open(left)
    (left / "leftover").write_text("of the first attempt")
    whole = prepare_cohort(folder, tmp_path / "store", spec)
    assert whole.num_hips == 8
    assert not left.exists()
    assert not (whole.folder / "leftover").exists()


# Pseudonyms


def test_without_a_key_one_is_made_in_the_store_for_its_owner_alone(some_films, spec, tmp_path):
    folder = some_films(3)
    stores = [prepare_cohort(folder, tmp_path / name, spec) for name in ("one", "two")]
    persons = [set(s.hips["person"]) for s in stores]
    assert persons[0].isdisjoint(persons[1])
    for s in stores:
        assert stat.S_IMODE((s.folder / "id.key").stat().st_mode) == 0o600
    np.testing.assert_array_equal(*(s.images for s in stores))
    places = [[len(getattr(s.split, part)) for part in ("train", "val", "test")] for s in stores]
    assert places[0] == places[1]
    assert stores[0].rows("train") == stores[1].rows("train")


def test_one_key_gives_one_set_of_pseudonyms_and_stays_outside_the_store(some_films, spec, tmp_path):
    folder, key = some_films(3), tmp_path / "id.key"
    one, two = (prepare_cohort(folder, tmp_path / name, spec, id_key=key) for name in ("one", "two"))
    assert list(one.hips["hip_id"]) == list(two.hips["hip_id"])
    assert not (one.folder / "id.key").exists()
    key.write_bytes(b"short")
    with pytest.raises(ValueError, match="at least 16"):
        prepare_cohort(folder, tmp_path / "three", spec, id_key=key)


# What may be wrong with a cohort


def test_bad_films_become_findings_and_the_rest_is_prepared(some_films, spec, tmp_path, replace_file):
    folder = some_films(8)
    films, _ = find_films(folder)
    no_points, text, no_spacing, cut = films[:4]
    (folder / no_points.points).unlink()
    replace_file(folder / text.film, "not a film")
    header = pydicom.dcmread(folder / no_spacing.film)
    header.PixelSpacing, header.ImagerPixelSpacing = [0, 0], [0, 0]
    (folder / no_spacing.film).unlink()
    header.save_as(folder / no_spacing.film)
    points = (folder / cut.points).read_text()
    replace_file(folder / cut.points, points[: len(points) // 2])
    extra = "OAI-pointfiles/V00/OAI-1234567-V00-20040101.dcm.pts"
    replace_file(folder / extra, points)
    replace_file(folder / "CHECK/T00/notes.txt", "note")
    (folder / "OAI/V99").mkdir()

    store = prepare_cohort(folder, tmp_path / "store", spec, workers=2)
    _, findings = table(store.folder / "findings.csv")
    assert {(f["film"], f["severity"], f["rule"]) for f in findings} == {
        (no_points.film, "error", "film_without_points"),
        (text.film, "error", "not_dicom"),
        (no_spacing.film, "error", "no_spacing"),
        (cut.film, "error", "bad_points"),
        (extra, "warning", "points_without_film"),
        ("CHECK/T00/notes.txt", "error", "unknown_name"),
        ("OAI/V99", "warning", "empty_folder"),
    }
    assert all(f["message"] for f in findings)
    assert store.num_hips == len(store.hips) == 8
    _, hips = table(store.folder / "hips.csv")
    out = hips[:8]
    assert [row["status"] for row in hips] == ["excluded"] * 8 + ["ok"] * 8
    rules = ["film_without_points", "not_dicom", "no_spacing", "bad_points"]
    assert [row["reason"] for row in out] == [rule for rule in rules for _ in range(2)]
    assert {row["mjsw_mm"] for row in out} == {""}
    assert [row["spacing_source"] for row in out[:6]] == ["none"] * 6
    assert out[6]["spacing_source"] == "pixel_spacing"
    _, identities = table(store.folder / "identities.csv")
    assert identities[0]["points"] == ""
    assert all((row["split"] != "") == (row["person"] in store.split.part_of()) for row in hips)


def test_one_hip_may_be_left_out_and_the_other_stay(some_films, spec, tmp_path, replace_file, points_of):
    folder = some_films(4)
    entry = find_films(folder)[0][0]
    points = read_points(folder / entry.points)
    points[70:75] = points[70:75][::-1].copy()
    replace_file(folder / entry.points, points_of(points))
    store = prepare_cohort(folder, tmp_path / "store", spec)
    _, hips = table(store.folder / "hips.csv")
    assert [row["status"] for row in hips[:2]] == ["excluded", "ok"]
    assert "crosses itself" in hips[0]["reason"]
    assert store.num_hips == 7
    assert store.hips["hip_id"].iloc[0] == hips[1]["hip_id"]


def test_a_cohort_without_a_usable_hip_is_refused_and_says_where_the_reasons_are(some_films, spec, tmp_path):
    folder = some_films(3)
    for entry in find_films(folder)[0]:
        (folder / entry.points).unlink()
    with pytest.raises(CohortError, match=r"none of 3 films .* store\.findings\.csv"):
        prepare_cohort(folder, tmp_path / "store", spec)
    _, findings = table(tmp_path / "store.findings.csv")
    assert {f["rule"] for f in findings} == {"film_without_points"}
    assert not (tmp_path / "store").exists()


def test_too_few_persons_are_refused(some_films, spec, tmp_path):
    with pytest.raises(SplitError, match="at least 3"):
        prepare_cohort(some_films(2), tmp_path / "store", spec)
    assert not (tmp_path / "store").exists()


def test_a_cohort_without_truth_has_none_in_its_store(some_films, spec, tmp_path):
    store = prepare_cohort(some_films(3), tmp_path / "store", spec)
    assert not (store.folder / "truth.csv").exists()
    assert store.hips["mjsw_truth_mm"].isna().all()
    assert store.meta["phantom"] is None


def test_the_cohort_is_left_as_it_was(some_films, spec, tmp_path):
    folder = some_films(3)
    before = sorted((str(p), p.stat().st_mtime_ns) for p in folder.rglob("*"))
    prepare_cohort(folder, tmp_path / "store", spec)
    assert sorted((str(p), p.stat().st_mtime_ns) for p in folder.rglob("*")) == before


def test_a_file_name_that_is_not_utf8_is_a_finding(some_films, spec, tmp_path):
    folder = some_films(3)
    with open(os.fsencode(folder / "OAI/V00") + b"/h\xfcfte.dcm", "wb"):  # noqa: PTH123
        pass
    store = prepare_cohort(folder, tmp_path / "store", spec)
    assert [f["rule"] for f in table(store.folder / "findings.csv")[1]] == ["unknown_name"]


@pytest.mark.parametrize("what", ["split.csv", "truth.csv", "key"])
def test_a_changed_table_or_key_is_not_the_same_request(some_films, spec, tmp_path, replace_file, what):
    folder = some_films(5)
    prepare_cohort(folder, tmp_path / "store", spec, id_key=tmp_path / "one.key")
    before = content(tmp_path / "store")
    key = tmp_path / "one.key"
    entry = find_films(folder)[0][4]
    if what == "split.csv":
        replace_file(folder / what, f"dataset,subject,split\n{entry.dataset},{entry.subject},test\n")
    elif what == "truth.csv":
        row = f"{entry.dataset},{entry.subject},{entry.visit},right,3.5"
        replace_file(folder / what, f"dataset,subject,visit,side,mjsw_mm\n{row}\n")
    else:
        key = tmp_path / "two.key"
    try:
        prepare_cohort(folder, tmp_path / "store", spec, id_key=key)
    except StoreError:
        return
    assert content(tmp_path / "store") != before


def test_equal_fingerprints_hold_equal_arrays(some_films, spec, tmp_path):
    one, other = some_films(4), some_films(4, name="other")
    first, second = (e for e in find_films(other)[0] if e.dataset == "OAI")
    for a, b in ((first.film, second.film), (first.points, second.points)):
        (other / a).rename(tmp_path / "aside")
        (other / b).rename(other / a)
        (tmp_path / "aside").rename(other / b)
    stores = [prepare_cohort(f, tmp_path / f"{f.name}-store", spec) for f in (one, other)]
    assert not np.array_equal(stores[0].images, stores[1].images)
    assert stores[0].fingerprint != stores[1].fingerprint


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("split.csv", "person,part\n1,test\n"),
        ("split.csv", ""),
        ("truth.csv", "a,b\n1,2\n"),
        ("truth.csv", "dataset,subject,visit,side,mjsw_mm\nOAI,9000001,V00,right,wide\n"),
        ("phantom.json", "{"),
    ],
)
def test_odd_tables_of_the_cohort_are_refused_by_name(some_films, spec, tmp_path, replace_file, name, text):
    folder = some_films(3)
    replace_file(folder / name, text)
    with pytest.raises(CohortError, match=name):
        prepare_cohort(folder, tmp_path / "store", spec)


def test_a_split_that_names_nobody_here_is_refused_or_found(some_films, spec, tmp_path, replace_file):
    folder = some_films(4)
    replace_file(folder / "split.csv", "dataset,subject,split\nOAI,1,test\n")
    try:
        store = prepare_cohort(folder, tmp_path / "store", spec)
    except (CohortError, SplitError):
        return
    assert table(store.folder / "findings.csv")[1]


@pytest.mark.parametrize("name", ["store", "store.partial"])
def test_a_file_in_the_stores_place_is_refused(some_films, spec, tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(StoreError):
        prepare_cohort(some_films(3), tmp_path / "store", spec)


def test_the_tables_are_read_by_pandas_without_losing_leading_zeros(store):
    frame = pd.read_csv(store.folder / "identities.csv", dtype=str)
    assert list(frame.columns) == IDENTITIES
    assert frame["subject"].str.fullmatch(r"\d{7}").all()


def test_a_specification_is_a_value(spec):
    assert spec == PrepareSpec(spec.view, spec.labels, spec.split)
    assert dataclasses.replace(spec, labels="other") != spec
