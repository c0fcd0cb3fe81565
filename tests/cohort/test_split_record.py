"""What a run keeps of its split, and the hash that stands for it."""

import json

import pandas as pd
import pytest

from hipjsw.cohort.split import PARTS, Split, SplitSpec, deal
from hipjsw.cohort.split_record import part_counts, split_digest, split_record


@pytest.fixture
def hips():
    rows = [(f"p{i}", "OAI" if i % 3 else "CHECK", 1.0 + i / 5, "") for i in range(20) for _ in range(1 + i % 3)]
    return pd.DataFrame(rows, columns=["person", "dataset", "mjsw_mm", "given_part"])


def test_what_was_written_is_read_back(tmp_path, hips):
    spec = SplitSpec(test_hips=8)
    split = deal(hips, spec)
    (tmp_path / "split.json").write_text(json.dumps(split_record(split, hips, spec)))
    assert Split.read(tmp_path / "split.json") == split
    again = deal(hips, SplitSpec(kind="file", file=str(tmp_path / "split.json")))
    assert again == split
    assert split_digest(again, hips) == split_digest(split, hips)


def test_the_digest_knows_places_and_no_names(hips):
    split = deal(hips, SplitSpec(test_hips=8))
    renamed = hips.assign(person="x" + hips["person"])
    assert split_digest(deal(renamed, SplitSpec(test_hips=8)), renamed) == split_digest(split, hips)
    other = Split(split.train[::-1], split.val, split.test)
    moved = Split(split.train[1:], split.val, (*split.test, split.train[0]))
    assert len({split_digest(s, hips) for s in (split, other, moved)}) == 3


@pytest.mark.parametrize(
    "spec", [SplitSpec(test_hips=8), SplitSpec(fold=2), SplitSpec("by_cohort", 0, train_on="OAI", test_on="CHECK")]
)
def test_counts_are_those_of_the_hips(hips, spec):
    hips.loc[hips["person"] == "p4", "given_part"] = "test"
    split = deal(hips, spec)
    record = split_record(split, hips, spec)
    part = hips["person"].map(split.part_of()).fillna("left_out")
    for name in (*PARTS, "left_out"):
        mine = hips[part == name]
        assert record["counts"][name] == {"persons": mine["person"].nunique(), "hips": len(mine)}
        assert sum(row[name] for row in record["persons_by_stratum"]) == mine["person"].nunique()
    assert record["counts"] == part_counts(split, hips)
    assert {row["dataset"] for row in record["persons_by_stratum"]} == {"CHECK", "OAI"}


def test_no_path_is_kept(tmp_path, hips):
    split = Split(("p1",), ("p2",), ("p3",))
    record = split_record(split, hips, SplitSpec(kind="file", file=str(tmp_path / "split.json")))
    assert str(tmp_path) not in json.dumps(record)
    assert record["kind"] == "file"
