"""Dealing persons to parts: laws."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hipjsw.cohort.split import PARTS, Split, SplitError, SplitSpec, deal, person_table, take_hips

WIDTHS_MM = (1.5, 2.2, 3.0, 5.0, float("nan"))
BY_COHORT = {"kind": "by_cohort", "train_on": "CHECK", "test_on": "OAI"}

#: A person: cohort, widths of the hips in mm.
person = st.tuples(st.sampled_from(["CHECK", "OAI"]), st.lists(st.sampled_from(WIDTHS_MM), min_size=1, max_size=4))
cohorts = st.lists(person, min_size=6, max_size=80)
specs = st.builds(
    SplitSpec,
    seed=st.integers(0, 1000),
    test_hips=st.integers(1, 120),
    test_share=st.floats(0.05, 0.45),
    val_share=st.floats(0.05, 0.5),
    stratify=st.booleans(),
)
laws = settings(max_examples=40, deadline=None)


def hips_of(persons, given_part=None, name="p{}"):
    """A store's hips, those of one person not together."""
    rows = [
        (hip, name.format(i), dataset, width, (given_part or {}).get(i, ""))
        for i, (dataset, widths) in enumerate(persons)
        for hip, width in enumerate(widths)
    ]
    table = pd.DataFrame(sorted(rows, key=lambda row: row[0]), columns=["hip", *COLUMNS])
    return table.drop(columns="hip")


COLUMNS = ("person", "dataset", "mjsw_mm", "given_part")


def alike(num, datasets=("OAI",)):
    return hips_of([(datasets[i % len(datasets)], [3.0, 3.0]) for i in range(num)])


def rows_of(hips):
    return {name: list(rows) for name, rows in hips.reset_index().groupby("person")["index"]}


def everybody(split):
    return [*split.train, *split.val, *split.test, *split.left_out]


@laws
@given(cohorts, specs)
def test_every_person_is_in_one_part_and_no_part_is_empty(persons, spec):
    hips = hips_of(persons)
    split = deal(hips, spec)
    assert sorted(everybody(split)) == sorted(set(hips["person"]))
    assert not split.left_out
    assert min(len(split.train), len(split.val), len(split.test)) >= 1
    assert split.part_of() == {p: part for part in PARTS for p in getattr(split, part)}


@laws
@given(cohorts, specs, st.randoms(use_true_random=False))
def test_persons_renamed_are_dealt_the_same(persons, spec, random):
    hips = hips_of(persons)
    old = sorted(set(hips["person"]))
    new = [f"q{i}" for i in range(len(old))]
    random.shuffle(new)
    names = dict(zip(old, new, strict=True))
    for asked in (spec, SplitSpec(seed=spec.seed, fold=1, stratify=spec.stratify)):
        split, renamed = deal(hips, asked), deal(hips.assign(person=hips["person"].map(names)), asked)
        assert split == deal(hips, asked)
        for part in PARTS:
            assert tuple(names[p] for p in getattr(split, part)) == getattr(renamed, part)


@laws
@given(cohorts, specs)
def test_the_test_set_ends_at_its_hips_or_at_its_share(persons, spec):
    split = deal(hips_of(persons), spec)
    most = max(int(len(persons) * spec.test_share), 1)
    got = [len(persons[int(p[1:])][1]) for p in split.test]
    assert len(got) <= most
    assert len(got) == most or sum(got) >= spec.test_hips
    assert sum(got[:-1]) < spec.test_hips
    rest = len(persons) - len(got)
    assert len(split.val) == min(max(round(rest * spec.val_share), 1), rest - 1)


@laws
@given(cohorts, specs, st.integers(1, 60), st.integers(1, 60))
def test_sizes_are_nested_and_cut_to_the_hip(persons, spec, first, second):
    hips = hips_of(persons)
    split, rows = deal(hips, spec), rows_of(hips)
    for part in ("train", "val"):
        dealt = getattr(split, part)
        small, large = (take_hips(dealt, rows, n) for n in sorted((first, second)))
        full = take_hips(dealt, rows, None)
        assert small == large[: len(small)]
        assert large == full[: len(large)]
        assert len(small) == min(first, second, len(full))
        assert sorted(full) == sorted(row for p in dealt for row in rows[p])


def stratum_of(hips):
    table = person_table(hips)
    return dict(zip(table["person"], zip(table["dataset"], table["mjsw"], strict=True), strict=True))


def assert_balanced(part, among, stratum):
    """Every stratum's share of a part is that among the persons it was dealt from, to less than one person."""
    sizes, got = Counter(stratum[p] for p in among), Counter(stratum[p] for p in part)
    for name, size in sizes.items():
        assert abs(got[name] - size * len(part) / len(among)) < 1


@laws
@given(cohorts, specs)
def test_each_part_and_each_beginning_has_its_share_of_every_stratum(persons, spec):
    assume(spec.stratify)
    hips = hips_of(persons)
    split, stratum = deal(hips, spec), stratum_of(hips)
    rest = [*split.val, *split.train]
    assert_balanced(split.test, [*split.test, *rest], stratum)
    assert_balanced(split.val, rest, stratum)
    for part in (split.train, split.val):
        for size in range(1, len(part) + 1):
            assert_balanced(part[:size], part, stratum)


def test_a_persons_class_is_that_of_the_narrowest_hip():
    table = person_table(hips_of([("OAI", [5.0, 1.5]), ("OAI", [float("nan"), 3.0]), ("CHECK", [float("nan")])]))
    assert table["mjsw"].tolist() == ["<=2.0", "<=4.0", "undefined"]
    assert table["num_hips"].tolist() == [2, 2, 1]


def test_without_strata_cohorts_are_dealt_as_they_come():
    hips = hips_of([("OAI" if i < 50 else "CHECK", [3.0]) for i in range(100)])
    shares = set()
    for seed in range(8):
        even, as_it_comes = (deal(hips, SplitSpec(seed=seed, test_hips=20, stratify=s)) for s in (True, False))
        assert sum(int(p[1:]) < 50 for p in even.test) == 10
        shares.add(sum(int(p[1:]) < 50 for p in as_it_comes.test))
    assert len(shares) > 1


@laws
@given(cohorts, st.integers(0, 100), st.integers(2, 6), st.booleans())
def test_folds_are_disjoint_and_together_everybody(persons, seed, folds, stratify):
    hips = hips_of(persons)
    stratum = stratum_of(hips)
    splits = [deal(hips, SplitSpec(seed=seed, folds=folds, fold=k, stratify=stratify)) for k in range(folds)]
    tested = [p for split in splits for p in split.test]
    assert sorted(tested) == sorted(stratum)
    for split in splits:
        assert sorted(everybody(split)) == sorted(stratum)
        assert not split.left_out
        rest = len(persons) - len(split.test)
        assert len(split.val) == min(max(round(rest / 9), 1), rest - 1)
    sizes = [len(split.test) for split in splits]
    assert max(sizes) - min(sizes) <= 1
    for name in set(stratum.values()) if stratify else ():
        counts = [sum(stratum[p] == name for p in split.test) for split in splits]
        assert max(counts) - min(counts) <= 1


@laws
@given(cohorts, specs, st.data())
def test_persons_go_where_the_cohort_names_them(persons, spec, data):
    free = data.draw(st.integers(2, len(persons) - 1))
    parts = {i: data.draw(st.sampled_from(PARTS)) for i in range(free, len(persons))}
    split = deal(hips_of(persons, parts), spec)
    part = split.part_of()
    assert {i: part[f"p{i}"] for i in parts} == parts
    for name in ("test", "val"):  # a set that is named is just that
        named = {f"p{i}" for i, said in parts.items() if said == name}
        assert not named or set(getattr(split, name)) == named
    assert not split.left_out


@laws
@given(cohorts, st.integers(0, 4), st.data())
def test_whom_the_cohort_names_for_the_test_is_in_no_fold(persons, fold, data):
    kept = data.draw(st.sets(st.integers(0, len(persons) - 1), max_size=len(persons) - 6))
    hips = hips_of(persons, dict.fromkeys(kept, "test"))
    split = deal(hips, SplitSpec(fold=fold))
    assert set(split.left_out) == {f"p{i}" for i in kept}
    assert sorted(everybody(split)) == sorted(set(hips["person"]))
    assert deal(hips, SplitSpec(fold=fold, given=False)) == deal(hips_of(persons), SplitSpec(fold=fold))


def test_what_is_given_can_be_passed_over():
    persons = [("OAI", [3.0])] * 12
    hips = hips_of(persons, {0: "test", 1: "val"})
    assert deal(hips, SplitSpec(given=False)) == deal(hips_of(persons), SplitSpec())
    assert deal(hips, SplitSpec()).test == ("p0",)


@laws
@given(cohorts, st.integers(0, 50), st.data())
def test_one_cohort_is_trained_on_and_the_other_tested(persons, seed, data):
    where = [dataset for dataset, _ in persons]
    assume(where.count("CHECK") >= 3 and "OAI" in where)
    kept = data.draw(st.sampled_from([i for i, dataset in enumerate(where) if dataset == "CHECK"]))
    persons = [*persons, ("THIRD", [3.0])]
    hips = hips_of(persons, {kept: "test"})
    split = deal(hips, SplitSpec(seed=seed, **BY_COHORT))
    part = split.part_of()
    assert sorted(everybody(split)) == sorted(set(hips["person"]))
    assert set(split.left_out) == {f"p{len(persons) - 1}", f"p{kept}"}
    for i, dataset in enumerate(where):
        if i != kept:
            assert (part[f"p{i}"] == "test") == (dataset == "OAI")
    assert split.train
    assert split.val


@pytest.mark.parametrize(
    ("hips", "spec", "said"),
    [
        (alike(0), {}, "0 persons have a usable hip.* at least 3"),
        (alike(2), {}, "2 persons have a usable hip.* at least 3"),
        (alike(4), {"fold": 0}, "4 persons cannot make 5 folds"),
        (alike(9), BY_COHORT, "no hip of CHECK; it holds OAI"),
        (alike(9), {**BY_COHORT, "train_on": "OAI", "test_on": "oai"}, "no hip of oai; it holds OAI"),
        (hips_of([("CHECK", [3.0]), *[("OAI", [3.0])] * 4]), BY_COHORT, "1 persons are left .* at least 2"),
        (hips_of([("OAI", [3.0])] * 4, {0: "test", 1: "test", 2: "test"}), {}, "1 persons are left .* at least 2"),
        (hips_of([("OAI", [3.0])] * 4, dict.fromkeys(range(4), "train")), {}, "nobody for the test"),
        (hips_of([("OAI", [3.0])] * 4, {0: "test", 1: "train", 2: "train", 3: "train"}), {}, "nobody for validation"),
        (hips_of([("OAI", [3.0])] * 4, {0: "test", 1: "val", 2: "val", 3: "val"}), {}, "nobody for training"),
        (hips_of([("OAI", [3.0])] * 4, {0: "tset"}), {}, "names the part 'tset'; there are train, val, test"),
    ],
)
def test_a_split_that_cannot_be_made_is_refused(hips, spec, said):
    with pytest.raises(SplitError, match=said):
        deal(hips, SplitSpec(**spec))


@pytest.mark.parametrize("column", ["dataset", "given_part"])
def test_a_person_of_two_kinds_is_refused(column):
    hips = alike(6)
    hips.loc[hips.index[hips["person"] == "p4"][1], column] = "test"
    with pytest.raises(SplitError, match=rf"1 persons have hips of more than one {column}, e\.g\. p4"):
        deal(hips, SplitSpec())


def test_a_column_of_nothing_but_missing_values_names_nobody():
    assert deal(alike(9).assign(given_part=np.nan), SplitSpec()) == deal(alike(9), SplitSpec())


@laws
@given(cohorts, st.integers(0, 50), st.data())
def test_stores_that_lack_a_few_persons_deal_the_others_alike_if_wanted(persons, seed, data):
    lacking = data.draw(st.sets(st.integers(0, len(persons) - 1), max_size=len(persons) - 4))
    hips = hips_of(persons)
    fewer = hips[~hips["person"].isin({f"p{i}" for i in lacking})].reset_index(drop=True)
    spec = SplitSpec(seed=seed, test_hips=10, stratify=False, by_name=True, given=False)
    orders = [[*split.test, *split.val, *split.train] for split in (deal(hips, spec), deal(fewer, spec))]
    there = set(fewer["person"])
    assert [name for name in orders[0] if name in there] == orders[1]


def test_the_order_by_name_hangs_on_the_seed_and_on_no_strata():
    hips = alike(60)
    spec = SplitSpec(stratify=False, by_name=True)
    assert deal(hips, spec) != deal(hips, replace(spec, seed=1)) != deal(hips, replace(spec, by_name=False))
    with pytest.raises(SplitError, match="stratify=false"):
        replace(spec, stratify=True)


def test_the_seed_decides():
    assert len({deal(alike(60), SplitSpec(seed=seed)).test for seed in range(5)}) == 5
    assert len({deal(alike(60), SplitSpec(seed=seed, fold=0)).test for seed in range(5)}) == 5


def test_parts_are_not_the_beginning_of_the_cohort():
    split = deal(alike(60), SplitSpec())
    assert set(split.test) != {f"p{i}" for i in range(len(split.test))}


def test_a_person_in_two_parts_is_refused_by_name():
    with pytest.raises(SplitError, match=r"1 persons .* e\.g\. b"):
        Split(train=("a", "b"), val=("c",), test=("b",))
    with pytest.raises(SplitError):
        Split(train=("a", "a"), val=("c",), test=("b",))


def written(tmp_path, **content):
    path = tmp_path / "split.json"
    path.write_text(json.dumps(content))
    return SplitSpec(kind="file", file=str(path))


def test_a_file_says_who_is_where_and_in_which_order(tmp_path):
    spec = written(tmp_path, train=["p3", "p1"], val=["p2"], test=["p5"], kind="random")
    assert deal(alike(7), spec) == Split(("p3", "p1"), ("p2",), ("p5",), ("p0", "p4", "p6"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"train": ["p1"], "val": ["p2"], "test": ["x9", "x8"]}, r"names 2 persons .* e\.g\. x8"),
        ({"train": ["p1"], "val": ["p2"], "test": ["p1"]}, "more than one part"),
        ({"train": ["p1"], "val": [], "test": ["p2"]}, "nobody in val"),
        ({"train": ["p1"], "val": ["p2"]}, "is no split"),
        ({"train": ["p1"], "val": ["p2"], "test": "p3"}, "is no split"),
        ({"train": [1], "val": [2], "test": [3]}, "is no split"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path, content, said):
    with pytest.raises(SplitError, match=said):
        deal(alike(7), written(tmp_path, **content))


@pytest.mark.parametrize("text", [None, "", "[]", "7", "{"])
def test_a_file_that_is_none_is_refused(tmp_path, text):
    path = tmp_path / "split.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SplitError, match="is no split"):
        Split.read(path)


def test_elsewhere_whoever_was_not_seen_can_be_tested():
    split = Split(train=("a", "b"), val=("c",), test=("d",))
    assert split.elsewhere(["x", "c", "x", "a", "d"]) == Split(("a",), ("c",), ("x", "d"))
    assert split.elsewhere(["y", "x"]) == Split((), (), ("y", "x"))


@pytest.mark.parametrize("wanted", [0, 1, 3, 4, 99, None])
def test_hips_are_taken_in_dealing_order(wanted):
    rows = {"a": [0, 1], "b": [5], "c": [2, 3]}
    assert take_hips(["c", "a"], rows, wanted) == [2, 3, 0, 1][:wanted]
