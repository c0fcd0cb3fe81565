"""Whole files and folders, and nothing of somebody else's removed."""

import pytest

from hipjsw.cohort.durable import beside, clear, publish, refuse_foreign, repair, write_durably
from hipjsw.cohort.store import StoreError


def make(folder, text="new", **more):
    folder.mkdir(parents=True)
    for name, said in {"store.json": text, **more}.items():
        (folder / name.replace("_", ".")).write_text(said)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "table.csv"
    write_durably(path, ["one\n", "two\r\n", "caf\u00e9 \udcfc"])
    assert path.read_bytes() == "one\ntwo\r\ncaf\u00e9 \\udcfc".encode()

    def torn():
        yield "half"
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        write_durably(path, torn())
    assert path.read_bytes().startswith(b"one")


def test_publishing_puts_the_new_store_in_place_of_the_old(store):
    make(store, "old", truth_csv="old truth")
    make(beside(store, "partial"), "new", journal_jsonl="", asked_json="")
    publish(store)
    assert names(store) == ["store.json"]
    assert (store / "store.json").read_text() == "new"
    assert names(store.parent) == ["store"]


def test_what_somebody_put_into_the_old_store_stays(store):
    make(store, "old", notes_txt="mine")
    make(beside(store, "partial"), "new")
    publish(store)
    assert {p.name: p.read_text() for p in store.iterdir()} == {"store.json": "new", "notes.txt": "mine"}


def test_a_folder_that_is_no_store_is_never_replaced(store):
    store.mkdir()
    (store / "letter").write_text("mine")
    make(beside(store, "partial"))
    with pytest.raises(StoreError, match="is no store"):
        publish(store)
    assert names(store) == ["letter"]


@pytest.mark.parametrize(
    ("there", "wanted"),
    [
        (("partial",), "new"),
        (("store", "partial"), "new"),
        (("replaced", "partial"), "new"),
        (("replaced",), "replaced"),
        (("store", "replaced"), "old"),
        (("store",), "old"),
    ],
)
def test_whatever_was_cut_short_is_finished(store, there, wanted):
    places = {
        "store": (store, "old"),
        "partial": (beside(store, "partial"), "new"),
        "replaced": (beside(store, "replaced"), "replaced"),
    }
    for name in there:
        make(*places[name])
    repair(store)
    assert names(store.parent) == ["store"]
    assert (store / "store.json").read_text() == wanted


def test_an_unfinished_store_is_left_to_be_continued(store):
    partial = beside(store, "partial")
    partial.mkdir()
    (partial / "images.u16").write_text("rows")
    repair(store)
    assert names(partial) == ["images.u16"]
    assert not store.exists()


def test_files_of_others_are_not_removed(tmp_path):
    make(tmp_path / "a", letter="mine")
    for refuse in (clear, refuse_foreign):
        with pytest.raises(StoreError, match=r"holds letter, .*move it away"):
            refuse(tmp_path / "a")
    assert names(tmp_path / "a") == ["letter", "store.json"]
    (tmp_path / "a/letter").unlink()
    (tmp_path / "a/hips.csv.part").touch()
    clear(tmp_path / "a")
    clear(tmp_path / "a")
    assert not (tmp_path / "a").exists()
