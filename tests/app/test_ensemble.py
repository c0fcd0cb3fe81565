"""Which runs may be judged together, whom none of them has seen, and whose results a folder holds."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from omegaconf import OmegaConf

from hipjsw.app import ensemble
from hipjsw.app.ensemble import (
    claim_results,
    joint_data,
    joint_split,
    read_members,
    require_results_of,
)
from hipjsw.app.runs import RunError
from hipjsw.cohort.split import Split, SplitError
from hipjsw.cohort.store import Store
from hipjsw.learning.data import Budget, HipData

PERSONS = tuple("abcdefghij")
PLAIN = {"train": "abcd", "val": "ef", "test": "gh"}


@pytest.fixture
def run(tmp_path):
    def make(name, split=PLAIN, digest=None, store="s", finished=True, **view):
        folder = tmp_path / name
        folder.mkdir()
        contents = {
            "run.json": {"digest": digest or name},
            "split.json": {part: list(split[part]) for part in ("train", "val", "test")},
            "identity.json": {"store_fingerprint": store},
        }
        for file, content in contents.items():
            (folder / file).write_text(json.dumps(content))
        if finished:
            (folder / "metrics.json").write_text("{}")
        spec = {"name": "hip", **view}
        OmegaConf.save(OmegaConf.create({"view": spec, "train_hips": len(split["train"])}), folder / "config.yaml")
        return folder

    return make


@pytest.fixture(autouse=True)
def plain_view(monkeypatch):
    """A view is what the configuration says."""
    monkeypatch.setattr(ensemble, "view_spec", lambda cfg: dict(cfg.view))


class Tables(Store):
    """A store's tables without its arrays."""

    hips = property(lambda self: self.meta["hips"])
    view = property(lambda self: self.meta["view"])
    fingerprint = property(lambda self: self.meta["fingerprint"])


def store_of(persons=PERSONS, fingerprint="s"):
    hips = pd.DataFrame({"person": np.repeat(list(persons), 2)})
    hips["row"] = np.arange(len(hips))
    view = SimpleNamespace(rows_px=16, cols_px=16)
    return Tables(Path("store"), {"hips": hips, "view": view, "fingerprint": fingerprint})


@pytest.fixture(autouse=True)
def data_of_tables(monkeypatch):
    """Loaders over tables alone: the first ``train_hips`` hips of training, as the configuration says."""

    def build_data(cfg, store):
        return HipData(store, cfg.train_hips, None, Budget(1, 1, 1), None, seed=0)

    monkeypatch.setattr(ensemble, "build_data", build_data)


def test_members_come_in_their_order(run):
    folders = [run("b"), run("a")]
    members = read_members(folders)
    assert [member.run.folder for member in members] == folders
    assert members[0].seen == frozenset("abcdef")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"digest": "one"}, "names each run once"),
        ({"finished": False}, "is not finished"),
        ({"rows_px": 32}, "runs of one view"),
        ({"store": "t"}, "runs of one store"),
    ],
)
def test_what_has_no_mean_is_refused(run, other, said):
    folders = [run("one"), run("two", **other)]
    with pytest.raises(RunError, match=said):
        read_members(folders)


def test_a_folder_without_a_run_is_refused(run, tmp_path):
    with pytest.raises(RunError, match="is no run"):
        read_members([run("one"), tmp_path / "nowhere"])


def test_runs_of_one_split_are_tested_on_its_test_persons(run):
    smaller = PLAIN | {"train": "ab"}  # a nested training set
    members = read_members([run("one"), run("two", smaller)])
    assert joint_split(members, store_of()) == members[0].split


@pytest.mark.parametrize("part", ["train", "val"])
def test_a_test_person_that_another_run_has_seen_is_refused(run, part):
    other = {"train": "ab", "val": "ef", "test": "cd"}
    other[part] += "g"
    members = read_members([run("one"), run("two", other)])
    with pytest.raises(SplitError, match=r"1 of 2 test persons of .*one, e\.g\. g,.*no run has seen 3 persons"):
        joint_split(members, store_of())  # h, i and j


def test_of_another_store_whoever_no_run_has_seen_is_tested(run):
    members = read_members([run("one"), run("two", {"train": "ij", "val": "k", "test": "ab"})])
    split = joint_split(members, store_of("acgikz", fingerprint="t"))
    assert split.test == ("g", "z")
    assert (split.train, split.val, split.left_out) == (("a", "c"), (), ("i", "k"))


def owners(data, most):
    unseen = data.on_unseen(most).test
    return [data.train.store.hips["person"].loc[row] for row in unseen.rows]


def test_they_learn_of_their_errors_on_hips_that_no_member_was_trained_on(run):
    # Training sets of 4 and 2 hips of the same order: persons c and d are in training and no hip of theirs was taken.
    one, two = run("one"), run("two", PLAIN | {"train": "cabd"})
    alone = joint_data(read_members([one]), store_of())
    assert owners(alone, 99) == list("eeffccdd")
    assert owners(alone, 3) == list("eef")
    both = joint_data(read_members([one, two]), store_of())
    assert owners(both, 99) == list("eeffdd")  # the second's first 4 hips are those of c and a


def test_validation_of_one_that_another_was_trained_on_teaches_nothing(run):
    one, two = run("one"), run("two", {"train": "eabc", "val": "df", "test": "gh"})
    both = joint_data(read_members([one, two]), store_of())
    assert owners(both, 99) == list("ffddcc")
    one_way, other = owners(both, 99), owners(joint_data(read_members([two, one]), store_of()), 99)
    assert sorted(one_way) == sorted(other)


def test_a_run_and_its_copy_learn_on_the_run_s_hips(run):
    one, copy = run("one"), run("copy")
    pair = joint_data(read_members([one, copy]), store_of())
    assert owners(pair, 99) == owners(joint_data(read_members([one]), store_of()), 99)


def test_results_are_of_the_runs_they_are_of(run, tmp_path):
    one, two, three = (read_members([run(name)])[0] for name in ("one", "two", "three"))
    out = tmp_path / "out"
    claim_results(out, [one])  # a run alone claims nothing
    assert not out.exists()
    claim_results(out, [one, two])
    claim_results(out, [two, one])  # the mean is the same
    require_results_of(out, [two, one])
    for others in ([one], [one, three], [one, two, three]):
        with pytest.raises(RunError, match="ensemble of other runs"):
            claim_results(out, others)
        with pytest.raises(RunError, match="an ensemble of 2 runs"):
            require_results_of(out, others)


def test_a_run_s_own_results_are_not_an_ensemble_s(run, tmp_path):
    one, two = (read_members([run(name)])[0] for name in ("one", "two"))
    out = tmp_path / "out"
    out.mkdir()
    claim_results(out, [one])
    (out / "test_hips.csv").write_text("")
    with pytest.raises(RunError, match="is not empty"):
        claim_results(out, [one, two])
    require_results_of(out, [one])
    with pytest.raises(RunError, match="a run alone"):
        require_results_of(out, [one, two])
    (out / ensemble.RECORD).write_text("{")
    with pytest.raises(RunError, match="is damaged"):
        claim_results(out, [one, two])


def test_the_split_that_is_made_is_by_person(run):
    members = read_members([run("one"), run("two", {"train": "ghij", "val": "ab", "test": "cd"})])
    parts = joint_data(members, store_of()).train.store.parts
    assert isinstance(parts, Split)  # which refuses a person named twice
    assert set(parts.train) | set(parts.val) == set(PERSONS)
    assert not set(parts.val) & set("abgh")  # the hips taken are of a, b, g and h
