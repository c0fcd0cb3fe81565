"""Rows taken over from stores that lie there, and unfinished ones set aside."""

import dataclasses
import json

import numpy as np
import pytest

from hipjsw.cohort.durable import beside
from hipjsw.cohort.earlier import Earlier, earlier_stores, leftovers, set_aside
from hipjsw.cohort.request import request_of, write_request
from hipjsw.cohort.store import StoreError


@pytest.fixture
def store(drawn, tmp_path):
    drawn.write_films(tmp_path / "cohort", 8)
    return drawn.write(tmp_path / "cohort", tmp_path / "store")


@pytest.fixture
def request_(drawn):
    return request_of(drawn.OPTIONS, drawn.source.__globals__["Companions"](frozenset(), {}, None, ""), drawn.KEY)


def test_a_films_rows_are_those_of_the_arrays(store, request_):
    (before,) = earlier_stores(store.folder, store.view.stored_shape, store, request_)
    row = 0
    for number, film in enumerate(before.films):
        images = np.frombuffer(b"".join(before.rows(number)["images.u16"]), np.uint16)
        np.testing.assert_array_equal(images, store.images[row : row + film.num_rows].ravel())
        row += film.num_rows
    assert row == store.num_rows


def test_arrays_that_end_too_early_are_an_error(store, request_):
    (before,) = earlier_stores(store.folder, store.view.stored_shape, store, request_)
    path = store.folder / "planes.u8"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(OSError, match=r"planes\.u8 ends 1 bytes too early"):
        before.rows(len(before.films) - 1)


def test_a_damaged_note_of_sources_makes_all_films_unknown(store, request_):
    for text in ("", "[]", "{", '[["a"]]'):
        (store.folder / "sources.json").write_text(text)
        assert earlier_stores(store.folder, store.view.stored_shape, store, request_)[0].films == []


def test_an_unfinished_store_of_another_request_is_removed(tmp_path, request_):
    partial = beside(tmp_path / "store", "partial")
    partial.mkdir()
    write_request(partial, request_ | {"labels": "other"})
    assert earlier_stores(tmp_path / "store", (18, 18), None, request_) == []
    assert not partial.exists()


def test_an_unfinished_store_with_files_of_others_is_refused(tmp_path, request_):
    partial = beside(tmp_path / "store", "partial")
    partial.mkdir()
    write_request(partial, request_)
    (partial / "letter").write_text("mine")
    with pytest.raises(StoreError, match="letter"):
        earlier_stores(tmp_path / "store", (18, 18), None, request_)


def test_what_cannot_be_continued_is_set_aside_each_under_a_name_of_its_own(tmp_path):
    folder = tmp_path / "store"
    for number in (1, 2):
        beside(folder, "partial").mkdir()
        before = Earlier(beside(folder, "partial"), (18, 18), [], 0)
        (kept,) = set_aside(folder, [before], [False])
        assert kept == dataclasses.replace(before, folder=beside(folder, f"overtaken-{number}")) or kept.folder.is_dir()
    assert [path.name for path in leftovers(folder)] == ["store.overtaken-1", "store.overtaken-2"]
    beside(folder, "partial").mkdir()
    set_aside(folder, [Earlier(beside(folder, "partial"), (18, 18), [], 0)], [True])
    assert beside(folder, "partial").is_dir()


def test_a_request_survives_json(request_):
    assert json.loads(json.dumps(request_)) == request_
