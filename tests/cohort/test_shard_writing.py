"""Shards put together are the store that one call writes, whatever became of some of them."""

import shutil

import pytest

from hipjsw.cohort import shard_writing
from hipjsw.cohort.shard import Shard, shard_folders
from hipjsw.cohort.shard_writing import prepare_shard
from hipjsw.cohort.store import StoreError
from hipjsw.cohort.writing import prepare_cohort


@pytest.fixture
def films(some_films):
    return some_films(count=7, tables=True)


@pytest.fixture
def content():
    def of(folder):
        left_out = ("sources.json", "id.key")  # when it was read, and a phantom's store has no key of its own
        return {p.name: p.read_bytes() for p in sorted(folder.iterdir()) if p.name not in left_out}

    return of


@pytest.fixture
def prepared(monkeypatch):
    """Films that were prepared, by the order of the calls."""
    seen = []
    original = shard_writing.cohort_source

    def noted(root, films, *arguments):
        source = original(root, films, *arguments)

        def prepare(numbers):
            seen.append([films[n].film for n in numbers])
            return source.prepare(numbers)

        return type(source)(**(vars(source) | {"prepare": prepare}))

    for module in ("shard_writing", "writing"):
        monkeypatch.setattr(f"hipjsw.cohort.{module}.cohort_source", noted)
    return seen


def test_shards_together_are_the_store_of_one_call(films, options, tmp_path, content, prepared):
    whole, _ = prepare_cohort(films, tmp_path / "whole", options)
    prepared.clear()
    for number in (3, 1, 2):
        prepare_shard(films, tmp_path / "store", options, Shard(number, 3))
    assert not (tmp_path / "store").exists()
    assert sum(map(len, prepared)) == len(whole.records)
    prepared.clear()
    store, _ = prepare_cohort(films, tmp_path / "store", options)
    assert prepared in ([], [[]])
    assert content(store.folder) == content(whole.folder)
    assert shard_folders(tmp_path / "store") == []


def test_a_lost_and_a_cut_shard_are_prepared_by_the_call_that_puts_all_together(
    films, options, tmp_path, content, prepared
):
    whole, _ = prepare_cohort(films, tmp_path / "whole", options)
    folders = [prepare_shard(films, tmp_path / "store", options, Shard(number, 3)) for number in (1, 2, 3)]
    shutil.rmtree(folders[0])
    journal = folders[1] / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-20])  # its last film is not sure
    prepared.clear()
    store, _ = prepare_cohort(films, tmp_path / "store", options)
    lost = len(Shard(1, 3).of_all(whole.records)) + 1
    assert sum(map(len, prepared)) == lost
    assert content(store.folder) == content(whole.folder)


def test_a_shard_goes_on_where_it_was_and_starts_over_with_other_options(films, options, tmp_path, prepared):
    def stop(done, total):
        del total
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare_shard(films, tmp_path / "store", options, Shard(1, 2), progress=stop)
    wanted = [entry for call in prepared for entry in call]
    prepared.clear()
    prepare_shard(films, tmp_path / "store", options, Shard(1, 2))
    assert [entry for call in prepared for entry in call] == wanted[2:]
    prepared.clear()
    prepare_shard(films, tmp_path / "store", options, Shard(1, 2))
    assert prepared in ([], [[]])
    other = type(options)(**(vars(options) | {"labels": "partial"}))
    prepare_shard(films, tmp_path / "store", other, Shard(1, 2))
    assert [entry for call in prepared for entry in call] == wanted


def test_something_else_in_a_shards_place_is_left_alone(films, options, tmp_path):
    place = tmp_path / "store.shard-1-of-2"
    place.mkdir()
    (place / "notes.txt").write_text("mine")
    with pytest.raises(StoreError, match=r"notes\.txt"):
        prepare_shard(films, tmp_path / "store", options, Shard(1, 2))
    assert (place / "notes.txt").read_text() == "mine"
